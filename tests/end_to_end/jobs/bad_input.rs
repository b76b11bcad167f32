//! Files that are no good jobs: each is told with its file and line, and the others run on.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::{append_job, hosu_job, job, lake, pairs, run_jobs, states};

#[test]
fn every_fault_is_told_with_file_and_line() {
    let place = lake(0..4);
    append_job(&place);
    let taken =
        "create schema c; create table c.taken (other varchar) tblproperties ('table_type'='ICEBERG')";
    place.hosu(&["sql", "-c", taken]).ok();
    let bad: &[(&str, &[u8], u64, &str)] = &[
        ("no_comment", b"select 1 as a", 1, "does not begin with"),
        ("no_toml", b"/* hosu:job\ntarget = \nmode = 'full'\n*/ select 1 as a", 2, ""),
        (
            "unknown_key",
            b"/* hosu:job\ntarget = 'c.x'\nmode = 'full'\nmodus = 1\n*/ select 1 as a",
            4,
            "modus",
        ),
        (
            "never",
            b"/* hosu:job\ntarget = 'c.x'\nmode = 'full'\nschedule = '0 0 30 2 *'\n*/ select 1 as a",
            4,
            "never",
        ),
        (
            "zone",
            b"/* hosu:job\ntarget = 'c.x'\nmode = 'full'\ntimezone = 'Asia/Soul'\n*/ select 1 as a",
            4,
            "Asia/Seoul",
        ),
        ("not_utf8", b"/* hosu:job\ntarget = 'c.x'\nmode = 'full'\n*/\nselect '\xff' as a", 5, "UTF-8"),
        (
            "missing",
            b"/* hosu:job\ntarget = 'c.missing'\nmode = 'full'\n*/\nselect * from raw.event",
            5,
            "raw.events",
        ),
        (
            "column",
            b"/* hosu:job\ntarget = 'c.column'\nmode = 'full'\n*/\nselect n,\n  sise from raw.events",
            6,
            "sise",
        ),
        (
            "syntax",
            b"/* hosu:job\ntarget = 'c.syntax'\nmode = 'full'\n*/\nselect n frm raw.events where",
            5,
            "",
        ),
        (
            "two",
            b"/* hosu:job\ntarget = 'c.two'\nmode = 'full'\n*/\nselect 1 as a;\nselect 2 as a",
            6,
            "one SELECT",
        ),
        (
            "counts",
            b"/* hosu:job\ntarget = 'c.counts'\nmode = 'append'\n*/\nselect count(*) as n from raw.events",
            5,
            "full",
        ),
        (
            "test",
            b"/* hosu:job\ntarget = 'c.test'\nmode = 'full'\ntests = ['m > 1']\n*/\nselect n from raw.events",
            4,
            "m",
        ),
        ("one_of_two", b"/* hosu:job\ntarget = 'c.both'\nmode = 'full'\n*/\nselect 1 as a", 5, "two_of_two"),
        ("two_of_two", b"/* hosu:job\ntarget = 'c.both'\nmode = 'full'\n*/\nselect 2 as a", 5, "one_of_two"),
        ("around", b"/* hosu:job\ntarget = 'c.around'\nmode = 'full'\n*/\nselect * from c.back", 5, "around"),
        ("back", b"/* hosu:job\ntarget = 'c.back'\nmode = 'full'\n*/\nselect * from c.around", 5, "around"),
        (
            "unfit",
            b"/* hosu:job\ntarget = 'c.taken'\nmode = 'full'\n*/\nselect n from raw.events",
            5,
            "c.taken",
        ),
    ];
    for (name, bytes, _, _) in bad {
        place.write(&format!("jobs/{name}.sql"), bytes);
    }
    place.write("jobs/my job.sql", "/* hosu:job\ntarget = 'c.y'\nmode = 'full'\n*/ select 1 as a");
    symlink(place.path("nowhere"), place.path("jobs/link.sql")).unwrap();
    let before = place.names("lake");
    let check = hosu_job(&place, &["check"]);
    assert_eq!(check.code, 1, "{check:?}");
    let faults: Vec<Value> = check.json()["faults"].as_array().unwrap().clone();
    for (name, _, line, part) in bad {
        let fault = faults
            .iter()
            .find(|fault| fault["job"] == *name)
            .unwrap_or_else(|| panic!("{name}: {faults:#?}"));
        assert!(fault["file"].as_str().unwrap().ends_with(&format!("jobs/{name}.sql")), "{fault}");
        assert!(fault["message"].as_str().unwrap().contains(part), "`{part}`: {fault}");
        assert_eq!(fault["line"], *line, "{fault}");
    }
    let of_link = faults.iter().find(|fault| fault["job"] == "link").unwrap();
    assert!(of_link["message"].as_str().unwrap().starts_with("it cannot be read"), "{of_link}");
    assert_eq!(faults.len(), bad.len() + 2, "{faults:#?}");
    let people = place.hosu(&["job", "check"]);
    assert!(people.stdout.contains(&format!("{}, line 6: ", place.text("jobs/column.sql"))), "{people:?}");
    assert_eq!(place.names("lake"), before, "nothing is written");
    hosu_job(&place, &["run", "zone"]).fails(1, "JOB_INVALID", "Asia/Soul");
    hosu_job(&place, &["run", "unfit"]).fails(1, "JOB_INVALID", "c.taken");
    assert_eq!(run_jobs(&place, &["evens"]), pairs(&[("evens", "succeeded")]));
    let all = hosu_job(&place, &["run", "--all"]);
    assert_eq!(all.code, 1);
    assert!(states(&all).contains(&("evens".to_owned(), "nothing_new".to_owned())), "{all:?}");
}

#[test]
fn what_runs_after_a_job_with_a_fault_is_kept_back() {
    let place = lake(0..4);
    job(&place, "first", "target = 'c.first'\nmode = 'full'", "select nothing from raw.events");
    job(&place, "second", "target = 'c.second'\nmode = 'full'", "select * from c.first");
    let check = hosu_job(&place, &["check"]).json();
    assert_eq!(check["faults"].as_array().unwrap().len(), 2, "{check}");
    hosu_job(&place, &["run", "second"]).fails(1, "JOB_INVALID", "c.first");
}

#[test]
fn a_job_after_one_that_failed_is_not_run() {
    let place = lake(0..4);
    job(&place, "first", "target = 'c.first'\nmode = 'full'\ntests = ['n > 0']", "select n from raw.events");
    job(&place, "second", "target = 'c.second'\nmode = 'full'", "select * from c.first");
    append_job(&place);
    let run = hosu_job(&place, &["run", "--all"]);
    run.fails(1, "TEST_FAILED", "n > 0");
    assert_eq!(run.json()["skipped"], json!([{ "job": "second", "upstream": "first" }]));
    assert!(states(&run).contains(&("evens".to_owned(), "succeeded".to_owned())), "{run:?}");
    let text = place.hosu(&["job", "run", "--all"]);
    assert!(text.stderr.contains("second: not run, because `first` did not succeed"), "{text:?}");
}
