//! Lakes in which something is wrong that was put there by hand, and is found.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use hosu_catalog::{
    Append, Change, Commit, Database, LedgerRow, Overwrite, SqliteDatabase, Step, Table, TableChange,
    Transaction, TransactionOutcome,
};
use hosu_host::Location;
use hosu_table::name::TableName;
use iceberg::spec::{DataFile, MAIN_BRANCH, SnapshotReference, SnapshotRetention, TableMetadata};

use super::*;
use crate::ingest::tests::support::Lake;

async fn lake() -> Lake {
    let lake = Lake::new();
    lake.file("a.ndjson", "{\"id\":1}\n{\"id\":2}\nno json\n");
    lake.file("b.ndjson", "{\"id\":3}\n");
    lake.file("c.ndjson", "{\"id\":4}\n{\"id\":5}\n{\"id\":6}\n{\"id\":7}\n");
    lake.ingest(&["a.ndjson", "b.ndjson"]).await.unwrap();
    lake.ingest(&["c.ndjson"]).await.unwrap();
    lake
}

fn events() -> TableName {
    TableName::parse("events").unwrap()
}

async fn audited(lake: &Lake) -> Audit {
    audit(&lake.other_process(1), &events(), false).await.unwrap()
}

fn kinds(audit: &Audit) -> Vec<&str> {
    audit.findings.iter().map(|finding| finding.kind).collect()
}

async fn table(lake: &Lake) -> Arc<Table> {
    lake.table("events").await.unwrap()
}

async fn data_files(lake: &Lake) -> Vec<DataFile> {
    let table = table(lake).await;
    let snapshot = table.snapshot().unwrap();
    let mut files = Vec::new();
    for manifest in lake.catalog.manifests(&table, snapshot).await.unwrap().iter() {
        let decoded = lake.catalog.entries(manifest).await.unwrap();
        files.extend(decoded.entries.iter().filter(|entry| entry.is_alive()).map(|e| e.data_file().clone()));
    }
    files.sort_by_key(DataFile::record_count);
    files
}

async fn commit(lake: &Lake, step: Step) {
    let base = table(lake).await;
    let change = TableChange::Change { base, steps: vec![step] };
    lake.catalog.commit(Commit { tables: vec![change], ..Commit::default() }).await.unwrap();
}

/// Makes other metadata the table's, as another engine does.
async fn set_metadata(lake: &Lake, name: &str, change: impl FnOnce(&TableMetadata) -> TableMetadata) {
    let table = lake.table(name).await.unwrap();
    let location = format!("{}/metadata/90000-{}.metadata.json", table.location, uuid::Uuid::from_u128(7));
    let json = serde_json::to_vec(&change(&table.metadata)).unwrap();
    lake.catalog.host().store.put(&Location::parse(&location).unwrap(), json.into()).await.unwrap();
    let database = SqliteDatabase::new(lake.path("lake/catalog.db"), "hosu".to_owned());
    let (name, from) = (table.name.clone(), table.metadata_location.clone());
    let changes = vec![Change::SwapTable { name, from, to: location }];
    let outcome = database.transact(Transaction { changes, ..Transaction::default() }).await.unwrap();
    assert_eq!(outcome, TransactionOutcome::Done);
}

fn rolled_back(metadata: &TableMetadata) -> TableMetadata {
    let parent = metadata.current_snapshot().unwrap().parent_snapshot_id().unwrap();
    let main = SnapshotReference::new(parent, SnapshotRetention::branch(None, None, None));
    metadata.clone().into_builder(None).set_ref(MAIN_BRANCH, main).unwrap().build().unwrap().metadata
}

fn first_expired(metadata: &TableMetadata) -> TableMetadata {
    let first = metadata.current_snapshot().unwrap().parent_snapshot_id().unwrap();
    metadata.clone().into_builder(None).remove_snapshots(&[first]).build().unwrap().metadata
}

#[tokio::test]
async fn a_sound_table_is_accounted_for() {
    let lake = lake().await;
    let audit = audited(&lake).await;
    assert_eq!(audit.findings, []);
    let figures = (audit.rows, audit.data_files, audit.sources, audit.rows_ingested, audit.rejected);
    assert_eq!(figures, (7, 2, 3, 7, 1));
    assert_eq!(audit.sources_by_status, [("current".to_owned(), 3)].into());
    assert_eq!((audit.others, audit.removed, audit.repeated), (vec![], vec![], vec![]));
}

#[tokio::test]
async fn a_source_of_rejects_alone_is_accounted_for() {
    let lake = Lake::new();
    lake.file("a.ndjson", "{\"id\":1}\n");
    lake.file("bad.ndjson", "no json\nnone here\n");
    lake.ingest(&["a.ndjson"]).await.unwrap();
    lake.ingest(&["bad.ndjson"]).await.unwrap();
    let audit = audited(&lake).await;
    assert_eq!(audit.findings, []);
    assert_eq!(audit.sources_by_status, [("current".to_owned(), 1), ("rejected".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_file_that_is_gone_from_the_store_is_found_with_its_source() {
    let lake = lake().await;
    let file = data_files(&lake).await.remove(0);
    fs::remove_file(file.file_path().trim_start_matches("file://")).unwrap();
    let audit = audited(&lake).await;
    assert_eq!(kinds(&audit), ["file_missing"]);
    let finding = &audit.findings[0];
    assert_eq!(finding.path.as_deref(), Some(file.file_path()));
    assert_eq!((finding.expected, finding.sources), (Some(3), 2));
    assert!(finding.source.as_ref().unwrap().ends_with("a.ndjson"), "{finding:?}");
}

#[tokio::test]
async fn a_file_that_is_another_one_is_found() {
    let lake = lake().await;
    lake.file("c.ndjson", "{\"id\":4,\"more\":\"columns\"}\n");
    let mut changed = lake.request(&["c.ndjson"]);
    changed.on_changed = crate::OnChanged::New;
    lake.run(changed).await.unwrap();
    let files = data_files(&lake).await;
    let path = |file: &DataFile| file.file_path().trim_start_matches("file://").to_owned();
    fs::copy(path(&files[1]), path(&files[0])).unwrap();
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["file_size"]);
    assert!(found.findings[0].message.contains("c.ndjson"), "{found:?}");
}

#[tokio::test]
async fn rows_that_a_later_snapshot_took_out_are_named_with_it() {
    let lake = lake().await;
    let table = table(&lake).await;
    let spec_id = table.metadata.default_partition_spec().spec_id();
    let files = data_files(&lake).await;
    let overwrite = Overwrite { spec_id, files: vec![files[1].clone()], summary: HashMap::new() };
    commit(&lake, Step::Overwrite(overwrite)).await;
    let removing = self::table(&lake).await.snapshot().unwrap().snapshot_id().to_string();
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["rows_removed"], "{found:?}");
    let finding = &found.findings[0];
    assert_eq!((finding.snapshot_id.as_ref(), finding.sources), (Some(&removing), 2), "{finding:?}");
    assert!(finding.message.contains("overwrite by unknown") && finding.message.contains("a.ndjson"));
    assert_eq!(found.removed.len(), 1);
    let allowed = audit(&lake.catalog, &events(), true).await.unwrap();
    assert_eq!((allowed.findings, allowed.removed), (vec![], found.removed));
}

#[tokio::test]
async fn a_file_that_is_in_the_table_twice_is_found() {
    let lake = lake().await;
    let table = table(&lake).await;
    let spec_id = table.metadata.default_partition_spec().spec_id();
    let file = data_files(&lake).await.remove(0);
    commit(&lake, Step::Append(Append { spec_id, files: vec![file.clone()], summary: HashMap::new() })).await;
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["file_twice"]);
    assert_eq!(found.findings[0].path.as_deref(), Some(file.file_path()));
    assert_eq!((found.findings[0].expected, found.findings[0].found), (Some(1), Some(2)));
    assert_eq!(found.others.len(), 1, "and the snapshot that did it is named");
}

#[tokio::test]
async fn a_source_that_was_ingested_again_is_told_and_is_no_finding() {
    let lake = lake().await;
    let mut again = lake.request(&["c.ndjson"]);
    again.reingest = true;
    lake.run(again).await.unwrap();
    let found = audited(&lake).await;
    assert_eq!((found.findings, found.rows), (vec![], 11));
    assert_eq!(found.repeated.len(), 1);
    assert_eq!((found.repeated[0].times, found.repeated[0].rows), (2, 4));
    assert!(found.repeated[0].sources[0].ends_with("c.ndjson"));
}

#[tokio::test]
async fn a_rollback_by_another_engine_is_found() {
    let lake = lake().await;
    let lost = table(&lake).await.snapshot().unwrap().snapshot_id().to_string();
    set_metadata(&lake, "events", rolled_back).await;
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["rolled_back"]);
    let finding = &found.findings[0];
    assert_eq!((finding.snapshot_id.as_ref(), finding.expected), (Some(&lost), Some(4)));
    assert!(finding.source.as_ref().unwrap().ends_with("c.ndjson"));
    assert_eq!(found.sources_by_status, [("current".to_owned(), 2), ("rolled_back".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_rollback_of_the_rejects_table_is_found() {
    let lake = lake().await;
    lake.file("d.ndjson", "{\"id\":7}\nbad\n");
    lake.ingest(&["d.ndjson"]).await.unwrap();
    set_metadata(&lake, "events_rejects", rolled_back).await;
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["rolled_back"]);
    assert_eq!(found.findings[0].table, "default.events_rejects");
}

#[tokio::test]
async fn rows_of_a_snapshot_that_has_expired_are_still_counted() {
    let lake = lake().await;
    set_metadata(&lake, "events", first_expired).await;
    let found = audited(&lake).await;
    assert_eq!(found.findings, []);
    assert_eq!(found.sources_by_status, [("current".to_owned(), 1), ("expired".to_owned(), 2)].into());
    assert_eq!((found.rows, found.others), (7, vec![]));
}

#[tokio::test]
async fn rows_that_left_with_expired_snapshots_are_not_accounted_for() {
    let lake = lake().await;
    let table = table(&lake).await;
    let spec_id = table.metadata.default_partition_spec().spec_id();
    let keep = data_files(&lake).await.remove(0);
    let overwrite = Overwrite { spec_id, files: vec![keep], summary: HashMap::new() };
    commit(&lake, Step::Overwrite(overwrite)).await;
    let lost = |metadata: &TableMetadata| {
        let current = metadata.current_snapshot_id();
        let others: Vec<i64> =
            metadata.snapshots().map(|s| s.snapshot_id()).filter(|id| Some(*id) != current).collect();
        metadata.clone().into_builder(None).remove_snapshots(&others).build().unwrap().metadata
    };
    set_metadata(&lake, "events", lost).await;
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["unaccounted"]);
    assert_eq!((found.findings[0].expected, found.findings[0].found), (Some(7), Some(3)));
}

#[tokio::test]
async fn a_ledger_that_says_another_number_is_found() {
    let lake = lake().await;
    let base = table(&lake).await;
    let spec_id = base.metadata.default_partition_spec().spec_id();
    let row = lake.catalog.ledger(base.uuid(), None).await.unwrap().pop().unwrap();
    let row = LedgerRow { source: "liar".to_owned(), operation_id: uuid::Uuid::from_u128(9), rows: 5, ..row };
    let file = data_files(&lake).await.remove(0);
    let append = Append { spec_id, files: vec![file], summary: HashMap::new() };
    let change = TableChange::Change { base, steps: vec![Step::Append(append)] };
    let ledger = vec![row];
    lake.catalog.commit(Commit { tables: vec![change], ledger, ..Commit::default() }).await.unwrap();
    let found = audited(&lake).await;
    assert_eq!(kinds(&found), ["rows_added", "file_twice"]);
    let message = &found.findings[0].message;
    assert!(
        message.contains("liar: 5 by the ledger") && message.contains("3 by its data files"),
        "{message}"
    );
}
