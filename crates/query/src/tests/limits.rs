//! Statements that are hard on the planner: an answer or an error within the time of a test, and never the end of the stack.

use serde_json::json;

use super::{Lake, column, schema};

#[tokio::test]
async fn filters_on_columns_that_span_all_integers_are_planned() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long")]), "").await;
    lake.append("t", &[json!({"a": i64::MIN}), json!({"a": 1}), json!({"a": i64::MAX})]).await;
    for (filter, rows) in [("a <= 1", 2), ("a = 1", 1), ("a >= 9223372036854775807", 1), ("a > -5", 2)] {
        assert_eq!(
            lake.batches(&format!("SELECT a FROM t WHERE {filter}"))
                .await
                .iter()
                .map(|batch| batch.num_rows())
                .sum::<usize>(),
            rows,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn parts_of_with_that_double_are_refused() {
    let lake = Lake::new();
    let parts = |count: usize| {
        let doubled = (1..count)
            .map(|part| format!(", t{part} AS (SELECT a.x FROM t{0} a CROSS JOIN T{0} b)", part - 1));
        format!(
            "WITH t0 AS (SELECT 1 AS x){} SELECT count(*) AS n FROM t{}",
            doubled.collect::<String>(),
            count - 1
        )
    };
    assert_eq!(lake.rows(&parts(5)).await, [r#"{"n":1}"#]);
    let refused = lake.plan(&parts(40)).await.unwrap_err();
    assert!(refused.to_string().contains("more than 1000 tables"), "{refused}");
}

#[tokio::test]
async fn a_mistake_inside_of_nested_expressions_is_found_at_once() {
    let lake = Lake::new();
    for (open, close) in [
        ("cast(", " as bigint)"),
        ("case when true then ", " end"),
        ("array[", "]"),
        ("substring(", " from 1)"),
    ] {
        let sql = format!("SELECT {}1 1{}", open.repeat(60), close.repeat(60));
        assert!(lake.plan(&sql).await.is_err(), "{open}");
    }
    assert_eq!(
        lake.rows("SELECT position, \"case\" AS c FROM (VALUES (1, 2)) AS t(position, \"case\")").await,
        [r#"{"position":1,"c":2}"#]
    );
}
