//! The sample jobs on the sample events.

use serde_json::{Value, json};

use super::{Place, history, hosu_job, pairs, states};

fn sample(name: &str) -> String {
    format!("{}/../../sample-data/{name}", env!("CARGO_MANIFEST_DIR"))
}

const LOGINS: &str = "select count(*), count(distinct event_id), min(event_time), max(event_time), count(distinct user_id) from";

#[test]
fn the_sample_jobs_make_a_lake() {
    let place = Place::new();
    let jobs = sample("jobs");
    place.ingest(&["raw.events", &sample("game-events.ndjson"), "--partition-by", "day(event_time)"]);
    let in_jobs = |arguments: &[&str]| hosu_job(&place, &[arguments, &["--jobs", &jobs]].concat());
    let check = in_jobs(&["check"]).ok().json();
    assert_eq!((check["jobs"].as_array().unwrap().len(), &check["faults"]), (4, &json!([])));
    let plan = in_jobs(&["plan", "logins"]).ok().json();
    assert_eq!((&plan["decision"], &plan["target_created"]), (&json!("first"), &json!(true)));
    assert_eq!(plan["inputs"][0]["rows"], 3_000);
    let run = in_jobs(&["run", "daily_actives", "revenue_by_country", "--upstream"]).ok();
    let mut ran = states(&run);
    ran.sort();
    let names = ["daily_actives", "logins", "revenue_by_country"];
    assert_eq!(ran, pairs(&names.map(|name| (name, "succeeded"))));
    let raw = place.rows(&format!("{LOGINS} raw.events where type = 'login'"));
    assert_eq!(place.rows(&format!("{LOGINS} curated.logins")), raw);
    assert_eq!(raw[0][0], 759);
    let days = "select cast(event_time as date), count(*), count(distinct user_id) from raw.events \
                where type = 'login' group by 1 order by 1";
    assert_eq!(
        place.rows("select day, logins, players from curated.daily_actives order by day"),
        place.rows(days)
    );
    let revenue = "select geo.country, currency, count(*) from raw.events where type = 'purchase' group by 1, 2 order by 1, 2";
    let kept = "select country, currency, purchases from curated.revenue_by_country order by 1, 2";
    assert_eq!(place.rows(kept), place.rows(revenue));
    let all = in_jobs(&["run", "--all"]);
    all.fails(1, "TEST_FAILED", "currency = 'EUR'");
    let mut ran = states(&all);
    ran.sort();
    assert_eq!(ran[1], ("fails_on_purpose".to_owned(), "failed".to_owned()));
    assert!(ran.iter().filter(|(_, state)| state == "nothing_new").count() == 3, "{ran:?}");
    let tables = place.rows("show tables in curated");
    assert!(!tables.to_string().contains("euro"), "{tables}");
    place.check_sound();
}

#[test]
fn events_that_come_later_are_added_and_nothing_is_read_twice() {
    let place = Place::new();
    let jobs = sample("jobs");
    let all = std::fs::read_to_string(sample("game-events.ndjson")).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    let mut read = Vec::new();
    for (part, lines) in lines.chunks(1_000).enumerate() {
        let name = format!("{part}.ndjson");
        place.write(&name, lines.join("\n"));
        place.ingest(&["raw.events", &name]);
        let run = hosu_job(&place, &["run", "daily_actives", "--upstream", "--jobs", &jobs]).ok().json();
        let logins =
            run["runs"].as_array().unwrap().iter().find(|run| run["job"] == "logins").unwrap().clone();
        assert_eq!(logins["state"], "succeeded");
        read.push(logins["rows_read"].as_u64().unwrap());
    }
    assert!(read.iter().all(|rows| *rows <= 1_000), "{read:?}");
    let raw = place.rows(&format!("{LOGINS} raw.events where type = 'login'"));
    assert_eq!(place.rows(&format!("{LOGINS} curated.logins")), raw);
    let total = "select sum(logins) from curated.daily_actives";
    assert_eq!(place.rows(total)[0][0], raw[0][0]);
    let runs = history(&place, &["logins"]);
    let last: &Value = &runs[0];
    assert_eq!(runs.len(), 3);
    assert_eq!(last["inputs"][0]["from_snapshot_id"], runs[1]["inputs"][0]["to_snapshot_id"]);
    place.check_sound();
}
#[test]
fn the_history_is_a_table_and_each_snapshot_knows_its_run() {
    let place = Place::new();
    let jobs = sample("jobs");
    place.ingest(&["raw.events", &sample("game-events.ndjson")]);
    let run = hosu_job(&place, &["run", "logins", "--jobs", &jobs]).ok().json()["runs"][0].clone();
    let rows =
        place.rows("select run_id, job, target, state, snapshot_id, rows_written from system.job_runs");
    let expected = json!([[run["run_id"], "logins", "curated.logins", "succeeded"]]);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows[0].as_array().unwrap()[..4], expected[0].as_array().unwrap()[..], "{rows}");
    let lineage = place.rows("select * from system.lineage");
    assert!(lineage.to_string().contains(run["run_id"].as_str().unwrap()), "{lineage}");
}
