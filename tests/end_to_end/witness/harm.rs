//! Another engine does harm to a table, and the audit finds it: who did it is PyIceberg, not a file written by hand.

use serde_json::{Value, json};

use super::pyiceberg::Witness;

/// A table of three sources, the first with one row, the others with two; none when there is no witness here.
fn lake(test: &str) -> Option<Witness> {
    let witness = Witness::new(test)?;
    for (name, lines) in [
        ("a.ndjson", "{\"id\":1}\n"),
        ("b.ndjson", "{\"id\":2}\n{\"id\":3}\nbad\n"),
        ("c.ndjson", "{\"id\":4}\n{\"id\":5}\n"),
    ] {
        witness.place.write(name, lines);
        witness.place.ingest(&["events", name]);
    }
    Some(witness)
}

fn audit(witness: &Witness) -> (i32, Value) {
    let run = witness.place.hosu(&["ingest", "--audit", "events", "--output", "json"]);
    (run.code, run.json())
}

/// The one finding after some harm: its kind, snapshot, source and numbers.
fn found(how: &str) -> Option<(Value, Value)> {
    let witness = lake(how)?;
    let done = witness.ask("harm", &["default.events", how]);
    let (code, audit) = audit(&witness);
    assert_eq!((code, &audit["findings_count"]), (1, &json!(1)), "{how}: {audit}");
    Some((audit["findings"][0].clone(), done))
}

#[test]
fn rows_that_another_engine_deletes_are_found_with_its_snapshot() {
    for (how, operation, source, numbers) in
        [("file", "delete", "a.ndjson", (1, 0)), ("row", "overwrite", "b.ndjson", (2, 1))]
    {
        let Some((finding, done)) = found(how) else { return };
        assert_eq!((&finding["kind"], &done["operation"]), (&json!("rows_removed"), &json!(operation)));
        assert_eq!(finding["snapshot_id"], done["snapshot_id"]);
        assert_eq!(
            (&finding["expected"], &finding["found"]),
            (&json!(numbers.0), &json!(numbers.1)),
            "{finding}"
        );
        assert!(finding["source"].as_str().unwrap().ends_with(source), "{finding}");
    }
}

#[test]
fn a_file_that_another_engine_adds_again_is_found() {
    let Some((finding, _)) = found("double") else { return };
    assert_eq!((&finding["kind"], &finding["found"]), (&json!("file_twice"), &json!(2)), "{finding}");
    assert!(finding["path"].as_str().unwrap().ends_with(".parquet"), "{finding}");
}

#[test]
fn a_rollback_by_another_engine_is_found_and_shown_in_sql() {
    let Some(witness) = lake("rollback") else { return };
    witness.ask("harm", &["default.events", "rollback"]);
    let (code, audit) = audit(&witness);
    assert_eq!((code, &audit["findings_count"]), (1, &json!(1)), "{audit}");
    let finding = &audit["findings"][0];
    assert_eq!((&finding["kind"], &finding["expected"]), (&json!("rolled_back"), &json!(2)), "{finding}");
    assert!(finding["source"].as_str().unwrap().ends_with("c.ndjson"), "{finding}");
    let sql = "select status, rows_added from system.ingests order by source";
    assert_eq!(witness.place.rows(sql), json!([["current", 1], ["current", 2], ["rolled_back", 2]]));
}

#[test]
fn snapshots_that_another_engine_expires_are_no_loss() {
    let Some(witness) = lake("expire") else { return };
    witness.ask("harm", &["default.events", "expire"]);
    let (code, audit) = audit(&witness);
    assert_eq!((code, &audit["findings"]), (0, &json!([])), "{audit}");
    assert_eq!(audit["sources_by_status"], json!({"current": 1, "expired": 2}));
    assert_eq!((&audit["rows"], &audit["others"]), (&json!(5), &json!([])));
}
