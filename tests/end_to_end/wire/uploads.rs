//! Uploads in parts: parts that are lost are sent again, and an upload that comes to nothing leaves nothing.

use super::proxy::{Fault, Rule};
use super::{Wired, wide_events};

/// Values that no compression makes small, enough for a data file of some parts.
const WIDE_ROWS: u64 = 20_000;

#[test]
fn a_fault_at_any_step_of_an_upload_in_parts_is_overcome() {
    let faults = [Fault::DropBefore, Fault::LoseAnswer, Fault::Answer(500, "", ""), Fault::DropInRequest];
    let steps =
        [("POST", "uploads"), ("PUT", "partNumber=1"), ("PUT", "partNumber=2"), ("POST", "uploadId=")];
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || {
                let wired = Wired::with_rows();
                let rules = steps.iter().map(|(method, target)| Rule::first(method, target, fault.clone()));
                let proxy = wired.proxy(rules.collect());
                let place = wired.place(&proxy.url());
                place.write("wide.ndjson", wide_events(WIDE_ROWS));
                let run = place.hosu(&["--output", "json", "ingest", "events", "wide.ndjson"]);
                assert_eq!(run.code, 0, "{fault:?}: {run:?} {:#?}", proxy.requests());
                assert_eq!(run.json()["rows"], WIDE_ROWS);
                assert_eq!(proxy.faults(), steps.len(), "{:?}", proxy.requests());
                wired.holds(super::ROWS + WIDE_ROWS, "parts");
            });
        }
    });
}

#[test]
fn an_upload_that_comes_to_nothing_is_aborted() {
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";
    for target in ["partNumber=2", "uploadId="] {
        let wired = Wired::with_rows();
        let before = wired.keys("lake/");
        let method = if target == "uploadId=" { "POST" } else { "PUT" };
        let proxy = wired.proxy(vec![Rule::always(method, target, Fault::Answer(403, "", denied))]);
        let place = wired.place(&proxy.url());
        place.write("wide.ndjson", wide_events(WIDE_ROWS));
        let run = place.hosu(&["--output", "json", "ingest", "events", "wide.ndjson"]);
        run.fails(1, "ACCESS_DENIED", "AccessDenied: Access Denied");
        let requests = proxy.requests();
        let count = |method: &str, text: &str| {
            requests.iter().filter(|line| line.starts_with(method) && line.contains(text)).count()
        };
        assert_eq!(count("POST", "uploads"), count("DELETE", "uploadId="), "{requests:?}");
        assert_eq!(wired.keys("lake/"), before);
    }
}
