//! Parquet into tables: new ones, ones that are there, beside JSON, under each way of evolution.

use std::io::{Cursor, Read};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, Float64Array, Int32Array, Int64Array, MapBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampNanosecondArray, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use hosu_host::Location;
use hosu_table::evolution::SchemaEvolution;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{Lake, lines};
use crate::frame::Buffers;
use crate::ingest::decode::Decoding;
use crate::ingest::ingest;
use crate::json::DecoderRules;
use crate::parquet::{Limits, Parquet};
use crate::{CollectError, NoProgress, OnChanged, Report};

type Columns = Vec<(&'static str, ArrayRef)>;

fn file_of(columns: &Columns) -> Vec<u8> {
    let columns = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn ids(ids: &[i64]) -> (&'static str, ArrayRef) {
    ("id", Arc::new(Int64Array::from(ids.to_vec())))
}

fn texts(name: &'static str, texts: &[Option<&str>]) -> (&'static str, ArrayRef) {
    (name, Arc::new(StringArray::from(texts.to_vec())))
}

fn nanos(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(values.to_vec()))
}

fn tags(rows: &[Option<Vec<(&str, &str)>>]) -> ArrayRef {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (key, value) in row.iter().flatten() {
            map.keys().append_value(key);
            map.values().append_value(value);
        }
        map.append(row.is_some()).unwrap();
    }
    Arc::new(map.finish())
}

async fn with(lake: &Lake, source: &str, evolution: SchemaEvolution) -> Result<Report, CollectError> {
    let mut request = lake.request(&[source]);
    request.evolution = Some(evolution);
    lake.run(request).await
}

#[tokio::test]
async fn values_land_as_they_are_and_what_a_column_cannot_hold_is_rescued() {
    let lake = Lake::new();
    let columns: Columns = vec![
        ids(&[1, 2, 3]),
        ("f", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(f64::NEG_INFINITY), None]))),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("at", nanos(&[Some(1_500), Some(2_000), None])),
        ("m", tags(&[Some(vec![("x", "a"), ("y", "b")]), Some(vec![("x", "a"), ("x", "b")]), None])),
        ("none", new_null_array(&DataType::Int32, 3)),
    ];
    lake.file("any name", file_of(&columns));
    let report = lake.ingest(&["any name"]).await.unwrap();
    assert_eq!((report.rows, report.rescued, report.rejected), (3, 2, 0));
    assert_eq!(
        lake.columns("events").await,
        [
            "id long",
            "f double",
            "u decimal(20, 0)",
            "at timestamp",
            "m map<string, string>",
            "none int",
            "_rescued_data string"
        ]
    );
    let rows = lake.rows("events").await;
    let rescued = |row: &Value| -> Value {
        row.get("_rescued_data")
            .map_or(Value::Null, |text| serde_json::from_str(text.as_str().unwrap()).unwrap())
    };
    let at = |id: i64| rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(rescued(at(1)), json!({"$.at": "\"1970-01-01T00:00:00.0000015\""}));
    assert_eq!(rescued(at(2)), json!({"$.m.x": "\"a\""}), "the last one of a key lands, as in JSON");
    assert_eq!((&at(1)["m"], &at(2)["m"]), (&json!({"x": "a", "y": "b"}), &json!({"x": "b"})));
    assert_eq!(at(2)["at"], "1970-01-01T00:00:00.000002");
    // JSON writes neither NaN nor the infinities; that of a missing value is left out.
    assert!(at(1).get("f").is_some_and(Value::is_null) && at(3).get("f").is_none());
    assert_eq!(rescued(at(3)), Value::Null);
    let again = lake.ingest(&["any name"]).await.unwrap();
    assert_eq!((again.rows, again.sources_skipped), (0, 1));
}

#[tokio::test]
async fn columns_of_files_and_fields_of_json_make_one_table() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1, "at": "2024-01-01T00:00:00", "extra": true, "n": 1.5})]));
    let n: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    lake.file("b.parquet", file_of(&vec![ids(&[2]), ("at", nanos(&[Some(0)])), ("n", n)]));
    let price: ArrayRef = Arc::new(Decimal128Array::from(vec![1234]).with_precision_and_scale(9, 2).unwrap());
    lake.file("c.parquet", file_of(&vec![ids(&[3]), ("price", price)]));
    let report = lake.ingest(&["*.*"]).await.unwrap();
    let columns =
        ["id long", "at timestamp", "n int", "price decimal(9, 2)", "extra boolean", "_rescued_data string"];
    assert_eq!(lake.columns("events").await, columns);
    assert_eq!((report.rows, report.rescued), (3, 1), "1.5 is no int");
    assert_eq!(
        lake.rows("events").await,
        [
            json!({"_rescued_data": "{\"$.n\": \"1.5\"}", "at": "2024-01-01T00:00:00", "extra": true, "id": 1}),
            json!({"at": "1970-01-01T00:00:00", "id": 2, "n": 7}),
            json!({"id": 3, "price": 12.34}),
        ]
    );
}

/// A table of `id long, geo struct<lat: double>`, and a file that brings more.
async fn grown(evolution: SchemaEvolution) -> (Lake, Result<Report, CollectError>) {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1, "geo": {"lat": 1.5}})]));
    lake.ingest(&["a.json"]).await.unwrap();
    let field = |name: &str, of: &DataType| Arc::new(Field::new(name, of.clone(), true));
    let lat: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY, 0.5]));
    let city = texts("city", &[None, Some("서울")]).1;
    let geo: ArrayRef = Arc::new(StructArray::from(vec![
        (field("lat", &DataType::Float64), lat),
        (field("city", &DataType::Utf8), city),
    ]));
    let blob: ArrayRef = Arc::new(BinaryArray::from_iter_values([b"\x00", b"\xff"]));
    let none = new_null_array(&DataType::Date32, 2);
    lake.file("b.parquet", file_of(&vec![ids(&[2, 3]), ("geo", geo), ("blob", blob), ("day", none)]));
    let report = with(&lake, "b.parquet", evolution).await;
    (lake, report)
}

#[tokio::test]
async fn a_table_gets_the_columns_that_a_file_has() {
    let (lake, report) = grown(SchemaEvolution::AddColumns).await;
    let report = report.unwrap();
    assert_eq!((report.rows, report.rescued), (2, 0));
    assert_eq!(
        lake.columns("events").await,
        [
            "geo struct<lat: double, city: string>",
            "id long",
            "blob binary",
            "day date",
            "_rescued_data string"
        ]
    );
    let rows = lake.rows("events").await;
    assert!(rows.contains(&json!({"id": 3, "geo": {"lat": 0.5, "city": "서울"}, "blob": "ff"})), "{rows:?}");
    assert!(rows.contains(&json!({"id": 2, "geo": {"lat": null}, "blob": "00"})), "{rows:?}");
}

#[tokio::test]
async fn new_columns_are_rescued_ignored_or_refused_where_that_is_asked_for() {
    let (lake, report) = grown(SchemaEvolution::Rescue).await;
    assert_eq!(report.unwrap().rescued, 4, "two blobs, a city, and the infinity beside it");
    assert_eq!(lake.columns("events").await.len(), 3);
    let (_, report) = grown(SchemaEvolution::Ignore).await;
    let report = report.unwrap();
    assert_eq!((report.rescued, report.ignored), (1, 3));
    let (lake, report) = grown(SchemaEvolution::Fail).await;
    let Err(CollectError::SchemaFails { line_number, reason, .. }) = report else { panic!("{report:?}") };
    assert_eq!(line_number, 1, "{reason}");
    assert_eq!(lake.rows("events").await.len(), 1);
    let lake = Lake::new();
    lake.file("wide", file_of(&vec![ids(&[1]), texts("a", &[Some("x")]), texts("b", &[Some("y")])]));
    let mut request = lake.request(&["wide"]);
    request.columns_max = Some(2);
    let report = lake.run(request).await.unwrap();
    assert_eq!(lake.columns("events").await, ["id long", "a string", "_rescued_data string"]);
    assert_eq!(report.rescued, 1);
    assert!(report.notes.iter().any(|note| note.contains("1 ")), "{:?}", report.notes);
}

#[tokio::test]
async fn values_of_another_type_land_where_they_fit() {
    let lake = Lake::new();
    let small: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    lake.file(
        "a",
        file_of(&vec![ids(&[1]), ("n", small), texts("t", &[Some("x")]), texts("Name", &[Some("x")])]),
    );
    lake.ingest(&["a"]).await.unwrap();
    let large: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 2]));
    let number: ArrayRef = Arc::new(Int32Array::from(vec![5, 6]));
    let id = texts("id", &[Some("2"), None]);
    lake.file("b", file_of(&vec![id, ("n", large), ("t", number), texts("name", &[Some("y"), None])]));
    let report = lake.ingest(&["b"]).await.unwrap();
    assert_eq!((report.rows, report.rescued), (2, 3));
    assert_eq!(lake.columns("events").await[1], "n long", "it became wider");
    let rows = lake.rows("events").await;
    let row = rows.iter().find(|row| row["n"] == i64::MAX).unwrap();
    assert_eq!(row["Name"], "y");
    assert_eq!(row["_rescued_data"], "{\"$.id\": \"\\\"2\\\"\", \"$.t\": \"5\"}");
}

#[tokio::test]
async fn contracts_and_raw_records_see_whole_rows() {
    let columns =
        || vec![ids(&[1, -2, 3]), ("f", Arc::new(Float64Array::from(vec![0.5, 1.0, f64::NAN])) as ArrayRef)];
    let lake = Lake::new();
    lake.file("a", file_of(&columns()));
    let mut request = lake.request(&["a"]);
    request.keep_raw = true;
    assert_eq!(lake.run(request).await.unwrap().rescued, 0);
    let rows = lake.rows("events").await;
    let raw = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(rows.contains(&json!({"id": 1, "f": 0.5, "_raw": raw("{\"id\":1,\"f\":0.5}")})), "{rows:?}");
    assert!(rows.contains(&json!({"id": 3, "f": null, "_raw": raw("{\"id\":3,\"f\":\"NaN\"}")})), "{rows:?}");

    let lake = Lake::new();
    lake.file("a", file_of(&columns()));
    let mut request = lake.request(&["a"]);
    let schema = r#"{"type": "object", "properties": {"id": {"type": "integer", "minimum": 0}, "f": {"type": "number"}}}"#;
    request.schema = Some(schema.to_owned());
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.rejected), (1, 2), "{:?}", report.rejects_by_reason);
    let rejects = lake.rows("events_rejects").await;
    let at = |line: i64| rejects.iter().find(|row| row["line_number"] == line).unwrap();
    assert_eq!(at(2)["record"], raw("{\"id\":-2,\"f\":1.0}"));
    assert!(at(2)["byte_offset"] == 4 && at(3)["byte_offset"].as_i64() > Some(4), "{rejects:?}");
}

#[tokio::test]
async fn a_row_that_is_too_long_is_a_reject_with_its_beginning() {
    let lake = Lake::new();
    let long = "x".repeat(200_000);
    let columns = |ids_: &[i64]| vec![ids(ids_), texts("t", &[Some(long.as_str()), Some("y")])];
    lake.file("a", file_of(&columns(&[1, 2])));
    let mut request = lake.request(&["a"]);
    request.settings.line_bytes_max = 100_000;
    assert_eq!(lake.run(request).await.unwrap().rejected, 0, "in a column of its own it is no JSON");
    lake.file(
        "b",
        file_of(
            &columns(&[3, 4])
                .into_iter()
                .map(|(name, array)| (if name == "t" { "T" } else { name }, array))
                .collect(),
        ),
    );
    let mut request = lake.request(&["b"]);
    request.settings.line_bytes_max = 100_000;
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.rejected), (1, 1));
    let rejects = lake.rows("events_rejects").await;
    assert!(
        rejects[0]["record"].as_str().unwrap().starts_with("7b226964223a332c2254223a227878"),
        "the whole row"
    );
    assert!(
        rejects[0]["reason"].as_str().unwrap().contains("too long: 200015 bytes"),
        "{}",
        rejects[0]["reason"]
    );
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_nothing_of_it_lands() {
    let lake = Lake::new();
    lake.file("good.json", "{\"id\":1}\n");
    let mut bytes = file_of(&vec![ids(&[1, 2, 3, 4, 5, 6])]);
    let metadata =
        ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.clone())).unwrap().metadata().clone();
    let at = usize::try_from(metadata.row_group(1).column(0).byte_range().0).unwrap();
    bytes[at..at + 8].fill(0xff);
    lake.file("bad", &bytes);
    let error = lake.ingest(&["good.json", "bad"]).await.unwrap_err();
    let CollectError::SourceParquet { name, reason } = &error else { panic!("{error}") };
    assert!(name.ends_with("/bad") && reason.row_group == Some(1), "{error}");
    assert!(lake.table("events").await.is_none() && lake.parquet_files() == 0);
    lake.file("cut", &bytes[..bytes.len() - 1]);
    let error = lake.ingest(&["cut"]).await.unwrap_err();
    assert!(error.to_string().contains("cut off, or still being written"), "{error}");
}

#[tokio::test]
async fn a_changed_file_is_refused_or_taken_whole_and_has_no_tail() {
    let lake = Lake::new();
    lake.file("a", file_of(&vec![ids(&[1])]));
    lake.ingest(&["a"]).await.unwrap();
    lake.file("a", file_of(&vec![ids(&[1, 2, 3])]));
    let mut request = lake.request(&["a"]);
    let error = lake.run(request.clone()).await.unwrap_err();
    assert!(matches!(error, CollectError::SourceChanged { .. }), "{error}");
    request.on_changed = OnChanged::Tail;
    let error = lake.run(request.clone()).await.unwrap_err();
    assert!(matches!(error, CollectError::NoTail { .. }), "{error}");
    request.on_changed = OnChanged::New;
    assert_eq!(lake.run(request).await.unwrap().rows, 3);
    assert_eq!(lake.rows("events").await.len(), 4);
}

#[tokio::test]
async fn objects_and_streams_are_taken_as_files_are() {
    let lake = Lake::new();
    let bytes = file_of(&vec![ids(&[1, 2, 3])]);
    let location = Location::parse("memory:///in/a.json").unwrap();
    lake.catalog.host().store.put(&location, Bytes::from(bytes.clone())).await.unwrap();
    let report = lake.ingest(&["memory:///in/"]).await.unwrap();
    assert_eq!((report.rows, report.bytes_read), (3, bytes.len() as u64));
    assert_eq!(lake.ingest(&["memory:///in/"]).await.unwrap().sources_skipped, 1);
    let mut request = lake.request(&["-"]);
    request.batch_id = Some("one".to_owned());
    for (rows, skipped) in [(3, 0), (0, 1)] {
        let stdin: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.clone()));
        let report = ingest(&lake.catalog, request.clone(), Arc::new(NoProgress), Some(stdin)).await.unwrap();
        assert_eq!((report.rows, report.sources_skipped), (rows, skipped));
    }
}

/// The rows of a file by a decoder of these columns.
fn decoded(bytes: &[u8], columns: &iceberg::spec::SchemaRef, judges_whole: bool) -> (Vec<String>, u64) {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let limits = Limits { chunk_bytes: 2_000, record_bytes_max: 1 << 20, page_bytes_max: 1 << 20 };
    let mut parquet =
        Parquet::open(Arc::new(file), bytes.len() as u64, Box::new(std::io::empty()), limits).unwrap();
    let mut decoding = Decoding::new((columns.clone(), DecoderRules::default()), 1_000, Buffers::new(0));
    decoding.judges_whole |= judges_whole;
    let (mut rows, mut rescued) = (Vec::new(), 0);
    while let Some(chunk) = crate::frame::Chunks::next_chunk(&mut parquet).unwrap() {
        let mut next = vec![(0, chunk)];
        while !next.is_empty() {
            let piece = decoding.decode(next).unwrap();
            for (_, told) in &piece.told {
                rescued += told.rescued.total();
                assert_eq!((told.rejects.len(), told.rows), (0, piece.batch.num_rows()));
            }
            let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
            writer.write(&piece.batch).unwrap();
            writer.finish().unwrap();
            rows.extend(String::from_utf8(writer.into_inner()).unwrap().lines().map(str::to_owned));
            next = piece.rest;
        }
    }
    (rows, rescued)
}

prop_compose! {
    fn some_columns()(
        rows in proptest::collection::vec(
            (any::<Option<i64>>(), any::<Option<u64>>(), any::<Option<i64>>(), "\\PC{0,9}", 0_u8..6, any::<i32>()),
            1..40,
        ),
    ) -> Columns {
        let field = |name: &str, of: DataType| Arc::new(Field::new(name, of, true));
        let ints: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>());
        let inner_texts: ArrayRef = Arc::new(rows.iter().map(|row| (row.4 > 1).then_some(row.3.as_str())).collect::<StringArray>());
        let of_struct = StructArray::try_new(
            vec![field("n", DataType::Int64), field("t", DataType::Utf8)].into(),
            vec![ints.clone(), inner_texts.clone()],
            Some(rows.iter().map(|row| row.4 != 2).collect::<Vec<_>>().into()),
        );
        let list = arrow::array::ListArray::from_iter_primitive::<arrow::datatypes::TimestampNanosecondType, _, _>(
            rows.iter().map(|row| (row.4 > 0).then(|| vec![row.2; usize::from(row.4)])),
        );
        let days: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.5 / 100)).collect::<arrow::array::Date32Array>());
        let floats: ArrayRef = Arc::new(rows.iter().map(|row| row.0.map(|n| n as f64 / 3.0)).collect::<Float64Array>());
        let bytes: ArrayRef = Arc::new(rows.iter().map(|row| (row.4 > 0).then(|| row.5.to_be_bytes())).collect::<BinaryArray>());
        let unsigned: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<UInt64Array>());
        let times: ArrayRef = Arc::new(rows.iter().map(|row| row.2.map(|ns| ns / 1_000 * 1_000 + i64::from(row.4 / 5))).collect::<TimestampNanosecondArray>());
        let tags = {
            let mut map = MapBuilder::new(None, StringBuilder::new(), arrow::array::Int64Builder::new());
            for row in &rows {
                for at in 0..row.4 {
                    map.keys().append_value(format!("k{}", at % 4));
                    map.values().append_option(row.0);
                }
                map.append(true).unwrap();
            }
            Arc::new(map.finish()) as ArrayRef
        };
        vec![
            ("i", ints), ("s", Arc::new(of_struct.unwrap())), ("l", Arc::new(list)), ("d", days), ("f", floats),
            ("b", bytes), ("u", unsigned), ("at", times), ("t", inner_texts), ("m", tags),
        ]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is taken as it is, is what JSON would have made of it.
    #[test]
    fn columns_land_as_their_json_does(columns in some_columns(), narrow in any::<bool>()) {
        let bytes = file_of(&columns);
        let text = if narrow {
            r#"{"type":"object","properties":{"i":{"type":"integer","format":"int32"},"u":{"type":"integer"},"t":{"type":"string"},
                "at":{"type":"string","format":"date-time"},"d":{"type":"string"}}}"#
        } else {
            r#"{"type":"object","properties":{"other":{"type":"string"}}}"#
        };
        let declared = {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            let limits = Limits { chunk_bytes: 2_000, record_bytes_max: 1 << 20, page_bytes_max: 1 << 20 };
            Parquet::open(Arc::new(file), bytes.len() as u64, Box::new(std::io::empty()), limits).unwrap().fields()
        };
        let mut schema = hosu_table::rejects::with_rescued_data(&hosu_table::json_schema::parse(text).unwrap()).unwrap();
        let missing = hosu_table::declared::missing(&schema, &declared, hosu_table::json::Limits::default());
        for addition in missing.additions {
            schema = hosu_table::evolve::add_fields(&schema, schema.highest_field_id(), &[addition]).unwrap().schema;
        }
        let schema = Arc::new(schema);
        prop_assert_eq!(decoded(&bytes, &schema, false), decoded(&bytes, &schema, true));
    }
}
