//! A small lake for the tests: tables made and filled through the crates below, read through this one.

mod evolution;
mod files;
mod increments;
mod inputs;
mod limits;
mod names;
mod pruning;
mod queries;
mod reading;
mod system;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use hosu_catalog::{Append, Catalog, CatalogSettings, Commit, NewTable, Step, Table, TableChange};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings};
use hosu_host::{Host, Location};
use hosu_table::name::TableName;
use hosu_table::{arrow_schema, partition, paths};
use iceberg::spec::{NestedField, NestedFieldRef, Schema, SortOrder, StructType, Type};
use serde_json::Value;

use crate::{Engine, EngineSettings, Planned, QueryError};

pub(crate) struct Lake {
    pub catalog: Catalog,
    pub engine: Engine,
    folder: tempfile::TempDir,
}

impl Lake {
    pub fn new() -> Self {
        Self::on(Host::seeded(7))
    }

    pub fn on(host: Host) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = Location::parse("memory:///warehouse").unwrap();
        let catalog = Catalog::open(host, CatalogSettings::in_folder(folder.path(), warehouse));
        let engine = Engine::new(EngineSettings { cores: 2, ..EngineSettings::default() }).unwrap();
        Self { catalog, engine, folder }
    }

    pub async fn create(&self, name: &str, schema: Schema, partitions: &str) -> Arc<Table> {
        let name = TableName::parse(name).unwrap();
        let schema = hosu_table::evolve::fresh_ids(&schema).unwrap();
        let uuid = self.catalog.host().ids.uuid();
        let terms = if partitions.is_empty() { Vec::new() } else { partition::parse(partitions).unwrap() };
        let new = NewTable {
            uuid,
            location: paths::table_location(self.catalog.warehouse().as_str(), &name, uuid),
            spec: partition::bind(&terms, &schema).unwrap(),
            schema,
            sort_order: SortOrder::unsorted_order(),
            properties: HashMap::new(),
        };
        self.catalog.create_table(name, new, true).await.unwrap()
    }

    pub async fn table(&self, name: &str) -> Arc<Table> {
        self.catalog.require(&TableName::parse(name).unwrap()).await.unwrap()
    }

    pub async fn change(&self, base: Arc<Table>, steps: Vec<Step>) -> Arc<Table> {
        let change = TableChange::Change { base, steps };
        let commit = Commit { tables: vec![change], ..Commit::default() };
        self.catalog.commit(commit).await.unwrap().tables.remove(0)
    }

    pub async fn evolve(&self, name: &str, fields: Vec<NestedFieldRef>) -> Arc<Table> {
        let base = self.table(name).await;
        let base_schema_id = base.schema().schema_id();
        let schema = Schema::builder().with_fields(fields).build().unwrap();
        self.change(base, vec![Step::EvolveSchema { base_schema_id, schema: Box::new(schema) }]).await
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Appends rows, each a JSON object, in one commit.
    pub async fn append(&self, name: &str, rows: &[Value]) -> Arc<Table> {
        let table = self.table(name).await;
        let files = self.write(&table, vec![batch(table.schema(), rows)]).await;
        self.add(table, files).await
    }

    /// Writes rows into data files that are not the table's yet.
    pub async fn write(&self, table: &Table, rows: Vec<RecordBatch>) -> Vec<iceberg::spec::DataFile> {
        let target = WriteTarget {
            schema: table.schema().clone(),
            spec: table.metadata.default_partition_spec().clone(),
            sort_order: table.metadata.default_sort_order().clone(),
            location: table.location.clone(),
            properties: table.properties(),
        };
        let host = self.catalog.host();
        let mut writer =
            DataFileWriter::new(host, target, WriterSettings::default(), host.ids.uuid()).unwrap();
        for batch in rows {
            writer.write(batch).await.unwrap();
        }
        writer.finish().await.unwrap().files
    }

    /// Adds a file of another writer, without field ids, which says of itself that it is in this partition.
    pub async fn adopt(
        &self,
        name: &str,
        rows: &RecordBatch,
        partition: iceberg::spec::Struct,
    ) -> Arc<Table> {
        let table = self.table(name).await;
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
        writer.write(rows).unwrap();
        writer.close().unwrap();
        let location = table.location.join(&format!("{}.parquet", self.catalog.host().ids.uuid()));
        let mut file = iceberg::spec::DataFileBuilder::default();
        file.content(iceberg::spec::DataContentType::Data)
            .file_path(location.to_string())
            .file_format(iceberg::spec::DataFileFormat::Parquet)
            .file_size_in_bytes(bytes.len() as u64)
            .record_count(rows.num_rows() as u64)
            .partition(partition)
            .partition_spec_id(table.metadata.default_partition_spec_id());
        self.catalog.host().store.put(&location, bytes.into()).await.unwrap();
        self.add(table, vec![file.build().unwrap()]).await
    }

    pub async fn add(&self, table: Arc<Table>, files: Vec<iceberg::spec::DataFile>) -> Arc<Table> {
        let spec_id = table.metadata.default_partition_spec_id();
        self.change(table, vec![Step::Append(Append { spec_id, files, summary: HashMap::new() })]).await
    }

    pub async fn plan(&self, sql: &str) -> Result<Planned, QueryError> {
        self.engine.plan(&self.catalog, "default", sql).await
    }

    pub async fn batches(&self, sql: &str) -> Vec<RecordBatch> {
        let planned = self.plan(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        planned.stream().unwrap().try_collect().await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The rows of a query as sorted lines of JSON.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        lines(&self.batches(sql).await)
    }
}

pub(crate) fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let mut writer = arrow_json::writer::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(Vec::new());
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

pub(crate) fn batch(schema: &Schema, rows: &[Value]) -> RecordBatch {
    let arrow = Arc::new(arrow_schema::to_arrow(schema));
    let mut decoder = arrow_json::ReaderBuilder::new(arrow.clone()).build_decoder().unwrap();
    decoder.serialize(rows).unwrap();
    decoder.flush().unwrap().unwrap_or_else(|| RecordBatch::new_empty(arrow))
}

pub(crate) fn column(id: i32, name: &str, primitive: &str) -> NestedFieldRef {
    let primitive = serde_json::from_value(Value::String(primitive.to_owned())).unwrap();
    Arc::new(NestedField::optional(id, name, Type::Primitive(primitive)))
}

pub(crate) fn record(id: i32, name: &str, fields: Vec<NestedFieldRef>) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, Type::Struct(StructType::new(fields))))
}

pub(crate) fn schema(fields: Vec<NestedFieldRef>) -> Schema {
    Schema::builder().with_fields(fields).build().unwrap()
}
