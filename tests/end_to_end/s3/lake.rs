//! A warehouse on S3 is a lake like any other: every command, every statement, every shape of prefix.

use serde_json::{Value, json};

use super::super::{Place, Run};
use super::{Bucket, S3Server, events, gzip};

on_every_server!(
    events_come_in_and_are_asked_for,
    statements_work_as_on_a_folder,
    a_warehouse_is_any_prefix,
    partitions_may_have_odd_values,
    large_files_go_up_in_parts,
    writers_at_the_same_time_lose_and_double_nothing,
    a_lost_file_is_found,
    jobs_fill_tables_once,
);

fn lake(server: &S3Server) -> (Bucket, Place) {
    let bucket = server.new_bucket("lake");
    let place = server.place(&bucket.url("warehouse"));
    (bucket, place)
}

fn events_come_in_and_are_asked_for(server: &S3Server) {
    let (bucket, place) = lake(server);
    place.write("a/1.ndjson", events(0..10));
    place.write("a/deep/2.ndjson.gz", gzip(&events(10..20)));
    place.write("b-1.json", "{\"id\":20,\"more\":{\"level\":3}}\n");
    assert_eq!(place.ingest(&["events", "a/1.ndjson"])["rows"], 10);
    let report = place.ingest(&["events", "a"]);
    assert_eq!((&report["rows"], &report["sources_skipped"]), (&json!(10), &json!(1)), "{report}");
    let report = place.ingest(&["events", "b-*.json"]);
    assert_eq!(report["columns_added"], json!(["more"]), "the table grows");
    let stdin =
        place.hosu_with(&["ingest", "--output", "json", "events", "-"], "{\"id\":21}\nno json\n").ok().json();
    assert_eq!((&stdin["rows"], &stdin["rejected"]), (&json!(1), &json!(1)));
    let again = place.ingest(&["events", "a", "b-*.json"]);
    assert_eq!((&again["rows"], &again["sources_skipped"]), (&json!(0), &json!(3)), "{again}");
    assert_eq!(
        place.rows("select count(*), count(distinct id), sum(id), max(more.level) from events"),
        json!([[22, 22, 231, 3]])
    );
    assert_eq!(place.rows("select reason is not null from events_rejects"), json!([[true]]));
    place.check_sound();
    let keys = bucket.keys("");
    assert!(keys.keys().all(|key| key.starts_with("warehouse/")), "{keys:?}");
    assert!(keys.keys().any(|key| key.ends_with(".parquet")), "{keys:?}");
    assert!(!place.path("lake").exists(), "nothing of the warehouse is on the disk");
}

fn statements_work_as_on_a_folder(server: &S3Server) {
    let (bucket, place) = lake(server);
    let script = "create database game;
        create table game.days (day date, players bigint) partitioned by (month(day));
        insert into game.days values (date '2026-01-05', 7), (date '2026-02-05', 8), (date '2026-02-06', 9);
        show tables in game;";
    place.write("script.sql", script);
    let run = place.hosu(&["sql", "--output", "json", "-f", "script.sql"]).ok();
    assert_eq!(run.json()["rows"], json!([["days"]]));
    let february = "select sum(players) from game.days where day >= date '2026-02-01'";
    assert_eq!(place.rows(february), json!([[17]]));
    assert_eq!(data_files_of(&bucket, "warehouse/game"), 2, "one for each month");
    let pruned = place.hosu(&["sql", "--output", "json", "-c", february]).ok().json()["stats"].clone();
    assert_eq!((&pruned["files_planned"], &pruned["files_total"]), (&json!(1), &json!(2)), "{pruned}");
    for (format, line) in [
        ("csv", "2026-01-05,7"),
        ("tsv", "2026-01-05\t7"),
        ("json", "\"2026-01-05\""),
        ("ndjson", "\"2026-01-05\""),
        ("markdown", "| 2026-01-05"),
        ("vertical", "2026-01-05"),
        ("table", "2026-01-05"),
    ] {
        let sql = "select * from game.days order by day limit 1";
        let run = place.hosu(&["sql", "--format", format, "-c", sql]).ok();
        assert!(run.stdout.contains(line), "{format}: {run:?}");
    }
    let elsewhere = format!("create table other (id bigint) location '{}'", bucket.url("elsewhere/other"));
    place.hosu(&["sql", "-c", &elsewhere]).ok();
    place.hosu(&["sql", "-c", "insert into other values (1)"]).ok();
    assert_eq!(data_files_of(&bucket, "elsewhere/other"), 1);
    place.check_sound();
    place.hosu(&["sql", "-c", "drop table other; drop database game cascade"]).ok();
    assert_eq!(place.rows("show tables in default"), json!([]));
    assert_eq!(data_files_of(&bucket, ""), 3, "the files of a dropped table stay");
    place.check_sound();
}

fn data_files_of(bucket: &Bucket, prefix: &str) -> usize {
    bucket.keys(prefix).keys().filter(|key| key.ends_with(".parquet")).count()
}

fn a_warehouse_is_any_prefix(server: &S3Server) {
    for prefix in ["", "/", "/w/", "/year=2026/a b/호수/100%/deep", "/w+x/(1)/~!"] {
        let bucket = server.new_bucket("prefix");
        let place = server.place(&format!("s3://{}{prefix}", bucket.name));
        place.write("events.ndjson", events(0..3));
        place.ingest(&["events", "events.ndjson"]);
        assert_eq!(place.rows("select count(*) from events"), json!([[3]]), "{prefix}");
        place.check_sound();
        let wanted = prefix.trim_matches('/');
        let wanted = if wanted.is_empty() { "default/".to_owned() } else { format!("{wanted}/default/") };
        let keys = bucket.keys("");
        assert!(keys.keys().all(|key| key.starts_with(&wanted)), "{prefix}: {keys:?}");
    }
}

fn partitions_may_have_odd_values(server: &S3Server) {
    let (_bucket, place) = lake(server);
    let values =
        ["a b", "100%", "%2F", "한글", "a/b", "..", ".", "", "a=b&c", "x?y#z", "'\"", "a:b*", "+", "\u{7f}~"];
    let lines: Vec<String> = values.iter().map(|value| json!({"id": 1, "kind": value}).to_string()).collect();
    place.write("events.ndjson", lines.join("\n"));
    let report = place.ingest(&["events", "events.ndjson", "--partition-by", "kind"]);
    assert_eq!(report["data_files"], values.len(), "{report}");
    for value in values {
        let sql = format!("select count(*) from events where kind = '{}'", value.replace('\'', "''"));
        assert_eq!(place.rows(&sql), json!([[1]]), "{value:?}");
    }
    place.check_sound();
}

fn large_files_go_up_in_parts(server: &S3Server) {
    let (bucket, place) = lake(server);
    // Text that does not pack, so that the one data file has several parts of 8 MiB.
    let mut state = 1_u64;
    let mut text = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ (state >> 29))
    };
    let rows = 20_000;
    let lines = (0..rows).map(|id| {
        let text: String = (0..100).map(&mut text).collect();
        format!("{{\"id\":{id},\"text\":\"{text}\"}}\n")
    });
    place.write("big.ndjson", lines.collect::<String>());
    assert_eq!(place.ingest(&["events", "big.ndjson"])["data_files"], 1);
    let keys = bucket.keys("");
    let largest = keys.values().max().unwrap();
    assert!(*largest > 12 << 20, "{largest} bytes are no two parts");
    assert_eq!(place.rows("select count(*), sum(length(text)) from events"), json!([[rows, rows * 1_600]]));
    place.check_sound();
}

fn writers_at_the_same_time_lose_and_double_nothing(server: &S3Server) {
    let (_bucket, place) = lake(server);
    let writers = 4;
    let names: Vec<String> = (0..writers).map(|writer| format!("{writer}.ndjson")).collect();
    for (writer, name) in names.iter().enumerate() {
        place.write(name, events(writer * 10..writer * 10 + 10));
    }
    let line = |name| ["--output", "json", "ingest", "events", name];
    let children: Vec<_> = names.iter().map(|name| place.start(&line(name))).collect();
    let runs: Vec<Run> =
        children.into_iter().map(|child| Run::from(child.wait_with_output().unwrap())).collect();
    for (run, name) in runs.into_iter().zip(&names) {
        if run.code != 0 {
            run.fails(1, "COMMIT_CONFLICT", "events");
            place.hosu(&line(name)).ok();
        }
    }
    assert_eq!(place.rows("select count(*), count(distinct id) from events"), json!([[40, 40]]));
    place.check_sound();
}

fn a_lost_file_is_found(server: &S3Server) {
    let (bucket, place) = lake(server);
    place.write("events.ndjson", events(0..10));
    place.ingest(&["events", "events.ndjson"]);
    let audit = place.hosu(&["ingest", "--audit", "events", "--output", "json"]).ok().json();
    assert_eq!((&audit["rows"], &audit["findings"]), (&json!(10), &json!([])), "{audit}");
    let lost = bucket.keys("").into_keys().find(|key| key.ends_with(".parquet")).unwrap();
    bucket.delete(&lost);
    let run = place.hosu(&["ingest", "--audit", "events", "--output", "json"]);
    let finding = run.json()["findings"][0].clone();
    assert_eq!((run.code, &finding["kind"]), (1, &json!("file_missing")), "{finding}");
    assert_eq!(finding["path"], Value::String(bucket.url(&lost)));
    assert!(finding["source"].as_str().unwrap().ends_with("events.ndjson"), "{finding}");
    let run = place.hosu(&["doctor", "--output", "json"]);
    let findings = run.json()["findings"].clone();
    assert_eq!((run.code, &findings[0]["kind"]), (1, &json!("file_missing")), "{findings}");
    assert_eq!(findings[0]["path"], Value::String(bucket.url(&lost)));
    let run = place.hosu(&["--output", "json", "sql", "-c", "select sum(id) from events"]);
    assert!(run.code == 1 && run.stdout.contains(&lost), "{run:?}");
}

fn jobs_fill_tables_once(server: &S3Server) {
    let (bucket, place) = lake(server);
    place.write(
        "jobs/odd.sql",
        "/* hosu:job\ntarget = 'c.odd'\nmode = 'append'\n*/ select id from events where id % 2 = 1",
    );
    place.write(
        "jobs/sum.sql",
        "/* hosu:job\ntarget = 'c.sum'\nmode = 'full'\n*/ select sum(id) as total from c.odd",
    );
    for round in 0..3 {
        let name = format!("{round}.ndjson");
        place.write(&name, events(round * 10..round * 10 + 10));
        place.ingest(&["events", &name]);
        place.hosu(&["job", "run", "--all"]).ok();
        let wanted = place.rows("select sum(id) from events where id % 2 = 1");
        assert_eq!(place.rows("select sum(id) from c.odd"), wanted);
        assert_eq!(place.rows("select total from c.sum"), wanted);
    }
    let keys = bucket.keys("");
    place.hosu(&["job", "run", "--all"]).ok();
    assert_eq!(bucket.keys(""), keys, "nothing new, nothing written");
    place.write(
        "jobs/bad.sql",
        "/* hosu:job\ntarget = 'c.bad'\nmode = 'full'\ntests = ['id < 5']\n*/ select id from events",
    );
    place.hosu(&["--output", "json", "job", "run", "bad"]).fails(1, "TEST_FAILED", "id < 5");
    assert_eq!(bucket.keys(""), keys, "what was written is deleted");
    place.check_sound();
}
