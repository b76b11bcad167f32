use serde_json::{Value, json};

use super::{Lake, column, record, schema};

fn event(day: u32, user: i64, country: &str) -> Value {
    json!({
        "ts": format!("2024-05-{day:02}T12:00:00Z"),
        "user": user,
        "country": country,
        "d": {"score": day * 10},
        "f": f64::from(day),
    })
}

async fn lake(partitions: &str) -> Lake {
    let lake = Lake::new();
    let columns = vec![
        column(1, "ts", "timestamptz"),
        column(2, "user", "long"),
        column(3, "country", "string"),
        record(4, "d", vec![column(5, "score", "int")]),
        column(6, "f", "double"),
    ];
    lake.create("t", schema(columns), partitions).await;
    lake
}

async fn files_planned(lake: &Lake, filter: &str) -> (u64, u64) {
    let planned = lake.plan(&format!("SELECT * FROM t WHERE {filter}")).await.unwrap();
    let stats = planned.stats();
    (stats.files_planned, stats.manifests_read)
}

#[tokio::test]
async fn partitions_prune_manifests_and_files() {
    let lake = lake("day(ts), bucket(4, user), country").await;
    for day in 1..=4 {
        lake.append("t", &[event(day, 1, "kr"), event(day, 2, "us")]).await;
    }
    lake.append("t", &[json!({"user": 3})]).await;
    let total = lake.plan("SELECT * FROM t").await.unwrap().stats();
    assert_eq!((total.files_total, total.files_planned, total.manifests_total), (9, 9, 5));
    assert!(total.bytes_total > 0 && total.bytes_planned == total.bytes_total);

    assert_eq!(files_planned(&lake, "ts >= TIMESTAMP '2024-05-03T00:00:00Z'").await, (4, 2));
    assert_eq!(
        files_planned(&lake, "ts < TIMESTAMP '2024-05-02T00:00:00Z' AND country = 'kr'").await,
        (1, 1)
    );
    assert_eq!(files_planned(&lake, "country = 'de'").await.0, 0);
    assert_eq!(files_planned(&lake, "ts IS NULL").await, (1, 1));
    assert_eq!(files_planned(&lake, "country IS NOT NULL AND ts IS NOT NULL").await, (8, 4));
    let rows =
        lake.rows("SELECT user FROM t WHERE country = 'us' AND ts > TIMESTAMP '2024-05-03T12:00:00Z'").await;
    assert_eq!(rows, [r#"{"user":2}"#]);
}

#[tokio::test]
async fn buckets_prune_by_equality() {
    let lake = lake("bucket(64, user)").await;
    let rows: Vec<Value> = (0..40).map(|user| json!({"user": user, "country": "kr"})).collect();
    lake.append("t", &rows).await;
    let all = lake.plan("SELECT * FROM t").await.unwrap().stats().files_planned;
    assert!(all > 10, "{all}");
    for user in 0..40 {
        assert_eq!(lake.rows(&format!("SELECT user FROM t WHERE user = {user}")).await.len(), 1);
        assert!(files_planned(&lake, &format!("user = {user}")).await.0 == 1);
    }
    assert!(files_planned(&lake, "user IN (1, 2)").await.0 <= 2);
}

#[tokio::test]
async fn bounds_of_columns_and_of_fields_prune_files() {
    let lake = lake("").await;
    for day in 1..=3 {
        lake.append("t", &[event(day, i64::from(day), "kr")]).await;
    }
    assert_eq!(files_planned(&lake, "user = 2").await.0, 1);
    assert_eq!(files_planned(&lake, "d.score > 15 AND d.score < 25").await.0, 1);
    assert_eq!(files_planned(&lake, "d.score IS NULL").await.0, 3, "NULLs of a struct are not known");
    assert_eq!(files_planned(&lake, "f > 2.5").await.0, 1);
    assert_eq!(files_planned(&lake, "user = 2 OR country = 'us'").await.0, 1);
    assert_eq!(files_planned(&lake, "user + 1 = 3").await.0, 3, "nothing is known of an expression");
}

#[tokio::test]
async fn not_a_number_is_greater_than_any_number() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "f", "double")]), "").await;
    let nan = super::batch(lake.table("t").await.schema(), &[json!({"f": 1.0})]);
    assert_eq!(nan.num_rows(), 1);
    lake.append("t", &[json!({"f": 1.0}), json!({"f": null})]).await;
    lake.append("t", &[json!({"f": 9.0})]).await;
    assert_eq!(files_planned(&lake, "f > 5").await.0, 1);
    assert_eq!(lake.rows("SELECT f FROM t WHERE f > 5").await, [r#"{"f":9.0}"#]);
}

#[tokio::test]
async fn a_limit_without_a_filter_reads_no_more_files_than_it_needs() {
    let lake = lake("").await;
    for day in 1..=4 {
        lake.append("t", &[event(day, 1, "kr"), event(day, 2, "us")]).await;
    }
    let planned = lake.plan("SELECT * FROM t LIMIT 3").await.unwrap();
    assert_eq!(planned.stats().files_planned, 2);
    assert_eq!(lake.rows("SELECT user FROM t LIMIT 3").await.len(), 3);
    assert_eq!(lake.rows("SELECT user FROM t WHERE country = 'us' LIMIT 3").await.len(), 3);
}

#[tokio::test]
async fn values_of_identity_partitions_are_constants_of_their_files() {
    let lake = lake("country").await;
    lake.append("t", &[event(1, 1, "kr"), json!({"user": 5}), event(2, 2, "us")]).await;
    let rows = lake.rows("SELECT country, user FROM t").await;
    assert_eq!(
        rows,
        [r#"{"country":"kr","user":1}"#, r#"{"country":"us","user":2}"#, r#"{"country":null,"user":5}"#]
    );
    assert_eq!(lake.rows("SELECT user FROM t WHERE country IS NULL").await, [r#"{"user":5}"#]);
    assert_eq!(lake.rows("SELECT count(country) AS n, min(user) AS m FROM t").await, [r#"{"n":2,"m":1}"#]);
}
