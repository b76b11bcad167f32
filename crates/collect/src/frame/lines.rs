//! A text as chunks of whole lines, each with the place where it begins.
//!
//! A chunk is what one core decodes at a time. Lines are never split, and one that is longer than the limit is not
//! held: its beginning is kept for the rejects table and the rest counted.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a line that is too long is kept.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// Whole lines of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The lines with their line ends; the last one of a text may have none.
    pub bytes: Vec<u8>,
    /// Where the first line begins in the text, from 0.
    pub byte_offset: u64,
    /// The number of the first line in the text, from 1.
    pub line_number: u64,
    /// Set when the chunk is the beginning of one line that is too long, and no lines to decode.
    pub too_long: Option<TooLong>,
}

/// What is known of a line that was not read as a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How many bytes it has, without its line end.
    pub line_bytes: u64,
}

/// One line that is not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its line end (LF or CRLF).
    pub bytes: &'a [u8],
    /// Where it begins in its text, from 0.
    pub byte_offset: u64,
    /// Its number in its text, from 1.
    pub line_number: u64,
}

impl Chunk {
    /// The lines, blank ones left out; none for a chunk that is [`TooLong`].
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let bytes = if self.too_long.is_some() { &[] } else { self.bytes.as_slice() };
        let (mut byte_offset, mut line_number) = (self.byte_offset, self.line_number);
        wholes(bytes).filter_map(move |whole| {
            let line = Line { bytes: without_end(whole), byte_offset, line_number };
            byte_offset += whole.len() as u64;
            line_number += 1;
            (!line.bytes.trim_ascii().is_empty()).then_some(line)
        })
    }
}

/// The lines with their ends.
fn wholes(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let (whole, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        (!whole.is_empty()).then_some(whole)
    })
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Reads a text in chunks.
#[derive(Debug)]
pub struct Lines<R> {
    text: R,
    chunk_bytes: usize,
    line_bytes_max: usize,
    /// Bytes to read into. Of those that were read and not given yet, the first `searched` have no line end.
    buffer: Vec<u8>,
    read: usize,
    searched: usize,
    byte_offset: u64,
    line_number: u64,
    ended: bool,
    buffers: Buffers,
}

impl<R: Read> Lines<R> {
    /// Chunks of about `chunk_bytes`, more only for a line that is longer. The text begins at `byte_offset`.
    pub fn new(
        text: R,
        byte_offset: u64,
        chunk_bytes: usize,
        line_bytes_max: usize,
        buffers: Buffers,
    ) -> Self {
        let line_bytes_max = line_bytes_max.max(1);
        Self {
            text,
            chunk_bytes: chunk_bytes.clamp(1, line_bytes_max),
            line_bytes_max,
            buffer: Vec::new(),
            read: 0,
            searched: 0,
            byte_offset,
            line_number: 1,
            ended: false,
            buffers,
        }
    }

    /// The text's first line has this number.
    #[must_use]
    pub fn from_line(mut self, line_number: u64) -> Self {
        self.line_number = line_number;
        self
    }

    /// The next lines; none at the end of the text.
    ///
    /// # Errors
    /// What the text's reader says.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.chunk_bytes;
        loop {
            self.fill(wanted)?;
            let new = self.waiting_from(self.searched);
            if let Some(last) = memchr::memrchr(b'\n', new) {
                return Ok(Some(self.give(self.searched + last + 1)));
            }
            self.searched = self.read;
            if self.content_bytes() > self.line_bytes_max {
                return self.skip_line().map(Some);
            }
            if self.ended {
                return Ok((self.read > 0).then(|| self.give(self.read)));
            }
            // One byte more than a line may have, and one for the CR of its end.
            wanted = self.read.saturating_mul(2).min(self.line_bytes_max.saturating_add(2));
        }
    }

    /// What was read and not given, from a place on.
    fn waiting_from(&self, start: usize) -> &[u8] {
        self.buffer.get(start..self.read).unwrap_or_default()
    }

    /// The bytes of the one line that was read; a CR at its end may be a part of the line end.
    fn content_bytes(&self) -> usize {
        self.read - usize::from(self.waiting_from(0).ends_with(b"\r"))
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.ended || self.read >= wanted {
            return Ok(());
        }
        if self.buffer.is_empty() {
            self.buffer = self.buffers.take();
        }
        if self.buffer.capacity() == 0 {
            // Memory that is new is zero already.
            self.buffer = vec![0; wanted];
        } else if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while let Some(room) = self.buffer.get_mut(self.read..wanted).filter(|room| !room.is_empty()) {
            match self.text.read(room) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn give(&mut self, length: usize) -> Chunk {
        // A short text fills little of the buffer, and the chunks of many short texts wait at a time.
        let bytes = if length < self.buffer.capacity() / 2 {
            let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
            self.leave_out(length);
            bytes
        } else {
            self.hand_over(length)
        };
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        let chunk =
            Chunk { byte_offset: self.byte_offset, line_number: self.line_number, too_long: None, bytes };
        self.byte_offset += length as u64;
        self.line_number += lines;
        chunk
    }

    /// The buffer with its first bytes; what follows them goes on in another one.
    fn hand_over(&mut self, length: usize) -> Vec<u8> {
        let rest = self.waiting_from(length);
        let mut next = self.buffers.take();
        if next.len() < rest.len() {
            next = vec![0; self.chunk_bytes.max(rest.len())];
        }
        if let Some(start) = next.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.read = rest.len();
        self.searched = 0;
        let mut bytes = std::mem::replace(&mut self.buffer, next);
        bytes.truncate(length);
        bytes
    }

    /// Goes on behind the first bytes that were read.
    fn leave_out(&mut self, length: usize) {
        self.buffer.copy_within(length..self.read, 0);
        self.read -= length;
        self.searched = 0;
    }

    /// Reads to the end of a line that is too long, and keeps its beginning.
    fn skip_line(&mut self) -> io::Result<Chunk> {
        let (byte_offset, line_number) = (self.byte_offset, self.line_number);
        let begun = self.waiting_from(0);
        let (mut line_bytes, mut last) = (begun.len() as u64, begun.last().copied());
        let head = begun.get(..HEAD_BYTES_MAX.min(self.line_bytes_max)).unwrap_or(begun).to_vec();
        let mut end_bytes = 0;
        // The buffer has become as large as the longest line.
        self.buffer = Vec::new();
        (self.read, self.searched) = (0, 0);
        while !self.ended && end_bytes == 0 {
            self.fill(self.chunk_bytes)?;
            let new = self.waiting_from(0);
            let end = memchr::memchr(b'\n', new);
            let line = new.get(..end.unwrap_or(new.len())).unwrap_or_default();
            line_bytes += line.len() as u64;
            last = line.last().copied().or(last);
            end_bytes = u64::from(end.is_some());
            self.leave_out(end.map_or(self.read, |end| end + 1));
        }
        self.byte_offset += line_bytes + end_bytes;
        self.line_number += end_bytes;
        let line_bytes = line_bytes - u64::from(end_bytes == 1 && last == Some(b'\r'));
        Ok(Chunk { bytes: head, byte_offset, line_number, too_long: Some(TooLong { line_bytes }) })
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.buffer));
    }
}

/// How many buffers are kept: one is filled while others are decoded.
const BUFFERS_MAX: usize = 3;

/// Buffers of chunks that were decoded, to be read into again. Memory that the system gives anew for each chunk costs about
/// as much as to copy the chunk.
#[derive(Clone, Debug)]
pub struct Buffers {
    bytes_max: usize,
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Keeps buffers of up to so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, idle: Arc::default() }
    }

    /// A buffer with whatever is in it, or one without room.
    fn take(&self) -> Vec<u8> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a buffer, if it is of the usual size.
    pub fn give_back(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_usual = (self.bytes_max / 2 + 1..=self.bytes_max).contains(&buffer.capacity());
        if is_usual && idle.len() < BUFFERS_MAX {
            idle.push(buffer);
        }
    }
}
