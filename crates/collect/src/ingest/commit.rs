//! The moment of truth: table, rejects table and ledger in one commit.

use std::collections::HashMap;

use hosu_catalog::{
    Append, Catalog, CatalogError, Commit, Committed, LedgerRow, NewTable, Step, TableChange,
};
use hosu_datafile::{Written, discard};
use hosu_table::commit::OPERATION_ID;

use super::Plan;
use super::pass::Harvest;
use super::shape::Shape;
use crate::error::CollectError;
use crate::request::IngestRequest;

/// What was planned makes no sense any more, because of what others committed meanwhile: plan again.
pub(super) struct Refused(pub CatalogError);

/// Commits a harvest. When it was refused or failed for certain, its files are deleted.
///
/// # Errors
/// [`CollectError::CommitUnknown`], [`CollectError::Catalog`], [`CollectError::Stopped`].
pub(super) async fn commit(
    catalog: &Catalog,
    request: &IngestRequest,
    plan: &Plan,
    harvest: &Harvest,
) -> Result<Result<Committed, Refused>, CollectError> {
    if request.stop.is_asked() {
        delete(catalog, harvest).await;
        return Err(CollectError::Stopped);
    }
    let table = || plan.table.name.clone();
    match catalog.commit(changes(catalog, plan, harvest)).await {
        Ok(committed) => Ok(Ok(committed)),
        Err(source) if !source.is_definite() => {
            Err(CollectError::CommitUnknown { table: table(), source: Box::new(source) })
        }
        Err(source) => {
            delete(catalog, harvest).await;
            if is_outdated(&source) {
                return Ok(Err(Refused(source)));
            }
            Err(CollectError::Catalog { table: table(), source: Box::new(source) })
        }
    }
}

async fn delete(catalog: &Catalog, harvest: &Harvest) {
    discard(catalog.host(), &harvest.table.files).await;
    discard(catalog.host(), &harvest.rejects.files).await;
}

/// Whether planning again may help.
fn is_outdated(error: &CatalogError) -> bool {
    matches!(
        error,
        CatalogError::Conflict { .. }
            | CatalogError::TableExists { .. }
            | CatalogError::TableNotFound { .. }
            | CatalogError::DatabaseNotFound { .. }
            | CatalogError::AlreadyIngested { .. }
    )
}

fn changes(catalog: &Catalog, plan: &Plan, harvest: &Harvest) -> Commit {
    let mut tables = Vec::new();
    // The table first: the report asks for it by its place.
    tables.extend(change(&plan.table, &harvest.table, harvest));
    if !harvest.rejects.files.is_empty()
        && let Ok(rejects) = plan.rejects.shape()
    {
        tables.extend(change(rejects, &harvest.rejects, harvest));
    }
    Commit { tables, ledger: ledger(catalog, plan, harvest), ..Commit::default() }
}

/// What is done to one table; none when it stays as it is.
fn change(shape: &Shape, written: &Written, harvest: &Harvest) -> Option<TableChange> {
    let append = (!written.files.is_empty()).then(|| Append {
        spec_id: shape.spec.spec_id(),
        files: written.files.clone(),
        summary: HashMap::from([(OPERATION_ID.to_owned(), harvest.operation.to_string())]),
    });
    let Some(base) = &shape.existing else {
        let new = NewTable {
            uuid: shape.uuid,
            location: shape.location.to_string(),
            schema: shape.schema.as_ref().clone(),
            spec: shape.spec.as_ref().clone(),
            sort_order: shape.sort_order.as_ref().clone(),
            properties: shape.new_properties(),
        };
        let (name, new) = (shape.name.clone(), Box::new(new));
        return Some(TableChange::Create { name, new, append, make_database: true });
    };
    let mut steps = Vec::new();
    if !shape.changes.is_empty() {
        let (base_schema_id, schema) = (base.schema().schema_id(), Box::new(shape.schema.as_ref().clone()));
        steps.push(Step::EvolveSchema { base_schema_id, schema });
    }
    steps.extend(append.map(Step::Append));
    (!steps.is_empty()).then(|| TableChange::Change { base: base.clone(), steps })
}

/// A row for each source that held a record. One that is empty may be filled later.
fn ledger(catalog: &Catalog, plan: &Plan, harvest: &Harvest) -> Vec<LedgerRow> {
    let ingested_at_ms = catalog.host().clock.now_ms();
    let gave = plan.todo.iter().zip(&harvest.sources).filter(|(_, gives)| !gives.is_empty());
    gave.map(|(todo, gives)| LedgerRow {
        table_uuid: plan.table.uuid,
        branch: "main".to_owned(),
        source: todo.source.name.clone(),
        identity: todo.source.part().and_then(|part| part.identity.clone()),
        from_byte: todo.source.from_byte(),
        size_bytes: gives.stored_bytes,
        content: todo.source.etag().unwrap_or_else(|| gives.content.clone()),
        operation_id: harvest.operation,
        snapshot_id: None,
        rows: gives.rows,
        rejected: gives.rejected,
        ingested_at_ms,
        rule: todo.rule,
    })
    .collect()
}
