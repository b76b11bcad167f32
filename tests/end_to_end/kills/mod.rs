//! `hosu ingest` killed at random moments, from its first look at the sources to its exit, while files are added and the same
//! command is run again and again, also by two at a time: in the end every event is in the table or among its rejects, once.

mod feeder;

use std::process::Child;
use std::thread;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use super::s3::{Bucket, S3Server};
use super::serving::now;
use super::witness;
use super::{Place, Run, say};
pub use feeder::Feeder;

/// How many kills one lake gets. A lake begins without a table.
const KILLS_A_LAKE: u64 = 25;

#[test]
fn an_ingest_that_is_killed_at_any_moment_loses_and_doubles_nothing() {
    kill(kills(20), "events", || {
        let place = Place::new();
        let put = |place: &Place, name: &str, bytes: Vec<u8>| drop(place.write(&format!("in/{name}"), bytes));
        Lake { place, put: Box::new(put), source: "in/*".to_owned() }
    });
}

#[test]
fn an_ingest_that_is_killed_loses_and_doubles_nothing_on_minio() {
    let Some(server) = S3Server::minio() else { return };
    kill(kills(8), "events on MinIO", || {
        let (lake, events): (Bucket, Bucket) = (server.new_bucket("lake"), server.new_bucket("events"));
        let (place, source) = (server.place(&lake.url("warehouse")), events.url("in/"));
        let put = move |_: &Place, name: &str, bytes: Vec<u8>| events.put(&format!("in/{name}"), bytes);
        Lake { place, put: Box::new(put), source }
    });
}

/// How many times something is killed: `HOSU_TEST_KILLS`, or else so often.
pub fn kills(usual: u64) -> u64 {
    variable("HOSU_TEST_KILLS").unwrap_or(usual)
}

#[expect(clippy::disallowed_methods, reason = "a test has no configuration but the environment")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Puts a file to the others.
type Put = dyn Fn(&Place, &str, Vec<u8>);

/// A lake, and where its events come from.
struct Lake {
    place: Place,
    put: Box<Put>,
    /// What names all that was put.
    source: String,
}

/// What the kills met.
#[derive(Default)]
struct Tally {
    kills: u64,
    before_commit: u64,
    after_commit: u64,
    too_late: u64,
    beside: u64,
    commits: u64,
    events: usize,
    rejects: usize,
}

fn kill(kills: u64, what: &str, make: impl Fn() -> Lake) {
    let seed = variable("HOSU_TEST_SEED").unwrap_or(17);
    say(&format!("{what}: HOSU_TEST_SEED={seed} HOSU_TEST_KILLS={kills}"));
    let mut story = Story::new(make(), seed);
    story.measure();
    for lake in 1.. {
        let goal = kills.min(lake * KILLS_A_LAKE);
        story.begin(make(), seed + lake);
        while story.tally.kills < goal {
            story.round(goal);
        }
        story.end();
        if goal == kills {
            break;
        }
    }
    let usual_ms = story.usual.as_millis();
    let Tally { kills, before_commit, after_commit, too_late, beside, commits, events, rejects } =
        story.tally;
    say(&format!(
        "{what}: {kills} kills: {before_commit} before the commit, {after_commit} after it, {too_late} after the end, {beside} beside \
         a second ingest; {commits} commits, {events} events, {rejects} rejects, about {usual_ms} ms a run"
    ));
}

/// Holds the table `events` against the account of who fed it: each event and each reject once, and nothing else.
#[track_caller]
pub fn hold(place: &Place, feeder: &Feeder) {
    place.check_sound();
    let audit = place.hosu(&["ingest", "--audit", "events", "--output", "json"]).ok().json();
    assert_eq!((&audit["findings"], &audit["others"]), (&json!([]), &json!([])), "{audit}");
    let expected = (&json!(feeder.good.len()), &json!(feeder.bad.len()));
    assert_eq!((&audit["rows"], &audit["rejected"]), expected, "{audit}");
    let ids: Value = feeder.good.iter().map(|id| json!([id])).collect();
    assert!(place.rows("select id from events order by id") == ids, "other events");
    let rejects = place.rows("select record from events_rejects");
    let rejects = rejects.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap().to_owned());
    let bad = feeder.bad.iter().map(|record| base64::engine::general_purpose::STANDARD.encode(record));
    assert!(sorted(rejects) == sorted(bad), "other rejects");
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

/// One lake on its way.
struct Story {
    lake: Lake,
    feeder: Feeder,
    tally: Tally,
    /// How long an ingest takes when it is not killed.
    usual: Duration,
}

/// Rows of the table and of its rejects.
type Counts = (u64, u64);

impl Story {
    fn new(lake: Lake, seed: u64) -> Self {
        Self { lake, feeder: Feeder::new(seed), tally: Tally::default(), usual: Duration::ZERO }
    }

    /// The same with another lake.
    fn begin(&mut self, lake: Lake, seed: u64) {
        (self.lake, self.feeder) = (lake, Feeder::new(seed));
    }

    /// Sees how long an ingest takes.
    fn measure(&mut self) {
        self.add_files();
        let started = now();
        self.ingest();
        self.usual = started.elapsed();
    }

    fn add_files(&mut self) {
        for _ in 0..1 + self.feeder.dice.roll(4) {
            let (name, bytes) = self.feeder.file();
            (self.lake.put)(&self.lake.place, &name, bytes);
        }
    }

    /// Adds files, and kills ingests of them until one has committed, or until it is enough.
    fn round(&mut self, goal: u64) {
        let before = self.counts();
        self.add_files();
        let mut after = before;
        while after == before && self.tally.kills < goal && self.feeder.dice.roll(8) != 0 {
            after = self.kill_one();
            let all = self.all();
            let is_whole = after == before || after == all;
            assert!(is_whole, "{before:?}, then {after:?}: not the whole commit of {all:?}");
        }
        // Else the files wait, and those of the next round are taken with them.
        if after == before && self.feeder.dice.roll(3) == 0 {
            after = self.ingest_all();
        }
        if after == self.all() && self.feeder.dice.roll(4) == 0 {
            assert_eq!(self.ingest()["rows"], 0, "the same command once more");
        }
        self.tally.commits += u64::from(after != before);
        if self.feeder.dice.roll(4) == 0 {
            self.lake.place.check_sound();
        }
    }

    /// Starts an ingest and kills it; sometimes another one does the same beside it and comes to its end.
    fn kill_one(&mut self) -> Counts {
        let before = self.counts();
        let started = now();
        let mut child = self.start();
        let other = (self.feeder.dice.roll(6) == 0).then(|| self.start());
        // Half of the kills fall into the last part, where the commit is.
        let percent = match self.feeder.dice.roll(2) {
            0 => self.feeder.dice.roll(110),
            _ => 70 + self.feeder.dice.roll(40),
        };
        let moment = self.usual.mul_f64(percent as f64 / 100.0);
        while child.try_wait().unwrap().is_none() && started.elapsed() < moment {
            thread::sleep(Duration::from_millis(1));
        }
        let has_ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        let is_alone = other.is_none();
        if let Some(other) = other {
            Run::from(other.wait_with_output().unwrap()).ok();
        } else if has_ended {
            self.took(started.elapsed());
        }
        let after = self.counts();
        assert!(is_alone || after == self.all(), "the ingest beside the killed one said that it was done");
        self.tally.kills += 1;
        self.tally.beside += u64::from(!is_alone);
        self.tally.too_late += u64::from(is_alone && has_ended);
        self.tally.before_commit += u64::from(is_alone && !has_ended && after == before);
        self.tally.after_commit += u64::from(is_alone && !has_ended && after != before);
        after
    }

    /// Lets one come to its end.
    fn ingest_all(&mut self) -> Counts {
        let (before, all, started) = (self.counts(), self.all(), now());
        let report = self.ingest();
        self.took(started.elapsed());
        assert_eq!(
            (&report["rows"], &report["rejected"]),
            (&json!(all.0 - before.0), &json!(all.1 - before.1))
        );
        assert_eq!(self.counts(), all);
        all
    }

    /// Takes what is left, and holds the table against the account.
    fn end(&mut self) {
        self.ingest();
        assert_eq!(self.ingest()["rows"], 0);
        hold(&self.lake.place, &self.feeder);
        let (good, bad) = (self.feeder.good.len(), self.feeder.bad.len());
        if !self.lake.source.contains("://") {
            for (table, count) in [("default.events", good), ("default.events_rejects", bad)] {
                let place = &self.lake.place;
                assert_eq!(
                    witness::count(place, table).unwrap_or(count),
                    count,
                    "{table}, counted by PyIceberg"
                );
            }
        }
        self.tally.events += good;
        self.tally.rejects += bad;
    }

    /// What must be there once everything is in.
    fn all(&self) -> Counts {
        (self.feeder.good.len() as u64, self.feeder.bad.len() as u64)
    }

    /// What is there. The first commit makes both tables, or neither.
    fn counts(&self) -> Counts {
        let place = &self.lake.place;
        let tables = place.rows("show tables");
        if tables == json!([]) {
            return (0, 0);
        }
        assert_eq!(tables, json!([["events"], ["events_rejects"]]));
        let rows = place.rows(
            "select count(*), count(distinct id), (select count(*) from events_rejects), \
             (select count(distinct record) from events_rejects) from events",
        );
        let count = |at: usize| rows[0][at].as_u64().unwrap();
        assert_eq!((count(0), count(2)), (count(1), count(3)), "something is there twice");
        (count(0), count(2))
    }

    fn line(&self) -> [&str; 4] {
        ["events", &self.lake.source, "--partition-by", "day(at)"]
    }

    fn ingest(&self) -> Value {
        self.lake.place.ingest(&self.line())
    }

    fn start(&self) -> Child {
        self.lake.place.start(&[&["ingest"][..], &self.line()].concat())
    }

    fn took(&mut self, took: Duration) {
        self.usual = (self.usual * 2 + took) / 3;
    }
}
