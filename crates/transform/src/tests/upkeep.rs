//! What other programs do with a table of a lake: rewrite its files, roll it back, expire its snapshots.

use std::collections::HashMap;

use hosu_catalog::{Change, Database, SqliteDatabase, Table, Transaction, TransactionOutcome};
use hosu_change::{Target, filled_rows, write};
use hosu_datafile::WriterSettings;
use hosu_table::arrow_schema;
use hosu_table::name::TableName;
use iceberg::io::FileIO;
use iceberg::spec::{
    MAIN_BRANCH, ManifestFile, ManifestListWriter, ManifestWriter, ManifestWriterBuilder, Operation,
    Snapshot, SnapshotReference, SnapshotRetention, Summary, TableMetadata, TableMetadataBuilder,
};

use super::lake::Lake;

impl Lake {
    /// Writes all rows of a table into new files, in one snapshot of the operation `replace`; its id.
    pub async fn rewrite(&self, name: &str) -> i64 {
        let table = self.table(name).await;
        let current = table.snapshot().cloned().unwrap();
        let snapshot_id = (self.catalog.host().ids.random_u64() >> 1) as i64;
        let target = Target::Existing { table: table.clone(), schema: None };
        let planned = self
            .runner
            .engine
            .plan(&self.catalog, "default", &format!("select * from {name}"))
            .await
            .unwrap();
        let columns = arrow_schema::to_arrow(table.schema());
        let filled = (0..columns.fields().len()).collect();
        let rows = filled_rows(planned.stream().unwrap(), columns.into(), filled);
        let operation = self.catalog.host().ids.uuid();
        let new = write(&self.catalog, &target, rows, WriterSettings::default(), operation).await.unwrap();
        let added = manifest(&table, snapshot_id, |writer| {
            new.files.iter().for_each(|file| writer.add_file(file.clone(), -1).unwrap());
        });
        let mut old = Vec::new();
        for manifest in self.catalog.manifests(&table, &current).await.unwrap().iter() {
            let decoded = self.catalog.entries(manifest).await.unwrap();
            old.extend(decoded.entries.iter().filter(|entry| entry.is_alive()).cloned());
        }
        let removed = manifest(&table, snapshot_id, |writer| {
            for entry in &old {
                let number = entry.sequence_number().unwrap();
                writer.add_delete_file(entry.data_file().clone(), number, Some(number)).unwrap();
            }
        });
        let mut listed = Vec::new();
        for (what, (mut file, bytes)) in [("added", added.await), ("removed", removed.await)] {
            let place = table.location.join(&format!("metadata/{what}-{operation}.avro"));
            file.manifest_path = place.to_string();
            self.catalog.host().store.put(&place, bytes.into()).await.unwrap();
            listed.push(file);
        }
        let place = table.location.join(&format!("metadata/list-{operation}.avro"));
        let number = table.metadata.next_sequence_number();
        let list = list(snapshot_id, current.snapshot_id(), number, listed).await;
        self.catalog.host().store.put(&place, list.into()).await.unwrap();
        let was = |key: &str| current.summary().additional_properties[key].clone();
        let totals = HashMap::from([
            ("total-records".to_owned(), was("total-records")),
            ("total-data-files".to_owned(), new.files.len().to_string()),
            ("total-files-size".to_owned(), new.bytes.to_string()),
            ("total-delete-files".to_owned(), "0".to_owned()),
            ("total-position-deletes".to_owned(), "0".to_owned()),
            ("total-equality-deletes".to_owned(), "0".to_owned()),
        ]);
        let last_ms = table.metadata.history().last().map_or(0, |entry| entry.timestamp_ms);
        let snapshot = Snapshot::builder()
            .with_snapshot_id(snapshot_id)
            .with_parent_snapshot_id(Some(current.snapshot_id()))
            .with_sequence_number(number)
            .with_timestamp_ms(table.metadata.last_updated_ms().max(last_ms))
            .with_manifest_list(place.to_string())
            .with_summary(Summary { operation: Operation::Replace, additional_properties: totals })
            .with_schema_id(table.schema().schema_id())
            .build();
        self.remake(&table, |builder| builder.set_branch_snapshot(snapshot, MAIN_BRANCH).unwrap()).await;
        snapshot_id
    }

    /// Makes an earlier snapshot the current one.
    pub async fn roll_back(&self, name: &str, snapshot_id: i64) {
        let table = self.table(name).await;
        let retention = SnapshotRetention::Branch {
            min_snapshots_to_keep: None,
            max_snapshot_age_ms: None,
            max_ref_age_ms: None,
        };
        let main = SnapshotReference { snapshot_id, retention };
        self.remake(&table, |builder| builder.set_ref(MAIN_BRANCH, main).unwrap()).await;
    }

    /// Forgets snapshots; those that are needed must not be among them.
    pub async fn expire(&self, name: &str, snapshot_ids: &[i64]) {
        let table = self.table(name).await;
        self.remake(&table, |builder| builder.remove_snapshots(snapshot_ids)).await;
    }

    /// Changes a table's metadata past the catalog.
    async fn remake(&self, table: &Table, change: impl FnOnce(TableMetadataBuilder) -> TableMetadataBuilder) {
        let builder = table.metadata.as_ref().clone().into_builder(Some(table.metadata_location.clone()));
        let metadata: TableMetadata = change(builder).build().unwrap().metadata;
        let file = format!("metadata/{}.metadata.json", self.catalog.host().ids.uuid());
        let place = table.location.join(&file);
        let json = serde_json::to_vec(&metadata).unwrap();
        self.catalog.host().store.put(&place, json.into()).await.unwrap();
        let database = SqliteDatabase::new(self.folder().join("catalog.db"), self.catalog.name().to_owned());
        let (from, to) = (table.metadata_location.clone(), place.to_string());
        let swap = Change::SwapTable { name: table.name.clone(), from, to };
        let swap = Transaction { changes: vec![swap], ..Transaction::default() };
        assert_eq!(database.transact(swap).await.unwrap(), TransactionOutcome::Done);
    }

    pub async fn table(&self, name: &str) -> std::sync::Arc<Table> {
        self.catalog.require(&TableName::parse(name).unwrap()).await.unwrap()
    }
}

async fn manifest(
    table: &Table,
    snapshot_id: i64,
    fill: impl FnOnce(&mut ManifestWriter),
) -> (ManifestFile, Vec<u8>) {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output("memory:///file").unwrap();
    let spec = table.metadata.default_partition_spec().as_ref().clone();
    let builder = ManifestWriterBuilder::new(output, Some(snapshot_id), table.schema().clone(), spec);
    let mut writer = builder.build_v2_data();
    fill(&mut writer);
    let file = writer.write_manifest_file().await.unwrap();
    (file, memory.new_input("memory:///file").unwrap().read().await.unwrap().to_vec())
}

async fn list(snapshot_id: i64, parent: i64, number: i64, manifests: Vec<ManifestFile>) -> Vec<u8> {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output("memory:///file").unwrap().writer().await.unwrap();
    let mut writer = ManifestListWriter::v2(output, snapshot_id, Some(parent), number);
    writer.add_manifests(manifests.into_iter()).unwrap();
    writer.close().await.unwrap();
    memory.new_input("memory:///file").unwrap().read().await.unwrap().to_vec()
}
