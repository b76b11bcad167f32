//! Which values a column can hold unchanged: the rule of docs/unchanged.md for single values.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use iceberg::spec::PrimitiveType;

use super::datetime::{self, DateTime};
use super::number::{self, Number};
use super::value::{JsonKind, JsonValue};

/// A value as a column stores it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// boolean
    Boolean(bool),
    /// int
    Int(i32),
    /// long
    Long(i64),
    /// float
    Float(f32),
    /// double
    Double(f64),
    /// decimal: the value times ten to the power of the column's scale
    Decimal(i128),
    /// date: days since 1970-01-01
    Date(i32),
    /// time: microseconds since midnight
    Time(i64),
    /// timestamp, with or without zone: micro- or nanoseconds since 1970, as the column has them
    Timestamp(i64),
    /// string
    Text(Cow<'a, str>),
    /// uuid, fixed and binary
    Bytes(Vec<u8>),
}

/// The value as a column of this type stores it, if that equals it as a JSON value; null fits no type.
///
/// Allowed differences, and no others: the spelling of the same number or escape, a fraction rounded to the
/// nearest double, an instant in UTC for a time with an offset.
pub fn fit<'a>(column_type: &PrimitiveType, value: &JsonValue<'a>) -> Option<Scalar<'a>> {
    match value.kind {
        JsonKind::Boolean(boolean) if *column_type == PrimitiveType::Boolean => {
            Some(Scalar::Boolean(boolean))
        }
        JsonKind::Number => fit_number(column_type, value.source),
        JsonKind::Text => fit_text(column_type, value.text()?),
        _ => None,
    }
}

fn fit_number<'a>(column_type: &PrimitiveType, source: &str) -> Option<Scalar<'a>> {
    let number = Number::read(source)?;
    match column_type {
        PrimitiveType::Int => i32::try_from(number.to_i64()?).ok().map(Scalar::Int),
        PrimitiveType::Long => number.to_i64().map(Scalar::Long),
        PrimitiveType::Double => number::to_double(source, &number).map(Scalar::Double),
        PrimitiveType::Float => number::to_double(source, &number).and_then(to_float).map(Scalar::Float),
        PrimitiveType::Decimal { precision, scale } => fit_decimal(&number, *precision, *scale),
        _ => None,
    }
}

/// A float holds what its nearest double says, or nothing: rounding further is no allowed difference.
#[allow(clippy::cast_possible_truncation, reason = "the truncated value is compared with the whole one")]
fn to_float(double: f64) -> Option<f32> {
    let float = double as f32;
    (f64::from(float).to_bits() == double.to_bits()).then_some(float)
}

fn fit_decimal<'a>(number: &Number<'_>, precision: u32, scale: u32) -> Option<Scalar<'a>> {
    number.scaled(scale, precision.min(38)).map(Scalar::Decimal)
}

fn fit_text<'a>(column_type: &PrimitiveType, text: Cow<'a, str>) -> Option<Scalar<'a>> {
    match column_type {
        PrimitiveType::String => Some(Scalar::Text(text)),
        PrimitiveType::Decimal { precision, scale } => fit_decimal(&Number::read(&text)?, *precision, *scale),
        PrimitiveType::Date => datetime::date(&text).map(Scalar::Date),
        PrimitiveType::Time => datetime::time(&text).map(Scalar::Time),
        PrimitiveType::Timestamp => DateTime::read(&text)?.local_us().map(Scalar::Timestamp),
        PrimitiveType::Timestamptz => datetime::instant_us(text.as_bytes()).map(Scalar::Timestamp),
        PrimitiveType::TimestampNs => DateTime::read(&text)?.local_ns().map(Scalar::Timestamp),
        PrimitiveType::TimestamptzNs => DateTime::read(&text)?.instant_ns().map(Scalar::Timestamp),
        PrimitiveType::Uuid => fit_uuid(&text).map(Scalar::Bytes),
        PrimitiveType::Binary => fit_bytes(&text).map(Scalar::Bytes),
        PrimitiveType::Fixed(length) => fit_bytes(&text)
            .filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|count| count == *length))
            .map(Scalar::Bytes),
        _ => None,
    }
}

/// A uuid reads back in lower case with hyphens, so only that spelling is unchanged.
fn fit_uuid(text: &str) -> Option<Vec<u8>> {
    let uuid = uuid::Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().to_string() == text).then(|| uuid.into_bytes().to_vec())
}

/// Bytes are written as base64 in JSON, the standard alphabet with padding; the decoder takes no other spelling.
fn fit_bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests;
