//! JSONTestSuite: what must be accepted lands, what must be refused is a reject with its bytes, and where the standard leaves
//! it open, the answer is the one written here.

use arrow::array::AsArray;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hosu_collect::json::{Decoder, Place, Pushed};
use hosu_table::json::{Inference, Limits, parse};
use hosu_table::rejects::{RESCUED_DATA, with_rescued_data};
use iceberg::spec::Schema;
use serde_json::Value;

/// Left open by the standard and refused here: what is no UTF-8, and nesting beyond the limit.
const OPEN_AND_REFUSED: [&str; 14] = [
    "i_string_UTF-16LE_with_BOM",
    "i_string_UTF-8_invalid_sequence",
    "i_string_UTF8_surrogate_U+D800",
    "i_string_invalid_utf-8",
    "i_string_iso_latin_1",
    "i_string_lone_utf8_continuation_byte",
    "i_string_not_in_unicode_range",
    "i_string_overlong_sequence_2_bytes",
    "i_string_overlong_sequence_6_bytes",
    "i_string_overlong_sequence_6_bytes_null",
    "i_string_truncated-utf-8",
    "i_string_utf16BE_no_BOM",
    "i_string_utf16LE_no_BOM",
    "i_structure_500_nested_arrays",
];

/// Open too: a byte order mark is a part of a source, and not of a value.
const BYTE_ORDER_MARK: &str = "i_structure_UTF-8_BOM_empty_object";

fn cases() -> Vec<(String, Vec<u8>)> {
    let text = include_str!("json_test_suite.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut cases: Vec<(String, Vec<u8>)> = lines
        .map(|line| {
            let (name, bytes) = line.split_once(' ').expect("a name and bytes");
            (name.to_owned(), BASE64_STANDARD.decode(bytes).expect("base64"))
        })
        .collect();
    cases.push(("n_structure_100000_opening_arrays".to_owned(), b"[".repeat(100_000)));
    cases.push((
        "n_structure_open_array_object".to_owned(),
        [b"[{\"\":".repeat(50_000), b"\n".to_vec()].concat(),
    ));
    assert_eq!(cases.len(), 318);
    cases
}

fn must_land(name: &str) -> bool {
    let is_open = name.starts_with("i_");
    name.starts_with("y_") || (is_open && !OPEN_AND_REFUSED.contains(&name) && name != BYTE_ORDER_MARK)
}

/// What a table for this record makes of it: the row's value and what was rescued, or the reason why it is none.
fn land(record: &[u8]) -> Result<(Value, Option<String>), String> {
    let mut inference = Inference::new(Limits::default());
    if let Ok(value) = parse(record) {
        inference.observe(&value);
    }
    let schema: Schema = with_rescued_data(&inference.schema().expect("a schema")).expect("a schema");
    let mut decoder = Decoder::new(&schema).expect("a decoder");
    let pushed = decoder.push(record, Place::default()).expect("room");
    let decoded = decoder.finish().expect("a batch");
    if pushed != Pushed::Row {
        let [reject] = &decoded.rejects[..] else { panic!("{pushed:?} and {:?}", decoded.rejects) };
        assert_eq!((reject.record.as_slice(), decoded.batch.num_rows()), (record, 0));
        return Err(reject.reason.clone());
    }
    assert_eq!((decoded.batch.num_rows(), decoded.rejects.len()), (1, 0));
    let rescued = decoded.batch.column_by_name(RESCUED_DATA).expect("the column").as_string::<i32>().clone();
    let rescued = rescued.iter().next().flatten().map(str::to_owned);
    let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
    writer.write(&decoded.batch).expect("JSON");
    writer.finish().expect("JSON");
    Ok((serde_json::from_slice(&writer.into_inner()).expect("JSON"), rescued))
}

#[test]
fn each_case_as_the_value_of_a_field() {
    for (name, case) in cases() {
        let record = [b"{\"v\":".as_slice(), &case, b"}"].concat();
        match (must_land(&name), land(&record)) {
            (true, Ok((row, rescued))) => {
                // Whatever the type of the value, it is in its column or word for word among what was rescued.
                let is_there = row.get("v").is_some() || rescued.is_some() || is_nothing(&case);
                assert!(is_there, "{name}: {row} {rescued:?}");
            }
            (false, Err(reason)) => assert!(reason.starts_with("not JSON: "), "{name}: {reason}"),
            (must_land, landed) => panic!("{name} should land: {must_land}, but: {landed:?}"),
        }
    }
}

/// What lands as null: nothing is lost of it.
fn is_nothing(case: &[u8]) -> bool {
    case.trim_ascii() == b"null"
}

#[test]
fn each_case_as_a_line() {
    let mut rows = 0;
    for (name, case) in cases() {
        let is_object = case.trim_ascii_start().starts_with(b"{");
        let is_blank = case.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        if is_blank {
            assert!(name.starts_with("n_"), "{name}");
            continue;
        }
        let landed = land(&case);
        assert_eq!(landed.is_ok(), must_land(&name) && is_object, "{name}: {landed:?}");
        rows += usize::from(landed.is_ok());
    }
    assert!(rows > 10, "{rows} of the cases are objects");
}

#[test]
fn values_are_those_of_another_parser() {
    let mut compared = 0;
    for (name, case) in cases().into_iter().filter(|(name, _)| name.starts_with("y_")) {
        let record = [b"{\"v\":".as_slice(), &case, b"}"].concat();
        let expected: Value = serde_json::from_slice(&record).expect("JSON");
        let (row, rescued) = land(&record).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        if rescued.is_none() && !is_nothing(&case) {
            assert!(same(row.get("v"), expected.get("v")), "{name}: {row} and {expected}");
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} were compared");
}

/// Whether two values are equal, numbers by what they are and absent fields as null.
fn same(ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    match (ours.unwrap_or(&Value::Null), theirs.unwrap_or(&Value::Null)) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.keys().chain(b.keys()).all(|key| same(a.get(key), b.get(key)))
        }
        (a, b) => a == b,
    }
}
