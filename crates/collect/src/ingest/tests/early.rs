//! Tables that lack what the beginnings of their sources bring: little of these is read twice, and what lands is the same as if
//! all of it were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use hosu_table::evolution::SchemaEvolution;
use iceberg::spec::PrimitiveType;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::grow::make_table;
use super::support::{Lake, lines};
use crate::ingest::ingest;
use crate::{CollectError, IngestRequest, Progress, Report};

/// Counts what is read, all passes together.
#[derive(Debug, Default)]
struct Counting {
    passes: AtomicU64,
    bytes: AtomicU64,
}

impl Progress for Counting {
    fn found(&self, _: u64) {}

    fn begin(&self, _: Option<u64>) {
        self.passes.fetch_add(1, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64, _: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn end(&self) {}
}

/// How often sources were begun, and how many bytes of them were read.
type Read = (u64, u64);

async fn counted(lake: &Lake, request: IngestRequest) -> (Result<Report, CollectError>, Read) {
    let counting = Arc::new(Counting::default());
    let report = ingest(&lake.catalog, request, counting.clone(), None).await;
    (report, (counting.passes.load(Ordering::Relaxed), counting.bytes.load(Ordering::Relaxed)))
}

/// A request whose text is read in many chunks of 64 KiB, and whose sample is two of them.
fn request(lake: &Lake, sources: &[&str]) -> IngestRequest {
    let mut request = lake.request(sources);
    request.settings.memory_bytes = 16 << 20;
    request.settings.sample_bytes = 128 << 10;
    request
}

/// Without room for a sample all is read for what is missing.
fn without_sample(mut request: IngestRequest) -> IngestRequest {
    request.settings.sample_bytes = 0;
    request
}

struct Case {
    what: &'static str,
    /// Columns of a table that is there.
    table: Option<&'static [(&'static str, PrimitiveType)]>,
    sources: &'static [&'static str],
    change: fn(&mut IngestRequest),
}

const NONE: fn(&mut IngestRequest) = |_| {};

fn partial(request: &mut IngestRequest) {
    let schema = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer", "minimum": 0}, "geo": {"type": "object", "properties": {"lat": {"type": "number"}}}}});
    request.schema = Some(schema.to_string());
}

const LONG: (&str, PrimitiveType) = ("id", PrimitiveType::Long);
const RESCUED: (&str, PrimitiveType) = ("_rescued_data", PrimitiveType::String);
const INT: (&str, PrimitiveType) = ("id", PrimitiveType::Int);

const CASES: &[Case] = &[
    Case { what: "a schema of some fields", table: None, sources: &["events.json"], change: partial },
    Case { what: "compressed", table: None, sources: &["events.json.gz"], change: partial },
    Case {
        what: "the same with few columns",
        table: None,
        sources: &["events.json"],
        change: |request| {
            partial(request);
            request.columns_max = Some(4);
        },
    },
    Case {
        what: "partitioned by a field that the schema lacks not",
        table: None,
        sources: &["events.json"],
        change: |request| {
            partial(request);
            (request.partition_by, request.sort_by) =
                (Some("bucket(3, id)".to_owned()), Some("id desc".to_owned()));
        },
    },
    Case {
        what: "a schema in the mode rescue",
        table: None,
        sources: &["events.json"],
        change: |request| {
            partial(request);
            request.evolution = Some(SchemaEvolution::Rescue);
        },
    },
    Case {
        what: "a schema in the mode ignore",
        table: None,
        sources: &["events.json"],
        change: |request| {
            partial(request);
            request.evolution = Some(SchemaEvolution::Ignore);
        },
    },
    Case { what: "an array", table: None, sources: &["array.json"], change: partial },
    Case { what: "CSV", table: None, sources: &["events.csv"], change: partial },
    Case { what: "a table that is there", table: Some(&[LONG]), sources: &["events.json"], change: NONE },
    Case { what: "CSV into it", table: Some(&[LONG]), sources: &["events.csv"], change: NONE },
    Case { what: "Parquet into it", table: Some(&[LONG]), sources: &["events.parquet"], change: NONE },
    Case { what: "a column too narrow", table: Some(&[INT]), sources: &["events.json"], change: NONE },
    Case {
        what: "Parquet into a column too narrow",
        table: Some(&[INT]),
        sources: &["events.parquet"],
        change: NONE,
    },
    Case {
        what: "several",
        table: Some(&[INT, RESCUED]),
        sources: &["events.csv", "events.parquet", "events.json", "array.json"],
        change: NONE,
    },
    Case {
        what: "rescued in a table of others",
        table: Some(&[LONG]),
        sources: &["events.json"],
        change: |request| request.evolution = Some(SchemaEvolution::Rescue),
    },
];

fn events(count: i64) -> Vec<Value> {
    let event = |n: i64| {
        let noise: String = (0..32).map(|at| format!("{:016x}", noise(n * 32 + at))).collect();
        let id = if n % 50 == 7 { 3_000_000_000 + n } else { n };
        let mut event =
            json!({"id": id, "name": noise, "geo": {"lat": 1.5, "city": "서울"}, "tags": [{"k": n}]});
        match n % 40 {
            // What only a reject has.
            3 => event = json!({"id": -n - 1, "odd": true}),
            5 => event["name"] = json!(n),
            9 => event["geo"] = json!({"lat": "north", "of_reject": 1}),
            11 => event = json!({"name": "no id", "other": 1}),
            _ => {}
        }
        event
    };
    (0..count).map(event).collect()
}

/// Text of it does not become much shorter by compression.
fn noise(n: i64) -> u64 {
    let mixed = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ mixed
}

fn write_sources(lake: &Lake) {
    let events = events(2_500);
    lake.file("events.json", lines(&events));
    lake.file("events.json.gz", lines(&events));
    lake.file("array.json", Value::from(events).to_string());
    let ids: Vec<i64> = (0..8_000).map(|n| if n % 50 == 7 { 3_000_000_000 + n } else { n }).collect();
    let rows: String = ids.iter().map(|id| format!("{id},name {id},{}.5\n", id % 7)).collect();
    lake.file("events.csv", format!("id,name,share\n{rows}"));
    let names = ids.iter().map(|id| format!("name {id}"));
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from(ids.clone()))),
        ("name", Arc::new(StringArray::from_iter_values(names))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    lake.file("events.parquet", bytes);
}

/// Everything of a report and its tables that has no name by chance.
async fn landed(lake: &Lake, report: Report) -> (Vec<String>, Vec<Value>, Vec<Value>, Value) {
    let mut report = serde_json::to_value(report).unwrap();
    for by_chance in ["snapshot_id", "elapsed_ms", "bytes_written", "sources_detail"] {
        report.as_object_mut().unwrap().remove(by_chance);
    }
    // In which order a table gets its columns is told by the columns.
    let changes = report["schema_changes"].as_array_mut().unwrap();
    changes.sort_by_key(Value::to_string);
    let report = report.to_string().replace(lake.path("").to_str().unwrap(), "");
    let without_time = |mut reject: Value| {
        for by_chance in ["ingested_at", "source"] {
            reject.as_object_mut().unwrap().remove(by_chance);
        }
        reject
    };
    (
        lake.columns("events").await,
        lake.rows("events").await,
        lake.rows("events_rejects").await.into_iter().map(without_time).collect(),
        serde_json::from_str(&report).unwrap(),
    )
}

async fn run(case: &Case, sampled: bool) -> ((Vec<String>, Vec<Value>, Vec<Value>, Value), Read, u64) {
    let lake = Lake::new();
    write_sources(&lake);
    if let Some(columns) = case.table {
        make_table(&lake, columns).await;
    }
    let mut request = request(&lake, case.sources);
    (case.change)(&mut request);
    let (report, read) = counted(&lake, if sampled { request } else { without_sample(request) }).await;
    let stored = case.sources.iter().map(|source| std::fs::metadata(lake.path(source)).unwrap().len()).sum();
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", case.what));
    let table = lake.table("events").await.unwrap();
    assert_eq!(table.metadata.snapshots().count(), 1, "{}", case.what);
    (landed(&lake, report).await, read, stored)
}

#[tokio::test]
async fn little_is_read_twice_and_what_lands_is_the_same_as_if_all_were() {
    for case in CASES {
        let (sampled, (passes, bytes), stored) = run(case, true).await;
        assert!(bytes >= stored, "{}: {bytes} of {stored}", case.what);
        assert!(passes <= 3, "{}: {passes} passes", case.what);
        // The beginning is read by each pass: at most the length of the sample, the chunk in which that ends, and a buffer.
        let beginning = (passes - 1) * ((128 + 64 + 256) << 10);
        assert!(bytes <= stored + beginning, "{}: {bytes} of {stored} in {passes} passes", case.what);
        let (whole, ..) = run(case, false).await;
        assert_eq!(sampled.0, whole.0, "{}: columns", case.what);
        assert_eq!(sampled.2, whole.2, "{}: rejects", case.what);
        assert_eq!(sampled.3, whole.3, "{}: report", case.what);
        assert!(sampled.1 == whole.1, "{}: rows", case.what);
    }
}

#[tokio::test]
async fn nothing_new_is_read_once() {
    let lake = Lake::new();
    write_sources(&lake);
    let mut request = request(&lake, &["events.json"]);
    partial(&mut request);
    counted(&lake, request.clone()).await.0.unwrap();
    request.reingest = true;
    let stored = std::fs::metadata(lake.path("events.json")).unwrap().len();
    let (report, read) = counted(&lake, request).await;
    assert_eq!((report.unwrap().columns_added.len(), read), (0, (1, stored)));
}

#[tokio::test]
async fn what_comes_late_becomes_a_column_too() {
    let lake = Lake::new();
    let mut events = events(2_500);
    events.push(json!({"id": 1, "late": {"deep": [1.5]}}));
    events.push(json!({"id": -1, "late_of_reject": 1}));
    lake.file("events.json", lines(&events));
    let mut request = request(&lake, &["events.json"]);
    partial(&mut request);
    let (report, (passes, _)) = counted(&lake, request).await;
    // One ends at its beginning, one finds what is late, one writes.
    assert_eq!((report.unwrap().rows, passes), (2_501 - 3 * 63, 3));
    assert_eq!(
        lake.columns("events").await,
        [
            "geo struct<lat: double, city: string>",
            "id long",
            "name string",
            "tags list<struct<k: long>>",
            "late struct<deep: list<double>>",
            "_rescued_data string"
        ]
    );
}

#[tokio::test]
async fn columns_of_many_sources_are_found_in_all_of_them() {
    let lake = Lake::new();
    let names: Vec<String> = (0..40).map(|n| format!("{n:02}.json")).collect();
    for (n, name) in names.iter().enumerate() {
        let mut event = json!({"id": n, "text": "x".repeat(3_000)});
        event[format!("of_{n:02}")] = json!(n);
        lake.file(name, lines(&vec![event; 20]));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut request = request(&lake, &names);
    request.schema = Some(json!({"type": "object", "properties": {"id": {"type": "integer"}}}).to_string());
    request.settings.sample_bytes = 4 << 20;
    request.settings.memory_bytes = 256 << 20;
    let (report, (passes, _)) = counted(&lake, request).await;
    assert_eq!((report.unwrap().rows, passes), (800, 2));
    assert_eq!(lake.columns("events").await.len(), 43);
}
