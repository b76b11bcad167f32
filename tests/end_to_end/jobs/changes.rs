//! What happens to a target when its tests fail, when nothing is new, and when somebody changes what it stands on.

use std::fs;

use serde_json::json;

use super::{
    add, append_job, check_evens, full_job, history, hosu_job, job, lake, pairs, run_jobs, slow_job,
};

#[test]
fn a_test_that_fails_leaves_the_target_as_it_was() {
    let place = lake(1..4);
    let keys = "target = 'c.t'\nmode = 'append'\ntests = ['n > 0', 'row_count < 5']";
    job(&place, "t", keys, "select n from raw.events");
    run_jobs(&place, &["t"]);
    let (before, files) = (place.rows("select * from c.t order by n"), place.names("lake/warehouse/c"));
    place.write("zero.ndjson", "{\"n\":0}\n{\"n\":-1}\n{\"n\":9}\n");
    place.ingest(&["raw.events", "zero.ndjson"]);
    let error = hosu_job(&place, &["run", "t"]).fails(1, "TEST_FAILED", "`n > 0`");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("{n: 0}") && message.contains("{n: -1}") && !message.contains("{n: 9}"),
        "{message}"
    );
    assert_eq!(place.rows("select * from c.t order by n"), before);
    assert_eq!(place.names("lake/warehouse/c"), files, "nothing is left behind");
    let runs = history(&place, &["t"]);
    assert_eq!((&runs[0]["state"], &runs[0]["snapshot_id"]), (&json!("failed"), &json!(null)));
    assert!(runs[0]["error"].as_str().unwrap().contains("n > 0"), "{}", runs[0]);
    let many = hosu_job(&place, &["run", "t", "--full"]);
    many.fails(1, "TEST_FAILED", "n > 0");
    job(
        &place,
        "t",
        "target = 'c.t'\nmode = 'append'\ntests = ['row_count < 5']",
        "select n from raw.events",
    );
    hosu_job(&place, &["run", "t", "--full"]).fails(1, "TEST_FAILED", "row_count is 6");
    assert_eq!(run_jobs(&place, &["t"]), pairs(&[("t", "succeeded")]));
    place.check_sound();
}

#[test]
fn nothing_new_is_committed_once_and_not_again() {
    let place = lake(0..6);
    append_job(&place);
    full_job(&place);
    run_jobs(&place, &["--all"]);
    let files = place.names("lake/warehouse");
    let idle = pairs(&[("evens", "nothing_new"), ("sums", "nothing_new")]);
    assert_eq!(run_jobs(&place, &["--all"]), idle);
    assert_eq!(place.names("lake/warehouse"), files);
    let snapshot = |target: &str| history(&place, &[target])[0]["snapshot_id"].clone();
    assert_eq!(snapshot("evens"), json!(null));
    assert_eq!(
        run_jobs(&place, &["--all", "--full"]),
        pairs(&[("evens", "succeeded"), ("sums", "succeeded")])
    );
    check_evens(&place);
    assert_ne!(snapshot("evens"), json!(null));
    // New input that yields no row moves the position only.
    place.write("odd.ndjson", "{\"n\":7,\"type\":\"b\",\"size\":1}\n");
    place.ingest(&["raw.events", "odd.ndjson"]);
    run_jobs(&place, &["evens"]);
    assert_eq!(run_jobs(&place, &["evens"]), pairs(&[("evens", "nothing_new")]));
    check_evens(&place);
}

#[test]
fn what_others_write_into_a_target_is_noticed() {
    let place = lake(0..6);
    append_job(&place);
    full_job(&place);
    run_jobs(&place, &["--all"]);
    place.hosu(&["sql", "-c", "insert into c.evens select 100, 1"]).ok();
    place.hosu(&["sql", "-c", "insert into c.sums select 100, 1"]).ok();
    add(&place, 6..8);
    let error = hosu_job(&place, &["run", "evens"]).fails(1, "TARGET_CHANGED", "c.evens");
    assert_eq!(error["remedy"], "`hosu job run evens --full` makes all its rows anew");
    let run = hosu_job(&place, &["run", "sums"]).ok().json();
    let notes = run["runs"][0]["notes"].to_string();
    assert!(notes.contains("another program"), "{notes}");
    assert_eq!(place.rows("select count(*) from c.sums"), json!([[1]]));
    run_jobs(&place, &["evens", "--full"]);
    check_evens(&place);
}

#[test]
fn a_target_that_another_program_made_is_not_taken() {
    let place = lake(0..6);
    place.write("mine.ndjson", "{\"n\":1,\"size\":2}\n");
    place.ingest(&["c.evens", "mine.ndjson"]);
    append_job(&place);
    hosu_job(&place, &["run", "evens"]).fails(1, "TARGET_NOT_OURS", "c.evens");
    assert_eq!(place.rows("select count(*) from c.evens"), json!([[1]]));
}

#[test]
fn a_select_that_means_something_else_needs_all_rows_anew() {
    let place = lake(0..6);
    append_job(&place);
    run_jobs(&place, &["evens"]);
    add(&place, 6..8);
    let keys = "target = 'c.evens'\nmode = 'append'";
    job(&place, "evens", keys, "-- in other words\nSELECT n,\n size FROM raw.events WHERE type='a'");
    assert_eq!(run_jobs(&place, &["evens"]), pairs(&[("evens", "succeeded")]));
    check_evens(&place);
    job(&place, "evens", keys, "select n, size from raw.events where type = 'b'");
    add(&place, 8..10);
    hosu_job(&place, &["run", "evens"]).fails(1, "SELECT_CHANGED", "c.evens");
    run_jobs(&place, &["evens", "--full"]);
    let wanted = place.rows("select n from raw.events where type = 'b' order by n");
    assert_eq!(place.rows("select n from c.evens order by n"), wanted);
}

#[test]
fn a_job_that_was_renamed_says_so() {
    let place = lake(0..6);
    append_job(&place);
    run_jobs(&place, &["evens"]);
    fs::rename(place.path("jobs/evens.sql"), place.path("jobs/even_ones.sql")).unwrap();
    add(&place, 6..8);
    hosu_job(&place, &["run", "evens"]).fails(1, "JOB_NOT_FOUND", "evens");
    hosu_job(&place, &["run", "even_ones"]).fails(1, "TARGET_NOT_OURS", "evens");
    run_jobs(&place, &["even_ones", "--full"]);
    check_evens(&place);
    assert_eq!(history(&place, &["evens"]).len(), 1, "its runs stay");
}

#[test]
fn an_input_that_is_another_one_is_noticed() {
    let place = lake(0..6);
    append_job(&place);
    run_jobs(&place, &["evens"]);
    place.hosu(&["sql", "-c", "drop table raw.events"]).ok();
    hosu_job(&place, &["run", "evens"]).fails(1, "JOB_INVALID", "raw.events");
    add(&place, 0..8);
    hosu_job(&place, &["run", "evens"]).fails(1, "INPUT_CHANGED", "raw.events");
    run_jobs(&place, &["evens", "--full"]);
    check_evens(&place);
}

#[test]
fn an_input_whose_rows_were_replaced_is_noticed() {
    let place = lake(0..6);
    append_job(&place);
    full_job(&place);
    job(&place, "log", "target = 'c.log'\nmode = 'append'", "select many from c.sums");
    run_jobs(&place, &["--all"]);
    add(&place, 6..10);
    let run = hosu_job(&place, &["run", "--all"]);
    run.fails(1, "INPUT_CHANGED", "c.sums");
    assert_eq!(place.rows("select many from c.log"), json!([[3]]));
    run_jobs(&place, &["log", "--full"]);
    assert_eq!(place.rows("select many from c.log"), json!([[5]]));
}

#[test]
fn a_run_that_takes_too_long_fails() {
    let place = lake(0..2_000);
    slow_job(&place, "timeout = '1s'");
    let error = hosu_job(&place, &["run", "slow"]).fails(1, "TIMEOUT", "1 s");
    assert!(error["remedy"].as_str().unwrap().contains("`timeout`"), "{error}");
    assert_eq!(history(&place, &["slow"])[0]["state"], "failed");
    assert!(!place.rows("show databases").to_string().contains("\"c\""), "nothing was made");
}
