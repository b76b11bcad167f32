//! Contracts: a JSON Schema that rejects, from the command line and in SQL.

use serde_json::{Value, json};

use super::Place;

const SCHEMA: &str = r#"{"type":"object","required":["id"],"properties":{
    "id":{"type":"integer"},"level":{"type":"integer","minimum":0},
    "at":{"type":"string","format":"date-time"},"tags":{"type":"array","items":{"type":"string","maxLength":3}}}}"#;

fn place() -> Place {
    let place = Place::new();
    place.write("s.json", SCHEMA);
    place
}

fn reasons(place: &Place) -> Value {
    place.rows("select reason from events_rejects order by byte_offset")
}

#[test]
fn a_schema_is_the_contract_of_the_table_that_it_makes() {
    let place = place();
    let lines = "{\"id\":1,\"level\":3,\"more\":{\"a\":1}}\n{\"id\":2,\"level\":-1}\n{\"level\":1}\n{\"id\":9223372036854775808}\n\
                 {\"id\":3,\"at\":\"yesterday\"}\n{\"id\":4,\"tags\":[\"abc\",\"abcd\"]}\nno json\n{\"id\":5,\"level\":\"x\"}\n\
                 {\"id\":6,\"tags\":[\"a\",\"bcde\"]}\n";
    place.write("events.ndjson", lines);
    let dry = place.ingest(&["events", "events.ndjson", "--schema", "s.json", "--dry-run"]);
    let report = place.ingest(&["events", "events.ndjson", "--schema", "s.json"]);
    assert_eq!((&report["rows"], &report["rejected"], &report["rescued"]), (&json!(1), &json!(8), &json!(0)));
    assert_eq!(dry["rejects_by_reason"], report["rejects_by_reason"]);
    let by_reason = &report["rejects_by_reason"];
    assert_eq!(by_reason[0]["reason"], "contract: maxLength at $.tags[*]", "{by_reason}");
    assert_eq!((&by_reason[0]["records"], &by_reason[0]["line_number"]), (&json!(2), &json!(6)));
    assert_eq!(
        reasons(&place),
        json!([
            ["contract: minimum at $.level: -1 is less than the minimum of 0"],
            ["contract: required at $: \"id\" is a required property"],
            ["contract: column at $.id: 9223372036854775808 does not land unchanged in `id` of type long"],
            ["contract: format at $.at: \"yesterday\" is not a \"date-time\""],
            ["contract: maxLength at $.tags[1]: \"abcd\" is longer than 3 characters"],
            ["not JSON: expected null, found 'o', at byte 1"],
            ["contract: type at $.level: \"x\" is not of type \"integer\""],
            ["contract: maxLength at $.tags[1]: \"bcde\" is longer than 3 characters"]
        ])
    );
    assert_eq!(place.rows("select id, level, more.a from events"), json!([[1, 3, 1]]));
    // The table's contract holds without --schema too, and the same schema may be given again.
    place.write("more.ndjson", "{\"id\":7,\"level\":-2,\"new\":1}\n");
    assert_eq!(
        place.ingest(&["events", "more.ndjson"])["columns_added"],
        json!([]),
        "a reject asks for no column"
    );
    place.write("other.ndjson", "{\"id\":8}\n");
    assert_eq!(place.ingest(&["events", "other.ndjson", "--schema", "s.json"])["rows"], 1);
    place.write("s.json", SCHEMA.replace("\"minimum\":0", "\"minimum\":1"));
    let line = ["--output", "json", "ingest", "events", "x.ndjson", "--schema", "s.json"];
    place.write("x.ndjson", "{\"id\":9}\n");
    place.hosu(&line).fails(1, "TABLE_DIFFERS", "another contract");
    place.check_sound();
}

#[test]
fn a_table_gets_and_loses_its_contract_by_the_command_and_by_sql() {
    let place = place();
    place.write("a.ndjson", "{\"id\":1,\"level\":-1}\n");
    place.write("b.ndjson", "{\"id\":2,\"level\":-1}\n");
    place.write("c.ndjson", "{\"id\":3,\"level\":-1}\n");
    place.ingest(&["events", "a.ndjson"]);
    let with_schema = ["--output", "json", "ingest", "events", "b.ndjson", "--schema", "s.json"];
    place.hosu(&with_schema).fails(1, "NO_CONTRACT", "default.events has no contract");
    let set = ["--output", "json", "ingest", "events", "--schema", "s.json", "--set-contract"];
    assert_eq!(place.hosu(&set).ok().json()["contract_changed"], true);
    assert_eq!(place.hosu(&set).ok().json()["contract_changed"], false);
    assert_eq!(place.ingest(&["events", "b.ndjson"])["rejected"], 1);
    let shown = place.rows("show tblproperties events ('hosu.contract')");
    assert_eq!(shown[0][1], SCHEMA);
    assert!(place.rows("show create table events").to_string().contains("hosu.contract"));
    place.rows("alter table events unset tblproperties ('hosu.contract')");
    assert_eq!(place.ingest(&["events", "b.ndjson", "--reingest"])["rows"], 1);
    place.rows("alter table events set tblproperties ('hosu.contract' = '{\"properties\": {\"level\": {\"minimum\": -1}}}')");
    assert_eq!(place.ingest(&["events", "c.ndjson"])["rows"], 1);
    for (bad, expected) in [
        ("{", "no JSON"),
        ("{\"type\": \"number of\"}", "schema at $.type"),
        ("{\"$ref\": \"https://example.com/x\"}", "only places of the same schema"),
    ] {
        let sql = format!("alter table events set tblproperties ('hosu.contract' = '{bad}')");
        let run = place.hosu(&["sql", "--output", "json", "-c", &sql]);
        assert!(run.code == 1 && run.stdout.contains("INVALID_TABLE_PROPERTY"), "{run:?}");
        assert!(run.stdout.contains(expected), "{run:?}");
    }
    place.check_sound();
}

#[test]
fn the_sample_schemas_hold_for_the_sample_data() {
    let place = Place::new();
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for (table, data, schema, rows) in [
        ("games", "game-events.ndjson", "game-event.schema.json", 3000),
        ("trail", "cloudtrail.ndjson", "cloudtrail.schema.json", 1000),
    ] {
        let (data, schema) = (format!("{project}/sample-data/{data}"), format!("{project}/schemas/{schema}"));
        let report = place.ingest(&[table, &data, "--schema", &schema]);
        assert_eq!((&report["rows"], &report["rejected"]), (&json!(rows), &json!(0)), "{report}");
    }
    let wrong = format!("{project}/sample-data/wrong-lines.ndjson");
    let report = place.ingest(&["games", &wrong]);
    assert_eq!(report["rows"], 0, "{report}");
    assert!(report.to_string().contains("contract: format at $.event_id"), "{report}");
    place.check_sound();
}
