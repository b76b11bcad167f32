//! Jobs as a person, a script and a scheduler use them.

mod bad_input;
mod broken_off;
mod changes;
mod commands;
mod sample;
mod scheduler;
mod together;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::serving::{PATIENCE, Serving, now};
use super::{Place, Run};

/// The settings of most tests: a lease that runs out soon.
const SHORT_LEASE: &str = "[jobs]\nlease = \"1s\"\n";

/// Events by their numbers, of the type `a` if even and `b` if odd.
fn events(numbers: std::ops::Range<u64>) -> String {
    let event =
        |n: u64| format!("{{\"n\":{n},\"type\":\"{}\",\"size\":{}}}\n", ["a", "b"][(n % 2) as usize], n * 10);
    numbers.map(event).collect()
}

/// A lake whose `raw.events` has these events.
fn lake(numbers: std::ops::Range<u64>) -> Place {
    let place = Place::new();
    place.write("hosu.toml", SHORT_LEASE);
    add(&place, numbers);
    place
}

/// Adds events to `raw.events`.
fn add(place: &Place, numbers: std::ops::Range<u64>) {
    let name = format!("events-{}-{}.ndjson", numbers.start, numbers.end);
    place.write(&name, events(numbers));
    place.ingest(&["raw.events", &name]);
}

/// Writes a job.
fn job(place: &Place, name: &str, keys: &str, select: &str) -> PathBuf {
    place.write(&format!("jobs/{name}.sql"), format!("/* hosu:job\n{keys}\n*/\n{select}\n"))
}

/// A job that appends the events of type `a`.
fn append_job(place: &Place) {
    job(
        place,
        "evens",
        "target = 'c.evens'\nmode = 'append'",
        "select n, size from raw.events where type = 'a'",
    );
}

/// A job that sums them up.
fn full_job(place: &Place) {
    job(
        place,
        "sums",
        "target = 'c.sums'\nmode = 'full'",
        "select count(*) as many, sum(size) as size from c.evens",
    );
}

/// A job that takes some seconds.
fn slow_job(place: &Place, more: &str) {
    let keys = format!("target = 'c.slow'\nmode = 'full'\n{more}");
    let select =
        "select count(*) as many from raw.events a, raw.events b, raw.events c where a.n + b.n + c.n = 7";
    job(place, "slow", &keys, select);
}

/// What the slow job counts: the ways to write 7 as a sum of three events' numbers.
const SLOW_ANSWER: u64 = 36;

/// The events that make it slow.
const SLOW_EVENTS: u64 = 400;

/// `hosu --output json job …`.
fn hosu_job(place: &Place, arguments: &[&str]) -> Run {
    place.hosu(&[&["--output", "json", "job"], arguments].concat())
}

/// The states of the runs of `hosu job run …`, with their jobs.
#[track_caller]
fn states(run: &Run) -> Vec<(String, String)> {
    let object = run.json();
    let text = |run: &Value, name: &str| run[name].as_str().unwrap().to_owned();
    object["runs"].as_array().unwrap().iter().map(|run| (text(run, "job"), text(run, "state"))).collect()
}

/// Runs jobs, which succeed, and gives their states.
#[track_caller]
fn run_jobs(place: &Place, arguments: &[&str]) -> Vec<(String, String)> {
    states(&hosu_job(place, &[&["run"], arguments].concat()).ok())
}

/// The runs in the history, the newest first.
fn history(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let run = hosu_job(place, &[&["history"], arguments].concat()).ok();
    run.json()["runs"].as_array().unwrap().clone()
}

/// Asserts that `c.evens` is what its SELECT gives over all events.
#[track_caller]
fn check_evens(place: &Place) {
    let wanted = place.rows("select n, size from raw.events where type = 'a' order by n");
    assert_eq!(place.rows("select n, size from c.evens order by n"), wanted);
}

fn pairs(states: &[(&str, &str)]) -> Vec<(String, String)> {
    states.iter().map(|(job, state)| ((*job).to_owned(), (*state).to_owned())).collect()
}

/// Looks again and again until there is something.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what} never came");
        thread::sleep(Duration::from_millis(20));
    }
}
