//! CSV and TSV as chunks of JSON objects, each with the place of its record in the source.
//!
//! A record becomes the object that its header makes of it, so that whatever is true of JSON (types, what is rescued,
//! how a table grows) is true of it as well. What is no record is rejected as it stands in the source. A quote that is
//! never closed would swallow what follows it: then only its line is rejected, and reading goes on behind that.

mod columns;
mod record;

use std::io::{self, Read};

use iceberg::spec::SchemaRef;

use super::chunk::{Buffers, Chunk, HEAD_BYTES_MAX, Records, Span, too_long};
use super::ending::Ending;
use super::{Chunks, Cutting};
use crate::json::Reject;
use columns::{Column, Seen};
use record::{Cell, Parsed, parse};

/// Why the header of a source cannot name columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HeaderError(String);

/// Reads records in chunks.
#[derive(Debug)]
pub struct Csv<R> {
    text: R,
    /// `csv` or `tsv`.
    name: &'static str,
    delimiter: u8,
    chunk_bytes: usize,
    record_bytes_max: usize,
    schema: Option<SchemaRef>,
    /// Once the header was read.
    columns: Option<Vec<Column>>,
    /// What was read; what is before `start` was given.
    buffer: Vec<u8>,
    start: usize,
    /// Whether all that is in the buffer was looked at to find the kinds of columns.
    looked: bool,
    cells: Vec<Cell>,
    byte_offset: u64,
    line_number: u64,
    ended: bool,
    ending: Ending,
    told_cut: bool,
    buffers: Buffers,
}

/// What a look at the buffer came to.
enum Step {
    /// Something was taken from it.
    Taken,
    /// There is no whole record in it.
    Wants(usize),
    End,
}

impl<R: Read> Csv<R> {
    /// The records of a text that begins at `byte_offset`, for a table of these columns; without any the kinds of
    /// columns are found in the first records. Where a comma is the delimiter and the header has none, it may be a semicolon, a
    /// tab or a bar.
    pub fn new(
        text: R,
        delimiter: u8,
        byte_offset: u64,
        cutting: Cutting,
        schema: Option<SchemaRef>,
    ) -> Self {
        let Cutting { chunk_bytes, line_bytes_max, buffers, ending } = cutting;
        Self {
            text,
            name: if delimiter == b'\t' { "tsv" } else { "csv" },
            delimiter,
            chunk_bytes: chunk_bytes.max(1),
            record_bytes_max: line_bytes_max.max(1),
            schema,
            columns: None,
            buffer: Vec::new(),
            start: 0,
            looked: false,
            cells: Vec::new(),
            byte_offset,
            line_number: 1,
            ended: false,
            ending,
            told_cut: false,
            buffers,
        }
    }

    fn next_records(&mut self) -> io::Result<Option<Chunk>> {
        let mut bytes = self.buffers.take();
        bytes.clear();
        let mut chunk = Chunk { records: Records::Spans(Vec::new()), ..self.empty_chunk(bytes) };
        let is_empty = |chunk: &Chunk| chunk.bytes.is_empty() && chunk.rejects.is_empty();
        let mut taken_bytes = 0;
        while taken_bytes < self.chunk_bytes && chunk.bytes.len() < self.chunk_bytes.saturating_mul(2) {
            let before = self.byte_offset;
            match self.step(&mut chunk)? {
                Step::Taken => {
                    let bytes = usize::try_from(self.byte_offset - before).unwrap_or(usize::MAX);
                    taken_bytes = if is_empty(&chunk) { 0 } else { bytes.saturating_add(taken_bytes) };
                }
                Step::Wants(_) if !is_empty(&chunk) => break,
                Step::Wants(bytes) => self.fill(bytes)?,
                Step::End => break,
            }
        }
        Ok((!is_empty(&chunk)).then_some(chunk))
    }

    fn empty_chunk(&self, bytes: Vec<u8>) -> Chunk {
        Chunk::of_lines(bytes, self.byte_offset, self.line_number)
    }

    /// What was read and not given.
    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads until so many bytes wait.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        self.buffer.drain(..self.start);
        (self.start, self.looked) = (0, false);
        let missing = wanted.saturating_sub(self.buffer.len());
        let read = self.text.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < missing;
        Ok(())
    }

    fn step(&mut self, chunk: &mut Chunk) -> io::Result<Step> {
        // One byte more than a record may have, and one for the CR of its end.
        let window_bytes = self.record_bytes_max.saturating_add(2);
        let mut cells = std::mem::take(&mut self.cells);
        let waiting = self.waiting();
        let window = waiting.get(..window_bytes).unwrap_or(waiting);
        let ended = self.ended && window.len() < window_bytes;
        let (available, has_line_end) = (window.len(), window.ends_with(b"\n"));
        if available == 0 {
            self.cells = cells;
            return Ok(if self.ended { self.end(chunk) } else { Step::Wants(self.chunk_bytes) });
        }
        let parsed = parse(window, self.delimiter, ended, &mut cells);
        let step = match parsed {
            Parsed::Incomplete if !ended && available < window_bytes => {
                Step::Wants(available.saturating_mul(2).max(self.chunk_bytes).min(window_bytes))
            }
            Parsed::Incomplete if ended && self.ending.reason().is_some() => self.end(chunk),
            Parsed::Record { length, .. }
                if ended && length == available && !has_line_end && self.ending.reason().is_some() =>
            {
                self.end(chunk)
            }
            Parsed::Record { length, content, fault } if content <= self.record_bytes_max => {
                self.take(chunk, (length, content, fault), &cells)?
            }
            _ => self.take_first_line(chunk, available, ended)?,
        };
        self.cells = cells;
        Ok(step)
    }

    /// What is left at the end of the text. Where that was cut off, it is not known to be a whole record.
    fn end(&mut self, chunk: &mut Chunk) -> Step {
        match self.ending.reason() {
            Some(reason) if !std::mem::replace(&mut self.told_cut, true) => {
                let record = self.waiting().to_vec();
                chunk.rejects.push(self.reject(record, reason));
                self.pass(self.waiting().len());
                Step::Taken
            }
            _ => Step::End,
        }
    }

    /// Takes a whole record, good or bad.
    fn take(
        &mut self,
        chunk: &mut Chunk,
        (length, content, fault): (usize, usize, Option<&'static str>),
        cells: &[Cell],
    ) -> io::Result<Step> {
        if content == 0 {
            self.pass(length);
            return Ok(Step::Taken);
        }
        let record = self.buffer.get(self.start..self.start + content).unwrap_or_default();
        let text = std::str::from_utf8(record);
        let fault = fault.or(text.is_err().then_some("it is not UTF-8"));
        let Some(columns) = &self.columns else {
            // A header without a comma may have another delimiter: then the record is taken apart by that.
            let delimiter = columns::delimiter_of(record).filter(|_| self.delimiter == b',');
            if let Some(delimiter) = delimiter {
                self.delimiter = delimiter;
                return Ok(Step::Taken);
            }
            let reason = |reason: String| io::Error::new(io::ErrorKind::InvalidData, HeaderError(reason));
            if let Some(fault) = fault {
                return Err(reason(fault.to_owned()));
            }
            let header = text.unwrap_or_default();
            self.columns = Some(columns::of_header(header, cells, self.schema.as_deref()).map_err(reason)?);
            self.pass(length);
            return Ok(Step::Taken);
        };
        let fields = cells.len();
        let fault = fault.map(str::to_owned).or_else(|| {
            let (s, names) = (if fields == 1 { "" } else { "s" }, columns.len());
            (fields != names).then(|| format!("{fields} field{s}, the header has {names}"))
        });
        if let Some(fault) = fault {
            let (record, reason) = (record.to_vec(), format!("{}: {fault}", self.name));
            chunk.rejects.push(self.reject(record, reason));
        } else {
            self.look();
            self.push_record(chunk, content, cells);
        }
        self.pass(length);
        Ok(Step::Taken)
    }

    fn push_record(&self, chunk: &mut Chunk, content: usize, cells: &[Cell]) {
        let record = self.waiting().get(..content).unwrap_or_default();
        let start = chunk.bytes.len();
        columns::push_object(self.columns.as_deref().unwrap_or_default(), record, cells, &mut chunk.bytes);
        let (end, byte_offset, line_number) = (chunk.bytes.len(), self.byte_offset, self.line_number);
        if let Records::Spans(spans) = &mut chunk.records {
            spans.push(Span { start, end, byte_offset, line_number });
        }
    }

    /// Looks at the whole records in the buffer, while it is not known of all columns what their cells are.
    fn look(&mut self) {
        let Some(columns) = &mut self.columns else { return };
        if std::mem::replace(&mut self.looked, true) || !columns::are_undecided(columns) {
            return;
        }
        let (mut seen, mut cells) = (vec![Seen::default(); columns.len()], Vec::new());
        let mut rest = self.buffer.get(self.start..).unwrap_or_default();
        while !rest.is_empty()
            && let Parsed::Record { length, fault, .. } = parse(rest, self.delimiter, self.ended, &mut cells)
        {
            if fault.is_none() && cells.len() == columns.len() {
                columns::observe(&mut seen, rest, &cells);
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        columns::decide(columns, &seen);
    }

    /// Rejects the first line of what is no record within its limit, or is in quotes that are never closed.
    fn take_first_line(&mut self, chunk: &mut Chunk, available: usize, ended: bool) -> io::Result<Step> {
        let record_bytes_max = self.record_bytes_max;
        let window = self.waiting().get(..available).unwrap_or_default();
        let line_end = memchr::memchr(b'\n', window);
        let line = window.get(..line_end.unwrap_or(available)).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_whole = line_end.is_some() || ended;
        if !is_whole || line.len() > record_bytes_max {
            return self.skip_line(chunk);
        }
        let (line, name) = (line.to_vec(), self.name);
        let reason = match ended {
            true => format!("{name}: a quote is never closed"),
            false => format!("{name}: a quote is not closed within {record_bytes_max} bytes"),
        };
        self.refuse(chunk, self.reject(line, reason))?;
        self.pass(line_end.map_or(available, |end| end + 1));
        Ok(Step::Taken)
    }

    /// Reads to the end of a line that is too long, and keeps its beginning.
    fn skip_line(&mut self, chunk: &mut Chunk) -> io::Result<Step> {
        let (byte_offset, line_number) = (self.byte_offset, self.line_number);
        let begun = self.waiting();
        let head = begun.get(..HEAD_BYTES_MAX.min(self.record_bytes_max)).unwrap_or(begun).to_vec();
        let (mut line_bytes, mut last) = (0, None);
        loop {
            let waiting = self.waiting();
            let end = memchr::memchr(b'\n', waiting);
            let line = waiting.get(..end.unwrap_or(waiting.len())).unwrap_or_default();
            line_bytes += line.len() as u64;
            last = line.last().copied().or(last);
            self.pass(end.map_or(waiting.len(), |end| end + 1));
            if end.is_some() || self.ended {
                line_bytes -= u64::from(end.is_some() && last == Some(b'\r'));
                break;
            }
            self.fill(self.chunk_bytes)?;
        }
        let reject = too_long("line", line_bytes, head, byte_offset, line_number);
        self.refuse(chunk, reject)?;
        Ok(Step::Taken)
    }

    /// Rejects a line; without a header nothing else could be read, either.
    fn refuse(&self, chunk: &mut Chunk, reject: Reject) -> io::Result<()> {
        if self.columns.is_none() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, HeaderError(reject.reason)));
        }
        chunk.rejects.push(reject);
        Ok(())
    }

    /// What is here, rejected.
    fn reject(&self, record: Vec<u8>, reason: String) -> Reject {
        Reject { record, reason, byte_offset: self.byte_offset, line_number: self.line_number }
    }

    /// Goes on behind some bytes.
    fn pass(&mut self, length: usize) {
        let passed = self.waiting().get(..length).unwrap_or_default();
        self.line_number += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.byte_offset += length as u64;
        self.start += length;
    }
}

impl<R: Read + Send> Chunks for Csv<R> {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        self.next_records()
    }
}

#[cfg(test)]
mod tests;
