//! `hosu ingest --follow`: files that grow and rotate, stops that are polite and others.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::dice::Dice;
use super::kills::kills;
use super::s3::S3Server;
use super::{Place, say};

/// A follower that commits what it sees.
const FOLLOW: [&str; 6] = ["ingest", "events", "logs", "--follow", "--commit-age", "0s"];

fn append(place: &Place, name: &str, text: &str) {
    fs::create_dir_all(place.path("logs")).unwrap();
    let file = OpenOptions::new().append(true).create(true).open(place.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

fn until_idle(place: &Place) -> Value {
    let line = ["--output", "json", "ingest", "events", "logs", "--follow", "--until-idle"];
    place.hosu(&line).ok().json()
}

/// Writes events of two logs, with numbers from 0, some of them no JSON; and keeps its own account.
struct Feeder {
    dice: Dice,
    next: u64,
    good: u64,
    bad: u64,
    rotations: u64,
}

impl Feeder {
    fn feed(&mut self, place: &Place) {
        let log = format!("logs/{}.log", self.dice.roll(2));
        for _ in 0..1 + self.dice.roll(40) {
            let id = self.next;
            self.next += 1;
            let line = if self.dice.roll(20) == 0 {
                self.bad += 1;
                format!("bad {id}\n")
            } else {
                self.good += 1;
                format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(self.dice.roll(90) as usize))
            };
            // A line may come in two pieces, with a look between them.
            let cut = self.dice.roll(line.len() as u64) as usize;
            append(place, &log, &line[..cut]);
            append(place, &log, &line[cut..]);
        }
        if self.dice.roll(12) == 0 && place.path(&log).exists() {
            self.rotations += 1;
            fs::rename(place.path(&log), place.path(&format!("{log}.{}", self.rotations))).unwrap();
        }
    }
}

fn lose_and_double_nothing(place: &Place, kills: u64) {
    let mut feeder = Feeder { dice: Dice(11), next: 0, good: 0, bad: 0, rotations: 0 };
    feeder.feed(place);
    until_idle(place);
    let mut committed = 0;
    let mut before = json!(null);
    for kill in 0..kills {
        let mut child = place.command(&FOLLOW).spawn().unwrap();
        for _ in 0..1 + feeder.dice.roll(12) {
            feeder.feed(place);
            // Any moment is a good one.
            thread::sleep(Duration::from_millis(feeder.dice.roll(200)));
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let rows = place.rows("select count(*), count(distinct id) from events");
        assert_eq!(rows[0][0], rows[0][1], "after {kill} kills");
        committed += u64::from(std::mem::replace(&mut before, rows.clone()) != rows);
    }
    until_idle(place);
    let Feeder { good, bad, rotations, next, .. } = feeder;
    say(&format!("{kills} kills, {committed} after commits; {next} events, {rotations} rotations"));
    let rows = place.rows("select count(*), count(distinct id) from events");
    assert_eq!(rows, json!([[good, good]]));
    let rejects = place.rows("select count(*), count(distinct record) from events_rejects");
    assert_eq!(rejects, json!([[bad, bad]]));
    place.check_sound();
}

#[test]
fn a_follower_that_is_killed_at_any_moment_loses_and_doubles_nothing() {
    lose_and_double_nothing(&Place::new(), kills(15));
}

#[test]
fn a_follower_that_is_killed_loses_and_doubles_nothing_on_minio() {
    let Some(server) = S3Server::minio() else { return };
    let bucket = server.new_bucket("lake");
    lose_and_double_nothing(&server.place(&bucket.url("warehouse")), kills(15));
}

#[test]
fn a_stop_commits_what_is_complete() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        append(&place, "logs/a.log", "{\"id\":1}\n{\"id\":2}\n{\"id\":");
        let line = ["--output", "json", "ingest", "events", "logs", "--follow", "--log", "json"];
        let mut child = place.start(&line);
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        // The default waits a minute before it commits so little.
        let told: Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
        assert_eq!((&told["event"], &told["sources"]), (&json!("following"), &json!(1)));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let events: Vec<Value> = log.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["stopping", "committed", "ended"], "{events:?}");
        assert_eq!(events[1]["rows"], json!(2));
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{stdout}");
        let ended: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&ended["rows"], &ended["commits"]), (&json!(2), &json!(1)));
        append(&place, "logs/a.log", "3}\n");
        assert_eq!(until_idle(&place)["rows"], json!(1));
        assert_eq!(place.rows("select id from events order by 1"), json!([[1], [2], [3]]));
    }
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let place = Place::new();
    let usage = |line: &[&str], names: &str| {
        place.hosu(&[&["--output", "json", "ingest", "events"], line].concat()).fails(2, "USAGE", names)
    };
    usage(&["-", "--follow"], "standard input");
    usage(&["a", "--follow", "--commit-bytes", "much"], "much");
    usage(&["a", "--follow", "--commit-age", "soon"], "soon");
    usage(&["a", "--follow", "--dry-run"], "--dry-run");
    usage(&["a", "--until-idle"], "required");
    let idle = place.hosu(&["ingest", "events", "absent.log", "--follow", "--until-idle"]);
    assert_eq!(idle.code, 1, "{idle:?}");
    assert!(idle.stderr.contains("absent.log does not exist"), "{idle:?}");
}
