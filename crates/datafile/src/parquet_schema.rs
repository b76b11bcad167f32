//! The Parquet schema of a table, made from the Iceberg one: each field with its id, lists as `list.element`, maps as
//! `key_value`, UUIDs named as such. Readers that find no ids match columns by position and get evolved tables wrong.

use std::sync::Arc;

use iceberg::spec::{NestedField, PrimitiveType, Schema, Type};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnPath, Type as ParquetType, TypePtr};

use crate::columns::Path;

/// A column of primitive values, in the order of the Parquet file.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) field_id: i32,
    pub(crate) primitive: PrimitiveType,
    /// Its place in the file.
    pub(crate) parquet_path: ColumnPath,
    /// Its place in the batch; none if it lies in a list or map.
    pub(crate) path: Option<Path>,
    /// The top-level column that it belongs to.
    pub(crate) column: usize,
}

/// The schema's root, and its leaves.
pub(crate) fn build(schema: &Schema) -> Result<(TypePtr, Vec<Leaf>), ParquetError> {
    let mut leaves = Vec::new();
    let mut fields = Vec::new();
    for (column, field) in schema.as_struct().fields().iter().enumerate() {
        let place = Place { column, parquet_path: Vec::new(), path: Some(vec![column]) };
        fields.push(node(field, &field.name, place, &mut leaves)?);
    }
    let root = ParquetType::group_type_builder("table").with_fields(fields).build()?;
    Ok((Arc::new(root), leaves))
}

struct Place {
    column: usize,
    parquet_path: Vec<String>,
    path: Option<Path>,
}

impl Place {
    fn inside(&self, names: &[&str], path: Option<Path>) -> Self {
        let parquet_path = self.parquet_path.iter().map(String::as_str).chain(names.iter().copied());
        Self { column: self.column, parquet_path: parquet_path.map(str::to_owned).collect(), path }
    }
}

fn node(
    field: &NestedField,
    name: &str,
    around: Place,
    leaves: &mut Vec<Leaf>,
) -> Result<TypePtr, ParquetError> {
    let repetition = if field.required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let group = ParquetType::group_type_builder(name).with_repetition(repetition).with_id(Some(field.id));
    let group = match field.field_type.as_ref() {
        Type::Primitive(primitive) => {
            let place = around.inside(&[name], around.path.clone());
            leaves.push(Leaf {
                field_id: field.id,
                primitive: primitive.clone(),
                parquet_path: ColumnPath::new(place.parquet_path),
                path: place.path,
                column: place.column,
            });
            return leaf_type(primitive, name, repetition, field.id);
        }
        Type::Struct(inner) => {
            let mut fields = Vec::new();
            for (position, inner) in inner.fields().iter().enumerate() {
                let path = around.path.clone().map(|path| path.into_iter().chain([position]).collect());
                fields.push(node(inner, &inner.name, around.inside(&[name], path), leaves)?);
            }
            group.with_fields(fields)
        }
        Type::List(list) => {
            let place = around.inside(&[name, "list"], None);
            let element = node(&list.element_field, "element", place, leaves)?;
            group
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![repeated("list", vec![element])?])
        }
        Type::Map(map) => {
            let key = node(&map.key_field, "key", around.inside(&[name, "key_value"], None), leaves)?;
            let value = node(&map.value_field, "value", around.inside(&[name, "key_value"], None), leaves)?;
            let entries = repeated("key_value", vec![key, value])?;
            group.with_logical_type(Some(LogicalType::Map)).with_fields(vec![entries])
        }
    };
    group.build().map(Arc::new)
}

fn repeated(name: &str, fields: Vec<TypePtr>) -> Result<TypePtr, ParquetError> {
    let group = ParquetType::group_type_builder(name).with_repetition(Repetition::REPEATED);
    group.with_fields(fields).build().map(Arc::new)
}

fn leaf_type(
    primitive: &PrimitiveType,
    name: &str,
    repetition: Repetition,
    id: i32,
) -> Result<TypePtr, ParquetError> {
    let physical = physical_type(primitive);
    let mut builder = ParquetType::primitive_type_builder(name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical_type(primitive)?)
        .with_id(Some(id));
    match primitive {
        PrimitiveType::Decimal { precision, scale } => {
            builder = builder.with_precision(size(*precision)?).with_scale(size(*scale)?);
            if physical == Physical::FIXED_LEN_BYTE_ARRAY {
                builder = builder.with_length(decimal_bytes(*precision));
            }
        }
        PrimitiveType::Uuid => builder = builder.with_length(16),
        PrimitiveType::Fixed(bytes) => builder = builder.with_length(size(*bytes)?),
        _ => {}
    }
    builder.build().map(Arc::new)
}

fn physical_type(primitive: &PrimitiveType) -> Physical {
    match primitive {
        PrimitiveType::Boolean => Physical::BOOLEAN,
        PrimitiveType::Int | PrimitiveType::Date => Physical::INT32,
        PrimitiveType::Long
        | PrimitiveType::Time
        | PrimitiveType::Timestamp
        | PrimitiveType::Timestamptz
        | PrimitiveType::TimestampNs
        | PrimitiveType::TimestamptzNs => Physical::INT64,
        PrimitiveType::Float => Physical::FLOAT,
        PrimitiveType::Double => Physical::DOUBLE,
        PrimitiveType::String | PrimitiveType::Binary => Physical::BYTE_ARRAY,
        PrimitiveType::Uuid | PrimitiveType::Fixed(_) => Physical::FIXED_LEN_BYTE_ARRAY,
        PrimitiveType::Decimal { precision: ..=9, .. } => Physical::INT32,
        PrimitiveType::Decimal { precision: ..=18, .. } => Physical::INT64,
        PrimitiveType::Decimal { .. } => Physical::FIXED_LEN_BYTE_ARRAY,
    }
}

fn logical_type(primitive: &PrimitiveType) -> Result<Option<LogicalType>, ParquetError> {
    let timestamp = |is_adjusted_to_u_t_c, unit| LogicalType::Timestamp { is_adjusted_to_u_t_c, unit };
    Ok(Some(match primitive {
        PrimitiveType::Date => LogicalType::Date,
        PrimitiveType::Time => LogicalType::Time { is_adjusted_to_u_t_c: false, unit: TimeUnit::MICROS },
        PrimitiveType::Timestamp => timestamp(false, TimeUnit::MICROS),
        PrimitiveType::Timestamptz => timestamp(true, TimeUnit::MICROS),
        PrimitiveType::TimestampNs => timestamp(false, TimeUnit::NANOS),
        PrimitiveType::TimestamptzNs => timestamp(true, TimeUnit::NANOS),
        PrimitiveType::String => LogicalType::String,
        PrimitiveType::Uuid => LogicalType::Uuid,
        PrimitiveType::Decimal { precision, scale } => {
            LogicalType::Decimal { scale: size(*scale)?, precision: size(*precision)? }
        }
        _ => return Ok(None),
    }))
}

/// The bytes that hold every number of so many digits, with its sign.
fn decimal_bytes(precision: u32) -> i32 {
    let bits = f64::from(precision) * 10_f64.log2() + 1.0;
    (bits / 8.0).ceil() as i32
}

fn size<N: TryInto<i32> + Copy + std::fmt::Display>(number: N) -> Result<i32, ParquetError> {
    number.try_into().map_err(|_| ParquetError::General(format!("{number} is too large for a Parquet type")))
}
