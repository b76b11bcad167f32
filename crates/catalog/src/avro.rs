//! Avro files as manifests are: just enough to read them several times faster than by way of a general value.
//!
//! A table of 10,000 files has manifests of many megabytes, and a query waits for them. Whatever this reader does not
//! know, and whatever is damaged, it gives back as [`Unfamiliar`]; the spec crate's reader then reads it or says
//! what is wrong with it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;

use flate2::read::DeflateDecoder;
use serde_json::Value;

/// Bytes that this reader leaves to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfamiliar;

/// How deep types may stand in each other.
const DEPTH_MAX: usize = 16;

/// The marks at the start of a file and between its blocks.
const MAGIC: &[u8] = b"Obj\x01";
const SYNC_BYTES: usize = 16;

/// A file at its next block.
pub(crate) struct Container<'a> {
    /// What stands in the head, the schema and the codec among it.
    pub metadata: HashMap<String, Vec<u8>>,
    sync: &'a [u8],
    deflated: bool,
    rest: Cursor<'a>,
}

/// Some objects, one after the other.
pub(crate) struct Block<'a> {
    /// How many there are.
    pub objects: u64,
    /// Their bytes, decompressed.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Container<'a> {
    /// Reads the head.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Unfamiliar> {
        let mut rest = Cursor { bytes };
        if rest.take(MAGIC.len())? != MAGIC {
            return Err(Unfamiliar);
        }
        let mut metadata = HashMap::new();
        rest.blocks(|cursor| {
            let key = cursor.text()?.to_owned();
            metadata.insert(key, cursor.blob()?.to_vec());
            Ok(())
        })?;
        let deflated = match metadata.get("avro.codec").map(Vec::as_slice) {
            None | Some(b"null") => false,
            Some(b"deflate") => true,
            Some(_) => return Err(Unfamiliar),
        };
        let sync = rest.take(SYNC_BYTES)?;
        Ok(Self { metadata, sync, deflated, rest })
    }

    /// The type of the objects.
    pub fn shape(&self) -> Result<Shape, Unfamiliar> {
        let json = self.metadata.get("avro.schema").ok_or(Unfamiliar)?;
        let json: Value = serde_json::from_slice(json).map_err(|_| Unfamiliar)?;
        Shape::parse(&json, 0)
    }

    /// The next objects; none at the end of the file.
    pub fn next_block(&mut self) -> Result<Option<Block<'a>>, Unfamiliar> {
        if self.rest.bytes.is_empty() {
            return Ok(None);
        }
        let objects = u64::try_from(self.rest.long()?).map_err(|_| Unfamiliar)?;
        let stored = self.rest.blob()?;
        if self.rest.take(SYNC_BYTES)? != self.sync {
            return Err(Unfamiliar);
        }
        let bytes = if self.deflated { Cow::Owned(inflate(stored)?) } else { Cow::Borrowed(stored) };
        Ok(Some(Block { objects, bytes }))
    }
}

fn inflate(stored: &[u8]) -> Result<Vec<u8>, Unfamiliar> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(stored).read_to_end(&mut bytes).map_err(|_| Unfamiliar)?;
    Ok(bytes)
}

/// How values are laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Nothing.
    Null,
    /// One byte.
    Boolean,
    /// An `int` or a `long`: both have the same bytes.
    Long,
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// `bytes` or `string`.
    Blob,
    /// So many bytes.
    Fixed(usize),
    /// Values one after the other.
    Record(Vec<Field>),
    /// Any number of values.
    Array(Box<Shape>),
    /// Any number of values with names.
    Map(Box<Shape>),
    /// One of these.
    Union(Vec<Shape>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    /// Iceberg's id of it.
    pub id: Option<i64>,
    pub shape: Shape,
}

impl Shape {
    fn parse(json: &Value, depth: usize) -> Result<Self, Unfamiliar> {
        if depth > DEPTH_MAX {
            return Err(Unfamiliar);
        }
        match json {
            Value::String(name) => Self::named(name, json, depth),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| Self::parse(branch, depth + 1));
                Ok(Self::Union(branches.collect::<Result<_, _>>()?))
            }
            Value::Object(_) => match &json["type"] {
                Value::String(name) => Self::named(name, json, depth),
                inner => Self::parse(inner, depth + 1),
            },
            _ => Err(Unfamiliar),
        }
    }

    fn named(name: &str, json: &Value, depth: usize) -> Result<Self, Unfamiliar> {
        Ok(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" | "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" | "string" => Self::Blob,
            "fixed" => {
                let size = json["size"].as_u64().and_then(|size| usize::try_from(size).ok());
                Self::Fixed(size.ok_or(Unfamiliar)?)
            }
            "array" => Self::Array(Box::new(Self::parse(&json["items"], depth + 1)?)),
            "map" => Self::Map(Box::new(Self::parse(&json["values"], depth + 1)?)),
            "record" => {
                let fields = json["fields"].as_array().ok_or(Unfamiliar)?.iter().map(|field| {
                    let name = field["name"].as_str().ok_or(Unfamiliar)?.to_owned();
                    let shape = Self::parse(&field["type"], depth + 1)?;
                    Ok(Field { name, id: field["field-id"].as_i64(), shape })
                });
                Self::Record(fields.collect::<Result<_, _>>()?)
            }
            // An enum, or a type that was named before.
            _ => return Err(Unfamiliar),
        })
    }
}

/// Bytes that are read from their start on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Unfamiliar> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Unfamiliar)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub fn long(&mut self) -> Result<i64, Unfamiliar> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        loop {
            let (byte, rest) = self.bytes.split_first().ok_or(Unfamiliar)?;
            self.bytes = rest;
            if shift > 63 {
                return Err(Unfamiliar);
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
            shift += 7;
        }
    }

    pub fn blob(&mut self) -> Result<&'a [u8], Unfamiliar> {
        let length = usize::try_from(self.long()?).map_err(|_| Unfamiliar)?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'a str, Unfamiliar> {
        std::str::from_utf8(self.blob()?).map_err(|_| Unfamiliar)
    }

    /// The items of an array or a map.
    pub fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), Unfamiliar>,
    ) -> Result<(), Unfamiliar> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // The length of the items in bytes, for those who pass over them.
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                // Items of no bytes would be counted for ever.
                if self.bytes.is_empty() {
                    return Err(Unfamiliar);
                }
                item(self)?;
            }
        }
    }

    /// The branch of a union that is taken; another shape is its own.
    pub fn branch<'s>(&mut self, shape: &'s Shape) -> Result<&'s Shape, Unfamiliar> {
        match shape {
            Shape::Union(branches) => {
                let branch = usize::try_from(self.long()?).map_err(|_| Unfamiliar)?;
                branches.get(branch).ok_or(Unfamiliar)
            }
            shape => Ok(shape),
        }
    }

    /// A number that may be missing.
    pub fn long_of(&mut self, shape: &Shape) -> Result<Option<i64>, Unfamiliar> {
        match self.branch(shape)? {
            Shape::Null => Ok(None),
            Shape::Long => self.long().map(Some),
            _ => Err(Unfamiliar),
        }
    }

    /// Bytes that may be missing.
    pub fn blob_of(&mut self, shape: &Shape) -> Result<Option<&'a [u8]>, Unfamiliar> {
        match self.branch(shape)? {
            Shape::Null => Ok(None),
            Shape::Blob => self.blob().map(Some),
            _ => Err(Unfamiliar),
        }
    }

    /// A text that may be missing.
    pub fn text_of(&mut self, shape: &Shape) -> Result<Option<&'a str>, Unfamiliar> {
        let blob = self.blob_of(shape)?;
        blob.map(|bytes| std::str::from_utf8(bytes).map_err(|_| Unfamiliar)).transpose()
    }

    /// Passes over a value.
    pub fn skip(&mut self, shape: &Shape) -> Result<(), Unfamiliar> {
        match self.branch(shape)? {
            Shape::Null => {}
            Shape::Boolean => drop(self.take(1)?),
            Shape::Long => drop(self.long()?),
            Shape::Float => drop(self.take(4)?),
            Shape::Double => drop(self.take(8)?),
            Shape::Blob => drop(self.blob()?),
            Shape::Fixed(length) => drop(self.take(*length)?),
            Shape::Record(fields) => fields.iter().try_for_each(|field| self.skip(&field.shape))?,
            Shape::Array(items) => self.blocks(|cursor| cursor.skip(items))?,
            Shape::Map(values) => self.blocks(|cursor| {
                cursor.blob()?;
                cursor.skip(values)
            })?,
            Shape::Union(_) => return Err(Unfamiliar),
        }
        Ok(())
    }
}
