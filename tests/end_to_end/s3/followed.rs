//! A prefix that is followed while objects come: through stops and kills, each object once.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::super::kills::{Feeder, hold, kills};
use super::super::serving::Serving;
use super::S3Server;

on_every_server!(a_prefix_is_followed_through_stops_and_kills);

fn a_prefix_is_followed_through_stops_and_kills(server: &S3Server) {
    let (bucket, lake) = (server.new_bucket("events"), server.new_bucket("lake"));
    let place = server.place(&lake.url("warehouse"));
    let mut feeder = Feeder::new(5);
    let url = bucket.url("in/");
    let line = ["ingest", "events", &url, "--follow", "--commit-age", "0s", "--look-every", "100ms"];
    for round in 0..kills(4) {
        let mut follower = Serving::start(&place, &line);
        // The first one begins before there is anything.
        follower.wait("following", |_| true);
        for _ in 0..1 + feeder.dice.roll(6) {
            let (name, bytes) = feeder.file();
            bucket.put(&format!("in/{round}/{name}"), bytes);
            thread::sleep(Duration::from_millis(feeder.dice.roll(300)));
        }
        if round % 2 == 0 {
            follower.wait("committed", |_| true);
            let (code, _, records) = follower.stop();
            assert_eq!(code, 0, "{records:#?}");
            assert_eq!(records.last().unwrap()["event"], "ended", "{records:#?}");
        } else {
            thread::sleep(Duration::from_millis(feeder.dice.roll(1_500)));
            follower.signal("-KILL");
            assert_eq!(follower.end().0, -1);
        }
        let rows = place.rows("select count(*), count(distinct id) from events");
        assert_eq!(rows[0][0], rows[0][1], "after {round} rounds");
    }
    let run = place.hosu(&["ingest", "--output", "json", "events", &url, "--follow", "--until-idle"]).ok();
    assert_eq!(run.json()["failing"], json!(0));
    hold(&place, &feeder);
}
