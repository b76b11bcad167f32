//! Envelopes: the way down to their records, and what becomes of one that has none.
//!
//! What stands beside the records is passed over, and counted by name. A value in which the path leads to no array is an
//! event that nobody would find again: it is a reject, with its beginning.

use std::io::Read;

use super::{Begun, Level, Reject, State, Values, Walk, member};

/// So many names of fields of envelopes are counted.
const NAMES_MAX: usize = 100;

/// A name in an envelope may be so long.
const NAME_BYTES_MAX: usize = 4 << 10;

impl<R: Read> Values<R> {
    /// Begins an envelope.
    pub(super) fn enter_envelope(&mut self) {
        self.barren = Some(self.here());
        self.enter(Level::Envelope(0));
    }

    /// A member of an envelope: the next name of the path, or one that is beside the records.
    pub(super) fn member(&mut self, depth: usize) -> bool {
        let rest = self.rest();
        let Some((name, value_at)) = member(rest.get(..NAME_BYTES_MAX).unwrap_or(rest)) else {
            let is_none = self.ended || rest.len() >= NAME_BYTES_MAX;
            return is_none && self.reject_line();
        };
        let value = rest.get(value_at).copied();
        let is_next = self.path.get(depth).is_some_and(|wanted| *wanted == name);
        let is_last = depth + 1 == self.path.len();
        self.pass(value_at);
        match value {
            Some(b'[') if is_next && is_last => {
                self.barren = None;
                self.enter(Level::Records);
            }
            Some(b'{') if is_next && !is_last => self.enter(Level::Envelope(depth + 1)),
            _ => {
                let above = self.path.get(..depth).unwrap_or_default();
                let name: Vec<&str> = above.iter().map(String::as_str).chain([name.as_str()]).collect();
                let name = name.join(".");
                if self.others.len() < NAMES_MAX || self.others.contains_key(&name) {
                    *self.others.entry(name).or_default() += 1;
                }
                self.state = State::Skip { walk: Walk::default(), too_long: None };
            }
        }
        true
    }

    /// Something has closed: perhaps an envelope without records.
    pub(super) fn leave_envelope(&mut self) {
        if !self.open.is_empty() {
            return;
        }
        let path = self.path.join(".");
        self.reject_to(self.at, format!("no records: there is no array at `{path}` in this value"));
    }

    /// Rejects the envelope that has no records up to this place, if there is one.
    pub(super) fn reject_to(&mut self, to: u64, reason: String) {
        self.keep_envelope(to);
        let Some(envelope) = self.barren.take() else { return };
        let (bytes, kept) = (to - envelope.at, envelope.head.len());
        let cut = match bytes > kept as u64 {
            true => format!(": {bytes} bytes, of which the first {kept} are kept here"),
            false => String::new(),
        };
        let (byte_offset, line_number) = (envelope.at, envelope.line_number);
        let reason = format!("{reason}{cut}");
        self.rejects.push(Reject { record: envelope.head, reason, byte_offset, line_number });
    }

    /// This place.
    pub(super) fn here(&mut self) -> Begun {
        Begun { at: self.at, line_number: self.count_lines(self.at), ..Begun::default() }
    }

    /// Keeps of an envelope without records what stands before this place.
    pub(super) fn keep_envelope(&mut self, before: u64) {
        let Some(mut envelope) = self.barren.take() else { return };
        let from = envelope.at + envelope.head.len() as u64;
        let room = self.head_bytes_max().saturating_sub(envelope.head.len()) as u64;
        let to = before.min(from + room);
        if from < to {
            envelope.head.extend_from_slice(self.between_bytes(from, to));
        }
        self.barren = Some(envelope);
    }

    /// Where something begins that is broken beside the records: with the envelope that has none, or here.
    pub(super) fn broken_beside(&mut self) -> Begun {
        self.keep_envelope(self.at);
        let here = self.here();
        self.barren.take().unwrap_or(here)
    }

    /// Whether the next envelope begins here, and the one that is open has no end: at the beginning of a line, where no value can
    /// stand.
    pub(super) fn begins_next_envelope(&self) -> bool {
        matches!(self.open.last(), Some(Level::Envelope(_)))
            && self.indent.as_ref().is_some_and(Vec::is_empty)
            && self.rest().starts_with(b"{")
    }

    /// The text ends, or the next envelope begins, and what is open does not end.
    pub(super) fn reject_rest(&mut self, reason: String) {
        self.keep_envelope(self.at);
        let here = self.here();
        let Begun { at, line_number, head, .. } = self.barren.take().unwrap_or(here);
        let record = head.trim_ascii_end().to_vec();
        self.rejects.push(Reject { record, reason, byte_offset: at, line_number });
    }
}
