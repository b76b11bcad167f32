//! Another engine as witness: PyIceberg opens the same SQLite catalog, reads what we wrote and writes what we read.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::overwritten::overwrite;
use super::python;
use crate::end_to_end::Place;

/// A lake that PyIceberg looks at.
pub(super) struct Witness {
    pub(super) place: Place,
    python: &'static Path,
}

impl Witness {
    pub(super) fn new(test: &str) -> Option<Self> {
        Some(Self { place: Place::new(), python: python::python(test)? })
    }

    pub(super) fn ask(&self, command: &str, arguments: &[&str]) -> Value {
        ask(self.python, &self.place, command, arguments)
    }

    /// Reads a table with both, asserts that columns and rows are equal, and gives back what PyIceberg said.
    #[track_caller]
    fn compare(&self, table: &str) -> Value {
        let theirs = self.ask("read", &[table]);
        let statement = format!("select * from {table}");
        let ours = self.place.hosu(&["sql", "--output", "json", "-c", &statement]).ok().json();
        // Which names of fields need quotes is Trino's matter, and not the witness's.
        let plain = |columns: &Value| columns.to_string().replace("\\\"", "");
        assert_eq!(plain(&ours["columns"]), plain(&theirs["columns"]), "{table}");
        let same = if ours["columns"].to_string().contains("array(row(") {
            without_empty_lists
        } else {
            Value::clone
        };
        let (our_rows, their_rows) = (sorted(&same(&ours["rows"])), sorted(&same(&theirs["rows"])));
        assert_eq!(our_rows.len(), their_rows.len(), "{table}");
        for (ours, theirs) in our_rows.iter().zip(&their_rows) {
            assert_eq!(ours, theirs, "{table}");
        }
        theirs
    }
}

/// PyIceberg 0.12 reads a list of structs that is NULL as an empty one (the Parquet file says NULL, as pyarrow alone shows).
fn without_empty_lists(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(without_empty_lists).collect(),
        other => other.clone(),
    }
}

/// How many rows a table has; none, after saying why, where there is no PyIceberg.
pub(crate) fn count(place: &Place, table: &str) -> Option<usize> {
    let python = python::python("the count by another engine")?;
    ask(python, place, "read", &[table])["rows"].as_array().map(Vec::len)
}

fn ask(python: &Path, place: &Place, command: &str, arguments: &[&str]) -> Value {
    let mut witness = Command::new(python);
    witness.args(["-W", "ignore"]).arg(python::script("witness.py")).arg(command);
    witness.arg(place.path("lake/catalog.db")).arg(place.path("lake/warehouse")).args(arguments);
    serde_json::from_str(&python::run(&mut witness)).unwrap()
}

fn sorted(rows: &Value) -> Vec<Value> {
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by_cached_key(Value::to_string);
    rows
}

fn sample(name: &str) -> String {
    format!("{}/../../sample-data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn sample_data_reads_the_same() {
    let Some(witness) = Witness::new("sample_data_reads_the_same") else { return };
    let place = &witness.place;
    let partitions =
        ["--partition-by", "day(event_time), bucket(4, user_id)", "--sort-by", "event_time desc"];
    place.ingest(&[&["game_events", &sample("game-events.ndjson")[..]], &partitions[..]].concat());
    place.ingest(&["cloudtrail", &sample("cloudtrail.ndjson")]);
    place.ingest(&["wrong", &sample("wrong-lines.ndjson")]);
    let game = witness.compare("default.game_events");
    assert_eq!(
        game["spec"],
        json!([["event_time_day", "day", "event_time"], ["user_id_bucket", "bucket[4]", "user_id"]])
    );
    assert_eq!(game["sort"], json!([["identity", "event_time", "DESC"]]));
    assert_eq!(game["format_version"], 2);
    let by_day =
        "select cast(date_trunc('day', event_time) as date), count(*) from game_events group by 1 order by 1";
    assert_eq!(place.rows(by_day), rows_by_first(&game["partitions"]));
    witness.compare("default.cloudtrail");
    witness.compare("default.wrong");
    witness.compare("default.wrong_rejects");
}

/// The rows of partitions, added up by their first value.
fn rows_by_first(partitions: &Value) -> Value {
    let mut sums = std::collections::BTreeMap::<String, u64>::new();
    for partition in partitions.as_array().unwrap() {
        let key = partition["partition"][0].as_str().unwrap().to_owned();
        *sums.entry(key).or_default() += partition["rows"].as_u64().unwrap();
    }
    sums.into_iter().map(|(key, rows)| json!([key, rows])).collect()
}

#[test]
fn tables_of_statements_and_grown_schemas_read_the_same() {
    let Some(witness) = Witness::new("tables_of_statements_and_grown_schemas_read_the_same") else { return };
    let place = &witness.place;
    place.write("one.ndjson", "{\"id\":1,\"geo\":{\"lat\":1.5}}\n");
    place.write("two.ndjson", "{\"id\":2,\"geo\":{\"city\":\"서울\"},\"tags\":[{\"a\":1},{\"b\":\"x\"}]}\n");
    place.ingest(&["events", "one.ndjson"]);
    place.ingest(&["events", "two.ndjson"]);
    assert_eq!(witness.compare("default.events")["snapshots"], 2);
    place.rows("create database game");
    place.rows(&format!(
        "create table game.daily (day date, at timestamp, price decimal(10,2), extra struct<note:string>) \
         partitioned by (month(day)) location '{}' tblproperties ('table_type'='ICEBERG')",
        place.text("lake/warehouse/game/daily")
    ));
    assert_eq!(witness.compare("game.daily")["snapshots"], 0);
    place.rows(
        "insert into game.daily select date '2026-01-02', timestamp '2026-01-02 03:04:05.5', 1.25, row('x')",
    );
    place.rows("insert into game.daily (day) values (date '2026-02-03'), (null)");
    let daily = witness.compare("game.daily");
    assert_eq!(daily["spec"], json!([["day_month", "month", "day"]]));
    assert_eq!(daily["partitions"].as_array().unwrap().len(), 3);
}

#[test]
fn widened_and_raw_tables_read_the_same() {
    let Some(witness) = Witness::new("widened_and_raw_tables_read_the_same") else { return };
    let place = &witness.place;
    place.rows(&format!(
        "create table events (id int, ratio float, geo struct<n:int>) partitioned by (bucket(4, id)) \
         location '{}' tblproperties ('table_type'='ICEBERG')",
        place.text("lake/warehouse/default/events")
    ));
    place.write("a.ndjson", "{\"id\":1,\"ratio\":0.5,\"geo\":{\"n\":1}}\n{\"id\":2}\n");
    place.write("b.ndjson", "{\"id\":3000000000,\"ratio\":0.1,\"geo\":{\"n\":3000000001}}\n{\"id\":1}\n");
    place.ingest(&["events", "a.ndjson"]);
    let report = place.ingest(&["events", "b.ndjson", "--keep-raw"]);
    assert_eq!(report["rescued"], 0, "{report}");
    let read = witness.compare("default.events");
    assert_eq!(read["rows"].as_array().unwrap().len(), 4);
    let columns = read["columns"].to_string();
    for column in ["bigint", "double", "row(", "varbinary"] {
        assert!(columns.contains(column), "{columns}");
    }
    // What PyIceberg adds has the wide columns, and no raw record.
    witness
        .ask("append", &["default.events", &json!([{"id": 4_000_000_000_u64, "ratio": 0.25}]).to_string()]);
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 5);
    place.check_sound();
}

#[test]
fn what_pyiceberg_writes_is_read_here() {
    let Some(witness) = Witness::new("what_pyiceberg_writes_is_read_here") else { return };
    let place = &witness.place;
    place.write("events.ndjson", "{\"id\":1,\"at\":\"2026-01-02T03:04:05Z\",\"tags\":[\"x\"]}\n");
    place.ingest(&["events", "events.ndjson"]);
    let rows =
        json!([{"id": 2, "at": "2026-01-03T00:00:00Z", "tags": ["y", null]}, {"id": null}]).to_string();
    witness.ask("append", &["default.events", &rows]);
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 3);
    witness.ask("evolve", &["default.events"]);
    witness.ask("append", &["default.events", &json!([{"number": 4, "extra": "new"}]).to_string()]);
    let rows = place.rows("select number, extra from events order by number nulls last");
    assert_eq!(rows, json!([[1, null], [2, null], [4, "new"], [null, null]]));
    witness.compare("default.events");
    place.write("more.ndjson", "{\"number\":5,\"at\":\"2026-01-05T00:00:00Z\"}\n");
    place.ingest(&["events", "more.ndjson"]);
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 5);
    witness.ask("create", &["theirs.made"]);
    witness.compare("theirs.made");
    place.rows("insert into theirs.made (number, price) values (3, 2.25)");
    witness.compare("theirs.made");
    place.check_sound();
}

#[test]
fn an_overwritten_table_reads_the_same_with_its_history() {
    let Some(witness) = Witness::new("an_overwritten_table_reads_the_same_with_its_history") else { return };
    let place = &witness.place;
    let event = |id: u32| format!("{{\"id\":{id},\"at\":\"2026-01-0{}T03:04:05Z\"}}\n", 1 + id % 3);
    for (table, ids) in [("events", 0..4), ("events", 4..9), ("others", 20..22)] {
        place.write("events.ndjson", ids.map(event).collect::<String>());
        place.ingest(&[table, "events.ndjson", "--partition-by", "day(at)", "--on-changed", "new"]);
    }
    overwrite(place, "events", Some("others"));
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 2);
    let history = witness.ask("history", &["default.events"]);
    assert_eq!(history["operations"], json!(["append", "append", "overwrite"]));
    assert_eq!(history["rows"], json!([4, 9, 2]), "what each snapshot holds");
    let summary = &history["summaries"][2];
    assert_eq!(summary["deleted-records"], "9");
    assert_eq!(summary["deleted-data-files"], "6");
    assert_eq!(summary["added-records"], "2");
    assert_eq!(summary["total-records"], "2");
    assert_eq!(summary["changed-partition-count"], "3");
    // Status, sequence number, file sequence number, and whether the snapshot is the current one.
    let expected =
        [vec![json!([1, 3, 3, true]); 2], vec![json!([2, 1, 1, true]); 3], vec![json!([2, 2, 2, true]); 3]];
    assert_eq!(history["entries"], Value::from(expected.concat()));

    let rows = json!([{"id": 50, "at": "2026-01-03T00:00:00Z"}]).to_string();
    witness.ask("append", &["default.events", &rows]);
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 3);
    overwrite(place, "events", None);
    assert_eq!(witness.compare("default.events")["rows"], json!([]));
    place.write("more.ndjson", event(60));
    place.ingest(&["events", "more.ndjson"]);
    assert_eq!(witness.compare("default.events")["rows"].as_array().unwrap().len(), 1);
    assert_eq!(witness.ask("history", &["default.events"])["rows"], json!([4, 9, 2, 3, 0, 1]));
    place.check_sound();
}

#[test]
fn what_polars_writes_is_read_here() {
    let Some(witness) = Witness::new("what_polars_writes_is_read_here") else { return };
    let place = &witness.place;
    place.write("events.ndjson", "{\"id\":1,\"at\":\"2026-01-02T03:04:05Z\",\"tags\":[\"x\",null],\"geo\":{\"lat\":1.5,\"name\":\"서울\"}}\n");
    place.ingest(&["plain", "events.ndjson"]);
    place.ingest(&["parts", "events.ndjson", "--partition-by", "day(at), bucket(3, id)"]);
    let rows = json!([{"id": 2, "at": "1969-12-31T23:59:59Z", "tags": ["y", null], "geo": {"lat": 2.5, "name": "부산"}},
                      {"id": 3}, {"id": 4, "at": "2026-01-03T00:00:00Z", "tags": [], "geo": {"name": null}}]);
    place.write("more.ndjson", "{\"id\":9,\"at\":\"1969-12-31T00:00:00Z\",\"later\":[1]}\n");
    for table in ["plain", "parts"] {
        let name = format!("default.{table}");
        for how in ["append", "sink"] {
            witness.ask("polars", &[&name, how, &rows.to_string()]);
            witness.compare(&name);
        }
        place.ingest(&[table, "more.ndjson"]);
        assert_eq!(witness.compare(&name)["rows"].as_array().unwrap().len(), 8);
        let found = format!(
            "select id, count(*) from {table} where at < timestamp '1970-01-01 00:00:00' or id = 3 group by id order by id"
        );
        assert_eq!(place.rows(&found), json!([[2, 2], [3, 2], [9, 1]]));
    }
    witness.ask("polars", &["default.plain", "overwrite", &rows.to_string()]);
    assert_eq!(witness.compare("default.plain")["rows"].as_array().unwrap().len(), 3);
    place.check_sound();
}

#[test]
fn jobs_and_pyiceberg_read_and_write_the_same_tables() {
    let Some(witness) = Witness::new("jobs_and_pyiceberg_read_and_write_the_same_tables") else { return };
    let place = &witness.place;
    let job = |name: &str, mode: &str, select: &str| {
        let keys = format!("target = 'c.{name}'\nmode = '{mode}'");
        place.write(&format!("jobs/{name}.sql"), format!("/* hosu:job\n{keys}\n*/\n{select}\n"));
    };
    job("large", "append", "select id, size from raw.events where size > 5");
    job("sums", "full", "select count(*) as many, sum(size) as size from c.large");
    let run = |arguments: &[&str]| place.hosu(&[&["--output", "json", "job", "run"], arguments].concat());
    let event = |id: u64| format!("{{\"id\":{id},\"size\":{id}}}\n");
    place.write("events.ndjson", (0..10).map(event).collect::<String>());
    place.ingest(&["raw.events", "events.ndjson"]);
    run(&["--all"]).ok();
    assert_eq!(witness.compare("c.large")["rows"].as_array().unwrap().len(), 4);
    // What another engine adds to an input is new data like any other.
    witness
        .ask("append", &["raw.events", &json!([{"id": 10, "size": 10}, {"id": 11, "size": 1}]).to_string()]);
    assert_eq!(run(&["--all"]).ok().json()["runs"][0]["rows_read"], 2);
    assert_eq!(witness.compare("c.large")["rows"].as_array().unwrap().len(), 5);
    assert_eq!(place.rows("select many, size from c.sums"), json!([[5, 40]]));
    witness.compare("c.sums");
    let history = witness.ask("history", &["c.sums"]);
    assert_eq!(history["operations"], json!(["append", "overwrite"]));
    assert_eq!(history["summaries"][1]["hosu.job"], "sums");
    // What it adds to a target is noticed.
    witness.ask("append", &["c.large", &json!([{"id": 99, "size": 99}]).to_string()]);
    run(&["large"]).fails(1, "TARGET_CHANGED", "c.large");
    run(&["large", "--full"]).ok();
    assert_eq!(witness.compare("c.large")["rows"].as_array().unwrap().len(), 5);
    place.check_sound();
}
