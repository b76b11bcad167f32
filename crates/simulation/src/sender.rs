//! Those who send batches: through the collect stage as a person's `hosu ingest` does, or with a data file writer and
//! a commit, as everything that writes rows does in the end.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use hosu_catalog::{
    Append, Catalog, CatalogError, Commit, LedgerRow, LedgerRule, NewTable, Step, Table, TableChange,
};
use hosu_collect::{CollectSettings, IngestRequest, NoProgress};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings, Written, discard};
use hosu_table::name::TableName;
use hosu_table::{arrow_schema, partition, paths};
use iceberg::spec::{NestedField, PrimitiveType, Schema, SortOrder, Type};
use uuid::Uuid;

use crate::book::Batch;
use crate::world::World;

/// How a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// `hosu_collect::ingest` reads the batch's source.
    Collect,
    /// A writer and a commit; bad lines are not sent.
    Writer,
}

/// Anything that kept a batch from being acknowledged.
pub type SendError = Box<dyn std::error::Error + Send + Sync>;

impl Sender {
    /// Sends a batch, and writes into the book that it was sent and, if so, acknowledged. The source must be there.
    ///
    /// # Errors
    /// Whatever the sender was told instead of success; nothing is promised then.
    pub async fn send(
        self,
        world: &World,
        catalog: &Catalog,
        table: &TableName,
        batch: &Batch,
    ) -> Result<(), SendError> {
        world.book.send(batch);
        let source = world.source(&batch.source());
        match self {
            Self::Collect => collect(world, catalog, table, source).await?,
            Self::Writer => write(world, catalog, table, source, batch).await?,
        }
        world.book.acknowledge(batch);
        Ok(())
    }

    /// What this sender sends of a batch.
    pub fn adapt(self, batch: Batch) -> Batch {
        match self {
            Self::Collect => batch,
            Self::Writer => Batch { bad_lines: 0, extra_field: false, ..batch },
        }
    }
}

async fn collect(
    world: &World,
    catalog: &Catalog,
    table: &TableName,
    source: String,
) -> Result<(), SendError> {
    let mut request = IngestRequest::new(table.clone(), vec![source], PathBuf::from("/"));
    request.partition_by = world.partition_by.map(str::to_owned);
    request.settings = CollectSettings { cores: 1, memory_bytes: 32 << 20, ..CollectSettings::default() };
    hosu_collect::ingest(catalog, request, Arc::new(NoProgress), None).await?;
    Ok(())
}

/// Plans and commits until it worked or certainly did not; what the ledger has already is done.
pub(crate) async fn write(
    world: &World,
    catalog: &Catalog,
    name: &TableName,
    source: String,
    batch: &Batch,
) -> Result<(), SendError> {
    const ATTEMPTS: usize = 5;
    let mut last: Option<CatalogError> = None;
    for _ in 0..ATTEMPTS {
        let table = match catalog.load(name).await? {
            Some(table) => table,
            None => match catalog.create_table(name.clone(), new_table(world, catalog, name)?, true).await {
                Ok(table) => table,
                Err(CatalogError::TableExists { .. }) => continue,
                Err(error) => return Err(error.into()),
            },
        };
        if !catalog.ledger(table.uuid(), Some(std::slice::from_ref(&source))).await?.is_empty() {
            return Ok(());
        }
        let operation = catalog.host().ids.uuid();
        let written = write_files(catalog, &table, operation, batch).await?;
        let row = LedgerRow {
            table_uuid: table.uuid(),
            branch: "main".to_owned(),
            source: source.clone(),
            size_bytes: written.bytes,
            content: format!("batch:{}", batch.number),
            operation_id: operation,
            snapshot_id: None,
            rows: written.rows,
            rejected: 0,
            ingested_at_ms: catalog.host().clock.now_ms(),
            rule: LedgerRule::FirstOfSource,
        };
        match catalog.commit(commit_of(&table, &written, row)).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                if error.is_definite() {
                    discard(catalog.host(), &written.files).await;
                }
                last = Some(error);
            }
        }
    }
    Err(last.map_or_else(|| "nothing worked".into(), SendError::from))
}

fn commit_of(table: &Arc<Table>, written: &Written, row: LedgerRow) -> Commit {
    let append = Append {
        spec_id: table.metadata.default_partition_spec_id(),
        files: written.files.clone(),
        summary: HashMap::new(),
    };
    let change = TableChange::Change { base: table.clone(), steps: vec![Step::Append(append)] };
    Commit { tables: vec![change], ledger: vec![row] }
}

async fn write_files(
    catalog: &Catalog,
    table: &Table,
    operation: Uuid,
    batch: &Batch,
) -> Result<Written, SendError> {
    let target = WriteTarget {
        schema: table.schema().clone(),
        spec: table.metadata.default_partition_spec().clone(),
        sort_order: table.metadata.default_sort_order().clone(),
        location: table.location.clone(),
        properties: table.properties(),
    };
    let mut writer = DataFileWriter::new(catalog.host(), target, WriterSettings::default(), operation)?;
    writer.write(record_batch(table, batch)?).await?;
    Ok(writer.finish().await?)
}

fn record_batch(table: &Table, batch: &Batch) -> Result<RecordBatch, SendError> {
    let schema = arrow_schema::to_arrow(table.schema());
    let events = batch.events as usize;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "batch" => Arc::new(Int64Array::from(vec![batch.number; events])),
            "place" => Arc::new(Int64Array::from_iter_values(0..batch.events)),
            "check" => Arc::new(StringArray::from_iter_values(batch.ids().map(Batch::check))),
            _ => new_null_array(field.data_type(), events),
        }
    });
    let columns = columns.collect();
    Ok(RecordBatch::try_new(schema.into(), columns)?)
}

fn new_table(world: &World, catalog: &Catalog, name: &TableName) -> Result<NewTable, SendError> {
    let field =
        |id, name: &str, of: PrimitiveType| NestedField::optional(id, name, Type::Primitive(of)).into();
    let fields = [
        field(1, "batch", PrimitiveType::Long),
        field(2, "place", PrimitiveType::Long),
        field(3, "check", PrimitiveType::String),
    ];
    let schema = Schema::builder().with_fields(fields).build()?;
    let terms = world.partition_by.map(partition::parse).transpose()?.unwrap_or_default();
    let spec = partition::bind(&terms, &schema)?;
    let uuid = catalog.host().ids.uuid();
    Ok(NewTable {
        uuid,
        location: paths::table_location(catalog.warehouse().as_str(), name, uuid),
        schema,
        spec,
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    })
}
