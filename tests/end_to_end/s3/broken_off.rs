//! Ingests into S3 that are killed or interrupted: the lake is as it was, and the same command again does what the first one
//! should have done.

use std::io::{Read, Write};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::super::Place;
use super::{Bucket, S3Server, events};

on_every_server!(a_killed_ingest_leaves_a_sound_lake, an_interrupted_ingest_cleans_up);

fn setting(server: &S3Server) -> (Bucket, Place) {
    let bucket = server.new_bucket("lake");
    let place = server.place(&bucket.url("warehouse"));
    place.write("first.ndjson", events(0..10));
    place.ingest(&["events", "first.ndjson"]);
    (bucket, place)
}

fn a_killed_ingest_leaves_a_sound_lake(server: &S3Server) {
    let (_bucket, place) = setting(server);
    let rows = 60_000;
    place.write("big.ndjson", events(10..10 + rows));
    // Wherever in its way the kill meets it, the rules are the same.
    for wait_ms in [30, 200, 500, 900] {
        let mut child = place.start(&["ingest", "events", "big.ndjson"]);
        thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        place.check_sound();
        let found = place.rows("select count(*) from events")[0][0].as_u64().unwrap();
        assert!(found == 10 || found == 10 + rows as u64, "{found}");
    }
    place.ingest(&["events", "big.ndjson"]);
    let all = 10 + rows;
    assert_eq!(place.rows("select count(*), count(distinct id) from events"), json!([[all, all]]));
    place.check_sound();
}

fn an_interrupted_ingest_cleans_up(server: &S3Server) {
    for name in ["-INT", "-TERM"] {
        let (bucket, place) = setting(server);
        let before = bucket.keys("");
        let mut child = place.start(&["--output", "json", "ingest", "events", "-"]);
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds, so that it has begun to read once this returns. It waits for the end, and cannot commit.
        stdin.write_all(events(10..10_000).as_bytes()).unwrap();
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{stdout}");
        assert!(stdout.contains("INTERRUPTED"), "{stdout}");
        assert_eq!(before, bucket.keys(""));
        assert_eq!(place.rows("select count(*) from events"), json!([[10]]));
        place.check_sound();
    }
}
