//! One reading of all sources from start to end: read, decode, write, in order.
//!
//! One thread reads, as many as there are cores decode, and the writers encode and upload beside them. What was
//! decoded is taken in the order in which it was read, so that the same input makes the same files.
//!
//! When a field appears that the table lacks, nothing more is written, and the pass ends with [`Outcome::Grow`]: at once if that
//! was at the beginning of the sources, else the rest of them is read for what else is missing.

use arrow::array::RecordBatch;
use futures::{Stream, StreamExt, stream};
use hosu_datafile::Written;
use hosu_table::evolution::SchemaEvolution;
use iceberg::spec::NestedFieldRef;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::decode::{ChunkOf, Decoding, Piece};
use super::ledger::Todo;
use super::pressure::Pressure;
use super::reader::{self, Gathered, Message, Note, Reading};
use super::shape::{Growth, Shape};
use super::tally::Tally;
use super::times::Times;
use super::writers::Writers;
use super::{Plan, Run, rejects};
use crate::error::CollectError;
use crate::frame::{Buffers, Compression, Content};
use crate::json::{DecoderError, Reject, Told, Unknown};
use crate::source::Position;

/// What a pass comes to.
pub(super) enum Outcome {
    /// Everything has a place and is written, if it was to be.
    Complete(Box<Harvest>),
    /// The table lacks something, and nothing was written.
    Grow(Box<Lack>),
}

/// What a table lacks of that which was read.
pub(super) struct Lack {
    /// The table with the columns that the sources say they need,
    pub table: Shape,
    /// and what in it has no place.
    pub unknown: Option<Unknown>,
    /// Whether not everything was read.
    pub is_early: bool,
    /// The contents of the sources that were read to their ends, in their order: the next pass must find the same.
    pub contents: Vec<Option<String>>,
}

/// What a pass does when the table lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacking {
    /// It ends at once while only the beginning of the sources was read.
    Ends,
    /// It looks for what else is missing.
    Collects,
    /// What has no place is rescued.
    Rescues,
}

/// All rows of the sources, in durable files that no table refers to yet.
#[derive(Debug)]
pub(super) struct Harvest {
    pub operation: Uuid,
    pub table: Written,
    pub rejects: Written,
    /// As many as there are sources to do, in their order.
    pub sources: Vec<Yield>,
    pub tally: Tally,
}

/// What one source gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Yield {
    pub content_kind: Option<Content>,
    pub compression: Option<Compression>,
    pub rows: u64,
    pub rejected: u64,
    pub rescued: u64,
    /// Where a part begins.
    pub from_byte: u64,
    /// The source's size as stored; of a part also what is before it.
    pub stored_bytes: u64,
    /// Where a part ends.
    pub position: Option<Box<Position>>,
    /// Fields beside the records, in envelopes around them, and how often.
    pub left_out: Vec<(String, u64)>,
    /// `blake3:…` of what was read.
    pub content: String,
}

impl Yield {
    /// Whether it held no record, good or bad.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0 && self.rejected == 0
    }
}

impl Harvest {
    /// Whether there was no record, good or bad.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.iter().all(Yield::is_empty)
    }
}

/// One pass on its way.
pub(super) struct Pass<'a> {
    run: &'a Run<'a>,
    plan: &'a Plan,
    operation: Uuid,
    lacking: Lacking,
    decoding: Decoding,
    writers: Writers,
    sources: Vec<Yield>,
    tally: Tally,
    unknown: Option<Unknown>,
    /// The table with the columns that it lacks, as the sources say.
    declared: Option<Box<Shape>>,
    /// How much text was read.
    text_bytes: usize,
    /// Set once the table turned out to lack something.
    grows: bool,
}

/// How far the sources were read.
enum Read {
    Beginning,
    All,
}

/// What was read, its lines decoded.
struct Step {
    notes: Vec<Note>,
    piece: Piece,
    text_bytes: usize,
    stored_bytes: u64,
    room: Option<OwnedSemaphorePermit>,
}

impl<'a> Pass<'a> {
    /// A pass that writes under the id `operation`.
    pub(super) fn new(run: &'a Run<'a>, plan: &'a Plan, operation: Uuid, lacking: Lacking) -> Self {
        let settings = &run.request.settings;
        let buffers = Buffers::new(settings.chunk_bytes());
        let table = &plan.table;
        let needs_advice = table.existing.is_none() && table.spec.is_unpartitioned();
        let times = needs_advice.then(|| Times::new(&table.schema));
        Self {
            run,
            plan,
            operation,
            lacking,
            decoding: Decoding::of(table, settings.rows_bytes(), buffers),
            writers: Writers::default(),
            sources: vec![Yield::default(); plan.todo.len()],
            tally: Tally { times, ..Tally::default() },
            unknown: None,
            declared: None,
            text_bytes: 0,
            grows: false,
        }
    }

    /// Reads everything. After an error, what was written is deleted.
    ///
    /// # Errors
    /// [`CollectError`].
    pub(super) async fn run(mut self) -> Result<Outcome, CollectError> {
        match self.read().await {
            Ok(Read::Beginning) => Ok(self.lack(true)),
            Ok(Read::All) if self.grows => Ok(self.lack(false)),
            Ok(Read::All) => self.finish().await.map(|harvest| Outcome::Complete(Box::new(harvest))),
            Err(error) => {
                self.writers.abort().await;
                Err(error)
            }
        }
    }

    async fn read(&mut self) -> Result<Read, CollectError> {
        self.writers.open_table(self.run, &self.plan.table, self.operation)?;
        let sizes = self.plan.todo.iter().map(|todo| todo.source.size_bytes());
        self.run.progress.begin(sizes.sum());
        let messages = self.spawn_reader()?;
        let cores = self.run.request.settings.cores.max(1);
        let steps = steps(messages, self.decoding.clone(), &self.plan.table).buffered(cores + 2);
        let mut steps = std::pin::pin!(steps);
        loop {
            let step = tokio::select! {
                biased;
                () = self.run.request.stop.asked() => return Err(CollectError::Stopped),
                step = steps.next() => step,
            };
            match step {
                None => return Ok(Read::All),
                Some(step) => self.take(step?).await?,
            }
            if self.grows && self.lacking == Lacking::Ends {
                return Ok(Read::Beginning);
            }
        }
    }

    fn spawn_reader(&self) -> Result<mpsc::Receiver<Message>, CollectError> {
        let settings = &self.run.request.settings;
        let reading = Reading {
            buffers: self.decoding.buffers.clone(),
            columns: Some(self.plan.table.schema.clone()),
            ..Reading::new(self.run.catalog.host(), self.run.request)
        };
        let sources = self.plan.todo.iter().map(|todo| todo.source.clone()).collect();
        let pressure = Pressure::new(settings.memory_bytes, self.run.request.give_back);
        reader::spawn(reading, sources, settings.text_ahead_bytes(), pressure).map_err(|source| {
            let name = self.plan.todo.first().map(|todo| todo.source.name.clone()).unwrap_or_default();
            CollectError::SourceUnreadable { name, source }
        })
    }

    async fn take(&mut self, step: Step) -> Result<(), CollectError> {
        if self.lacking == Lacking::Ends && self.text_bytes >= self.run.request.settings.sample_bytes {
            self.lacking = Lacking::Collects;
        }
        self.text_bytes = self.text_bytes.saturating_add(step.text_bytes);
        for note in step.notes {
            self.take_note(note).await?;
        }
        self.run.progress.advance(step.stored_bytes, 0);
        self.take_pieces(step.piece).await?;
        drop(step.room);
        Ok(())
    }

    async fn take_note(&mut self, note: Note) -> Result<(), CollectError> {
        match note {
            Note::Begin { source, content, compression, fields } => {
                self.note_declared(&fields).await?;
                if let Some(gives) = self.sources.get_mut(source) {
                    gives.content_kind = Some(content);
                    gives.compression = Some(compression);
                }
            }
            Note::End { source, stored_bytes, content, position, left_out } => {
                self.check_content(source, &content)?;
                let from_byte = self.plan.todo.get(source).map_or(0, |todo| todo.source.from_byte());
                if let Some(gives) = self.sources.get_mut(source) {
                    gives.from_byte = from_byte;
                    gives.stored_bytes = stored_bytes;
                    gives.content = content;
                    gives.position = position;
                    gives.left_out = left_out;
                }
            }
        }
        Ok(())
    }

    /// A source that was read before must be what it was.
    fn check_content(&self, source: usize, content: &str) -> Result<(), CollectError> {
        match self.plan.todo.get(source) {
            Some(Todo { source, content: Some(before), .. }) if before != content => {
                Err(CollectError::ChangedWhileRead { name: source.name.clone() })
            }
            _ => Ok(()),
        }
    }

    async fn take_pieces(&mut self, mut piece: Piece) -> Result<(), CollectError> {
        loop {
            self.take_rows(piece.batch, piece.told).await?;
            if piece.rest.is_empty() {
                return Ok(());
            }
            piece = decoded(&self.plan.table, self.decoding.spawn(piece.rest)).await?;
        }
    }

    async fn take_rows(&mut self, batch: RecordBatch, told: Vec<(usize, Told)>) -> Result<(), CollectError> {
        self.run.progress.advance(0, batch.num_rows() as u64);
        self.tally.see(&batch);
        let mut rejects = Vec::new();
        for (source, told) in told {
            rejects.push((source, self.take_told(source, told).await?));
        }
        if self.grows {
            return Ok(());
        }
        self.writers.write_table(batch).await?;
        for (source, rejects) in rejects {
            self.take_rejects(source, &rejects).await?;
        }
        Ok(())
    }

    /// Counts what is told of a part of a source, and gives back its rejects.
    async fn take_told(&mut self, source: usize, mut told: Told) -> Result<Vec<Reject>, CollectError> {
        if let Some(gives) = self.sources.get_mut(source) {
            gives.rows += told.rows as u64;
            gives.rejected += told.rejects.len() as u64;
            gives.rescued += told.rescued.total();
        }
        if let Some(todo) = self.plan.todo.get(source) {
            self.check_fits(&todo.source.name, &told)?;
            self.tally.take(&todo.source.name, &mut told);
        }
        self.note_unknown(told.unknown).await;
        Ok(told.rejects)
    }

    /// Where that was asked for, the first value without a column that holds it is an error.
    fn check_fits(&self, source: &str, told: &Told) -> Result<(), CollectError> {
        match &told.notes.misfit {
            Some(misfit) if self.plan.table.evolution == SchemaEvolution::Fail => {
                Err(CollectError::SchemaFails {
                    table: self.plan.table.name.clone(),
                    name: source.to_owned(),
                    line_number: misfit.place.line_number,
                    reason: misfit.reason.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Remembers what the table lacks; from the first such thing on nothing more is written.
    async fn note_unknown(&mut self, unknown: Unknown) {
        if self.may_grow() && !self.grows && !self.plan.table.growth(&unknown, false).is_empty() {
            self.begin_to_grow().await;
        }
        Unknown::merge_into(&mut self.unknown, unknown);
    }

    /// Remembers the columns that a source says it needs and the table lacks.
    async fn note_declared(&mut self, fields: &[NestedFieldRef]) -> Result<(), CollectError> {
        let table = self.declared.as_deref().unwrap_or(&self.plan.table);
        let missing = table.missing(fields);
        self.tally.beyond_limit += missing.beyond_limit;
        if self.may_grow() && !missing.additions.is_empty() {
            let mut table = Box::new(table.clone());
            table.grow(&Growth::of_fields(missing.additions))?;
            self.declared = Some(table);
            self.begin_to_grow().await;
        }
        Ok(())
    }

    fn may_grow(&self) -> bool {
        self.lacking != Lacking::Rescues
    }

    async fn begin_to_grow(&mut self) {
        if !std::mem::replace(&mut self.grows, true) {
            std::mem::take(&mut self.writers).abort().await;
        }
    }

    async fn take_rejects(&mut self, source: usize, rejects: &[Reject]) -> Result<(), CollectError> {
        let Some(todo) = self.plan.todo.get(source).filter(|_| !rejects.is_empty()) else { return Ok(()) };
        let shape = self.plan.rejects.shape()?;
        let now_ms = self.run.catalog.host().clock.now_ms();
        let batch = rejects::to_batch(&shape.schema, &todo.source.name, rejects, now_ms)
            .map_err(|error| self.plan.rejects.refused(error.to_string()))?;
        self.writers.write_rejects(self.run, shape, self.operation, batch).await
    }

    fn lack(self, is_early: bool) -> Outcome {
        let ended = self.sources.into_iter().map(|gives| Some(gives.content).filter(|it| !it.is_empty()));
        Outcome::Grow(Box::new(Lack {
            table: self.declared.map_or_else(|| self.plan.table.clone(), |table| *table),
            unknown: self.unknown,
            is_early,
            contents: ended.collect(),
        }))
    }

    async fn finish(mut self) -> Result<Harvest, CollectError> {
        if let (Some(unknown), SchemaEvolution::AddColumns) = (&self.unknown, self.plan.table.evolution) {
            self.tally.beyond_limit += unknown.beyond_limit(&self.plan.table.schema);
        }
        let (table, rejects) = self.writers.finish(&self.run.host()).await?;
        Ok(Harvest { operation: self.operation, table, rejects, sources: self.sources, tally: self.tally })
    }
}

impl Decoding {
    /// Begins to decode chunks on a core.
    fn spawn(&self, chunks: Vec<ChunkOf>) -> JoinHandle<Result<Piece, DecoderError>> {
        let decoding = self.clone();
        tokio::task::spawn_blocking(move || decoding.decode(chunks))
    }
}

async fn decoded(
    table: &Shape,
    work: JoinHandle<Result<Piece, DecoderError>>,
) -> Result<Piece, CollectError> {
    match work.await {
        Ok(piece) => piece
            .map_err(|source| CollectError::Columns { table: table.name.clone(), source: Box::new(source) }),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(CollectError::Stopped),
    }
}

/// What was read, its lines decoded on the cores, in order. Each is begun when it comes, not when it is waited for.
fn steps<'a>(
    messages: mpsc::Receiver<Message>,
    decoding: Decoding,
    table: &'a Shape,
) -> impl Stream<Item = impl Future<Output = Result<Step, CollectError>> + 'a> + 'a {
    let messages = stream::unfold(messages, |mut messages| async move {
        messages.recv().await.map(|message| (message, messages))
    });
    messages.map(move |message| {
        let begun = match message {
            Message::Read(Gathered { notes, chunks, stored_bytes, room, .. }) => {
                let text_bytes = chunks.iter().map(|(_, chunk)| chunk.memory_bytes()).sum();
                Ok((notes, decoding.spawn(chunks), text_bytes, stored_bytes, room))
            }
            Message::Failed(error) => Err(*error),
        };
        async move {
            let (notes, work, text_bytes, stored_bytes, room) = begun?;
            Ok(Step { notes, piece: decoded(table, work).await?, text_bytes, stored_bytes, room })
        }
    })
}
