//! A look at the beginnings of the sources: are they text at all, which columns do their records need, which does a table lack?

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hosu_host::Host;
use hosu_table::declared;
use hosu_table::evolve::{self, EvolveError, ParentPath};
use hosu_table::json::{Inference, Limits};
use hosu_table::rejects;
use iceberg::spec::{NestedFieldRef, Schema, SchemaRef};

use super::Plan;
use super::ahead::Ahead;
use super::decode::Decoding;
use super::ledger::Todo;
use super::reader::{Opened, Reading};
use super::shape::{Growth, Shape};
use crate::error::CollectError;
use crate::frame::{Buffers, Chunk, Content, HEAD_BYTES};
use crate::json::{DecoderError, Unknown};
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
    let reading = reading(host, request, None);
    let reading = Reading { buffer_bytes: HEAD_BYTES, chunk_bytes: 1, line_bytes_max: 1, ..reading };
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
    let table = request.table.clone();
    let limits = request.columns_max.map_or_else(Limits::default, Limits::of_columns);
    look(host, request, todo, None, move |sample| {
        sample.schema(limits).map_err(|source| CollectError::Evolve { table, source: Box::new(source) })
    })
    .await
}

/// The table of a plan, grown by what the same beginnings bring: as if a pass had read them, and nothing behind them.
///
/// # Errors
/// When a source cannot be read, or a new table cannot be as asked any more.
pub(super) async fn grown(host: &Host, request: &IngestRequest, plan: &Plan) -> Result<Shape, CollectError> {
    let (table, settings) = (plan.table.clone(), request.settings.clone());
    let columns = Some(table.schema.clone());
    look(host, request, &plan.todo, columns, move |sample| sample.grown(table, settings.rows_bytes())).await
}

/// Reads the sample and tells what comes of it.
async fn look<T: Send + 'static>(
    host: &Host,
    request: &IngestRequest,
    todo: &[Todo],
    columns: Option<SchemaRef>,
    then: impl FnOnce(Sample) -> Result<T, CollectError> + Send + 'static,
) -> Result<T, CollectError> {
    let settings = &request.settings;
    let sample_bytes = settings.sample_bytes.min(settings.text_bytes()).max(1);
    let sources = spread(todo, (sample_bytes / SHARE_BYTES_MIN).max(1));
    let share_bytes = (sample_bytes / sources.len().max(1)).max(1);
    let reading = reading(host, request, columns);
    // A chunk ends with its last whole line, and so is never quite as long as it may be.
    let chunk_bytes = reading.chunk_bytes.min(share_bytes.div_ceil(SHARE_CHUNKS));
    let reading = Reading { chunk_bytes, ..reading };
    let work = move || {
        let parts = sources.chunks(sources.len().div_ceil(SAMPLE_PARTS).max(1));
        let read = parallel::in_order(parts, |part| Sample::of(&reading, part, share_bytes))?;
        then(read.into_iter().collect())
    };
    let first = todo.first().map(|todo| todo.source.name.clone()).unwrap_or_default();
    on_thread(first, work).await
}

fn reading(host: &Host, request: &IngestRequest, columns: Option<SchemaRef>) -> Reading {
    Reading { columns, is_look: true, ..Reading::new(host, request) }
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

    /// A table with what it lacks: the columns that were declared, then those that the values of the others need.
    fn grown(self, mut table: Shape, rows_bytes_max: usize) -> Result<Shape, CollectError> {
        for declared in &self.declared {
            let missing = table.missing(declared);
            table.grow(&Growth::of_fields(missing.additions))?;
        }
        let decoding = Decoding::of(&table, rows_bytes_max, Buffers::new(0));
        let unknown = unknown_of(self.chunks, &decoding);
        let unknown = unknown.map_err(|source| CollectError::Columns {
            table: table.name.clone(),
            source: Box::new(source),
        })?;
        if let Some(unknown) = unknown {
            table.grow(&table.growth(&unknown, false))?;
        }
        Ok(table)
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

/// What is in the sample.
fn inference_of(chunks: &[Chunk], limits: Limits) -> Inference {
    let (turn, mut whole) = (Turn::default(), Inference::new(limits));
    let parts = parallel::in_order(chunks.chunks(part_chunks(chunks.len())), |chunks| {
        let mut inference = Inference::new(limits);
        for chunk in chunks {
            let _turn = turn.of(chunk);
            chunk.lines().for_each(|line| inference.observe_line(line.bytes));
        }
        Ok::<_, Infallible>(inference)
    });
    parts.into_iter().flatten().for_each(|part| whole.merge(part));
    whole
}

/// What of the sample a table has no place for.
fn unknown_of(chunks: Vec<Chunk>, decoding: &Decoding) -> Result<Option<Unknown>, DecoderError> {
    let (turn, part_chunks) = (Turn::default(), part_chunks(chunks.len()));
    let mut chunks = chunks.into_iter();
    let parts = std::iter::from_fn(|| {
        Some(chunks.by_ref().take(part_chunks).collect::<Vec<_>>()).filter(|part| !part.is_empty())
    });
    let parts = parallel::in_order(parts.collect::<Vec<_>>(), |chunks| {
        let mut unknown = None;
        for chunk in chunks {
            let _turn = turn.of(&chunk);
            let mut rest = vec![(0, chunk)];
            while !rest.is_empty() {
                let piece = decoding.decode(rest)?;
                piece.told.into_iter().for_each(|(_, told)| Unknown::merge_into(&mut unknown, told.unknown));
                rest = piece.rest;
            }
        }
        Ok::<_, DecoderError>(unknown)
    })?;
    let mut whole = None;
    parts.into_iter().flatten().for_each(|part| Unknown::merge_into(&mut whole, part));
    Ok(whole)
}

/// How many chunks are looked at together: always the same, whatever the machine.
fn part_chunks(chunks: usize) -> usize {
    chunks.div_ceil(SAMPLE_PARTS).max(1)
}

/// Giants are looked at one at a time: a line may take twenty times its length while it is looked at.
#[derive(Default)]
struct Turn(Mutex<()>);

impl Turn {
    fn of(&self, chunk: &Chunk) -> Option<MutexGuard<'_, ()>> {
        let is_giant = chunk.bytes.len() > CHUNK_BYTES_MAX;
        is_giant.then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
