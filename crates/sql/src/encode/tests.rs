use super::{Json, natural_json, text_cell, trino_json};
use arrow::array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow::array::*;
use arrow::datatypes::*;
use std::sync::Arc;

fn trino(array: impl Array) -> Vec<String> {
    (0..array.len()).map(|row| trino_json(&array, row).to_string()).collect()
}

fn natural(array: impl Array) -> Vec<String> {
    (0..array.len()).map(|row| natural_json(&array, row).to_string()).collect()
}

fn texts(array: impl Array) -> Vec<String> {
    (0..array.len()).map(|row| text_cell(&array, row).unwrap_or_else(|| "NULL".to_owned())).collect()
}

#[test]
fn numbers_are_numbers_and_what_json_lacks_is_text() {
    let doubles = vec![Some(1.0), Some(f64::NAN), Some(f64::NEG_INFINITY), Some(1e300), None, Some(-0.0)];
    let expected = ["1.0", "\"NaN\"", "\"-Infinity\"", "1e+300", "null", "-0.0"];
    let found = trino(Float64Array::from(doubles.clone()));
    for (found, expected) in found.iter().zip(expected) {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(found), value(expected));
    }
    assert_eq!(texts(Float64Array::from(doubles)), ["1.0", "NaN", "-Infinity", "1e300", "NULL", "-0.0"]);
    assert_eq!(trino(Float32Array::from(vec![0.1, 1.5])), ["0.1", "1.5"]);
    assert_eq!(texts(Float32Array::from(vec![0.1])), ["0.1"]);
    assert_eq!(trino(Int8Array::from(vec![-1])), ["-1"]);
    assert_eq!(trino(UInt64Array::from(vec![u64::MAX])), ["18446744073709551615"]);
    assert_eq!(trino(NullArray::new(1)), ["null"]);
}

#[test]
fn decimals_keep_their_digits() {
    let decimals = Decimal128Array::from(vec![100, -5, 0]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(trino(decimals.clone()), ["\"1.00\"", "\"-0.05\"", "\"0.00\""]);
    assert_eq!(texts(decimals), ["1.00", "-0.05", "0.00"]);
}

#[test]
fn times_are_trinos_for_trino_and_iso_for_all_others() {
    let zoned = TimestampMicrosecondArray::from(vec![1_769_860_800_000_000, -1]).with_timezone("UTC");
    assert_eq!(
        trino(zoned.clone()),
        ["\"2026-01-31 12:00:00.000000 UTC\"", "\"1969-12-31 23:59:59.999999 UTC\""]
    );
    assert_eq!(texts(zoned.clone()), ["2026-01-31T12:00:00Z", "1969-12-31T23:59:59.999999Z"]);
    assert_eq!(natural(zoned)[0], "\"2026-01-31T12:00:00Z\"");
    let plain = TimestampMillisecondArray::from(vec![1_769_860_800_120]);
    assert_eq!(trino(plain.clone()), ["\"2026-01-31 12:00:00.120\""]);
    assert_eq!(texts(plain), ["2026-01-31T12:00:00.120"]);
    let times = Time64MicrosecondArray::from(vec![11_045_123_456]);
    assert_eq!(trino(times.clone()), ["\"03:04:05.123456\""]);
    assert_eq!(texts(times), ["03:04:05.123456"]);
    let dates = Date32Array::from(vec![0, -1, 19_782, -719_529, 3_789_745]);
    assert_eq!(texts(dates.clone())[..3], ["1970-01-01", "1969-12-31", "2024-02-29"]);
    assert_eq!(trino(dates.clone())[3..], ["\"-0001-12-31\"", "\"12345-12-21\""]);
    assert_eq!(texts(dates)[3..], ["-0001-12-31", "+12345-12-21"]);
}

#[test]
fn times_of_other_zones_are_shown_in_them() {
    let seoul = TimestampSecondArray::from(vec![1_769_860_800]).with_timezone("Asia/Seoul");
    assert_eq!(trino(seoul.clone()), ["\"2026-01-31 21:00:00 Asia/Seoul\""]);
    assert_eq!(texts(seoul), ["2026-01-31T21:00:00+09:00"]);
    let offset = TimestampSecondArray::from(vec![0]).with_timezone("-03:30");
    assert_eq!(texts(offset), ["1969-12-31T20:30:00-03:30"]);
}

#[test]
fn the_ends_of_time_have_a_text() {
    let ends = TimestampMicrosecondArray::from(vec![i64::MAX, i64::MIN]).with_timezone("UTC");
    assert_eq!(
        trino(ends),
        ["\"294247-01-10 04:00:54.775807 UTC\"", "\"-290308-12-21 19:59:05.224192 UTC\""]
    );
    assert_eq!(texts(Date32Array::from(vec![i32::MAX])), ["+5881580-07-11"]);
}

#[test]
fn intervals_are_trinos() {
    let months = IntervalYearMonthArray::from(vec![14, -12]);
    assert_eq!(texts(months), ["1-2", "-1-0"]);
    let mixed = IntervalMonthDayNanoArray::from(vec![
        IntervalMonthDayNano::new(0, 1, 43_200_000_000_000),
        IntervalMonthDayNano::new(0, 0, -1_000_000_000),
        IntervalMonthDayNano::new(2, 0, 0),
        IntervalMonthDayNano::new(2, 1, 0),
    ]);
    assert_eq!(
        trino(mixed),
        ["\"1 12:00:00.000\"", "\"-0 00:00:01.000\"", "\"0-2\"", "\"0-2 1 00:00:00.000\""]
    );
}

#[test]
fn bytes_are_base64_in_json_and_digits_in_text() {
    let bytes = BinaryArray::from(vec![&b"hi\xff"[..], b""]);
    assert_eq!(trino(bytes.clone()), ["\"aGn/\"", "\"\""]);
    assert_eq!(texts(bytes), ["6869ff", ""]);
    let uuid = FixedSizeBinaryArray::try_from_iter([[0x12_u8; 16]].iter()).unwrap();
    assert_eq!(trino(uuid), ["\"12121212-1212-1212-1212-121212121212\""]);
}

fn nested() -> StructArray {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("x"), None]);
    list.append_null();
    let list = list.finish();
    let numbers = Int64Array::from(vec![Some(1), None]);
    StructArray::from(vec![
        (Arc::new(Field::new("z", DataType::Int64, true)), Arc::new(numbers) as ArrayRef),
        (Arc::new(Field::new("a", list.data_type().clone(), true)), Arc::new(list) as ArrayRef),
    ])
}

#[test]
fn rows_keep_the_order_of_their_fields() {
    assert_eq!(trino(nested()), [r#"[1,["x",null]]"#, "[null,null]"]);
    assert_eq!(natural(nested()), [r#"{"z":1,"a":["x",null]}"#, r#"{"z":null,"a":null}"#]);
    assert_eq!(texts(nested()), ["{z=1, a=[x, null]}", "{z=null, a=null}"]);
}

#[test]
fn maps_are_objects() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("b");
    map.values().append_value(1);
    map.keys().append_value("a");
    map.values().append_null();
    map.append(true).unwrap();
    let map = map.finish();
    assert_eq!(trino(map.clone()), [r#"{"b":1,"a":null}"#]);
    assert_eq!(texts(map), ["{b=1, a=null}"]);
}

#[test]
fn keys_of_maps_are_javas_texts() {
    let mut map = MapBuilder::new(None, Float64Builder::new(), Float32Builder::new());
    for key in [10.0, 1.5, 1e10, 1.5e-7, f64::NAN] {
        map.keys().append_value(key);
        map.values().append_value(1.5);
    }
    map.append(true).unwrap();
    assert_eq!(trino(map.finish()), [r#"{"10.0":1.5,"1.5":1.5,"1.0E10":1.5,"1.5E-7":1.5,"NaN":1.5}"#]);
    let keys: ArrayRef = Arc::new(nested());
    let field = |name: &str, array: &ArrayRef, null| Field::new(name, array.data_type().clone(), null);
    let values: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let fields = Fields::from(vec![field("key", &keys, false), field("value", &values, true)]);
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    let entry = Arc::new(Field::new("key_value", DataType::Struct(fields), false));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([1, 1]);
    let map = MapArray::new(entry, offsets, entries, None, false);
    assert_eq!(trino(map.clone())[0], r#"{"[1, [x, null]]":1}"#);
    assert_eq!(natural(map)[0], r#"{"{z=1, a=[x, null]}":1}"#);
}

#[test]
fn dictionaries_are_their_values() {
    let words: DictionaryArray<Int32Type> = [Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    assert_eq!(texts(words), ["a", "NULL", "b", "a"]);
}

#[test]
fn json_becomes_a_value() {
    let value = serde_json::Value::from(natural_json(&nested(), 0));
    assert_eq!(value, serde_json::json!({"a": ["x", null], "z": 1}));
    assert_eq!(Json::Null.to_string(), "null");
}
