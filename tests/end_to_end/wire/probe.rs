//! What a store lacks is told in words: by the doctor, and before a new lake is put into it.

use serde_json::{Value, json};

use super::proxy::{Fault, Rule};
use super::{ROWS, Wired};

const NOT_IMPLEMENTED: &str =
    "<Error><Code>NotImplemented</Code><Message>A header implies more.</Message></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";

fn works(report: &Value, name: &str) -> Value {
    let capabilities = report["store"]["capabilities"].as_array().unwrap();
    capabilities.iter().find(|capability| capability["name"] == name).unwrap()["works"].clone()
}

#[test]
fn the_doctor_tells_what_the_store_can_do_and_leaves_nothing() {
    let wired = Wired::with_rows();
    let before = wired.keys("lake/");
    let report = wired.in_calm(|place| place.hosu(&["doctor", "--output", "json"]).ok().json());
    for name in ["put", "get", "range_get", "list", "list_folders", "multipart", "special_names", "delete"] {
        assert_eq!(works(&report, name), "yes", "{name}: {report}");
    }
    assert_eq!(wired.keys("lake/"), before);
    let text = wired.in_calm(|place| place.hosu(&["doctor"]).ok().stdout);
    assert!(text.starts_with("store s3://lake-") && text.contains(": put, get, range_get"), "{text}");
}

#[test]
fn a_store_without_parts_is_a_finding_and_takes_no_new_lake() {
    let wired = Wired::with_rows();
    let proxy = wired.proxy(vec![Rule::always("POST", "uploads", Fault::Answer(501, "", NOT_IMPLEMENTED))]);
    let place = wired.place(&proxy.url());
    let run = place.hosu(&["doctor", "--output", "json"]);
    assert_eq!((run.code, works(&run.json(), "multipart")), (1, json!("no")), "{run:?}");
    let finding = run.json()["findings"][0].clone();
    assert_eq!(finding["kind"], "store_lacks");
    let words = "uploads in parts do not work: files beyond 8 MiB cannot be written (NotImplemented";
    assert!(finding["message"].as_str().unwrap().contains(words), "{finding}");

    let wired = Wired::new();
    let proxy = wired.proxy(vec![Rule::always("POST", "uploads", Fault::Answer(501, "", NOT_IMPLEMENTED))]);
    let place = wired.place(&proxy.url());
    let run = place.hosu(&["--output", "json", "ingest", "events", &wired.source(0)]);
    run.fails(1, "S3_NOT_SUPPORTED", words);
    assert_eq!(wired.keys("lake/"), Vec::<String>::new());
    assert!(!wired.folder.path("catalog.db").exists());
}

#[test]
fn a_bucket_that_may_only_be_read_is_no_finding() {
    let wired = Wired::with_rows();
    let proxy = wired.proxy(vec![
        Rule::always("PUT", "", Fault::Answer(403, "", DENIED)),
        Rule::always("POST", "", Fault::Answer(403, "", DENIED)),
    ]);
    let report = wired.place(&proxy.url()).hosu(&["doctor", "--output", "json"]).ok().json();
    assert_eq!((works(&report, "put"), works(&report, "delete")), (json!("denied"), json!("denied")));
    assert_eq!(report["tables"][0]["rows"], ROWS);
    let proxy = wired.proxy(vec![Rule::always("PUT", "", Fault::Answer(403, "", DENIED))]);
    let run = wired.place(&proxy.url()).hosu(&["doctor"]).ok();
    assert!(run.stdout.contains("put: these credentials may not: objects cannot be written"), "{run:?}");
    let fresh = Wired::new();
    let proxy = fresh.proxy(vec![Rule::always("PUT", "", Fault::Answer(403, "", DENIED))]);
    let run = fresh.place(&proxy.url()).hosu(&["--output", "json", "ingest", "events", &fresh.source(0)]);
    run.fails(1, "ACCESS_DENIED", "cannot hold a lake: these credentials may not: objects cannot be written");
}
