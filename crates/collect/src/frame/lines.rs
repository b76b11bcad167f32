//! A text as chunks of whole lines, each with the place where it begins.
//!
//! A chunk is what one core decodes at a time. Lines are never split, and one that is longer than the limit is not
//! held: its beginning is kept for the rejects table and the rest counted.

use std::io::{self, Read};

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
    /// What was read and not given yet. Its first `searched` bytes have no line end.
    buffer: Vec<u8>,
    searched: usize,
    byte_offset: u64,
    line_number: u64,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// Chunks of about `chunk_bytes`, more only for a line that is longer. The text begins at `byte_offset`.
    pub fn new(text: R, byte_offset: u64, chunk_bytes: usize, line_bytes_max: usize) -> Self {
        let line_bytes_max = line_bytes_max.max(1);
        Self {
            text,
            chunk_bytes: chunk_bytes.clamp(1, line_bytes_max),
            line_bytes_max,
            buffer: Vec::new(),
            searched: 0,
            byte_offset,
            line_number: 1,
            ended: false,
        }
    }

    /// The next lines; none at the end of the text.
    ///
    /// # Errors
    /// What the text's reader says.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.chunk_bytes;
        loop {
            self.fill(wanted)?;
            let new = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(last) = memchr::memrchr(b'\n', new) {
                return Ok(Some(self.give(self.searched + last + 1)));
            }
            self.searched = self.buffer.len();
            if self.content_bytes() > self.line_bytes_max {
                return self.skip_line().map(Some);
            }
            if self.ended {
                return Ok((!self.buffer.is_empty()).then(|| self.give(self.buffer.len())));
            }
            // One byte more than a line may have, and one for the CR of its end.
            wanted = self.buffer.len().saturating_mul(2).min(self.line_bytes_max.saturating_add(2));
        }
    }

    /// The bytes of the one line in the buffer; a CR at its end may be a part of the line end.
    fn content_bytes(&self) -> usize {
        self.buffer.len() - usize::from(self.buffer.ends_with(b"\r"))
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if self.ended || missing == 0 {
            return Ok(());
        }
        self.buffer.reserve(missing);
        let read = self.text.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < missing;
        Ok(())
    }

    fn give(&mut self, length: usize) -> Chunk {
        let rest = self.buffer.split_off(length);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        // A short text fills little of the buffer, and the chunks of many short texts wait at a time.
        if bytes.len() < bytes.capacity() / 2 {
            bytes.shrink_to_fit();
        }
        self.searched = 0;
        let chunk =
            Chunk { byte_offset: self.byte_offset, line_number: self.line_number, too_long: None, bytes };
        self.byte_offset += length as u64;
        self.line_number += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
        chunk
    }

    /// Reads to the end of a line that is too long, and keeps its beginning.
    fn skip_line(&mut self) -> io::Result<Chunk> {
        let (byte_offset, line_number) = (self.byte_offset, self.line_number);
        let mut head = std::mem::take(&mut self.buffer);
        let mut line_bytes = head.len() as u64;
        let mut last = head.last().copied();
        head.truncate(HEAD_BYTES_MAX.min(self.line_bytes_max));
        head.shrink_to_fit();
        let mut end_bytes = 0;
        self.searched = 0;
        while !self.ended && end_bytes == 0 {
            self.fill(self.chunk_bytes)?;
            let line = match memchr::memchr(b'\n', &self.buffer) {
                Some(at) => {
                    end_bytes = 1;
                    let rest = self.buffer.split_off(at + 1);
                    let mut line = std::mem::replace(&mut self.buffer, rest);
                    line.pop();
                    line
                }
                None => std::mem::take(&mut self.buffer),
            };
            line_bytes += line.len() as u64;
            last = line.last().copied().or(last);
        }
        self.byte_offset += line_bytes + end_bytes;
        self.line_number += end_bytes;
        let line_bytes = line_bytes - u64::from(end_bytes == 1 && last == Some(b'\r'));
        Ok(Chunk { bytes: head, byte_offset, line_number, too_long: Some(TooLong { line_bytes }) })
    }
}
