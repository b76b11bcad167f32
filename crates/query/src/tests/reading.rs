//! The figures of a statement, on tables whose files and row groups are known.

use futures::TryStreamExt;
use hosu_catalog::Step;
use serde_json::json;

use super::{Lake, column, schema};
use crate::{Live, ScanStats};

const GROUPS: u64 = 4;
const ROWS_A_GROUP: u64 = 5_000;
const FILES: u64 = 3;

/// Table `t` of three files, each of some row groups, in which `a` grows from row to row.
async fn lake() -> Lake {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    let properties =
        [("write.parquet.row-group-size-bytes", "60000"), ("write.parquet.page-row-limit", "100")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    lake.change(lake.table("t").await, vec![Step::SetProperties(properties.into())]).await;
    for file in 0..FILES {
        let first = file * GROUPS * ROWS_A_GROUP;
        let rows: Vec<_> = (first..first + GROUPS * ROWS_A_GROUP)
            .map(|a| json!({"a": a, "b": format!("text {}", a * 7919 % 20_011)}))
            .collect();
        lake.append("t", &rows).await;
    }
    lake
}

/// The figures when all rows have been read.
async fn read(lake: &Lake, sql: &str) -> ScanStats {
    let planned = lake.plan(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let _: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    let stats = planned.stats();
    assert!(
        stats.files_read <= stats.files_planned && stats.files_planned <= stats.files_total,
        "{sql}: {stats:?}"
    );
    assert!(stats.row_groups_read <= stats.row_groups_total, "{sql}: {stats:?}");
    assert_eq!(stats.files_done, stats.files_read, "{sql}: {stats:?}");
    assert!(stats.bytes_done <= stats.bytes_planned, "{sql}: {stats:?}");
    stats
}

fn files(stats: &ScanStats) -> (u64, u64, u64) {
    (stats.files_read, stats.files_planned, stats.files_total)
}

#[tokio::test]
async fn everything_is_read_of_a_whole_table() {
    let lake = lake().await;
    let stats = read(&lake, "SELECT a, b FROM t").await;
    assert_eq!(files(&stats), (3, 3, 3));
    assert_eq!(stats.row_groups_read, stats.row_groups_total);
    assert!(stats.row_groups_total >= FILES * 2, "{stats:?}");
    assert_eq!(stats.rows_scanned, FILES * GROUPS * ROWS_A_GROUP);
    assert_eq!((stats.bytes_done, stats.bytes_planned), (stats.bytes_total, stats.bytes_total));
    let one = read(&lake, "SELECT a FROM t").await;
    assert!(one.bytes_scanned < stats.bytes_scanned, "one column is less than two");
}

#[tokio::test]
async fn what_statistics_and_page_indexes_rule_out_is_not_read() {
    let lake = lake().await;
    let all = read(&lake, "SELECT a, b FROM t").await;
    let stats = read(&lake, "SELECT a, b FROM t WHERE a = 21000").await;
    assert_eq!(files(&stats), (1, 1, 3));
    assert_eq!((stats.row_groups_read, stats.row_groups_total), (1, all.row_groups_total / FILES));
    assert!(stats.rows_scanned < GROUPS * ROWS_A_GROUP && stats.bytes_done == stats.bytes_planned);
    // Between two pages: the bounds of its row group hold it, those of no page do.
    let none = read(&lake, "SELECT a, b FROM t WHERE a > 60000000").await;
    assert_eq!((files(&none), none.row_groups_read, none.bytes_scanned), ((0, 0, 3), 0, 0));
}

#[tokio::test]
async fn a_page_index_saves_a_row_group() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long")]), "").await;
    let limit = ("write.parquet.page-row-limit".to_owned(), "100".to_owned());
    lake.change(lake.table("t").await, vec![Step::SetProperties([limit].into())]).await;
    let rows: Vec<_> = (0..1000).map(|a| json!({"a": if a < 500 { a } else { a + 1_000_000 }})).collect();
    lake.append("t", &rows).await;
    let stats = read(&lake, "SELECT a FROM t WHERE a = 500000").await;
    assert_eq!((files(&stats), stats.row_groups_total, stats.row_groups_read), ((1, 1, 1), 1, 0));
    assert_eq!(stats.rows_scanned, 0);
}

#[tokio::test]
async fn a_limit_ends_the_reading() {
    let lake = lake().await;
    let stats = read(&lake, "SELECT a, b FROM t LIMIT 5").await;
    assert_eq!(files(&stats), (1, 1, 3));
    assert!(stats.row_groups_read < stats.row_groups_total, "{stats:?}");
    let metadata = read(&lake, "SELECT count(*) AS n FROM t").await;
    assert_eq!((files(&metadata), metadata.bytes_scanned), ((0, 3, 3), 0), "the metadata has the answer");
}

#[tokio::test]
async fn tables_add_up_and_one_that_stands_twice_counts_twice() {
    let lake = lake().await;
    lake.create("u", schema(vec![column(1, "a", "long")]), "").await;
    lake.append("u", &[json!({"a": 1}), json!({"a": 59_000})]).await;
    lake.append("u", &[json!({"a": 21_000})]).await;
    let whole = read(&lake, "SELECT a FROM t").await;
    let twice = read(&lake, "SELECT count(*) AS n FROM t x JOIN t y ON x.a = y.a").await;
    assert_eq!(files(&twice), (6, 6, 6));
    assert_eq!((twice.rows_scanned, twice.bytes_total), (2 * whole.rows_scanned, 2 * whole.bytes_total));
    let joined = read(&lake, "SELECT t.b FROM t JOIN u ON t.a = u.a").await;
    assert_eq!(joined.files_total, 5);
    assert_eq!(joined.bytes_total, whole.bytes_total + read(&lake, "SELECT a FROM u").await.bytes_total);
}

#[tokio::test]
async fn figures_are_live() {
    let lake = lake().await;
    let live = Live::default();
    assert_eq!(live.stats(), ScanStats::default());
    let planned = lake.engine.plan_live(&lake.catalog, "default", "SELECT a FROM t", &live).await.unwrap();
    assert_eq!((live.stats().files_planned, live.stats().files_read), (3, 0));
    let mut rows = planned.stream().unwrap();
    assert!(rows.try_next().await.unwrap().is_some());
    assert!(live.stats().files_read > 0 && live.stats().rows_scanned > 0, "{:?}", live.stats());
    drop(rows);
    let _: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(live.stats(), planned.stats());
}
