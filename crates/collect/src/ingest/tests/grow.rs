//! Tables that grow by what records bring, and tables whose shape was asked for.

use std::collections::HashMap;
use std::sync::Arc;

use hosu_catalog::NewTable;
use hosu_table::name::TableName;
use hosu_table::paths;
use iceberg::spec::{NestedField, PartitionSpec, PrimitiveType, Schema, SortOrder, Type};
use serde_json::{Value, json};

use super::support::{Lake, lines};
use crate::CollectError;

#[tokio::test]
async fn a_field_after_the_sample_becomes_a_column_of_the_type_of_most_values() {
    let lake = Lake::new();
    let values: Vec<Value> = (0..3000)
        .map(|n| match n {
            2000 => json!({"id": n, "late": "odd one"}),
            2001.. => json!({"id": n, "late": n, "deep": {"a": [n]}}),
            _ => json!({"id": n}),
        })
        .collect();
    lake.file("in.json", lines(&values));
    let mut request = lake.request(&["in.json"]);
    request.settings.sample_bytes = 1000;
    request.settings.memory_bytes = 1 << 20;
    request.settings.line_bytes_max = 4096;
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.rescued, report.rejected), (3000, 1, 0));
    assert!(report.table_created && report.columns_added.is_empty());
    assert_eq!(
        lake.columns("events").await,
        ["id long", "late long", "deep struct<a: list<long>>", "_rescued_data string"]
    );
    let rows = lake.rows("events").await;
    assert_eq!(rows.iter().filter(|row| row.get("deep").is_some()).count(), 999);
    let table = lake.table("events").await.unwrap();
    assert_eq!(lake.parquet_files(), lake.files(&table).await.len(), "the first pass left nothing");
    assert_eq!(table.metadata.schemas_iter().count(), 1, "a new table has its columns from the start");
}

#[tokio::test]
async fn an_existing_table_grows_in_the_same_commit() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1, "geo": {"lat": 1.5}, "items": [{"k": "x"}]})]));
    lake.ingest(&["a.json"]).await.unwrap();
    lake.file(
        "b.json",
        lines(&[json!({"id": 2, "geo": {"lat": 2.5, "city": "서울"}, "items": [{"n": 5}], "new": true})]),
    );
    let report = lake.ingest(&["b.json"]).await.unwrap();
    let mut added = report.columns_added.clone();
    added.sort();
    assert_eq!(added, ["geo.city", "items.element.n", "new"]);
    assert_eq!((report.rows, report.rescued, report.table_created), (1, 0, false));
    let rows = lake.rows("events").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.contains(&json!({
        "id": 2, "geo": {"lat": 2.5, "city": "서울"}, "items": [{"n": 5}], "new": true
    })));
    assert_eq!(lake.columns("events").await.last().unwrap(), "_rescued_data string");
}

#[tokio::test]
async fn a_field_with_the_name_of_a_partition_field_is_rescued() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"at": "2026-03-01T00:00:00Z"})]));
    let mut request = lake.request(&["a.json"]);
    request.partition_by = Some("day(at)".to_owned());
    lake.run(request).await.unwrap();
    lake.file("b.json", lines(&[json!({"at": "2026-03-02T00:00:00Z", "AT_day": "Monday", "n": 1})]));
    let report = lake.ingest(&["b.json"]).await.unwrap();
    assert_eq!((report.rows, report.rescued), (1, 1));
    assert_eq!(report.columns_added, ["n"]);
    let rescued =
        json!({"at": "2026-03-02T00:00:00Z", "n": 1, "_rescued_data": r#"{"$.AT_day": "\"Monday\""}"#});
    assert!(lake.rows("events").await.contains(&rescued), "{:?}", lake.rows("events").await);
}

pub(super) async fn make_table(lake: &Lake, columns: &[(&str, PrimitiveType)]) {
    let fields = columns.iter().zip(1..).map(|((name, column_type), id)| {
        Arc::new(NestedField::optional(id, *name, Type::Primitive(column_type.clone())))
    });
    let name = TableName::parse("events").unwrap();
    let uuid = lake.catalog.host().ids.uuid();
    let new = NewTable {
        uuid,
        location: paths::table_location(lake.catalog.warehouse().as_str(), &name, uuid),
        schema: Schema::builder().with_fields(fields).build().unwrap(),
        spec: PartitionSpec::unpartition_spec(),
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    };
    lake.catalog.create_table(name, new, true).await.unwrap();
}

#[tokio::test]
async fn a_table_of_others_gets_rescued_data_when_it_is_needed() {
    let lake = Lake::new();
    make_table(&lake, &[("id", PrimitiveType::Long), ("at", PrimitiveType::Date)]).await;
    lake.file("a.json", lines(&[json!({"id": 1, "at": "2026-01-31"})]));
    let report = lake.ingest(&["a.json"]).await.unwrap();
    assert_eq!((report.rows, report.columns_added.len()), (1, 0));
    lake.file("b.json", lines(&[json!({"id": 2}), json!({"id": "two"})]));
    let report = lake.ingest(&["b.json"]).await.unwrap();
    assert_eq!((report.rows, report.rescued), (2, 1));
    assert_eq!(report.columns_added, ["_rescued_data"]);
    assert_eq!(lake.columns("events").await, ["id long", "at date", "_rescued_data string"]);
    assert!(lake.rows("events").await.contains(&json!({"_rescued_data": "{\"$.id\": \"\\\"two\\\"\"}"})));
}

#[tokio::test]
async fn a_shape_that_is_given_again_must_be_the_same() {
    let lake = Lake::new();
    let values = [json!({"id": 1, "at": "2026-01-31T10:00:00Z"})];
    lake.file("a.json", lines(&values));
    lake.file("b.json", lines(&values));
    let mut request = lake.request(&["a.json"]);
    request.partition_by = Some("day(at), bucket(4, id)".to_owned());
    request.sort_by = Some("id desc".to_owned());
    lake.run(request.clone()).await.unwrap();
    request.sources = vec!["b.json".to_owned()];
    for (partition_by, sort_by, what) in [
        (Some("day(at)"), None, "partitioning"),
        (Some("bucket(4, id), day(at)"), None, "partitioning"),
        (None, Some("id"), "sort order"),
    ] {
        request.partition_by = partition_by.map(str::to_owned);
        request.sort_by = sort_by.map(str::to_owned);
        match lake.run(request.clone()).await.unwrap_err() {
            CollectError::ShapeDiffers { what: found, .. } => assert_eq!(found, what),
            other => panic!("{other}"),
        }
    }
    request.partition_by = Some("DAY(at), bucket(4, ID)".to_owned());
    request.sort_by = None;
    assert_eq!(lake.run(request).await.unwrap().rows, 1);
}

#[tokio::test]
async fn a_partitioning_of_columns_that_are_not_there_is_refused() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    let mut request = lake.request(&["a.json"]);
    request.partition_by = Some("day(at)".to_owned());
    assert!(matches!(lake.run(request).await, Err(CollectError::Partition { .. })));
    assert!(!lake.path("lake").exists());
}

#[tokio::test]
async fn a_json_schema_makes_the_columns() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1, "extra": "x"})]));
    let mut request = lake.request(&["a.json"]);
    let schema =
        json!({"type": "object", "properties": {"id": {"type": "number"}, "name": {"type": "string"}}});
    request.schema = Some(schema.to_string());
    lake.run(request.clone()).await.unwrap();
    let columns = lake.columns("events").await;
    assert_eq!(columns, ["id double", "name string", "extra string", "_rescued_data string"]);
    lake.file("b.json", lines(&[json!({"id": 2})]));
    request.sources = vec!["b.json".to_owned()];
    assert_eq!(lake.run(request.clone()).await.unwrap().rows, 1);
    request.schema = Some(schema.to_string().replace("\"number\"", "\"string\""));
    assert!(matches!(lake.run(request).await, Err(CollectError::ShapeDiffers { what: "schema", .. })));
}
