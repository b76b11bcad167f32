//! Runs that are stopped, politely and otherwise.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{
    SLOW_ANSWER, SLOW_EVENTS, Serving, add, check_evens, history, job, lake, now, pairs, run_jobs, slow_job,
};
use crate::end_to_end::dice::Dice;
use crate::end_to_end::kills::kills;
use crate::end_to_end::say;

#[test]
fn a_run_that_is_stopped_puts_away_what_it_began() {
    let place = lake(0..SLOW_EVENTS);
    slow_job(&place, "");
    let mut run = Serving::start(&place, &["--output", "json", "job", "run", "slow"]);
    run.wait("run_started", |record| record["job"] == "slow");
    run.signal("-INT");
    let (code, stdout, records) = run.end();
    assert_eq!(code, 130, "{stdout} {records:#?}");
    assert!(stdout.contains("INTERRUPTED"), "{stdout}");
    let runs = history(&place, &["slow"]);
    assert_eq!((runs.len(), &runs[0]["state"]), (1, &json!("interrupted")));
    assert!(!place.path("lake/warehouse/c").exists() || place.names("lake/warehouse/c").is_empty());
    assert_eq!(run_jobs(&place, &["slow"]), pairs(&[("slow", "succeeded")]));
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
    place.check_sound();
}

#[test]
fn runs_that_are_killed_at_any_moment_lose_and_double_nothing() {
    let kills = kills(24);
    let place = lake(0..50);
    // Half of the time a person runs them, half of the time a scheduler.
    let keys = "target = 'c.evens'\nmode = 'append'\nschedule = 'after raw.events'";
    job(&place, "evens", keys, "select n, size from raw.events where type = 'a'");
    let keys = "target = 'c.sums'\nmode = 'full'\nschedule = 'after c.evens'";
    job(&place, "sums", keys, "select count(*) as many, sum(size) as size from c.evens");
    let started = now();
    run_jobs(&place, &["--all"]);
    let whole_ms = u64::try_from(started.elapsed().as_millis()).unwrap();
    let (mut dice, mut killed, mut committed) = (Dice(7), 0, 0);
    let mut before = json!(null);
    for kill in 0..kills {
        add(&place, (kill + 1) * 50..(kill + 2) * 50);
        let line = if kill % 2 == 0 { &["job", "run", "--all"][..] } else { &["schedule"] };
        let mut child = place.start(line);
        // Any moment is a good one. Sometimes the lease of the one that was killed before is waited for first.
        thread::sleep(Duration::from_millis(dice.roll(2) * 1_000 + dice.roll(whole_ms * 3 / 2)));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let rows = place.rows("select count(*), count(distinct n) from c.evens");
        assert_eq!(rows[0][0], rows[0][1], "after {kill} kills");
        committed += u64::from(std::mem::replace(&mut before, rows.clone()) != rows);
    }
    say(&format!("{killed} of {kills} were killed before their end, {committed} had committed"));
    run_jobs(&place, &["--all"]);
    check_evens(&place);
    let sums = place.rows("select count(*), sum(size) from c.evens");
    assert_eq!(place.rows("select many, size from c.sums"), sums);
    assert_eq!(run_jobs(&place, &["--all"]), pairs(&[("evens", "nothing_new"), ("sums", "nothing_new")]));
    let running =
        history(&place, &["--limit", "1000"]).iter().filter(|run| run["state"] == "running").count();
    assert_eq!(running, 0);
    place.check_sound();
}
