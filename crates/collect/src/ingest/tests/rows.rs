//! What lands: rows, rescued values, rejected records.

use serde_json::json;

use super::support::{Lake, lines};
use crate::frame::{Buffers, Chunk};
use crate::ingest::decode::Decoding;
use crate::json::DecoderRules;
use crate::{Compression, SourceStatus};

#[tokio::test]
async fn records_of_all_kinds_of_files_land_once_each() {
    let lake = Lake::new();
    lake.file("in/a.json", lines(&[json!({"id": 1, "name": "가"}), json!({"id": 2})]));
    lake.file("in/b.json.gz", "\u{feff}{\"id\":3}\r\n\r\n{\"id\":4}");
    lake.file("in/c.zst", lines(&[json!({"id": 5, "tags": ["x"]})]));
    let report = lake.ingest(&["in"]).await.unwrap();
    assert_eq!(
        (report.table.as_str(), report.rows, report.rejected, report.rescued),
        ("default.events", 5, 0, 0)
    );
    assert_eq!((report.sources, report.sources_skipped, report.data_files), (3, 0, 1));
    assert!(report.table_created && report.columns_added.is_empty() && !report.dry_run);
    assert_eq!(
        report.bytes_read,
        ["a.json", "b.json.gz", "c.zst"]
            .map(|name| lake.path("in").join(name).metadata().unwrap().len())
            .iter()
            .sum::<u64>()
    );
    let details: Vec<_> =
        report.sources_detail.iter().map(|s| (s.status, s.compression.unwrap(), s.rows)).collect();
    assert_eq!(
        details,
        [
            (SourceStatus::Ingested, Compression::None, 2),
            (SourceStatus::Ingested, Compression::Gzip, 2),
            (SourceStatus::Ingested, Compression::Zstd, 1)
        ]
    );
    let rows = lake.rows("events").await;
    assert_eq!(
        rows,
        [
            json!({"id": 1, "name": "가"}),
            json!({"id": 2}),
            json!({"id": 3}),
            json!({"id": 4}),
            json!({"id": 5, "tags": ["x"]})
        ]
    );
    assert_eq!(
        lake.columns("events").await,
        ["id long", "name string", "tags list<string>", "_rescued_data string"]
    );
    let table = lake.table("events").await.unwrap();
    let snapshot = table.snapshot().unwrap();
    assert_eq!(report.snapshot_id, Some(snapshot.snapshot_id().to_string()));
    let ledger = lake.catalog.ledger(table.uuid(), None).await.unwrap();
    assert_eq!(ledger.len(), 3);
    assert!(ledger.iter().all(|row| row.snapshot_id == Some(snapshot.snapshot_id())));
    assert_eq!(ledger.iter().map(|row| row.rows).sum::<u64>(), 5);
    assert!(lake.table("events_rejects").await.is_none());
}

#[tokio::test]
async fn bad_lines_are_kept_with_their_place() {
    let lake = Lake::new();
    lake.file("in.json", "{\"id\":1}\n\n{broken\r\n[1]\n{\"id\":2}\n\"x");
    let report = lake.ingest(&["in.json"]).await.unwrap();
    assert_eq!((report.rows, report.rejected, report.data_files), (2, 3, 2));
    assert_eq!(report.rejects_table.as_deref(), Some("default.events_rejects"));
    let mut rejects = lake.rows("events_rejects").await;
    rejects.sort_by_key(|row| row["line_number"].as_i64());
    let places: Vec<_> = rejects
        .iter()
        .map(|row| {
            let record = row["record"].as_str().unwrap();
            let bytes: Vec<u8> = (0..record.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&record[at..at + 2], 16).unwrap())
                .collect();
            (row["line_number"].as_i64().unwrap(), row["byte_offset"].as_i64().unwrap(), bytes)
        })
        .collect();
    assert_eq!(places, [(3, 10, b"{broken".to_vec()), (4, 19, b"[1]".to_vec()), (6, 32, b"\"x".to_vec())]);
    let source = lake.path("in.json");
    assert!(rejects.iter().all(|row| row["source"] == source.to_str().unwrap()));
    assert!(rejects.iter().all(|row| !row["reason"].as_str().unwrap().is_empty()));
    assert!(
        rejects.iter().all(|row| row["ingested_at"].as_str().unwrap().starts_with("2025-06-15T15:06:40"))
    );
    // The next ones go to the same table.
    lake.file("more.json", "nonsense\n");
    let report = lake.ingest(&["more.json"]).await.unwrap();
    assert_eq!((report.rows, report.rejected, report.snapshot_id), (0, 1, None));
    assert_eq!(lake.rows("events_rejects").await.len(), 4);
    assert_eq!(lake.ingest(&["more.json"]).await.unwrap().sources_skipped, 1);
}

#[tokio::test]
async fn values_that_do_not_fit_are_rescued_and_counted() {
    let lake = Lake::new();
    let values = [json!({"n": 1}), json!({"n": 2}), json!({"n": "text"}), json!({"n": 3, "o": {}})];
    lake.file("in.json", lines(&values));
    let report = lake.ingest(&["in.json"]).await.unwrap();
    assert_eq!((report.rows, report.rescued), (4, 2));
    let rescued = report.rescued_columns.iter().find(|column| column.column.contains('n')).unwrap();
    assert_eq!((rescued.values, rescued.example.as_str()), (1, "\"text\""));
    let rows = lake.rows("events").await;
    assert!(rows.contains(&json!({"_rescued_data": "{\"$.n\": \"\\\"text\\\"\"}"})), "{rows:?}");
}

#[tokio::test]
async fn a_file_of_rejects_only_makes_a_table_without_rows() {
    let lake = Lake::new();
    lake.file("bad.txt", "no json\nnone either\n");
    let report = lake.ingest(&["bad.txt"]).await.unwrap();
    assert_eq!((report.rows, report.rejected, report.snapshot_id), (0, 2, None));
    assert_eq!(lake.columns("events").await, ["_rescued_data string"]);
    assert_eq!(lake.rows("events_rejects").await.len(), 2);
    assert_eq!(lake.ingest(&["bad.txt"]).await.unwrap().sources_skipped, 1);
    // Good ones then make its columns.
    lake.file("good.json", "{\"id\":1}\n");
    let report = lake.ingest(&["good.json"]).await.unwrap();
    assert_eq!((report.rows, report.columns_added), (1, vec!["id".to_owned()]));
    assert_eq!(lake.columns("events").await, ["id long", "_rescued_data string"]);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_rejected_with_its_beginning() {
    let lake = Lake::new();
    let long = "y".repeat(5000);
    lake.file("in.json", format!("{{\"id\":1}}\n{{\"x\":\"{long}\"}}\n{{\"id\":2}}\n"));
    let mut request = lake.request(&["in.json"]);
    request.settings.line_bytes_max = 1000;
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.rejected), (2, 1));
    let reject = lake.rows("events_rejects").await.remove(0);
    assert!(reject["reason"].as_str().unwrap().contains("5008 bytes"), "{reject}");
    assert_eq!((reject["line_number"].as_i64(), reject["byte_offset"].as_i64()), (Some(2), Some(9)));
}

#[tokio::test]
async fn many_chunks_of_a_partitioned_table_arrive_in_bounded_memory() {
    let lake = Lake::new();
    let values: Vec<_> = (0..20_000)
        .map(|n| json!({"id": n, "country": format!("c{}", n % 7), "text": "x".repeat(50)}))
        .collect();
    lake.file("in.json", lines(&values));
    let mut request = lake.request(&["in.json"]);
    request.partition_by = Some("country".to_owned());
    request.sort_by = Some("id desc".to_owned());
    request.settings.memory_bytes = 4 << 20;
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.rescued, report.rejected), (20_000, 0, 0));
    let table = lake.table("events").await.unwrap();
    assert!(lake.files(&table).await.len() >= 7);
    assert_eq!(table.metadata.default_partition_spec().fields().len(), 1);
    assert_eq!(table.metadata.default_sort_order().fields.len(), 1);
    let mut ids: Vec<_> = lake.rows("events").await.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..20_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn objects_of_a_store_are_sources_too() {
    let lake = Lake::new();
    for n in 0..3 {
        let location = hosu_host::Location::parse(&format!("memory:///logs/{n}.json")).unwrap();
        lake.catalog.host().store.put(&location, format!("{{\"n\":{n}}}\n").into()).await.unwrap();
    }
    assert_eq!(lake.ingest(&["memory:///logs/"]).await.unwrap().rows, 3);
    assert_eq!(lake.ingest(&["memory:///logs/*.json"]).await.unwrap().sources_skipped, 3);
    let table = lake.table("events").await.unwrap();
    let ledger = lake.catalog.ledger(table.uuid(), None).await.unwrap();
    assert!(ledger.iter().all(|row| row.content.starts_with("etag:")));
}

#[tokio::test]
async fn rows_that_are_larger_than_their_text_are_decoded_piece_by_piece() {
    let lake = Lake::new();
    let wide: serde_json::Map<String, serde_json::Value> =
        (0..300).map(|n| (format!("column_{n}"), json!(n))).collect();
    lake.file("wide.json", lines(&[json!(wide)]));
    lake.ingest(&["wide.json"]).await.unwrap();
    let schema = lake.table("events").await.unwrap().schema().clone();
    let decoding = Decoding::new((schema, DecoderRules::default()), 100_000, Buffers::new(0));
    let text = "{}\n\nbad\n".repeat(500).into_bytes();
    // Of two sources, the second one small.
    let mut rest = vec![(0, Chunk::of_lines(text, 7, 3)), (1, Chunk::of_lines(b"bad\n{}\n".to_vec(), 0, 1))];
    let (mut pieces, mut rows, mut rejects) = (0, [0; 2], [const { Vec::new() }; 2]);
    while !rest.is_empty() {
        let piece = decoding.decode(rest).unwrap();
        assert_eq!(piece.batch.num_rows(), piece.told.iter().map(|(_, told)| told.rows).sum::<usize>());
        for (source, told) in piece.told {
            rows[source] += told.rows;
            rejects[source]
                .extend(told.rejects.iter().map(|reject| (reject.byte_offset, reject.line_number)));
        }
        rest = piece.rest;
        pieces += 1;
    }
    assert!(pieces > 5, "{pieces}");
    assert_eq!(rows, [500, 1]);
    let places: Vec<_> = (0..500).map(|n| (7 + 4 + n * 8, 3 + 2 + n * 3)).collect();
    assert_eq!(rejects, [places, vec![(0, 1)]]);
}
