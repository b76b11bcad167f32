//! Statements over a lake in memory. Each file of `tests/golden` is a script of SQL; behind each statement stands, in comments,
//! what it answers: columns with their types and rows as Trino's client protocol encodes them, or `ok`, or an error with its
//! place and message. The scripts are rewritten to what was answered in the system's temporary folder when they differ.

mod lake;

use crate::SqlError;
use lake::Lake;
use std::fmt::Write as _;
use std::path::Path;

#[tokio::test]
async fn the_scripts_answer_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() > 4, "the scripts are missing");
    let mut differing = Vec::new();
    for script in scripts {
        let expected = std::fs::read_to_string(&script).unwrap();
        let found = answered(&expected).await;
        if found != expected {
            let copy = std::env::temp_dir().join(format!("hosu-{}", script.file_name().unwrap().display()));
            std::fs::write(&copy, &found).unwrap();
            let first = expected.lines().zip(found.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let line = |text: &str| text.lines().nth(first).unwrap_or_default().to_owned();
            let (wanted, got) = (line(&expected), line(&found));
            let place = format!("{}:{}", script.display(), first + 1);
            differing
                .push(format!("{place}\n  says    {wanted}\n  answers {got}\n  all in  {}", copy.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The script with the answers of a new lake.
async fn answered(script: &str) -> String {
    let mut lake = Lake::new();
    let (mut text, mut statement) = (String::new(), String::new());
    for line in script.lines() {
        if line.starts_with("-->") {
            continue;
        }
        writeln!(text, "{line}").unwrap();
        let blank = statement.is_empty() && (line.is_empty() || line.starts_with("--"));
        if blank {
            continue;
        }
        writeln!(statement, "{line}").unwrap();
        if line.ends_with(';') {
            for line in answer(&mut lake, &statement).await {
                writeln!(text, "--> {line}").unwrap();
            }
            statement.clear();
        }
    }
    text
}

async fn answer(lake: &mut Lake, statement: &str) -> Vec<String> {
    match lake.run(statement).await {
        Ok(answer) => answer.lines(),
        Err(error) => {
            let SqlError { code, line, column, message, .. } = error;
            let place =
                line.zip(column).map(|(line, column)| format!(" at {line}:{column}")).unwrap_or_default();
            vec![format!("{code}{place}: {}", message.replace('\n', " "))]
        }
    }
}

#[tokio::test]
async fn what_show_create_table_prints_makes_the_same_table() {
    let mut lake = Lake::new();
    let create = "CREATE TABLE `a b` (`x y` int NOT NULL COMMENT 'it''s \\\\ ', s struct<`p q`:array<map<string,date>>>, t timestamp)
        COMMENT 'new\\nline' PARTITIONED BY (day(t), bucket(4, `x y`)) TBLPROPERTIES ('table_type'='ICEBERG', 'a.b'='it\\'s')";
    let create = create.replace("`a b`", "ab");
    lake.run(&create).await.unwrap();
    let shown = |answer: lake::Told| answer.rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let first = shown(lake.run("SHOW CREATE TABLE ab").await.unwrap());
    lake.run("DROP TABLE ab").await.unwrap();
    let without_location: Vec<_> =
        first.iter().filter(|line| !line.starts_with("LOCATION")).cloned().collect();
    lake.run(&without_location.join("\n")).await.unwrap();
    let second = shown(lake.run("SHOW CREATE TABLE ab").await.unwrap());
    let second: Vec<_> = second.into_iter().filter(|line| !line.starts_with("LOCATION")).collect();
    assert_eq!(without_location, second);
}

#[tokio::test]
async fn figures_tell_what_was_read_and_changed() {
    let mut lake = Lake::new();
    lake.run("CREATE TABLE t (a bigint, d date) PARTITIONED BY (d)").await.unwrap();
    let insert =
        "INSERT INTO t VALUES (1, DATE '2026-01-01'), (2, DATE '2026-01-02'), (3, DATE '2026-01-02')";
    let told = lake.run(insert).await.unwrap();
    assert_eq!((told.stats.rows, told.stats.rows_changed), (0, 3));
    assert!(told.stats.snapshot_id.is_some());
    let told = lake.run("SELECT a FROM t WHERE d = DATE '2026-01-02'").await.unwrap();
    assert_eq!((told.stats.rows, told.stats.files_read, told.stats.files_total), (2, 1, 2));
    assert_eq!(
        (told.stats.files_planned, told.stats.row_groups_read, told.stats.row_groups_total),
        (1, 1, 1)
    );
    assert_eq!(told.stats.rows_scanned, 2);
    assert!(told.stats.bytes_planned < told.stats.bytes_total, "{:?}", told.stats);
    assert!(told.stats.bytes_scanned > 0);
    assert_eq!(told.stats.snapshot_id, None);
}

#[tokio::test]
async fn a_table_in_a_folder_of_another_is_refused() {
    let mut lake = Lake::new();
    lake.run("CREATE TABLE a (x int) LOCATION 'memory:///elsewhere/a'").await.unwrap();
    lake.run("INSERT INTO a VALUES (1)").await.unwrap();
    for folder in
        ["memory:///elsewhere/a", "memory:///elsewhere", "memory:///elsewhere/a/data/b", "memory:///", "here"]
    {
        let error = lake.run(&format!("CREATE TABLE b (x int) LOCATION '{folder}'")).await.unwrap_err();
        assert_eq!(error.code, crate::code::INVALID_TABLE_PROPERTY, "{folder}");
        assert_eq!((error.line, error.column), (Some(1), Some(33)), "{folder}");
    }
    lake.run("CREATE TABLE b (x int) LOCATION 'memory:///elsewhere/b'").await.unwrap();
}

#[tokio::test]
async fn several_statements_stop_at_the_first_error_with_its_place_in_the_whole_text() {
    let mut lake = Lake::new();
    let text = "CREATE TABLE t (a bigint);\nSELECT a FROM t;\n  SELECT b\n  FROM t;\nDROP TABLE t";
    let error = lake.run(text).await.unwrap_err();
    assert_eq!((error.code, error.line, error.column), (crate::code::COLUMN_NOT_FOUND, Some(3), Some(10)));
    lake.run("SELECT a FROM t").await.unwrap();
}

#[tokio::test]
async fn explain_shows_the_plan_and_analyze_the_figures() {
    let mut lake = Lake::new();
    lake.run("CREATE TABLE t (a bigint); INSERT INTO t VALUES (1), (2)").await.unwrap();
    let text = |told: lake::Told| {
        assert_eq!(told.columns[0].name, "Query Plan");
        told.rows.concat().join("\n")
    };
    let plan = text(lake.run("EXPLAIN SELECT a FROM t WHERE a > 1").await.unwrap());
    assert!(plan.contains("DataSourceExec"), "{plan}");
    let plan = text(lake.run("EXPLAIN (TYPE LOGICAL) SELECT a FROM t WHERE a > 1").await.unwrap());
    assert!(plan.contains("TableScan"), "{plan}");
    let plan = text(lake.run("EXPLAIN ANALYZE SELECT a FROM t WHERE a > 1").await.unwrap());
    assert!(plan.contains("Files: 1 of 1 read") && plan.contains("output_rows"), "{plan}");
    let plan = text(lake.run("EXPLAIN INSERT INTO t SELECT a FROM t").await.unwrap());
    assert!(plan.contains("DataSourceExec"), "{plan}");
    assert_eq!(lake.run("SELECT count(*) FROM t").await.unwrap().rows, [["2"]]);
}

#[tokio::test]
async fn a_query_that_would_read_too_much_is_refused() {
    let mut lake = Lake::with(|settings| settings.max_scan_bytes = Some(10));
    lake.run("CREATE TABLE t (a bigint)").await.unwrap();
    lake.run("INSERT INTO t VALUES (1), (2)").await.unwrap();
    let error = lake.run("SELECT a FROM t").await.unwrap_err();
    assert_eq!(error.code, crate::code::EXCEEDED_SCAN_LIMIT);
}

#[tokio::test]
async fn an_answer_that_is_dropped_leaves_the_session_usable() {
    let mut lake = Lake::new();
    let statement = hosu_dialect::parse("SELECT unnest(generate_series(1, 1000000)) AS n").unwrap().remove(0);
    let mut answer = lake.session.run(&statement).await.unwrap();
    assert!(futures::StreamExt::next(&mut answer).await.unwrap().is_ok());
    drop(answer);
    assert_eq!(lake.run("SELECT 1").await.unwrap().rows, [["1"]]);
}

#[tokio::test]
async fn a_query_that_needs_more_memory_than_there_is_says_so() {
    let mut lake = Lake::with(|settings| settings.memory_bytes = 10_000);
    let sort = "SELECT value FROM generate_series(1, 100000) ORDER BY value % 7, value DESC";
    let error = lake.run(sort).await.unwrap_err();
    assert_eq!(error.code, crate::code::EXCEEDED_LOCAL_MEMORY_LIMIT, "{error}");
}
