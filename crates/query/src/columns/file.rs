//! The fields of a data file with their ids: those in the file, those of the table's name mapping, or positions.

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use hosu_table::arrow_schema::PARQUET_FIELD_ID;
use iceberg::spec::{MappedField, NameMapping, NestedField};

/// A field of a data file.
#[derive(Debug)]
pub(super) struct FileField {
    /// How the table's fields are recognised.
    key: Key,
    /// Its type in the file.
    pub data_type: DataType,
    /// The fields of a struct, the element of a list, key and value of a map.
    pub children: Vec<FileField>,
}

#[derive(Debug)]
enum Key {
    Id(i32),
    /// The file has no ids and nothing says which field this is but its name.
    Name(String),
    /// No field of the table.
    Unknown,
}

impl FileField {
    /// Whether it is the table's field `wanted`.
    pub fn is(&self, wanted: &NestedField) -> bool {
        match &self.key {
            Key::Id(id) => *id == wanted.id,
            Key::Name(name) => name.to_lowercase() == wanted.name.to_lowercase(),
            Key::Unknown => false,
        }
    }

    pub fn is_struct(&self) -> bool {
        matches!(self.data_type, DataType::Struct(_))
    }

    pub fn is_list(&self) -> bool {
        matches!(self.data_type, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
    }

    pub fn is_map(&self) -> bool {
        matches!(self.data_type, DataType::Map(_, _))
    }
}

/// The top-level fields of a file.
///
/// A file without any id was written by an engine that knows no Iceberg and added to the table later. Then the
/// table's name mapping says which field is which; without one the ids are positions counted from 1, as Java
/// has it, and nested fields go by their names.
pub(super) fn file_fields(file: &Schema, mapping: Option<&NameMapping>) -> Vec<FileField> {
    if file.fields().iter().any(|field| has_ids(field)) {
        return fields(file.fields(), &|_, field| id_of(field).map_or(Key::Unknown, Key::Id));
    }
    if let Some(mapping) = mapping {
        let names: Vec<&MappedField> = mapping.fields().iter().collect();
        return mapped(file.fields(), &names);
    }
    let by_name = |_: usize, field: &Field| Key::Name(field.name().clone());
    let numbered = file.fields().iter().zip(1_i32..);
    let top = numbered.map(|(field, position)| FileField {
        key: Key::Id(position),
        data_type: field.data_type().clone(),
        children: children_of(field.data_type(), &|inside| fields(inside, &by_name)),
    });
    top.collect()
}

fn has_ids(field: &Field) -> bool {
    id_of(field).is_some()
        || nested(field.data_type()).is_some_and(|fields| fields.iter().any(|field| has_ids(field)))
}

fn id_of(field: &Field) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID)?.parse().ok()
}

fn fields(fields_of_file: &Fields, key: &dyn Fn(usize, &Field) -> Key) -> Vec<FileField> {
    let numbered = fields_of_file.iter().enumerate();
    numbered
        .map(|(position, field)| FileField {
            key: key(position, field),
            data_type: field.data_type().clone(),
            children: children_of(field.data_type(), &|inside| fields(inside, key)),
        })
        .collect()
}

fn mapped(fields_of_file: &Fields, names: &[&MappedField]) -> Vec<FileField> {
    let fields = fields_of_file.iter().map(|field| {
        let found = names.iter().find(|mapped| mapped.names().iter().any(|name| name == field.name()));
        let inside: Vec<&MappedField> =
            found.map(|mapped| mapped.fields().iter().map(AsRef::as_ref).collect()).unwrap_or_default();
        FileField {
            key: found.and_then(|mapped| mapped.field_id()).map_or(Key::Unknown, Key::Id),
            data_type: field.data_type().clone(),
            children: children_of(field.data_type(), &|fields| {
                mapped_inside(field.data_type(), fields, &inside)
            }),
        }
    });
    fields.collect()
}

/// A mapping calls an element `element`, whatever the file does, and a map's parts `key` and `value`.
fn mapped_inside(parent: &DataType, fields: &Fields, names: &[&MappedField]) -> Vec<FileField> {
    let renamed = |names: &[&str]| -> Fields {
        fields.iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(*name)).collect()
    };
    match parent {
        DataType::Struct(_) => mapped(fields, names),
        DataType::Map(_, _) => mapped(&renamed(&["key", "value"]), names),
        _ => mapped(&renamed(&["element"]), names),
    }
}

fn children_of(data_type: &DataType, make: &dyn Fn(&Fields) -> Vec<FileField>) -> Vec<FileField> {
    nested(data_type).map(|fields| make(&fields)).unwrap_or_default()
}

fn nested(data_type: &DataType) -> Option<Fields> {
    match data_type {
        DataType::Struct(fields) => Some(fields.clone()),
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            Some(Fields::from(vec![element.clone()]))
        }
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(fields) => Some(fields.clone()),
            _ => None,
        },
        _ => None,
    }
}
