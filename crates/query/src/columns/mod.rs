//! How a table's columns are found in a data file: by field id, whatever the file calls them.
//!
//! A file keeps the names, order and types that its table had when it was written. [`FileColumns`] compares the
//! two schemas once for each file and says of every column where it is and what must be done to it: nothing,
//! a cast along a promotion, a nested value built anew from the children that the file has, or a constant where
//! the file has nothing.

mod adapter;
mod file;
mod rebuild;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema};
use datafusion::common::ScalarValue;
use iceberg::spec::{NameMapping, NestedField, NestedFieldRef, Schema, Type};

pub(crate) use adapter::{FieldAccess, FieldIdAdapterFactory};
use file::FileField;

use crate::{values, views};

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The field of the file at this position of its parent.
    File {
        /// The position.
        index: usize,
        /// What is done to it.
        reading: Reading,
    },
    /// The file has no such field: its rows have this value.
    Constant(ScalarValue),
    /// The file cannot be read as this column, for the reason given.
    Unreadable(String),
}

/// What is done to a field of a file so that it becomes the table's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reading {
    /// Nothing: the types are equal.
    AsIs,
    /// A cast that keeps each value.
    Cast(DataType),
    /// A struct, of the children that the file has.
    Struct(Vec<Child>),
    /// A list, of its element.
    List(Box<Child>),
    /// A map, of key and value.
    Map(Box<Child>, Box<Child>),
}

/// A child of a nested value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Child {
    /// The child as the table has it.
    pub target: FieldRef,
    /// Where it comes from.
    pub source: Source,
}

/// The columns of a table in one data file.
#[derive(Debug)]
pub(crate) struct FileColumns {
    by_name: HashMap<String, Child>,
}

impl FileColumns {
    /// Finds each column of `table` in a file of Arrow schema `file`.
    pub fn new(table: &Schema, file: &ArrowSchema, mapping: Option<&NameMapping>) -> Self {
        let fields = file::file_fields(file, mapping);
        let columns = table.as_struct().fields().iter().map(|column| {
            let target = Field::new(&column.name, views::type_inside(&column.field_type), !column.required);
            let source = find(&fields, column, &target, &column.name);
            (column.name.clone(), Child { target: Arc::new(target), source })
        });
        Self { by_name: columns.collect() }
    }

    /// A column by its name in the table.
    pub fn get(&self, name: &str) -> Option<&Child> {
        self.by_name.get(name)
    }
}

fn find(fields: &[FileField], wanted: &NestedField, target: &Field, path: &str) -> Source {
    match fields.iter().position(|field| field.is(wanted)) {
        Some(index) => match fields.get(index).map(|field| read(field, &wanted.field_type, target, path)) {
            Some(Ok(reading)) => Source::File { index, reading },
            Some(Err(reason)) => Source::Unreadable(reason),
            None => missing(wanted, target, path),
        },
        None => missing(wanted, target, path),
    }
}

/// The value of rows that were written before the field was there.
fn missing(wanted: &NestedField, target: &Field, path: &str) -> Source {
    match &wanted.initial_default {
        Some(default) => match values::literal(default, target.data_type()) {
            Some(value) => Source::Constant(value),
            None => Source::Unreadable(format!("the default of column `{path}` is not supported")),
        },
        None if wanted.required => Source::Unreadable(format!(
            "the file lacks column `{path}`, which is required and has no default"
        )),
        None => match ScalarValue::try_new_null(target.data_type()) {
            Ok(null) => Source::Constant(null),
            Err(error) => Source::Unreadable(error.to_string()),
        },
    }
}

fn read(field: &FileField, wanted: &Type, target: &Field, path: &str) -> Result<Reading, String> {
    let unreadable = || {
        let table = hosu_table::evolve::type_text(wanted);
        Err(format!("column `{path}` is {table}, but the file has {} there", field.data_type))
    };
    match (wanted, target.data_type()) {
        (Type::Primitive(_), target) if &field.data_type == target => Ok(Reading::AsIs),
        (Type::Primitive(_), target) if keeps_values(&field.data_type, target) => {
            Ok(Reading::Cast(target.clone()))
        }
        (Type::Struct(fields), DataType::Struct(targets)) if field.is_struct() => {
            let children = fields.fields().iter().zip(targets);
            Ok(Reading::Struct(children.map(|(wanted, target)| child(field, wanted, target, path)).collect()))
        }
        (Type::List(list), DataType::List(target)) if field.is_list() => {
            Ok(Reading::List(Box::new(only(field, 0, &list.element_field, target, path)?)))
        }
        (Type::Map(map), DataType::Map(entry, _)) if field.is_map() => match entry.data_type() {
            DataType::Struct(targets) if targets.len() == 2 => Ok(Reading::Map(
                Box::new(only(field, 0, &map.key_field, &targets[0], path)?),
                Box::new(only(field, 1, &map.value_field, &targets[1], path)?),
            )),
            _ => unreadable(),
        },
        _ => unreadable(),
    }
}

fn child(parent: &FileField, wanted: &NestedFieldRef, target: &FieldRef, path: &str) -> Child {
    let source = find(&parent.children, wanted, target, &format!("{path}.{}", wanted.name));
    Child { target: target.clone(), source }
}

/// The element of a list, the key or the value of a map: there is but one, whatever id it has.
fn only(
    parent: &FileField,
    index: usize,
    wanted: &NestedFieldRef,
    target: &FieldRef,
    path: &str,
) -> Result<Child, String> {
    let path = format!("{path}.{}", wanted.name);
    let field = parent.children.get(index).ok_or_else(|| format!("the file lacks `{path}`"))?;
    let reading = read(field, &wanted.field_type, target, &path)?;
    Ok(Child { target: target.clone(), source: Source::File { index, reading } })
}

/// Whether every value of a file's type is one of the table's. Some writers use other units of time, narrower
/// integers or other layouts of text than we do.
fn keeps_values(file: &DataType, table: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Boolean, Date32, Decimal128, Dictionary, FixedSizeBinary, Float16, Float32,
        Float64, Int8, Int16, Int32, Int64, LargeBinary, LargeUtf8, Time32, Time64, Timestamp, UInt8, UInt16,
        UInt32, Utf8, Utf8View,
    };
    match (file, table) {
        (Dictionary(_, values), _) => values.as_ref() == table || keeps_values(values, table),
        (Int8 | Int16 | UInt8 | UInt16, Int32 | Int64) => true,
        (Int32 | UInt32, Int64) => true,
        (Float16, Float32 | Float64) | (Float32, Float64) => true,
        (Decimal128(p, s), Decimal128(precision, scale)) => p <= precision && s == scale,
        (Timestamp(_, _), Timestamp(_, _)) | (Time32(_) | Time64(_), Time64(_)) => true,
        (Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView, Utf8 | Utf8View) => true,
        (LargeBinary | BinaryView | Utf8 | LargeUtf8 | Utf8View | FixedSizeBinary(_), Binary) => true,
        (Boolean, Boolean) | (Date32, Date32) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
