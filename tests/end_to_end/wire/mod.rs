//! S3 on bad days: a proxy with faults stands between the binary and a server.

mod faults;
mod follow;
mod probe;
mod proxy;
mod told;
mod uploads;

use std::fmt::Write as _;

use serde_json::json;

use super::Place;
use super::s3::{Bucket, S3Server};
use proxy::{Proxy, Rule};

/// Rows of one source.
const ROWS: u64 = 200;

/// A lake whose warehouse is on a server, reached through proxies or directly. All places share its catalog.
struct Wired {
    server: S3Server,
    bucket: Bucket,
    folder: Place,
}

/// So many events, numbered from `first`.
fn events(first: u64) -> String {
    (first..first + ROWS).fold(String::new(), |mut text, id| {
        let _ = writeln!(text, "{{\"id\":{id},\"type\":\"login\"}}");
        text
    })
}

/// Events with a kilobyte each that looks like chance.
fn wide_events(rows: u64) -> String {
    let mut state = 7_u64;
    let mut text = String::new();
    for id in 0..rows {
        let _ = write!(text, "{{\"id\":{id},\"noise\":\"");
        for _ in 0..64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let _ = write!(text, "{state:016x}");
        }
        text.push_str("\"}\n");
    }
    text
}

impl Wired {
    /// A new bucket on a server of its own.
    fn new() -> Self {
        let server = S3Server::in_process();
        let bucket = server.new_bucket("lake");
        Self { server, bucket, folder: Place::new() }
    }

    /// The same with the first source loaded.
    fn with_rows() -> Self {
        let wired = Self::new();
        wired.in_calm(|place| place.ingest(&["events", &wired.source(0)]));
        wired
    }

    /// The lake, reached by this URL. The server may say nothing for a second; a request is repeated for four.
    fn place(&self, endpoint: &str) -> Place {
        let variables = self.server.environment().into_iter().map(|(name, value)| {
            let value = if name == "AWS_ENDPOINT_URL" { endpoint.to_owned() } else { value };
            (name, value)
        });
        let toml = format!(
            "[lake]\ncatalog = \"sqlite:{}\"\nwarehouse = \"{}\"\n[s3]\ntimeout_seconds = 1\nretry_seconds = 4\n",
            self.folder.text("catalog.db"),
            self.url("lake")
        );
        let place = Place::with_environment(variables.collect());
        place.write("hosu.toml", toml);
        place
    }

    /// A source of [`ROWS`] rows: the same file however the lake is reached.
    fn source(&self, number: u64) -> String {
        let name = format!("events{number}.ndjson");
        self.folder.write(&name, events(number * ROWS)).display().to_string()
    }

    fn proxy(&self, rules: Vec<Rule>) -> Proxy {
        Proxy::with_rules(&self.server.url(), rules)
    }

    /// Works on the lake without a proxy.
    fn in_calm<T>(&self, work: impl FnOnce(&Place) -> T) -> T {
        work(&self.place(&self.server.url()))
    }

    fn url(&self, key: &str) -> String {
        self.bucket.url(key)
    }

    /// The keys below a prefix.
    fn keys(&self, prefix: &str) -> Vec<String> {
        self.bucket.keys(prefix).into_keys().collect()
    }

    /// Asserts that so many rows are there and that the lake is sound.
    #[track_caller]
    fn holds(&self, rows: u64, name: &str) {
        self.in_calm(|place| {
            assert_eq!(place.rows("select count(*) from events"), json!([[rows]]), "{name}");
            place.check_sound();
        });
    }
}
