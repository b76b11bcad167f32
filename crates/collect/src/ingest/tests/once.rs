//! Exactly once: what was ingested is skipped, what changed is said, whoever else is at work.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{Lake, lines};
use crate::ingest::ingest;
use crate::{CollectError, NoProgress, OnChanged, Report};

#[tokio::test]
async fn the_same_again_commits_nothing() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.file("b.json", lines(&[json!({"id": 2})]));
    lake.ingest(&["a.json"]).await.unwrap();
    let before = lake.table("events").await.unwrap();
    let report = lake.ingest(&["./a.json"]).await.unwrap();
    assert_eq!((report.rows, report.sources, report.sources_skipped), (0, 0, 1));
    assert_eq!((report.snapshot_id, report.bytes_read), (None, 0));
    assert_eq!(lake.table("events").await.unwrap().metadata_location, before.metadata_location);
    let report = lake.ingest(&["*.json"]).await.unwrap();
    assert_eq!((report.rows, report.sources, report.sources_skipped), (1, 1, 1));
    // A copy is another source.
    lake.file("copy.json", lines(&[json!({"id": 1})]));
    assert_eq!(lake.ingest(&["copy.json"]).await.unwrap().rows, 1);
    let mut request = lake.request(&["a.json"]);
    request.reingest = true;
    assert_eq!(lake.run(request).await.unwrap().rows, 1);
    assert_eq!(lake.rows("events").await.len(), 4);
}

#[tokio::test]
async fn changed_content_is_an_error_unless_it_is_wanted() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.ingest(&["a.json"]).await.unwrap();
    for text in [lines(&[json!({"id": 2})]), lines(&[json!({"id": 3}), json!({"id": 4})])] {
        lake.file("a.json", &text);
        let error = lake.ingest(&["a.json"]).await.unwrap_err();
        assert!(matches!(error, CollectError::SourceChanged { .. }), "{error}");
        let mut request = lake.request(&["a.json"]);
        request.on_changed = OnChanged::New;
        lake.run(request.clone()).await.unwrap();
        assert_eq!(lake.run(request).await.unwrap().sources_skipped, 1);
        assert_eq!(lake.ingest(&["a.json"]).await.unwrap().sources_skipped, 1, "known now");
    }
    assert_eq!(lake.rows("events").await.len(), 4);
}

#[tokio::test]
async fn a_dry_run_tells_all_and_writes_nothing() {
    let lake = Lake::new();
    lake.file("a.json", "{\"id\":1}\n{\"id\":\"x\"}\n{\"id\":2}\nbad\n");
    let mut request = lake.request(&["a.json"]);
    request.dry_run = true;
    let report = lake.run(request.clone()).await.unwrap();
    assert_eq!((report.rows, report.rejected, report.rescued, report.sources), (3, 1, 1, 1));
    assert_eq!((report.snapshot_id, report.data_files), (None, 2), "as they would be");
    assert!(report.bytes_written > 0);
    assert!(report.dry_run && report.table_created);
    assert!(!lake.path("lake").exists());
    lake.ingest(&["a.json"]).await.unwrap();
    lake.file("b.json", "{\"id\":1,\"new\":true}\n");
    let files = lake.parquet_files();
    request.sources = vec!["a.json".to_owned(), "b.json".to_owned()];
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rows, report.sources, report.sources_skipped), (1, 1, 1));
    assert_eq!(report.columns_added, ["new"]);
    assert_eq!(lake.parquet_files(), files);
    assert_eq!(lake.columns("events").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn ingests_at_the_same_time_make_one_table() {
    let lake = Arc::new(Lake::new());
    let ingests = (0..4).map(|n| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let name = format!("{n}.json");
            lake.file(&name, lines(&[json!({"id": n}), json!({"id": n + 10, format!("f{}", n % 2): n})]));
            let catalog = lake.other_process(100 + n);
            ingest(&catalog, lake.request(&[&name]), Arc::new(NoProgress), None).await
        })
    });
    for result in futures::future::join_all(ingests).await {
        assert_eq!(result.unwrap().unwrap().rows, 2);
    }
    let rows = lake.rows("events").await;
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.iter().filter(|row| row.get("f0").is_some() || row.get("f1").is_some()).count(), 4);
    assert_eq!(lake.columns("events").await.len(), 4);
    let table = lake.table("events").await.unwrap();
    assert_eq!(lake.parquet_files(), lake.files(&table).await.len(), "losers delete what they wrote");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_source_at_the_same_time_lands_once() {
    let lake = Arc::new(Lake::new());
    lake.file("a.json", lines(&[json!({"id": 1}), json!({"id": 2})]));
    let ingests = (0..4).map(|n| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let catalog = lake.other_process(100 + n);
            ingest(&catalog, lake.request(&["a.json"]), Arc::new(NoProgress), None).await
        })
    });
    let results = futures::future::join_all(ingests).await;
    let reports: Vec<Report> = results.into_iter().map(|result| result.unwrap().unwrap()).collect();
    assert_eq!(reports.iter().map(|report| report.rows).sum::<u64>(), 2);
    assert_eq!(reports.iter().map(|report| report.sources_skipped).sum::<u64>(), 3);
    assert_eq!(lake.rows("events").await.len(), 2);
}

#[tokio::test]
async fn standard_input_is_never_skipped_and_read_again_for_late_fields() {
    let lake = Lake::new();
    let text: String = (0..5000)
        .map(|n| if n == 4999 { json!({"id": n, "late": 1.5}) } else { json!({"id": n}) })
        .map(|value| format!("{value}\n"))
        .collect();
    for round in 1..=2 {
        let mut request = lake.request(&["-"]);
        request.settings.sample_bytes = 1000;
        let stdin: Box<dyn std::io::Read + Send> = Box::new(std::io::Cursor::new(text.clone().into_bytes()));
        let report = ingest(&lake.catalog, request, Arc::new(NoProgress), Some(stdin)).await.unwrap();
        assert_eq!((report.rows, report.rescued, report.sources), (5000, 0, 1));
        let rows = lake.rows("events").await;
        assert_eq!(rows.len(), 5000 * round);
        assert_eq!(rows.iter().filter(|row| row["late"] == json!(1.5)).count(), round);
    }
}

/// An event: always an id, and some of a few fields, whose names differ from ingest to ingest.
fn event() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0_u8..6, any::<u8>()), 0..4)
}

fn to_json(id: usize, fields: &[(u8, u8)]) -> Value {
    let mut value = json!({"id": id});
    for (name, number) in fields {
        value[format!("f{name}")] = match name {
            0 | 1 => json!(number),
            2 => json!(format!("t{number}")),
            3 => json!({format!("n{}", number % 3): number}),
            4 => json!([{"x": number}, {format!("y{}", number % 2): "z"}]),
            _ => json!(number % 2 == 0),
        };
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_found_once(files in proptest::collection::vec(proptest::collection::vec(event(), 0..40), 1..5)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = Lake::new();
            let mut expected = Vec::new();
            for (at, events) in files.iter().enumerate() {
                let values: Vec<Value> =
                    events.iter().enumerate().map(|(id, fields)| to_json(at * 1000 + id, fields)).collect();
                lake.file(&format!("{at}.json"), lines(&values));
                expected.extend(values);
                let mut request = lake.request(&["*.json"]);
                request.settings.sample_bytes = 200;
                match lake.run(request).await {
                    Ok(report) => assert_eq!((report.rejected, report.rescued), (0, 0), "{report:?}"),
                    Err(CollectError::SourceEmpty { .. }) => assert!(expected.is_empty()),
                    Err(error) => panic!("{error}"),
                }
            }
            expected.sort_by_key(|value| value["id"].as_u64());
            let mut rows = lake.rows("events").await;
            rows.sort_by_key(|value| value["id"].as_u64());
            assert_eq!(rows, expected);
        });
    }
}

#[tokio::test]
async fn the_lake_is_no_source_of_itself_unless_it_is_named() {
    let lake = Lake::new();
    lake.file("a.json", "{\"id\":1}\n");
    assert_eq!(lake.ingest(&["."]).await.unwrap().rows, 1);
    for sources in [".", "**/*"] {
        let report = lake.ingest(&[sources]).await.unwrap();
        assert_eq!((report.sources, report.sources_skipped), (0, 1), "{sources}");
        let own = report.left_out.iter().filter(|left| left.reason == "it belongs to the lake itself");
        let own: Vec<_> = own.map(|left| left.path.rsplit('/').next().unwrap()).collect();
        assert!(own.contains(&"catalog.db") && own.contains(&"warehouse"), "{sources}: {own:?}");
    }
    for sources in ["*/*", "lake/*", "lake/[w]arehouse/**/*"] {
        let nothing = lake.ingest(&[sources]).await;
        assert!(matches!(nothing, Err(CollectError::NothingMatches { .. })), "{sources}: {nothing:?}");
    }
    // What is named itself is read.
    let report = lake.ingest(&["lake/warehouse/**/*.parquet"]).await.unwrap();
    assert_eq!((report.rows, report.left_out.len()), (1, 0));
}
