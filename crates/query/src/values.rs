//! Iceberg's single values (bounds, partition values, defaults) as DataFusion's scalars.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use iceberg::spec::{Literal, PrimitiveLiteral, PrimitiveType};

/// A value as one of a column of type `target`, through the promotions that Iceberg allows: `int` to `long`,
/// `float` to `double`, decimals of more digits. None for what cannot be such a value.
pub(crate) fn scalar(value: &PrimitiveLiteral, target: &DataType) -> Option<ScalarValue> {
    use PrimitiveLiteral as Value;
    Some(match (value, target) {
        (Value::Boolean(value), DataType::Boolean) => ScalarValue::Boolean(Some(*value)),
        (Value::Int(value), DataType::Int32) => ScalarValue::Int32(Some(*value)),
        (Value::Int(value), DataType::Int64) => ScalarValue::Int64(Some(i64::from(*value))),
        (Value::Int(value), DataType::Date32) => ScalarValue::Date32(Some(*value)),
        (Value::Long(value), DataType::Int64) => ScalarValue::Int64(Some(*value)),
        (Value::Long(value), DataType::Time64(TimeUnit::Microsecond)) => {
            ScalarValue::Time64Microsecond(Some(*value))
        }
        (Value::Long(value), DataType::Timestamp(TimeUnit::Microsecond, zone)) => {
            ScalarValue::TimestampMicrosecond(Some(*value), zone.clone())
        }
        (Value::Long(value), DataType::Timestamp(TimeUnit::Nanosecond, zone)) => {
            ScalarValue::TimestampNanosecond(Some(*value), zone.clone())
        }
        (Value::Float(value), DataType::Float32) => ScalarValue::Float32(Some(value.0)),
        (Value::Float(value), DataType::Float64) => ScalarValue::Float64(Some(f64::from(value.0))),
        (Value::Double(value), DataType::Float64) => ScalarValue::Float64(Some(value.0)),
        (Value::String(value), DataType::Utf8) => ScalarValue::Utf8(Some(value.clone())),
        (Value::String(value), DataType::Utf8View) => ScalarValue::Utf8View(Some(value.clone())),
        (Value::Binary(value), DataType::Binary) => ScalarValue::Binary(Some(value.clone())),
        (Value::Binary(value), DataType::FixedSizeBinary(length)) => {
            let fits = usize::try_from(*length).is_ok_and(|length| length == value.len());
            fits.then(|| ScalarValue::FixedSizeBinary(*length, Some(value.clone())))?
        }
        (Value::UInt128(value), DataType::FixedSizeBinary(16)) => {
            ScalarValue::FixedSizeBinary(16, Some(value.to_be_bytes().to_vec()))
        }
        (Value::Int128(value), DataType::Decimal128(precision, scale)) => {
            ScalarValue::Decimal128(Some(*value), *precision, *scale)
        }
        _ => return None,
    })
}

/// As [`scalar`], for a value that may be nested; nested ones are none.
pub(crate) fn literal(value: &Literal, target: &DataType) -> Option<ScalarValue> {
    match value {
        Literal::Primitive(value) => scalar(value, target),
        _ => None,
    }
}

/// Whether the order of such values is the same for everyone who writes bounds. Signed and unsigned orders of
/// UUIDs are both found in the wild.
pub(crate) fn has_sound_bounds(column_type: &PrimitiveType) -> bool {
    !matches!(column_type, PrimitiveType::Uuid)
}

/// Whether the type has values that are no numbers, which bounds leave out.
pub(crate) fn is_float(column_type: &PrimitiveType) -> bool {
    matches!(column_type, PrimitiveType::Float | PrimitiveType::Double)
}
