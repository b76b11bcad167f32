//! What the columns of a Parquet file mean, and which columns of a table mean the same.
//!
//! A file's values are read as they are stored, without their annotations ([`plain`]): what these say is applied here.
//! Parquet's own reader would wrap what does not fit (an INT96 of the year 3000 becomes one of the year 1831, 300 in a column of
//! eight bits 44), drop the months of an interval, and end at a text that is not UTF-8.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type as ParquetType, TypePtr};

/// More digits than this a table's decimals do not have.
const DECIMAL_DIGITS_MAX: i32 = 38;

/// A field of a file, with all that is inside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Single(Single),
    Struct(Vec<Column>),
    List(Box<Kind>),
    Map { key: Box<Kind>, value: Box<Kind> },
}

/// A value without others inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Single {
    Boolean,
    /// Of so many bits.
    Int(u8),
    /// The same without a sign.
    Unsigned(u8),
    /// Of two, four or eight bytes.
    HalfFloat,
    Float,
    Double,
    Decimal {
        precision: i32,
        scale: i32,
    },
    Date,
    Time(Unit),
    Timestamp {
        unit: Unit,
        is_utc: bool,
    },
    /// A day of the Julian calendar and nanoseconds since midnight, in twelve bytes.
    Int96,
    Text,
    Uuid,
    Fixed(i32),
    Bytes,
    /// Nothing but nulls.
    Null,
}

/// How long one of a column's units of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    pub(super) fn nanos(self) -> i64 {
        match self {
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    fn of(unit: &TimeUnit) -> Self {
        match unit {
            TimeUnit::MILLIS => Self::Millis,
            TimeUnit::MICROS => Self::Micros,
            TimeUnit::NANOS => Self::Nanos,
        }
    }
}

/// A file's schema without what says more of values than how they are stored.
pub(super) fn plain(schema: &SchemaDescriptor) -> Result<Arc<SchemaDescriptor>, ParquetError> {
    let fields = schema.root_schema().get_fields().iter().map(plain_type).collect::<Result<_, _>>()?;
    let root = ParquetType::group_type_builder(schema.root_schema().name()).with_fields(fields).build()?;
    Ok(Arc::new(SchemaDescriptor::new(Arc::new(root))))
}

fn plain_type(of: &TypePtr) -> Result<TypePtr, ParquetError> {
    let info = of.get_basic_info();
    let repetition = info.repetition();
    if of.is_group() {
        let fields = of.get_fields().iter().map(plain_type).collect::<Result<_, _>>()?;
        let group = ParquetType::group_type_builder(info.name())
            .with_repetition(repetition)
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields);
        return group.build().map(Arc::new);
    }
    let (physical, length) = match of.as_ref() {
        ParquetType::PrimitiveType { physical_type: Physical::INT96, .. } => {
            (Physical::FIXED_LEN_BYTE_ARRAY, 12)
        }
        ParquetType::PrimitiveType { physical_type, type_length, .. } => (*physical_type, *type_length),
        ParquetType::GroupType { .. } => return Ok(of.clone()),
    };
    let primitive = ParquetType::primitive_type_builder(info.name(), physical)
        .with_repetition(repetition)
        .with_length(length);
    primitive.build().map(Arc::new)
}

/// The types of plain columns as they are read: texts and bytes as views, which hold the value of a dictionary once.
pub(super) fn as_views(fields: &Fields) -> Fields {
    fields.iter().map(as_view).collect()
}

fn as_view(field: &FieldRef) -> FieldRef {
    let viewed = match field.data_type() {
        DataType::Binary => DataType::BinaryView,
        DataType::List(inside) => DataType::List(as_view(inside)),
        DataType::Map(inside, sorted) => DataType::Map(as_view(inside), *sorted),
        DataType::Struct(fields) => DataType::Struct(as_views(fields)),
        _ => return field.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(viewed))
}

/// What the columns of a file are: of these types as they are read, of this schema as it is written. Both have the same
/// leaves in the same order.
pub(super) fn columns(fields: &Fields, schema: &SchemaDescriptor) -> Option<Vec<Column>> {
    let mut leaves = schema.columns().iter().map(|leaf| single(leaf));
    let columns: Option<Vec<Column>> = fields.iter().map(|field| column(field, &mut leaves)).collect();
    columns.filter(|_| leaves.next().is_none())
}

fn column(field: &Field, leaves: &mut dyn Iterator<Item = Single>) -> Option<Column> {
    Some(Column { name: field.name().clone(), kind: kind(field.data_type(), leaves)? })
}

fn kind(data_type: &DataType, leaves: &mut dyn Iterator<Item = Single>) -> Option<Kind> {
    Some(match data_type {
        DataType::Struct(fields) => {
            Kind::Struct(fields.iter().map(|field| column(field, leaves)).collect::<Option<_>>()?)
        }
        DataType::List(inside) => Kind::List(Box::new(kind(inside.data_type(), leaves)?)),
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(fields) => match fields.as_ref() {
                [key, value] => Kind::Map {
                    key: Box::new(kind(key.data_type(), leaves)?),
                    value: Box::new(kind(value.data_type(), leaves)?),
                },
                _ => return None,
            },
            _ => return None,
        },
        _ => Kind::Single(leaves.next()?),
    })
}

fn single(leaf: &ColumnDescriptor) -> Single {
    let physical = leaf.physical_type();
    let annotated = match leaf.logical_type_ref() {
        Some(logical) => by_logical_type(logical, physical, leaf.type_length()),
        None => by_converted_type(leaf),
    };
    annotated.unwrap_or(match physical {
        Physical::BOOLEAN => Single::Boolean,
        Physical::INT32 => Single::Int(32),
        Physical::INT64 => Single::Int(64),
        Physical::INT96 => Single::Int96,
        Physical::FLOAT => Single::Float,
        Physical::DOUBLE => Single::Double,
        Physical::BYTE_ARRAY => Single::Bytes,
        Physical::FIXED_LEN_BYTE_ARRAY => Single::Fixed(leaf.type_length()),
    })
}

/// What an annotation says; none when it cannot be said of such values.
fn by_logical_type(logical: &LogicalType, physical: Physical, length: i32) -> Option<Single> {
    use Physical::{BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, INT32, INT64};
    Some(match (logical, physical) {
        (LogicalType::Unknown, _) => Single::Null,
        (LogicalType::String | LogicalType::Json | LogicalType::Enum, BYTE_ARRAY) => Single::Text,
        (LogicalType::Integer { bit_width, is_signed }, INT32 | INT64) => {
            let bits = u8::try_from(*bit_width).ok()?;
            if *is_signed { Single::Int(bits) } else { Single::Unsigned(bits) }
        }
        (LogicalType::Decimal { scale, precision }, INT32 | INT64 | BYTE_ARRAY | FIXED_LEN_BYTE_ARRAY) => {
            Single::Decimal { precision: *precision, scale: *scale }
        }
        (LogicalType::Date, INT32) => Single::Date,
        (LogicalType::Time { unit, .. }, INT32 | INT64) => Single::Time(Unit::of(unit)),
        (LogicalType::Timestamp { is_adjusted_to_u_t_c, unit }, INT64) => {
            Single::Timestamp { unit: Unit::of(unit), is_utc: *is_adjusted_to_u_t_c }
        }
        (LogicalType::Float16, FIXED_LEN_BYTE_ARRAY) if length == 2 => Single::HalfFloat,
        (LogicalType::Uuid, FIXED_LEN_BYTE_ARRAY) if length == 16 => Single::Uuid,
        _ => return None,
    })
}

fn by_converted_type(leaf: &ColumnDescriptor) -> Option<Single> {
    Some(match leaf.converted_type() {
        ConvertedType::UTF8 | ConvertedType::JSON | ConvertedType::ENUM => Single::Text,
        ConvertedType::INT_8 => Single::Int(8),
        ConvertedType::INT_16 => Single::Int(16),
        ConvertedType::INT_32 => Single::Int(32),
        ConvertedType::INT_64 => Single::Int(64),
        ConvertedType::UINT_8 => Single::Unsigned(8),
        ConvertedType::UINT_16 => Single::Unsigned(16),
        ConvertedType::UINT_32 => Single::Unsigned(32),
        ConvertedType::UINT_64 => Single::Unsigned(64),
        ConvertedType::DECIMAL => {
            Single::Decimal { precision: leaf.type_precision(), scale: leaf.type_scale() }
        }
        ConvertedType::DATE => Single::Date,
        ConvertedType::TIME_MILLIS => Single::Time(Unit::Millis),
        ConvertedType::TIME_MICROS => Single::Time(Unit::Micros),
        ConvertedType::TIMESTAMP_MILLIS => Single::Timestamp { unit: Unit::Millis, is_utc: true },
        ConvertedType::TIMESTAMP_MICROS => Single::Timestamp { unit: Unit::Micros, is_utc: true },
        _ => return None,
    })
}

impl Single {
    /// The type of a table's column that means the same; none where nothing could be in it.
    fn table_type(self) -> Option<PrimitiveType> {
        Some(match self {
            Self::Boolean => PrimitiveType::Boolean,
            Self::Int(8 | 16 | 32) | Self::Unsigned(8 | 16) => PrimitiveType::Int,
            Self::Int(_) | Self::Unsigned(32) => PrimitiveType::Long,
            Self::Unsigned(_) => PrimitiveType::Decimal { precision: 20, scale: 0 },
            Self::HalfFloat | Self::Float => PrimitiveType::Float,
            Self::Double => PrimitiveType::Double,
            Self::Decimal { precision, scale } if self.is_number() => PrimitiveType::Decimal {
                precision: u32::try_from(precision.max(1)).ok()?,
                scale: u32::try_from(scale).ok()?,
            },
            Self::Decimal { .. } | Self::Text => PrimitiveType::String,
            Self::Date => PrimitiveType::Date,
            Self::Time(_) => PrimitiveType::Time,
            Self::Timestamp { is_utc: true, .. } => PrimitiveType::Timestamptz,
            Self::Timestamp { is_utc: false, .. } | Self::Int96 => PrimitiveType::Timestamp,
            Self::Uuid => PrimitiveType::Uuid,
            Self::Fixed(bytes) => PrimitiveType::Fixed(u64::try_from(bytes).ok()?),
            Self::Bytes => PrimitiveType::Binary,
            Self::Null => return None,
        })
    }

    /// Whether a decimal is one in a table, too.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Decimal { precision, scale } => precision <= DECIMAL_DIGITS_MAX && scale >= 0,
            _ => false,
        }
    }
}

impl Kind {
    fn table_type(&self) -> Option<Type> {
        Some(match self {
            Self::Single(single) => Type::Primitive(single.table_type()?),
            Self::Struct(columns) => {
                let fields = table_fields(columns);
                if fields.is_empty() {
                    return None;
                }
                Type::Struct(StructType::new(fields))
            }
            Self::List(element) => list_of(element.table_type()?),
            Self::Map { key, value } => {
                let Self::Single(key) = key.as_ref() else { return None };
                Type::Map(MapType::new(
                    Arc::new(NestedField::map_key_element(0, Type::Primitive(key.table_type()?))),
                    Arc::new(NestedField::map_value_element(0, value.table_type()?, false)),
                ))
            }
        })
    }

    pub(super) fn is_text(&self) -> bool {
        *self == Self::Single(Single::Text)
    }
}

fn list_of(element: Type) -> Type {
    Type::List(ListType::new(Arc::new(NestedField::list_element(0, element, false))))
}

/// The fields of a table that mean the same; their ids are to be given. What holds nothing is no column.
pub(super) fn table_fields(columns: &[Column]) -> Vec<NestedFieldRef> {
    let field = |column: &Column| {
        Some(Arc::new(NestedField::optional(0, column.name.clone(), column.kind.table_type()?)))
    };
    columns.iter().filter_map(field).collect()
}
