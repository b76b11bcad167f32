//! `hosu schedule`: what is due runs, the folder is followed, and it ends when it is asked to.

use std::fs;

use serde_json::{Value, json};

use super::{
    SHORT_LEASE, SLOW_ANSWER, SLOW_EVENTS, Serving, add, append_job, check_evens, history, job, lake,
    slow_job, wait_for,
};
use crate::end_to_end::Place;

/// The sample of a chain that waits for data.
fn data_jobs(place: &Place) {
    let keys = "target = 'c.evens'\nmode = 'append'\nschedule = 'after raw.events'";
    job(place, "evens", keys, "select n, size from raw.events where type = 'a'");
    let keys = "target = 'c.sums'\nmode = 'full'\nschedule = 'after c.evens'";
    job(place, "sums", keys, "select count(*) as many from c.evens");
}

fn ended(state: &str, job: &str) -> impl Fn(&Value) -> bool {
    let (state, job) = (state.to_owned(), job.to_owned());
    move |record| record["state"] == state.as_str() && record["job"] == job.as_str()
}

#[test]
fn until_idle_runs_what_is_due_and_ends() {
    let place = lake(0..10);
    data_jobs(&place);
    append_by_hand(&place);
    let line = ["--output", "json", "schedule", "--until-idle"];
    let served = place.hosu(&line).ok().json();
    assert_eq!(served, json!({ "succeeded": 2, "nothing_new": 0, "failed": 0, "faulty": 0, "error": null }));
    check_evens(&place);
    assert_eq!(place.rows("select many from c.sums"), json!([[5]]));
    assert_eq!(place.hosu(&line).ok().json()["succeeded"], 0);
    add(&place, 10..20);
    assert_eq!(place.hosu(&line).ok().json()["succeeded"], 2);
    assert_eq!(place.rows("select many from c.sums"), json!([[10]]));
    assert_eq!(history(&place, &["evens"])[0]["trigger"], "data");
}

/// A job without a schedule: no scheduler runs it.
fn append_by_hand(place: &Place) {
    job(place, "by_hand", "target = 'c.by_hand'\nmode = 'append'", "select n from raw.events");
}

#[test]
fn a_failed_run_calls_a_command() {
    let place = lake(0..4);
    let command = "[jobs]\non_failure = 'echo \"$HOSU_JOB|$HOSU_TARGET|$HOSU_ERROR|$HOSU_RUN_ID\" >> failed.txt; exit 3'\n";
    place.write("hosu.toml", command);
    let keys = "target = 'c.bad'\nmode = 'full'\nschedule = 'after raw.events'\ntests = ['n > 0']";
    job(&place, "bad", keys, "select n from raw.events");
    data_jobs(&place);
    let run = place.hosu(&["--output", "json", "schedule", "--until-idle"]);
    assert_eq!((run.code, &run.json()["error"]["code"]), (1, &json!("JOBS_FAILED")), "{run:?}");
    let told = fs::read_to_string(place.path("failed.txt")).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("bad|c.bad|the test `n > 0` does not hold"), "{told}");
    let run_id = history(&place, &["bad"])[0]["run_id"].as_str().unwrap().to_owned();
    assert!(told.trim().ends_with(&run_id), "{told}");
    assert!(run.stderr.contains("`on_failure` failed"), "its failure is a warning: {run:?}");
    check_evens(&place);
    // The same data is not tried again by itself.
    place.hosu(&["schedule", "--until-idle"]).ok();
    place.hosu(&["job", "run", "bad"]);
    assert_eq!(fs::read_to_string(place.path("failed.txt")).unwrap().lines().count(), 2);
}

#[test]
fn data_that_comes_while_it_runs_is_taken() {
    let place = lake(0..10);
    data_jobs(&place);
    let mut serving = Serving::start(&place, &["--output", "json", "schedule"]);
    serving.wait("run_ended", ended("succeeded", "sums"));
    add(&place, 10..20);
    wait_for("the second run", || (history(&place, &["sums"]).len() > 1).then_some(()));
    wait_for("the new sum", || (place.rows("select many from c.sums") == json!([[10]])).then_some(()));
    let (code, stdout, records) = serving.stop();
    assert_eq!(code, 0, "{records:#?}");
    let served: Value = serde_json::from_str(stdout.trim()).unwrap();
    assert!(served["succeeded"].as_u64().unwrap() >= 4, "{served}");
    for record in &records {
        assert!(
            record["ts"].is_string() && record["level"].is_string() && record["event"].is_string(),
            "{record}"
        );
    }
    check_evens(&place);
    place.check_sound();
}

#[test]
fn the_folder_is_followed() {
    let place = lake(0..4);
    fs::create_dir(place.path("jobs")).unwrap();
    let mut serving = Serving::start(&place, &["schedule"]);
    serving.wait("jobs_loaded", |record| record["jobs"] == 0);
    let keys = "target = 'c.often'\nmode = 'full'\nschedule = 'every 1s'";
    job(&place, "often", keys, "select count(*) as n from raw.events");
    serving.wait("run_ended", ended("succeeded", "often"));
    job(&place, "wrong", "target = 'c.wrong'\nmode = 'no'", "select 1 as a");
    let fault = serving.wait("job_fault", |record| record["job"] == "wrong");
    assert!(fault["file"].as_str().unwrap().ends_with("jobs/wrong.sql") && fault["line"] == 3, "{fault}");
    job(&place, "often", keys, "select count(*) as n, 1 as more from raw.events");
    fs::remove_file(place.path("jobs/wrong.sql")).unwrap();
    // The target has other columns: that is told, and the others run on.
    serving.wait("job_fault", |record| record["job"] == "often");
    fs::remove_file(place.path("jobs/often.sql")).unwrap();
    let before = serving.records().len();
    wait_for("an empty folder", || {
        let records = serving.records();
        records[before..]
            .iter()
            .any(|record| record["event"] == "jobs_loaded" && record["jobs"] == 0)
            .then_some(())
    });
    assert_eq!(serving.stop().0, 0);
}

#[test]
fn a_running_job_may_finish_when_the_end_is_asked_for() {
    let place = lake(0..SLOW_EVENTS);
    slow_job(&place, "schedule = 'after raw.events'");
    let mut serving = Serving::start(&place, &["schedule"]);
    serving.wait("run_started", |record| record["job"] == "slow");
    serving.signal("-TERM");
    let (code, _, records) = serving.end();
    assert_eq!(code, 0, "{records:#?}");
    assert!(
        records.iter().any(|record| record["event"] == "stopping" && record["running"] == 1),
        "{records:#?}"
    );
    assert!(records.iter().any(|record| record["event"] == "run_ended" && record["state"] == "succeeded"));
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
}

#[test]
fn a_running_job_is_rolled_back_when_its_time_is_over() {
    let place = lake(0..SLOW_EVENTS);
    place.write("hosu.toml", format!("{SHORT_LEASE}grace = '0s'\n"));
    slow_job(&place, "schedule = 'after raw.events'");
    let mut serving = Serving::start(&place, &["schedule"]);
    serving.wait("run_started", |record| record["job"] == "slow");
    let (code, _, records) = serving.stop();
    assert_eq!(code, 0, "{records:#?}");
    let runs = history(&place, &["slow"]);
    assert_eq!((runs.len(), &runs[0]["state"]), (1, &json!("interrupted")), "{records:#?}");
    // What was not done comes again.
    place.hosu(&["schedule", "--until-idle"]).ok();
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
}

#[test]
fn who_asks_twice_gets_the_end_at_once() {
    let place = lake(0..SLOW_EVENTS);
    slow_job(&place, "schedule = 'after raw.events'");
    let mut serving = Serving::start(&place, &["schedule"]);
    serving.wait("run_started", |record| record["job"] == "slow");
    serving.signal("-TERM");
    serving.wait("stopping", |_| true);
    serving.signal("-TERM");
    let (code, _, records) = serving.end();
    assert_eq!(code, 130, "{records:#?}");
    append_job(&place);
    place.hosu(&["job", "run", "slow"]).ok();
    assert_eq!(place.rows("select * from c.slow"), json!([[SLOW_ANSWER]]));
    place.check_sound();
}
