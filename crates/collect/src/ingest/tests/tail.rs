//! Files that grow, taken in parts, and batches with an id.

use std::fs;
use std::io::{Cursor, Read};
use std::sync::Arc;

use serde_json::json;

use super::support::{Lake, gzip, lines};
use crate::ingest::ingest;
use crate::{CollectError, NoProgress, OnChanged, Report};

impl Lake {
    async fn tail(&self, source: &str) -> Result<Report, CollectError> {
        let mut request = self.request(&[source]);
        request.on_changed = OnChanged::Tail;
        self.run(request).await
    }

    fn append(&self, name: &str, text: &str) {
        let before = fs::read_to_string(self.path(name)).unwrap_or_default();
        self.file(name, before + text);
    }

    async fn batch(&self, id: &str, text: &str) -> Result<Report, CollectError> {
        let mut request = self.request(&["-"]);
        request.batch_id = Some(id.to_owned());
        let stdin: Box<dyn Read + Send> = Box::new(Cursor::new(text.to_owned().into_bytes()));
        ingest(&self.catalog, request, Arc::new(NoProgress), Some(stdin)).await
    }

    async fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> =
            self.rows("events").await.iter().filter_map(|row| row["id"].as_i64()).collect();
        ids.sort_unstable();
        ids
    }
}

#[tokio::test]
async fn what_was_added_is_taken_and_nothing_twice() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.tail("a.json").await.unwrap();
    assert_eq!(lake.tail("a.json").await.unwrap().sources_skipped, 1);
    for id in 2..5 {
        lake.append("a.json", &format!("{{\"id\":{id}}}\n\nbad {id}\n"));
        let report = lake.tail("a.json").await.unwrap();
        assert_eq!((report.rows, report.rejected, report.sources), (1, 1, 1));
        assert_eq!(report.bytes_read, 9 + 1 + 6);
        assert_eq!(lake.tail("a.json").await.unwrap().sources_skipped, 1);
        assert_eq!(lake.ingest(&["a.json"]).await.unwrap().sources_skipped, 1, "all of it is known");
    }
    assert_eq!(lake.ids().await, [1, 2, 3, 4]);
    // Places are those in the whole file.
    let text = fs::read_to_string(lake.path("a.json")).unwrap();
    for reject in lake.rows("events_rejects").await {
        let (record, number) = (reject["record"].as_str().unwrap(), reject["line_number"].as_u64().unwrap());
        let line = text.lines().nth(number as usize - 1).unwrap();
        let at = reject["byte_offset"].as_u64().unwrap() as usize;
        assert!(text[at..].starts_with(line) && line.starts_with("bad "), "{record}");
    }
    let table = lake.table("events").await.unwrap().uuid();
    let rows = lake.catalog.ledger(table, None).await.unwrap();
    let parts: Vec<_> = rows.iter().map(|row| (row.from_byte, row.size_bytes)).collect();
    assert_eq!(parts, [(0, 9), (9, 25), (25, 41), (41, 57)]);
}

#[tokio::test]
async fn new_fields_of_what_was_added_become_columns() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.tail("a.json").await.unwrap();
    lake.append("a.json", &lines(&[json!({"id": 2, "late": 7})]));
    assert_eq!(lake.tail("a.json").await.unwrap().columns_added, ["late"]);
    assert_eq!(lake.rows("events").await, [json!({"id": 1}), json!({"id": 2, "late": 7})]);
}

#[tokio::test]
async fn another_beginning_is_refused() {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1}), json!({"id": 2})]));
    lake.tail("a.json").await.unwrap();
    for values in [vec![json!({"id": 3})], vec![json!({"id": 3}), json!({"id": 4}), json!({"id": 5})]] {
        lake.file("a.json", lines(&values));
        let error = lake.tail("a.json").await.unwrap_err();
        assert!(matches!(error, CollectError::BeginsDifferently { .. }), "{error}");
    }
    assert_eq!(lake.ids().await, [1, 2]);
}

#[tokio::test]
async fn a_last_line_that_was_taken_early_and_went_on_is_refused() {
    let lake = Lake::new();
    lake.file("a.json", "{\"id\":1}\n{\"id\":2}");
    lake.tail("a.json").await.unwrap();
    // It was complete, only its end was missing.
    lake.append("a.json", "\r\n{\"id\":3}\n{\"id\":");
    assert_eq!(lake.tail("a.json").await.unwrap().rows, 1);
    assert_eq!(lake.rows("events_rejects").await.len(), 1, "the command takes what is there");
    lake.append("a.json", "4}\n");
    let error = lake.tail("a.json").await.unwrap_err();
    assert!(matches!(error, CollectError::LineWentOn { byte: 34, .. }), "{error}");
    assert_eq!(lake.ids().await, [1, 2, 3]);
}

#[tokio::test]
async fn only_lines_have_a_tail() {
    let lake = Lake::new();
    let text = lines(&[json!({"id": 1})]);
    lake.file("a.json.gz", &text);
    lake.tail("a.json.gz").await.unwrap();
    fs::write(lake.path("a.json.gz"), [gzip(text.as_bytes()), gzip(text.as_bytes())].concat()).unwrap();
    let error = lake.tail("a.json.gz").await.unwrap_err();
    assert!(matches!(error, CollectError::NoTail { .. }), "{error}");
}

#[tokio::test]
async fn envelopes_that_a_path_leads_to_have_none_either() {
    let lake = Lake::new();
    let mut request = lake.request(&["a.json"]);
    request.on_changed = OnChanged::Tail;
    request.records_path = vec!["r".to_owned()];
    lake.file("a.json", "{\"r\":[{\"id\":1}]}\n");
    lake.run(request.clone()).await.unwrap();
    lake.append("a.json", "{\"r\":[{\"id\":2}]}\n");
    let error = lake.run(request).await.unwrap_err();
    assert!(matches!(error, CollectError::NoTail { .. }), "{error}");
    assert_eq!(lake.ids().await, [1]);
}

#[tokio::test]
async fn the_same_batch_again_is_skipped_and_another_one_of_its_id_refused() {
    let lake = Lake::new();
    assert_eq!(lake.batch("7", "{\"id\":1}\n").await.unwrap().rows, 1);
    let again = lake.batch("7", "{\"id\":1}\n").await.unwrap();
    assert_eq!((again.rows, again.sources_skipped), (0, 1));
    assert_eq!(again.sources_detail[0].source, "batch:7");
    let error = lake.batch("7", "{\"id\":2}\n").await.unwrap_err();
    assert!(matches!(&error, CollectError::BatchChanged { id, .. } if id == "7"), "{error}");
    lake.batch("8", "{\"id\":1}\n").await.unwrap();
    assert_eq!(lake.ids().await, [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_tail_at_the_same_time_lands_once() {
    let lake = Arc::new(Lake::new());
    lake.file("a.json", lines(&[json!({"id": 1})]));
    lake.tail("a.json").await.unwrap();
    lake.append("a.json", &lines(&[json!({"id": 2}), json!({"id": 3})]));
    let ingests = (0..4).map(|n| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let catalog = lake.other_process(100 + n);
            let mut request = lake.request(&["a.json"]);
            request.on_changed = OnChanged::Tail;
            ingest(&catalog, request, Arc::new(NoProgress), None).await.unwrap()
        })
    });
    let reports = futures::future::join_all(ingests).await;
    assert_eq!(reports.into_iter().map(|report| report.unwrap().rows).sum::<u64>(), 2);
    assert_eq!(lake.ids().await, [1, 2, 3]);
}
