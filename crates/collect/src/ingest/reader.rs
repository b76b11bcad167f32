//! The thread that reads: sources one after another, taken apart into chunks of lines.
//!
//! It is a thread of its own and not one of the runtime's: a pipe may block for ever, and a runtime does not end
//! before its threads do. It is held back by the room that chunks take until they are written, and it ends when
//! nobody listens any more.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use hosu_host::{Host, Scratch, Store, StoreError};
use iceberg::spec::{NestedFieldRef, SchemaRef};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::ahead::{AHEAD_MAX, Ahead};
use super::decode::ChunkOf;
use super::pressure::Pressure;
use crate::error::CollectError;
use crate::frame::{
    self, BUFFER_BYTES, Bounds, Buffers, Chunk, Chunks, Compression, Content, FrameError, Framed, Given,
    WindowTooLarge,
};
use crate::parquet::{self, Limits, Parquet};
use crate::request::IngestRequest;
use crate::source::{self, Position, RawReader, Source, SourceKind, Watch};

/// What the thread says.
#[derive(Debug)]
pub(super) enum Message {
    Read(Gathered),
    /// Reading failed; nothing follows.
    Failed(Box<CollectError>),
}

/// What was read of some sources, in their order.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Which of them began, and which ended.
    pub notes: Vec<Note>,
    /// To be decoded together, each with the number of its source.
    pub chunks: Vec<ChunkOf>,
    pub stored_bytes: u64,
    /// The room that the chunks take until they are written.
    pub room: Option<OwnedSemaphorePermit>,
    memory_bytes: usize,
}

/// What is to be known of a source beside its lines.
#[derive(Debug)]
pub(super) enum Note {
    /// A source begins. Some say which columns they need.
    Begin { source: usize, content: Content, compression: Compression, fields: Vec<NestedFieldRef> },
    /// It was read to its end. `stored_bytes` counts what is before a part, too.
    End {
        source: usize,
        stored_bytes: u64,
        content: String,
        position: Option<Box<Position>>,
        left_out: Vec<(String, u64)>,
    },
}

/// How sources are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub store: Store,
    pub scratch: Scratch,
    pub runtime: Handle,
    pub given: Given,
    pub buffer_bytes: usize,
    pub chunk_bytes: usize,
    pub line_bytes_max: usize,
    pub bounds: Bounds,
    pub page_bytes_max: u64,
    pub buffers: Buffers,
    /// The table's columns; none when they are to be found.
    pub columns: Option<SchemaRef>,
    /// Whether only beginnings are looked at, and of what says which columns it needs not even that.
    pub is_look: bool,
}

/// How many messages wait; chunks are held back by their room.
const MESSAGES_MAX: usize = 64;

/// What is known of so many sources is told, however little there is in them.
const GATHERED_NOTES_MAX: usize = 512;

/// Room is counted in so many bytes, because a semaphore counts to 2^29 only.
const ROOM_UNIT_BYTES: usize = 1024;

/// Reads all sources on a thread of their own; `room_bytes` of text may be on its way at a time, and less under pressure.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn spawn(
    reading: Reading,
    sources: Vec<Source>,
    room_bytes: usize,
    pressure: Pressure,
) -> io::Result<mpsc::Receiver<Message>> {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let units = u32::try_from(room_bytes / ROOM_UNIT_BYTES).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
    let room = Room { semaphore: Arc::new(Semaphore::new(units as usize)), units, pressure };
    let gathered_bytes_min = reading.chunk_bytes / 2;
    let mut outlet = Outlet { sender, room, gathered_bytes_min, gathered: Gathered::default() };
    std::thread::Builder::new().name("hosu-reader".to_owned()).spawn(move || {
        let mut opened = Ahead::new(&reading, &sources, AHEAD_MAX).enumerate();
        let read = opened.try_for_each(|(at, opened)| read(at, opened?, &mut outlet));
        match read.and_then(|()| outlet.send_gathered()) {
            Err(Ended::Failed(error)) => {
                let _ = outlet.sender.blocking_send(Message::Failed(error));
            }
            Ok(()) | Err(Ended::Unheard) => {}
        }
    })?;
    Ok(receiver)
}

/// Where what was read goes out. Of small sources several are gathered first: to decode a chunk and to take its rows apart
/// costs something however small it is. What goes together depends on the sources alone.
struct Outlet {
    sender: mpsc::Sender<Message>,
    room: Room,
    gathered_bytes_min: usize,
    gathered: Gathered,
}

impl Outlet {
    fn add_chunk(&mut self, source: usize, chunk: Chunk, stored_bytes: u64) -> Result<(), Ended> {
        self.gathered.memory_bytes += chunk.memory_bytes();
        self.gathered.stored_bytes += stored_bytes;
        self.gathered.chunks.push((source, chunk));
        if self.gathered.memory_bytes >= self.gathered_bytes_min { self.send_gathered() } else { Ok(()) }
    }

    fn add_note(&mut self, note: Note) -> Result<(), Ended> {
        self.gathered.notes.push(note);
        if self.gathered.notes.len() >= GATHERED_NOTES_MAX { self.send_gathered() } else { Ok(()) }
    }

    fn send_gathered(&mut self) -> Result<(), Ended> {
        let mut gathered = std::mem::take(&mut self.gathered);
        if gathered.notes.is_empty() && gathered.chunks.is_empty() {
            return Ok(());
        }
        if !gathered.chunks.is_empty() {
            gathered.room = self.room.take(gathered.memory_bytes);
        }
        Ok(self.sender.blocking_send(Message::Read(gathered))?)
    }
}

struct Room {
    semaphore: Arc<Semaphore>,
    units: u32,
    pressure: Pressure,
}

impl Room {
    fn take(&mut self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = match self.pressure.is_high(bytes) {
            true => self.units,
            false => u32::try_from(bytes.div_ceil(ROOM_UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.units),
        };
        futures::executor::block_on(self.semaphore.clone().acquire_many_owned(units)).ok()
    }
}

/// Why reading ended early.
enum Ended {
    Failed(Box<CollectError>),
    /// Nobody listens any more.
    Unheard,
}

impl From<CollectError> for Ended {
    fn from(error: CollectError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl<T> From<mpsc::error::SendError<T>> for Ended {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self::Unheard
    }
}

impl Reading {
    /// As a request asks for it, with buffers of its own and without columns.
    pub(super) fn new(host: &Host, request: &IngestRequest) -> Self {
        let settings = &request.settings;
        Self {
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
            is_look: false,
        }
    }

    /// Opens a source at its first line.
    ///
    /// # Errors
    /// When it cannot be read or is no text.
    pub(super) fn open(&self, source: &Source) -> Result<Opened, CollectError> {
        let (raw, watch) = self.begin(source)?;
        self.opened(source, raw, watch)
    }

    /// Opens a source; of an object the beginning is asked for, and not waited for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn begin(&self, source: &Source) -> Result<(RawReader, Watch), CollectError> {
        RawReader::open(source, &self.store, &self.runtime)
    }

    /// Goes to the first line of a source.
    ///
    /// # Errors
    /// When it cannot be read or is no text.
    pub(super) fn opened(
        &self,
        source: &Source,
        raw: RawReader,
        watch: Watch,
    ) -> Result<Opened, CollectError> {
        let file = raw.file();
        let buffer_bytes = source::buffer_bytes(source, self.buffer_bytes);
        let framed = match source.part().filter(|part| part.from.byte() > 0) {
            Some(part) => Ok(frame::resume(raw, buffer_bytes, part.from.byte(), part.from.line_number())),
            None => frame::open(raw, &self.given, buffer_bytes, self.bounds),
        };
        let framed = framed.map_err(|error| told(source, &watch, error))?.named(&source.name);
        if source.part().is_some_and(|part| part.may_grow)
            && matches!(framed.content, Content::Csv | Content::Tsv)
        {
            let reason = "what its columns are stands in its first line";
            return Err(CollectError::NoTail { name: source.name.clone(), reason });
        }
        let (content, compression) = (framed.content, framed.compression);
        let (chunks, fields) = match content {
            Content::Parquet => {
                self.parquet(source, framed, file).map_err(|error| told(source, &watch, error))?
            }
            _ => {
                let (buffers, columns) = (self.buffers.clone(), self.columns.clone());
                (framed.chunks(self.chunk_bytes, self.line_bytes_max, buffers, columns), Vec::new())
            }
        };
        Ok(Opened { source: source.clone(), watch, content, compression, fields, chunks })
    }

    /// Opens a Parquet file where it lies, or a copy of it. Of an object that is only looked at the footer is read.
    fn parquet(
        &self,
        source: &Source,
        framed: Framed,
        file: Option<(Arc<File>, u64)>,
    ) -> Result<(Box<dyn Chunks>, Vec<NestedFieldRef>), FrameError> {
        if framed.compression != Compression::None {
            return Err(FrameError::Binary { kind: "a Parquet file inside compressed data" });
        }
        if let (true, SourceKind::Object { location, info }) = (self.is_look, &source.kind) {
            let read = |at, length| {
                let range = at..at + length as u64;
                let read = self.runtime.block_on(self.store.get_range(location, range));
                read.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
            };
            let fields = parquet::fields(info.size_bytes, self.page_bytes_max, read);
            return Ok((Box::new(NoChunks), fields.map_err(FrameError::Parquet)?));
        }
        let (file, size_bytes, passing): (_, _, Box<dyn Read + Send>) = match file {
            Some((file, size_bytes)) => (file, size_bytes, framed.text),
            None => {
                let (file, size_bytes) = self.copied(framed.text).map_err(FrameError::Io)?;
                (Arc::new(file), size_bytes, Box::new(io::empty()))
            }
        };
        let limits = Limits {
            chunk_bytes: self.chunk_bytes,
            record_bytes_max: self.line_bytes_max,
            page_bytes_max: self.page_bytes_max,
        };
        let parquet = Parquet::open(file, size_bytes, passing, limits).map_err(FrameError::Parquet)?;
        let fields = parquet.fields();
        Ok((Box::new(parquet), fields))
    }

    /// What is read to its end, as a file.
    fn copied(&self, mut text: impl Read) -> io::Result<(File, u64)> {
        let failed = |error: io::Error| {
            io::Error::new(error.kind(), format!("its copy in the scratch folder failed: {error}"))
        };
        let mut file = self.scratch.file().map_err(failed)?;
        let (mut buffer, mut size_bytes) = (vec![0; BUFFER_BYTES], 0);
        loop {
            match text.read(&mut buffer) {
                Ok(0) => return Ok((file, size_bytes)),
                Ok(read) => {
                    file.write_all(buffer.get(..read).unwrap_or_default()).map_err(failed)?;
                    size_bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads a source to its end.
fn read(at: usize, mut opened: Opened, outlet: &mut Outlet) -> Result<(), Ended> {
    outlet.add_note(Note::Begin {
        source: at,
        content: opened.content,
        compression: opened.compression,
        fields: std::mem::take(&mut opened.fields),
    })?;
    let mut told_bytes = opened.source.from_byte();
    while let Some(chunk) = opened.next_chunk()? {
        let stored_bytes = opened.watch.bytes() - told_bytes;
        told_bytes += stored_bytes;
        outlet.add_chunk(at, chunk, stored_bytes)?;
    }
    opened.watch.check_unchanged()?;
    let (stored_bytes, content) = (opened.watch.bytes(), opened.watch.content_hash());
    let position = opened.watch.position();
    let left_out = opened.chunks.left_out();
    outlet.add_note(Note::End { source: at, stored_bytes, content, position, left_out })
}

/// The records of a source that only says which columns it needs.
struct NoChunks;

impl Chunks for NoChunks {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        Ok(None)
    }
}

/// A source that is being read.
pub(super) struct Opened {
    source: Source,
    watch: Watch,
    pub content: Content,
    pub compression: Compression,
    /// The columns that its records need in a table, when it says that.
    pub fields: Vec<NestedFieldRef>,
    chunks: Box<dyn Chunks>,
}

impl Opened {
    /// The next lines; none at the end.
    ///
    /// # Errors
    /// When the source cannot be read further.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>, CollectError> {
        self.chunks
            .next_chunk()
            .map_err(|error| told(&self.source, &self.watch, frame::read_error(self.compression, error)))
    }
}

/// An error of a source, with its name.
fn told(source: &Source, watch: &Watch, error: FrameError) -> CollectError {
    let name = source.name.clone();
    match error {
        FrameError::Binary { kind } => CollectError::SourceBinary { name, kind },
        FrameError::Encoding { encoding } => CollectError::SourceEncoding { name, encoding },
        FrameError::Damaged { compression, source } => {
            CollectError::SourceDamaged { name, compression, offset_bytes: watch.bytes(), source }
        }
        FrameError::Header(header) => CollectError::SourceHeader { name, reason: header.to_string() },
        FrameError::Parquet(reason) => CollectError::SourceParquet { name, reason },
        FrameError::Window(too_large) => {
            let WindowTooLarge { window_bytes, bytes_max } = too_large;
            CollectError::SourceWindow { name, window_bytes, bytes_max }
        }
        FrameError::TooLong(too_long) => CollectError::SourceTooLong { name, too_long },
        FrameError::Io(error) => match error.downcast::<StoreError>() {
            Ok(StoreError::Changed { .. }) => CollectError::ChangedWhileRead { name },
            Ok(source) => CollectError::SourceStore { name, source },
            Err(source) => CollectError::SourceUnreadable { name, source },
        },
    }
}
