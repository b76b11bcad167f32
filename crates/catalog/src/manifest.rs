//! Manifests from their bytes, without a detour.
//!
//! The spec crate makes of each entry a tree of general values, resolves it against a schema and takes it apart again; that is
//! most of what planning a large table costs. Here an entry is read once. Kinds of values that are rare in
//! manifests are left to the spec crate, as is everything that is damaged: its reader is also the one that tests hold
//! this one against.

use std::collections::HashMap;

use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, Datum, FormatVersion, Literal, Manifest, ManifestEntry,
    ManifestMetadata, ManifestStatus, PrimitiveLiteral, PrimitiveType, Schema, Struct, Type,
};

use crate::avro::{Container, Cursor, Field, Shape, Unfamiliar};

/// Ids from here on are those of columns that every table has; the spec crate knows their types.
const RESERVED_ID_MIN: i32 = i32::MAX - 200;

/// Reads a manifest: by itself when it can, else by the spec crate.
///
/// # Errors
/// What the spec crate says.
pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, iceberg::Error> {
    parse_directly(bytes).or_else(|Unfamiliar| Manifest::parse_avro(bytes))
}

/// Reads a manifest of the usual kind.
pub(crate) fn parse_directly(bytes: &[u8]) -> Result<Manifest, Unfamiliar> {
    let mut container = Container::open(bytes)?;
    let metadata = ManifestMetadata::parse(&container.metadata).map_err(|_| Unfamiliar)?;
    if metadata.format_version != FormatVersion::V2 {
        return Err(Unfamiliar);
    }
    let plan = Plan::new(&container.shape()?, &metadata)?;
    let mut entries = Vec::new();
    while let Some(block) = container.next_block()? {
        let mut cursor = Cursor::new(&block.bytes);
        for _ in 0..block.objects {
            entries.push(plan.entry(&mut cursor)?);
        }
        if !cursor.is_empty() {
            return Err(Unfamiliar);
        }
    }
    Ok(Manifest::new(metadata, entries))
}

/// What is done with each field of an entry, in the order in which the file has them.
struct Plan {
    entry: Vec<(EntryPart, Shape)>,
    file: Vec<(FilePart, Shape)>,
    partition: Vec<(usize, PrimitiveType, Shape)>,
    partition_fields: usize,
    /// The types of the columns that have bounds.
    types: HashMap<i32, PrimitiveType>,
    spec_id: i32,
}

#[derive(Clone, Copy)]
enum EntryPart {
    Status,
    SnapshotId,
    SequenceNumber,
    FileSequenceNumber,
    DataFile,
    Other,
}

#[derive(Clone, Copy)]
enum FilePart {
    Content,
    Path,
    Format,
    Partition,
    Rows,
    Bytes,
    ColumnSizes,
    ValueCounts,
    NullCounts,
    NanCounts,
    LowerBounds,
    UpperBounds,
    KeyMetadata,
    SplitOffsets,
    EqualityIds,
    SortOrderId,
    FirstRowId,
    ReferencedDataFile,
    ContentOffset,
    ContentBytes,
    Other,
}

impl Plan {
    fn new(shape: &Shape, metadata: &ManifestMetadata) -> Result<Self, Unfamiliar> {
        let (mut entry, mut file, mut partition) = (Vec::new(), Vec::new(), Vec::new());
        let partition_type =
            metadata.partition_spec.partition_type(&metadata.schema).map_err(|_| Unfamiliar)?;
        for field in fields(shape)? {
            let part = entry_part(&field.name);
            if let EntryPart::DataFile = part {
                for field in fields(&field.shape)? {
                    let part = file_part(&field.name);
                    if let FilePart::Partition = part {
                        partition = partition_parts(fields(&field.shape)?, partition_type.fields())?;
                    }
                    file.push((part, field.shape.clone()));
                }
            }
            entry.push((part, field.shape.clone()));
        }
        Ok(Self {
            entry,
            file,
            partition_fields: partition_type.fields().len(),
            partition,
            types: types_of(&metadata.schema),
            spec_id: metadata.partition_spec.spec_id(),
        })
    }

    fn entry(&self, cursor: &mut Cursor<'_>) -> Result<ManifestEntry, Unfamiliar> {
        let (mut status, mut data_file) = (None, None);
        let (mut snapshot_id, mut sequence_number, mut file_sequence_number) = (None, None, None);
        for (part, shape) in &self.entry {
            match part {
                EntryPart::Status => {
                    let number = small(cursor.long_of(shape)?.ok_or(Unfamiliar)?)?;
                    status = Some(ManifestStatus::try_from(number).map_err(|_| Unfamiliar)?);
                }
                EntryPart::SnapshotId => snapshot_id = cursor.long_of(shape)?,
                EntryPart::SequenceNumber => sequence_number = cursor.long_of(shape)?,
                EntryPart::FileSequenceNumber => file_sequence_number = cursor.long_of(shape)?,
                EntryPart::DataFile => data_file = Some(self.data_file(cursor)?),
                EntryPart::Other => cursor.skip(shape)?,
            }
        }
        Ok(ManifestEntry {
            status: status.ok_or(Unfamiliar)?,
            snapshot_id,
            sequence_number,
            file_sequence_number,
            data_file: data_file.ok_or(Unfamiliar)?,
        })
    }

    fn data_file(&self, cursor: &mut Cursor<'_>) -> Result<DataFile, Unfamiliar> {
        let mut file = DataFileBuilder::default();
        file.partition_spec_id(self.spec_id).content(DataContentType::Data);
        for (part, shape) in &self.file {
            self.file_part(*part, shape, cursor, &mut file)?;
        }
        file.build().map_err(|_| Unfamiliar)
    }

    fn file_part(
        &self,
        part: FilePart,
        shape: &Shape,
        cursor: &mut Cursor<'_>,
        file: &mut DataFileBuilder,
    ) -> Result<(), Unfamiliar> {
        match part {
            FilePart::Content => {
                let content = small(cursor.long_of(shape)?.unwrap_or(0))?;
                file.content(DataContentType::try_from(content).map_err(|_| Unfamiliar)?)
            }
            FilePart::Path => file.file_path(cursor.text_of(shape)?.ok_or(Unfamiliar)?.to_owned()),
            FilePart::Format => {
                let format = cursor.text_of(shape)?.ok_or(Unfamiliar)?;
                file.file_format(format.parse().map_err(|_| Unfamiliar)?)
            }
            FilePart::Partition => file.partition(self.partition(cursor)?),
            FilePart::Rows => file.record_count(count(cursor.long_of(shape)?)?),
            FilePart::Bytes => file.file_size_in_bytes(count(cursor.long_of(shape)?)?),
            FilePart::ColumnSizes => file.column_sizes(counts(cursor, shape)?),
            FilePart::ValueCounts => file.value_counts(counts(cursor, shape)?),
            FilePart::NullCounts => file.null_value_counts(counts(cursor, shape)?),
            FilePart::NanCounts => file.nan_value_counts(counts(cursor, shape)?),
            FilePart::LowerBounds => file.lower_bounds(self.bounds(cursor, shape)?),
            FilePart::UpperBounds => file.upper_bounds(self.bounds(cursor, shape)?),
            FilePart::KeyMetadata => file.key_metadata(cursor.blob_of(shape)?.map(<[u8]>::to_vec)),
            FilePart::SplitOffsets => file.split_offsets(longs(cursor, shape)?),
            FilePart::EqualityIds => {
                let ids = longs(cursor, shape)?.map(|ids| ids.into_iter().map(small).collect());
                file.equality_ids(ids.transpose()?)
            }
            FilePart::SortOrderId => match cursor.long_of(shape)? {
                Some(id) => file.sort_order_id(small(id)?),
                None => file,
            },
            FilePart::FirstRowId => file.first_row_id(cursor.long_of(shape)?),
            FilePart::ReferencedDataFile => {
                file.referenced_data_file(cursor.text_of(shape)?.map(str::to_owned))
            }
            FilePart::ContentOffset => file.content_offset(cursor.long_of(shape)?),
            FilePart::ContentBytes => file.content_size_in_bytes(cursor.long_of(shape)?),
            FilePart::Other => {
                cursor.skip(shape)?;
                file
            }
        };
        Ok(())
    }

    fn partition(&self, cursor: &mut Cursor<'_>) -> Result<Struct, Unfamiliar> {
        let mut values: Vec<Option<Literal>> = vec![None; self.partition_fields];
        for (place, wanted, shape) in &self.partition {
            let value = literal(cursor, shape, wanted)?.map(Literal::Primitive);
            *values.get_mut(*place).ok_or(Unfamiliar)? = value;
        }
        Ok(Struct::from_iter(values))
    }

    fn bounds(&self, cursor: &mut Cursor<'_>, shape: &Shape) -> Result<HashMap<i32, Datum>, Unfamiliar> {
        let mut bounds = HashMap::new();
        pairs(cursor, shape, |cursor, id, value| {
            let bytes = cursor.blob_of(value)?.ok_or(Unfamiliar)?;
            match self.types.get(&id) {
                Some(primitive) => {
                    let bound = Datum::try_from_bytes(bytes, primitive.clone());
                    bounds.insert(id, bound.map_err(|_| Unfamiliar)?);
                }
                None if id >= RESERVED_ID_MIN => return Err(Unfamiliar),
                // A column that the table no longer had when the manifest was written.
                None => {}
            }
            Ok(())
        })?;
        Ok(bounds)
    }
}

fn entry_part(name: &str) -> EntryPart {
    match name {
        "status" => EntryPart::Status,
        "snapshot_id" => EntryPart::SnapshotId,
        "sequence_number" => EntryPart::SequenceNumber,
        "file_sequence_number" => EntryPart::FileSequenceNumber,
        "data_file" => EntryPart::DataFile,
        _ => EntryPart::Other,
    }
}

fn file_part(name: &str) -> FilePart {
    match name {
        "content" => FilePart::Content,
        "file_path" => FilePart::Path,
        "file_format" => FilePart::Format,
        "partition" => FilePart::Partition,
        "record_count" => FilePart::Rows,
        "file_size_in_bytes" => FilePart::Bytes,
        "column_sizes" => FilePart::ColumnSizes,
        "value_counts" => FilePart::ValueCounts,
        "null_value_counts" => FilePart::NullCounts,
        "nan_value_counts" => FilePart::NanCounts,
        "lower_bounds" => FilePart::LowerBounds,
        "upper_bounds" => FilePart::UpperBounds,
        "key_metadata" => FilePart::KeyMetadata,
        "split_offsets" => FilePart::SplitOffsets,
        "equality_ids" => FilePart::EqualityIds,
        "sort_order_id" => FilePart::SortOrderId,
        "first_row_id" => FilePart::FirstRowId,
        "referenced_data_file" => FilePart::ReferencedDataFile,
        "content_offset" => FilePart::ContentOffset,
        "content_size_in_bytes" => FilePart::ContentBytes,
        _ => FilePart::Other,
    }
}

fn fields(shape: &Shape) -> Result<&[Field], Unfamiliar> {
    match shape {
        Shape::Record(fields) => Ok(fields),
        _ => Err(Unfamiliar),
    }
}

/// Where each partition value of the file belongs. Each field of the spec must be there.
fn partition_parts(
    written: &[Field],
    wanted: &[iceberg::spec::NestedFieldRef],
) -> Result<Vec<(usize, PrimitiveType, Shape)>, Unfamiliar> {
    if written.len() != wanted.len() {
        return Err(Unfamiliar);
    }
    let parts = written.iter().map(|field| {
        let is_meant = |wanted: &iceberg::spec::NestedFieldRef| match field.id {
            Some(id) => id == i64::from(wanted.id),
            None => field.name == wanted.name,
        };
        let place = wanted.iter().position(is_meant).ok_or(Unfamiliar)?;
        match wanted.get(place).map(|field| field.field_type.as_ref()) {
            Some(Type::Primitive(primitive)) => Ok((place, primitive.clone(), field.shape.clone())),
            _ => Err(Unfamiliar),
        }
    });
    parts.collect()
}

fn types_of(schema: &Schema) -> HashMap<i32, PrimitiveType> {
    let mut types = HashMap::new();
    for (id, field) in schema.field_id_to_fields() {
        if let Type::Primitive(primitive) = field.field_type.as_ref() {
            types.insert(*id, primitive.clone());
        }
    }
    types
}

fn literal(
    cursor: &mut Cursor<'_>,
    shape: &Shape,
    wanted: &PrimitiveType,
) -> Result<Option<PrimitiveLiteral>, Unfamiliar> {
    use PrimitiveType as Wanted;
    let shape = cursor.branch(shape)?;
    Ok(Some(match (shape, wanted) {
        (Shape::Null, _) => return Ok(None),
        (Shape::Boolean, Wanted::Boolean) => match cursor.take(1)? {
            [0] => PrimitiveLiteral::Boolean(false),
            [1] => PrimitiveLiteral::Boolean(true),
            _ => return Err(Unfamiliar),
        },
        (Shape::Long, Wanted::Int | Wanted::Date) => PrimitiveLiteral::Int(small(cursor.long()?)?),
        (Shape::Long, Wanted::Long | Wanted::Timestamp | Wanted::Timestamptz) => {
            PrimitiveLiteral::Long(cursor.long()?)
        }
        (Shape::Blob, Wanted::String) => {
            let text = std::str::from_utf8(cursor.blob()?).map_err(|_| Unfamiliar)?;
            PrimitiveLiteral::String(text.to_owned())
        }
        _ => return Err(Unfamiliar),
    }))
}

fn counts(cursor: &mut Cursor<'_>, shape: &Shape) -> Result<HashMap<i32, u64>, Unfamiliar> {
    let mut counts = HashMap::new();
    pairs(cursor, shape, |cursor, id, value| {
        // Counts below zero mean that nobody knows.
        if let Ok(count) = u64::try_from(cursor.long_of(value)?.ok_or(Unfamiliar)?) {
            counts.insert(id, count);
        }
        Ok(())
    })?;
    Ok(counts)
}

/// A map by field id: an array of records of `key` and `value`, or nothing.
fn pairs(
    cursor: &mut Cursor<'_>,
    shape: &Shape,
    mut pair: impl FnMut(&mut Cursor<'_>, i32, &Shape) -> Result<(), Unfamiliar>,
) -> Result<(), Unfamiliar> {
    let items = match cursor.branch(shape)? {
        Shape::Null => return Ok(()),
        Shape::Array(items) => items,
        _ => return Err(Unfamiliar),
    };
    match fields(items)? {
        [key, value] if key.name == "key" && value.name == "value" => cursor.blocks(|cursor| {
            let id = small(cursor.long_of(&key.shape)?.ok_or(Unfamiliar)?)?;
            pair(cursor, id, &value.shape)
        }),
        _ => Err(Unfamiliar),
    }
}

fn longs(cursor: &mut Cursor<'_>, shape: &Shape) -> Result<Option<Vec<i64>>, Unfamiliar> {
    match cursor.branch(shape)? {
        Shape::Null => Ok(None),
        Shape::Array(items) => {
            let mut longs = Vec::new();
            cursor.blocks(|cursor| {
                longs.push(cursor.long_of(items)?.ok_or(Unfamiliar)?);
                Ok(())
            })?;
            Ok(Some(longs))
        }
        _ => Err(Unfamiliar),
    }
}

fn small(number: i64) -> Result<i32, Unfamiliar> {
    i32::try_from(number).map_err(|_| Unfamiliar)
}

fn count(number: Option<i64>) -> Result<u64, Unfamiliar> {
    number.and_then(|number| u64::try_from(number).ok()).ok_or(Unfamiliar)
}

#[cfg(test)]
mod tests;
