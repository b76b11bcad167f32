//! A text as chunks of whole lines, each with the place where it begins.
//!
//! A chunk is what one core decodes at a time. Lines are never split, and one that is longer than the limit is not
//! held: its beginning is kept for the rejects table and the rest counted.

use std::io::{self, Read};

use super::chunk::{Buffers, Chunk, HEAD_BYTES_MAX, too_long};
use super::ending::Ending;
use super::{Chunks, Cutting};
use crate::json::Reject;

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
    ending: Ending,
    told_cut: bool,
    buffers: Buffers,
}

impl<R: Read> Lines<R> {
    /// Chunks of lines of a text that begins at `byte_offset`.
    pub fn new(text: R, byte_offset: u64, cutting: Cutting) -> Self {
        let Cutting { chunk_bytes, line_bytes_max, buffers, ending } = cutting;
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
            ending,
            told_cut: false,
            buffers,
        }
    }

    /// The text's first line has this number.
    #[must_use]
    pub fn from_line(mut self, line_number: u64) -> Self {
        self.line_number = line_number;
        self
    }

    fn next_lines(&mut self) -> io::Result<Option<Chunk>> {
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
                return Ok(self.give_last());
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

    /// What is left at the end of the text: a line without a line end, or what is not known to be a whole one.
    fn give_last(&mut self) -> Option<Chunk> {
        if let Some(reason) = self.ending.reason()
            && !std::mem::replace(&mut self.told_cut, true)
        {
            let record = self.waiting_from(0).to_vec();
            let (byte_offset, line_number) = (self.byte_offset, self.line_number);
            self.byte_offset += record.len() as u64;
            self.leave_out(self.read);
            return Some(Chunk::of_reject(Reject { record, reason, byte_offset, line_number }));
        }
        (self.read > 0).then(|| self.give(self.read))
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
        let chunk = Chunk::of_lines(bytes, self.byte_offset, self.line_number);
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
        Ok(Chunk::of_reject(too_long("line", line_bytes, head, byte_offset, line_number)))
    }
}

impl<R: Read + Send> Chunks for Lines<R> {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        self.next_lines()
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.buffer));
    }
}
