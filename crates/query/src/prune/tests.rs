use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use iceberg::spec::{PrimitiveLiteral, PrimitiveType, Transform};

use super::bounds::of_partition;

fn one(
    transform: Transform,
    value: PrimitiveLiteral,
    source: PrimitiveType,
    arrow: &DataType,
) -> (Option<ScalarValue>, Option<ScalarValue>) {
    of_partition(transform, Some(&value), Some(&value), &source, arrow)
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

fn timestamp(micros: i64) -> Option<ScalarValue> {
    Some(ScalarValue::TimestampMicrosecond(Some(micros), None))
}

#[test]
fn a_day_has_its_hours_and_what_old_writers_put_there() {
    let arrow = DataType::Timestamp(TimeUnit::Microsecond, None);
    let day = |day| one(Transform::Day, PrimitiveLiteral::Int(day), PrimitiveType::Timestamp, &arrow);
    assert_eq!(day(2), (timestamp(2 * MICROS_PER_DAY), timestamp(3 * MICROS_PER_DAY - 1)));
    assert_eq!(day(0), (timestamp(-MICROS_PER_DAY), timestamp(MICROS_PER_DAY - 1)));
    let month = one(Transform::Month, PrimitiveLiteral::Int(1), PrimitiveType::Timestamp, &arrow);
    assert_eq!(month, (timestamp(31 * MICROS_PER_DAY), timestamp(59 * MICROS_PER_DAY - 1)));
    let far = one(Transform::Year, PrimitiveLiteral::Int(i32::MAX), PrimitiveType::Timestamp, &arrow);
    assert_eq!(far, (None, None), "what overflows is not known");
}

#[test]
fn a_year_of_dates_is_its_days() {
    let year = one(Transform::Year, PrimitiveLiteral::Int(1), PrimitiveType::Date, &DataType::Date32);
    assert_eq!(year, (Some(ScalarValue::Date32(Some(365))), Some(ScalarValue::Date32(Some(729)))));
}

#[test]
fn what_is_truncated_may_be_longer() {
    let text = |text: &str| {
        let value = PrimitiveLiteral::String(text.to_owned());
        one(Transform::Truncate(2), value, PrimitiveType::String, &DataType::Utf8)
    };
    let utf8 = |text: &str| Some(ScalarValue::Utf8(Some(text.to_owned())));
    assert_eq!(text("ab"), (utf8("ab"), utf8("ac")));
    assert_eq!(text("a"), (utf8("a"), utf8("a")), "a shorter text is whole");
    assert_eq!(text("한\u{10ffff}"), (utf8("한\u{10ffff}"), utf8("핝")));
    assert_eq!(text("\u{10ffff}\u{10ffff}"), (utf8("\u{10ffff}\u{10ffff}"), None));
    let number =
        one(Transform::Truncate(10), PrimitiveLiteral::Int(-10), PrimitiveType::Int, &DataType::Int32);
    assert_eq!(number, (Some(ScalarValue::Int32(Some(-10))), Some(ScalarValue::Int32(Some(-1)))));
}

#[test]
fn what_has_no_place_in_an_order_bounds_nothing() {
    let double = |value: f64| {
        one(
            Transform::Identity,
            PrimitiveLiteral::Double(value.into()),
            PrimitiveType::Double,
            &DataType::Float64,
        )
    };
    assert_eq!(double(f64::NAN), (None, None));
    assert_eq!(double(-0.0), (None, None));
    assert_eq!(double(1.5).0, Some(ScalarValue::Float64(Some(1.5))));
    let bucket = one(Transform::Bucket(4), PrimitiveLiteral::Int(3), PrimitiveType::Long, &DataType::Int64);
    assert_eq!(bucket, (None, None));
}
