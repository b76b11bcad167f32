//! One value of an array, whatever Arrow's layout of it: three encodings, one reading.

use super::time::{Instant, Interval};
use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::*;

/// A value.
pub(super) enum Cell<'a> {
    Null,
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Real(f32),
    Double(f64),
    Decimal(String),
    /// Days since 1970.
    Date(i64),
    /// Within a day.
    Time(Instant),
    Timestamp(Instant, Option<&'a str>),
    Interval(Interval),
    Text(&'a str),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
    List(ArrayRef),
    Row(&'a StructArray, usize),
    /// Two columns: keys and values.
    Map(StructArray),
    /// In Arrow's own words.
    Other(String),
}

const DAY_MS: i64 = 86_400_000;

/// The value at a row. A row that is not there is NULL.
pub(super) fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if row >= array.len() || array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Cell::Bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Cell::Bytes(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => {
            let bytes = array.as_fixed_size_binary().value(row);
            bytes.try_into().map_or(Cell::Bytes(bytes), Cell::Uuid)
        }
        DataType::Date32 => Cell::Date(i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => Cell::Date(array.as_primitive::<Date64Type>().value(row).div_euclid(DAY_MS)),
        DataType::Time32(_) | DataType::Time64(_) | DataType::Timestamp(..) => time(array, row),
        DataType::Interval(_) | DataType::Duration(_) => interval(array, row),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => list(array, row),
        DataType::Struct(_) => Cell::Row(array.as_struct(), row),
        DataType::Map(..) => Cell::Map(array.as_map().value(row)),
        DataType::Dictionary(..) => dictionary(array, row),
        _ => number(array, row).unwrap_or_else(|| other(array, row)),
    }
}

fn number(array: &dyn Array, row: usize) -> Option<Cell<'_>> {
    Some(match array.data_type() {
        DataType::Int8 => Cell::Signed(i64::from(array.as_primitive::<Int8Type>().value(row))),
        DataType::Int16 => Cell::Signed(i64::from(array.as_primitive::<Int16Type>().value(row))),
        DataType::Int32 => Cell::Signed(i64::from(array.as_primitive::<Int32Type>().value(row))),
        DataType::Int64 => Cell::Signed(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Cell::Unsigned(u64::from(array.as_primitive::<UInt8Type>().value(row))),
        DataType::UInt16 => Cell::Unsigned(u64::from(array.as_primitive::<UInt16Type>().value(row))),
        DataType::UInt32 => Cell::Unsigned(u64::from(array.as_primitive::<UInt32Type>().value(row))),
        DataType::UInt64 => Cell::Unsigned(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float16 => Cell::Real(array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => Cell::Real(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(..) => Cell::Decimal(array.as_primitive::<Decimal32Type>().value_as_string(row)),
        DataType::Decimal64(..) => Cell::Decimal(array.as_primitive::<Decimal64Type>().value_as_string(row)),
        DataType::Decimal128(..) => {
            Cell::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Decimal256(..) => {
            Cell::Decimal(array.as_primitive::<Decimal256Type>().value_as_string(row))
        }
        _ => return None,
    })
}

fn time(array: &dyn Array, row: usize) -> Cell<'_> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.as_deref(),
        _ => None,
    };
    let timestamp = |value, unit| Cell::Timestamp(Instant::new(value, unit), zone);
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            let value = array.as_primitive::<Time32SecondType>().value(row);
            Cell::Time(Instant::new(i64::from(value), TimeUnit::Second))
        }
        DataType::Time32(_) => {
            let value = array.as_primitive::<Time32MillisecondType>().value(row);
            Cell::Time(Instant::new(i64::from(value), TimeUnit::Millisecond))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let value = array.as_primitive::<Time64MicrosecondType>().value(row);
            Cell::Time(Instant::new(value, TimeUnit::Microsecond))
        }
        DataType::Time64(_) => {
            let value = array.as_primitive::<Time64NanosecondType>().value(row);
            Cell::Time(Instant::new(value, TimeUnit::Nanosecond))
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            timestamp(array.as_primitive::<TimestampSecondType>().value(row), TimeUnit::Second)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            timestamp(array.as_primitive::<TimestampMillisecondType>().value(row), TimeUnit::Millisecond)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), TimeUnit::Microsecond)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            timestamp(array.as_primitive::<TimestampNanosecondType>().value(row), TimeUnit::Nanosecond)
        }
        _ => other(array, row),
    }
}

fn interval(array: &dyn Array, row: usize) -> Cell<'_> {
    let nanos = |value: i64, each: i128| Interval { nanos: i128::from(value) * each, ..Interval::default() };
    Cell::Interval(match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>().value(row);
            Interval { months: i64::from(months), of_months: true, ..Interval::default() }
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let value = array.as_primitive::<IntervalDayTimeType>().value(row);
            Interval { days: i64::from(value.days), ..nanos(i64::from(value.milliseconds), 1_000_000) }
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let (months, days) = (i64::from(value.months), i64::from(value.days));
            Interval { months, days, ..nanos(value.nanoseconds, 1) }
        }
        DataType::Duration(TimeUnit::Second) => {
            nanos(array.as_primitive::<DurationSecondType>().value(row), 1_000_000_000)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            nanos(array.as_primitive::<DurationMillisecondType>().value(row), 1_000_000)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            nanos(array.as_primitive::<DurationMicrosecondType>().value(row), 1_000)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            nanos(array.as_primitive::<DurationNanosecondType>().value(row), 1)
        }
        _ => return other(array, row),
    })
}

fn list(array: &dyn Array, row: usize) -> Cell<'_> {
    Cell::List(match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        DataType::ListView(_) => array.as_list_view::<i32>().value(row),
        DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
        _ => return other(array, row),
    })
}

fn dictionary(array: &dyn Array, row: usize) -> Cell<'_> {
    let dictionary = array.as_any_dictionary();
    let index = match cell(dictionary.keys(), row) {
        Cell::Signed(key) => usize::try_from(key).ok(),
        Cell::Unsigned(key) => usize::try_from(key).ok(),
        _ => None,
    };
    index.map_or(Cell::Null, |index| cell(dictionary.values().as_ref(), index))
}

/// Layouts that no table has and hardly an expression makes: unions and run lengths.
fn other(array: &dyn Array, row: usize) -> Cell<'_> {
    Cell::Other(arrow::util::display::array_value_to_string(array, row).unwrap_or_default())
}
