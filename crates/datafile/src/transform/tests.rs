use arrow::array::{
    BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampNanosecondArray,
};
use iceberg::spec::Datum;
use proptest::prelude::*;

use super::*;

fn all(transform: Transform, values: ArrayRef) -> Vec<Option<PrimitiveLiteral>> {
    let transformed = apply(transform, &values).unwrap();
    assert_eq!(transformed.len(), values.len());
    (0..transformed.len()).map(|row| literal_at(&transformed, row).unwrap()).collect()
}

/// What the spec crate says of single values.
fn literal(transform: Transform, value: &Datum) -> Option<PrimitiveLiteral> {
    let function = create_transform_function(&transform).unwrap();
    function.transform_literal(value).unwrap().map(|datum| datum.literal().clone())
}

fn agree(transform: Transform, values: ArrayRef, data: &[Datum]) {
    let found = all(transform, values);
    let (last, found) = found.split_last().unwrap();
    assert_eq!(last, &None, "{transform} of null");
    for (found, datum) in found.iter().zip(data) {
        assert_eq!(found, &literal(transform, datum), "{transform} of {datum}");
    }
}

const INSTANTS: [i64; 10] = [
    0,
    1,
    -1,
    1_750_000_000_123_456,
    -86_400_000_000,
    -86_400_000_001,
    951_782_400_000_000,
    -62_135_596_800_000_000,
    253_402_300_799_999_999,
    -3_600_000_000,
];

fn with_null<T: Clone>(values: &[T]) -> Vec<Option<T>> {
    values.iter().cloned().map(Some).chain([None]).collect()
}

#[test]
fn instants_agree_with_the_spec_crate() {
    let times = [Transform::Year, Transform::Month, Transform::Day, Transform::Hour];
    for transform in times.into_iter().chain([Transform::Bucket(16), Transform::Identity]) {
        let plain = TimestampMicrosecondArray::from(with_null(&INSTANTS));
        let zoned = plain.clone().with_timezone("UTC");
        let (of_plain, of_zoned): (Vec<Datum>, Vec<Datum>) =
            INSTANTS.iter().map(|i| (Datum::timestamp_micros(*i), Datum::timestamptz_micros(*i))).unzip();
        agree(transform, Arc::new(plain), &of_plain);
        agree(transform, Arc::new(zoned), &of_zoned);
    }
}

#[test]
fn dates_agree_with_the_spec_crate() {
    let days = [0, 1, -1, 11_016, 20_000, -719_162, 2_932_896];
    let data: Vec<Datum> = days.iter().map(|day| Datum::date(*day)).collect();
    let times = [Transform::Year, Transform::Month, Transform::Day];
    for transform in times.into_iter().chain([Transform::Bucket(7), Transform::Identity]) {
        agree(transform, Arc::new(Date32Array::from(with_null(&days))), &data);
    }
}

#[test]
fn numbers_texts_and_bytes_agree_with_the_spec_crate() {
    let ints = [0, 34, -1, i32::MAX, -10];
    let data: Vec<Datum> = ints.iter().map(|n| Datum::int(*n)).collect();
    let longs = [0, 34, -1, i64::MAX, -10];
    let long_data: Vec<Datum> = longs.iter().map(|n| Datum::long(*n)).collect();
    let texts = ["", "iceberg", "호수호수호수", "a"];
    let text_data: Vec<Datum> = texts.iter().map(Datum::string).collect();
    for transform in [Transform::Bucket(16), Transform::Truncate(10), Transform::Truncate(3)] {
        agree(transform, Arc::new(Int32Array::from(with_null(&ints))), &data);
        agree(transform, Arc::new(Int64Array::from(with_null(&longs))), &long_data);
        agree(transform, Arc::new(StringArray::from(with_null(&texts))), &text_data);
    }
    let micros = [0, 1, 86_399_999_999];
    let data: Vec<Datum> = micros.iter().map(|n| Datum::time_micros(*n).unwrap()).collect();
    agree(Transform::Bucket(16), Arc::new(Time64MicrosecondArray::from(with_null(&micros))), &data);
    let bytes: [&[u8]; 3] = [b"", b"\x00\xff", b"12345678"];
    let data: Vec<Datum> = bytes.iter().map(|b| Datum::binary(b.iter().copied())).collect();
    agree(Transform::Bucket(16), Arc::new(BinaryArray::from(with_null(&bytes))), &data);
    let uuid = crate::tests::some_uuid();
    let uuids = [Some(uuid.as_bytes().as_slice()), None].into_iter();
    let uuids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap();
    agree(Transform::Bucket(16), Arc::new(uuids.clone()), &[Datum::uuid(uuid)]);
    agree(Transform::Identity, Arc::new(uuids), &[Datum::uuid(uuid)]);
    agree(Transform::Identity, Arc::new(BooleanArray::from(with_null(&[true]))), &[Datum::bool(true)]);
}

#[test]
fn decimals_are_cut_by_their_digits() {
    let decimals = Decimal128Array::from(vec![Some(1_065), Some(-1), None]);
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(9, 2).unwrap());
    let cut = all(Transform::Truncate(50), decimals.clone());
    assert_eq!(cut, [Some(PrimitiveLiteral::Int128(1_050)), Some(PrimitiveLiteral::Int128(-50)), None]);
    let data = [Datum::decimal_from_str("10.65").unwrap(), Datum::decimal_from_str("-0.01").unwrap()];
    agree(Transform::Bucket(16), decimals, &data);
}

/// Where the spec crate is wrong, by Iceberg's specification: everything is rounded down.
#[test]
fn instants_before_1970_are_rounded_down() {
    let last_second =
        Arc::new(TimestampMicrosecondArray::from(vec![-86_400_500_000, -500_000, -3_600_500_000]));
    let days = all(Transform::Day, last_second.clone());
    assert_eq!(days, [-2, -1, -1].map(|day| Some(PrimitiveLiteral::Int(day))));
    let hours = all(Transform::Hour, last_second);
    assert_eq!(hours, [-25, -1, -2].map(|hour| Some(PrimitiveLiteral::Int(hour))));
    let nanos = Arc::new(TimestampNanosecondArray::from(vec![-1]));
    let micros = Arc::new(TimestampMicrosecondArray::from(vec![-1]));
    assert_eq!(all(Transform::Bucket(1 << 20), nanos), all(Transform::Bucket(1 << 20), micros));
}

#[test]
fn extremes_are_no_panic() {
    let least: ArrayRef = Arc::new(Int32Array::from(vec![i32::MIN]));
    assert_eq!(all(Transform::Truncate(10), least), [Some(PrimitiveLiteral::Int(i32::MAX - 1))]);
    let least: ArrayRef = Arc::new(Int64Array::from(vec![i64::MIN]));
    assert!(apply(Transform::Truncate(10), &least).is_ok());
    let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![i64::MIN, i64::MAX]));
    for transform in [Transform::Year, Transform::Month, Transform::Day] {
        assert!(apply(transform, &instants).is_ok(), "{transform}");
    }
    assert!(apply(Transform::Hour, &instants).is_err());
    assert!(apply(Transform::Truncate(0), &least).is_err());
    assert!(apply(Transform::Bucket(0), &least).is_err());
    assert!(apply(Transform::Void, &least).is_err());
}

proptest! {
    #[test]
    fn the_calendar_is_that_of_chrono(day in -700_000_i32..2_900_000) {
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![day]));
        let date = Date32Type::to_naive_date_opt(day).unwrap().format("%Y %m").to_string();
        let (year, month) = date.split_once(' ').unwrap();
        let (year, month): (i32, i32) = (year.parse().unwrap(), month.parse().unwrap());
        prop_assert_eq!(all(Transform::Year, dates.clone()), [Some(PrimitiveLiteral::Int(year - 1970))]);
        let months = (year - 1970) * 12 + month - 1;
        prop_assert_eq!(all(Transform::Month, dates), [Some(PrimitiveLiteral::Int(months))]);
    }
}
