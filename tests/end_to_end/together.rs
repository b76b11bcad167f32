//! Several processes on one lake at the same time.

use serde_json::json;

use super::{Place, Run};

#[test]
fn writers_at_the_same_time_lose_and_double_nothing() {
    let place = Place::new();
    let writers = 5;
    place.write("shared.ndjson", "{\"id\":0,\"writer\":-1}\n");
    let names: Vec<String> = (0..writers).map(|writer| format!("own-{writer}.ndjson")).collect();
    for (writer, name) in names.iter().enumerate() {
        // Each has a field that the others lack, so that the schema grows under everybody's feet.
        let rows =
            (1..=20).map(|id| format!("{{\"id\":{id},\"writer\":{writer},\"field_{writer}\":true}}\n"));
        place.write(name, rows.collect::<String>());
    }
    // None of them has a lake, a database or a table yet.
    let line = |name| ["--output", "json", "ingest", "game.events", name, "shared.ndjson"];
    let children: Vec<_> = names.iter().map(|name| place.start(&line(name))).collect();
    let runs: Vec<Run> =
        children.into_iter().map(|child| Run::from(child.wait_with_output().unwrap())).collect();
    for (run, name) in runs.into_iter().zip(&names) {
        // Who gives up because the others were faster says so, has changed nothing, and may try again.
        if run.code != 0 {
            run.fails(1, "COMMIT_CONFLICT", "game.events");
            place.hosu(&line(name)).ok();
        }
    }
    let figures =
        "select count(*), count(distinct id * 100 + writer), count(field_0), count(field_4) from game.events";
    assert_eq!(place.rows(figures), json!([[20 * writers + 1, 20 * writers + 1, 20, 20]]));
    for name in &names {
        let run = place.hosu(&line(name)).ok();
        assert_eq!((&run.json()["rows"], &run.json()["sources_skipped"]), (&json!(0), &json!(2)), "{run:?}");
    }
    place.check_sound();
}

#[test]
fn a_reader_sees_whole_commits_only() {
    let place = Place::new();
    for file in 0..8 {
        let rows = (0..50).map(|id| format!("{{\"file\":{file},\"id\":{id}}}\n"));
        place.write(&format!("{file}.ndjson"), rows.collect::<String>());
    }
    place.ingest(&["events", "0.ndjson"]);
    let mut seen = 0;
    for file in 1..8 {
        let writer = place.start(&["ingest", "events", &format!("{file}.ndjson")]);
        let rows = place.rows("select count(*), count(distinct file) from events");
        let (count, files) = (rows[0][0].as_u64().unwrap(), rows[0][1].as_u64().unwrap());
        assert!(count == files * 50 && files >= seen, "{rows}");
        seen = files;
        assert_eq!(Run::from(writer.wait_with_output().unwrap()).code, 0);
    }
    assert_eq!(place.rows("select count(*) from events"), json!([[400]]));
}
