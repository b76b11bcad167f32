use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use futures::TryStreamExt;
use hosu_host::{Host, ManualClock, Scratch, SeededIds, Store};
use iceberg::spec::{ListType, MapType, NestedField, PrimitiveType, Type};
use serde_json::json;

use super::{Lake, column, record, schema};
use crate::{Engine, EngineSettings, QueryError, run_error};

#[tokio::test]
async fn a_table_without_a_snapshot_is_empty() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long")]), "").await;
    assert!(lake.rows("SELECT * FROM t").await.is_empty());
    assert!(lake.rows("SELECT a FROM t WHERE a > 1").await.is_empty());
    assert_eq!(lake.rows("SELECT count(*) AS n, max(a) AS m FROM t").await, [r#"{"n":0,"m":null}"#]);
    lake.append("t", &[json!({"a": 1})]).await;
    assert_eq!(lake.rows("SELECT count(*) AS n FROM t").await, [r#"{"n":1}"#]);
}

#[tokio::test]
async fn a_statement_sees_one_snapshot_whatever_is_committed_meanwhile() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long")]), "").await;
    lake.append("t", &[json!({"a": 1})]).await;
    let planned = lake.plan("SELECT * FROM t UNION ALL SELECT * FROM t").await.unwrap();
    lake.append("t", &[json!({"a": 2})]).await;
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(super::lines(&rows), [r#"{"a":1}"#, r#"{"a":1}"#]);
}

#[tokio::test]
async fn nested_values_of_every_kind_come_back() {
    let lake = Lake::new();
    let item =
        Type::Struct(iceberg::spec::StructType::new(vec![column(5, "x", "long"), column(6, "y", "string")]));
    let list = Type::List(ListType::new(Arc::new(NestedField::list_element(4, item, false))));
    let map = Type::Map(MapType::optional(
        8,
        Type::Primitive(PrimitiveType::String),
        9,
        Type::Primitive(PrimitiveType::Long),
    ));
    let columns = vec![
        column(1, "id", "long"),
        record(2, "r", vec![column(10, "a", "string"), record(11, "in", vec![column(12, "z", "double")])]),
        Arc::new(NestedField::optional(3, "items", list)),
        Arc::new(NestedField::optional(7, "counts", map)),
    ];
    lake.create("t", hosu_table::evolve::fresh_ids_of(columns).unwrap(), "").await;
    let rows = [
        json!({"id": 1, "r": {"a": "x", "in": {"z": 1.5}}, "items": [{"x": 1, "y": "p"}, null], "counts": {"k": 1}}),
        json!({"id": 2, "r": {"a": null, "in": null}, "items": [], "counts": {}}),
        json!({"id": 3, "r": null, "items": null, "counts": null}),
    ];
    lake.append("t", &rows).await;
    let back = lake.rows("SELECT * FROM t").await;
    assert_eq!(
        back[0],
        r#"{"id":1,"r":{"a":"x","in":{"z":1.5}},"items":[{"x":1,"y":"p"},null],"counts":{"k":1}}"#
    );
    assert_eq!(back[1], r#"{"id":2,"r":{"a":null,"in":null},"items":[],"counts":{}}"#);
    assert_eq!(back[2], r#"{"id":3,"r":null,"items":null,"counts":null}"#);
    assert_eq!(lake.rows("SELECT id FROM t WHERE r.in.z > 1").await, [r#"{"id":1}"#]);
    assert_eq!(lake.rows("SELECT id FROM t WHERE counts['k'] = 1").await, [r#"{"id":1}"#]);
    assert_eq!(lake.rows("SELECT r.in AS v, id FROM t WHERE r IS NULL").await, [r#"{"v":null,"id":3}"#]);
    let sql = "SELECT CASE WHEN id = 1 THEN r ELSE NULL END AS v FROM t UNION ALL SELECT r FROM t";
    assert_eq!(lake.rows(sql).await.len(), 6);
}

#[tokio::test]
async fn joins_groups_and_sorts_spill_within_their_memory() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    let rows: Vec<_> =
        (0..20_000).map(|a| json!({"a": a, "b": format!("text number {a} of many")})).collect();
    lake.append("t", &rows).await;
    let spill = tempfile::tempdir().unwrap();
    let settings = EngineSettings {
        memory_bytes: 4 << 20,
        spill: Some(spill.path().to_owned()),
        cores: 2,
        ..EngineSettings::default()
    };
    let engine = Engine::new(settings).unwrap();
    let sql = "SELECT a, b FROM t ORDER BY b DESC, a";
    let planned = engine.plan(&lake.catalog, "default", sql).await.unwrap();
    let batches: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 20_000);

    let settings = EngineSettings { memory_bytes: 1 << 10, cores: 1, ..EngineSettings::default() };
    let engine = Engine::new(settings).unwrap();
    let planned =
        engine.plan(&lake.catalog, "default", "SELECT b, count(*) FROM t GROUP BY b").await.unwrap();
    let failed: Result<Vec<_>, _> = planned.stream().unwrap().try_collect().await;
    assert!(matches!(run_error(failed.unwrap_err()), QueryError::Memory { .. }));
}

#[tokio::test]
async fn what_was_scanned_is_counted_and_limited() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    let rows: Vec<_> = (0..1000).map(|a| json!({"a": a, "b": format!("text number {a}")})).collect();
    lake.append("t", &rows).await;
    let planned = lake.plan("SELECT sum(a) AS s FROM t").await.unwrap();
    let before = planned.stats();
    assert_eq!((before.bytes_scanned, before.row_groups_read), (0, 0));
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(super::lines(&rows), [r#"{"s":499500}"#]);
    let after = planned.stats();
    assert!(after.bytes_scanned > 0);
    assert_eq!((after.row_groups_total, after.row_groups_read), (1, 1));

    let settings = EngineSettings { scan_bytes_max: Some(10), ..EngineSettings::default() };
    let engine = Engine::new(settings).unwrap();
    let refused = engine.plan(&lake.catalog, "default", "SELECT * FROM t").await.unwrap_err();
    assert!(matches!(refused, QueryError::ScanTooLarge { bytes_max: 10, .. }), "{refused:?}");
}

#[tokio::test]
async fn counts_and_extremes_come_from_the_metadata_where_these_are_exact() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    lake.append("t", &[json!({"a": 5, "b": "x".repeat(40)}), json!({"a": null, "b": "y"})]).await;
    lake.append("t", &[json!({"a": -7, "b": null})]).await;
    let planned = lake.plan("SELECT count(*), count(a), min(a), max(a) FROM t").await.unwrap();
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(super::lines(&rows), [r#"{"_col0":3,"_col1":2,"_col2":-7,"_col3":5}"#]);
    assert_eq!(planned.stats().bytes_scanned, 0);
    let longest = "x".repeat(40);
    assert_eq!(lake.rows("SELECT min(b) AS b FROM t").await, [format!(r#"{{"b":"{longest}"}}"#)]);
    assert_eq!(lake.rows("SELECT count(*) AS n FROM t WHERE a < 0").await, [r#"{"n":1}"#]);
}

#[tokio::test]
async fn errors_while_running_are_told_plainly() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long")]), "").await;
    lake.append("t", &[json!({"a": 0})]).await;
    let planned = lake.plan("SELECT 1 / a FROM t").await.unwrap();
    let failed: Result<Vec<_>, _> = planned.stream().unwrap().try_collect().await;
    let error = run_error(failed.unwrap_err());
    assert_eq!(error.to_string().to_lowercase(), "divide by zero".replace("divide", "division"), "{error:?}");
}

#[tokio::test]
async fn time_is_the_hosts() {
    let clock = Arc::new(ManualClock::at_ms(86_400_000));
    let ids = Arc::new(SeededIds::new(1));
    let lake = Lake::on(Host::new(Store::new(None), clock, ids, Scratch::system()));
    let rows = lake.rows("SELECT current_date AS d").await;
    assert_eq!(rows, [r#"{"d":"1970-01-02"}"#]);
}

#[tokio::test]
async fn nulls_come_last_in_either_order() {
    let lake = Lake::new();
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT a FROM (VALUES (1), (NULL)) AS t(a) ORDER BY a {order}");
        let batches = lake.batches(&sql).await;
        let last = batches.last().unwrap().column(0).slice(batches.last().unwrap().num_rows() - 1, 1);
        assert_eq!(last.null_count(), 1, "{order}");
    }
}

#[tokio::test]
async fn row_groups_are_pruned_by_bounds_and_by_bloom_filters() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    let properties = [
        ("write.parquet.row-group-size-bytes", "4096"),
        ("write.parquet.page-row-limit", "50"),
        ("write.parquet.bloom-filter-enabled.column.b", "true"),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let table = lake.table("t").await;
    lake.change(table, vec![hosu_catalog::Step::SetProperties(properties.into())]).await;
    let rows: Vec<_> = (0..20_000).map(|a| json!({"a": a, "b": format!("{}", a * 7919 % 20_011)})).collect();
    lake.append("t", &rows).await;
    for filter in ["a = 12345", "b = '5'"] {
        let planned = lake.plan(&format!("SELECT a, b FROM t WHERE {filter}")).await.unwrap();
        let batches: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
        assert_eq!(super::lines(&batches).len(), 1, "{filter}");
        let stats = planned.stats();
        assert!(stats.row_groups_total > 1 && stats.row_groups_read == 1, "{filter}: {stats:?}");
    }
    assert_eq!(lake.rows("SELECT count(*) AS n FROM t WHERE a % 2 = 0 OR a < 10").await, [r#"{"n":10005}"#]);
    let sql = "SELECT a, a FROM t WHERE a = 1 UNION ALL SELECT a, a FROM t WHERE a = 2";
    assert_eq!(lake.rows(sql).await.len(), 2);
}

#[tokio::test]
async fn times_are_cut_and_taken_apart_in_utc() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "at", "timestamptz")]), "").await;
    lake.append("t", &[json!({"at": "1969-12-31T23:59:59.999999Z"}), json!({"at": null})]).await;
    let sql = "SELECT date_trunc('hour', at) AS hour, date_trunc('month', at) AS month, extract(hour FROM at) AS h, \
               date_part('year', at) AS y FROM t ORDER BY at";
    let row = r#"{"hour":"1969-12-31T23:00:00Z","month":"1969-12-01T00:00:00Z","h":23,"y":1969}"#;
    assert_eq!(lake.rows(sql).await, [row, r#"{"hour":null,"month":null,"h":null,"y":null}"#]);
    let planned = lake.plan(sql).await.unwrap();
    let mut functions = Vec::new();
    let walked = planned.logical().apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    functions.push(format!("{:?}", call.func));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.unwrap();
    assert_eq!(functions.len(), 4);
    assert!(functions.iter().all(|function| function.matches("InUtc").count() == 1), "{functions:?}");
}

/// More rows than a sample, most of which pass: the join answers the same.
#[tokio::test]
async fn a_join_whose_filter_is_not_worth_asking_is_right() {
    let lake = Lake::new();
    lake.create("facts", schema(vec![column(1, "k", "long"), column(2, "v", "long")]), "").await;
    lake.create("names", schema(vec![column(1, "k", "long"), column(2, "name", "string")]), "").await;
    let facts: Vec<_> = (0..100_000).map(|v| json!({"k": v % 10, "v": v})).collect();
    lake.append("facts", &facts).await;
    let names: Vec<_> = (0..10).map(|k| json!({"k": k, "name": format!("n{k}")})).collect();
    lake.append("names", &names).await;
    let joined = |bound: u32| {
        format!(
            "SELECT count(*) AS n, sum(v) AS v, count(DISTINCT name) AS names FROM facts JOIN names ON facts.k = names.k \
             WHERE name < 'n{bound}'"
        )
    };
    assert_eq!(lake.rows(&joined(9)).await, [r#"{"n":90000,"v":4499910000,"names":9}"#]);
    assert_eq!(lake.rows(&joined(1)).await, [r#"{"n":10000,"v":499950000,"names":1}"#]);
}

#[tokio::test]
async fn texts_come_out_as_tables_have_them() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    lake.append("t", &[json!({"a": 1, "b": "x"}), json!({"a": 2, "b": null})]).await;
    let sql = "SELECT b, b || '!' AS c, CAST(a AS varchar) AS d, named_struct('t', b) AS e, array_agg(b) AS f, \
               CASE WHEN a = 1 THEN b ELSE 'other' END AS g FROM t GROUP BY a, b";
    let planned = lake.plan(sql).await.unwrap();
    assert!(!format!("{:?}", planned.schema()).contains("View"), "{:?}", planned.schema());
    let batches: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert!(batches.iter().all(|batch| batch.schema() == planned.schema()));
    let expected = [
        r#"{"b":"x","c":"x!","d":"1","e":{"t":"x"},"f":["x"],"g":"x"}"#,
        r#"{"b":null,"c":null,"d":"2","e":{"t":null},"f":[null],"g":"other"}"#,
    ];
    assert_eq!(super::lines(&batches), expected);
    let mixed = "SELECT b FROM t UNION ALL SELECT * FROM (VALUES ('y')) AS v(b) WHERE b NOT IN (SELECT b FROM t WHERE a = 1)";
    assert_eq!(lake.rows(mixed).await, [r#"{"b":"x"}"#, r#"{"b":"y"}"#, r#"{"b":null}"#]);
}

/// Files that are opened after the sample ask no rows about such a filter; those that are pruned stay so.
#[tokio::test]
async fn a_filter_of_texts_is_right_whether_many_rows_pass_or_few() {
    let lake = Lake::new();
    let inside = record(3, "r", vec![column(4, "t", "string")]);
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string"), inside]), "").await;
    let row = |a: u64| match a % 10 {
        0 => json!({"a": a, "b": null, "r": null}),
        rest => json!({"a": a, "b": format!("text {rest}"), "r": {"t": format!("{}", rest % 2)}}),
    };
    for file in 0..6 {
        lake.append("t", &(file * 20_000..(file + 1) * 20_000).map(row).collect::<Vec<_>>()).await;
    }
    for (filter, rows) in [
        ("b <> 'text 1'", 96_000),
        ("b = 'text 1'", 12_000),
        ("b IS NULL", 12_000),
        ("b LIKE '%9' OR b IS NULL", 24_000),
        ("r.t = '1'", 60_000),
        ("r.t = '1' AND b > 'text 4' AND a >= 100000", 6_000),
        ("b < 'text' AND a < 50", 0),
        ("b = 'text 1' AND a = 41", 1),
    ] {
        let sql = format!("SELECT count(*) AS n, count(r.t) AS t FROM t WHERE {filter}");
        let texts = if filter.contains("NULL") { rows - 12_000 } else { rows };
        assert_eq!(lake.rows(&sql).await, [format!(r#"{{"n":{rows},"t":{texts}}}"#)], "{filter}");
    }
}
