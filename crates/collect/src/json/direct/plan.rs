//! A schema as records are read for it: which names may come, and what stands behind each.

use std::collections::HashMap;

use hosu_table::json::LastDate;
use hosu_table::rejects::{is_rescued_data, raw_column};
use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, Type};

/// The fields of a struct, or the columns of the table.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) members: Vec<Member>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The member that came first the last time.
    pub(super) first: usize,
    /// The members that must have a value.
    pub(super) required: Vec<usize>,
}

/// A field and its name.
#[derive(Debug)]
pub(super) struct Member {
    /// The name as it stands in compact JSON: `"name":`.
    pub(super) key: Key,
    /// The last object that had it, by its number.
    pub(super) seen: u64,
    /// The member that came after this one the last time.
    pub(super) next: usize,
    pub(super) place: Place,
}

/// A name that is looked for, and its first eight bytes as a number: most others differ in them.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) bytes: Box<[u8]>,
    start: u64,
    /// Of a shorter name fewer bytes count.
    counted: u64,
}

/// What stands somewhere in a record.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) required: bool,
    pub(super) kind: Kind,
    /// How many columns one value fills, at the least.
    pub(super) columns: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Boolean,
    Long,
    Double,
    Text,
    /// An instant in microseconds.
    Instant(LastDate),
    /// What needs no way of its own.
    Scalar(PrimitiveType),
    Object(Object),
    List(Box<Place>),
    /// What is left to the plain way.
    Other,
}

/// No JSON text begins so.
const NO_KEY: &[u8] = b"\xff";

impl Object {
    pub(super) fn of_table(schema: &Schema) -> Self {
        let raw = raw_column(schema);
        Self::new(schema.as_struct().fields(), |at, name| !is_rescued_data(name) && Some(at) != raw)
    }

    fn new(fields: &[NestedFieldRef], may_be_named: impl Fn(usize, &str) -> bool) -> Self {
        let mut by_name = HashMap::new();
        for (at, field) in fields.iter().enumerate().filter(|(at, field)| may_be_named(*at, &field.name)) {
            by_name.insert(Box::from(field.name.as_bytes()), at);
        }
        let members = fields.iter().enumerate().map(|(at, field)| {
            let is_found = by_name.get(field.name.as_bytes()) == Some(&at);
            Member {
                key: if is_found { Key::of(&field.name) } else { Key::new(NO_KEY) },
                seen: 0,
                next: at + 1,
                place: Place::of(field),
            }
        });
        let members: Vec<Member> = members.collect();
        let required =
            fields.iter().enumerate().filter(|(_, field)| field.required).map(|(at, _)| at).collect();
        Self { members, by_name, first: 0, required }
    }

    /// The member of a name that is spelled so.
    pub(super) fn member_of(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Key {
    fn of(name: &str) -> Self {
        // What has to be escaped does not stand in JSON as it is, or is something else there.
        match name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            true => Self::new(NO_KEY),
            false => Self::new(format!("\"{name}\":").as_bytes()),
        }
    }

    fn new(bytes: &[u8]) -> Self {
        let (mut start, mut counted) = ([0; 8], [0; 8]);
        for ((byte, start), counted) in bytes.iter().zip(&mut start).zip(&mut counted) {
            (*start, *counted) = (*byte, 0xff);
        }
        Self { bytes: bytes.into(), start: u64::from_le_bytes(start), counted: u64::from_le_bytes(counted) }
    }

    /// Whether a text with these first eight bytes may begin with the name.
    #[inline]
    pub(super) fn may_begin(&self, eight: u64) -> bool {
        eight & self.counted == self.start
    }
}

impl Place {
    fn of(field: &NestedField) -> Self {
        let kind = match field.field_type.as_ref() {
            Type::Primitive(PrimitiveType::Boolean) => Kind::Boolean,
            Type::Primitive(PrimitiveType::Long) => Kind::Long,
            Type::Primitive(PrimitiveType::Double) => Kind::Double,
            Type::Primitive(PrimitiveType::String) => Kind::Text,
            Type::Primitive(PrimitiveType::Timestamptz) => Kind::Instant(LastDate::default()),
            Type::Primitive(other) => Kind::Scalar(other.clone()),
            Type::Struct(inside) => Kind::Object(Object::new(inside.fields(), |_, _| true)),
            Type::List(list) => Kind::List(Box::new(Self::of(&list.element_field))),
            Type::Map(_) => Kind::Other,
        };
        let columns = match &kind {
            Kind::Object(inside) => inside.members.iter().map(|member| member.place.columns).sum(),
            _ => 1,
        };
        Self { required: field.required, kind, columns }
    }
}
