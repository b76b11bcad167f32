//! Nothing is left of an operation that came to nothing, and nothing of others is touched.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use bytes::Bytes;
use futures::TryStreamExt;
use hosu_host::Location;
use iceberg::spec::{PrimitiveType, Transform};

use super::{Bench, optional, schema};
use crate::{DataFileError, discard, row_count};

fn numbers() -> Bench {
    Bench::new(schema([optional(1, "n", PrimitiveType::Long)])).partitioned(&[(
        "n",
        "n_bucket",
        Transform::Bucket(8),
    )])
}

fn rows(bench: &Bench, start: i64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(start..start + 10_000));
    bench.batch(vec![numbers])
}

#[tokio::test]
async fn an_aborted_writer_leaves_nothing_of_its_own() {
    let mut bench = numbers();
    let other = bench.write([rows(&bench, 0)]).await;
    let before = bench.objects().await;
    assert_eq!(before.len(), other.files.len());
    bench.settings.target_file_bytes = 1_000;
    let mut writer = bench.writer();
    for part in 0..20 {
        writer.write(rows(&bench, part * 10_000)).await.unwrap();
    }
    assert!(writer.made() > 8, "{} files", writer.made());
    writer.abort().await;
    assert_eq!(bench.objects().await, before);
}

#[tokio::test]
async fn a_dropped_writer_is_cleaned_up_behind() {
    let mut bench = numbers();
    bench.settings.target_file_bytes = 1_000;
    let mut writer = bench.writer();
    for part in 0..20 {
        writer.write(rows(&bench, part * 10_000)).await.unwrap();
    }
    drop(writer);
    for _ in 0..10_000 {
        if bench.objects().await.is_empty() {
            return;
        }
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
    panic!("{:?}", bench.objects().await);
}

#[tokio::test]
async fn an_error_of_the_store_is_told_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // Where one partition's folder would be lies a file.
    std::fs::write(data.join("n_bucket=3"), "in the way").unwrap();
    let mut bench = numbers();
    bench.target.location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    bench.settings.target_file_bytes = 1_000;
    let mut writer = bench.writer();
    let mut failed = None;
    for part in 0..20 {
        if let Err(error) = writer.write(rows(&bench, part * 10_000)).await {
            failed = Some(error);
            break;
        }
    }
    match failed {
        Some(_) => writer.abort().await,
        None => failed = writer.finish().await.err(),
    }
    match failed {
        Some(DataFileError::Store(error)) => assert!(error.to_string().contains("n_bucket=3"), "{error}"),
        other => panic!("{other:?}"),
    }
    let list = bench.host.store.list(&bench.target.location);
    let left: Vec<_> = list.try_collect().await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn written_files_are_discarded() {
    let bench = numbers();
    let (one, two) = (bench.write([rows(&bench, 0)]).await, bench.write([rows(&bench, 0)]).await);
    discard(&bench.host, &one.files).await;
    assert_eq!(bench.objects().await.len(), two.files.len());
    discard(&bench.host, &one.files).await;
}

#[tokio::test]
async fn what_is_no_parquet_file_has_no_rows() {
    let bench = numbers();
    let location = Location::parse("memory:///lake/t/data/x.parquet").unwrap();
    for bytes in [&b""[..], b"PAR1", b"not a parquet file at all", &[0; 100_000]] {
        bench.host.store.put(&location, Bytes::from_static(bytes)).await.unwrap();
        let counted = row_count(&bench.host, &location, bytes.len() as u64).await;
        assert!(matches!(counted, Err(DataFileError::Parquet { .. })), "{counted:?}");
    }
    assert!(row_count(&bench.host, &location, 200_000).await.is_err());
}
