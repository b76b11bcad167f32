//! Events that lie on S3: by name, by folder, by glob, with names as people give them, more of them than one answer lists.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::super::{Place, say};
use super::{Bucket, S3Server, events, gzip};

on_every_server!(
    objects_folders_and_globs_are_read,
    keys_may_have_any_character,
    more_objects_than_one_answer_lists,
    a_changed_object_is_refused_until_it_is_called_new,
    what_is_not_there_is_told,
    keys_beside_what_lies_below_them,
    only_what_comes_behind_a_name_is_read,
);

/// A bucket of events, and a place whose lake is in another bucket.
fn setting(server: &S3Server) -> (Bucket, Place) {
    let (bucket, lake) = (server.new_bucket("events"), server.new_bucket("lake"));
    (bucket, server.place(&lake.url("warehouse")))
}

fn objects_folders_and_globs_are_read(server: &S3Server) {
    let (bucket, place) = setting(server);
    bucket.put("logs/2026-01-01/a.json.gz", gzip(&events(0..10)));
    bucket.put("logs/2026-01-01/b.json", events(10..20));
    bucket.put("logs/2026-01-02/deep/a.json.gz", gzip(&events(20..30)));
    bucket.put("logs/2026-01-02/_SUCCESS", "");
    bucket.put("logs2/a.json.gz", gzip(&events(30..40)));
    let rows = |sources: &[&str]| {
        let urls: Vec<String> = sources.iter().map(|source| bucket.url(source)).collect();
        let line: Vec<&str> =
            ["events", "--dry-run"].into_iter().chain(urls.iter().map(String::as_str)).collect();
        let report = place.ingest(&line);
        (report["rows"].as_u64().unwrap(), report["sources"].as_u64().unwrap())
    };
    assert_eq!(rows(&["logs/2026-01-01/a.json.gz"]), (10, 1));
    assert_eq!(rows(&["logs/"]), (30, 3));
    assert_eq!(rows(&["logs/2026-01-01/"]), (20, 2));
    assert_eq!(rows(&["logs/2026-01-01/*.json.gz"]), (10, 1));
    assert_eq!(rows(&["logs/*/*.json.gz"]), (10, 1));
    assert_eq!(rows(&["logs/**/*.json.gz"]), (20, 2));
    assert_eq!(rows(&["logs/2026-01-0[2-9]/**"]), (10, 1));
    assert_eq!(rows(&["**/*.json.gz"]), (30, 3));
    assert_eq!(rows(&[""]), (40, 4), "the bucket's root");
    assert_eq!(rows(&["logs*/**/?.json*", "logs/", "logs/2026-01-01/b.json"]), (40, 4), "each once");
    // Another scheme is the same place.
    let other = bucket.url("logs/**").replace("s3://", "S3A://");
    assert_eq!(place.ingest(&["events", &other])["rows"], 30);
    let again = place.ingest(&["events", &bucket.url("logs/"), &bucket.url("logs/2026-01-01/a.json.gz")]);
    assert_eq!((&again["rows"], &again["sources_skipped"]), (&json!(0), &json!(3)), "{again}");
    assert_eq!(again["left_out"][0]["path"], Value::String(bucket.url("logs/2026-01-02/_SUCCESS")));
    assert_eq!(place.rows("select count(*), count(distinct id) from events"), json!([[30, 30]]));
    place.check_sound();
}

fn keys_may_have_any_character(server: &S3Server) {
    let (bucket, place) = setting(server);
    let names = [
        "a b.json",
        "100%.json",
        "%41.json",
        "a&b.json",
        "it's.json",
        "say \"x\".json",
        "a=b.json",
        "a:b.json",
        "*.json",
        "what?.json",
        "[1].json",
        "한글 호수.json",
        "a+b.json",
        "#1.json",
        "a,b;c@d$e!.json",
        "~x(1).json",
    ];
    for (id, name) in names.iter().enumerate() {
        bucket.put(&format!("odd/{name}"), format!("{{\"id\":{id}}}\n"));
    }
    let urls: Vec<String> = names.iter().map(|name| bucket.url(&format!("odd/{name}"))).collect();
    let report = place.ingest(&["events", &bucket.url("odd/")]);
    let mut found: Vec<&str> = report["sources_detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["source"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    let mut expected = urls.clone();
    expected.sort_unstable();
    assert_eq!(found, expected);
    // Each by its own name is the same source, and a name that has a glob's characters is that name first.
    let line: Vec<&str> = ["events"].into_iter().chain(urls.iter().map(String::as_str)).collect();
    let again = place.ingest(&line);
    assert_eq!((&again["rows"], &again["sources_skipped"]), (&json!(0), &json!(names.len())), "{again}");
    assert_eq!(place.rows("select count(distinct id) from events"), json!([[names.len()]]));
}

fn more_objects_than_one_answer_lists(server: &S3Server) {
    let (bucket, place) = setting(server);
    let count = 1_100;
    super::wait(async {
        let puts = (0..count).map(|id| {
            let folder = if id % 2 == 0 { "even" } else { "odd" };
            bucket.put_later(format!("many/{folder}/{id:05}.json"), format!("{{\"id\":{id}}}\n"))
        });
        stream::iter(puts).buffer_unordered(16).collect::<()>().await;
    });
    let report = place.ingest(&["events", &bucket.url("many/")]);
    assert_eq!((&report["rows"], &report["sources"]), (&json!(count), &json!(count)));
    assert_eq!(place.rows("select count(distinct id) from events"), json!([[count]]));
    let again = place.ingest(&["events", &bucket.url("many/*/*.json")]);
    assert_eq!((&again["rows"], &again["sources_skipped"]), (&json!(0), &json!(count)));
}

fn a_changed_object_is_refused_until_it_is_called_new(server: &S3Server) {
    let (bucket, place) = setting(server);
    bucket.put("a.json", events(0..2));
    let url = bucket.url("a.json");
    place.ingest(&["events", &url]);
    bucket.put("a.json", events(2..5));
    let run = place.hosu(&["--output", "json", "ingest", "events", &url]);
    let error = run.fails(1, "SOURCE_CHANGED", &url);
    assert!(error["remedy"].as_str().unwrap().contains("--on-changed new"), "{error}");
    assert_eq!(place.ingest(&["events", &url, "--on-changed", "new"])["rows"], 3);
    assert_eq!(place.ingest(&["events", &bucket.url("*.json")])["sources_skipped"], 1);
    assert_eq!(place.rows("select count(*) from events"), json!([[5]]));
}

fn what_is_not_there_is_told(server: &S3Server) {
    let (bucket, place) = setting(server);
    bucket.put("logs/a.json", events(0..2));
    for key in ["nope.json", "nope", "logs/*.csv", "logs/a.json/b"] {
        let run = place.hosu(&["--output", "json", "ingest", "events", &bucket.url(key)]);
        run.fails(1, "SOURCE_NOT_FOUND", key);
    }
    assert_eq!(place.rows("show tables in default"), json!([]), "a refused ingest makes nothing");
}

fn keys_beside_what_lies_below_them(server: &S3Server) {
    let (bucket, place) = setting(server);
    // A folder's marker, as consoles make it, is no source.
    if !server.make_folder_marker(&bucket, "logs") {
        say("tested without a folder's marker: no curl here that signs, or the server refuses it");
    }
    bucket.put("logs/a.json", events(0..2));
    bucket.put("logs-old/a.json", events(2..4));
    bucket.put("logs.json", events(4..6));
    let report = place.ingest(&["events", &bucket.url("logs/")]);
    assert_eq!((&report["rows"], &report["sources"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!(report["left_out"], json!([]), "{report}");
    let report = place.ingest(&["events", &bucket.url("")]);
    assert_eq!((&report["rows"], &report["sources_skipped"]), (&json!(4), &json!(1)), "{report}");
}

fn only_what_comes_behind_a_name_is_read(server: &S3Server) {
    let (bucket, place) = setting(server);
    for (id, key) in
        ["a/1.json", "a/2.json", "a/b/1.json", "b/1.json", "b/2.json", "c 1/한글.json"].iter().enumerate()
    {
        bucket.put(&format!("in/{key}"), events(id..id + 1));
    }
    let ingest = |table: &str, source: &str, after: &str| {
        let report = place.ingest(&[table, &bucket.url(source), "--after", after]);
        report["rows"].as_u64().unwrap()
    };
    assert_eq!(ingest("keys", "in/", "in/a/2.json"), 4);
    assert_eq!(ingest("urls", "in/", &bucket.url("in/a/b/").replace("s3://", "S3A://")), 4);
    assert_eq!(ingest("glob", "in/*/*.json", "in/b/1.json"), 2);
    assert_eq!(ingest("folder", "in/b/", "in/a/2.json"), 2);
    assert_eq!(ingest("nothing", "in/", "in/c 1/한글.json"), 0, "that is no error");
    let line = ["--output", "json", "ingest", "events", &bucket.url("none/"), "--after", "in/a/2.json"];
    place.hosu(&line).fails(1, "SOURCE_NOT_FOUND", "none");
}
