//! What is decoded at a time: a stretch of a text with its records, and what of it is none.

use std::sync::{Arc, Mutex, PoisonError};

use crate::json::Reject;
use crate::parquet::Rows;

/// How much of a record that is too long is kept.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// Whole records of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The text that they stand in.
    pub bytes: Vec<u8>,
    /// Where it begins in the source's text, from 0.
    pub byte_offset: u64,
    /// The number of its first line, from 1.
    pub line_number: u64,
    /// How they are told apart.
    pub records: Records,
    /// What is no record for sure, and is not in `bytes`.
    pub rejects: Vec<Reject>,
}

/// How the records of a chunk are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// Each line is one; the last one of a text may have no line end.
    Lines,
    /// They stand here.
    Spans(Vec<Span>),
    /// They are no text: rows of a Parquet file. The chunk's place is that of their row group and the number of the first row.
    Rows(Rows),
}

/// Where a record stands in the bytes of its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// Where it begins in the source's text, from 0.
    pub byte_offset: u64,
    /// The number of the line where it begins in the source's text, from 1.
    pub line_number: u64,
}

/// One record; of lines, one that is not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The record; a line without its line end (LF or CRLF).
    pub bytes: &'a [u8],
    /// Where it begins in its text, from 0.
    pub byte_offset: u64,
    /// The number of the line where it begins, from 1.
    pub line_number: u64,
}

impl Chunk {
    /// Lines that begin at a place.
    pub fn of_lines(bytes: Vec<u8>, byte_offset: u64, line_number: u64) -> Self {
        Self { bytes, byte_offset, line_number, records: Records::Lines, rejects: Vec::new() }
    }

    /// A stretch of text without a record.
    pub fn of_reject(reject: Reject) -> Self {
        let (byte_offset, line_number) = (reject.byte_offset, reject.line_number);
        Self { rejects: vec![reject], ..Self::of_lines(Vec::new(), byte_offset, line_number) }
    }

    /// The records in their order; lines that are blank are none. Rows have none.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let (lines, spans) = match &self.records {
            Records::Lines => (self.bytes.as_slice(), &[][..]),
            Records::Spans(spans) => (&[][..], spans.as_slice()),
            Records::Rows(_) => (&[][..], &[][..]),
        };
        lines_of(lines, self.byte_offset, self.line_number).chain(spans.iter().map(|span| Line {
            bytes: self.bytes.get(span.start..span.end).unwrap_or_default(),
            byte_offset: span.byte_offset,
            line_number: span.line_number,
        }))
    }

    /// The chunk from one of its records on; what was rejected is not in it.
    #[must_use]
    pub fn rest_from(&self, line: &Line<'_>) -> Self {
        let (start, records) = match &self.records {
            Records::Lines => {
                let start = line.byte_offset.saturating_sub(self.byte_offset);
                (usize::try_from(start).unwrap_or(usize::MAX), Records::Lines)
            }
            Records::Spans(spans) => {
                let done = spans.partition_point(|span| span.byte_offset < line.byte_offset);
                let rest = spans.get(done..).unwrap_or_default();
                let start = rest.first().map_or(self.bytes.len(), |span| span.start);
                (start, Records::Spans(rest.iter().map(|span| span.moved_back(start)).collect()))
            }
            Records::Rows(_) => (0, self.records.clone()),
        };
        Self {
            bytes: self.bytes.get(start..).unwrap_or_default().to_vec(),
            byte_offset: line.byte_offset,
            line_number: line.line_number,
            records,
            rejects: Vec::new(),
        }
    }

    /// Its records where they are rows, and no text.
    pub fn rows(&self) -> Option<&Rows> {
        match &self.records {
            Records::Rows(rows) => Some(rows),
            Records::Lines | Records::Spans(_) => None,
        }
    }

    /// The chunk from one of its rows on; what was rejected is not in it.
    #[must_use]
    pub fn rest_from_row(&self, row: usize) -> Self {
        let rest = self.rows().map(|rows| Records::Rows(rows.rest_from(row)));
        let records = rest.unwrap_or_else(|| self.records.clone());
        let line_number = self.line_number + row as u64;
        Self { records, ..Self::of_lines(Vec::new(), self.byte_offset, line_number) }
    }

    /// About how much memory it takes.
    pub fn memory_bytes(&self) -> usize {
        let spans = match &self.records {
            Records::Lines => 0,
            Records::Spans(spans) => spans.len() * size_of::<Span>(),
            Records::Rows(rows) => rows.memory_bytes(),
        };
        let rejects = self.rejects.iter().map(|reject| reject.record.len() + size_of::<Reject>());
        self.bytes.len() + spans + rejects.sum::<usize>()
    }
}

impl Span {
    fn moved_back(self, bytes: usize) -> Self {
        Self { start: self.start - bytes, end: self.end - bytes, ..self }
    }
}

/// The lines that are not blank, with their places.
fn lines_of(bytes: &[u8], byte_offset: u64, line_number: u64) -> impl Iterator<Item = Line<'_>> {
    let (mut byte_offset, mut line_number) = (byte_offset, line_number);
    wholes(bytes).filter_map(move |whole| {
        let line = Line { bytes: without_end(whole), byte_offset, line_number };
        byte_offset += whole.len() as u64;
        line_number += 1;
        (!line.bytes.trim_ascii().is_empty()).then_some(line)
    })
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

/// A record of so many bytes, of which only the beginning is kept. `what` it is: a line, a record.
pub(crate) fn too_long(what: &str, bytes: u64, head: Vec<u8>, byte_offset: u64, line_number: u64) -> Reject {
    let kept = head.len();
    let reason = format!("the {what} is too long: {bytes} bytes, of which the first {kept} are kept here");
    Reject { record: head, reason, byte_offset, line_number }
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
    pub(super) fn take(&self) -> Vec<u8> {
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
