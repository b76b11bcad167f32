//! JSON that is not one record a line, from file to query: arrays, pretty-printed objects, envelopes, and each of them compressed.

use std::io::Write;

use serde_json::json;

use super::Place;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn arrays_and_objects_over_several_lines_are_read() {
    let place = Place::new();
    place.write("array.json", r#"[{"id":1,"tags":["a"]},{"id":2}]"#);
    place.write("pretty.json", "[\n  {\n    \"id\": 3,\n    \"geo\": {\n      \"lat\": 1.5\n    }\n  }\n]\n");
    place.write("objects.json", "{\n  \"id\": 4\n}\n{\n  \"id\": 5\n}\n");
    place.write("side_by_side.json.gz", gzip(r#"{"id":6} {"id":7}"#));
    place.write("lines.json.zst", zstd::encode_all(&b"{\"id\":8}\n{\"id\":9}\n"[..], 1).unwrap());
    let names = ["array.json", "pretty.json", "objects.json", "side_by_side.json.gz", "lines.json.zst"];
    let report = place.ingest(&[&["events"][..], &names].concat());
    assert_eq!(
        (&report["rows"], &report["rejected"], &report["rescued"]),
        (&json!(9), &json!(0), &json!(0)),
        "{report}"
    );
    let formats: Vec<_> =
        report["sources_detail"].as_array().unwrap().iter().map(|source| &source["format"]).collect();
    assert_eq!(formats, ["json", "json", "json", "json", "ndjson"]);
    assert_eq!(
        place.rows("select sum(id), count(distinct id), max(geo.lat) from events"),
        json!([[45, 9, 1.5]])
    );
    assert_eq!(place.ingest(&[&["events"][..], &names].concat())["sources_skipped"], 5);
    place.check_sound();
}

#[test]
fn envelopes_are_opened_and_what_is_beside_the_records_is_told() {
    let place = Place::new();
    place.write("trail.json.gz", gzip(r#"{"Records":[{"eventName":"A"},{"eventName":"B"}]}"#));
    let report = place.ingest(&["trail", "trail.json.gz"]);
    assert_eq!((&report["rows"], &report["sources_detail"][0]["envelope_fields"]), (&json!(2), &json!({})));
    let envelope = r#"{"next":"x","detail":{"total":2,"items":[{"id":1},{"id":2}]}}"#;
    place.write("answers.ndjson", format!("{envelope}\n{envelope}\n"));
    let run = place.hosu(&["ingest", "items", "answers.ndjson", "--records-path", "detail.items"]).ok();
    assert!(run.stdout.contains("4 rows") && run.stdout.contains("next: 2 times"), "{run:?}");
    assert_eq!(place.rows("select sum(id) from items"), json!([[6]]));
    // Without the path each line is a record.
    assert_eq!(place.ingest(&["whole", "answers.ndjson"])["rows"], 2);
    place
        .hosu(&["--output", "json", "ingest", "items", "answers.ndjson", "--records-path", "a..b"])
        .fails(2, "USAGE", "a..b");
    place
        .hosu(&[
            "--output",
            "json",
            "ingest",
            "items",
            "answers.ndjson",
            "--records-path",
            "a",
            "--format",
            "csv",
        ])
        .fails(2, "USAGE", "--format says csv");
    // An event among the envelopes, and records that are no array.
    place.write(
        "mixed.json",
        format!("{envelope}\n{{\"event\":\"test\"}}{{\"detail\":{{\"items\":{{\"id\":9}}}}}}"),
    );
    let run = place.hosu(&["ingest", "mixed", "mixed.json", "--records-path", "detail.items"]).ok();
    let told = "no records: 2, first in line 2 of ";
    assert!(
        run.stdout.contains(told) && run.stdout.contains("there is no array at `detail.items`"),
        "{run:?}"
    );
    let rejects = place.rows("select cast(record as varchar) from mixed_rejects order by byte_offset");
    assert_eq!(rejects, json!([["{\"event\":\"test\"}"], ["{\"detail\":{\"items\":{\"id\":9}}}"]]));
    place.check_sound();
}

#[test]
fn what_is_broken_in_an_array_is_a_reject_with_its_place() {
    let place = Place::new();
    let text = "[\n  {\"id\": 1},\n  {\"id\": \"x},\n  {\"id\": 2},\n  3,\n  {\"id\": 4}\n";
    place.write("broken.json", text);
    let report = place.ingest(&["events", "broken.json"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(3), &json!(3)), "{report}");
    assert_eq!(place.rows("select sum(id) from events"), json!([[7]]));
    let rejects =
        place.rows("select line_number, byte_offset, length(record) from events_rejects order by 1");
    let at = |part: &str| text.find(part).unwrap();
    assert_eq!(rejects, json!([[3, at("{\"id\": \"x"), 11], [5, at("3,"), 1], [7, text.len(), 0]]));
    // As lines it is something else.
    let report = place.ingest(&["lines", "broken.json", "--format", "ndjson"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(1), &json!(5)), "{report}");
    place.check_sound();
}

#[test]
fn a_gzip_that_ends_early_keeps_what_came_before() {
    let place = Place::new();
    let text: String = (0..20_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let whole = gzip(&text);
    place.write("cut.json.gz", &whole[..whole.len() / 2]);
    let report = place.ingest(&["events", "cut.json.gz"]);
    assert_eq!(report["rejected"], 1, "{report}");
    let rows = report["rows"].as_u64().unwrap();
    assert!((100..20_000).contains(&rows), "{report}");
    assert_eq!(place.rows("select max(id) from events"), json!([[rows - 1]]));
    let reason = place.rows("select reason from events_rejects");
    assert!(reason.to_string().contains("the gzip data ends early"), "{reason}");
    place.write("cut.json.gz", &whole);
    let run = place.hosu(&["--output", "json", "ingest", "events", "cut.json.gz"]);
    run.fails(1, "SOURCE_CHANGED", "cut.json.gz");
}
