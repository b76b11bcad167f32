//! The same promises on every backend that needs no server, and what the meter says about them.

use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::error::StoreErrorKind;
use crate::meter::{MeterReading, Operation};
use crate::upload::PART_BYTES;

fn places() -> (TempDir, Store, Vec<Location>) {
    let folder = tempfile::tempdir().unwrap();
    let local = Location::parse(folder.path().to_str().unwrap()).unwrap();
    (folder, Store::new(None), vec![local, Location::parse("memory:///lake").unwrap()])
}

fn requests(reading: MeterReading) -> [u64; 5] {
    Operation::ALL.map(|operation| reading.requests(operation))
}

#[tokio::test]
async fn objects_are_written_read_listed_and_removed() {
    let (_folder, store, places) = places();
    for place in places {
        let object = place.join("t/data/x.parquet");
        assert_eq!(store.get(&object).await.unwrap_err().kind(), StoreErrorKind::NotFound);
        assert_eq!(store.head(&object).await.unwrap_err().location(), &object);
        store.put(&object, Bytes::from_static(b"0123456789")).await.unwrap();
        assert_eq!(store.get(&object).await.unwrap(), "0123456789");
        assert_eq!(store.get_range(&object, 2..5).await.unwrap(), "234");
        assert_eq!(store.get_range(&object, 5..5).await.unwrap(), "");
        assert!(store.get_range(&object, 8..12).await.is_err(), "a short read is no success");
        let info = store.head(&object).await.unwrap();
        assert_eq!(info.size_bytes, 10);
        assert!(info.modified_ms > 1_700_000_000_000);

        store.put(&place.join("other"), Bytes::new()).await.unwrap();
        let listed: Vec<_> = store.list(&place.join("t")).try_collect().await.unwrap();
        assert_eq!(listed, [(object.clone(), info)]);
        assert!(store.list(&place.join("none")).next().await.is_none());

        store.delete(&object).await.unwrap();
        store.delete(&object).await.unwrap();
        assert_eq!(store.get(&object).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    }
}

#[tokio::test]
async fn every_request_and_byte_is_counted() {
    let (_folder, store, places) = places();
    for place in places {
        let store = store.metered(Arc::default());
        let query = store.metered(Arc::default());
        let object = place.join("x");
        store.put(&object, Bytes::from_static(b"0123456789")).await.unwrap();
        query.get(&object).await.unwrap();
        query.get_range(&object, 2..5).await.unwrap();
        query.head(&object).await.unwrap();
        query.list(&place).count().await;
        query.delete(&object).await.unwrap();
        let reading = query.meter().snapshot();
        assert_eq!(requests(reading), [2, 1, 1, 0, 1], "{place}");
        assert_eq!((reading.bytes_read(), reading.bytes_written()), (13, 0));
        assert_eq!(requests(store.meter().snapshot()), [2, 1, 1, 1, 1], "the outer meter sees all");
        assert_eq!(store.meter().snapshot().bytes_written(), 10);
    }
}

#[tokio::test]
async fn who_reads_through_object_store_is_counted_too() {
    let (_folder, store, places) = places();
    for place in places {
        let object = place.join("x");
        store.put(&object, Bytes::from_static(b"0123456789")).await.unwrap();
        let before = store.meter().snapshot();
        let inner = store.object_store(&object).unwrap();
        let parts = inner.get_ranges(&object.object_path().unwrap(), &[0..2, 2..3, 8..9]).await.unwrap();
        assert_eq!(parts, ["01", "2", "8"]);
        let reading = store.meter().snapshot() - before;
        assert_eq!((reading.requests(Operation::Get), reading.bytes_read()), (2, 4), "{place}");
    }
}

#[tokio::test]
async fn a_stream_gives_the_whole_object_in_pieces() {
    let (_folder, store, places) = places();
    let size = 2 * STREAM_CHUNK_BYTES as usize + 5;
    let content: Bytes = (0..size).map(|i| (i % 251) as u8).collect::<Vec<_>>().into();
    for place in places {
        for content in [content.clone(), Bytes::new()] {
            let object = place.join("x");
            store.put(&object, content.clone()).await.unwrap();
            let pieces: Vec<Bytes> = store.get_stream(&object).try_collect().await.unwrap();
            assert_eq!(pieces.len(), content.len().div_ceil(STREAM_CHUNK_BYTES as usize));
            assert!(pieces.concat() == content);
        }
        let missing: Vec<_> = store.get_stream(&place.join("none")).collect().await;
        assert!(matches!(&missing[..], [Err(StoreError::NotFound { .. })]));
    }
}

#[tokio::test]
async fn an_object_replaced_while_it_is_streamed_is_noticed() {
    let (_folder, store, places) = places();
    for place in places {
        let object = place.join("x");
        let content = Bytes::from(vec![1; 4 * STREAM_CHUNK_BYTES as usize]);
        store.put(&object, content.clone()).await.unwrap();
        let mut stream = store.get_stream(&object);
        stream.next().await.unwrap().unwrap();
        store.put(&object, content.slice(1..)).await.unwrap();
        let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Changed, "{place}: {error}");
    }
}

#[tokio::test]
async fn small_uploads_are_one_put_and_large_ones_parts() {
    let (_folder, store, places) = places();
    for place in places {
        let sizes = [(0, 1), (10, 1), (PART_BYTES, 1), (PART_BYTES + 1, 4), (3 * PART_BYTES, 5)];
        for (piece_bytes, (size, puts)) in
            [1_000_003, usize::MAX].into_iter().flat_map(|p| sizes.map(|s| (p, s)))
        {
            let before = store.meter().snapshot();
            let content: Bytes = (0..size).map(|i| (i % 239) as u8).collect::<Vec<_>>().into();
            let mut upload = store.upload(&place.join("x"));
            for piece in content.chunks(piece_bytes) {
                upload.write(content.slice_ref(piece)).await.unwrap();
            }
            assert_eq!(upload.written_bytes(), size as u64);
            assert_eq!(upload.finish().await.unwrap(), size as u64);
            let reading = store.meter().snapshot() - before;
            assert_eq!((reading.requests(Operation::Put), reading.bytes_written()), (puts, size as u64));
            assert!(store.get(&place.join("x")).await.unwrap() == content, "{place} {size}");
        }
    }
}

#[tokio::test]
async fn aborted_and_cancelled_uploads_leave_nothing() {
    let (folder, store, places) = places();
    for place in places {
        let mut aborted = store.upload(&place.join("t/aborted"));
        aborted.write(Bytes::from(vec![1; PART_BYTES * 2])).await.unwrap();
        aborted.abort().await.unwrap();
        let mut cancelled = store.upload(&place.join("t/cancelled"));
        cancelled.write(Bytes::from(vec![1; PART_BYTES * 2])).await.unwrap();
        drop(cancelled);
        store.upload(&place.join("t/never")).abort().await.unwrap();
        // The abort of a cancelled upload runs in the background.
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let left = std::fs::read_dir(folder.path().join("t")).unwrap().count();
            if left == 0 {
                break;
            }
        }
        assert_eq!(std::fs::read_dir(folder.path().join("t")).unwrap().count(), 0);
        assert_eq!(store.list(&place).count().await, 0, "{place}");
    }
}

#[tokio::test]
async fn a_bucket_needs_settings() {
    let object = Location::parse("s3://bucket/x").unwrap();
    let error = Store::new(None).get(&object).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/x cannot be used: no S3 is configured");
    let store = Store::new(None).with_backend("s3://bucket", Arc::new(InMemory::new()));
    store.put(&object, Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(store.get(&object).await.unwrap(), "1");
}

#[tokio::test]
async fn a_folder_without_rights_says_denied() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o500)).unwrap();
    let place = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let result = Store::new(None).put(&place.join("x"), Bytes::new()).await;
    // Root may write everywhere.
    if let Err(error) = result {
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
    }
    let error =
        Store::new(None).put(&Location::parse("/proc/none/x").unwrap(), Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("file:///proc/none/x"), "{error}");
}

#[tokio::test]
async fn a_full_disk_says_full() {
    // Every write to this device fails with ENOSPC.
    let error = std::fs::write("/dev/full", "x").unwrap_err();
    let location = Location::parse("/dev/full").unwrap();
    assert_eq!(StoreError::from_io(&location, error).kind(), StoreErrorKind::Full);
}

#[tokio::test]
async fn a_host_waits_on_its_own_clock() {
    let clock = ManualClock::at_ms(0);
    let store = Store::new(None).with_backend("s3://b", Arc::new(crate::retrying::tests::Flaky::always()));
    let host = crate::Host::new(
        store,
        Arc::new(clock.clone()),
        Arc::new(crate::SeededIds::new(1)),
        crate::Scratch::system(),
    );
    let error = host.store.get(&Location::parse("s3://b/x").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(clock.elapsed() > Duration::from_secs(3), "{:?}", clock.elapsed());
    assert_eq!(host.store.meter().snapshot().requests(Operation::Get), 8);
}
