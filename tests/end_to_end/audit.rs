//! `hosu ingest --audit`: what is planted is found. The cases are those of the crate; here is what a person and a script see.

use std::fs;

use serde_json::json;

use super::Place;

fn place() -> Place {
    let place = Place::new();
    place.write("a.ndjson", "{\"id\":1}\n{\"id\":2}\nbad\n");
    place.write("b.ndjson", "{\"id\":3}\n");
    place.ingest(&["events", "a.ndjson"]);
    place.ingest(&["events", "b.ndjson"]);
    place
}

#[test]
fn a_sound_table_exits_with_0_and_others_are_named() {
    let place = place();
    let audit = place.hosu(&["ingest", "--audit", "events", "--output", "json"]).ok().json();
    assert_eq!((&audit["rows"], &audit["sources"], &audit["rejected"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!((&audit["findings"], &audit["others"]), (&json!([]), &json!([])), "{audit}");
    place.rows("insert into events (id) values (9)");
    let audit = place.hosu(&["ingest", "--audit", "events", "--output", "json"]).ok().json();
    assert_eq!(
        (&audit["others"][0]["writer"], &audit["others"][0]["rows_added"]),
        (&json!("hosu"), &json!(1))
    );
    let people = place.hosu(&["ingest", "events", "--audit"]).ok().stdout;
    assert!(people.contains("not ingested: 1 row in 1 snapshot of default.events by hosu"), "{people}");
    assert!(people.contains("everything that was ingested is accounted for"), "{people}");
    let ingests =
        "select source like '%a.ndjson', rows_added, rejected, status from system.ingests order by 2 desc";
    assert_eq!(place.rows(ingests), json!([[true, 2, 1, "current"], [false, 1, 0, "current"]]));
}

#[test]
fn a_lost_file_exits_with_1_and_names_the_source() {
    let place = place();
    let is_data = |path: &std::path::PathBuf| {
        let text = path.display().to_string();
        text.ends_with(".parquet") && !text.contains("_rejects")
    };
    for path in place.files("lake/warehouse").into_keys().filter(is_data) {
        fs::remove_file(path).unwrap();
    }
    let run = place.hosu(&["ingest", "--audit", "events", "--output", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let audit = run.json();
    assert_eq!((&audit["findings_count"], &audit["rows"]), (&json!(2), &json!(0)));
    assert_eq!(audit["findings"][0]["kind"], "file_missing");
    assert!(audit["findings"][0]["source"].as_str().unwrap().ends_with("a.ndjson"), "{audit}");
    let people = place.hosu(&["ingest", "--audit", "events"]);
    assert!(people.code == 1 && people.stdout.contains("FOUND default.events: a data file of snapshot"));
}

#[test]
fn wrong_usage_is_told() {
    let place = place();
    assert_eq!(place.hosu(&["ingest", "--audit", "events", "a.ndjson"]).code, 2);
    assert_eq!(place.hosu(&["ingest", "events", "--allow-removed", "a.ndjson"]).code, 2);
    place.hosu(&["ingest", "--audit", "none", "--output", "json"]).fails(1, "TABLE_NOT_FOUND", "none");
}
