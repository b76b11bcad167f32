//! A look at the sources before anything is written: are they text at all, and which columns do their records need?

use std::sync::{Mutex, PoisonError};

use hosu_host::Host;
use hosu_table::declared;
use hosu_table::evolve::{self, EvolveError, ParentPath};
use hosu_table::json::{Inference, Limits};
use hosu_table::rejects;
use iceberg::spec::{NestedFieldRef, Schema};
use tokio::runtime::Handle;

use super::ahead::Ahead;
use super::ledger::Todo;
use super::reader::{Opened, Reading};
use crate::error::CollectError;
use crate::frame::{BUFFER_BYTES, Buffers, Chunk, Content, HEAD_BYTES};
use crate::parallel;
use crate::request::{CHUNK_BYTES_MAX, IngestRequest};
use crate::source::{self, Source, SourceKind};

/// A share of the sample smaller than this is not worth opening a source for.
const SHARE_BYTES_MIN: usize = 64 << 10;

/// A share is read in about so many chunks, and at most one chunk more than it should be.
const SHARE_CHUNKS: usize = 4;

/// The sample is read and looked at in so many parts.
const SAMPLE_PARTS: usize = 4;

/// So many objects of a part are asked for before their turn.
const SAMPLE_AHEAD_MAX: usize = 16;

/// Looks at the first bytes of each file, so that a binary among many sources is refused before the first of them
/// is read. Objects and streams are looked at when their turn comes.
///
/// # Errors
/// For the first file that is no text or cannot be read.
pub(super) async fn check_heads(
    host: &Host,
    todo: &[Todo],
    request: &IngestRequest,
) -> Result<(), CollectError> {
    let files = todo.iter().map(|todo| &todo.source).filter(|s| matches!(s.kind, SourceKind::File { .. }));
    let files: Vec<Source> = files.cloned().collect();
    let reading = Reading {
        store: host.store.clone(),
        scratch: host.scratch.clone(),
        runtime: Handle::current(),
        given: request.given(),
        buffer_bytes: HEAD_BYTES,
        chunk_bytes: 1,
        line_bytes_max: 1,
        bounds: request.settings.bounds(),
        page_bytes_max: request.settings.page_bytes_max(),
        buffers: Buffers::new(0),
        columns: None,
    };
    source::blocking(move || parallel::in_order(&files, |file| reading.open(file).map(drop)).map(drop)).await
}

/// The columns of a new table, from the beginnings of the sources: of one source all of the sample, of many a
/// share of each.
///
/// # Errors
/// When a source cannot be read.
pub(super) async fn infer(
    host: &Host,
    request: &IngestRequest,
    todo: &[Todo],
) -> Result<Schema, CollectError> {
    let settings = &request.settings;
    let reading = Reading {
        store: host.store.clone(),
        scratch: host.scratch.clone(),
        runtime: Handle::current(),
        given: request.given(),
        buffer_bytes: BUFFER_BYTES,
        chunk_bytes: settings.chunk_bytes(),
        line_bytes_max: settings.line_bytes_max,
        bounds: settings.bounds(),
        page_bytes_max: settings.page_bytes_max(),
        buffers: Buffers::new(0),
        columns: None,
    };
    let sample_bytes = settings.sample_bytes.min(settings.text_bytes()).max(1);
    let sources = spread(todo, (sample_bytes / SHARE_BYTES_MIN).max(1));
    let share_bytes = (sample_bytes / sources.len().max(1)).max(1);
    let table = request.table.clone();
    let limits = request.columns_max.map_or_else(Limits::default, Limits::of_columns);
    // A chunk ends with its last whole line, and so is never quite as long as it may be.
    let chunk_bytes = reading.chunk_bytes.min(share_bytes.div_ceil(SHARE_CHUNKS));
    let reading = Reading { chunk_bytes, ..reading };
    let work = move || {
        let parts: Vec<&[Source]> = sources.chunks(sources.len().div_ceil(SAMPLE_PARTS).max(1)).collect();
        let read = parallel::in_order(&parts, |part| Sample::of(&reading, part, share_bytes))?;
        let sample: Sample = read.into_iter().collect();
        sample.schema(limits).map_err(|source| CollectError::Evolve { table, source: Box::new(source) })
    };
    let first = todo.first().map(|todo| todo.source.name.clone()).unwrap_or_default();
    on_thread(first, work).await
}

/// At most so many of the sources, evenly spread.
fn spread(todo: &[Todo], sources_max: usize) -> Vec<Source> {
    let step = todo.len().div_ceil(sources_max).max(1);
    todo.iter().step_by(step).map(|todo| todo.source.clone()).collect()
}

/// What was seen of the sources.
#[derive(Default)]
struct Sample {
    /// Of those that do not say which columns they need.
    chunks: Vec<Chunk>,
    /// Of the others, of each what it says.
    declared: Vec<Vec<NestedFieldRef>>,
}

impl Sample {
    /// Of some sources a share of each.
    fn of(reading: &Reading, sources: &[Source], share_bytes: usize) -> Result<Self, CollectError> {
        let mut sample = Self::default();
        for opened in Ahead::new(reading, sources, SAMPLE_AHEAD_MAX) {
            sample.read(opened?, share_bytes)?;
        }
        Ok(sample)
    }

    fn read(&mut self, mut opened: Opened, share_bytes: usize) -> Result<(), CollectError> {
        if opened.content == Content::Parquet {
            self.declared.push(opened.fields);
            return Ok(());
        }
        let mut seen_bytes = 0;
        while seen_bytes < share_bytes
            && let Some(chunk) = opened.next_chunk()?
        {
            seen_bytes += chunk.bytes.len();
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// The columns that were declared, then those that the values of the others need.
    fn schema(&self, limits: Limits) -> Result<Schema, EvolveError> {
        let inference = inference_of(&self.chunks, limits);
        if self.declared.is_empty() {
            return inference.schema();
        }
        let mut schema = evolve::fresh_ids_of(Vec::new())?;
        for declared in &self.declared {
            let missing = declared::missing(&schema, declared, limits);
            schema = with_fields(schema, missing.additions);
        }
        let additions = inference.additions(&schema);
        rejects::with_rescued_data(&with_fields(schema, additions))
    }
}

impl FromIterator<Sample> for Sample {
    fn from_iter<T: IntoIterator<Item = Sample>>(parts: T) -> Self {
        parts.into_iter().fold(Self::default(), |mut whole, part| {
            whole.chunks.extend(part.chunks);
            whole.declared.extend(part.declared);
            whole
        })
    }
}

/// A schema with those of the fields that it can have: what cannot be a column is rescued.
fn with_fields(schema: Schema, additions: Vec<(ParentPath, NestedFieldRef)>) -> Schema {
    additions.iter().fold(schema, |schema, addition| {
        let added = evolve::add_fields(&schema, schema.highest_field_id(), std::slice::from_ref(addition));
        added.map_or(schema, |evolved| evolved.schema)
    })
}

/// What is in the sample. Parts of it are looked at side by side, always the same ones, whatever the machine.
fn inference_of(chunks: &[Chunk], limits: Limits) -> Inference {
    let mut whole = Inference::new(limits);
    let part_chunks = chunks.len().div_ceil(SAMPLE_PARTS).max(1);
    let giant = Mutex::new(());
    std::thread::scope(|scope| {
        let parts = chunks.chunks(part_chunks).map(|part| scope.spawn(|| observe(part, limits, &giant)));
        for part in parts.collect::<Vec<_>>() {
            match part.join() {
                Ok(part) => whole.merge(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    whole
}

fn observe(chunks: &[Chunk], limits: Limits, giant: &Mutex<()>) -> Inference {
    let mut inference = Inference::new(limits);
    for chunk in chunks {
        // One at a time: a line may take twenty times its length while it is looked at.
        let is_giant = chunk.bytes.len() > CHUNK_BYTES_MAX;
        let _one = is_giant.then(|| giant.lock().unwrap_or_else(PoisonError::into_inner));
        chunk.lines().for_each(|line| inference.observe_line(line.bytes));
    }
    inference
}

/// Runs what may block for ever on a thread that a runtime does not wait for.
async fn on_thread<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> Result<T, CollectError> + Send + 'static,
) -> Result<T, CollectError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let spawned = std::thread::Builder::new().name("hosu-sample".to_owned()).spawn(move || {
        let _ = sender.send(work());
    });
    spawned.map_err(|source| CollectError::SourceUnreadable { name, source })?;
    // A sender that is gone without an answer has panicked.
    receiver.await.unwrap_or(Err(CollectError::Stopped))
}
