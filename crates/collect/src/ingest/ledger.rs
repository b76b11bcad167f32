//! What of the sources is to be done: the ledger's answer to each of them.

use std::collections::HashMap;

use hosu_catalog::{Catalog, LedgerRow, LedgerRule};
use tokio::runtime::Handle;

use crate::error::CollectError;
use crate::request::{IngestRequest, OnChanged};
use crate::source::{self, Found, Source};

/// A source that is to be ingested.
#[derive(Clone, Debug)]
pub(super) struct Todo {
    pub source: Source,
    /// When the commit must be refused because somebody else has ingested it meanwhile.
    pub rule: LedgerRule,
    /// The hash of its content, where it was read before: it must be the same again.
    pub content: Option<String>,
}

/// The sources that are to be ingested, in their order; what the table has is left out.
///
/// # Errors
/// [`CollectError::SourceChanged`], and whatever keeps catalog or sources from being read.
pub(super) async fn choose(
    catalog: &Catalog,
    table: Option<uuid::Uuid>,
    request: &IngestRequest,
    found: &Found,
) -> Result<Vec<Todo>, CollectError> {
    let mut known = known(catalog, table, request, found).await?;
    let mut todo = Vec::new();
    for source in &found.sources {
        let rows = known.remove(&source.name).unwrap_or_default();
        let entry = |rule, content| Todo { source: source.clone(), rule, content };
        if source.is_stream() || request.reingest {
            todo.push(entry(LedgerRule::Any, None));
        } else if rows.is_empty() {
            todo.push(entry(LedgerRule::FirstOfSource, None));
        } else {
            let content = content_if_size_is_known(catalog, source, &rows).await?;
            if rows.iter().any(|row| Some(&row.content) == content.as_ref()) {
                continue;
            }
            match request.on_changed {
                OnChanged::New => {
                    // The pass compares hashes; what the store itself says is compared by the store.
                    let content = content.filter(|_| source.etag().is_none());
                    todo.push(entry(LedgerRule::FirstOfContent, content));
                }
                OnChanged::Refuse => {
                    let (name, table) = (source.name.clone(), request.table.clone());
                    return Err(CollectError::SourceChanged { name, table });
                }
            }
        }
    }
    Ok(todo)
}

async fn known(
    catalog: &Catalog,
    table: Option<uuid::Uuid>,
    request: &IngestRequest,
    found: &Found,
) -> Result<HashMap<String, Vec<LedgerRow>>, CollectError> {
    let (Some(table), false) = (table, request.reingest) else { return Ok(HashMap::new()) };
    let names: Vec<String> =
        found.sources.iter().filter(|source| !source.is_stream()).map(|source| source.name.clone()).collect();
    let rows = catalog.ledger(table, Some(&names)).await;
    let rows = rows
        .map_err(|source| CollectError::Catalog { table: request.table.clone(), source: Box::new(source) })?;
    let mut known: HashMap<String, Vec<LedgerRow>> = HashMap::new();
    for row in rows {
        known.entry(row.source.clone()).or_default().push(row);
    }
    Ok(known)
}

/// The content of a source, unless its size alone tells that the ledger has another one.
async fn content_if_size_is_known(
    catalog: &Catalog,
    source: &Source,
    rows: &[LedgerRow],
) -> Result<Option<String>, CollectError> {
    if !rows.iter().any(|row| Some(row.size_bytes) == source.size_bytes()) {
        return Ok(None);
    }
    if let Some(etag) = source.etag() {
        return Ok(Some(etag));
    }
    let (source, store, runtime) = (source.clone(), catalog.host().store.clone(), Handle::current());
    let hashed = source::blocking(move || source::content_hash(&source, &store, &runtime)).await?;
    Ok(Some(hashed.1))
}
