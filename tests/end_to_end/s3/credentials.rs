//! Where keys, region and server come from: variables, profiles, `hosu.toml`.

use serde_json::json;

use super::super::Place;
use super::{ACCESS_KEY, Bucket, REGION, S3Server, SECRET_KEY, events};

on_every_server!(profiles_lead_to_the_server, the_file_names_the_server, a_profile_that_is_wrong_is_told);

/// A place without any variable; its warehouse is the bucket.
fn place(bucket: &Bucket, variables: &[(&str, &str)], s3: &str) -> Place {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let place = Place::with_environment(variables.collect());
    let warehouse = bucket.url("");
    place.write("hosu.toml", format!("[lake]\ncatalog = \"catalog.db\"\nwarehouse = \"{warehouse}\"\n{s3}"));
    place.write("events.ndjson", events(0..2));
    place
}

fn keys() -> String {
    format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
}

#[track_caller]
fn check(place: &Place) {
    place.ingest(&["events", "events.ndjson"]);
    assert_eq!(place.rows("select count(*) from events"), json!([[2]]));
    place.check_sound();
}

fn profiles_lead_to_the_server(server: &S3Server) {
    let url = server.url();
    let bucket = server.new_bucket("profile");
    let game = place(&bucket, &[("AWS_PROFILE", "game")], "");
    game.write(".aws/credentials", format!("[default]\naws_access_key_id = wrong\n\n[game]\n{}", keys()));
    game.write(".aws/config", format!("[profile game]\nregion = {REGION}\nendpoint_url = {url}\n"));
    check(&game);
    let bucket = server.new_bucket("profile");
    let default = place(&bucket, &[], "");
    default.write(".aws/config", format!("[default]\nregion={REGION}\nendpoint_url={url}\n{}", keys()));
    check(&default);
    let bucket = server.new_bucket("profile");
    let files =
        [("AWS_SHARED_CREDENTIALS_FILE", "c1"), ("AWS_CONFIG_FILE", "c2"), ("AWS_ENDPOINT_URL", &*url)];
    let elsewhere = place(&bucket, &files, "");
    elsewhere.write("c1", format!("[default]\n{}", keys()));
    elsewhere.write("c2", format!("[default]\nregion = {REGION}\n"));
    check(&elsewhere);
}

fn the_file_names_the_server(server: &S3Server) {
    let bucket = server.new_bucket("file");
    let s3 = format!("[s3]\nendpoint = \"{}/\"\nregion = \"{REGION}\"\npath_style = true\n", server.url());
    let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    check(&place(&bucket, &keys, &s3));
}

fn a_profile_that_is_wrong_is_told(server: &S3Server) {
    let bucket = server.new_bucket("wrong");
    let wrong = place(&bucket, &[("AWS_PROFILE", "game"), ("AWS_ENDPOINT_URL", &server.url())], "");
    wrong.write(".aws/credentials", format!("[default]\n{}", keys()));
    let run = wrong.hosu(&["--output", "json", "ingest", "events", "events.ndjson"]);
    let error = run.json()["error"].clone();
    assert!(run.code != 0 && error["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{run:?}");
    assert!(!run.stdout.contains(SECRET_KEY), "{run:?}");
    assert!(bucket.keys("").is_empty());
}
