//! The source values that a partition value, or a range of them, stands for.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use iceberg::spec::{PrimitiveLiteral, PrimitiveType, Transform};

use crate::values;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const HOURS_PER_DAY: i64 = 24;

/// The least and the greatest value of a column of type `source` whose transform may be any value from `first`
/// to `last`; each none where it is not known.
pub(super) fn of_partition(
    transform: Transform,
    first: Option<&PrimitiveLiteral>,
    last: Option<&PrimitiveLiteral>,
    source: &PrimitiveType,
    arrow: &DataType,
) -> (Option<ScalarValue>, Option<ScalarValue>) {
    match transform {
        Transform::Identity if values::has_sound_bounds(source) => (
            first.filter(|value| is_ordinary(value)).and_then(|value| values::scalar(value, arrow)),
            last.filter(|value| is_ordinary(value)).and_then(|value| values::scalar(value, arrow)),
        ),
        Transform::Year | Transform::Month | Transform::Day | Transform::Hour => (
            first.and_then(as_long).and_then(|unit| start(transform, before_epoch(unit), arrow, 0)),
            last.and_then(as_long).and_then(|unit| start(transform, unit.checked_add(1)?, arrow, 1)),
        ),
        Transform::Truncate(width) => (
            first.and_then(|value| values::scalar(value, arrow)),
            last.and_then(|value| values::scalar(&end_of_truncated(value, width)?, arrow)),
        ),
        _ => (None, None),
    }
}

/// Neither NaN, which has no place in an order, nor a zero, which has two.
fn is_ordinary(value: &PrimitiveLiteral) -> bool {
    match value {
        PrimitiveLiteral::Float(value) => !value.is_nan() && value.0 != 0.0,
        PrimitiveLiteral::Double(value) => !value.is_nan() && value.0 != 0.0,
        _ => true,
    }
}

fn as_long(value: &PrimitiveLiteral) -> Option<i64> {
    match value {
        PrimitiveLiteral::Int(value) => Some(i64::from(*value)),
        PrimitiveLiteral::Long(value) => Some(*value),
        _ => None,
    }
}

/// Old writers rounded times before 1970 up and not down, so such a unit may hold rows of the one before.
fn before_epoch(unit: i64) -> i64 {
    if unit <= 0 { unit.saturating_sub(1) } else { unit }
}

/// The first value of a year, month, day or hour, counted from 1970, less `before` values.
fn start(transform: Transform, unit: i64, arrow: &DataType, before: i64) -> Option<ScalarValue> {
    let hours = match transform {
        Transform::Hour => unit,
        Transform::Day => unit.checked_mul(HOURS_PER_DAY)?,
        Transform::Month => days_of_month(unit)?.checked_mul(HOURS_PER_DAY)?,
        _ => days_of_month(unit.checked_mul(12)?)?.checked_mul(HOURS_PER_DAY)?,
    };
    match arrow {
        DataType::Date32 => {
            let days = i32::try_from(hours.div_euclid(HOURS_PER_DAY) - before).ok()?;
            Some(ScalarValue::Date32(Some(days)))
        }
        DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Nanosecond, _) => {
            let nanos = hours.checked_mul(MICROS_PER_HOUR)?.checked_mul(1000)?;
            values::scalar(&PrimitiveLiteral::Long(nanos.checked_sub(before)?), arrow)
        }
        DataType::Timestamp(_, _) => {
            let micros = hours.checked_mul(MICROS_PER_HOUR)?.checked_sub(before)?;
            values::scalar(&PrimitiveLiteral::Long(micros), arrow)
        }
        _ => None,
    }
}

/// Days from 1970-01-01 to the first of a month, which is counted from January 1970.
fn days_of_month(month: i64) -> Option<i64> {
    let year = i32::try_from(1970 + month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12) + 1).ok()?;
    let day = chrono::NaiveDate::from_ymd_opt(year, month, 1)?;
    Some(day.signed_duration_since(chrono::NaiveDate::default()).num_days())
}

/// The greatest value that is truncated to `value`, or one beyond it.
fn end_of_truncated(value: &PrimitiveLiteral, width: u32) -> Option<PrimitiveLiteral> {
    let wide = i64::from(width);
    match value {
        PrimitiveLiteral::Int(value) => {
            let end = i64::from(*value) + wide - 1;
            Some(PrimitiveLiteral::Int(i32::try_from(end).unwrap_or(i32::MAX)))
        }
        PrimitiveLiteral::Long(value) => {
            Some(PrimitiveLiteral::Long(value.saturating_add(wide).saturating_sub(1)))
        }
        PrimitiveLiteral::Int128(value) => {
            Some(PrimitiveLiteral::Int128(value.checked_add(i128::from(width))?.checked_sub(1)?))
        }
        PrimitiveLiteral::String(text) => {
            let whole = text.chars().count() < usize::try_from(width).ok()?;
            Some(PrimitiveLiteral::String(if whole { text.clone() } else { after_prefix(text)? }))
        }
        PrimitiveLiteral::Binary(bytes) => {
            let whole = bytes.len() < usize::try_from(width).ok()?;
            Some(PrimitiveLiteral::Binary(if whole { bytes.clone() } else { after_bytes(bytes)? }))
        }
        _ => None,
    }
}

/// The least text that is greater than every text with this prefix.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn after_bytes(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = prefix.to_vec();
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            return Some(bytes);
        }
    }
    None
}
