use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use hosu_catalog::Step;
use iceberg::spec::{DataContentType, DataFileBuilder, DataFileFormat, Literal, Struct};
use serde_json::json;

use super::{Lake, column, schema};
use crate::{QueryError, run_error};

fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test]
async fn files_without_ids_are_read_by_position_and_by_the_name_mapping() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "b", "string")]), "").await;
    let file = rows(vec![("x", Arc::new(Int32Array::from(vec![1, 2]))), ("a", texts(&["p", "q"]))]);
    lake.adopt("t", &file, Struct::empty()).await;
    assert_eq!(lake.rows("SELECT a, b FROM t WHERE a > 1").await, [r#"{"a":2,"b":"q"}"#]);

    let mapping = r#"[{"field-id": 1, "names": ["x", "id"]}, {"field-id": 2, "names": ["a", "b"]}]"#;
    let properties = HashMap::from([("schema.name-mapping.default".to_owned(), mapping.to_owned())]);
    let table = lake.table("t").await;
    lake.change(table, vec![Step::SetProperties(properties)]).await;
    let file = rows(vec![("b", texts(&["r"])), ("new", longs(&[7])), ("id", longs(&[3]))]);
    lake.adopt("t", &file, Struct::empty()).await;
    assert_eq!(
        lake.rows("SELECT a, b FROM t WHERE b >= 'q'").await,
        [r#"{"a":2,"b":"q"}"#, r#"{"a":3,"b":"r"}"#]
    );
}

#[tokio::test]
async fn a_partition_column_that_a_file_lacks_comes_from_its_partition() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "long"), column(2, "day", "string")]), "day").await;
    let partition = |day: Option<&str>| Struct::from_iter([day.map(Literal::string)]);
    lake.adopt("t", &rows(vec![("a", longs(&[1]))]), partition(Some("mon"))).await;
    lake.adopt("t", &rows(vec![("a", longs(&[2]))]), partition(None)).await;
    lake.append("t", &[json!({"a": 3, "day": "tue"})]).await;
    let all = [r#"{"a":1,"day":"mon"}"#, r#"{"a":2,"day":null}"#, r#"{"a":3,"day":"tue"}"#];
    assert_eq!(lake.rows("SELECT * FROM t").await, all);
    assert_eq!(lake.rows("SELECT a FROM t WHERE day = 'mon'").await, [r#"{"a":1}"#]);
    assert_eq!(lake.rows("SELECT a FROM t WHERE day IS NULL").await, [r#"{"a":2}"#]);
    assert_eq!(
        lake.rows("SELECT upper(day) AS d FROM t WHERE a < 3 AND day <> 'tue'").await,
        [r#"{"d":"MON"}"#]
    );
    assert_eq!(lake.rows("SELECT max(day) AS d, count(day) AS n FROM t").await, [r#"{"d":"tue","n":2}"#]);
}

#[tokio::test]
async fn a_file_whose_types_do_not_fit_is_an_error_that_names_the_column() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "int"), column(2, "b", "string")]), "").await;
    lake.adopt("t", &rows(vec![("a", longs(&[1])), ("b", texts(&["x"]))]), Struct::empty()).await;
    assert_eq!(lake.rows("SELECT b FROM t").await, [r#"{"b":"x"}"#]);
    let planned = lake.plan("SELECT a FROM t").await.unwrap();
    let failed: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(planned.stream().unwrap()).await;
    let error = run_error(failed.unwrap_err()).to_string();
    assert!(error.contains("default.t") && error.contains("`a`") && error.contains("Int64"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_yet_is_refused_with_the_tables_name() {
    let lake = Lake::new();
    lake.create("t", schema(vec![column(1, "a", "int")]), "").await;
    let table = lake.table("t").await;
    let file = DataFileBuilder::default()
        .content(DataContentType::Data)
        .file_path(table.location.join("x.orc").to_string())
        .file_format(DataFileFormat::Orc)
        .file_size_in_bytes(10)
        .record_count(1)
        .partition(Struct::empty())
        .partition_spec_id(0)
        .build()
        .unwrap();
    lake.add(table, vec![file]).await;
    let error = lake.plan("SELECT * FROM t").await.unwrap_err();
    assert!(matches!(&error, QueryError::TableUnreadable { table, .. } if table == "default.t"), "{error:?}");
}
