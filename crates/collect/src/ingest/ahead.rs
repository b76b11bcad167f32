//! Small objects are asked for before their turn: what a store needs to answer is more than what it takes to send a few KiB, and
//! of 100,000 objects read one after another it would be all of the time. The order in which they are read stays the same.

use std::collections::VecDeque;

use super::reader::{Opened, Reading};
use crate::error::CollectError;
use crate::source::{RawReader, Source, SourceKind, Watch};

/// How many objects are on their way or wait beside the one that is read.
const AHEAD_MAX: usize = 16;

/// An object that is asked for before its turn is held whole, so all of them together take 4 MiB at most.
const SMALL_BYTES: u64 = 256 << 10;

type Begun = Result<(RawReader, Watch), CollectError>;

/// Opens sources in their order.
pub(super) struct Ahead<'a> {
    reading: &'a Reading,
    rest: std::slice::Iter<'a, Source>,
    begun: VecDeque<(&'a Source, Begun)>,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(reading: &'a Reading, sources: &'a [Source]) -> Self {
        Self { reading, rest: sources.iter(), begun: VecDeque::new() }
    }

    fn begin(&mut self, source: &'a Source) {
        self.begun.push_back((source, self.reading.begin(source)));
    }
}

impl Iterator for Ahead<'_> {
    type Item = Result<Opened, CollectError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.begun.is_empty()
            && let Some(source) = self.rest.next()
        {
            self.begin(source);
        }
        while self.begun.len() <= AHEAD_MAX
            && let Some(source) = self.rest.as_slice().first().filter(|source| is_small(source))
        {
            self.rest.next();
            self.begin(source);
        }
        let (source, begun) = self.begun.pop_front()?;
        Some(begun.and_then(|(raw, watch)| self.reading.opened(source, raw, watch)))
    }
}

fn is_small(source: &Source) -> bool {
    matches!(&source.kind, SourceKind::Object { info, .. } if info.size_bytes <= SMALL_BYTES)
}
