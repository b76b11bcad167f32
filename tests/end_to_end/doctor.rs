//! `hosu doctor`: finds what is missing or differs, and names it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Place;

fn lake() -> (Place, PathBuf) {
    let place = Place::new();
    place.write("events.ndjson", "{\"id\":1}\n{\"id\":2}\nno json\n");
    place.ingest(&["events", "events.ndjson"]);
    let is_data = |path: &PathBuf| {
        let text = path.display().to_string();
        text.ends_with(".parquet") && !text.contains("_rejects")
    };
    let data = place.files("lake/warehouse").into_keys().find(is_data).unwrap();
    (place, data)
}

fn findings(place: &Place) -> Vec<Value> {
    let run = place.hosu(&["doctor", "--output", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    run.json()["findings"].as_array().unwrap().clone()
}

#[test]
fn a_sound_lake_is_told_with_its_figures() {
    let (place, _) = lake();
    let report = place.hosu(&["doctor", "--output", "json"]).ok().json();
    let tables = report["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 2, "{report}");
    let figures =
        (&tables[0]["table"], &tables[0]["rows"], &tables[0]["data_files"], &tables[0]["snapshots"]);
    assert_eq!(figures, (&json!("default.events"), &json!(2), &json!(1), &json!(1)));
    let people = place.hosu(&["doctor"]).ok().stdout;
    assert!(people.contains("default.events: 2 rows") && people.contains("everything is where it should be"));
}

#[test]
fn a_data_file_that_is_gone_is_named() {
    let (place, data) = lake();
    fs::remove_file(&data).unwrap();
    let found = findings(&place);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["kind"], &found[0]["table"]), (&json!("file_missing"), &json!("default.events")));
    assert!(found[0]["path"].as_str().unwrap().ends_with(data.to_str().unwrap()), "{found:?}");
    let people = place.hosu(&["doctor"]);
    assert_eq!(people.code, 1);
    assert!(people.stdout.contains(data.to_str().unwrap()), "{people:?}");
}

#[test]
fn a_data_file_that_was_cut_is_named() {
    let (place, data) = lake();
    let bytes = fs::read(&data).unwrap();
    fs::write(&data, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(findings(&place)[0]["kind"], "file_size");
    fs::write(&data, vec![b'x'; bytes.len()]).unwrap();
    assert_eq!(findings(&place)[0]["kind"], "file_unreadable");
}

#[test]
fn a_manifest_and_a_metadata_file_that_are_gone_are_named() {
    let (place, _) = lake();
    let gone = |end: &str| {
        let is_it = |path: &PathBuf| {
            let text = path.display().to_string();
            text.ends_with(end) && !text.contains("_rejects") && !text.contains("snap-")
        };
        let path = place.files("lake/warehouse").into_keys().find(is_it).unwrap();
        fs::remove_file(&path).unwrap();
        let found = findings(&place);
        assert!(
            found.iter().any(|finding| finding.to_string().contains(path.to_str().unwrap())),
            "{found:?}"
        );
        found
    };
    assert_eq!(gone("-m0.avro")[0]["kind"], "manifest_unreadable");
    assert_eq!(gone(".metadata.json")[0]["kind"], "metadata_unreadable");
}

#[test]
fn orphans_are_counted_and_are_no_finding() {
    let (place, data) = lake();
    fs::write(data.with_file_name("left-behind.parquet"), "12345").unwrap();
    // As Hadoop writes it: it goes with the data file.
    let name = format!(".{}.crc", data.file_name().unwrap().display());
    fs::write(data.with_file_name(name), "1234").unwrap();
    let report = place.hosu(&["doctor", "--output", "json"]).ok().json();
    assert_eq!(
        (&report["tables"][0]["orphan_files"], &report["tables"][0]["orphan_bytes"]),
        (&json!(1), &json!(5))
    );
}

#[test]
fn a_lost_catalog_is_not_taken_for_an_empty_lake() {
    let (place, _) = lake();
    fs::remove_file(place.path("lake/catalog.db")).unwrap();
    for rest in ["lake/catalog.db-wal", "lake/catalog.db-shm"] {
        let _ = fs::remove_file(place.path(rest));
    }
    assert_eq!(findings(&place)[0]["kind"], "catalog_missing");
}
