//! Every fault at every step of an ingest: it ends right, or with one clear error and nothing half there.

use serde_json::json;

use super::proxy::{Fault, Proxy, Rule};
use super::{ROWS, Wired};

/// What a server on a bad day answers, and what becomes whole by asking again.
fn passing() -> Vec<(&'static str, Fault)> {
    let error = |code: &'static str| -> &'static str {
        match code {
            "SlowDown" => {
                "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            }
            "RequestTimeout" => "<Error><Code>RequestTimeout</Code><Message>Too slow.</Message></Error>",
            _ => "<Error><Code>OperationAborted</Code><Message>A conflicting operation.</Message></Error>",
        }
    };
    vec![
        ("dropped before", Fault::DropBefore),
        ("dropped in the request", Fault::DropInRequest),
        ("answer lost", Fault::LoseAnswer),
        ("500", Fault::Answer(500, "", "")),
        ("502 of a proxy", Fault::Answer(502, "Content-Type: text/html\r\n", "<html>Bad Gateway</html>")),
        ("503 SlowDown", Fault::Answer(503, "", error("SlowDown"))),
        ("429 with Retry-After", Fault::Answer(429, "Retry-After: 1\r\n", "")),
        ("408", Fault::Answer(408, "", "")),
        ("400 RequestTimeout", Fault::Answer(400, "", error("RequestTimeout"))),
        ("409 of a conflict", Fault::Answer(409, "", error("OperationAborted"))),
        ("half a body", Fault::HalfBody),
        ("half of chunks", Fault::HalfChunked),
        ("a stall", Fault::Stall),
        ("a stall in the body", Fault::StallInBody),
        ("a flipped bit", Fault::FlipRequest),
    ]
}

/// Each step of a first ingest, by what tells its request from others.
const STEPS: [(&str, &str); 4] =
    [("PUT", ".parquet"), ("PUT", "-m0.avro"), ("PUT", "snap-"), ("PUT", ".metadata.json")];

#[test]
fn a_fault_at_any_step_of_an_ingest_is_overcome() {
    std::thread::scope(|scope| {
        for (name, fault) in passing() {
            scope.spawn(move || {
                let wired = Wired::with_rows();
                let rules = STEPS.iter().map(|(method, target)| Rule::first(method, target, fault.clone()));
                let proxy = wired.proxy(rules.collect());
                let report = wired.place(&proxy.url()).ingest(&["events", &wired.source(1)]);
                assert_eq!(report["rows"], ROWS, "{name}: {report}");
                assert_eq!(proxy.faults(), STEPS.len(), "{name}: {:?}", proxy.requests());
                wired.holds(2 * ROWS, name);
            });
        }
    });
}

#[test]
fn a_fault_while_reading_is_overcome() {
    std::thread::scope(|scope| {
        for (name, fault) in passing() {
            scope.spawn(move || {
                let wired = Wired::with_rows();
                let steps = ["-m0.avro", "snap-", ".metadata.json", ".parquet"];
                let rules = steps.iter().map(|target| Rule::first("GET", target, fault.clone()));
                let proxy = wired.proxy(rules.collect());
                let place = wired.place(&proxy.url());
                assert_eq!(
                    place.rows("select sum(id) from events"),
                    json!([[ROWS * (ROWS - 1) / 2]]),
                    "{name}"
                );
                assert!(proxy.faults() >= 3, "{name}: {:?}", proxy.requests());
                let rules = steps.iter().flat_map(|target| {
                    ["HEAD", "GET"].map(|method| Rule::first(method, target, fault.clone()))
                });
                let proxy = wired.proxy(rules.collect());
                wired.place(&proxy.url()).check_sound();
                let rules = vec![
                    Rule::first("PUT", ".parquet", fault.clone()),
                    Rule::first("GET", ".parquet", fault.clone()),
                    Rule::first("PUT", ".metadata.json", fault.clone()),
                ];
                let proxy = wired.proxy(rules);
                wired
                    .place(&proxy.url())
                    .hosu(&["sql", "-c", "insert into events select * from events"])
                    .ok();
                wired.holds(2 * ROWS, name);
            });
        }
    });
}

#[test]
fn a_fault_that_stays_is_one_clear_error_and_nothing_is_half_there() {
    let slow_down = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    let cases = [
        (Fault::DropBefore, "the connection to the store broke"),
        (Fault::LoseAnswer, "the connection to the store broke"),
        (Fault::Answer(500, "", ""), "the store fails (it answered 500)"),
        (Fault::Answer(503, "", slow_down), "the store is overloaded (SlowDown: Please reduce"),
        (Fault::Answer(503, "Retry-After: 3600\r\n", ""), "the store is overloaded"),
        (Fault::Stall, "the store does not answer"),
    ];
    let cases: Vec<_> = cases.iter().zip(STEPS.iter().cycle()).collect();
    std::thread::scope(|scope| {
        for ((fault, words), (method, target)) in cases {
            scope.spawn(move || {
                let wired = Wired::with_rows();
                let proxy = wired.proxy(vec![Rule::always(method, target, fault.clone())]);
                let run = wired.place(&proxy.url()).hosu(&[
                    "--output",
                    "json",
                    "ingest",
                    "events",
                    &wired.source(1),
                ]);
                run.fails(1, "STORE_UNAVAILABLE", words);
                assert!(!run.stderr.contains("<Error>"), "{run:?}");
                wired.holds(ROWS, target);
                let report = wired.in_calm(|place| place.ingest(&["events", &wired.source(1)]));
                assert_eq!(report["rows"], ROWS);
                let report = wired.in_calm(|place| place.ingest(&["events", &wired.source(1)]));
                assert_eq!(report["sources_skipped"], 1);
                wired.holds(2 * ROWS, target);
            });
        }
    });
}

#[test]
fn a_page_or_nothing_in_the_place_of_an_answer_is_never_taken_for_one() {
    let page = Fault::Answer(200, "Content-Type: text/html\r\n", "<html><title>Log in</title></html>");
    for (method, target) in STEPS {
        let wired = Wired::with_rows();
        let proxy = wired.proxy(vec![Rule::always(method, target, page.clone())]);
        let run = wired.place(&proxy.url()).hosu(&["--output", "json", "ingest", "events", &wired.source(1)]);
        run.fails(1, "S3_NOT_S3", "it answered 200: Log in");
        wired.holds(ROWS, target);
    }
    let wired = Wired::with_rows();
    wired.bucket.put("in/more.ndjson", super::events(ROWS));
    let source = wired.url("in/");
    let proxy = wired.proxy(vec![Rule::first("GET", "list-type", Fault::EmptyBody)]);
    assert_eq!(wired.place(&proxy.url()).ingest(&["events", &source])["rows"], ROWS);
    let proxy = wired.proxy(vec![Rule::always("GET", "list-type", page)]);
    let run = wired.place(&proxy.url()).hosu(&["--output", "json", "ingest", "events", &source]);
    run.fails(1, "S3_NOT_S3", "it answered 200: Log in");
    wired.holds(2 * ROWS, "source");
}

#[test]
fn a_store_is_not_asked_for_what_does_not_come_behind_a_name() {
    let wired = Wired::new();
    for key in ["in/a/1.ndjson", "in/b/1.ndjson", "in/b/2.ndjson"] {
        wired.bucket.put(key, super::events(0));
    }
    let proxy = wired.proxy(Vec::new());
    let place = wired.place(&proxy.url());
    let report = place.ingest(&["events", &wired.url("in/"), "--after", "in/b/1.ndjson", "--dry-run"]);
    assert_eq!(report["rows"], ROWS, "{report}");
    let lists = |requests: &[String]| requests.iter().filter(|request| request.contains("list-type")).count();
    let requests = proxy.requests();
    assert_eq!(lists(&requests), 1, "{requests:?}");
    assert!(requests.iter().any(|request| request.contains("start-after=in%2Fb%2F1.ndjson")), "{requests:?}");
}

/// Fixed seeds, each a lake that is written to four times while a sixth of all requests fails.
#[test]
fn many_ingests_with_faults_by_chance_lose_and_double_nothing() {
    std::thread::scope(|scope| {
        for seed in 1..=4 {
            scope.spawn(move || {
                let wired = Wired::new();
                let proxy = Proxy::by_chance(&wired.server.url(), seed, 16);
                let place = wired.place(&proxy.url());
                let mut rows = 0;
                for n in 0..4 {
                    let run = place.hosu(&["--output", "json", "ingest", "events", &wired.source(n)]);
                    let landed = if run.code == 0 { ROWS } else { 0 };
                    if run.code != 0 {
                        run.fails(1, "STORE_UNAVAILABLE", "");
                    }
                    rows += landed;
                    if rows > 0 {
                        wired.in_calm(|place| {
                            assert_eq!(place.rows("select count(*) from events"), json!([[rows]]))
                        });
                    }
                }
                assert!(proxy.faults() > 0, "seed {seed}");
                proxy.calm();
                for n in 0..4 {
                    place.hosu(&["ingest", "events", &wired.source(n)]).ok();
                }
                wired.holds(4 * ROWS, &format!("seed {seed}"));
            });
        }
    });
}
