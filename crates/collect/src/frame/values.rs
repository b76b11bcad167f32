//! JSON that is not one record a line: arrays of records, records one after another that span lines or share them, and
//! records in an array inside an envelope.
//!
//! The text is never held whole. A walk over its bytes knows brackets, texts and where records begin and end; whether a record
//! is one is the decoder's to say. What stands between records and should not is a reject with its place. A record that is
//! broken (a line ends within a text, or its end does not come) is a reject, and reading goes on at the next line that begins as
//! the broken one did, with the same white space and a `{`: so what is inside a record is not taken for one.

mod begun;
mod envelope;
mod walk;

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::chunk::{Chunk, HEAD_BYTES_MAX, Records, Span, too_long};
use super::ending::Ending;
use super::{Chunks, Cutting};
use crate::json::Reject;
use begun::{Begun, certain, next_of_line};
pub(super) use walk::{Looked, Walk, member, skip_blank};

/// White space before a record that is longer is not remembered.
const INDENT_BYTES_MAX: usize = 1 << 10;

/// Why a record that is broken is one.
const BROKEN: &str = "not JSON: the record is broken, up to the next line that begins as it does";

/// Why a record that is too long and spans lines is a reject.
const TOO_LONG: &str =
    "the record is too long, or its end is missing: it is taken up to the next line that begins as it does";

/// Why there is a reject in an envelope.
const BROKEN_BESIDE: &str = "not JSON: a line ends within a text beside the records";

/// Why there is a reject where an envelope begins.
const OPEN_ENVELOPE: &str = "not JSON: the envelope before this line does not end";

/// Why there is a reject at the end of a text.
const UNCLOSED: &str = "not JSON: the text ends, and an array or envelope in it does not";

/// Reads records that stand anywhere in a text. Places are in bytes of the text, from 0.
pub(super) struct Values<R> {
    text: R,
    chunk_bytes: usize,
    record_bytes_max: usize,
    /// Names from an envelope to its records; none when records stand by themselves or in an array.
    path: Vec<String>,
    /// What was read and not given, and where it begins.
    buffer: Vec<u8>,
    start: u64,
    /// The next byte that is to be looked at.
    at: u64,
    /// The line of `counted`, which is never behind `at`.
    line_number: u64,
    counted: u64,
    /// The white space that `at` has before it in its line, if there is nothing else.
    indent: Option<Vec<u8>>,
    open: Vec<Level>,
    /// The envelope that is open, as long as no array of records was found in it.
    barren: Option<Begun>,
    state: State,
    /// Whether a record did not end: from then on a line that begins as a record does ends the one before.
    lines_begin_records: bool,
    spans: Vec<(u64, u64, u64)>,
    rejects: Vec<Reject>,
    others: BTreeMap<String, u64>,
    ended: bool,
    ending: Ending,
}

/// Something that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// An array whose elements are records.
    Records,
    /// An envelope, so many names down the path.
    Envelope(usize),
}

enum State {
    Between,
    /// In a record.
    Record {
        walk: Walk,
        begun: Begun,
    },
    /// In a value that is not kept, or in a record that is too long.
    Skip {
        walk: Walk,
        too_long: Option<Begun>,
    },
    /// Behind a record that is broken, before the next one.
    Lost {
        begun: Begun,
        reason: &'static str,
    },
    Done,
}

impl<R: Read> Values<R> {
    /// Records of a text that begins at `byte_offset`.
    pub(super) fn new(text: R, byte_offset: u64, path: Vec<String>, cutting: Cutting) -> Self {
        let Cutting { chunk_bytes, line_bytes_max, ending, .. } = cutting;
        Self {
            text,
            chunk_bytes: chunk_bytes.max(1),
            record_bytes_max: line_bytes_max.max(1),
            path,
            buffer: Vec::new(),
            start: byte_offset,
            at: byte_offset,
            line_number: 1,
            counted: byte_offset,
            indent: Some(Vec::new()),
            open: Vec::new(),
            barren: None,
            state: State::Between,
            lines_begin_records: false,
            spans: Vec::new(),
            rejects: Vec::new(),
            others: BTreeMap::new(),
            ended: false,
            ending,
        }
    }

    fn next_values(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            let has_more = match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(self.has_something().then(|| self.give())),
                State::Between => self.between(),
                State::Record { walk, begun } => self.record(walk, begun),
                State::Skip { walk, too_long } => self.skip(walk, too_long),
                State::Lost { begun, reason } => self.lost(begun, reason),
            };
            if has_more && (self.at - self.start) < self.chunk_bytes as u64 {
                continue;
            }
            if self.has_something() && (has_more || !self.ended) {
                return Ok(Some(self.give()));
            }
            if !has_more && self.ended {
                self.finish();
            } else if !has_more {
                self.read()?;
            }
        }
    }

    fn has_something(&self) -> bool {
        !self.spans.is_empty() || !self.rejects.is_empty()
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.index(self.at)..).unwrap_or_default()
    }

    fn index(&self, at: u64) -> usize {
        usize::try_from(at - self.start).unwrap_or(usize::MAX)
    }

    fn between_bytes(&self, from: u64, to: u64) -> &[u8] {
        self.buffer.get(self.index(from)..self.index(to)).unwrap_or_default()
    }

    fn read(&mut self) -> io::Result<()> {
        if !self.has_something() {
            let keep_from = match &self.state {
                State::Record { begun, .. } => begun.at,
                _ => self.at,
            };
            self.forget(keep_from);
        }
        let more = self.chunk_bytes.max(self.buffer.len() / 2);
        let read = self.text.by_ref().take(more as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < more;
        Ok(())
    }

    fn forget(&mut self, before: u64) {
        self.count_lines(before);
        self.keep_envelope(before);
        self.buffer.drain(..self.index(before));
        self.start = before;
    }

    /// The number of the line of a place that is not before those asked for earlier.
    fn count_lines(&mut self, at: u64) -> u64 {
        if at > self.counted {
            let passed = self.between_bytes(self.counted, at);
            self.line_number += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.counted = at;
        }
        self.line_number
    }

    /// The records that are whole, and what was rejected.
    fn give(&mut self) -> Chunk {
        let rest_from = match &self.state {
            State::Record { begun, .. } => begun.at,
            _ => self.at,
        };
        let spans = std::mem::take(&mut self.spans).into_iter();
        let spans: Vec<Span> = spans
            .map(|(from, to, line_number)| Span {
                start: self.index(from),
                end: self.index(to),
                byte_offset: from,
                line_number,
            })
            .collect();
        let chunk = Chunk {
            bytes: self.between_bytes(self.start, rest_from).to_vec(),
            byte_offset: self.start,
            line_number: spans.first().map_or(self.line_number, |span| span.line_number),
            records: Records::Spans(spans),
            rejects: std::mem::take(&mut self.rejects),
        };
        self.forget(rest_from);
        chunk
    }

    /// Goes to the next record. False: more must be read first.
    fn between(&mut self) -> bool {
        self.state = State::Between;
        let blank = skip_blank(self.rest());
        let passed = self.between_bytes(self.at, self.at + blank as u64).to_vec();
        match memchr::memrchr(b'\n', &passed) {
            Some(line) => self.indent = Some(passed.get(line + 1..).unwrap_or_default().to_vec()),
            None => self.indent = self.indent.take().map(|indent| [indent, passed].concat()),
        }
        self.indent = self.indent.take().filter(|indent| indent.len() <= INDENT_BYTES_MAX);
        self.at += blank as u64;
        let Some(next) = self.rest().first().copied() else { return false };
        match (self.open.last().copied(), next) {
            (None, b'[') if self.path.is_empty() => self.enter(Level::Records),
            (None, b'{') if !self.path.is_empty() => self.enter_envelope(),
            (None, b'{')
            | (Some(Level::Records), b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.begin();
            }
            (Some(Level::Records), b']') | (Some(Level::Envelope(_)), b'}') => {
                self.open.pop();
                self.pass(1);
                self.leave_envelope();
            }
            (Some(_), b',') => self.pass(1),
            (Some(Level::Envelope(depth)), b'"') => return self.member(depth),
            _ => return self.reject_line(),
        }
        true
    }

    fn pass(&mut self, bytes: usize) {
        self.at += bytes as u64;
        self.indent = None;
    }

    fn enter(&mut self, level: Level) {
        self.open.push(level);
        self.pass(1);
    }

    fn begin(&mut self) {
        let line_number = self.count_lines(self.at);
        let begins_line = self.indent.is_some();
        let indent = self.indent.take().unwrap_or_default();
        let begun = Begun { at: self.at, line_number, indent, begins_line, head: Vec::new() };
        self.state = State::Record { walk: Walk::default(), begun };
    }

    /// A line that is no part of a record.
    fn reject_line(&mut self) -> bool {
        if self.begins_next_envelope() {
            self.reject_rest(OPEN_ENVELOPE.to_owned());
            self.open.clear();
            return true;
        }
        let rest = self.rest();
        let end = memchr::memchr(b'\n', rest);
        if end.is_none() && !self.ended && rest.len() < HEAD_BYTES_MAX {
            return false;
        }
        let line = rest.get(..end.unwrap_or(rest.len()).min(HEAD_BYTES_MAX)).unwrap_or_default();
        let (record, length) = (line.trim_ascii_end().to_vec(), line.len());
        let reason = "not JSON: it stands where a record or the end of an array should".to_owned();
        if self.barren.is_some() {
            self.reject_to(self.at + record.len() as u64, reason);
            self.pass(length);
            // What follows in the envelope may be a reject of its own.
            self.barren = Some(self.here());
            return true;
        }
        let line_number = self.count_lines(self.at);
        self.rejects.push(Reject { record, reason, byte_offset: self.at, line_number });
        self.pass(length);
        true
    }

    fn record(&mut self, mut walk: Walk, begun: Begun) -> bool {
        // One byte more than a record may have: a number ends before what follows it.
        let room = self.record_bytes_max + 1 - self.between_bytes(begun.at, self.at).len();
        let is_last = self.rest().len() >= room;
        let rest = self.rest().get(..room).unwrap_or_else(|| self.rest());
        let window = if self.ended && !is_last { rest } else { certain(rest, &begun.indent) };
        let looked = walk.look(window);
        let length = if let Looked::Ends(length) = looked { length } else { window.len() };
        let window = window.get(..length).unwrap_or_default();
        // An end that is another bracket's shows that the record's own is missing.
        let is_others = matches!(looked, Looked::Ends(_))
            && matches!(
                (self.between_bytes(begun.at, begun.at + 1), window.last()),
                (b"{", Some(b']')) | (b"[", Some(b'}'))
            );
        let is_next = self.lines_begin_records && next_of_line(window, &begun.indent).is_some();
        if matches!(looked, Looked::Broken(_)) || is_others || is_next {
            self.lose(begun, BROKEN);
            return true;
        }
        self.at += length as u64;
        let record = self.between_bytes(begun.at, self.at);
        match looked {
            Looked::Ends(_) if record.len() <= self.record_bytes_max => {
                self.indent = None;
                self.end(begun);
                true
            }
            Looked::Goes if !is_last => {
                self.state = State::Record { walk, begun };
                false
            }
            _ if next_of_line(record, &begun.indent).is_some() => {
                self.lose(begun, TOO_LONG);
                true
            }
            _ => {
                let head_to = begun.at + self.head_bytes_max() as u64;
                let head = self.between_bytes(begun.at, head_to).to_vec();
                let begun = Begun { head, ..begun };
                match looked {
                    Looked::Ends(_) => {
                        self.indent = None;
                        self.end(begun);
                    }
                    _ => self.state = State::Skip { walk, too_long: Some(begun) },
                }
                true
            }
        }
    }

    fn head_bytes_max(&self) -> usize {
        HEAD_BYTES_MAX.min(self.record_bytes_max)
    }

    /// A record is whole, or too long.
    fn end(&mut self, begun: Begun) {
        self.state = State::Between;
        if begun.head.is_empty() {
            self.spans.push((begun.at, self.at, begun.line_number));
            return;
        }
        let bytes = self.at - begun.at;
        self.rejects.push(too_long("record", bytes, begun.head, begun.at, begun.line_number));
    }

    fn skip(&mut self, mut walk: Walk, too_long: Option<Begun>) -> bool {
        let indent = too_long.as_ref().map_or(&[][..], |begun| &begun.indent);
        let window = if self.ended { self.rest() } else { certain(self.rest(), indent) };
        let next = too_long.as_ref().and_then(|begun| next_of_line(window, &begun.indent));
        let window_bytes = window.len();
        let breaks_at = match walk.look(window) {
            Looked::Ends(length) if next.is_none_or(|next| next > length) => {
                self.pass(length);
                match too_long {
                    Some(begun) => self.end(begun),
                    None => self.state = State::Between,
                }
                return true;
            }
            Looked::Broken(at) => at.min(next.map_or(at, |next| next - 1)),
            Looked::Ends(_) | Looked::Goes => match next {
                Some(next) => next - 1,
                None => {
                    self.at += window_bytes as u64;
                    self.state = State::Skip { walk, too_long };
                    return false;
                }
            },
        };
        self.at += breaks_at as u64;
        self.lines_begin_records = true;
        let reason = if too_long.is_some() { TOO_LONG } else { BROKEN_BESIDE };
        let begun = too_long.unwrap_or_else(|| self.broken_beside());
        self.state = State::Lost { begun, reason };
        true
    }

    /// A record turns out to be broken: the next one is looked for from its second line on.
    fn lose(&mut self, begun: Begun, reason: &'static str) {
        self.lines_begin_records = true;
        self.at = begun.at;
        self.state = State::Lost { begun, reason };
    }

    fn lost(&mut self, mut begun: Begun, reason: &'static str) -> bool {
        let rest = self.rest();
        let found = next_of_line(rest, &begun.indent);
        let all = if self.ended { rest } else { certain(rest, &begun.indent) };
        let passed = found.unwrap_or(all.len());
        let room = self.head_bytes_max().saturating_sub(begun.head.len());
        begun.head.extend_from_slice(rest.get(..passed.min(room)).unwrap_or_default());
        self.at += passed as u64;
        if found.is_none() && !self.ended {
            self.state = State::Lost { begun, reason };
            return false;
        }
        let record = begun.head.trim_ascii_end().to_vec();
        let lost = self.at - begun.at;
        let reason = match lost > self.head_bytes_max() as u64 {
            true => format!("{reason}: {lost} bytes, of which the first {} are kept here", record.len()),
            false => reason.to_owned(),
        };
        self.rejects.push(Reject { record, reason, byte_offset: begun.at, line_number: begun.line_number });
        // The next line begins with an envelope of its own.
        if !begun.begins_line && !self.path.is_empty() {
            self.open.clear();
            self.barren = None;
        }
        self.indent = Some(Vec::new());
        self.state = State::Between;
        found.is_some()
    }

    /// The text is at its end.
    fn finish(&mut self) {
        let reason = self.ending.reason();
        match std::mem::replace(&mut self.state, State::Done) {
            State::Record { walk, begun } if walk.is_whole() => self.end(begun),
            State::Record { begun, .. } => match reason {
                None => self.lose(begun, BROKEN),
                Some(reason) => {
                    let record = self.between_bytes(begun.at, self.at).to_vec();
                    self.rejects.push(Reject {
                        record,
                        reason,
                        byte_offset: begun.at,
                        line_number: begun.line_number,
                    });
                }
            },
            State::Skip { too_long: Some(begun), .. } => self.end(begun),
            _ => {
                let unclosed = || (!self.open.is_empty()).then(|| UNCLOSED.to_owned());
                if let Some(reason) = reason.or_else(unclosed) {
                    self.reject_rest(reason);
                }
            }
        }
    }
}

impl<R: Read + Send> Chunks for Values<R> {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        self.next_values()
    }

    fn left_out(&self) -> Vec<(String, u64)> {
        self.others.iter().map(|(name, count)| (name.clone(), *count)).collect()
    }
}

#[cfg(test)]
mod tests;
