//! Statements over tables that are given, and not looked up.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use hosu_catalog::{NewTable, Table};
use hosu_host::Location;
use hosu_table::commit::first_metadata;
use hosu_table::name::TableName;
use iceberg::spec::{PartitionSpec, SortOrder};
use serde_json::json;

use super::{Lake, column, lines, schema};
use crate::{Input, InputRows, Live, Planned, Position, QueryError, TableRead};

fn input(name: &str, table: &Arc<Table>) -> Input {
    Input { name: TableName::parse(name).unwrap(), table: table.clone(), rows: InputRows::All }
}

async fn plan_on(lake: &Lake, sql: &str, inputs: &[Input]) -> Result<Planned, QueryError> {
    lake.engine.plan_on(&lake.catalog, "default", sql, inputs, &Live::default()).await
}

/// A table that nobody made.
fn imagined(lake: &Lake, name: &str, columns: iceberg::spec::Schema) -> Arc<Table> {
    let schema = hosu_table::evolve::fresh_ids(&columns).unwrap();
    let new = NewTable {
        uuid: lake.catalog.host().ids.uuid(),
        location: "memory:///nowhere".to_owned(),
        schema,
        spec: PartitionSpec::unpartition_spec(),
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    };
    Arc::new(Table {
        name: TableName::parse(name).unwrap(),
        metadata: Arc::new(first_metadata(&new, 1).unwrap()),
        metadata_location: String::new(),
        location: Location::parse("memory:///nowhere").unwrap(),
    })
}

#[tokio::test]
async fn the_tables_of_a_query_are_told_once_each_with_their_places() {
    let lake = Lake::new();
    let sql = "WITH own AS (SELECT * FROM b.T2)\nSELECT * FROM own, HOSU.Raw.\"Events\" e,\n  t1 JOIN raw.events USING (x) WHERE y IN (SELECT y FROM DEFAULT.t1)";
    let reads = lake.engine.tables_of(&lake.catalog, "Default", sql).unwrap();
    let read = |name: &str, line, column| TableRead {
        name: TableName::parse(name).unwrap(),
        position: Some(Position { line, column }),
    };
    assert_eq!(reads, [read("b.t2", 1, 28), read("raw.events", 2, 20), read("default.t1", 3, 3)]);
    let error = lake.engine.tables_of(&lake.catalog, "default", "SELECT * FROM x.y.z").unwrap_err();
    assert!(matches!(error, QueryError::CatalogNotFound { .. }), "{error:?}");
    let error = lake.engine.tables_of(&lake.catalog, "default", "DROP TABLE t").unwrap_err();
    assert!(matches!(error, QueryError::Unsupported { .. }), "{error:?}");
}

#[tokio::test]
async fn given_tables_are_read_as_they_were_when_they_were_loaded() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "A", "long")]), "").await;
    let before = lake.append("t", &[json!({"A": 1})]).await;
    lake.append("t", &[json!({"A": 2})]).await;
    let planned = plan_on(&lake, "SELECT a FROM T", &[input("default.t", &before)]).await.unwrap();
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(lines(&rows), [r#"{"A":1}"#]);
}

#[tokio::test]
async fn tables_that_are_not_there_yet_have_columns_and_no_rows() {
    let lake = Lake::new();
    let table =
        imagined(&lake, "curated.logins", schema(vec![column(1, "userId", "long"), column(2, "at", "date")]));
    let sql = "SELECT at, count(*) AS n FROM curated.Logins WHERE USERID > 1 GROUP BY at";
    let planned = plan_on(&lake, sql, &[input("Curated.LOGINS", &table)]).await.unwrap();
    let names: Vec<_> = planned.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["at", "n"]);
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    assert_eq!(lines(&rows), [""; 0]);
}

#[tokio::test]
async fn nothing_else_is_looked_up() {
    let lake = Lake::new();
    let table = lake.create("events", schema(vec![column(1, "a", "long")]), "").await;
    let error = plan_on(&lake, "SELECT * FROM event", &[input("default.events", &table)]).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table default.event; did you mean default.events?");
    assert_eq!(error.position(), Some(Position { line: 1, column: 15 }));
    let error = plan_on(&lake, "SELECT * FROM events", &[]).await.unwrap_err();
    assert!(matches!(error, QueryError::TableNotFound { .. }), "{error:?}");
    let explain = "EXPLAIN SELECT * FROM events";
    let error = plan_on(&lake, explain, &[input("default.events", &table)]).await.unwrap_err();
    assert!(matches!(error, QueryError::Unsupported { .. }), "{error:?}");
}
