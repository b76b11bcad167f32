//! CSV and TSV from a file to SQL: which types columns get, what is null, what is rejected and where.

use std::io::Write;

use serde_json::{Value, json};

use super::Place;

const VISITS: &str = "\u{feff}id,zip,price,ok,day,at,note\r
1,01234,1.5,true,2024-02-29,2024-02-29T12:00:00Z,\"say \"\"hi\"\", twice\"\r
2,98765,2,false,2024-03-01,2024-02-29T12:00:01Z,\"\"\r
\r
3,00001,,,,,\r
4,00002,1\r
5,00003,3,true,2024-03-02,2024-02-29T12:00:02Z,\"two\r\nlines\"\r
6,00004,4,true,2024-03-02,2024-02-29T12:00:03Z,\"never closed\r
7,00005,n/a,true,2024-03-02,2024-02-29T12:00:04Z,end";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Offset, line, reason and beginning of what was rejected.
fn expected_rejects() -> Value {
    let offset = |of: &str| VISITS.find(of).unwrap();
    json!([
        [offset("4,00002"), 6, "csv: 3 fields, the header has 7"],
        [offset("6,00004"), 9, "csv: a quote is never closed"],
    ])
}

#[test]
fn a_file_becomes_a_table_with_types_and_rejects() {
    let place = Place::new();
    place.write("visits.CSV.gz", gzip(VISITS));
    let dry = place.ingest(&["visits", "visits.CSV.gz", "--dry-run"]);
    assert_eq!((&dry["rows"], &dry["rejected"]), (&json!(5), &json!(2)), "{dry}");
    let report = place.ingest(&["visits", "visits.CSV.gz"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(5), &json!(2)), "{report}");
    let detail = &report["sources_detail"][0];
    assert_eq!((&detail["format"], &detail["compression"]), (&json!("csv"), &json!("gzip")), "{report}");
    let rows = place.rows("select id, zip, note from visits order by id");
    assert_eq!(
        rows,
        json!([
            [1, "01234", "say \"hi\", twice"],
            [2, "98765", ""],
            [3, "00001", null],
            [5, "00003", "two\r\nlines"],
            [7, "00005", "end"],
        ])
    );
    let counts = "select count(*) from visits where ok and day >= date '2024-03-02' and at > timestamp '2024-02-29 12:00:01 UTC'";
    assert_eq!(place.rows(counts), json!([[2]]));
    assert_eq!(
        place.rows("select byte_offset, line_number, reason from visits_rejects order by 1"),
        expected_rejects()
    );
    let types: Vec<_> =
        report["schema_changes"].as_array().unwrap().iter().map(|change| &change["column_type"]).collect();
    assert_eq!(types[..2], [&json!("long"), &json!("string")], "{report}");
    assert_eq!(place.ingest(&["visits", "visits.CSV.gz"])["sources_skipped"], 1);
    place.check_sound();
}

#[test]
fn values_land_in_the_columns_of_a_table_or_are_rescued() {
    let place = Place::new();
    place.write("one.ndjson", "{\"Id\":1,\"name\":\"a\",\"v\":1.5}\n");
    place.ingest(&["t", "one.ndjson"]);
    place.write("two.tsv", "ID\tname\tv\tnew\n2\t34\t007\tx\n");
    let report = place.ingest(&["t", "two.tsv"]);
    assert_eq!((&report["rows"], &report["rescued"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(report["columns_added"], json!(["new"]));
    let rows = place.rows("select id, name, v, new, _rescued_data from t where id = 2");
    assert_eq!(rows, json!([[2, "34", null, "x", "{\"$.v\": \"\\\"007\\\"\"}"]]));
    let report: Value = {
        let run =
            place.hosu_with(&["ingest", "--output", "json", "--format", "csv", "t", "-"], "id,v\n3,7\n");
        run.ok().json()
    };
    assert_eq!(report["sources_detail"][0]["format"], "csv");
    assert_eq!(place.rows("select v from t where id = 3"), json!([[7.0]]));
}

#[test]
fn a_header_that_names_a_column_twice_is_an_error_and_json_stays_json() {
    let place = Place::new();
    place.write("twice.csv", "a,b,a\n1,2,3\n");
    let run = place.hosu(&["ingest", "--output", "json", "t", "twice.csv"]);
    run.fails(1, "SOURCE_HEADER", "twice.csv");
    assert!(!place.path("lake/warehouse").exists() || place.names("lake/warehouse").is_empty());
    place.write("json.csv", "{\"a\":1}\n");
    assert_eq!(place.ingest(&["t", "json.csv"])["sources_detail"][0]["format"], "ndjson");
    place.write("grows.csv", "a\n1\n");
    place.ingest(&["t", "grows.csv"]);
    place.write("grows.csv", "a\n1\n2\n");
    let run = place.hosu(&["ingest", "--output", "json", "t", "grows.csv", "--on-changed", "tail"]);
    run.fails(1, "SOURCE_CHANGED", "grows.csv");
}
