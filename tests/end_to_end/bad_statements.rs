//! Statements that nobody means: one clear error or an answer, never the end of the stack, and never without end.

use std::io::{BufRead, BufReader};
use std::process::Command;

use super::Place;

fn nested(open: &str, close: &str) -> String {
    format!("select {}1{}", open.repeat(10_000), close.repeat(10_000))
}

fn chain(part: &str, times: usize) -> String {
    format!("select 1{}", part.repeat(times))
}

/// Runs a statement, and EXPLAIN of it: both fail with one clear error.
#[track_caller]
fn refused(place: &Place, sql: &str, names: &str) {
    place.hosu_with(&["sql", "--output", "json"], sql).fails(1, "SYNTAX_ERROR", names);
    place.hosu_with(&["sql", "--output", "json"], format!("explain {sql}")).fails(1, "SYNTAX_ERROR", names);
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let place = Place::new();
    let brackets = [
        ("(", ")"),
        ("abs(", ")"),
        ("case when true then ", " end"),
        ("(select ", ")"),
        ("array[", "]"),
        ("cast(", " as bigint)"),
        ("exists (select 1 where ", ")"),
    ];
    for (open, close) in brackets {
        refused(&place, &nested(open, close), "nested deeper than 100");
    }
    let tables =
        format!("select * from {}(values (1)) t{}", "(select * from ".repeat(10_000), ") t".repeat(10_000));
    refused(&place, &tables, "nested deeper than 100");
    for opened in ["(", "case when ", "{"] {
        refused(&place, &format!("select {}", opened.repeat(10_000)), "nested deeper than 100");
    }
    let list = format!("create table t (a {}int{})", "array<".repeat(10_000), ">".repeat(10_000));
    place.hosu_with(&["sql", "--output", "json"], list).fails(1, "SYNTAX_ERROR", "too large");
    place.rows("select 1");
}

#[test]
fn chains_that_are_too_long_are_refused_and_long_ones_answered() {
    let place = Place::new();
    for part in [" + 1", " || 'x'", " = 1 or 2", " = 1 and 2", "::bigint", " between 1 and 1", " -", " not"] {
        refused(&place, &chain(part, 50_000), "chain of operators");
    }
    refused(&place, &format!("select {}true", "not ".repeat(50_000)), "chain of operators");
    refused(&place, &chain(" union all select 1", 5000), "more than 500 queries");
    let parts: String =
        (1..30).map(|n| format!(", t{n} as (select a.x from t{0} a cross join t{0} b)", n - 1)).collect();
    let doubled = format!("with t0 as (select 1 as x){parts} select count(*) from t29");
    let run = place.hosu_with(&["sql", "--output", "json"], doubled);
    assert!(run.fails(1, "SYNTAX_ERROR", "more than 1000 tables")["line"].is_number());
    let answer = |sql: &str| place.hosu_with(&["sql", "--output", "json"], sql).ok().json()["rows"].clone();
    assert_eq!(answer(&format!("select 1 where 0 = 1{}", " or 1 = 1".repeat(300))), serde_json::json!([[1]]));
    let ones = chain(" union all select 1", 50);
    assert_eq!(answer(&format!("select count(*) from ({ones}) t")), serde_json::json!([[51]]));
    let list: String = (0..100_000).map(|n| format!("{n}, ")).collect();
    assert_eq!(
        answer(&format!("select count(*) from (values (7), (-1)) t(a) where a in ({list} 0)")),
        serde_json::json!([[1]])
    );
}

#[test]
fn what_is_left_open_is_told_with_its_place() {
    let place = Place::new();
    for (sql, names) in [
        ("select 'abc", "without its closing '"),
        ("select \"abc", "without its closing \""),
        ("select 1 /* abc", "without its end"),
        ("select (1", "Expected"),
        ("select\0 1", "Expected"),
    ] {
        let error = place.hosu_with(&["sql", "--output", "json"], sql).fails(1, "SYNTAX_ERROR", names);
        assert_eq!(error["line"], 1, "{sql}");
    }
    let large = format!("select '{}'", "x".repeat(50 << 20));
    place.hosu_with(&["sql", "--output", "json"], large).fails(1, "SYNTAX_ERROR", "16 MiB");
}

#[test]
fn text_that_is_no_utf_8_is_refused() {
    let place = Place::new();
    place.hosu_with(&["sql", "--output", "json"], b"select '\xff\xfe'").fails(1, "FILE_UNREADABLE", "UTF-8");
    place.write("bad.sql", b"select 1; select '\xc3\x28'");
    place.hosu(&["sql", "--output", "json", "-f", "bad.sql"]).fails(1, "FILE_UNREADABLE", "UTF-8");
}

#[test]
fn a_reader_that_goes_away_ends_the_query() {
    let place = Place::new();
    let sql = "select * from generate_series(1, 1000000000000)";
    let mut child = place.start(&["sql", "--format", "ndjson", "-c", sql]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "{line}");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.code().is_some(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
}

#[test]
fn a_query_without_end_is_stopped() {
    let place = Place::new();
    let series = "generate_series(1, 1000000)";
    let sql =
        format!("select 1; select count(*) from {series} a cross join {series} b cross join {series} c");
    let mut child = place.start(&["sql", "--output", "json", "-c", &sql]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("[[1]]"), "{line}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
}
