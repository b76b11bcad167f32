//! A table's schema as Arrow sees it, and the way back.
//!
//! Two Arrow schemas stand for one table. The plain one ([`to_arrow`]) is what record batches and DataFusion
//! work with; it has no field ids, because metadata of nested fields is a part of Arrow's type equality and
//! UNION, CASE or INSERT of structs would no longer match. The one with ids ([`with_field_ids`]) is for the
//! Parquet writer alone: without ids, readers match columns by position and get evolved tables wrong.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema as ArrowSchema, TimeUnit};
use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Type,
};

use crate::evolve;

/// The metadata key under which the Parquet writer finds a field's id.
pub const PARQUET_FIELD_ID: &str = "PARQUET:field_id";

/// The zone of each `timestamptz` column; instants are stored in UTC.
pub const UTC: &str = "UTC";

/// A column of an Arrow schema that cannot be a table's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` cannot be stored: {reason}")]
pub struct ArrowSchemaError {
    /// The column's full name.
    pub column: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The Arrow schema of a table's record batches, without field ids.
pub fn to_arrow(schema: &Schema) -> ArrowSchema {
    ArrowSchema::new(arrow_fields(schema.as_struct().fields(), Ids::Left))
}

/// The same types as [`to_arrow`], each field with its id as the Parquet writer expects it.
pub fn with_field_ids(schema: &Schema) -> ArrowSchema {
    ArrowSchema::new(arrow_fields(schema.as_struct().fields(), Ids::Kept))
}

/// The Arrow type of a column, without field ids.
pub fn to_arrow_type(column_type: &Type) -> DataType {
    arrow_type(column_type, Ids::Left)
}

/// The schema of a new table that can hold the rows of an Arrow schema, its ids in the order of
/// [`evolve::fresh_ids`].
///
/// What Iceberg lacks becomes the next wider type: small integers `int`, unsigned ones the next signed (of 64
/// bits `long`; a value beyond it fails when it is cast), half floats `float`, other units of time microseconds,
/// any zone UTC, dictionaries their values, fixed-size lists lists. Sixteen fixed bytes are a `uuid`.
///
/// # Errors
/// [`ArrowSchemaError`] for a column that has no such type, no name, or the name of another.
pub fn from_arrow(schema: &ArrowSchema) -> Result<Schema, ArrowSchemaError> {
    let columns = iceberg_fields(schema.fields(), "")?;
    evolve::fresh_ids_of(columns)
        .map_err(|error| ArrowSchemaError { column: "*".to_owned(), reason: error.to_string() })
}

#[derive(Clone, Copy, PartialEq)]
enum Ids {
    Kept,
    Left,
}

fn arrow_fields(fields: &[NestedFieldRef], ids: Ids) -> Fields {
    fields.iter().map(|field| arrow_field(field, ids)).collect()
}

fn arrow_field(field: &NestedField, ids: Ids) -> Field {
    let arrow = Field::new(&field.name, arrow_type(&field.field_type, ids), !field.required);
    match ids {
        Ids::Left => arrow,
        Ids::Kept => {
            arrow.with_metadata(HashMap::from([(PARQUET_FIELD_ID.to_owned(), field.id.to_string())]))
        }
    }
}

fn arrow_type(column_type: &Type, ids: Ids) -> DataType {
    match column_type {
        Type::Primitive(primitive) => arrow_primitive(primitive),
        Type::Struct(fields) => DataType::Struct(arrow_fields(fields.fields(), ids)),
        Type::List(list) => DataType::List(Arc::new(arrow_field(&list.element_field, ids))),
        Type::Map(map) => {
            let entry =
                Fields::from(vec![arrow_field(&map.key_field, ids), arrow_field(&map.value_field, ids)]);
            // The entry of a map has no id of its own: Iceberg numbers keys and values only.
            DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry), false)), false)
        }
    }
}

fn arrow_primitive(primitive: &PrimitiveType) -> DataType {
    match primitive {
        PrimitiveType::Boolean => DataType::Boolean,
        PrimitiveType::Int => DataType::Int32,
        PrimitiveType::Long => DataType::Int64,
        PrimitiveType::Float => DataType::Float32,
        PrimitiveType::Double => DataType::Float64,
        // Beyond Arrow's limits (38 digits) the type is kept as it is, and refused where values are made.
        PrimitiveType::Decimal { precision, scale } => DataType::Decimal128(
            u8::try_from(*precision).unwrap_or(u8::MAX),
            i8::try_from(*scale).unwrap_or(i8::MAX),
        ),
        PrimitiveType::Date => DataType::Date32,
        PrimitiveType::Time => DataType::Time64(TimeUnit::Microsecond),
        PrimitiveType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        PrimitiveType::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        PrimitiveType::TimestampNs => DataType::Timestamp(TimeUnit::Nanosecond, None),
        PrimitiveType::TimestamptzNs => DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())),
        PrimitiveType::String => DataType::Utf8,
        PrimitiveType::Uuid => DataType::FixedSizeBinary(16),
        PrimitiveType::Fixed(bytes) => DataType::FixedSizeBinary(i32::try_from(*bytes).unwrap_or(i32::MAX)),
        PrimitiveType::Binary => DataType::Binary,
    }
}

fn iceberg_fields(fields: &Fields, parent: &str) -> Result<Vec<NestedFieldRef>, ArrowSchemaError> {
    let mut names = HashSet::new();
    fields
        .iter()
        .map(|field| {
            let column =
                if parent.is_empty() { field.name().clone() } else { format!("{parent}.{}", field.name()) };
            let refused =
                |reason: &str| ArrowSchemaError { column: column.clone(), reason: reason.to_owned() };
            if field.name().is_empty() {
                return Err(refused("it has no name"));
            }
            if !names.insert(field.name().to_lowercase()) {
                return Err(refused("another column has this name"));
            }
            iceberg_field(field, field.name(), &column).map(Arc::new)
        })
        .collect()
}

fn iceberg_field(field: &Field, name: &str, column: &str) -> Result<NestedField, ArrowSchemaError> {
    let column_type = iceberg_type(field.data_type(), column)?;
    // Ids are given once the whole schema is known.
    Ok(NestedField::new(0, name, column_type, !field.is_nullable()))
}

fn iceberg_type(arrow: &DataType, column: &str) -> Result<Type, ArrowSchemaError> {
    let inside =
        |field: &Field, name: &str| iceberg_field(field, name, &format!("{column}.{name}")).map(Arc::new);
    match arrow {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Ok(Type::List(ListType::new(inside(item, "element")?))),
        DataType::Struct(fields) if fields.is_empty() => Err(refused(column, "a struct needs a field")),
        DataType::Struct(fields) => Ok(Type::Struct(StructType::new(iceberg_fields(fields, column)?))),
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let key = NestedField { required: true, ..inside(&fields[0], "key")?.as_ref().clone() };
                Ok(Type::Map(MapType::new(Arc::new(key), inside(&fields[1], "value")?)))
            }
            _ => Err(refused(column, "a map needs keys and values")),
        },
        DataType::Dictionary(_, values) => iceberg_type(values, column),
        DataType::RunEndEncoded(_, values) => iceberg_type(values.data_type(), column),
        other => iceberg_primitive(other, column).map(Type::Primitive),
    }
}

fn iceberg_primitive(arrow: &DataType, column: &str) -> Result<PrimitiveType, ArrowSchemaError> {
    Ok(match arrow {
        DataType::Boolean => PrimitiveType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            PrimitiveType::Int
        }
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => PrimitiveType::Long,
        DataType::Float16 | DataType::Float32 => PrimitiveType::Float,
        DataType::Float64 => PrimitiveType::Double,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale, column)?,
        DataType::Date32 | DataType::Date64 => PrimitiveType::Date,
        DataType::Time32(_) | DataType::Time64(_) => PrimitiveType::Time,
        DataType::Timestamp(_, None) => PrimitiveType::Timestamp,
        DataType::Timestamp(_, Some(_)) => PrimitiveType::Timestamptz,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => PrimitiveType::String,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => PrimitiveType::Binary,
        DataType::FixedSizeBinary(16) => PrimitiveType::Uuid,
        DataType::FixedSizeBinary(bytes) => match u64::try_from(*bytes) {
            Ok(bytes) => PrimitiveType::Fixed(bytes),
            Err(_) => return Err(refused(column, "its size is negative")),
        },
        DataType::Null => return Err(refused(column, "it has no type: give NULL one with CAST")),
        other => return Err(refused(column, &format!("tables have no type for {other}"))),
    })
}

/// Iceberg has no decimals of negative scale; what such a column holds fits a wider one of scale 0.
fn decimal(precision: u8, scale: i8, column: &str) -> Result<PrimitiveType, ArrowSchemaError> {
    let zeros = u32::from(scale.min(0).unsigned_abs());
    let (precision, scale) = (u32::from(precision) + zeros, u32::from(scale.max(0).unsigned_abs()));
    if precision > 38 {
        return Err(refused(column, &format!("decimals have at most 38 digits, not {precision}")));
    }
    Ok(PrimitiveType::Decimal { precision, scale })
}

fn refused(column: &str, reason: &str) -> ArrowSchemaError {
    ArrowSchemaError { column: column.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
