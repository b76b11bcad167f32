//! Runs that are broken off: killed, interrupted, or by a reader that goes away. The lake is as it was, and the same command
//! again does what the first one should have done.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::Place;

fn many(rows: usize) -> String {
    (0..rows).map(|id| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(id % 90))).collect()
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_killed_ingest_leaves_nothing_half_done() {
    let place = Place::new();
    place.write("first.ndjson", many(10));
    place.ingest(&["events", "first.ndjson"]);
    let (rows, mut killed) = (150_000, 0);
    place.write("big.ndjson", many(rows));
    for wait_ms in [5, 40, 160, 400, 900] {
        let mut child = place.start(&["ingest", "events", "big.ndjson"]);
        thread::sleep(Duration::from_millis(wait_ms));
        let finished = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        place.check_sound();
        let found = place.rows("select count(*) from events")[0][0].as_u64().unwrap();
        // It may have been killed after its commit and before its exit.
        assert!(found == 10 || found == 10 + rows as u64, "{found}");
        killed += usize::from(!finished && found == 10);
        if found != 10 {
            break;
        }
    }
    println!("{killed} runs were killed before their commit");
    place.ingest(&["events", "big.ndjson"]);
    assert_eq!(place.rows("select count(*), count(distinct id) from events"), json!([[10 + rows, rows]]));
    place.check_sound();
}

#[test]
fn an_ingest_that_is_interrupted_exits_with_130_and_cleans_up() {
    for name in ["-INT", "-TERM"] {
        let place = Place::new();
        place.write("first.ndjson", many(10));
        place.ingest(&["events", "first.ndjson"]);
        let before = place.names("lake/warehouse");
        let mut child = place.start(&["--output", "json", "ingest", "events", "-"]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(many(5_000).as_bytes()).unwrap();
        // It waits for more: whatever it is doing, it has not committed.
        thread::sleep(Duration::from_millis(300));
        signal(child.id(), name);
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{stdout}");
        assert!(stdout.contains("INTERRUPTED"), "{stdout}");
        assert_eq!(before, place.names("lake/warehouse"));
        assert_eq!(place.rows("select count(*) from events"), json!([[10]]));
        place.check_sound();
    }
}

#[test]
fn a_query_that_is_interrupted_ends_at_once() {
    let place = Place::new();
    place.write("first.ndjson", many(2_000));
    place.ingest(&["events", "first.ndjson"]);
    let endless =
        "select count(*) from events a, events b, events c, events d where a.id + b.id + c.id = d.id";
    let mut child = place.start(&["sql", "-c", endless]);
    thread::sleep(Duration::from_millis(1_500));
    assert!(child.try_wait().unwrap().is_none());
    signal(child.id(), "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    place.write("first.ndjson", many(50_000));
    place.ingest(&["events", "first.ndjson"]);
    let mut command = place.command(&["sql", "-c", "select * from events", "--format", "csv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut start).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
