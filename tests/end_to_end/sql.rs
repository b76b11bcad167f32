//! `hosu sql`: where statements come from, how rows are printed, what an error says.

use serde_json::{Value, json};

use super::Place;

const ROWS: &str = "{\"id\":1,\"name\":\"a,\\\"b\\\"\",\"score\":1.5,\"at\":\"2026-01-02T03:04:05.678Z\",\"geo\":{\"city\":\"서울\"},\"tags\":[\"x\",\"y\"]}\n\
                    {\"id\":2,\"name\":\"\",\"tags\":[]}\n";

fn lake() -> Place {
    let place = Place::new();
    place.write("events.ndjson", ROWS);
    place.ingest(&["events", "events.ndjson"]);
    place
}

#[test]
fn statements_come_from_the_line_a_file_or_standard_input() {
    let place = lake();
    let expected = "n\n2\n";
    let csv = ["sql", "--format", "csv"];
    let statement = "select count(*) as n from events";
    assert_eq!(place.hosu(&[&csv[..], &["-c", statement]].concat()).ok().stdout, expected);
    place.write("report.sql", format!("-- how many?\n{statement};\n"));
    assert_eq!(place.hosu(&[&csv[..], &["-f", "report.sql"]].concat()).ok().stdout, expected);
    assert_eq!(place.hosu_with(&csv, statement).ok().stdout, expected);
    assert_eq!(place.hosu_with(&[&csv[..], &["-f", "-"]].concat(), statement).ok().stdout, expected);
    assert_eq!(place.hosu_with(&csv, " ;; -- nothing\n").ok().stdout, "");
    let missing = place.hosu(&["--output", "json", "sql", "-f", "none.sql"]);
    missing.fails(1, "FILE_UNREADABLE", "none.sql");
}

#[test]
fn every_format_prints_the_same_rows() {
    let place = lake();
    let statement = "select id, name, score, at, geo, tags from events order by id";
    let printed = |format: &str| place.hosu(&["sql", "--format", format, "-c", statement]).ok().stdout;
    assert_eq!(
        printed("csv"),
        "id,name,score,at,geo,tags\n1,\"a,\"\"b\"\"\",1.5,2026-01-02T03:04:05.678Z,{city=서울},\"[x, y]\"\n2,\"\",,,,[]\n"
    );
    assert_eq!(
        printed("tsv"),
        "id\tname\tscore\tat\tgeo\ttags\n1\ta,\"b\"\t1.5\t2026-01-02T03:04:05.678Z\t{city=서울}\t[x, y]\n2\t\t\\N\t\\N\t\\N\t[]\n"
    );
    let objects = json!([
        {"id": 1, "name": "a,\"b\"", "score": 1.5, "at": "2026-01-02T03:04:05.678Z", "geo": {"city": "서울"}, "tags": ["x", "y"]},
        {"id": 2, "name": "", "score": null, "at": null, "geo": null, "tags": []},
    ]);
    assert_eq!(serde_json::from_str::<Value>(&printed("json")).unwrap(), objects);
    let lines: Vec<Value> =
        printed("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), objects);
    assert!(printed("ndjson").starts_with("{\"id\":1,\"name\":"), "the order of columns is kept");
    assert!(
        printed("markdown").starts_with("| id | name | score | at | geo | tags |\n| ---: | --- | ---: |")
    );
    assert!(printed("vertical").starts_with("-[ row 1 ]-\nid    | 1\nname  | a,\"b\"\n"));
    let table = printed("table");
    assert!(table.starts_with(" id | name"), "{table}");
    assert_eq!(table.lines().count(), 4);
}

#[test]
fn programs_get_one_object_a_statement() {
    let place = lake();
    let statements = "select id, at, geo, tags from events order by id; create database game; \
                      insert into events (id) values (3); select id as n from nothing; select 1";
    let run = place.hosu(&["sql", "--output", "json", "-c", statements]);
    assert_eq!(run.code, 1, "{run:?}");
    let answers = run.json_lines();
    assert_eq!(answers.len(), 4, "{answers:?}");
    let columns = json!([
        {"name": "id", "type": "bigint"},
        {"name": "at", "type": "timestamp(6) with time zone"},
        {"name": "geo", "type": "row(city varchar)"},
        {"name": "tags", "type": "array(varchar)"},
    ]);
    assert_eq!(answers[0]["columns"], columns);
    let first = json!([1, "2026-01-02 03:04:05.678000 UTC", ["서울"], ["x", "y"]]);
    assert_eq!(answers[0]["rows"], json!([first, [2, null, null, []]]));
    assert_eq!(answers[0]["stats"]["rows"], 2);
    assert!(answers[0]["stats"]["bytes_scanned"].as_u64().unwrap() > 0, "{}", answers[0]);
    assert_eq!((&answers[1]["columns"], &answers[1]["rows"]), (&json!([]), &json!([])));
    assert_eq!(answers[2]["stats"]["rows_changed"], 1);
    assert!(answers[2]["stats"]["snapshot_id"].is_string(), "{}", answers[2]);
    let error = &answers[3]["error"];
    assert_eq!((&error["code"], &error["line"]), (&json!("TABLE_NOT_FOUND"), &json!(1)), "{error}");
    assert!(run.stderr.contains("error: "), "{run:?}");
    assert_eq!(place.rows("select count(*) from events"), json!([[3]]));
}

#[test]
fn an_error_names_the_place_and_the_nearest_name() {
    let place = lake();
    let run = place.hosu(&["sql", "--output", "json", "-c", "select 1;\n\nselect id,\n  scoer from events"]);
    assert_eq!(run.code, 1);
    let error = run.json()["error"].clone();
    assert_eq!(
        (&error["code"], &error["line"], &error["column"]),
        (&json!("COLUMN_NOT_FOUND"), &json!(4), &json!(3))
    );
    assert_eq!(error["nearest"], "score", "{error}");
    let people = place.hosu(&["sql", "-c", "select id from evnts"]);
    assert!(people.stderr.contains("line 1: select id from evnts\n"), "{people:?}");
    assert!(people.stderr.contains("events"), "{people:?}");
    assert_eq!((people.code, people.stdout.as_str()), (1, ""));
    let syntax = place.hosu(&["sql", "--output", "json", "-c", "create tabel x"]);
    assert_eq!(syntax.json()["error"]["code"], "SYNTAX_ERROR", "{syntax:?}");
    for later in ["update events set id = 1", "delete from events", "vacuum events"] {
        let run = place.hosu(&["sql", "--output", "json", "-c", later]);
        assert_eq!((run.code, &run.json()["error"]["code"]), (1, &json!("NOT_SUPPORTED")), "{run:?}");
    }
}

#[test]
fn tables_and_databases_are_made_shown_and_dropped() {
    let place = Place::new();
    assert_eq!(place.rows("show databases"), json!([["default"]]));
    assert_eq!(place.rows("show tables"), json!([]));
    assert!(!place.path("lake").exists(), "questions make nothing");
    place.rows("create database game");
    let create = "create table game.daily (day date, players bigint, extra struct<note:string>) \
                  partitioned by (month(day)) location 's3://ignored/' tblproperties ('table_type'='ICEBERG')";
    let create = create.replace("s3://ignored/", &format!("{}/", place.text("elsewhere/daily")));
    place.rows(&create);
    assert_eq!(place.rows("show tables in game"), json!([["daily"]]));
    place.rows("insert into game.daily select date '2026-01-02', 7, null");
    place.rows("insert into game.daily values (date '2026-02-03', 8, row('second'))");
    let run = place.hosu(&[
        "sql",
        "--database",
        "GAME",
        "--output",
        "json",
        "-c",
        "select day, players, extra.note from daily order by 1",
    ]);
    assert_eq!(run.ok().json()["rows"], json!([["2026-01-02", 7, null], ["2026-02-03", 8, "second"]]));
    place.rows("alter table game.daily set tblproperties ('write.target-file-size-bytes'='1000000')");
    assert!(place.rows("show create table game.daily").to_string().contains("1000000"));
    assert!(!place.files("elsewhere/daily/data").is_empty());
    place.check_sound();
    place.rows("drop table game.daily");
    place.rows("drop database game");
    assert_eq!(place.rows("show databases"), json!([["default"]]));
}

#[test]
fn a_query_that_would_read_too_much_is_refused() {
    let place = lake();
    place.write("hosu.toml", "[query]\nmax_scan = '10B'\n");
    let run = place.hosu(&["sql", "--output", "json", "-c", "select * from events"]);
    run.fails(1, "EXCEEDED_SCAN_LIMIT", "10");
}

#[test]
fn people_see_what_a_query_cost() {
    let place = lake();
    let run = place.hosu(&["sql", "-c", "select id from events"]).ok();
    assert!(run.stderr.starts_with("(2 rows, ") && run.stderr.contains(" s, 1 of 1 file, "), "{run:?}");
    let stats =
        place.hosu(&["sql", "--output", "json", "-c", "select id from events"]).ok().json()["stats"].clone();
    for (name, expected) in [
        ("rows", 2),
        ("files_read", 1),
        ("files_planned", 1),
        ("files_total", 1),
        ("row_groups_read", 1),
        ("row_groups_total", 1),
        ("rows_scanned", 2),
    ] {
        assert_eq!(stats[name], expected, "{name}: {stats}");
    }
    assert!(stats["bytes_planned"].is_u64() && stats["bytes_planned"] == stats["bytes_total"], "{stats}");
    assert!(stats["price_usd"].as_f64().unwrap() > 0.0, "{stats}");
}
