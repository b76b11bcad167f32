//! Several processes that would do the same work: one does it.

use serde_json::json;

use super::{
    SLOW_ANSWER, SLOW_EVENTS, Serving, add, check_evens, history, hosu_job, job, lake, pairs, run_jobs,
    slow_job, states, wait_for,
};
use crate::end_to_end::Run;

#[test]
fn one_that_was_silent_for_too_long_cannot_commit() {
    let place = lake(0..SLOW_EVENTS);
    slow_job(&place, "");
    let mut silent = Serving::start(&place, &["--output", "json", "job", "run", "slow"]);
    silent.wait("run_started", |record| record["job"] == "slow");
    silent.signal("-STOP");
    // It waits until the lease of the other one has run out, and does the work.
    let run = hosu_job(&place, &["run", "slow"]).ok();
    assert_eq!(states(&run), pairs(&[("slow", "succeeded")]));
    let snapshot = run.json()["runs"][0]["snapshot_id"].clone();
    silent.signal("-CONT");
    let (code, stdout, records) = silent.end();
    assert_eq!(code, 1, "{stdout} {records:#?}");
    let object: serde_json::Value = serde_json::from_str(stdout.trim()).unwrap();
    assert_eq!(object["error"]["code"], "LEASE_LOST", "{object}");
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
    let good: Vec<_> =
        history(&place, &["slow"]).into_iter().filter(|run| run["state"] == "succeeded").collect();
    assert_eq!((good.len(), &good[0]["snapshot_id"]), (1, &snapshot));
    place.check_sound();
}

#[test]
fn a_scheduler_stands_by_and_takes_over() {
    let place = lake(0..10);
    let keys = "target = 'c.evens'\nmode = 'append'\nschedule = 'after raw.events'";
    job(&place, "evens", keys, "select n, size from raw.events where type = 'a'");
    let mut first = Serving::start(&place, &["schedule"]);
    first.wait("run_ended", |record| record["state"] == "succeeded");
    let mut second = Serving::start(&place, &["schedule"]);
    second.wait("standing_by", |_| true);
    first.signal("-STOP");
    second.wait("leading", |_| true);
    add(&place, 10..20);
    second.wait("run_ended", |record| record["state"] == "succeeded");
    check_evens(&place);
    first.signal("-CONT");
    first.wait("overtaken", |_| true);
    first.wait("standing_by", |_| true);
    // The second ends as it should: the first need not wait for its lease.
    assert_eq!(second.stop().0, 0);
    let count = |serving: &Serving, event: &str| {
        serving.records().iter().filter(|record| record["event"] == event).count()
    };
    wait_for("the first one leads again", || (count(&first, "leading") == 2).then_some(()));
    add(&place, 20..30);
    wait_for("its run", || {
        (history(&place, &["evens", "--limit", "100"])
            .iter()
            .filter(|run| run["state"] == "succeeded")
            .count()
            == 3)
            .then_some(())
    });
    assert_eq!(first.stop().0, 0);
    check_evens(&place);
    place.check_sound();
}

#[test]
fn a_scheduler_that_was_killed_is_followed_by_another() {
    let place = lake(0..SLOW_EVENTS);
    slow_job(&place, "schedule = 'after raw.events'");
    let mut first = Serving::start(&place, &["schedule"]);
    first.wait("run_started", |record| record["job"] == "slow");
    first.signal("-KILL");
    drop(first);
    let mut second = Serving::start(&place, &["schedule"]);
    second.wait("run_ended", |record| record["state"] == "succeeded");
    assert_eq!(second.stop().0, 0);
    let runs = history(&place, &["slow"]);
    assert!(runs.iter().any(|run| run["state"] == "interrupted"), "{runs:#?}");
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
}

#[test]
fn runs_of_one_job_at_the_same_time_do_its_work_once() {
    let place = lake(0..40);
    let keys = "target = 'c.evens'\nmode = 'append'";
    job(&place, "evens", keys, "select n, size from raw.events where type = 'a'");
    for round in 1..4 {
        let line = ["--output", "json", "job", "run", "evens"];
        let children: Vec<_> = (0..3).map(|_| place.start(&line)).collect();
        let runs: Vec<Run> =
            children.into_iter().map(|child| Run::from(child.wait_with_output().unwrap())).collect();
        let mut all: Vec<_> =
            runs.into_iter().flat_map(|run| states(&run.ok())).map(|(_, state)| state).collect();
        all.sort();
        assert_eq!(all, ["nothing_new", "nothing_new", "succeeded"], "round {round}");
        check_evens(&place);
        add(&place, round * 40..(round + 1) * 40);
    }
    assert_eq!(run_jobs(&place, &["evens"]), pairs(&[("evens", "succeeded")]));
    check_evens(&place);
}
