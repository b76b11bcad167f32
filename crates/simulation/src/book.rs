//! What was sent, and what was promised about it: the other side of every audit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An event's identity: the batch it was sent in, and its place there.
pub type EventId = (i64, i64);

/// Events that are sent together and must become visible together. Its content follows from its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number, different from that of every other batch.
    pub number: i64,
    /// How many good events it has.
    pub events: i64,
    /// How many lines that are no events.
    pub bad_lines: i64,
    /// Whether its events have a field that others do not have.
    pub extra_field: bool,
}

impl Batch {
    /// The name of its source.
    pub fn source(&self) -> String {
        format!("batch-{:05}.ndjson", self.number)
    }

    /// Its events' ids.
    pub fn ids(&self) -> impl Iterator<Item = EventId> {
        let number = self.number;
        (0..self.events).map(move |place| (number, place))
    }

    /// What an event carries, so that a changed one is found.
    pub fn check(id: EventId) -> String {
        let mixed = (id.0.wrapping_mul(1_000_003) ^ id.1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64);
        format!("{:016x} 값", mixed)
    }

    /// A line that is no event.
    pub fn bad_line(&self, place: i64) -> String {
        format!("bad {} {place}", self.number)
    }

    /// Its source's text: good and bad lines mixed.
    pub fn to_ndjson(&self) -> String {
        let mut text = String::new();
        for place in 0..self.events.max(self.bad_lines) {
            if place < self.events {
                let id = (self.number, place);
                let extra = if self.extra_field {
                    format!(r#","extra_{}":{place}"#, self.number)
                } else {
                    String::new()
                };
                let check = Self::check(id);
                let line = format!(r#"{{"batch":{},"place":{place},"check":"{check}"{extra}}}"#, self.number);
                text.push_str(&line);
                text.push('\n');
            }
            if place < self.bad_lines {
                text.push_str(&self.bad_line(place));
                text.push('\n');
            }
        }
        text
    }
}

/// What was sent and what was acknowledged. Clones are the same book.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    sent: BTreeMap<i64, Batch>,
    acknowledged: BTreeSet<i64>,
}

impl Book {
    /// Before a batch is sent.
    pub fn send(&self, batch: &Batch) {
        self.lock().sent.insert(batch.number, batch.clone());
    }

    /// After its sender was told that it is ingested.
    pub fn acknowledge(&self, batch: &Batch) {
        self.lock().acknowledged.insert(batch.number);
    }

    /// All batches that were sent, by number.
    pub fn sent(&self) -> BTreeMap<i64, Batch> {
        self.lock().sent.clone()
    }

    /// The numbers of those that were acknowledged.
    pub fn acknowledged(&self) -> BTreeSet<i64> {
        self.lock().acknowledged.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
