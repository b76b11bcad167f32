//! More partitions and rows than fit into memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use iceberg::spec::{PrimitiveType, Transform};

use super::{Bench, optional, schema};

fn events() -> Bench {
    Bench::new(schema([
        optional(1, "id", PrimitiveType::Long),
        optional(2, "key", PrimitiveType::Long),
        optional(3, "text", PrimitiveType::String),
    ]))
}

/// Rows whose keys are mixed as well as can be.
fn rows(bench: &Bench, start: i64, count: i64, keys: i64) -> RecordBatch {
    let ids = start..start + count;
    bench.batch(vec![
        Arc::new(Int64Array::from_iter_values(ids.clone())),
        Arc::new(Int64Array::from_iter_values(ids.clone().map(|id| id.wrapping_mul(7_919).rem_euclid(keys)))),
        Arc::new(StringArray::from_iter_values(ids.map(|id| format!("event number {id} {}", id * 31)))),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_partitions_in_small_memory() {
    let mut bench = events().partitioned(&[("key", "key", Transform::Identity)]);
    bench.settings.memory_bytes = 2 << 20;
    bench.settings.open_partitions_max = 8;
    let mut writer = bench.writer();
    let workshop = writer.workshop();
    for part in 0..50 {
        writer.write(rows(&bench, part * 2_000, 2_000, 10_000)).await.unwrap();
    }
    assert!(writer.runs() > 1, "nothing was spilled");
    let written = writer.finish().await.unwrap();
    assert_eq!((written.rows, written.files.len()), (100_000, 10_000));
    let peak = workshop.budget.peak();
    assert!(peak <= 3 << 20, "{peak} bytes were held");
    let open = workshop.open_peak.load(Ordering::Acquire);
    assert!(open <= 16, "{open} files were open");
    let mut found: HashMap<i64, i64> = HashMap::new();
    for file in written.files.iter().step_by(97) {
        assert_eq!(file.record_count(), 10);
        let read = bench.read(file.file_path()).await;
        let keys = read.column(1).as_primitive::<Int64Type>().values();
        assert!(keys.iter().all(|key| *key == keys[0]));
        for id in read.column(0).as_primitive::<Int64Type>().values() {
            assert_eq!(id.wrapping_mul(7_919).rem_euclid(10_000), keys[0]);
            assert!(found.insert(*id, keys[0]).is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_files_are_flushed_when_memory_is_short() {
    let mut bench = events().partitioned(&[("key", "key", Transform::Identity)]);
    bench.settings.memory_bytes = 1 << 20;
    let mut writer = bench.writer();
    let workshop = writer.workshop();
    for part in 0..100 {
        writer.write(rows(&bench, part * 2_000, 2_000, 20)).await.unwrap();
    }
    let written = writer.finish().await.unwrap();
    assert_eq!((written.rows, written.files.len()), (200_000, 20));
    let peak = workshop.budget.peak();
    assert!(peak <= 2 << 20, "{peak} bytes were held");
    let mut ids = Vec::new();
    for file in &written.files {
        ids.extend_from_slice(
            bench.read(file.file_path()).await.column(0).as_primitive::<Int64Type>().values(),
        );
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..200_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_in_small_memory_is_whole() {
    let mut bench = events();
    bench.settings.memory_bytes = 1 << 20;
    let mut writer = bench.writer();
    let workshop = writer.workshop();
    for part in 0..100 {
        writer.write(rows(&bench, part * 5_000, 5_000, 20)).await.unwrap();
    }
    let written = writer.finish().await.unwrap();
    assert_eq!((written.rows, written.files.len()), (500_000, 1));
    assert!(workshop.budget.peak() <= 2 << 20, "{}", workshop.budget.peak());
    let read = bench.read(written.files[0].file_path()).await;
    assert!(read.column(0).as_primitive::<Int64Type>().values().iter().copied().eq(0..500_000));
}
