//! The bytes of a source as it is stored, counted and hashed as they go by.
//!
//! Sources are read on a thread of their own with plain blocking reads, because decompression blocks as well; an
//! object's pieces are fetched by the runtime and handed over. The hash is that of what was really read, so what
//! the ledger says about a source is true even if the file is another one by then.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use hosu_host::{Location, ObjectInfo, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::spool::SpoolReader;
use super::{Source, SourceKind, local};
use crate::error::CollectError;

/// How many pieces of an object wait to be read; the store fetches two more ahead.
const PIECES_AHEAD: usize = 1;

/// Reads a source from its start. Blocks; not for a thread of the runtime.
pub struct RawReader {
    inner: Inner,
    tally: Arc<Mutex<Tally>>,
}

enum Inner {
    File(File),
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

#[derive(Debug, Default)]
struct Tally {
    bytes: u64,
    hasher: blake3::Hasher,
}

/// What a source was when it was opened.
#[derive(Debug)]
enum Opened {
    File { path: PathBuf, stamp: Stamp },
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
            SourceKind::Stream(spool) => (Inner::Stream(spool.reader()), Opened::Stream),
            SourceKind::Object { location, info } => open_object(store, location, info, runtime),
        };
        let tally = Arc::<Mutex<Tally>>::default();
        Ok((Self { inner, tally: tally.clone() }, Watch { name: source.name.clone(), tally, opened }))
    }
}

fn open_file(path: &Path) -> Result<(Inner, Opened), CollectError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|error| local::unreadable(path, error))?;
    Ok((Inner::File(file), Opened::File { path: path.to_owned(), stamp: Stamp::of(&metadata) }))
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
            Inner::File(file) => file.read(buffer)?,
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
        tally.bytes += read as u64;
        tally.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Watch {
    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// The hash of what was read: `blake3:…`.
    pub fn content_hash(&self) -> String {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        format!("blake3:{}", tally.hasher.finalize().to_hex())
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
            Opened::Object { size_bytes } => *size_bytes == self.bytes(),
            Opened::Stream => true,
        };
        if same { Ok(()) } else { Err(CollectError::ChangedWhileRead { name: self.name.clone() }) }
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { size_bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// The hash of a whole source, for the question whether the ledger knows it. Blocks.
///
/// # Errors
/// When it cannot be read to its end.
pub fn content_hash(source: &Source, store: &Store, runtime: &Handle) -> Result<(u64, String), CollectError> {
    let (mut reader, watch) = RawReader::open(source, store, runtime)?;
    let mut buffer = vec![0; 256 << 10];
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
