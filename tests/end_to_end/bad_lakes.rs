//! Places that are no lake, and catalogs that cannot be used: one clear error, and everything as it was.

use std::fs;

use super::Place;

/// Both a command that reads and one that writes.
fn commands(lake: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["--output", "json", "--lake", lake, "doctor"],
        vec!["--output", "json", "--lake", lake, "ingest", "events", "events.ndjson"],
    ]
}

#[test]
fn a_file_is_no_lake() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    place.write("letter", "dear");
    for line in commands("letter") {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "letter");
    }
    assert_eq!(fs::read_to_string(place.path("letter")).unwrap(), "dear");
}

#[test]
fn a_folder_of_other_things_is_no_lake() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    place.write("photos/one.jpg", "jpg");
    for line in commands("photos") {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "one.jpg");
    }
    assert_eq!(place.files("photos").len(), 1);
}

#[test]
fn a_catalog_that_is_garbage_is_told_and_left_alone() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    let garbage = "this is no database, and long enough to be taken for one. ".repeat(40);
    place.write("lake/catalog.db", &garbage);
    for line in commands("lake").into_iter().take(1) {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "catalog.db");
    }
    assert_eq!(fs::read_to_string(place.path("lake/catalog.db")).unwrap(), garbage);
    assert_eq!(place.files("lake").len(), 1);
}
