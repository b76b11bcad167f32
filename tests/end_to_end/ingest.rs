//! `hosu ingest`: every kind of source, what lands, what is skipped, what is refused.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::Place;

const TWO: &str = "{\"id\":1,\"type\":\"login\"}\n{\"id\":2,\"type\":\"chat\"}\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_becomes_a_table_and_the_report_tells_it() {
    let place = Place::new();
    place.write("events.ndjson", TWO);
    let report = place.ingest(&["events", "events.ndjson"]);
    let expected = json!({"table": "default.events", "rows": 2, "rejected": 0, "rescued": 0, "sources": 1, "sources_skipped": 0, "data_files": 1});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&report[name], value, "{name}: {report}");
    }
    assert_eq!(report["bytes_read"], TWO.len());
    assert!(report["bytes_written"].as_u64().unwrap() > 0 && report["elapsed_ms"].is_u64());
    assert!(report["snapshot_id"].as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(place.rows("select id, type from events order by id"), json!([[1, "login"], [2, "chat"]]));
    place.check_sound();
}

#[test]
fn people_read_a_sentence() {
    let place = Place::new();
    place.write("events.ndjson", TWO);
    let run = place.hosu(&["ingest", "events", "events.ndjson"]).ok();
    assert!(run.stdout.starts_with("default.events (a new table): 2 rows from 1 source"), "{run:?}");
    assert!(run.stdout.contains("\n  read as ndjson (plain)\n"), "{run:?}");
    assert_eq!(run.stderr, "");
    let run = place.hosu(&["ingest", "events", "events.ndjson"]).ok();
    assert!(run.stdout.starts_with("default.events: nothing new\n  1 source skipped"), "{run:?}");
    assert!(run.stdout.contains("events.ndjson"), "{run:?}");
}

#[test]
fn the_same_source_again_changes_nothing() {
    let place = Place::new();
    place.write("events.ndjson", TWO);
    place.ingest(&["events", "events.ndjson"]);
    let before = place.names("lake/warehouse");
    let report = place.ingest(&["events", &place.text("events.ndjson")]);
    assert_eq!(
        (&report["rows"], &report["sources"], &report["sources_skipped"]),
        (&json!(0), &json!(0), &json!(1))
    );
    assert_eq!(report["snapshot_id"], Value::Null);
    assert_eq!(before, place.names("lake/warehouse"));
    let report = place.ingest(&["events", "events.ndjson", "--reingest"]);
    assert_eq!((&report["rows"], &report["sources"]), (&json!(2), &json!(1)));
    assert_eq!(place.rows("select count(*) from events"), json!([[4]]));
}

#[test]
fn a_changed_source_is_refused_until_it_is_called_new() {
    let place = Place::new();
    place.write("events.ndjson", TWO);
    place.ingest(&["events", "events.ndjson"]);
    place.write("events.ndjson", "{\"id\":3}\n");
    let run = place.hosu(&["--output", "json", "ingest", "events", "events.ndjson"]);
    let error = run.fails(1, "SOURCE_CHANGED", "events.ndjson");
    assert!(error["remedy"].as_str().unwrap().contains("--on-changed new"), "{error}");
    assert_eq!(place.rows("select count(*) from events"), json!([[2]]));
    let report = place.ingest(&["events", "events.ndjson", "--on-changed", "new"]);
    assert_eq!(report["rows"], 1);
    assert_eq!(place.ingest(&["events", "events.ndjson"])["sources_skipped"], 1);
    place.write("copy.ndjson", TWO);
    assert_eq!(place.ingest(&["events", "copy.ndjson"])["rows"], 2, "another path is another source");
}

#[test]
fn folders_globs_and_compression_are_read() {
    let place = Place::new();
    place.write("logs/a.ndjson", "{\"id\":1}\n");
    place.write("logs/deep/b.json.gz", gzip("{\"id\":2}\n"));
    place.write("logs/deep/c.bin", zstd::encode_all(&b"{\"id\":3}\n"[..], 1).unwrap());
    place.write("logs/_temporary", "{\"id\":4}\n");
    place.write("logs/.hidden", "{\"id\":5}\n");
    let report = place.ingest(&["events", "logs"]);
    assert_eq!((&report["sources"], &report["rows"]), (&json!(3), &json!(3)), "{report}");
    assert_eq!(report["left_out"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(place.rows("select id from events order by id"), json!([[1], [2], [3]]));
    let report = place.ingest(&["globbed", "logs/**/*.json.gz", "logs/*.ndjson"]);
    assert_eq!(report["rows"], 2, "{report}");
    let run = place.hosu(&["--output", "json", "ingest", "events", "logs/*.parquet"]);
    run.fails(1, "SOURCE_NOT_FOUND", "logs/*.parquet");
}

#[test]
fn the_format_of_sources_can_be_given() {
    let place = Place::new();
    place.write("a.bin", gzip("{\"id\":1}\n"));
    place.write("b.bin", "{\"id\":2}\n");
    let report = place.ingest(&["events", "a.bin", "--format", "ndjson.gz"]);
    let source = &report["sources_detail"][0];
    assert_eq!((&source["format"], &source["compression"]), (&json!("ndjson"), &json!("gzip")), "{report}");
    let line = |source, format| ["--output", "json", "ingest", "events", source, "--format", format];
    place.hosu(&line("b.bin", "ndjson.gz")).fails(1, "SOURCE_DAMAGED", "b.bin");
    place.hosu(&line("b.bin", "xml")).fails(2, "USAGE", "xml");
    assert_eq!(place.hosu(&line("b.bin", "auto")).ok().json()["rows"], 1);
}

#[test]
fn standard_input_is_never_skipped() {
    let place = Place::new();
    for round in 1..=2 {
        let run = place.hosu_with(&["--output", "json", "ingest", "events", "-"], TWO).ok();
        assert_eq!(run.json()["rows"], 2);
        assert_eq!(place.rows("select count(*) from events"), json!([[2 * round]]));
    }
    let run = place.hosu_with(&["--output", "json", "ingest", "events", "-"], gzip("{\"id\":9}\n")).ok();
    assert_eq!(run.json()["rows"], 1);
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let place = Place::new();
    place.write("events.ndjson", format!("{TWO}no json\n"));
    let report = place.ingest(&["events", "events.ndjson", "--dry-run"]);
    assert_eq!(
        (&report["rows"], &report["rejected"], &report["dry_run"]),
        (&json!(2), &json!(1), &json!(true))
    );
    assert!(!place.path("lake").exists());
    place.ingest(&["events", "events.ndjson"]);
    let before = place.names("lake");
    let report = place.ingest(&["events", "events.ndjson", "--dry-run", "--reingest"]);
    assert_eq!(report["rows"], 2);
    assert_eq!(before, place.names("lake"));
    assert_eq!(place.rows("select count(*) from events"), json!([[2]]));
}

#[test]
fn lines_that_are_no_objects_are_kept_with_their_place() {
    let place = Place::new();
    place.write("events.ndjson", "{\"id\":1}\n\nnot json\n[1]\n{\"id\":2}\n");
    let run = place.hosu(&["--output", "json", "ingest", "events", "events.ndjson", "--fail-on-reject"]);
    assert_eq!(run.code, 3, "{run:?}");
    let report = run.json();
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(2), &json!(2)));
    let rejects = "select cast(record as varchar), byte_offset, line_number, source, reason \
                   from events_rejects order by line_number";
    let rows = place.rows(rejects);
    assert_eq!(
        (&rows[0][0], &rows[0][1], &rows[0][2]),
        (&json!("not json"), &json!(10), &json!(3)),
        "{rows}"
    );
    assert_eq!((&rows[1][0], &rows[1][1], &rows[1][2]), (&json!("[1]"), &json!(19), &json!(4)), "{rows}");
    assert_eq!(rows[0][3], place.text("events.ndjson"));
    assert!(rows[0][4].as_str().is_some_and(|reason| !reason.is_empty()));
    let again = place.hosu(&["ingest", "events", "events.ndjson", "--fail-on-reject"]).ok();
    assert!(again.stdout.contains("nothing new"), "{again:?}");
    place.check_sound();
}

#[test]
fn values_that_do_not_fit_are_kept_as_text() {
    let place = Place::new();
    place.write("one.ndjson", "{\"n\":1,\"geo\":{\"lat\":1.5}}\n{\"n\":2}\n");
    place.ingest(&["events", "one.ndjson"]);
    place.write("two.ndjson", "{\"n\":\"x\"}\n{\"n\":1.5}\n{\"n\":3,\"geo\":{\"lat\":1e400}}\n");
    let report = place.ingest(&["events", "two.ndjson"]);
    assert_eq!((&report["rows"], &report["rescued"]), (&json!(3), &json!(3)), "{report}");
    let rows = place.rows("select n, _rescued_data from events where _rescued_data is not null");
    let mut rescued: Vec<Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| serde_json::from_str(row[1].as_str().unwrap()).unwrap())
        .collect();
    rescued.sort_by_key(Value::to_string);
    assert_eq!(rescued, [json!({"$.geo.lat": "1e400"}), json!({"$.n": "1.5"}), json!({"$.n": "\"x\""})]);
}

#[test]
fn a_new_field_becomes_a_column_in_the_same_commit() {
    let place = Place::new();
    place.write("one.ndjson", "{\"id\":1,\"geo\":{\"lat\":1.5}}\n");
    place.write("two.ndjson", "{\"id\":2,\"geo\":{\"lat\":2.5,\"city\":\"서울\"},\"tags\":[\"a\"]}\n");
    place.ingest(&["events", "one.ndjson"]);
    let report = place.ingest(&["events", "two.ndjson"]);
    let mut added: Vec<&str> =
        report["columns_added"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    added.sort_unstable();
    assert_eq!(added, ["geo.city", "tags"]);
    let rows = place.rows("select id, geo.lat, geo.city, tags from events order by id");
    assert_eq!(rows, json!([[1, 1.5, null, null], [2, 2.5, "서울", ["a"]]]));
    place.check_sound();
}

#[test]
fn partitions_sort_order_and_schema_shape_a_new_table_only() {
    let place = Place::new();
    place.write(
        "events.ndjson",
        "{\"at\":\"2026-01-02T03:04:05Z\",\"user\":7}\n{\"at\":\"2026-01-03T00:00:00Z\",\"user\":8}\n",
    );
    let shape = ["--partition-by", "day(at), bucket(4, user)", "--sort-by", "at desc"];
    let line = |table: &'static str, source: &'static str, options: &[&'static str]| {
        [&[table, source], options].concat()
    };
    place.ingest(&line("events", "events.ndjson", &shape));
    let shown = place.rows("show create table events").to_string();
    assert!(shown.contains("day(") && shown.contains("bucket(4"), "{shown}");
    let folders: Vec<String> =
        place.files("lake/warehouse").keys().map(|path| path.display().to_string()).collect();
    assert!(folders.iter().any(|path| path.contains("at_day=2026-01-02")), "{folders:?}");
    place.write("more.ndjson", "{\"at\":\"2026-01-04T00:00:00Z\",\"user\":9}\n");
    place.ingest(&line("events", "more.ndjson", &shape));
    place.write("other.ndjson", "{\"at\":\"2026-01-05T00:00:00Z\",\"user\":9}\n");
    for options in [&["--partition-by", "at"][..], &["--sort-by", "user"]] {
        let run = place.hosu(&[&["--output", "json", "ingest", "events", "other.ndjson"], options].concat());
        run.fails(1, "TABLE_DIFFERS", "default.events");
    }
    let run =
        place.hosu(&["--output", "json", "ingest", "new", "other.ndjson", "--partition-by", "day(att)"]);
    let error = run.fails(1, "INVALID_PARTITION", "att");
    assert!(error["message"].as_str().unwrap().contains("at"), "{error}");
    assert_eq!(place.rows("select count(*) from events"), json!([[3]]));
    place.check_sound();
}

#[test]
fn a_schema_says_what_the_columns_are() {
    let place = Place::new();
    let schema = r#"{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"},
                    "at":{"type":"string","format":"date-time"}}}"#;
    place.write("events.schema.json", schema);
    place.write("events.ndjson", "{\"id\":1,\"name\":\"2026-01-01\",\"at\":\"2026-01-01T00:00:00Z\"}\n");
    place.ingest(&["events", "events.ndjson", "--schema", "events.schema.json"]);
    let columns =
        place.hosu(&["sql", "--output", "json", "-c", "select id, name, at from events"]).ok().json();
    let types: Vec<&Value> =
        columns["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["bigint", "varchar", "timestamp(6) with time zone"]);
    place.write("events.schema.json", r#"{"type":"object","properties":{"id":{"type":"string"}}}"#);
    place.write("more.ndjson", "{\"id\":2}\n");
    let line = ["--output", "json", "ingest", "events", "more.ndjson", "--schema", "events.schema.json"];
    place.hosu(&line).fails(1, "TABLE_DIFFERS", "default.events");
    let line = ["--output", "json", "ingest", "events", "more.ndjson", "--schema", "none.json"];
    place.hosu(&line).fails(1, "SCHEMA_UNREADABLE", "none.json");
}

#[test]
fn sources_that_cannot_be_events_are_refused_before_anything_is_written() {
    let place = Place::new();
    place.write("empty.ndjson", "");
    place.write("blank.ndjson", "\n \n");
    place.write("data.parquet", b"PAR1\x00\x01\x02");
    place.write("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00");
    place.write("zeros.bin", [0_u8; 5_000]);
    let mut damaged = gzip(TWO);
    *damaged.last_mut().unwrap() ^= 1;
    place.write("damaged.gz", damaged);
    place.write("good.ndjson", TWO);
    fs::create_dir(place.path("nothing")).unwrap();
    let cases = [
        ("missing.ndjson", "SOURCE_NOT_FOUND"),
        ("empty.ndjson", "SOURCE_EMPTY"),
        ("blank.ndjson", "SOURCE_EMPTY"),
        ("data.parquet", "SOURCE_DAMAGED"),
        ("picture.png", "SOURCE_BINARY"),
        ("zeros.bin", "SOURCE_BINARY"),
        ("damaged.gz", "SOURCE_DAMAGED"),
        ("nothing", "SOURCE_NOT_FOUND"),
    ];
    for (source, code) in cases {
        place.hosu(&["--output", "json", "ingest", "events", source]).fails(1, code, source);
        assert!(!place.path("lake/catalog.db").exists(), "{source}");
        if source != "empty.ndjson" && source != "blank.ndjson" {
            let run = place.hosu(&["--output", "json", "ingest", "events", "good.ndjson", source]);
            run.fails(1, code, source);
        }
    }
    let report = place.ingest(&["events", "good.ndjson", "empty.ndjson"]);
    assert_eq!((&report["rows"], &report["sources"]), (&json!(2), &json!(1)), "{report}");
    let after = place.hosu(&["--output", "json", "ingest", "events", "missing.ndjson"]);
    after.fails(1, "SOURCE_NOT_FOUND", "missing.ndjson");
    assert_eq!(place.rows("select count(*) from events"), json!([[2]]));
    place.check_sound();
}

#[test]
fn of_a_compressed_file_that_is_cut_off_what_came_before_lands() {
    let place = Place::new();
    let text: String = (0..20_000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let whole = gzip(&text);
    place.write("cut.gz", &whole[..whole.len() / 2]);
    let report = place.ingest(&["events", "cut.gz"]);
    assert_eq!(report["rejected"], 1, "{report}");
    let rows = report["rows"].as_u64().unwrap();
    assert!(rows > 1000, "{report}");
    let sum = rows * (rows - 1) / 2;
    assert_eq!(place.rows("select count(*), sum(n) from events"), json!([[rows, sum]]));
    let rejects = place.rows("select reason, line_number from events_rejects");
    let reason = rejects[0][0].as_str().unwrap();
    assert!(reason.contains(&format!("the gzip data ends early, at byte {}", whole.len() / 2)), "{rejects}");
    assert_eq!(rejects[0][1], rows + 1);
    // It is known as it is; whole, it is another one.
    assert_eq!(place.ingest(&["events", "cut.gz"])["sources_skipped"], 1);
    place.write("cut.gz", &whole);
    let run = place.hosu(&["--output", "json", "ingest", "events", "cut.gz"]);
    run.fails(1, "SOURCE_CHANGED", "cut.gz");
    place.check_sound();
}

#[test]
fn names_that_cannot_be_are_refused() {
    let place = Place::new();
    place.write("events.ndjson", TWO);
    let long = "n".repeat(300);
    for name in
        ["a.b.c", "\"events\"", "it's", "a/b", "../events", "..", ".", "", " ", "a.", &long, "events_rejects"]
    {
        let run = place.hosu(&["--output", "json", "ingest", name, "events.ndjson"]);
        run.fails(2, "INVALID_NAME", "");
    }
    assert!(!place.path("lake").exists());
    let report = place.ingest(&["Game.이벤트", "events.ndjson"]);
    assert_eq!(report["table"], "game.이벤트");
    assert_eq!(place.rows("select count(*) from game.이벤트"), json!([[2]]));
}

#[test]
fn the_sample_data_lands_whole() {
    let place = Place::new();
    let sample = |name: &str| format!("{}/../../sample-data/{name}", env!("CARGO_MANIFEST_DIR"));
    let report =
        place.ingest(&["game_events", &sample("game-events.ndjson"), "--partition-by", "day(event_time)"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(3_000), &json!(0)), "{report}");
    let report = place.ingest(&["cloudtrail", &sample("cloudtrail.ndjson")]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(1_000), &json!(0)), "{report}");
    let report = place.ingest(&["wrong", &sample("wrong-lines.ndjson")]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(36), &json!(23)), "{report}");
    assert_eq!(
        place.rows("select count(*), count(distinct event_id) from game_events"),
        json!([[3_000, 3_000]])
    );
    place.check_sound();
}

#[test]
fn what_was_added_to_a_file_is_taken_and_a_batch_is_safe_to_repeat() {
    let place = Place::new();
    place.write("a.json", "{\"id\":1}\n");
    place.ingest(&["events", "a.json"]);
    place.write("a.json", "{\"id\":1}\n{\"id\":2}\n");
    place.hosu(&["ingest", "--output", "json", "events", "a.json"]).fails(1, "SOURCE_CHANGED", "a.json");
    let report = place.ingest(&["events", "a.json", "--on-changed", "tail"]);
    assert_eq!((&report["rows"], &report["sources_detail"][0]["from_byte"]), (&json!(1), &json!(9)));
    let batch = ["ingest", "--output", "json", "events", "-", "--batch-id", "7"];
    for (rows, skipped) in [(1, 0), (0, 1)] {
        let report = place.hosu_with(&batch, "{\"id\":3}\n").ok().json();
        assert_eq!((&report["rows"], &report["sources_skipped"]), (&json!(rows), &json!(skipped)));
    }
    place.hosu_with(&batch, "{\"id\":4}\n").fails(1, "BATCH_CHANGED", "`7`");
    place.hosu(&["ingest", "--output", "json", "events", "a.json", "--batch-id", "7"]).fails(
        2,
        "USAGE",
        "--batch-id",
    );
    assert_eq!(place.rows("select id from events order by id"), json!([[1], [2], [3]]));
}
