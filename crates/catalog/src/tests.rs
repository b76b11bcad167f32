use std::collections::HashMap;
use std::sync::Arc;

use hosu_host::{Host, Location};
use hosu_table::commit::{Append, Conflict, NewTable, Step};
use hosu_table::name::TableName;
use hosu_table::paths;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, ManifestStatus, NestedField, PartitionSpec,
    PrimitiveType, Schema, SortOrder, Struct, Type,
};
use uuid::Uuid;

use crate::{
    Catalog, CatalogError, CatalogSettings, Commit, DatabaseError, LedgerRow, LedgerRule, Table, TableChange,
};

mod database_file;
mod faulty;
mod jobs;
mod overwrite;

struct Lake {
    folder: tempfile::TempDir,
    catalog: Catalog,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = open(folder.path(), 1);
        Self { folder, catalog }
    }

    fn again(&self, seed: u64) -> Catalog {
        open(self.folder.path(), seed)
    }
}

fn open(folder: &std::path::Path, seed: u64) -> Catalog {
    let warehouse = Location::parse(&format!("{}/warehouse", folder.display())).expect("a location");
    Catalog::open(Host::seeded(seed), CatalogSettings::in_folder(folder, warehouse))
}

fn name(text: &str) -> TableName {
    TableName::parse(text).expect("a name")
}

fn field(id: i32, name: &str, kind: PrimitiveType) -> Arc<NestedField> {
    Arc::new(NestedField::optional(id, name, Type::Primitive(kind)))
}

fn schema() -> Schema {
    let fields = vec![field(1, "id", PrimitiveType::Long), field(2, "text", PrimitiveType::String)];
    Schema::builder().with_fields(fields).build().expect("a schema")
}

fn new_table(catalog: &Catalog, table: &TableName, properties: &[(&str, &str)]) -> NewTable {
    let uuid = catalog.host().ids.uuid();
    NewTable {
        uuid,
        location: paths::table_location(catalog.warehouse().as_str(), table, uuid),
        schema: schema(),
        spec: PartitionSpec::unpartition_spec(),
        sort_order: SortOrder::unsorted_order(),
        properties: properties.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
    }
}

fn file(path: &str, rows: u64) -> DataFile {
    DataFileBuilder::default()
        .content(DataContentType::Data)
        .file_path(path.to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::empty())
        .record_count(rows)
        .file_size_in_bytes(1000 + rows)
        .build()
        .expect("a data file")
}

fn append(path: &str, rows: u64) -> Append {
    Append { spec_id: 0, files: vec![file(path, rows)], summary: HashMap::new() }
}

fn change(base: &Arc<Table>, steps: Vec<Step>) -> Commit {
    Commit { tables: vec![TableChange::Change { base: base.clone(), steps }], ..Commit::default() }
}

fn ledger_row(table: Uuid, source: &str, content: &str, rule: LedgerRule) -> LedgerRow {
    LedgerRow {
        table_uuid: table,
        branch: "main".to_owned(),
        source: source.to_owned(),
        identity: None,
        from_byte: 0,
        size_bytes: 10,
        content: content.to_owned(),
        operation_id: Uuid::nil(),
        snapshot_id: None,
        rows: 5,
        rejected: 0,
        ingested_at_ms: 7,
        rule,
    }
}

async fn add(catalog: &Catalog, table: &TableName, path: &str, rows: u64) -> Arc<Table> {
    let base = catalog.require(table).await.expect("the table");
    let done = catalog.commit(change(&base, vec![Step::Append(append(path, rows))])).await.expect("a commit");
    done.tables[0].clone()
}

/// The live data files of a table with their sequence numbers, read from the files with nothing cached.
async fn live_files(lake: &Lake, table: &TableName) -> Vec<(String, i64)> {
    let catalog = lake.again(99);
    let table = catalog.require(table).await.expect("the table");
    let Some(snapshot) = table.snapshot() else { return Vec::new() };
    let mut live = Vec::new();
    for manifest in catalog.manifests(&table, snapshot).await.expect("manifests").iter() {
        for entry in &catalog.entries(manifest).await.expect("entries").entries {
            if entry.status != ManifestStatus::Deleted {
                live.push((entry.file_path().to_owned(), entry.sequence_number().expect("a number")));
            }
        }
    }
    live.sort();
    live
}

#[tokio::test]
async fn a_lake_that_is_not_there_reads_as_empty_and_nothing_is_made() {
    let lake = Lake::new();
    assert_eq!(lake.catalog.databases().await.expect("databases"), ["default"]);
    assert!(lake.catalog.tables("default").await.expect("tables").is_empty());
    assert!(lake.catalog.load(&name("events")).await.expect("no table").is_none());
    assert_eq!(std::fs::read_dir(lake.folder.path()).expect("the folder").count(), 0);
}

#[tokio::test]
async fn databases_are_made_listed_and_dropped_when_empty() {
    let lake = Lake::new();
    let properties = HashMap::from([("comment".to_owned(), "raw zone".to_owned())]);
    lake.catalog.create_database("raw", properties.clone()).await.expect("a database");
    assert_eq!(lake.catalog.databases().await.expect("databases"), ["default", "raw"]);
    assert_eq!(lake.catalog.database_properties("raw").await.expect("properties"), Some(properties));
    let again = lake.catalog.create_database("raw", HashMap::new()).await;
    assert!(matches!(again, Err(CatalogError::DatabaseExists { .. })), "{again:?}");

    let events = name("raw.events");
    let new = new_table(&lake.catalog, &events, &[]);
    lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    let full = lake.catalog.drop_database("raw").await;
    assert!(matches!(full, Err(CatalogError::DatabaseNotEmpty { .. })), "{full:?}");
    lake.catalog.drop_table(&events).await.expect("dropped");
    lake.catalog.drop_database("raw").await.expect("dropped");
    let gone = lake.catalog.tables("raw").await;
    assert!(matches!(gone, Err(CatalogError::DatabaseNotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn tables_are_made_found_renamed_and_dropped() {
    let lake = Lake::new();
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[("owner", "me")]);
    let made = lake.catalog.create_table(events.clone(), new.clone(), false).await.expect("a table");
    assert_eq!(made.uuid(), new.uuid);
    let loaded = lake.again(2).require(&events).await.expect("the table");
    assert_eq!(loaded.metadata, made.metadata);
    assert_eq!(loaded.metadata.properties().get("owner").map(String::as_str), Some("me"));

    let again =
        lake.catalog.create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false).await;
    assert!(matches!(again, Err(CatalogError::TableExists { .. })), "{again:?}");
    let other = name("absent.events");
    let absent = lake.catalog.create_table(other.clone(), new_table(&lake.catalog, &other, &[]), false).await;
    assert!(matches!(absent, Err(CatalogError::DatabaseNotFound { .. })), "{absent:?}");
    lake.catalog
        .create_table(other.clone(), new_table(&lake.catalog, &other, &[]), true)
        .await
        .expect("both");

    lake.catalog.rename_table(&events, &name("happenings")).await.expect("renamed");
    let misspelt = lake.catalog.require(&name("hapenings")).await.expect_err("no such table");
    let CatalogError::TableNotFound { nearest, .. } = misspelt else { panic!("{misspelt}") };
    assert_eq!(nearest, Some(name("happenings")));
    lake.catalog.drop_table(&name("happenings")).await.expect("dropped");
    assert!(lake.catalog.tables("default").await.expect("tables").is_empty());
}

#[tokio::test]
async fn appends_add_up_and_keep_their_sequence_numbers() {
    let lake = Lake::new();
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[]);
    lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let table = add(&lake.catalog, &events, "file:///b.parquet", 4).await;

    let summary = &table.snapshot().expect("a snapshot").summary().additional_properties;
    let entry = |key: &str| summary.get(key).map(String::as_str);
    assert_eq!(entry("added-records"), Some("4"));
    assert_eq!(entry("total-records"), Some("7"));
    assert_eq!(entry("total-data-files"), Some("2"));
    assert_eq!(entry("total-files-size"), Some("2007"));
    let expected = [("file:///a.parquet".to_owned(), 1), ("file:///b.parquet".to_owned(), 2)];
    assert_eq!(live_files(&lake, &events).await, expected);
    // What the commit put into the cache is what the files say.
    let snapshot = table.snapshot().expect("a snapshot");
    let warm = lake.catalog.manifests(&table, snapshot).await.expect("manifests");
    let cold = lake.again(5).manifests(&table, snapshot).await.expect("manifests");
    assert_eq!(warm, cold);
    for manifest in warm.iter() {
        let (warm, cold) = (lake.catalog.entries(manifest).await, lake.again(6).entries(manifest).await);
        assert_eq!(warm.expect("entries").entries, cold.expect("entries").entries);
    }
}

#[tokio::test]
async fn a_table_is_made_with_its_first_rows_and_the_ledger_in_one_commit() {
    let lake = Lake::new();
    let events = name("raw.events");
    let new = new_table(&lake.catalog, &events, &[]);
    let uuid = new.uuid;
    let create = |new: &NewTable| Commit {
        tables: vec![TableChange::Create {
            name: events.clone(),
            new: Box::new(new.clone()),
            append: Some(append("file:///a.parquet", 5)),
            make_database: true,
        }],
        ledger: vec![ledger_row(uuid, "/logs/a.json", "blake3:1", LedgerRule::FirstOfSource)],
        jobs: Vec::new(),
    };
    let done = lake.catalog.commit(create(&new)).await.expect("a commit");
    let snapshot_id = done.tables[0].snapshot().expect("a snapshot").snapshot_id();
    let ledger = lake.catalog.ledger(uuid, None).await.expect("the ledger");
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].snapshot_id, Some(snapshot_id));
    assert_eq!((ledger[0].rows, ledger[0].source.as_str()), (5, "/logs/a.json"));

    let again = lake.catalog.commit(create(&new)).await;
    assert!(matches!(again, Err(CatalogError::TableExists { .. })), "{again:?}");
    assert_eq!(live_files(&lake, &events).await.len(), 1);
}

#[tokio::test]
async fn a_source_in_the_ledger_stops_the_whole_commit() {
    let lake = Lake::new();
    let events = name("events");
    let table = lake
        .catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let uuid = table.uuid();
    let commit = |path: &str, row: LedgerRow| {
        let mut commit = change(&table, vec![Step::Append(append(path, 1))]);
        commit.ledger.push(row);
        commit
    };
    let first = ledger_row(uuid, "/a", "blake3:1", LedgerRule::FirstOfSource);
    lake.catalog.commit(commit("file:///a.parquet", first.clone())).await.expect("the first");
    for (content, rule, passes) in [
        ("blake3:1", LedgerRule::FirstOfSource, false),
        ("blake3:2", LedgerRule::FirstOfSource, false),
        ("blake3:1", LedgerRule::FirstOfContent, false),
        ("blake3:2", LedgerRule::FirstOfContent, true),
        ("blake3:1", LedgerRule::Any, true),
    ] {
        let before = live_files(&lake, &events).await.len();
        let outcome =
            lake.catalog.commit(commit("file:///b.parquet", ledger_row(uuid, "/a", content, rule))).await;
        match outcome {
            Ok(_) => assert!(passes, "{content} {rule:?}"),
            Err(CatalogError::AlreadyIngested { sources }) => {
                assert!(!passes, "{content} {rule:?}");
                assert_eq!(sources, ["/a"]);
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(live_files(&lake, &events).await.len(), before + usize::from(passes));
    }
}

#[tokio::test]
async fn a_part_is_refused_when_another_one_was_taken_meanwhile() {
    let lake = Lake::new();
    let events = name("events");
    let table = lake
        .catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let uuid = table.uuid();
    let part = |source: &str, identity: &str, from_byte: u64, rows: u64| {
        let row = LedgerRow {
            identity: Some(identity.to_owned()),
            from_byte,
            ..ledger_row(uuid, source, "blake3:1", LedgerRule::NothingSince { rows })
        };
        let mut commit = change(&table, vec![Step::Append(append("file:///a.parquet", 1))]);
        commit.ledger.push(row);
        lake.catalog.commit(commit)
    };
    part("/app.log", "inode:1:5", 0, 0).await.expect("the first part");
    let again = part("/app.log", "inode:1:5", 0, 0).await;
    assert!(matches!(again, Err(CatalogError::AlreadyIngested { .. })), "{again:?}");
    // The file got another name, and another file has its name.
    let renamed = part("/app.log.1", "inode:1:5", 0, 0).await;
    assert!(matches!(renamed, Err(CatalogError::AlreadyIngested { .. })), "{renamed:?}");
    part("/app.log.1", "inode:1:5", 10, 1).await.expect("the second part");
    part("/app.log", "inode:1:6", 0, 1).await.expect("the new file");
    let rows = lake.catalog.ledger(uuid, Some(&["inode:1:5".to_owned()])).await.expect("the ledger");
    let parts: Vec<_> = rows.iter().map(|row| (row.source.as_str(), row.from_byte)).collect();
    assert_eq!(parts, [("/app.log", 0), ("/app.log.1", 10)]);
    let rows = lake.catalog.ledger(uuid, Some(&["/app.log".to_owned()])).await.expect("the ledger");
    assert_eq!(rows.len(), 2, "by either name");
}

#[tokio::test]
async fn an_append_that_lost_the_race_is_planned_again_on_what_the_winner_made() {
    let lake = Lake::new();
    let events = name("events");
    let base = lake
        .catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let other = lake.again(7);
    add(&other, &events, "file:///theirs.parquet", 2).await;
    // Planned on a state that is not current any more.
    let ours = change(&base, vec![Step::Append(append("file:///ours.parquet", 3))]);
    let table = lake.catalog.commit(ours).await.expect("a commit").tables[0].clone();
    assert_eq!(table.metadata.snapshots().count(), 2);
    let paths: Vec<_> = live_files(&lake, &events).await.into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["file:///ours.parquet", "file:///theirs.parquet"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_at_once_all_win_in_the_end() {
    let lake = Lake::new();
    let events = name("events");
    lake.catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let writers = (0..8).map(|writer| {
        let (catalog, events) = (lake.again(100 + writer), events.clone());
        tokio::spawn(async move {
            for commit in 0..3 {
                add(&catalog, &events, &format!("file:///{writer}-{commit}.parquet"), 1).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let live = live_files(&lake, &events).await;
    assert_eq!(live.len(), 24);
    let mut numbers: Vec<_> = live.into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_attempt_that_failed_leaves_no_files() {
    let lake = Lake::new();
    let events = name("events");
    let table = lake
        .catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let files = || {
        let folder = table.location.local_path().expect("a folder").join("metadata");
        std::fs::read_dir(folder).expect("the folder").count()
    };
    let row = ledger_row(table.uuid(), "/a", "blake3:1", LedgerRule::FirstOfSource);
    let mut commit = change(&table, vec![Step::Append(append("file:///a.parquet", 1))]);
    commit.ledger.push(row);
    lake.catalog.commit(commit.clone()).await.expect("the first");
    let before = files();
    lake.catalog.commit(commit).await.expect_err("the source is known");
    // The manifest of the added files may serve another attempt, so it is the one thing that stays.
    assert!(files() <= before + 1, "{before} became {}", files());
}

#[tokio::test]
async fn columns_change_with_the_rows_that_need_them_unless_somebody_changed_them_first() {
    let lake = Lake::new();
    let events = name("events");
    let base = lake
        .catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let evolve = |column: &str| {
        let base = schema();
        let fields =
            base.as_struct().fields().iter().cloned().chain([field(3, column, PrimitiveType::Double)]);
        let schema = Schema::builder().with_fields(fields).build().expect("a schema");
        vec![
            Step::EvolveSchema { base_schema_id: 0, schema: Box::new(schema) },
            Step::Append(append("file:///a.parquet", 1)),
        ]
    };
    let done = lake.catalog.commit(change(&base, evolve("price"))).await.expect("a commit");
    let table = &done.tables[0];
    assert_eq!(table.schema().highest_field_id(), 3);
    assert_eq!(table.snapshot().expect("a snapshot").schema_id(), Some(table.metadata.current_schema_id()));
    let late = lake.catalog.commit(change(&base, evolve("cost"))).await.expect_err("columns were changed");
    let CatalogError::Conflict { conflict, .. } = late else { panic!("{late}") };
    assert!(matches!(conflict, Conflict::SchemaMoved { planned: 0, current: 1 }), "{conflict:?}");
}

#[tokio::test]
async fn properties_are_set_and_removed() {
    let lake = Lake::new();
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[("a", "1"), ("b", "2")]);
    let base = lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    let steps = vec![
        Step::SetProperties(HashMap::from([("c".to_owned(), "3".to_owned())])),
        Step::RemoveProperties(vec!["a".to_owned(), "absent".to_owned()]),
    ];
    let table = lake.catalog.commit(change(&base, steps)).await.expect("a commit").tables[0].clone();
    let mut keys: Vec<_> = table.metadata.properties().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["b", "c"]);
    assert!(table.snapshot().is_none());
}

#[tokio::test]
async fn small_manifests_are_merged_and_no_file_is_lost() {
    let lake = Lake::new();
    let events = name("events");
    let properties =
        [("commit.manifest.min-count-to-merge", "5"), ("write.metadata.previous-versions-max", "3")];
    let new = new_table(&lake.catalog, &events, &properties);
    lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    let mut manifests_max = 0;
    for commit in 0..23 {
        let table = add(&lake.catalog, &events, &format!("file:///{commit:02}.parquet"), 1).await;
        let snapshot = table.snapshot().expect("a snapshot");
        manifests_max =
            manifests_max.max(lake.catalog.manifests(&table, snapshot).await.expect("manifests").len());
        assert!(table.metadata.metadata_log().len() <= 3);
    }
    assert!(manifests_max <= 5, "{manifests_max} manifests");
    let live = live_files(&lake, &events).await;
    let expected: Vec<_> = (0..23).map(|n| (format!("file:///{n:02}.parquet"), n + 1)).collect();
    assert_eq!(live, expected);
}

#[tokio::test]
async fn metadata_may_be_gzip() {
    let lake = Lake::new();
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[("write.metadata.compression-codec", "gzip")]);
    let made = lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    assert!(made.metadata_location.ends_with(".gz.metadata.json"), "{}", made.metadata_location);
    let loaded = lake.again(3).require(&events).await.expect("the table");
    assert_eq!(loaded.metadata, made.metadata);
}

#[tokio::test]
async fn time_that_steps_back_stops_nobody() {
    let lake = Lake::new();
    let events = name("events");
    lake.catalog
        .create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false)
        .await
        .expect("a table");
    let first = add(&lake.catalog, &events, "file:///a.parquet", 1).await;
    let mut host = Host::seeded(8);
    host.clock = Arc::new(hosu_host::ManualClock::at_ms(first.metadata.last_updated_ms() - 3_600_000));
    let late = lake.catalog.on_host(host);
    let second = add(&late, &events, "file:///b.parquet", 1).await;
    assert!(second.metadata.last_updated_ms() >= first.metadata.last_updated_ms());
    assert!(second.metadata.history().is_sorted_by_key(|entry| entry.timestamp_ms));
}

#[tokio::test]
async fn the_cache_keeps_to_its_limit() {
    let lake = Lake::new();
    let warehouse = lake.catalog.warehouse().clone();
    let settings = CatalogSettings {
        cache_bytes: 64 << 10,
        ..CatalogSettings::in_folder(lake.folder.path(), warehouse)
    };
    let small = Catalog::open(Host::seeded(4), settings);
    let events = name("events");
    small.create_table(events.clone(), new_table(&small, &events, &[]), false).await.expect("a table");
    for commit in 0..40 {
        add(&small, &events, &format!("file:///{commit}.parquet"), 1).await;
    }
    assert!(small.files.cache.weight_bytes() <= 64 << 10, "{}", small.files.cache.weight_bytes());
    assert_eq!(live_files(&lake, &events).await.len(), 40);
}
