//! What comes once, made readable again.
//!
//! A pipe's bytes are gone when they were read, but an ingest may have to begin again: its sample was read for the
//! columns, a late field made the schema grow, another writer was faster. So all that was read of a stream is kept
//! in a nameless scratch file, and whoever reads it again gets that first, then what still comes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use hosu_host::Scratch;

type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A stream and what was read of it so far.
pub struct Spool {
    scratch: Scratch,
    state: Mutex<State>,
}

enum State {
    New(Option<Open>),
    Open { stream: Box<dyn Read + Send>, kept: File, kept_bytes: u64, ended: bool },
}

impl Spool {
    /// A stream that is opened when it is first read: opening a pipe waits for its writer.
    pub fn new(
        scratch: Scratch,
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
    ) -> Self {
        Self { scratch, state: Mutex::new(State::New(Some(Box::new(open)))) }
    }

    /// A reader from the stream's start.
    pub fn reader(self: &Arc<Self>) -> SpoolReader {
        SpoolReader { spool: self.clone(), position: 0 }
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::New(open) = &mut *state {
            let open = open.take().ok_or_else(|| io::Error::other("it could not be opened before"))?;
            let kept = self.scratch.file().map_err(scratch_error)?;
            *state = State::Open { stream: open()?, kept, kept_bytes: 0, ended: false };
        }
        match &mut *state {
            State::Open { kept, kept_bytes, .. } if position < *kept_bytes => kept.read_at(buffer, position),
            State::Open { ended: true, .. } | State::New(_) => Ok(0),
            State::Open { stream, kept, kept_bytes, ended } => {
                let read = read_some(stream, buffer)?;
                kept.write_all(buffer.get(..read).unwrap_or_default()).map_err(scratch_error)?;
                *kept_bytes += read as u64;
                *ended = read == 0 && !buffer.is_empty();
                Ok(read)
            }
        }
    }
}

fn read_some(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn scratch_error(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("its copy in the scratch folder failed: {error}"))
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spool")
    }
}

/// Reads a [`Spool`] from its start.
#[derive(Debug)]
pub struct SpoolReader {
    spool: Arc<Spool>,
    position: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.spool.read_at(self.position, buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_again_and_further() {
        let spool = Arc::new(Spool::new(Scratch::system(), || Ok(Box::new(&b"one two three"[..]) as _)));
        let mut first = [0; 7];
        spool.reader().read_exact(&mut first).unwrap();
        assert_eq!(&first, b"one two");
        for _ in 0..2 {
            let mut text = String::new();
            spool.reader().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one two three");
        }
    }

    #[test]
    fn a_stream_that_cannot_be_opened_says_so_each_time() {
        let spool = Arc::new(Spool::new(Scratch::system(), || Err(io::Error::other("no"))));
        assert!(spool.reader().read(&mut [0; 8]).is_err());
        assert!(spool.reader().read(&mut [0; 8]).is_err());
    }
}
