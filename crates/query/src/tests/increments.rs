//! Results that are made of new rows alone: together they are the result over all rows.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use hosu_catalog::{
    Change, Database, Overwrite, SqliteDatabase, Step, Table, Transaction, TransactionOutcome,
};
use hosu_table::increment::Gap;
use hosu_table::name::TableName;
use iceberg::io::FileIO;
use iceberg::spec::{
    MAIN_BRANCH, ManifestEntryRef, ManifestFile, ManifestListWriter, ManifestWriter, ManifestWriterBuilder,
    NestedFieldRef, Operation, Snapshot, Summary,
};
use proptest::prelude::*;
use serde_json::json;

use super::{Lake, column, lines, record, schema};
use crate::{Increment, IncrementError, Input, InputRows, Live, Planned, QueryError, increment};

impl Lake {
    /// Rewrites all files of a table into one, as upkeep of other engines does it.
    async fn rewrite(&self, name: &str) -> Arc<Table> {
        let table = self.table(name).await;
        let Some(current) = table.snapshot().cloned() else { return table };
        let old = self.live(&table).await;
        let rows = self.batches(&format!("SELECT * FROM {name}")).await;
        let new = self.write(&table, rows).await;

        let snapshot_id = current.snapshot_id() + 1;
        let place = |what: &str| table.location.join(&format!("metadata/{what}-{snapshot_id}.avro"));
        let added = manifest(&table, snapshot_id, |writer| {
            new.iter().for_each(|file| writer.add_file(file.clone(), -1).unwrap());
        });
        let removed = manifest(&table, snapshot_id, |writer| {
            for entry in &old {
                let number = entry.sequence_number().unwrap();
                writer.add_delete_file(entry.data_file().clone(), number, Some(number)).unwrap();
            }
        });
        let mut listed = Vec::new();
        for (what, encoded) in [("added", added.await), ("removed", removed.await)] {
            let (mut file, bytes) = encoded;
            file.manifest_path = place(what).to_string();
            self.catalog.host().store.put(&place(what), bytes).await.unwrap();
            listed.push(file);
        }
        let number = table.metadata.next_sequence_number();
        let list = list(snapshot_id, current.snapshot_id(), number, listed).await;
        self.catalog.host().store.put(&place("list"), list).await.unwrap();
        let last_ms = table.metadata.history().last().map_or(0, |entry| entry.timestamp_ms);
        let snapshot = Snapshot::builder()
            .with_snapshot_id(snapshot_id)
            .with_parent_snapshot_id(Some(current.snapshot_id()))
            .with_sequence_number(number)
            .with_timestamp_ms(table.metadata.last_updated_ms().max(last_ms))
            .with_manifest_list(place("list").to_string())
            .with_summary(Summary { operation: Operation::Replace, additional_properties: HashMap::new() })
            .with_schema_id(table.schema().schema_id())
            .build();
        self.becomes(&table, snapshot).await
    }

    /// Makes a snapshot the current one of a table, past the catalog.
    async fn becomes(&self, table: &Table, snapshot: Snapshot) -> Arc<Table> {
        let builder = table.metadata.as_ref().clone().into_builder(Some(table.metadata_location.clone()));
        let metadata = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).unwrap().build().unwrap().metadata;
        let place =
            table.location.join(&format!("metadata/{}.metadata.json", self.catalog.host().ids.uuid()));
        let json = serde_json::to_vec(&metadata).unwrap();
        self.catalog.host().store.put(&place, json.into()).await.unwrap();
        let database = SqliteDatabase::new(self.folder().join("catalog.db"), self.catalog.name().to_owned());
        let swap = Change::SwapTable {
            name: table.name.clone(),
            from: table.metadata_location.clone(),
            to: place.to_string(),
        };
        let swap = Transaction { changes: vec![swap], ..Transaction::default() };
        assert_eq!(database.transact(swap).await.unwrap(), TransactionOutcome::Done);
        self.table(&table.name.to_string()).await
    }

    async fn live(&self, table: &Table) -> Vec<ManifestEntryRef> {
        let mut live = Vec::new();
        for manifest in self.catalog.manifests(table, table.snapshot().unwrap()).await.unwrap().iter() {
            let entries = self.catalog.entries(manifest).await.unwrap();
            live.extend(entries.entries.iter().filter(|entry| entry.is_alive()).cloned());
        }
        live
    }

    async fn added(&self, name: &str, after: Option<i64>) -> Increment {
        increment(&self.catalog, self.table(name).await.as_ref(), after).await.unwrap()
    }

    async fn gap(&self, name: &str, after: i64) -> Gap {
        match increment(&self.catalog, self.table(name).await.as_ref(), Some(after)).await {
            Err(IncrementError::Gap { gap, .. }) => gap,
            other => panic!("{other:?}"),
        }
    }

    /// Plans a statement over what was added to some tables, and all of others.
    async fn plan_added(
        &self,
        sql: &str,
        inputs: &[(&str, Option<Increment>)],
    ) -> Result<Planned, QueryError> {
        let mut given = Vec::new();
        for (name, added) in inputs {
            let rows = added.clone().map_or(InputRows::All, |added| InputRows::Added(Arc::new(added)));
            given.push(Input { name: TableName::parse(name).unwrap(), table: self.table(name).await, rows });
        }
        self.engine.plan_on(&self.catalog, "default", sql, &given, &Live::default()).await
    }
}

async fn manifest(
    table: &Table,
    snapshot_id: i64,
    fill: impl FnOnce(&mut ManifestWriter),
) -> (ManifestFile, Bytes) {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output("memory:///file").unwrap();
    let spec = table.metadata.default_partition_spec().as_ref().clone();
    let builder = ManifestWriterBuilder::new(output, Some(snapshot_id), table.schema().clone(), spec);
    let mut writer = builder.build_v2_data();
    fill(&mut writer);
    let file = writer.write_manifest_file().await.unwrap();
    (file, memory.new_input("memory:///file").unwrap().read().await.unwrap())
}

async fn list(snapshot_id: i64, parent: i64, number: i64, manifests: Vec<ManifestFile>) -> Bytes {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output("memory:///file").unwrap().writer().await.unwrap();
    let mut writer = ManifestListWriter::v2(output, snapshot_id, Some(parent), number);
    writer.add_manifests(manifests.into_iter()).unwrap();
    writer.close().await.unwrap();
    memory.new_input("memory:///file").unwrap().read().await.unwrap()
}

async fn rows(planned: Planned) -> Vec<String> {
    let rows: Vec<_> = planned.stream().unwrap().try_collect().await.unwrap();
    lines(&rows)
}

fn columns() -> Vec<NestedFieldRef> {
    let device = record(3, "device", vec![column(4, "os", "string")]);
    vec![column(1, "id", "long"), column(2, "name", "string"), device]
}

/// Two tables, and one that the first is joined to.
async fn lake() -> Lake {
    let lake = Lake::new();
    for name in ["events", "more"] {
        let table = lake.create(name, schema(columns()), "").await;
        let often = HashMap::from([("commit.manifest.min-count-to-merge".to_owned(), "3".to_owned())]);
        lake.change(table, vec![Step::SetProperties(often)]).await;
    }
    lake.create("users", schema(vec![column(1, "user", "long"), column(2, "country", "string")]), "").await;
    lake.append("users", &[json!({"user": 1, "country": "KR"}), json!({"user": 1, "country": "US"})]).await;
    lake
}

fn event(id: i64) -> serde_json::Value {
    json!({"id": id, "name": format!("n{}", id % 3), "device": {"os": "ios"}})
}

#[derive(Clone, Debug)]
enum Act {
    Append {
        table: bool,
        rows: usize,
    },
    Rewrite {
        table: bool,
    },
    AddColumn {
        table: bool,
    },
    /// A run takes what is new.
    Take,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (any::<bool>(), 1..4_usize).prop_map(|(table, rows)| Act::Append { table, rows }),
        1 => any::<bool>().prop_map(|table| Act::Rewrite { table }),
        1 => any::<bool>().prop_map(|table| Act::AddColumn { table }),
        3 => Just(Act::Take),
    ]
}

const STATEMENTS: [&str; 4] = [
    "SELECT id, upper(name) AS name, device.os FROM events WHERE name <> 'n0'",
    "SELECT id, name FROM events UNION ALL SELECT -id, name FROM more WHERE id > 3 UNION ALL SELECT id, 'x' FROM events",
    "SELECT e.id, u.country FROM (SELECT * FROM more ORDER BY id) e LEFT JOIN users u ON e.id = u.user",
    "SELECT u.country, id FROM users u JOIN events ON (id % 2) = u.user WHERE id NOT IN (SELECT user + 4 FROM users)",
];

async fn increments_make_the_whole(acts: Vec<Act>) {
    let lake = lake().await;
    let name = |table: bool| if table { "events" } else { "more" };
    let mut taken: HashMap<&str, Option<i64>> = HashMap::new();
    let mut results: Vec<Vec<String>> = vec![Vec::new(); STATEMENTS.len()];
    let mut next = 0;
    for act in acts.into_iter().chain([Act::Take]) {
        match act {
            Act::Append { table, rows } => {
                let batch: Vec<_> = (next..).take(rows).map(event).collect();
                next += rows as i64;
                lake.append(name(table), &batch).await;
            }
            Act::Rewrite { table } => drop(lake.rewrite(name(table)).await),
            Act::AddColumn { table } => {
                let mut fields = lake.table(name(table)).await.schema().as_struct().fields().to_vec();
                let id = lake.table(name(table)).await.metadata.last_column_id() + 1;
                fields.insert(0, column(id, &format!("new{id}"), "long"));
                lake.evolve(name(table), fields).await;
            }
            Act::Take => {
                let mut inputs = vec![("users", Some(Increment::default()))];
                for name in ["events", "more"] {
                    let table = lake.table(name).await;
                    let before = taken.insert(name, table.metadata.current_snapshot_id()).flatten();
                    inputs.push((name, Some(lake.added(name, before).await)));
                }
                for (sql, result) in STATEMENTS.iter().zip(&mut results) {
                    result.extend(rows(lake.plan_added(sql, &inputs).await.unwrap()).await);
                }
            }
        }
    }
    for (sql, mut result) in STATEMENTS.iter().zip(results) {
        result.sort();
        assert_eq!(result, lake.rows(sql).await, "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn increments_are_together_the_whole(acts in prop::collection::vec(act(), 0..16)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(increments_make_the_whole(acts));
    }
}

#[tokio::test]
async fn only_new_files_are_read_wherever_their_entries_were_merged_to() {
    let lake = lake().await;
    let mut ids = Vec::new();
    for id in 0..8 {
        ids.push(lake.append("events", &[event(id)]).await.metadata.current_snapshot_id().unwrap());
    }
    let added = lake.added("events", Some(ids[5])).await;
    assert_eq!((added.snapshots(), added.rows(), added.files()), (&ids[6..], 2, 2));
    let planned =
        lake.plan_added("SELECT id FROM events WHERE id < 7", &[("events", Some(added.clone()))]).await;
    let planned = planned.unwrap();
    let stats = planned.stats();
    assert_eq!((stats.files_total, stats.files_planned, stats.manifests_read), (2, 1, 0), "pruned as ever");
    assert_eq!(stats.bytes_total, added.bytes());
    assert_eq!(rows(planned).await, [r#"{"id":6}"#]);
    assert!(lake.added("events", Some(ids[7])).await.is_empty());
    let whole = lake.added("events", None).await;
    assert_eq!((whole.files(), whole.snapshots().len()), (8, 8));
}

#[tokio::test]
async fn a_rewrite_adds_nothing_and_hides_nothing() {
    let lake = lake().await;
    let first = lake.append("events", &[event(1)]).await.metadata.current_snapshot_id();
    let second = lake.append("events", &[event(2)]).await.metadata.current_snapshot_id();
    let rewritten = lake.rewrite("events").await.metadata.current_snapshot_id();
    assert_eq!(lake.live(lake.table("events").await.as_ref()).await.len(), 1);
    let added = lake.added("events", first).await;
    assert_eq!((added.snapshots(), added.rows()), (&[second.unwrap()][..], 1));
    let planned = lake.plan_added("SELECT id FROM events", &[("events", Some(added))]).await.unwrap();
    assert_eq!(rows(planned).await, [r#"{"id":2}"#]);
    assert!(lake.added("events", second).await.is_empty());
    lake.append("events", &[event(3)]).await;
    assert_eq!(lake.added("events", rewritten).await.rows(), 1);
    assert_eq!(lake.added("events", first).await.rows(), 2);
    assert_eq!(lake.added("events", None).await.files(), 2, "the files of now");
}

#[tokio::test]
async fn what_was_overwritten_is_no_increment() {
    let lake = lake().await;
    let first = lake.append("events", &[event(1)]).await;
    let position = first.metadata.current_snapshot_id().unwrap();
    let all = Overwrite { spec_id: 0, files: Vec::new(), summary: HashMap::new() };
    let emptied = lake.change(first.clone(), vec![Step::Overwrite(all)]).await;
    let snapshot_id = emptied.metadata.current_snapshot_id().unwrap();
    let operation = "overwrite".to_owned();
    assert_eq!(lake.gap("events", position).await, Gap::Overwritten { snapshot_id, operation });
    assert_eq!(lake.gap("events", 5).await, Gap::RolledBack);
    assert!(lake.added("events", Some(snapshot_id)).await.is_empty());
    lake.append("events", &[event(2)]).await;
    assert_eq!(lake.added("events", Some(snapshot_id)).await.rows(), 1);
    assert_eq!(lake.added("events", None).await.rows(), 1);
    let error =
        increment(&lake.catalog, lake.table("events").await.as_ref(), Some(position)).await.unwrap_err();
    let expected =
        "the new rows of table default.events cannot be told: its rows were changed by the overwrite of";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn tables_that_are_looked_up_are_read_whole() {
    let lake = lake().await;
    lake.append("events", &[event(1)]).await;
    let position = lake.append("events", &[event(2)]).await.metadata.current_snapshot_id();
    lake.append("events", &[event(1)]).await;
    let sql = "SELECT id, country FROM events JOIN users ON id = user";
    let users = lake.table("users").await.metadata.current_snapshot_id();
    let inputs = [
        ("events", Some(lake.added("events", position).await)),
        ("users", Some(lake.added("users", users).await)),
    ];
    let both = [r#"{"id":1,"country":"KR"}"#, r#"{"id":1,"country":"US"}"#];
    assert_eq!(rows(lake.plan_added(sql, &inputs).await.unwrap()).await, both);
    let inputs = [inputs[0].clone(), ("users", None)];
    assert_eq!(rows(lake.plan_added(sql, &inputs).await.unwrap()).await, both);
    lake.append("users", &[json!({"user": 1, "country": "JP"})]).await;
    let new_users = ("users", Some(lake.added("users", users).await));
    let inputs = [("events", Some(Increment::default())), new_users.clone()];
    let new_country = [r#"{"id":1,"country":"JP"}"#; 2];
    assert_eq!(rows(lake.plan_added(sql, &inputs).await.unwrap()).await, new_country);
    let inputs = [("events", Some(lake.added("events", position).await)), new_users];
    let error = lake.plan_added(sql, &inputs).await.unwrap_err();
    assert!(
        matches!(&error, QueryError::NotRowWise(refused) if refused.reason == "both have new rows"),
        "{error:?}"
    );
    let same =
        "SELECT id FROM events WHERE id > 0 UNION ALL SELECT a.id FROM events a JOIN users ON a.id = user";
    let inputs = [("events", Some(lake.added("events", position).await)), ("users", None)];
    assert_eq!(rows(lake.plan_added(same, &inputs).await.unwrap()).await.len(), 4, "each branch by itself");
}
