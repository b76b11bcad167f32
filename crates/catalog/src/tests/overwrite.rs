//! Overwrites: what other engines must find in the manifests, and what becomes of them when others commit too.

use std::collections::BTreeSet;

use hosu_table::commit::{Conflict, NewSnapshot, next_metadata};
use iceberg::spec::{Literal, ManifestContentType, ManifestFile, Operation, TableMetadata, Transform};

use super::faulty::Answer::{Late, Lost, Overtaken, Sent};
use super::faulty::Faulty;
use super::*;
use crate::database::Change;
use crate::encode::{Encoder, encode_list};
use crate::publish::{self, Names};
use crate::{Database, JobChange, Overwrite, SqliteDatabase, Transaction, TransactionOutcome};

fn overwrite(paths: &[(&str, u64)]) -> Step {
    let files = paths.iter().map(|(path, rows)| file(path, *rows)).collect();
    Step::Overwrite(Overwrite { spec_id: 0, files, summary: HashMap::new() })
}

async fn made(lake: &Lake, properties: &[(&str, &str)]) -> TableName {
    let events = name("events");
    let new = new_table(&lake.catalog, &events, properties);
    lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    events
}

async fn overwritten(catalog: &Catalog, name: &TableName, steps: Vec<Step>) -> Arc<Table> {
    let base = catalog.require(name).await.expect("the table");
    catalog.commit(change(&base, steps)).await.expect("a commit").tables[0].clone()
}

/// An entry: the file's name, its status, its snapshot, and its sequence numbers.
type Entry = (String, ManifestStatus, Option<i64>, Option<i64>, Option<i64>);

/// All manifests of the current snapshot with their entries, read with nothing cached.
async fn manifests(lake: &Lake, table: &Table) -> Vec<(ManifestFile, Vec<Entry>)> {
    let catalog = lake.again(98);
    let mut found = Vec::new();
    let snapshot = table.snapshot().expect("a snapshot");
    for manifest in catalog.manifests(table, snapshot).await.expect("manifests").iter() {
        let content = catalog.entries(manifest).await.expect("entries");
        let entries = content.entries.iter().map(|entry| {
            let name = entry.file_path().rsplit('/').next().expect("a name").to_owned();
            let numbers = (entry.sequence_number, entry.file_sequence_number);
            (name, entry.status, entry.snapshot_id, numbers.0, numbers.1)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        found.push((manifest.clone(), entries));
    }
    found
}

async fn live_names(lake: &Lake, table: &TableName) -> Vec<String> {
    let live = live_files(lake, table).await;
    live.into_iter().map(|(path, _)| path.trim_start_matches("file:///").to_owned()).collect()
}

/// Files of the metadata folder that nothing speaks of.
async fn rubbish(lake: &Lake, name: &TableName) -> Vec<String> {
    let catalog = lake.again(97);
    let table = catalog.require(name).await.expect("the table");
    let mut known = BTreeSet::from([table.metadata_location.clone()]);
    known.extend(table.metadata.metadata_log().iter().map(|entry| entry.metadata_file.clone()));
    for snapshot in table.metadata.snapshots() {
        known.insert(snapshot.manifest_list().to_owned());
        let manifests = catalog.manifests(&table, snapshot).await.expect("manifests");
        known.extend(manifests.iter().map(|manifest| manifest.manifest_path.clone()));
    }
    let known: BTreeSet<_> =
        known.iter().map(|path| path.rsplit('/').next().expect("a name").to_owned()).collect();
    let folder = table.location.local_path().expect("a folder").join("metadata");
    let there = std::fs::read_dir(folder).expect("the folder");
    let there = there.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
    there.filter(|name| !known.contains(name)).collect()
}

#[tokio::test]
async fn what_was_there_is_recorded_as_deleted_and_keeps_its_numbers() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let first = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let second = add(&lake.catalog, &events, "file:///b.parquet", 4).await;
    let table = overwritten(
        &lake.catalog,
        &events,
        vec![overwrite(&[("file:///c.parquet", 5), ("file:///d.parquet", 1)])],
    )
    .await;

    let snapshot = table.snapshot().expect("a snapshot");
    assert_eq!(snapshot.summary().operation, Operation::Overwrite);
    assert_eq!(snapshot.parent_snapshot_id(), second.metadata.current_snapshot_id());
    assert_eq!(snapshot.sequence_number(), 3);
    let id = Some(snapshot.snapshot_id());
    let [(added, of_added), (removed, of_removed)] = &manifests(&lake, &table).await[..] else {
        panic!("two manifests")
    };
    let entry = |name: &str, status, number| (name.to_owned(), status, id, Some(number), Some(number));
    let (new, gone) = (ManifestStatus::Added, ManifestStatus::Deleted);
    assert_eq!(of_added[..], [entry("c.parquet", new, 3), entry("d.parquet", new, 3)]);
    assert_eq!(of_removed[..], [entry("a.parquet", gone, 1), entry("b.parquet", gone, 2)]);
    let counts = |manifest: &ManifestFile| {
        (
            [manifest.added_files_count, manifest.existing_files_count, manifest.deleted_files_count],
            [manifest.added_rows_count, manifest.existing_rows_count, manifest.deleted_rows_count],
        )
    };
    assert_eq!(counts(added), ([Some(2), Some(0), Some(0)], [Some(6), Some(0), Some(0)]));
    assert_eq!(counts(removed), ([Some(0), Some(0), Some(2)], [Some(0), Some(0), Some(7)]));
    assert!([added, removed].iter().all(|manifest| manifest.sequence_number == 3));
    assert!([added, removed].iter().all(|manifest| Some(manifest.added_snapshot_id) == id));

    let summary = &snapshot.summary().additional_properties;
    let mut summary: Vec<_> = summary.iter().map(|(key, value)| format!("{key}={value}")).collect();
    summary.sort();
    let expected = [
        "added-data-files=2",
        "added-files-size=2006",
        "added-records=6",
        "deleted-data-files=2",
        "deleted-records=7",
        "removed-files-size=2007",
        "total-data-files=2",
        "total-delete-files=0",
        "total-equality-deletes=0",
        "total-files-size=2006",
        "total-position-deletes=0",
        "total-records=6",
    ];
    assert_eq!(summary, expected);
    assert_eq!(live_names(&lake, &events).await, ["c.parquet", "d.parquet"]);
    // The earlier snapshots still have their files.
    for (earlier, files) in [(first, 1), (second, 2)] {
        let of_earlier = manifests(&lake, &earlier).await;
        let live = of_earlier.iter().flat_map(|(_, entries)| entries).filter(|entry| entry.1 != gone);
        assert_eq!(live.count(), files);
    }
    assert_eq!(rubbish(&lake, &events).await, [""; 0]);
}

#[tokio::test]
async fn the_next_snapshot_does_not_tell_again_what_went() {
    for properties in [&[][..], &[("commit.manifest.min-count-to-merge", "2")]] {
        let lake = Lake::new();
        let events = made(&lake, properties).await;
        add(&lake.catalog, &events, "file:///a.parquet", 3).await;
        let table = overwritten(&lake.catalog, &events, vec![overwrite(&[("file:///b.parquet", 5)])]).await;
        assert_eq!(manifests(&lake, &table).await.len(), 2);
        let table = add(&lake.catalog, &events, "file:///c.parquet", 2).await;
        let entries: Vec<_> =
            manifests(&lake, &table).await.into_iter().flat_map(|(_, entries)| entries).collect();
        assert!(entries.iter().all(|entry| entry.1 != ManifestStatus::Deleted), "{entries:?}");
        let summary = &table.snapshot().expect("a snapshot").summary().additional_properties;
        assert_eq!(summary.get("total-records").map(String::as_str), Some("7"));
        assert_eq!(live_names(&lake, &events).await, ["b.parquet", "c.parquet"]);
        let table = overwritten(&lake.catalog, &events, vec![overwrite(&[("file:///d.parquet", 1)])]).await;
        let gone: Vec<_> =
            manifests(&lake, &table).await.into_iter().flat_map(|(_, entries)| entries).collect();
        let gone: Vec<_> = gone.iter().filter(|entry| entry.1 == ManifestStatus::Deleted).collect();
        let numbers: Vec<_> = gone.iter().map(|entry| (entry.0.as_str(), entry.3, entry.4)).collect();
        assert_eq!(numbers.len(), 2);
        assert!(numbers.contains(&("b.parquet", Some(2), Some(2))), "{numbers:?}");
        assert!(numbers.contains(&("c.parquet", Some(3), Some(3))), "{numbers:?}");
    }
}

#[tokio::test]
async fn a_table_may_be_overwritten_by_nothing_and_while_it_is_empty() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let table = overwritten(&lake.catalog, &events, vec![overwrite(&[])]).await;
    assert_eq!(manifests(&lake, &table).await.len(), 0);
    assert_eq!(table.metadata.last_sequence_number(), 1);
    add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let table = overwritten(&lake.catalog, &events, vec![overwrite(&[])]).await;
    assert_eq!(manifests(&lake, &table).await.len(), 1);
    assert_eq!(live_names(&lake, &events).await, [""; 0]);
    let summary = &table.snapshot().expect("a snapshot").summary().additional_properties;
    assert_eq!(summary.get("total-records").map(String::as_str), Some("0"));
    add(&lake.catalog, &events, "file:///b.parquet", 3).await;
    assert_eq!(live_names(&lake, &events).await, ["b.parquet"]);
}

#[tokio::test]
async fn columns_may_change_with_an_overwrite() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let columns = schema();
    let columns = columns.as_struct().fields().iter().cloned().chain([field(3, "x", PrimitiveType::Double)]);
    let columns = Schema::builder().with_fields(columns).build().expect("a schema");
    let evolve = Step::EvolveSchema { base_schema_id: 0, schema: Box::new(columns) };
    let table =
        overwritten(&lake.catalog, &events, vec![evolve, overwrite(&[("file:///b.parquet", 5)])]).await;
    assert_eq!(table.schema().highest_field_id(), 3);
    assert_eq!(table.snapshot().expect("a snapshot").schema_id(), Some(table.metadata.current_schema_id()));
    assert_eq!(live_names(&lake, &events).await, ["b.parquet"]);
}

#[tokio::test]
async fn a_required_snapshot_that_is_gone_stops_the_commit_and_leaves_nothing() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let base = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let planned = base.metadata.current_snapshot_id();
    let steps = vec![Step::RequireSnapshot(planned), overwrite(&[("file:///ours.parquet", 5)])];
    // Somebody is faster, before the commit begins and after it was planned.
    for answers in [&[][..], &[Overtaken]] {
        let catalog = Faulty::catalog(&lake, answers);
        if answers.is_empty() {
            add(&lake.catalog, &events, "file:///theirs.parquet", 2).await;
        }
        let current = lake.catalog.require(&events).await.expect("the table").metadata.current_snapshot_id();
        let required = if answers.is_empty() { planned } else { current };
        let mut steps = steps.clone();
        steps[0] = Step::RequireSnapshot(required);
        let error = catalog.commit(change(&base, steps)).await.expect_err("the snapshot is gone");
        assert!(error.is_definite());
        let CatalogError::Conflict { conflict: Conflict::SnapshotMoved { planned, .. }, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(planned, required);
        assert!(!live_names(&lake, &events).await.contains(&"ours.parquet".to_owned()));
        assert_eq!(rubbish(&lake, &events).await, [""; 0]);
    }
}

#[tokio::test]
async fn what_others_added_meanwhile_is_taken_out_too() {
    for rivals in 1..4 {
        let lake = Lake::new();
        let events = made(&lake, &[("commit.manifest.min-count-to-merge", "3")]).await;
        add(&lake.catalog, &events, "file:///a.parquet", 3).await;
        let catalog = Faulty::catalog(&lake, &vec![Overtaken; rivals]);
        let table = overwritten(&catalog, &events, vec![overwrite(&[("file:///ours.parquet", 5)])]).await;
        assert_eq!(live_names(&lake, &events).await, ["ours.parquet"]);
        let entries: Vec<_> =
            manifests(&lake, &table).await.into_iter().flat_map(|(_, entries)| entries).collect();
        let gone = entries.iter().filter(|entry| entry.1 == ManifestStatus::Deleted);
        let gone: BTreeSet<_> = gone.map(|entry| &entry.0).collect();
        assert_eq!((gone.len(), entries.len()), (1 + rivals, 2 + rivals), "each once: {entries:?}");
        let summary = &table.snapshot().expect("a snapshot").summary().additional_properties;
        let deleted = summary.get("deleted-records").map(String::as_str);
        assert_eq!(deleted, Some((3 + 2 * rivals).to_string().as_str()));
        assert_eq!(rubbish(&lake, &events).await, [""; 0]);
    }
}

#[tokio::test]
async fn an_overwrite_whose_answer_is_lost_happens_once() {
    for answers in [&[Sent][..], &[Lost], &[Lost, Sent], &[Late(1)], &[Late(2)], &[Late(3)]] {
        let lake = Lake::new();
        let events = made(&lake, &[]).await;
        let base = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
        let planned = base.metadata.current_snapshot_id();
        let steps = vec![Step::RequireSnapshot(planned), overwrite(&[("file:///ours.parquet", 5)])];
        let done = Faulty::catalog(&lake, answers).commit(change(&base, steps)).await;
        let table = done.unwrap_or_else(|error| panic!("{answers:?}: {error}")).tables[0].clone();
        assert_eq!(table.metadata.snapshots().count(), 2, "{answers:?}");
        assert_eq!(live_names(&lake, &events).await, ["ours.parquet"], "{answers:?}");
    }
}

#[tokio::test]
async fn who_was_overtaken_in_doubt_knows_that_nothing_happened() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let base = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let planned = base.metadata.current_snapshot_id();
    let steps = vec![Step::RequireSnapshot(planned), overwrite(&[("file:///ours.parquet", 5)])];
    let catalog = Faulty::catalog(&lake, &[Lost, Overtaken]);
    let error = catalog.commit(change(&base, steps)).await.expect_err("the snapshot is gone");
    assert!(matches!(error, CatalogError::Conflict { .. }), "{error}");
    assert!(!live_names(&lake, &events).await.contains(&"ours.parquet".to_owned()));
}

#[tokio::test]
async fn an_overwrite_that_is_refused_leaves_no_files() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let base = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let mut commit = change(&base, vec![overwrite(&[("file:///ours.parquet", 5)])]);
    commit.jobs = vec![JobChange::RequireLease { name: "x".to_owned(), fence: 1 }];
    let error = lake.catalog.commit(commit).await.expect_err("nobody has the lease");
    assert!(matches!(error, CatalogError::LeaseLost { .. }), "{error}");
    assert_eq!(live_names(&lake, &events).await, ["a.parquet"]);
    assert_eq!(rubbish(&lake, &events).await, [""; 0]);
}

#[tokio::test]
async fn many_manifests_are_told_in_few_of_the_right_size() {
    let lake = Lake::new();
    let properties =
        [("commit.manifest-merge.enabled", "false"), ("commit.manifest.target-size-bytes", "30000")];
    let events = made(&lake, &properties).await;
    for number in 0..30 {
        add(&lake.catalog, &events, &format!("file:///{number:02}.parquet"), 1).await;
    }
    let table = overwritten(&lake.catalog, &events, vec![overwrite(&[("file:///ours.parquet", 5)])]).await;
    let manifests = manifests(&lake, &table).await;
    assert!((3..20).contains(&manifests.len()), "{} manifests", manifests.len());
    let gone = manifests.iter().flat_map(|(_, entries)| entries);
    let mut gone: Vec<_> = gone.filter(|entry| entry.1 == ManifestStatus::Deleted).collect();
    gone.sort_by_key(|entry| entry.3);
    let numbers: Vec<_> = gone.iter().map(|entry| entry.3).collect();
    assert_eq!(numbers, (1..=30).map(Some).collect::<Vec<_>>());
    assert_eq!(live_names(&lake, &events).await, ["ours.parquet"]);
}

fn of_partition(path: &str, value: Literal, rows: u64) -> DataFile {
    let mut file = DataFileBuilder::default();
    file.content(DataContentType::Data)
        .file_path(path.to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::from_iter([Some(value)]))
        .record_count(rows)
        .file_size_in_bytes(10);
    file.build().expect("a data file")
}

#[tokio::test]
async fn partition_values_stay_what_they_are_when_their_column_became_wider() {
    let lake = Lake::new();
    let events = name("events");
    let columns = |kind| {
        let fields = vec![field(1, "id", kind), field(2, "text", PrimitiveType::String)];
        Schema::builder().with_fields(fields).build().expect("a schema")
    };
    let narrow = columns(PrimitiveType::Int);
    let spec = PartitionSpec::builder(narrow.clone()).add_partition_field("id", "id", Transform::Identity);
    let spec = spec.and_then(|spec| spec.build()).expect("a spec");
    let merges = [("commit.manifest.min-count-to-merge", "2")];
    let new = NewTable { schema: narrow, spec, ..new_table(&lake.catalog, &events, &merges) };
    let base = lake.catalog.create_table(events.clone(), new, false).await.expect("a table");
    let append = |path: &str, value| {
        Step::Append(Append {
            spec_id: 0,
            files: vec![of_partition(path, value, 1)],
            summary: HashMap::new(),
        })
    };
    lake.catalog.commit(change(&base, vec![append("file:///a", Literal::int(7))])).await.expect("a commit");
    let wide = Box::new(columns(PrimitiveType::Long));
    let evolve = Step::EvolveSchema { base_schema_id: 0, schema: wide };
    lake.catalog
        .commit(change(&base, vec![evolve, append("file:///b", Literal::long(8))]))
        .await
        .expect("a commit");
    let wider = vec![append("file:///b2", Literal::long(8))];
    let table = lake.catalog.commit(change(&base, wider)).await.expect("a commit").tables[0].clone();
    assert_eq!(manifests(&lake, &table).await.len(), 2, "merged with those of the same type alone");
    let table = overwritten(
        &lake.catalog,
        &events,
        vec![Step::Overwrite(Overwrite {
            spec_id: 0,
            files: vec![of_partition("file:///c", Literal::long(9), 1)],
            summary: HashMap::new(),
        })],
    )
    .await;
    let manifests = manifests(&lake, &table).await;
    let gone = manifests.iter().flat_map(|(_, entries)| entries);
    let mut gone: Vec<_> =
        gone.filter(|entry| entry.1 == ManifestStatus::Deleted).map(|entry| &entry.0).collect();
    gone.sort();
    assert_eq!(gone, ["a", "b", "b2"]);
    assert_eq!(live_names(&lake, &events).await, ["c"]);
}

/// Commits a snapshot that lists further manifests, as another engine may.
async fn commit_by_hand(lake: &Lake, table: &Table, made: Vec<(ManifestFile, bytes::Bytes)>, id: i64) {
    let base: &TableMetadata = &table.metadata;
    let snapshot = table.snapshot().expect("a snapshot");
    let mut listed: Vec<_> = lake.catalog.manifests(table, snapshot).await.expect("manifests").to_vec();
    for (file, bytes) in made {
        std::fs::write(file.manifest_path.trim_start_matches("file://"), bytes).expect("written");
        listed.push(file);
    }
    let list =
        format!("{}/metadata/snap-{id}.avro", table.location.local_path().expect("a folder").display());
    std::fs::write(&list, encode_list(base, &listed, id).await.expect("a list")).expect("written");
    let snapshot = NewSnapshot {
        id,
        manifest_list: list,
        operation: Operation::Overwrite,
        summary: snapshot.summary().additional_properties.clone(),
    };
    let from = &table.metadata_location;
    let next = next_metadata(base, Some(from), &[], Some(snapshot), 5).expect("metadata").metadata;
    let names = Names::new(&table.name, base, Uuid::from_u128(3));
    let file = publish::metadata_file(&names, &next, 9, Uuid::from_u128(4)).expect("a file");
    std::fs::write(file.location.trim_start_matches("file://"), &file.bytes).expect("written");
    let database = SqliteDatabase::new(lake.folder.path().join("catalog.db"), "hosu".to_owned());
    let swap = Change::SwapTable { name: table.name.clone(), from: from.clone(), to: file.location };
    let outcome = database.transact(Transaction { changes: vec![swap], ..Transaction::default() }).await;
    assert_eq!(outcome.expect("an answer"), TransactionOutcome::Done);
}

#[tokio::test]
async fn delete_files_are_taken_out_too() {
    let lake = Lake::new();
    let events = made(&lake, &[]).await;
    let base = add(&lake.catalog, &events, "file:///a.parquet", 3).await;
    let spec = base.metadata.default_partition_spec().as_ref();
    let of = (spec, base.schema().clone());
    let path = format!("{}/metadata/deletes.avro", base.location.local_path().expect("a folder").display());
    let mut encoder = Encoder::new(path, of, ManifestContentType::Deletes, 5);
    for (path, content) in [
        ("file:///position.parquet", DataContentType::PositionDeletes),
        ("file:///equality.parquet", DataContentType::EqualityDeletes),
    ] {
        let mut file = DataFileBuilder::default();
        file.content(content)
            .file_path(path.to_owned())
            .file_format(DataFileFormat::Parquet)
            .partition(Struct::empty())
            .record_count(2)
            .file_size_in_bytes(10)
            .equality_ids((content == DataContentType::EqualityDeletes).then(|| vec![1]));
        encoder.add(&file.build().expect("a file")).expect("added");
    }
    let deletes = encoder.finish().await.expect("a manifest");
    commit_by_hand(&lake, &base, vec![deletes], 5).await;

    let table = overwritten(&lake.again(4), &events, vec![overwrite(&[("file:///c.parquet", 5)])]).await;
    let id = table.metadata.current_snapshot_id();
    let manifests = manifests(&lake, &table).await;
    let kinds: Vec<_> = manifests.iter().map(|(manifest, _)| manifest.content).collect();
    let (data, deletes) = (ManifestContentType::Data, ManifestContentType::Deletes);
    assert_eq!(kinds, [data, data, deletes]);
    let entry = |name: &str| (name.to_owned(), ManifestStatus::Deleted, id, Some(2), Some(2));
    assert_eq!(manifests[2].1[..], [entry("equality.parquet"), entry("position.parquet")]);
    let content = lake.again(5).entries(&manifests[2].0).await.expect("entries");
    let ids: Vec<_> = content.entries.iter().map(|entry| entry.data_file().equality_ids()).collect();
    assert!(ids.contains(&Some(vec![1])), "{ids:?}");
    let summary = &table.snapshot().expect("a snapshot").summary().additional_properties;
    let count = |key: &str| summary.get(key).map(String::as_str);
    assert_eq!(count("removed-delete-files"), Some("2"));
    assert_eq!(count("removed-position-deletes"), Some("2"));
    assert_eq!(count("removed-equality-deletes"), Some("2"));
    assert_eq!(count("removed-files-size"), Some("1023"));
    assert_eq!(count("total-delete-files"), Some("0"));
    let table = add(&lake.again(6), &events, "file:///d.parquet", 1).await;
    let entries = lake.again(7).manifests(&table, table.snapshot().expect("a snapshot")).await;
    assert!(entries.expect("manifests").iter().all(|manifest| manifest.content == data));
}
