//! `--keep-raw`: each record beside its columns, byte for byte as it was read.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use hosu_host::Location;
use iceberg::spec::PrimitiveType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::grow::make_table;
use super::support::{Lake, lines};
use crate::{CollectError, Report};

/// Lines that become rows, with all that a line can have and still be one.
const WEIRD: &[&[u8]] = &[
    br#"{"id":1}"#,
    br#"  { "id" : 2 , "t":"x" }  "#,
    b"\t{\"id\":3}\t",
    b"{\"id\":4}\r",
    br#"{"id":5,"id":6,"ID":7}"#,
    br#"{"id":"five","t":12}"#,
    br#"{"t":"\u0061\ud83d\ude00\ud800\/"}"#,
    "{\"t\":\"호수 😀 \u{2028} \u{feff}\"}".as_bytes(),
    b"{}",
    br#"{"_raw":"theirs","_RAW":1,"_rescued_data":{"a":[1,{}]}}"#,
    br#"{"id":1e0,"f":1.10,"g":1E400,"n":null,"z":-0}"#,
    br#"{"deep":{"a":[[[{"b":[]}]]]},"":{"":""}}"#,
];

async fn raw_of(lake: &Lake) -> Vec<Option<Vec<u8>>> {
    let table = lake.table("events").await.unwrap();
    let mut raw = Vec::new();
    for file in lake.files(&table).await {
        let bytes = lake.catalog.host().store.get(&Location::parse(&file).unwrap()).await.unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
            raw.extend(raw_of_batch(&batch.unwrap()));
        }
    }
    raw.sort();
    raw
}

fn raw_of_batch(batch: &RecordBatch) -> Vec<Option<Vec<u8>>> {
    let Some(column) = batch.column_by_name("_raw") else { return vec![None; batch.num_rows()] };
    let column = column.as_binary::<i32>();
    (0..column.len()).map(|row| column.is_valid(row).then(|| column.value(row).to_vec())).collect()
}

async fn ingest(lake: &Lake, source: &str, keep_raw: bool) -> Result<Report, CollectError> {
    let mut request = lake.request(&[source]);
    request.keep_raw = keep_raw;
    lake.run(request).await
}

#[tokio::test]
async fn each_record_is_kept_byte_for_byte() {
    let lake = Lake::new();
    let mut text = "\u{feff}".as_bytes().to_vec();
    text.extend(WEIRD.join(&b"\n"[..]));
    text.extend(b"\nno JSON\n\n  \n[1]\r\n{\"last\":true}");
    lake.file("in.json.gz", text);
    let report = ingest(&lake, "in.json.gz", true).await.unwrap();
    assert_eq!((report.rows, report.rejected), (WEIRD.len() as u64 + 1, 2));
    let columns = lake.columns("events").await;
    assert_eq!(columns[columns.len() - 2..], ["_raw binary", "_rescued_data string"]);
    let mut expected: Vec<Option<Vec<u8>>> = WEIRD.iter().map(|line| Some(line.to_vec())).collect();
    // A carriage return before the line feed is a part of the line's end.
    expected[3] = Some(b"{\"id\":4}".to_vec());
    expected.push(Some(b"{\"last\":true}".to_vec()));
    expected.sort();
    assert_eq!(raw_of(&lake).await, expected);
    let rescued: BTreeSet<&str> =
        report.rescued_columns.iter().map(|column| column.column.as_str()).collect();
    assert!(rescued.is_superset(&BTreeSet::from(["_raw", "_RAW", "_rescued_data"])), "{rescued:?}");
}

#[tokio::test]
async fn a_table_remembers_to_keep_records() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.file("b.json", lines(&[json!({"id": 2, "later": 1})]));
    lake.file("c.json", lines(&[json!({"id": 3}), json!({"_raw": "theirs"})]));
    ingest(&lake, "a.json", false).await.unwrap();
    let report = ingest(&lake, "b.json", true).await.unwrap();
    assert_eq!(report.columns_added, ["_raw", "later"]);
    let report = ingest(&lake, "c.json", false).await.unwrap();
    assert_eq!((report.rescued, report.columns_added.len()), (1, 0));
    let text = |value: Value| Some(value.to_string().into_bytes());
    let mut expected = vec![
        None,
        text(json!({"id": 2, "later": 1})),
        text(json!({"id": 3})),
        text(json!({"_raw": "theirs"})),
    ];
    expected.sort();
    assert_eq!(raw_of(&lake).await, expected);
    assert_eq!(
        lake.columns("events").await,
        ["id long", "later long", "_raw binary", "_rescued_data string"]
    );
}

#[tokio::test]
async fn a_column_of_that_name_that_is_something_else_is_left_alone() {
    let lake = Lake::new();
    make_table(&lake, &[("_raw", PrimitiveType::String), ("id", PrimitiveType::Long)]).await;
    lake.file("a.json", lines(&[json!({"id": 1, "_raw": "theirs", "new": 1})]));
    match ingest(&lake, "a.json", true).await.unwrap_err() {
        CollectError::RawColumn { column, column_type, .. } => {
            assert_eq!((column.as_str(), column_type.as_str()), ("_raw", "string"));
        }
        other => panic!("{other}"),
    }
    assert_eq!(ingest(&lake, "a.json", false).await.unwrap().rescued, 0);
    assert_eq!(lake.rows("events").await, [json!({"id": 1, "_raw": "theirs", "new": 1})]);
}
