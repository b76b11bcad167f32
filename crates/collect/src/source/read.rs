//! The bytes of a source as it is stored, counted and hashed as they go by.
//!
//! Sources are read on a thread of their own with plain blocking reads, because decompression blocks as well; an
//! object's pieces are fetched by the runtime and handed over. The hash is that of what was really read, so what
//! the ledger says about a source is true even if the file is another one by then.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use hosu_host::{Location, ObjectInfo, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::part::{Part, Position};
use super::spool::SpoolReader;
use super::{Source, SourceKind, local};
use crate::error::CollectError;
use crate::frame::{BUFFER_BYTES, HEAD_BYTES};

/// How many pieces of an object wait to be read; the store fetches two more ahead.
const PIECES_AHEAD: usize = 1;

/// Reads a source from its start. Blocks; not for a thread of the runtime.
pub struct RawReader {
    inner: Inner,
    tally: Arc<Mutex<Tally>>,
}

enum Inner {
    File { file: Arc<File>, size_bytes: u64 },
    Part { file: Arc<File>, at: u64, to_byte: u64 },
    Stream(SpoolReader),
    Object { pieces: mpsc::Receiver<Result<Bytes, StoreError>>, piece: Bytes },
}

/// What goes by of a source while somebody else holds its [`RawReader`].
#[derive(Debug)]
pub struct Watch {
    name: String,
    tally: Arc<Mutex<Tally>>,
    opened: Opened,
}

/// What went by. Of a part also its lines are counted, and what is before it counts as if it had gone by.
#[derive(Debug)]
enum Tally {
    Whole { bytes: u64, hasher: Box<blake3::Hasher> },
    Part(Box<Position>),
}

/// What a source was when it was opened.
#[derive(Debug)]
enum Opened {
    File { path: PathBuf, stamp: Stamp },
    Part { part: Box<Part>, stamp: Stamp },
    Stream,
    Object { size_bytes: u64 },
}

/// What tells that a file was changed.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
}

impl RawReader {
    /// Opens a source; the runtime is for objects, whose pieces it fetches.
    ///
    /// # Errors
    /// When it is not there (any more) or may not be read.
    pub fn open(source: &Source, store: &Store, runtime: &Handle) -> Result<(Self, Watch), CollectError> {
        let (inner, opened) = match &source.kind {
            SourceKind::File { path, .. } => open_file(path)?,
            SourceKind::Part(part) => open_part(part, &source.name)?,
            SourceKind::Stream(spool) => (Inner::Stream(spool.reader()), Opened::Stream),
            SourceKind::Object { location, info } => open_object(store, location, info, runtime),
        };
        let tally = Arc::new(Mutex::new(match source.part() {
            Some(part) => Tally::Part(part.from.clone()),
            None => Tally::Whole { bytes: 0, hasher: Box::default() },
        }));
        Ok((Self { inner, tally: tally.clone() }, Watch { name: source.name.clone(), tally, opened }))
    }
}

impl RawReader {
    /// The file that it reads from its start, and how many bytes of it; none of what is no file.
    pub fn file(&self) -> Option<(Arc<File>, u64)> {
        match &self.inner {
            Inner::File { file, size_bytes } => Some((file.clone(), *size_bytes)),
            Inner::Part { file, at: 0, to_byte } => Some((file.clone(), *to_byte)),
            _ => None,
        }
    }
}

fn open_file(path: &Path) -> Result<(Inner, Opened), CollectError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|error| local::unreadable(path, error))?;
    let inner = Inner::File { file: Arc::new(file), size_bytes: metadata.len() };
    Ok((inner, Opened::File { path: path.to_owned(), stamp: Stamp::of(&metadata) }))
}

fn open_part(part: &Part, name: &str) -> Result<(Inner, Opened), CollectError> {
    let unreadable = |source| CollectError::SourceUnreadable { name: name.to_owned(), source };
    let stamp = Stamp::of(&part.file.metadata().map_err(unreadable)?);
    let inner = Inner::Part { file: part.file.clone(), at: part.from.byte(), to_byte: part.to_byte };
    Ok((inner, Opened::Part { part: Box::new(part.clone()), stamp }))
}

fn open_object(store: &Store, location: &Location, info: &ObjectInfo, runtime: &Handle) -> (Inner, Opened) {
    let mut stream = store.get_stream_of(location, info);
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    runtime.spawn(async move {
        while let Some(piece) = stream.next().await {
            if sender.send(piece).await.is_err() {
                break;
            }
        }
    });
    (Inner::Object { pieces, piece: Bytes::new() }, Opened::Object { size_bytes: info.size_bytes })
}

impl Read for RawReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Inner::File { file, .. } => file.as_ref().read(buffer)?,
            Inner::Part { file, at, to_byte } => {
                let room = usize::try_from(*to_byte - *at).unwrap_or(usize::MAX).min(buffer.len());
                let read = file.read_at(buffer.get_mut(..room).unwrap_or_default(), *at)?;
                *at += read as u64;
                read
            }
            Inner::Stream(stream) => stream.read(buffer)?,
            Inner::Object { pieces, piece } => {
                while piece.is_empty() {
                    match pieces.blocking_recv() {
                        Some(next) => *piece = next.map_err(io::Error::other)?,
                        None => return Ok(0),
                    }
                }
                let length = piece.len().min(buffer.len());
                buffer
                    .get_mut(..length)
                    .unwrap_or_default()
                    .copy_from_slice(piece.get(..length).unwrap_or_default());
                piece.advance(length);
                length
            }
        };
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.pass(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Tally {
    fn pass(&mut self, read: &[u8]) {
        match self {
            Self::Whole { bytes, hasher } => {
                *bytes += read.len() as u64;
                hasher.update(read);
            }
            Self::Part(position) => position.pass(read),
        }
    }
}

impl Watch {
    /// Up to where the source was read: how many bytes it has before that, read or not.
    pub fn bytes(&self) -> u64 {
        match &*self.tally() {
            Tally::Whole { bytes, .. } => *bytes,
            Tally::Part(position) => position.byte(),
        }
    }

    /// The hash of the source up to where it was read: `blake3:…`.
    pub fn content_hash(&self) -> String {
        match &*self.tally() {
            Tally::Whole { hasher, .. } => format!("blake3:{}", hasher.finalize().to_hex()),
            Tally::Part(position) => position.content_hash(),
        }
    }

    /// Up to where a part was read.
    pub fn position(&self) -> Option<Box<Position>> {
        match &*self.tally() {
            Tally::Whole { .. } => None,
            Tally::Part(position) => Some(position.clone()),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the source is still what it was when it was opened, and all of it was read.
    ///
    /// # Errors
    /// [`CollectError::ChangedWhileRead`].
    pub fn check_unchanged(&self) -> Result<(), CollectError> {
        let same = match &self.opened {
            Opened::File { path, stamp } => {
                let now = fs::metadata(path).map(|metadata| Stamp::of(&metadata));
                now.is_ok_and(|now| now == *stamp && stamp.size_bytes == self.bytes())
            }
            Opened::Part { part, stamp } => {
                self.bytes() == part.to_byte && self.part_is_unchanged(part, stamp)
            }
            Opened::Object { size_bytes } => *size_bytes == self.bytes(),
            Opened::Stream => true,
        };
        if same { Ok(()) } else { Err(CollectError::ChangedWhileRead { name: self.name.clone() }) }
    }
}

impl Watch {
    /// A file that may grow is still what was read of it when the end of that is there.
    fn part_is_unchanged(&self, part: &Part, stamp: &Stamp) -> bool {
        let is_same = || part.file.metadata().is_ok_and(|metadata| Stamp::of(&metadata) == *stamp);
        let is_there = || self.position().is_some_and(|end| end.is_in(&part.file).unwrap_or(false));
        if part.may_grow { is_there() } else { is_same() }
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { size_bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// How much of a source to read at a time: no more than it has. Buffers are cleared before they are read into, which of many small
/// sources would be most of the work.
pub fn buffer_bytes(source: &Source, bytes_max: usize) -> usize {
    let size_bytes = source.size_bytes().and_then(|size_bytes| usize::try_from(size_bytes).ok());
    size_bytes.map_or(bytes_max, |size_bytes| size_bytes.max(HEAD_BYTES).min(bytes_max))
}

/// The hash of a whole source, for the question whether the ledger knows it. Blocks.
///
/// # Errors
/// When it cannot be read to its end.
pub fn content_hash(source: &Source, store: &Store, runtime: &Handle) -> Result<(u64, String), CollectError> {
    let (mut reader, watch) = RawReader::open(source, store, runtime)?;
    let mut buffer = vec![0; buffer_bytes(source, BUFFER_BYTES)];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(CollectError::SourceUnreadable { name: source.name.clone(), source: error });
            }
            _ => {}
        }
    }
    watch.check_unchanged()?;
    Ok((watch.bytes(), watch.content_hash()))
}
