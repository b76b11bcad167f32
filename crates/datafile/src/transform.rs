//! Partition and sort transforms over whole arrays, and single values of their results.
//!
//! Those of time and of whole numbers are done here and not by the spec crate: its `day` and `hour` are one off for
//! some instants before 1970, `year` and `month` need a database of time zones for UTC, `truncate` overflows next to
//! the least number, and nanoseconds are cut towards zero. Iceberg rounds down, everywhere.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, PrimitiveArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use hosu_table::calendar::civil;
use iceberg::spec::{PrimitiveLiteral, Transform};
use iceberg::transform::create_transform_function;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
const NANOS_PER_MICRO: i64 = 1_000;

/// Transforms every value; null stays null. `Err` says what stands against it.
pub(crate) fn apply(transform: Transform, values: &ArrayRef) -> Result<ArrayRef, String> {
    match (transform, values.data_type()) {
        (Transform::Identity, _) => Ok(values.clone()),
        (Transform::Year, _) => int(&days(values)?, |day| civil(day).0 - 1970),
        (Transform::Month, _) => int(&days(values)?, |day| {
            let (year, month, _) = civil(day);
            (year - 1970) * 12 + month - 1
        }),
        (Transform::Day, _) => {
            let narrow = |day: i64| i32::try_from(day).map_err(|_| beyond(day));
            let days: Date32Array = days(values)?.try_unary(narrow)?;
            Ok(Arc::new(days))
        }
        (Transform::Hour, _) => int(&micros(values)?, |micros| micros.div_euclid(MICROS_PER_HOUR)),
        (Transform::Truncate(width), DataType::Int32) => {
            let width = i32::try_from(width).map_err(|_| beyond(width))?;
            let cut = |value: i32| value.wrapping_sub(value.rem_euclid(width));
            non_zero(width.into()).map(|()| unary::<Int32Type>(values, cut))
        }
        (Transform::Truncate(width), DataType::Int64) => {
            let width = i64::from(width);
            let cut = |value: i64| value.wrapping_sub(value.rem_euclid(width));
            non_zero(width).map(|()| unary::<Int64Type>(values, cut))
        }
        (Transform::Truncate(width) | Transform::Bucket(width), _) => {
            non_zero(width.into())?;
            let values = match values.data_type() {
                DataType::Timestamp(TimeUnit::Nanosecond, _) => Arc::new(timestamps(micros(values)?)),
                _ => values.clone(),
            };
            let function = create_transform_function(&transform).map_err(|error| error.to_string())?;
            function.transform(values).map_err(|error| error.to_string())
        }
        (Transform::Void | Transform::Unknown, _) => Err(format!("rows cannot be arranged by `{transform}`")),
    }
}

/// The value at `row` of what [`apply`] returned; none if it is null.
pub(crate) fn literal_at(values: &ArrayRef, row: usize) -> Result<Option<PrimitiveLiteral>, String> {
    if values.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match values.data_type() {
        DataType::Boolean => PrimitiveLiteral::Boolean(values.as_boolean().value(row)),
        DataType::Int32 => PrimitiveLiteral::Int(values.as_primitive::<Int32Type>().value(row)),
        DataType::Date32 => PrimitiveLiteral::Int(values.as_primitive::<Date32Type>().value(row)),
        DataType::Int64 => PrimitiveLiteral::Long(values.as_primitive::<Int64Type>().value(row)),
        DataType::Time64(TimeUnit::Microsecond) => {
            PrimitiveLiteral::Long(values.as_primitive::<Time64MicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            PrimitiveLiteral::Long(values.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            PrimitiveLiteral::Long(values.as_primitive::<TimestampNanosecondType>().value(row))
        }
        DataType::Float32 => PrimitiveLiteral::Float(values.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => PrimitiveLiteral::Double(values.as_primitive::<Float64Type>().value(row).into()),
        DataType::Decimal128(_, _) => {
            PrimitiveLiteral::Int128(values.as_primitive::<Decimal128Type>().value(row))
        }
        DataType::Utf8 => PrimitiveLiteral::String(values.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => PrimitiveLiteral::Binary(values.as_binary::<i32>().value(row).to_vec()),
        DataType::FixedSizeBinary(16) => fixed_16(values.as_fixed_size_binary().value(row)),
        DataType::FixedSizeBinary(_) => {
            PrimitiveLiteral::Binary(values.as_fixed_size_binary().value(row).to_vec())
        }
        other => return Err(format!("{other} is no type of a partition's value")),
    }))
}

/// A UUID; what is a `fixed(16)` is told apart by the caller, who knows the column's type.
fn fixed_16(bytes: &[u8]) -> PrimitiveLiteral {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => PrimitiveLiteral::UInt128(u128::from_be_bytes(bytes)),
        Err(_) => PrimitiveLiteral::Binary(bytes.to_vec()),
    }
}

fn int(values: &PrimitiveArray<Int64Type>, of: impl Fn(i64) -> i64) -> Result<ArrayRef, String> {
    let narrow = |value: i64| i32::try_from(of(value)).map_err(|_| beyond(value));
    let values: Int32Array = values.try_unary(narrow)?;
    Ok(Arc::new(values))
}

fn unary<T: ArrowPrimitiveType>(values: &ArrayRef, of: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    let values: PrimitiveArray<T> = values.as_primitive::<T>().unary(of);
    Arc::new(values)
}

/// Days since 1970 of dates and timestamps.
fn days(values: &ArrayRef) -> Result<PrimitiveArray<Int64Type>, String> {
    match values.data_type() {
        DataType::Date32 => Ok(values.as_primitive::<Date32Type>().unary(i64::from)),
        _ => Ok(micros(values)?.unary(|micros| micros.div_euclid(MICROS_PER_DAY))),
    }
}

/// Microseconds since 1970 of timestamps.
fn micros(values: &ArrayRef) -> Result<PrimitiveArray<Int64Type>, String> {
    match values.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Ok(values.as_primitive::<TimestampMicrosecondType>().unary(|micros| micros))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let nanos = values.as_primitive::<TimestampNanosecondType>();
            Ok(nanos.unary(|nanos| nanos.div_euclid(NANOS_PER_MICRO)))
        }
        other => Err(format!("{other} is no type of time")),
    }
}

fn timestamps(micros: PrimitiveArray<Int64Type>) -> TimestampMicrosecondArray {
    micros.unary(|micros| micros)
}

fn non_zero(width: i64) -> Result<(), String> {
    if width == 0 { Err("its width is 0".to_owned()) } else { Ok(()) }
}

fn beyond(value: impl std::fmt::Display) -> String {
    format!("{value} is beyond what can be transformed")
}

#[cfg(test)]
mod tests;
