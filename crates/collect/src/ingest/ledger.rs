//! What of the sources is to be done: the ledger's answer to each of them.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use hosu_catalog::{Catalog, LedgerRow, LedgerRule};
use tokio::runtime::Handle;

use crate::error::CollectError;
use crate::parallel;
use crate::request::{IngestRequest, OnChanged};
use crate::source::part::{self, Known};
use crate::source::{self, BATCH, Found, Part, Source, SourceKind};

/// So many sources are hashed side by side before others are.
const HASHED_MAX: usize = 512;

/// A source that is to be ingested.
#[derive(Clone, Debug)]
pub(crate) struct Todo {
    pub source: Source,
    /// When the commit must be refused because somebody else has ingested it meanwhile.
    pub rule: LedgerRule,
    /// The hash of its content, where it was read before: it must be the same again.
    pub content: Option<String>,
}

/// The sources that are to be ingested, in their order; what the table has is left out.
///
/// # Errors
/// [`CollectError::SourceChanged`] and its like, and whatever keeps catalog or sources from being read.
pub(super) async fn choose(
    catalog: &Catalog,
    table: Option<uuid::Uuid>,
    request: &IngestRequest,
    found: &Found,
) -> Result<Vec<Todo>, CollectError> {
    let mut known = known(catalog, table, request, found).await?;
    let mut contents = contents(catalog, &found.sources, &known).await?;
    let mut todo = Vec::new();
    for source in &found.sources {
        let rows = known.remove(&source.name).unwrap_or_default();
        let entry = |rule, content| Todo { source: source.clone(), rule, content };
        if !is_known_by_name(source) || request.reingest {
            todo.push(entry(LedgerRule::Any, None));
        } else if rows.is_empty() {
            todo.push(entry(LedgerRule::FirstOfSource, None));
        } else {
            let content = source.etag().or_else(|| contents.remove(&source.name));
            todo.extend(again(request, source, rows, content).await?);
        }
    }
    Ok(todo)
}

/// What is to be done with a source of which the ledger knows something; nothing when it knows all of it. The content is not
/// known where the size tells that it is another one.
async fn again(
    request: &IngestRequest,
    source: &Source,
    rows: Vec<LedgerRow>,
    content: Option<String>,
) -> Result<Option<Todo>, CollectError> {
    if rows.iter().any(|row| Some(&row.content) == content.as_ref()) {
        return Ok(None);
    }
    let table = request.table.clone();
    match request.on_changed {
        OnChanged::New => {
            // The pass compares hashes; what the store itself says is compared by the store.
            let content = content.filter(|_| source.etag().is_none());
            Ok(Some(Todo { source: source.clone(), rule: LedgerRule::FirstOfContent, content }))
        }
        OnChanged::Tail => tail(request, source, rows).await.map(Some),
        OnChanged::Refuse => Err(match source.name.strip_prefix(BATCH) {
            Some(id) if source.is_batch() => CollectError::BatchChanged { id: id.to_owned(), table },
            _ => CollectError::SourceChanged { name: source.name.clone(), table },
        }),
    }
}

/// Whether the ledger knows what has this name: only a stream without an id has none of its own.
fn is_known_by_name(source: &Source) -> bool {
    !source.is_stream() || source.is_batch()
}

async fn known(
    catalog: &Catalog,
    table: Option<uuid::Uuid>,
    request: &IngestRequest,
    found: &Found,
) -> Result<HashMap<String, Vec<LedgerRow>>, CollectError> {
    let (Some(table), false) = (table, request.reingest) else { return Ok(HashMap::new()) };
    let sources = found.sources.iter().filter(|source| is_known_by_name(source));
    let names: Vec<String> = sources.map(|source| source.name.clone()).collect();
    let rows = catalog.ledger(table, Some(&names)).await;
    let rows = rows
        .map_err(|source| CollectError::Catalog { table: request.table.clone(), source: Box::new(source) })?;
    let mut known: HashMap<String, Vec<LedgerRow>> = HashMap::new();
    for row in rows {
        known.entry(row.source.clone()).or_default().push(row);
    }
    Ok(known)
}

/// The hashes, by name, of those sources that the ledger may have as they are: of which it has one of the same size, and of
/// which the store itself does not tell.
async fn contents(
    catalog: &Catalog,
    sources: &[Source],
    known: &HashMap<String, Vec<LedgerRow>>,
) -> Result<HashMap<String, String>, CollectError> {
    let may_be_known = |source: &&Source| {
        let has_size = |row: &LedgerRow| source.size_bytes().is_none_or(|size| size == row.size_bytes);
        known.get(&source.name).is_some_and(|rows| rows.iter().any(has_size)) && source.etag().is_none()
    };
    let asked: Vec<&Source> = sources.iter().filter(may_be_known).collect();
    let mut contents = HashMap::new();
    // A few at a time, so that a wish to stop is heard between them.
    for sources in asked.chunks(HASHED_MAX) {
        let sources: Vec<Source> = sources.iter().copied().cloned().collect();
        let (store, runtime) = (catalog.host().store.clone(), Handle::current());
        let hashed = source::blocking(move || {
            parallel::in_order(&sources, |source| {
                let (_, hash) = source::content_hash(source, &store, &runtime)?;
                Ok((source.name.clone(), hash))
            })
        });
        contents.extend(hashed.await?);
    }
    Ok(contents)
}

/// What was added to a file since the ledger's furthest row of it whose content is still its beginning.
async fn tail(request: &IngestRequest, source: &Source, rows: Vec<LedgerRow>) -> Result<Todo, CollectError> {
    let name = source.name.clone();
    let SourceKind::File { path, .. } = &source.kind else {
        let reason = match source.kind {
            SourceKind::Object { .. } => {
                "of an object the ledger has the ETag, which tells nothing of its beginning"
            }
            _ => "a batch is known as a whole",
        };
        return Err(CollectError::NoTail { name, reason });
    };
    let (path, table) = (path.clone(), request.table.clone());
    let (given, rule) = (request.given(), LedgerRule::NothingSince { rows: rows.len() as u64 });
    let rest = source::blocking(move || {
        let unreadable = |source| CollectError::SourceUnreadable { name: name.clone(), source };
        let file = File::open(&path).map_err(unreadable)?;
        let to_byte = file.metadata().map_err(unreadable)?.len();
        if !part::is_plain_lines(&file, &name, &given).map_err(unreadable)? {
            return Err(CollectError::NoTail {
                name,
                reason: "only of plain lines it is known where a record begins",
            });
        }
        let known: Vec<Known> = rows.into_iter().map(Known::from).collect();
        let Some(from) = part::furthest(&file, to_byte, &known).map_err(unreadable)? else {
            return Err(CollectError::BeginsDifferently { name, table });
        };
        if from.is_inside_line(&file).map_err(unreadable)? {
            return Err(CollectError::LineWentOn { byte: from.byte(), name, table });
        }
        Ok(Part { file: Arc::new(file), from: Box::new(from), to_byte, identity: None, may_grow: false })
    });
    let part: Part = rest.await?;
    let source = Source { name: source.name.clone(), kind: SourceKind::Part(part) };
    Ok(Todo { source, rule, content: None })
}

impl From<LedgerRow> for Known {
    fn from(row: LedgerRow) -> Self {
        Self { size_bytes: row.size_bytes, content: row.content }
    }
}
