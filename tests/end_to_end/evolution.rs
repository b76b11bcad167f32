//! `--schema-evolution`, `--columns-max`, `--keep-raw`, `--dry-run` and advice, as a person uses them.

use serde_json::json;

use super::Place;

const FIRST: &str = "{\"id\":1,\"price\":5}\n";
const SECOND: &str =
    "{\"id\":2,\"price\":9.99}\n{\"id\":3,\"extra\":{\"a\":1},\"Price\":7}\n{\"id\":4,\"price\":6}\n";

fn place() -> Place {
    let place = Place::new();
    place.write("first.ndjson", FIRST);
    place.write("second.ndjson", SECOND);
    place.ingest(&["events", "first.ndjson"]);
    place
}

#[test]
fn add_columns_is_the_default_and_rescued_values_are_found_by_the_query_that_is_told() {
    let place = place();
    let report = place.ingest(&["events", "second.ndjson"]);
    assert_eq!(
        (&report["schema_evolution"], &report["rescued"]),
        (&json!("add-columns"), &json!(1)),
        "{report}"
    );
    let added =
        json!([{"change": "added", "column": "extra", "column_type": "struct<a: long>", "from": null}]);
    assert_eq!(report["schema_changes"], added);
    let rescued = &report["rescued_columns"][0];
    assert_eq!(
        (&rescued["column"], &rescued["column_type"], &rescued["example"], &rescued["line_number"]),
        (&json!("price"), &json!("long"), &json!("9.99"), &json!(1)),
        "{report}"
    );
    let rows = place.rows(rescued["query"].as_str().unwrap());
    assert_eq!(rows, json!([[2, null, null, "{\"$.price\": \"9.99\"}"]]));
    let note = "`price` and `Price` are one column, `price`; 1 value of the other spelling landed in it";
    assert_eq!(report["notes"], json!([note]));
    place.check_sound();
}

#[test]
fn people_read_what_changed_and_what_did_not_fit() {
    let place = place();
    let run = place.hosu(&["ingest", "events", "second.ndjson"]).ok();
    for expected in [
        "  schema changes:\n    extra: new, struct<a: long>\n",
        "  1 value did not fit, kept in `_rescued_data`:\n    column price: 1 value rescued, for example `9.99` in a column of long\n",
        "      select * from events where strpos(_rescued_data, '\"$.price\":') > 0\n",
        "  notes:\n    `price` and `Price` are one column",
    ] {
        assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
    }
}

#[test]
fn queries_find_values_in_lists_and_under_odd_names() {
    let place = Place::new();
    place.write("a.ndjson", "{\"items\":[{\"p\":1},{\"p\":2}],\"it's\":1,\"q\\\"\":1,\"\":0}\n");
    place.ingest(&["lake.events", "a.ndjson"]);
    place.write("b.ndjson", "{\"items\":[{\"p\":1},{\"p\":\"x\"}],\"it's\":\"y\",\"q\\\"\":\"z\",\"\":1}\n{\"items\":[{\"p\":\"w\"}]}\n{\"items\":[]}\n");
    let report = place.ingest(&["lake.events", "b.ndjson"]);
    assert_eq!(report["rescued"], 5, "{report}");
    for rescued in report["rescued_columns"].as_array().unwrap() {
        let query = rescued["query"].as_str().unwrap();
        let rows = place.rows(query).as_array().unwrap().len();
        let expected = match rescued["column"].as_str().unwrap() {
            "items.element.p" | "" => 2,
            _ => 1,
        };
        assert_eq!(rows, expected, "{query}");
    }
}

#[test]
fn rescue_and_ignore_keep_the_schema() {
    let place = place();
    let report = place.ingest(&["events", "second.ndjson", "--schema-evolution", "rescue"]);
    assert_eq!((&report["rescued"], &report["schema_changes"]), (&json!(2), &json!([])), "{report}");
    let rescued = "select _rescued_data from events where _rescued_data is not null order by id";
    assert_eq!(
        place.rows(rescued),
        json!([["{\"$.price\": \"9.99\"}"], ["{\"$.extra\": \"{\\\"a\\\":1}\"}"]])
    );

    let arguments = ["events", "second.ndjson", "--schema-evolution", "ignore", "--reingest"];
    let report = place.ingest(&arguments);
    assert_eq!((&report["rescued"], &report["ignored"]), (&json!(1), &json!(1)), "{report}");
    let ignored = &report["ignored_columns"][0];
    assert_eq!(
        (&ignored["column"], &ignored["values"], &ignored["query"]),
        (&json!("extra"), &json!(1), &json!(null))
    );
    assert_eq!(place.rows("select count(*), count(_rescued_data) from events"), json!([[7, 3]]));
    let run = place.hosu(&[&["ingest"], &arguments[..]].concat()).ok();
    let told = "  1 value of fields without a column left out (--schema-evolution ignore):\n    extra: 1 value, for example `{\"a\":1}`\n";
    assert!(run.stdout.contains(told), "{}", run.stdout);
    place.check_sound();
}

#[test]
fn the_tables_property_says_it_and_the_option_wins() {
    let place = place();
    let set = |value: &str| {
        format!(
            "alter table events set tblproperties ('hosu.schema-evolution'='{value}', 'hosu.columns-max'='2')"
        )
    };
    place.rows(&set("ignore"));
    let report = place.ingest(&["events", "second.ndjson"]);
    assert_eq!((&report["schema_evolution"], &report["ignored"]), (&json!("ignore"), &json!(1)), "{report}");
    let report =
        place.ingest(&["events", "second.ndjson", "--reingest", "--schema-evolution", "add-columns"]);
    assert_eq!((&report["columns_added"], &report["rescued"]), (&json!([]), &json!(2)), "{report}");
    assert!(report["notes"].to_string().contains("2 (--columns-max)"), "{report}");
    let run = place.hosu(&["sql", "--output", "json", "-c", &set("sometimes")]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("hosu.schema-evolution"), "{run:?}");
}

#[test]
fn fail_names_the_first_misfit_and_writes_nothing() {
    let place = place();
    let before = place.names("lake");
    let line = ["--output", "json", "ingest", "events", "second.ndjson", "--schema-evolution", "fail"];
    let error = place.hosu(&line).fails(1, "SCHEMA_FAILS", "line 1 of ");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("second.ndjson") && message.contains("9.99"), "{error}");
    assert_eq!(before, place.names("lake"));
    let line = ["--output", "json", "ingest", "events", "first.ndjson", "--schema-evolution", "sometimes"];
    place.hosu(&line).fails(2, "USAGE", "sometimes");
    let line = ["--output", "json", "ingest", "events", "first.ndjson", "--columns-max", "0"];
    place.hosu(&line).fails(2, "USAGE", "columns-max");
}

#[test]
fn a_column_of_another_engine_becomes_wider_and_is_read_in_all_files() {
    let place = Place::new();
    place.rows(&format!(
        "create table events (id int, ratio float, geo struct<n:int>) location '{}' tblproperties ('table_type'='ICEBERG')",
        place.text("lake/warehouse/default/events")
    ));
    place.write("a.ndjson", "{\"id\":1,\"ratio\":0.5,\"geo\":{\"n\":1}}\n");
    place.write("b.ndjson", "{\"id\":3000000000,\"ratio\":0.1,\"geo\":{\"n\":3000000001}}\n");
    place.ingest(&["events", "a.ndjson"]);
    let report = place.ingest(&["events", "b.ndjson"]);
    assert_eq!(report["schema_changes"].as_array().unwrap().len(), 3, "{report}");
    assert_eq!(report["rescued"], 0);
    assert_eq!(
        place.rows("select id, ratio, geo from events order by id"),
        json!([[1, 0.5, [1]], [3_000_000_000_u64, 0.1, [3_000_000_001_u64]]])
    );
    assert_eq!(
        place.rows("select count(*) from events where id < 2 and ratio = 0.5 and geo.n = 1"),
        json!([[1]])
    );
    assert_eq!(place.rows("select count(*) from events where id > 2147483647"), json!([[1]]));
    place.check_sound();
}

#[test]
fn a_limit_of_columns_is_kept_and_told() {
    let place = Place::new();
    place.write("a.ndjson", "{\"a\":1,\"b\":2,\"c\":{\"d\":3,\"e\":4}}\n");
    let report = place.ingest(&["events", "a.ndjson", "--columns-max", "3"]);
    assert_eq!((&report["rescued"], &report["rows"]), (&json!(1), &json!(1)), "{report}");
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.contains("3 (--columns-max)"), "{note}");
    assert_eq!(place.rows("select a, b, c from events"), json!([[1, 2, [3]]]));
}

#[test]
fn raw_records_are_kept_as_they_were() {
    let place = Place::new();
    place.write("a.ndjson", "{\"id\":1}\n");
    place.write("b.ndjson", " {\"id\" : 2, \"_raw\":\"theirs\"} \r\n{\"id\":1e0}\n");
    place.ingest(&["events", "a.ndjson"]);
    place.ingest(&["events", "b.ndjson", "--keep-raw"]);
    let raw = "select id, cast(_raw as varchar) from events order by id, 2";
    let rows = place.rows(raw);
    let mut rows: Vec<String> = rows.as_array().unwrap().iter().map(ToString::to_string).collect();
    rows.sort();
    let expected = [r#"[1,"{\"id\":1e0}"]"#, "[1,null]", r#"[2," {\"id\" : 2, \"_raw\":\"theirs\"} "]"#];
    assert_eq!(rows, expected);
    place.write("c.ndjson", "{\"id\":3}\n");
    place.ingest(&["events", "c.ndjson"]);
    assert_eq!(place.rows("select cast(_raw as varchar) from events where id = 3"), json!([["{\"id\":3}"]]));
    place.check_sound();
}

#[test]
fn a_dry_run_tells_columns_files_and_advice() {
    let place = Place::new();
    let events: String = (1..=28)
        .map(|day| format!("{{\"id\":{day},\"event_time\":\"2026-02-{day:02}T10:00:00Z\"}}\n"))
        .collect();
    place.write("events.ndjson", format!("{events}nothing\n"));
    let told = place.ingest(&["events", "events.ndjson", "--dry-run"]);
    assert!(!place.path("lake").exists());
    assert_eq!(told["advice"][0]["value"], "day(event_time)", "{told}");
    assert_eq!(told["advice"][0]["option"], "--partition-by");
    let by_day = ["events", "events.ndjson", "--partition-by", "day(event_time)"];
    let told = place.ingest(&[&by_day[..], &["--dry-run"]].concat());
    let run = place.hosu(&[&["ingest"], &by_day[..], &["--dry-run"]].concat()).ok();
    for expected in [
        "28 rows from 1 source would be added in 29 data files of ",
        "  columns:\n    id: long\n    event_time: timestamptz\n",
        "    event_time_day=2026-02-01: 1 row, 1 file, ",
        "  1 record would be rejected into default.events_rejects:\n    not JSON: 1, first in line 29 of ",
    ] {
        assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
    }
    let done = place.ingest(&by_day);
    for name in [
        "rows",
        "rejected",
        "data_files",
        "bytes_written",
        "partitions",
        "schema_changes",
        "rejects_by_reason",
    ] {
        assert_eq!(told[name], done[name], "{name}");
    }
    assert_eq!(done["advice"], json!([]));
}
