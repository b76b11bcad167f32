//! Those who send batches: through the collect stage as a person's `hosu ingest` does, or with a data file writer and
//! a commit, as everything that writes rows does in the end; that commit adds files, or replaces all that are there.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use hosu_catalog::{
    Append, Catalog, CatalogError, Commit, LedgerRow, LedgerRule, NewTable, Overwrite, Step, Table,
    TableChange,
};
use hosu_collect::{CollectSettings, IngestRequest, NoProgress};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings, Written, discard};
use hosu_table::name::TableName;
use hosu_table::{arrow_schema, partition, paths};
use iceberg::spec::{NestedField, PrimitiveType, Schema, SortOrder, Type};
use uuid::Uuid;

use crate::book::{Batch, EventId};
use crate::rows::{self, Rows};
use crate::world::World;

/// How a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// `hosu_collect::ingest` reads the batch's source.
    Collect,
    /// A writer and a commit; bad lines are not sent.
    Writer,
    /// Reads the whole table and replaces all its files by new ones that have the batch too; bad lines are not sent.
    Rewriter,
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
    /// It rewrites the table, and does not require that it still is what was read.
    ForgetsOthers,
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
            Self::Rewriter => {
                let manner = Manner { rewrites: true, flaw: None };
                write_part(world, catalog, table, source, batch.ids().collect(), manner).await?;
            }
            Self::Flawed(flaw) => write_flawed(flaw, world, catalog, table, source, batch).await?,
        }
        world.book.acknowledge(batch);
        Ok(())
    }

    /// What this sender sends of a batch.
    pub fn adapt(self, batch: Batch) -> Batch {
        match self {
            Self::Collect => batch,
            Self::Writer | Self::Rewriter | Self::Flawed(_) => {
                Batch { bad_lines: 0, extra_field: false, ..batch }
            }
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
    write_part(world, catalog, name, source, batch.ids().collect(), Manner::default()).await
}

async fn write_flawed(
    flaw: Flaw,
    world: &World,
    catalog: &Catalog,
    name: &TableName,
    source: String,
    batch: &Batch,
) -> Result<(), SendError> {
    let mut events: Vec<EventId> = batch.ids().collect();
    match flaw {
        Flaw::AcknowledgesEarly => world.book.acknowledge(batch),
        Flaw::CommitsHalves => {
            let rest = events.split_off(events.len() / 2);
            write_part(world, catalog, name, source.clone(), events, Manner::default()).await?;
            let manner = Manner { rewrites: false, flaw: Some(Flaw::ForgetsLedger) };
            return write_part(world, catalog, name, source, rest, manner).await;
        }
        Flaw::ForgetsLedger | Flaw::DeletesInDoubt | Flaw::ForgetsOthers => {}
    }
    let manner = Manner { rewrites: flaw == Flaw::ForgetsOthers, flaw: Some(flaw) };
    write_part(world, catalog, name, source, events, manner).await
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    rewrites: bool,
    flaw: Option<Flaw>,
}

/// Writes events of a batch.
async fn write_part(
    world: &World,
    catalog: &Catalog,
    name: &TableName,
    source: String,
    events: Vec<EventId>,
    manner: Manner,
) -> Result<(), SendError> {
    const ATTEMPTS: usize = 5;
    let asks_ledger = manner.flaw != Some(Flaw::ForgetsLedger);
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
        let mut rows = if manner.rewrites { rows_of(catalog, &table).await? } else { Rows::default() };
        for event in &events {
            rows.events.entry(*event).or_default().push(Some(Batch::check(*event)));
        }
        let written = write_files(catalog, &table, operation, &rows).await?;
        let row = LedgerRow {
            rule,
            rows: events.len() as u64,
            ..ledger_row(catalog, &table, &source, operation, &written)
        };
        match catalog.commit(commit_of(&table, &written, row, manner)).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                if error.is_definite() || manner.flaw == Some(Flaw::DeletesInDoubt) {
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
        identity: None,
        from_byte: 0,
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

async fn rows_of(catalog: &Catalog, table: &Table) -> Result<Rows, SendError> {
    let Some(snapshot) = table.snapshot() else { return Ok(Rows::default()) };
    rows::rows_of(catalog, table, snapshot).await.map_err(|error| format!("{error:?}").into())
}

fn commit_of(table: &Arc<Table>, written: &Written, row: LedgerRow, manner: Manner) -> Commit {
    let spec_id = table.metadata.default_partition_spec_id();
    let (files, summary) = (written.files.clone(), HashMap::new());
    let mut steps = Vec::new();
    if manner.rewrites && manner.flaw != Some(Flaw::ForgetsOthers) {
        steps.push(Step::RequireSnapshot(table.metadata.current_snapshot_id()));
    }
    steps.push(match manner.rewrites {
        true => Step::Overwrite(Overwrite { spec_id, files, summary }),
        false => Step::Append(Append { spec_id, files, summary }),
    });
    let change = TableChange::Change { base: table.clone(), steps };
    Commit { tables: vec![change], ledger: vec![row], ..Commit::default() }
}

async fn write_files(
    catalog: &Catalog,
    table: &Table,
    operation: Uuid,
    rows: &Rows,
) -> Result<Written, SendError> {
    let target = WriteTarget {
        schema: table.schema().clone(),
        spec: table.metadata.default_partition_spec().clone(),
        sort_order: table.metadata.default_sort_order().clone(),
        location: table.location.clone(),
        properties: table.properties(),
    };
    let mut writer = DataFileWriter::new(catalog.host(), target, WriterSettings::default(), operation)?;
    writer.write(record_batch(table, rows)?).await?;
    Ok(writer.finish().await?)
}

fn record_batch(table: &Table, rows: &Rows) -> Result<RecordBatch, SendError> {
    let schema = arrow_schema::to_arrow(table.schema());
    let events = || rows.events.iter().flat_map(|(id, checks)| checks.iter().map(move |check| (id, check)));
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "batch" => Arc::new(Int64Array::from_iter_values(events().map(|(id, _)| id.0))),
            "place" => Arc::new(Int64Array::from_iter_values(events().map(|(id, _)| id.1))),
            "check" => Arc::new(StringArray::from_iter(events().map(|(_, check)| check.as_deref()))),
            _ => new_null_array(field.data_type(), events().count()),
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
