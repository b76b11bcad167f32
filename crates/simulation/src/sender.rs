//! Those who send batches: through the collect stage as a person's `hosu ingest` does, or with a data file writer and
//! a commit, as everything that writes rows does in the end.

use std::collections::HashMap;
use std::ops::Range;
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
    /// A writer with a flaw, to prove that it would be found.
    Flawed(Flaw),
}

/// What a writer may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It acknowledges before it commits.
    AcknowledgesEarly,
    /// It does not ask the ledger what is there already.
    ForgetsLedger,
    /// It commits the two halves of a batch one after the other.
    CommitsHalves,
    /// It deletes its files after every failed commit, even when that may yet happen.
    DeletesInDoubt,
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
            Self::Flawed(flaw) => write_flawed(flaw, world, catalog, table, source, batch).await?,
        }
        world.book.acknowledge(batch);
        Ok(())
    }

    /// What this sender sends of a batch.
    pub fn adapt(self, batch: Batch) -> Batch {
        match self {
            Self::Collect => batch,
            Self::Writer | Self::Flawed(_) => Batch { bad_lines: 0, extra_field: false, ..batch },
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
    write_part(world, catalog, name, source, batch, 0..batch.events, None).await
}

async fn write_flawed(
    flaw: Flaw,
    world: &World,
    catalog: &Catalog,
    name: &TableName,
    source: String,
    batch: &Batch,
) -> Result<(), SendError> {
    let half = batch.events / 2;
    match flaw {
        Flaw::AcknowledgesEarly => world.book.acknowledge(batch),
        Flaw::CommitsHalves => {
            write_part(world, catalog, name, source.clone(), batch, 0..half, None).await?;
            let rest = half..batch.events;
            return write_part(world, catalog, name, source, batch, rest, Some(Flaw::ForgetsLedger)).await;
        }
        Flaw::ForgetsLedger | Flaw::DeletesInDoubt => {}
    }
    write_part(world, catalog, name, source, batch, 0..batch.events, Some(flaw)).await
}

/// Writes the events at `places` of a batch.
async fn write_part(
    world: &World,
    catalog: &Catalog,
    name: &TableName,
    source: String,
    batch: &Batch,
    places: Range<i64>,
    flaw: Option<Flaw>,
) -> Result<(), SendError> {
    const ATTEMPTS: usize = 5;
    let asks_ledger = flaw != Some(Flaw::ForgetsLedger);
    let rule = if asks_ledger { LedgerRule::FirstOfSource } else { LedgerRule::Any };
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
        let known = catalog.ledger(table.uuid(), Some(std::slice::from_ref(&source))).await?;
        if asks_ledger && !known.is_empty() {
            return Ok(());
        }
        let operation = catalog.host().ids.uuid();
        let written = write_files(catalog, &table, operation, batch, places.clone()).await?;
        let row = LedgerRow { rule, ..ledger_row(catalog, &table, &source, operation, &written) };
        match catalog.commit(commit_of(&table, &written, row)).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                if error.is_definite() || flaw == Some(Flaw::DeletesInDoubt) {
                    discard(catalog.host(), &written.files).await;
                }
                last = Some(error);
            }
        }
    }
    Err(last.map_or_else(|| "nothing worked".into(), SendError::from))
}

fn ledger_row(
    catalog: &Catalog,
    table: &Table,
    source: &str,
    operation_id: Uuid,
    written: &Written,
) -> LedgerRow {
    LedgerRow {
        table_uuid: table.uuid(),
        branch: "main".to_owned(),
        source: source.to_owned(),
        size_bytes: written.bytes,
        content: "simulated".to_owned(),
        operation_id,
        snapshot_id: None,
        rows: written.rows,
        rejected: 0,
        ingested_at_ms: catalog.host().clock.now_ms(),
        rule: LedgerRule::FirstOfSource,
    }
}

fn commit_of(table: &Arc<Table>, written: &Written, row: LedgerRow) -> Commit {
    let append = Append {
        spec_id: table.metadata.default_partition_spec_id(),
        files: written.files.clone(),
        summary: HashMap::new(),
    };
    let change = TableChange::Change { base: table.clone(), steps: vec![Step::Append(append)] };
    Commit { tables: vec![change], ledger: vec![row], ..Commit::default() }
}

async fn write_files(
    catalog: &Catalog,
    table: &Table,
    operation: Uuid,
    batch: &Batch,
    places: Range<i64>,
) -> Result<Written, SendError> {
    let target = WriteTarget {
        schema: table.schema().clone(),
        spec: table.metadata.default_partition_spec().clone(),
        sort_order: table.metadata.default_sort_order().clone(),
        location: table.location.clone(),
        properties: table.properties(),
    };
    let mut writer = DataFileWriter::new(catalog.host(), target, WriterSettings::default(), operation)?;
    writer.write(record_batch(table, batch, places)?).await?;
    Ok(writer.finish().await?)
}

fn record_batch(table: &Table, batch: &Batch, places: Range<i64>) -> Result<RecordBatch, SendError> {
    let schema = arrow_schema::to_arrow(table.schema());
    let places: Vec<i64> = places.collect();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "batch" => Arc::new(Int64Array::from(vec![batch.number; places.len()])),
            "place" => Arc::new(Int64Array::from(places.clone())),
            "check" => {
                let checks = places.iter().map(|place| Batch::check((batch.number, *place)));
                Arc::new(StringArray::from_iter_values(checks))
            }
            _ => new_null_array(field.data_type(), places.len()),
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
