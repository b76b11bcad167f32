//! `--since` and `--after`: only what is new enough is read.

use std::fs::File;
use std::time::Duration;

use serde_json::json;

use super::Place;

#[test]
fn only_files_that_are_new_enough_are_read() {
    let place = Place::new();
    for (name, days) in [("a", 10), ("b", 5), ("c", 0)] {
        let path = place.write(&format!("logs/{name}.json"), format!("{{\"name\":\"{name}\"}}\n"));
        let file = File::options().write(true).open(path).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - Duration::from_secs(days * 86_400)).unwrap();
    }
    let report = place.ingest(&["since", "logs", "--since", "7d"]);
    assert_eq!((&report["rows"], &report["sources_passed_over"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!(place.rows("select name from since order by 1"), json!([["b"], ["c"]]));
    let report = place.ingest(&["after", "logs", "--after", "logs/a.json"]);
    assert_eq!((&report["rows"], &report["sources_passed_over"]), (&json!(2), &json!(1)), "{report}");
    let report = place.ingest(&["both", "logs/*.json", "--after", "logs/b", "--since", "1h"]);
    assert_eq!((&report["rows"], &report["sources_passed_over"]), (&json!(1), &json!(2)), "{report}");
    // The ledger goes on to say what is new.
    let run = place.hosu(&["ingest", "since", "logs", "--since", "2020-01-01"]).ok();
    assert!(
        run.stdout.contains("1 row from 1 source") && run.stdout.contains("2 sources skipped"),
        "{run:?}"
    );
    let run = place.hosu(&["ingest", "since", "logs", "--since", "2999-01-01T00:00:00Z"]).ok();
    assert!(run.stdout.contains("nothing new") && run.stdout.contains("3 sources passed over"), "{run:?}");
    for time in ["yesterday", "-1d", "2026-13-01", ""] {
        let time = format!("--since={time}");
        place.hosu(&["--output", "json", "ingest", "since", "logs", &time]).fails(2, "USAGE", "--since");
    }
    place.check_sound();
}
