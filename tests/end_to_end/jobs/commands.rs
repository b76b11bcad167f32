//! What the commands print, for people and programs, and what they say when they are used wrong.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{
    add, append_job, check_evens, full_job, history, hosu_job, job, lake, pairs, run_jobs, slow_job, states,
};
use crate::end_to_end::{Place, say};

#[test]
fn jobs_are_listed_with_what_became_of_them() {
    let place = lake(0..10);
    append_job(&place);
    full_job(&place);
    job(
        &place,
        "late",
        "target = 'c.late'\nmode = 'full'\nschedule = '0 9 * * *'\ntimezone = 'Asia/Seoul'",
        "select 1 as one",
    );
    let list = hosu_job(&place, &["list"]).ok().json();
    let names: Vec<&str> =
        list["jobs"].as_array().unwrap().iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(names, ["evens", "late", "sums"]);
    let evens = &list["jobs"][0];
    assert_eq!((&evens["last_run"], &evens["lag"][0]["rows"]), (&json!(null), &json!(10)));
    let next = list["jobs"][1]["next_run"].as_str().unwrap();
    assert!(next.ends_with("T09:00:00.000+09:00"), "{next}");
    run_jobs(&place, &["--all"]);
    add(&place, 10..14);
    let list = hosu_job(&place, &["list"]).ok().json();
    assert_eq!(list["jobs"][0]["last_run"]["state"], "succeeded");
    assert_eq!(list["jobs"][0]["lag"], json!([{ "table": "raw.events", "snapshots": 1, "rows": 4 }]));
    assert_eq!(list["jobs"][2]["upstream"], json!(["evens"]));
    run_jobs(&place, &["evens", "--full"]);
    let list = hosu_job(&place, &["list"]).ok().json();
    let all = json!([{ "table": "c.evens", "snapshots": null, "rows": 7 }]);
    assert_eq!(list["jobs"][2]["lag"], all, "what was replaced is taken as a whole");
    add(&place, 14..18);
    let text = place.hosu(&["job", "list"]).ok().stdout;
    assert!(text.contains("raw.events: 1 snapshot, 4 rows") && text.contains("09:00:00 KST"), "{text}");
    let graph = place.hosu(&["job", "list", "--graph"]).ok().stdout;
    let expected = "raw.events\n\
                    └─ evens -> c.evens  (append, by hand, succeeded)\n   \
                       └─ sums -> c.sums  (full, by hand, succeeded)\n\
                    late -> c.late  (full, 0 9 * * *, succeeded)\n";
    assert_eq!(graph, expected);
}

#[test]
fn a_plan_tells_what_a_run_would_do_and_does_nothing() {
    let place = lake(0..10);
    append_job(&place);
    full_job(&place);
    let plan = |arguments: &[&str]| hosu_job(&place, &[&["plan"], arguments].concat()).ok().json();
    let before = place.names("lake");
    let first = plan(&["evens"]);
    assert_eq!((&first["decision"], &first["inputs"][0]["rows"]), (&json!("first"), &json!(10)));
    assert_eq!((&first["target"], &first["target_created"]), (&json!("c.evens"), &json!(true)));
    hosu_job(&place, &["plan", "sums"]).fails(1, "INPUT_NOT_FOUND", "c.evens");
    assert_eq!(place.names("lake"), before);
    run_jobs(&place, &["--all"]);
    assert_eq!(plan(&["evens"])["decision"], "nothing_new");
    add(&place, 10..13);
    let next = plan(&["evens"]);
    let input = json!([{ "table": "raw.events", "new_snapshots": 1, "files": 1, "rows": 3,
                         "bytes": next["inputs"][0]["bytes"] }]);
    assert_eq!((&next["decision"], &next["inputs"]), (&json!("append"), &input));
    assert!(next["read"]["bytes"].as_u64().unwrap() > 0, "{next}");
    let full = plan(&["evens", "--full"]);
    assert_eq!((&full["decision"], &full["replaced"]["rows"]), (&json!("replace"), &json!(5)));
    let text = place.hosu(&["job", "plan", "evens"]).ok().stdout;
    assert!(text.starts_with("evens: adds what is new in raw.events\n"), "{text}");
    assert!(text.contains("raw.events: 3 rows in 1 file") && text.contains("of 1 new snapshot"), "{text}");
}

#[test]
fn runs_are_told_to_people_and_nothing_is_drawn_elsewhere() {
    let place = lake(0..10);
    append_job(&place);
    full_job(&place);
    let run = place.hosu(&["job", "run", "sums", "--upstream"]).ok();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("evens: 5 rows added to c.evens in "), "{run:?}");
    assert!(
        lines[1].starts_with("sums: 1 row added to c.sums in ")
            || lines[1].starts_with("sums: c.sums made anew"),
        "{run:?}"
    );
    assert_eq!((lines.len(), run.stderr.as_str()), (2, ""));
    let again = place.hosu(&["job", "run", "evens"]).ok();
    assert_eq!(again.stdout, "evens: nothing new, c.evens is as it was\n");
    let told = place.hosu(&["job", "history", "--limit", "2"]).ok().stdout;
    assert!(told.lines().count() == 2 && told.contains("evens (hand): nothing new"), "{told}");
    assert_eq!(history(&place, &["sums"]).len(), 1);
    assert_eq!(place.hosu(&["job", "history", "other"]).ok().stdout, "no run of `other` yet\n");
}

#[test]
fn jobs_around_those_that_are_named_run_too() {
    let place = lake(0..4);
    append_job(&place);
    full_job(&place);
    job(&place, "more", "target = 'c.more'\nmode = 'full'", "select * from c.sums");
    let good = |names: &[&str]| pairs(&names.iter().map(|name| (*name, "succeeded")).collect::<Vec<_>>());
    assert_eq!(run_jobs(&place, &["more", "--upstream"]), good(&["evens", "sums", "more"]));
    add(&place, 4..8);
    assert_eq!(run_jobs(&place, &["evens", "--downstream"]), good(&["evens", "sums", "more"]));
    assert_eq!(run_jobs(&place, &["sums", "--full"]), good(&["sums"]));
    check_evens(&place);
}

#[test]
fn wrong_usage_is_told_with_what_there_is() {
    let place = lake(0..4);
    let missing = hosu_job(&place, &["check"]);
    let error = missing.fails(1, "JOBS_FOLDER_NOT_FOUND", &place.text("jobs"));
    assert!(error["remedy"].as_str().unwrap().contains("--jobs"), "{error}");
    place.hosu(&["--output", "json", "schedule"]).fails(1, "JOBS_FOLDER_NOT_FOUND", "jobs");
    append_job(&place);
    let error = hosu_job(&place, &["run"]).fails(2, "USAGE", "which job");
    assert!(error["remedy"].as_str().unwrap().contains("evens"), "{error}");
    let error = hosu_job(&place, &["run", "evans"]).fails(1, "JOB_NOT_FOUND", "evans");
    assert_eq!(error["nearest"], "evens");
    for line in
        [&["run", "evens", "--all"][..], &["run", "--al"], &["history", "--limit", "0"], &["plan"], &[]]
    {
        hosu_job(&place, line).fails(2, "USAGE", "");
    }
    place.write("hosu.toml", "[jobs]\nfolder = 'other'\n");
    fs::rename(place.path("jobs"), place.path("other")).unwrap();
    assert_eq!(run_jobs(&place, &["evens"]), pairs(&[("evens", "succeeded")]));
    fs::rename(place.path("other"), place.path("third")).unwrap();
    assert_eq!(run_jobs(&place, &["evens", "--jobs", "third"]), pairs(&[("evens", "nothing_new")]));
}

#[test]
fn logs_are_one_object_a_line() {
    let place = lake(0..4);
    append_job(&place);
    job(&place, "fails", "target = 'c.fails'\nmode = 'full'\ntests = ['n > 0']", "select n from raw.events");
    let run = hosu_job(&place, &["run", "--all", "--log", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(states(&run).len(), 2);
    let records: Vec<serde_json::Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for record in &records {
        for name in ["ts", "level", "event", "job", "run_id"] {
            assert!(record.get(name).is_some(), "{name}: {record}");
        }
    }
    let ended =
        records.iter().find(|record| record["event"] == "run_ended" && record["job"] == "fails").unwrap();
    assert_eq!((&ended["level"], &ended["state"]), (&json!("error"), &json!("failed")));
    assert!(records.iter().any(|record| record["event"] == "run_started" && record["job"] == "evens"));
    let unknown = hosu_job(&place, &["run", "none", "--log", "json"]);
    let record: serde_json::Value = serde_json::from_str(unknown.stderr.trim()).unwrap();
    assert_eq!((unknown.code, &record["code"]), (1, &json!("JOB_NOT_FOUND")));
}

#[test]
fn a_place_without_a_lake_has_jobs_too() {
    let place = Place::new();
    job(&place, "one", "target = 't'\nmode = 'full'", "select 1 as one");
    assert_eq!(hosu_job(&place, &["check"]).ok().json()["faults"], json!([]));
    assert_eq!(hosu_job(&place, &["history"]).ok().json()["runs"], json!([]));
    assert!(!place.path("lake").exists(), "who only reads makes nothing");
    assert_eq!(run_jobs(&place, &["one"]), pairs(&[("one", "succeeded")]));
    assert_eq!(place.rows("select * from t"), json!([[1]]));
}

#[test]
fn on_a_terminal_it_is_seen_how_far_a_run_is() {
    if !Path::new("/usr/bin/script").exists() {
        return say("skipped: there is no /usr/bin/script to make a terminal with");
    }
    let place = lake(0..2_000);
    slow_job(&place, "");
    let line = format!("exec {} job run slow", env!("CARGO_BIN_EXE_hosu"));
    let mut command = Command::new("/usr/bin/script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(place.path(".")).env_clear();
    command
        .envs([("PATH", "/usr/bin:/bin"), ("TERM", "xterm"), ("SHELL", "/bin/sh")])
        .env("HOME", place.path("."));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = String::new();
    let mut out = child.stdout.take().unwrap();
    let mut chunk = [0; 1024];
    while !shown.contains("slow: 3 of 3 files, 6,000 rows") {
        let read = out.read(&mut chunk).unwrap();
        assert!(read > 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    // Ctrl-C of the terminal.
    child.stdin.take().unwrap().write_all(b"\x03").unwrap();
    out.read_to_string(&mut shown).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{shown}");
    assert!(shown.contains("slow: was stopped, and put away what it began"), "{shown}");
}
