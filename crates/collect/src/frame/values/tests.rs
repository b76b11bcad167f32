//! The same records whatever is read at a time, and what is broken costs itself only.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Bounds, Buffers, Content, Given, open};
use super::*;

const BOUNDS: Bounds = Bounds { window_bytes_max: 1 << 20, text_bytes_max: None };

/// The records and the rejects of a text with their places: `offset line text`.
fn taken(
    text: &[u8],
    path: &[&str],
    chunk_bytes: usize,
    record_bytes_max: usize,
) -> (Vec<String>, Vec<String>) {
    let buffers = Buffers::new(chunk_bytes);
    let cutting =
        Cutting { chunk_bytes, line_bytes_max: record_bytes_max, buffers, ending: Ending::default() };
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    let mut values = Values::new(text, 0, path, cutting);
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    while let Some(chunk) = values.next_values().unwrap() {
        assert!(values.buffer.len() <= 3 * chunk_bytes.max(record_bytes_max) + 64, "{}", values.buffer.len());
        records.extend(chunk.lines().map(|line| {
            let at = usize::try_from(line.byte_offset).unwrap();
            assert!(text[at..].starts_with(line.bytes));
            let before = text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
            assert_eq!(line.line_number, before + 1);
            String::from_utf8_lossy(line.bytes).into_owned()
        }));
        rejects.extend(chunk.rejects.iter().map(|reject| {
            let at = usize::try_from(reject.byte_offset).unwrap();
            let before = text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
            assert_eq!(reject.line_number, before + 1, "{reject:?}");
            assert!(text[at..].starts_with(&reject.record), "{reject:?}");
            String::from_utf8_lossy(&reject.record).into_owned()
        }));
    }
    (records, rejects)
}

/// The same at many sizes of chunks.
fn always(text: &[u8], path: &[&str]) -> (Vec<String>, Vec<String>) {
    let at_once = taken(text, path, 1 << 20, 1 << 20);
    for chunk_bytes in [1, 2, 3, 5, 8, 13, 64] {
        assert_eq!(taken(text, path, chunk_bytes, 1 << 20), at_once, "{chunk_bytes}");
    }
    at_once
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn records_stand_in_arrays_and_one_after_another() {
    let records = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (text, expected) in [
        (r#"[{"a":1},{"a":2}]"#, &[r#"{"a":1}"#, r#"{"a":2}"#][..]),
        (
            " [\n  {\"a\": \"]}\"},\r\n  {\"a\": [1, {\"b\": \"\\\"\"}]}\n]\n",
            &["{\"a\": \"]}\"}", "{\"a\": [1, {\"b\": \"\\\"\"}]}"],
        ),
        (r#"{"a":1}{"a":2} {"a":3}"#, &[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]),
        ("{\n \"a\": {\n }\n}\n{\n}\n", &["{\n \"a\": {\n }\n}", "{\n}"]),
        ("[1, \"x,]\", null, -1.5e3, [2], {}]", &["1", "\"x,]\"", "null", "-1.5e3", "[2]", "{}"]),
        ("[]", &[]),
        ("[{}]\n[{}]", &["{}", "{}"]),
        ("", &[]),
    ] {
        assert_eq!(always(text.as_bytes(), &[]), (records(expected), none()), "{text}");
    }
}

#[test]
fn records_stand_in_envelopes_and_what_is_beside_them_is_counted() {
    let text = r#"{"v": {"Records": [{"x":0}]}, "Records": [{"a":1}, {"Records":[2]}], "n": "]}", "e": [[]]}
{"Records":[],"n":1} {"n":2,"Records":[{"a":3}]}"#;
    let (records, rejects) = always(text.as_bytes(), &["Records"]);
    assert_eq!(records, [r#"{"a":1}"#, r#"{"Records":[2]}"#, r#"{"a":3}"#]);
    assert_eq!(rejects, none());
    let deep = r#"{"detail": {"items": [{"a":1}], "x": 1}, "items": [{"b":1}], "y": {"detail": 1}}"#;
    assert_eq!(always(deep.as_bytes(), &["detail", "items"]).0, [r#"{"a":1}"#]);
    let path = vec!["Records".to_owned()];
    let cutting =
        Cutting { chunk_bytes: 7, line_bytes_max: 100, buffers: Buffers::new(0), ending: Ending::default() };
    let mut values = Values::new(text.as_bytes(), 0, path, cutting);
    while values.next_values().unwrap().is_some() {}
    assert_eq!(values.left_out(), [("e".to_owned(), 1), ("n".to_owned(), 3), ("v".to_owned(), 1)]);
}

#[test]
fn an_envelope_without_records_is_a_reject() {
    let text = r#"{"d": {"r": [{"a":1}]}} {"d":{"r":{"a":2}}} {"x": "}", "d": {}}
{"d":{"r":[]}} {"d":null} {"r":[{"a":3}]} {"d":{"r":[{"a":4}],"q":1}}"#;
    let (records, rejects) = always(text.as_bytes(), &["d", "r"]);
    assert_eq!(records, [r#"{"a":1}"#, r#"{"a":4}"#]);
    let without = [r#"{"d":{"r":{"a":2}}}"#, r#"{"x": "}", "d": {}}"#, r#"{"d":null}"#, r#"{"r":[{"a":3}]}"#];
    assert_eq!(rejects, without);
    assert_eq!(always(br#"{"x": [1, 2"#, &["r"]), (none(), vec![r#"{"x": [1, 2"#.to_owned()]));
    let broken = always(b"{\"x\": \"1\n\"}\n{\"r\": [{\"a\":1}]}", &["r"]);
    assert_eq!(broken, (vec![r#"{"a":1}"#.to_owned()], vec!["{\"x\": \"1\n\"}".to_owned()]));
    // What is no JSON is rejected with what stands before it, and nothing twice.
    let garbage = always(b"{\"x\": 1,\n what?\n\"y\": 2} {\"r\": [{\"a\":1}]}", &["r"]);
    let parts = ["{\"x\": 1,\n what?", "\n\"y\": 2}"].map(str::to_owned).to_vec();
    assert_eq!(garbage, (vec![r#"{"a":1}"#.to_owned()], parts));
    // One that is cut off costs nothing of the next ones, with records or without.
    let cut = always(
        b"{\"x\": 1,\n{\"r\":[{\"a\":1}],\"n\":2,\r\n{\"r\":[{\"a\":2}]}\n{\"r\":[{\"a\":3}]}",
        &["r"],
    );
    let records = [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#].map(str::to_owned).to_vec();
    assert_eq!(cut, (records, vec!["{\"x\": 1,".to_owned(), String::new()]));
    let long = format!(r#"{{"x": "{}"}}{{"r":[{{"a":1}}]}}"#, "y".repeat(300));
    let (records, rejects) = taken(long.as_bytes(), &["r"], 16, 100);
    assert_eq!(
        (records.as_slice(), rejects.as_slice()),
        (&[r#"{"a":1}"#.to_owned()][..], &[long[..100].to_owned()][..])
    );
}

#[test]
fn what_is_broken_costs_itself_only() {
    // A text without its end quote, a record without its end, and garbage between records.
    for broken in ["{\"a\": \"x},", "{\"a\": [1, 2,", "{\"a\": {\"b\": 1},"] {
        let text = format!(
            "[\n  {{\"id\": 1}},\n  {broken}\n  {{\"id\": 2, \"in\": [\n    {{\"id\": 0}}\n  ]}},\n  {{\"id\": 3}}\n]\n"
        );
        let (records, rejects) = always(text.as_bytes(), &[]);
        assert_eq!(
            records,
            ["{\"id\": 1}", "{\"id\": 2, \"in\": [\n    {\"id\": 0}\n  ]}", "{\"id\": 3}"],
            "{text}"
        );
        assert_eq!(rejects, [broken], "{text}");
    }
    let (records, rejects) = always(b"{\"id\": 1}\ngarbage {\n{\"id\": 2}}\n{\"id\": 3}\n", &[]);
    assert_eq!(records, ["{\"id\": 1}", "{\"id\": 2}", "{\"id\": 3}"]);
    assert_eq!(rejects, ["garbage {", "}"]);
    // Envelopes of a line each.
    let text = b"{\"Records\":[{\"id\":1},{\"id\":2\n{\"Records\":[{\"id\":3}]}\n";
    let (records, rejects) = always(text, &["Records"]);
    assert_eq!(
        (records, rejects),
        (vec!["{\"id\":1}".to_owned(), "{\"id\":3}".to_owned()], vec!["{\"id\":2".to_owned()])
    );
}

#[test]
fn a_text_that_ends_too_early_is_said() {
    let (records, rejects) = always(b"[{\"id\":1},{\"id\":2", &[]);
    assert_eq!(
        (records, rejects),
        (vec!["{\"id\":1}".to_owned()], vec!["{\"id\":2".to_owned(), String::new()])
    );
    let (records, rejects) = always(b"[{\"id\":1}", &[]);
    assert_eq!((records, rejects), (vec!["{\"id\":1}".to_owned()], vec![String::new()]));
    assert_eq!(always(b"{\"id\":1}{\"id\"", &[]).1, ["{\"id\""]);
}

#[test]
fn a_record_that_is_too_long_keeps_its_head_and_the_next_ones_are_found() {
    let long = "x".repeat(500);
    let text = format!("[{{\"a\":1}},{{\"a\":\"{long}\"}},{{\"a\":2}}]");
    for chunk_bytes in [1, 7, 64, 1000] {
        let (records, rejects) = taken(text.as_bytes(), &[], chunk_bytes, 100);
        assert_eq!(records, ["{\"a\":1}", "{\"a\":2}"], "{chunk_bytes}");
        assert_eq!(rejects, [format!("{{\"a\":\"{}", &long[..94])], "{chunk_bytes}");
    }
    let lines = format!("[\n{{\"a\":1}},\n{{\"a\":\n\"{long}\"}},\n{{\"a\":2}}]");
    let (records, rejects) = taken(lines.as_bytes(), &[], 16, 100);
    assert_eq!((records, rejects.len()), (vec!["{\"a\":1}".to_owned(), "{\"a\":2}".to_owned()], 1));
}

#[test]
fn a_record_without_an_end_costs_no_more_than_itself_however_long_it_is() {
    let long = "x".repeat(200);
    let broken = format!("[\n{{\"a\":\"{long}\"],\n{{\"a\":2}}]");
    let within = format!("[\n{{\"a\":\"{long}\n{{\"a\":2}}]");
    let before = format!("[\n{{\"b\":1,\n{{\"a\":2}},\n{{\"a\":3,\"b\":\"{long}\"}},\n{{\"a\":4}}]");
    let ended = format!("[\n{{\"a\":\"{long}\"}},\n{{\"a\":2}}]");
    for (text, records_of, rejects_of) in
        [(broken, &["2"][..], 1), (within, &["2"], 1), (before, &["2", "4"], 2), (ended, &["2"], 1)]
    {
        for chunk_bytes in [1, 7, 64, 1000] {
            let (records, rejects) = taken(text.as_bytes(), &[], chunk_bytes, 100);
            let expected: Vec<_> = records_of.iter().map(|id| format!("{{\"a\":{id}}}")).collect();
            assert_eq!((records, rejects.len()), (expected, rejects_of), "{chunk_bytes} of {text}");
        }
    }
}

#[test]
fn a_broken_text_beside_the_records_is_said() {
    let text =
        b"{\"Records\":[{\"id\":1}],\"n\":\"x\n,\"Records\":[{\"id\":2}]}\n{\"Records\":[{\"id\":3}]}\n";
    let (records, rejects) = always(text, &["Records"]);
    assert_eq!(records, ["{\"id\":1}", "{\"id\":3}"]);
    assert_eq!(rejects, ["\n,\"Records\":[{\"id\":2}]}"]);
}

#[test]
fn the_beginning_says_how_records_stand() {
    let content = |text: &str| {
        let framed = open(io::Cursor::new(text.as_bytes().to_vec()), &Given::default(), 64, BOUNDS).unwrap();
        (framed.content, framed.records_path.join("."))
    };
    for text in [
        "{\"a\":1}\n{\"a\":2}\n",
        "{\"a\":1}",
        "{\"a\":1\n{\"a\":2}\n",
        "{\"a\":\n{\"a\":2}\n{\"a\":3}\n",
        "{\"a\":\"x\n{\"a\":2}\n",
        "{\"a\":1} x\n{\"a\":2}\n",
        "[1,2]\n[3]\n",
        "[x\n{\"a\":1}\n",
        "no json\n",
        "{\"Records\":[1]}\n",
        "{\"Records\":2}\n",
        "",
    ] {
        assert_eq!(content(text), (Content::Ndjson, String::new()), "{text}");
    }
    for text in [
        "[{\"a\":1}]",
        " [\n {\n",
        "[]",
        "{\n  \"a\": 1\n}\n",
        "{\"a\":1}{\"a\":2}",
        "{\"a\":1} {\"a\":2}\n",
        "{\n\"a\":",
    ] {
        assert_eq!(content(text), (Content::Json, String::new()), "{text}");
    }
    for text in ["{\"Records\":[{\"eventVersion\":1}]}", "{ \"Records\" : [ ] }", "{\"Records\":[\n  {"] {
        assert_eq!(content(text), (Content::Json, "Records".to_owned()), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\\\\\"{}\\[\\],:\n\u{e9}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[ab\"]{0,2}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn values_come_back_as_they_were(
        values in proptest::collection::vec(value(), 0..8),
        pretty in any::<bool>(),
        chunk_bytes in 1_usize..60,
    ) {
        let objects: Vec<Value> = values.into_iter().map(|value| json!({"v": value})).collect();
        let print = |value: &Value| if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() };
        let one_by_one: Vec<String> = objects.iter().map(print).collect();
        for (text, path) in [
            (print(&json!(objects)), &[][..]),
            (one_by_one.join(""), &[]),
            (one_by_one.join("\n"), &[]),
            (print(&json!({"a": objects, "b": {"a": [1]}, "c": {"r": objects}})), &["c", "r"]),
        ] {
            let (records, rejects) = taken(text.as_bytes(), path, chunk_bytes, 1 << 16);
            prop_assert_eq!(rejects, none());
            let records: Vec<Value> = records.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
            prop_assert_eq!(&records, &objects);
        }
    }

    #[test]
    fn any_bytes_come_to_an_end(text in "[\\[\\]{},:\"\\\\a1 \n]{0,60}", chunk_bytes in 1_usize..20, long in 4_usize..40) {
        for (path, record_bytes_max) in [(&[][..], 1000), (&[], long), (&["a"], long)] {
            let at_once = taken(text.as_bytes(), path, 1000, record_bytes_max);
            prop_assert_eq!(taken(text.as_bytes(), path, chunk_bytes, record_bytes_max), at_once);
        }
    }
}
