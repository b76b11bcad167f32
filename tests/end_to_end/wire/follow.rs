//! A follower whose store does not work for a while: it says so, waits, and goes on when the store is back; each event once.

use serde_json::{Value, json};

use super::Wired;
use super::proxy::{Fault, Proxy, Rule};
use crate::end_to_end::Place;
use crate::end_to_end::kills::{Feeder, hold};
use crate::end_to_end::serving::Serving;

const SLOW_DOWN: &str =
    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

/// Follows a prefix of the same store, with an account of what was put there.
struct Followed {
    wired: Wired,
    feeder: Feeder,
    proxy: Proxy,
    place: Place,
}

impl Followed {
    fn new() -> Self {
        let wired = Wired::new();
        let proxy = wired.proxy(Vec::new());
        Self::behind(proxy, wired, 3)
    }

    fn behind(proxy: Proxy, wired: Wired, seed: u64) -> Self {
        let place = wired.place(&proxy.url());
        Self { wired, feeder: Feeder::new(seed), proxy, place }
    }

    /// One that writes what it sees at once.
    fn start(&self) -> Serving {
        let url = self.wired.url("in/");
        let line = ["ingest", "events", &url, "--follow", "--commit-age", "0s", "--look-every", "100ms"];
        Serving::start(&self.place, &line)
    }

    fn put(&mut self) {
        let (name, bytes) = self.feeder.file();
        self.wired.bucket.put(&format!("in/{name}"), bytes);
    }

    /// Waits until everything that was put is committed.
    fn wait_for_all(&self, follower: &mut Serving) {
        follower.wait_for("all rows", |records| {
            let of =
                |name: &str| committed(records).map(|record| record[name].as_u64().unwrap()).sum::<u64>();
            of("rows") == self.feeder.good.len() as u64 && of("rejected") == self.feeder.bad.len() as u64
        });
    }
}

fn committed(records: &[Value]) -> impl Iterator<Item = &Value> {
    records.iter().filter(|record| record["event"] == "committed")
}

#[test]
fn a_store_that_fails_for_a_while_is_waited_for() {
    let cases = [
        ("the store is down", "", "", Fault::DropBefore, "the connection to the store broke"),
        ("nothing is answered", "", "", Fault::Stall, "the store does not answer"),
        ("500 to everything", "", "", Fault::Answer(500, "", ""), "the store fails (it answered 500)"),
        ("503 to everything", "", "", Fault::Answer(503, "", SLOW_DOWN), "the store is overloaded"),
        ("503 to lists", "GET", "list-type", Fault::Answer(503, "", SLOW_DOWN), "the store is overloaded"),
        ("500 to reads of objects", "GET", "/in/", Fault::Answer(500, "", ""), "the store fails"),
        ("half of objects", "GET", "/in/", Fault::HalfBody, "is not available"),
        (
            "503 to data files",
            "PUT",
            ".parquet",
            Fault::Answer(503, "", SLOW_DOWN),
            "the store is overloaded",
        ),
        (
            "lost answers to data files",
            "PUT",
            ".parquet",
            Fault::LoseAnswer,
            "the connection to the store broke",
        ),
        ("500 to manifests", "PUT", "-m0.avro", Fault::Answer(500, "", ""), "the store fails"),
        ("a stall of the metadata", "PUT", ".metadata.json", Fault::Stall, "the store does not answer"),
    ];
    std::thread::scope(|scope| {
        for (name, method, target, fault, words) in cases {
            scope.spawn(move || {
                let mut followed = Followed::new();
                followed.put();
                let mut follower = followed.start();
                followed.wait_for_all(&mut follower);
                followed.proxy.becomes(vec![Rule::always(method, target, fault)]);
                followed.put();
                let trouble = follower.wait("trouble", |_| true);
                assert!(trouble["message"].as_str().unwrap().contains(words), "{name}: {trouble}");
                assert!(trouble["wait_ms"].as_u64().unwrap() >= 1_000, "{name}: {trouble}");
                followed.put();
                followed.proxy.calm();
                followed.wait_for_all(&mut follower);
                followed.put();
                followed.wait_for_all(&mut follower);
                let (code, _, records) = follower.stop();
                assert_eq!(code, 0, "{name}: {records:#?}");
                followed.wired.in_calm(|place| hold(place, &followed.feeder));
            });
        }
    });
}

#[test]
fn a_follower_that_is_stopped_while_the_store_is_down_ends_and_the_next_one_goes_on() {
    let mut followed = Followed::new();
    followed.put();
    let mut follower = followed.start();
    followed.wait_for_all(&mut follower);
    followed.proxy.becomes(vec![Rule::always("", "", Fault::Answer(503, "", SLOW_DOWN))]);
    followed.put();
    follower.wait("trouble", |_| true);
    let (code, _, records) = follower.stop();
    assert_eq!((code, &records.last().unwrap()["event"]), (0, &json!("ended")), "{records:#?}");
    // One that begins while the store is down waits for it, too.
    let mut follower = followed.start();
    follower.wait("trouble", |_| true);
    followed.proxy.calm();
    follower.wait("committed", |_| true);
    assert_eq!(follower.stop().0, 0);
    followed.wired.in_calm(|place| hold(place, &followed.feeder));
}

/// Fixed seeds, each a follower that meets faults by chance, and is killed and begun again.
#[test]
fn followers_that_meet_faults_by_chance_lose_and_double_nothing() {
    std::thread::scope(|scope| {
        for seed in 1..=3 {
            scope.spawn(move || {
                let wired = Wired::new();
                let proxy = Proxy::by_chance(&wired.server.url(), seed, 16);
                let mut followed = Followed::behind(proxy, wired, seed);
                followed.put();
                for _ in 0..3 {
                    let mut follower = followed.start();
                    followed.put();
                    follower.wait("committed", |_| true);
                    followed.put();
                    follower.signal("-KILL");
                    follower.end();
                }
                assert!(followed.proxy.faults() > 0, "seed {seed}");
                followed.proxy.calm();
                let url = followed.wired.url("in/");
                followed.wired.in_calm(|place| {
                    place.hosu(&["ingest", "events", &url, "--follow", "--until-idle"]).ok();
                    hold(place, &followed.feeder);
                });
            });
        }
    });
}
