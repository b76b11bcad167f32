//! Bad input: one clear error that names the source, and the lake as it was.

use std::io::Read;
use std::sync::Arc;

use hosu_host::Stop;
use serde_json::json;

use super::support::{Lake, gzip, lines};
use crate::frame::{Buffers, Given};
use crate::ingest::ingest;
use crate::ingest::pressure::Pressure;
use crate::ingest::reader::{self, Gathered, Message, Note, Reading};
use crate::source::{Source, SourceKind};
use crate::{CollectError, CollectSettings, NoProgress};

#[tokio::test]
async fn what_cannot_be_read_leaves_no_lake() {
    let lake = Lake::new();
    let text = lines(&(0..50_000).map(|n| json!({"n": n})).collect::<Vec<_>>());
    let whole = gzip(text.as_bytes());
    lake.file("good.json", lines(&[json!({"n": 1})]));
    lake.file("empty.json", "");
    lake.file("blank.json", "\n  \n\r\n");
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    lake.file("damaged", damaged);
    lake.file("picture.json", b"\x89PNG\r\n\x1a\n\0\0\0");
    lake.file("wide.json", b"\xff\xfe{\0}\0");
    for (sources, expected) in [
        (&["nope.json"][..], "nope.json does not exist"),
        (&["empty.json"], "empty.json has no records"),
        (&["blank.json"], "blank.json has no records"),
        (&["good.json", "damaged"], "damaged is damaged: its gzip data fails at byte"),
        (&["good.json", "picture.json"], "picture.json is a PNG picture"),
        (&["wide.json"], "wide.json is UTF-16"),
        (&["*.csv"], "nothing matches"),
    ] {
        let error = lake.ingest(sources).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(lake.parquet_files(), 0);
    assert!(lake.table("events").await.is_none());
}

#[tokio::test]
async fn what_came_before_a_cut_lands_and_the_cut_is_a_reject() {
    let lake = Lake::new();
    let text = lines(&(0..50_000).map(|n| json!({"n": n})).collect::<Vec<_>>());
    let whole = gzip(text.as_bytes());
    lake.file("cut", whole.get(..whole.len() / 2).unwrap());
    let report = lake.ingest(&["cut"]).await.unwrap();
    assert_eq!(report.rejected, 1);
    assert!((1_000..50_000).contains(&report.rows), "{report:?}");
    let rejects = lake.rows("events_rejects").await;
    assert!(rejects[0]["reason"].as_str().unwrap().contains("ends early"), "{rejects:?}");
    assert_eq!(rejects[0]["line_number"], report.rows + 1);
    // The whole file is another content of the same source.
    lake.file("cut", &whole);
    assert!(matches!(lake.ingest(&["cut"]).await, Err(CollectError::SourceChanged { .. })));
}

#[tokio::test]
async fn more_text_than_may_be_is_refused_and_nothing_of_it_is_there() {
    let lake = Lake::new();
    let text = lines(&vec![json!({"text": "the same again"}); 200_000]);
    lake.file("a.json", lines(&[json!({"text": "small"})]));
    lake.file("bomb", gzip(text.as_bytes()));
    let mut request = lake.request(&["a.json", "bomb"]);
    request.settings.decompressed_bytes_max = Some(text.len() as u64 - 1);
    let error = lake.run(request.clone()).await.unwrap_err();
    assert!(matches!(error, CollectError::SourceTooLong { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains("bomb is refused: ") && told.contains(" of text"), "{told}");
    assert_eq!(lake.parquet_files(), 0);
    assert!(lake.table("events").await.is_none());
    request.settings.decompressed_bytes_max = Some(text.len() as u64);
    assert_eq!(lake.run(request).await.unwrap().rows, 200_001);
}

#[tokio::test]
async fn an_empty_file_among_others_is_fine_and_may_be_filled_later() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"n": 1})]));
    lake.file("b.json", "");
    let report = lake.ingest(&["a.json", "b.json"]).await.unwrap();
    assert_eq!((report.rows, report.sources, report.sources_skipped), (1, 1, 0));
    lake.file("b.json", lines(&[json!({"n": 2})]));
    let report = lake.ingest(&["a.json", "b.json"]).await.unwrap();
    assert_eq!((report.rows, report.sources, report.sources_skipped), (1, 1, 1));
    lake.file("c.json", "");
    lake.file("d.json", "\n");
    let report = lake.ingest(&["c.json", "d.json"]).await.unwrap();
    assert_eq!((report.rows, report.sources, report.snapshot_id), (0, 0, None));
}

#[tokio::test]
async fn a_rejects_table_of_another_shape_is_an_error() {
    let lake = Lake::new();
    lake.file("a.json", "{\"n\":1}\n");
    lake.ingest(&["a.json"]).await.unwrap();
    let name = hosu_table::name::TableName::parse("events").unwrap();
    let other = hosu_table::name::TableName::stored("default", "other_rejects");
    lake.catalog.rename_table(&name, &other).await.unwrap();
    let mut request = lake.request(&["a.json"]);
    request.table = hosu_table::name::TableName::parse("other").unwrap();
    // As long as nothing is rejected, it is not needed.
    assert_eq!(lake.run(request.clone()).await.unwrap().rows, 1);
    lake.file("b.json", "bad\n");
    request.sources = vec!["b.json".to_owned()];
    request.dry_run = true;
    assert!(matches!(lake.run(request.clone()).await, Err(CollectError::RejectsTable { .. })));
    request.dry_run = false;
    let error = lake.run(request.clone()).await.unwrap_err();
    assert!(matches!(error, CollectError::RejectsTable { .. }), "{error}");
    request.table = hosu_table::name::TableName::parse("events_rejects").unwrap();
    assert!(matches!(lake.run(request).await, Err(CollectError::Name(_))));
}

/// A stream that never ends.
struct Endless(Stop);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.ask();
        buffer.fill(b'{');
        Ok(buffer.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_that_is_asked_to_stop_leaves_nothing() {
    let lake = Lake::new();
    let mut request = lake.request(&["-"]);
    request.schema = Some(json!({"type": "object", "properties": {"id": {"type": "string"}}}).to_string());
    let endless: Box<dyn Read + Send> = Box::new(Endless(request.stop.clone()));
    let error = ingest(&lake.catalog, request, Arc::new(NoProgress), Some(endless)).await.unwrap_err();
    assert!(matches!(error, CollectError::Stopped), "{error}");
    assert_eq!(lake.parquet_files(), 0);
    assert!(lake.table("events").await.is_none());
}

/// Reads chunks of 64 KiB.
fn reading(lake: &Lake) -> Reading {
    Reading {
        store: lake.catalog.host().store.clone(),
        scratch: lake.catalog.host().scratch.clone(),
        runtime: tokio::runtime::Handle::current(),
        given: Given::default(),
        buffer_bytes: 4 << 10,
        chunk_bytes: 64 << 10,
        line_bytes_max: 1 << 20,
        bounds: CollectSettings::default().bounds(),
        page_bytes_max: 1 << 20,
        buffers: Buffers::new(64 << 10),
        columns: None,
        is_look: false,
    }
}

/// A file of the lake as a source.
fn source(lake: &Lake, name: &str, text: &str) -> Source {
    lake.file(name, text);
    let kind = SourceKind::File { path: lake.path(name), size_bytes: text.len() as u64 };
    Source { name: name.to_owned(), kind }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_sources_are_decoded_together() {
    let lake = Lake::new();
    let text = |records: usize| lines(&vec![json!({"text": "x".repeat(100)}); records]);
    // 11 KB, and then 110 KB, which are two chunks.
    let sizes = [100, 100, 100, 1_000, 100];
    let sources =
        (0..).zip(sizes).map(|(n, size)| source(&lake, &format!("{n}.json"), &text(size))).collect();
    let mut messages =
        reader::spawn(reading(&lake), sources, 1 << 20, Pressure::new(usize::MAX, || {})).unwrap();
    let (mut together, mut ends) = (Vec::new(), Vec::new());
    while let Some(message) = messages.recv().await {
        match message {
            Message::Read(Gathered { notes, chunks, .. }) => {
                together.push(chunks.iter().map(|(source, _)| *source).collect::<Vec<_>>());
                ends.extend(notes.iter().filter_map(|note| match note {
                    Note::End { source, .. } => Some(*source),
                    Note::Begin { .. } => None,
                }));
            }
            Message::Failed(error) => panic!("{error}"),
        }
    }
    // Half of a chunk is enough.
    assert_eq!(together, [vec![0, 1, 2], vec![3], vec![3], vec![4]]);
    assert_eq!(ends, [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_waits_for_room() {
    let lake = Lake::new();
    let text = lines(&vec![json!({"text": "x".repeat(100)}); 20_000]);
    let source = source(&lake, "a.json", &text);
    let mut messages =
        reader::spawn(reading(&lake), vec![source], 256 << 10, Pressure::new(usize::MAX, || {})).unwrap();
    let mut held = Vec::new();
    let mut read_bytes = 0;
    loop {
        let wait = std::time::Duration::from_millis(if held.len() < 4 { 60_000 } else { 200 });
        match tokio::time::timeout(wait, messages.recv()).await {
            // Nothing comes while four chunks of 64 KiB are held.
            Err(_) => {
                assert_eq!(held.len(), 4);
                held.clear();
            }
            Ok(Some(Message::Read(Gathered { chunks, room, .. }))) => {
                read_bytes += chunks.iter().map(|(_, chunk)| chunk.bytes.len()).sum::<usize>();
                held.extend(room);
                assert!(held.len() <= 4);
            }
            Ok(Some(Message::Failed(error))) => panic!("{error}"),
            Ok(None) => break,
        }
    }
    assert_eq!(read_bytes, text.len());
}

#[tokio::test]
async fn a_warehouse_that_cannot_be_written_is_an_error_and_can_be_mended() {
    let mut lake = Lake::new();
    lake.file("a.json", lines(&[json!({"n": 1})]));
    lake.file("no_folder", "");
    let mended = lake.catalog.clone();
    let warehouse = lake.path("no_folder/warehouse");
    let warehouse = hosu_host::Location::parse(warehouse.to_str().unwrap()).unwrap();
    let settings = hosu_catalog::CatalogSettings::in_folder(&lake.path("lake"), warehouse);
    lake.catalog = hosu_catalog::Catalog::open(mended.host().clone(), settings);
    let error = lake.ingest(&["a.json"]).await.unwrap_err();
    assert!(matches!(error, CollectError::DataFile { .. }), "{error}");
    assert!(lake.table("events").await.is_none());
    lake.catalog = mended;
    assert_eq!(lake.ingest(&["a.json"]).await.unwrap().rows, 1);
}
