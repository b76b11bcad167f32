//! Small objects are asked for before their turn: what a store needs to answer is more than what it takes to send a few KiB, and
//! of 100,000 objects read one after another it would be all of the time. The order in which they are read stays the same.

use std::collections::VecDeque;

use super::reader::{Opened, Reading};
use crate::error::CollectError;
use crate::source::{RawReader, Source, SourceKind, Watch};

/// How many objects are on their way or wait beside the one that is read, of sources that are read to their end. A store that takes
/// 20 ms for each gives 100,000 of them in half a minute.
pub(super) const AHEAD_MAX: usize = 64;

/// An object that is asked for before its turn is held whole.
const SMALL_BYTES: u64 = 256 << 10;

/// All of them together take so much at most.
const AHEAD_BYTES_MAX: u64 = 8 << 20;

type Begun = Result<(RawReader, Watch), CollectError>;

/// Opens sources in their order.
pub(super) struct Ahead<'a> {
    reading: &'a Reading,
    rest: std::slice::Iter<'a, Source>,
    begun: VecDeque<(&'a Source, Begun)>,
    begun_bytes: u64,
    ahead_max: usize,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(reading: &'a Reading, sources: &'a [Source], ahead_max: usize) -> Self {
        Self { reading, rest: sources.iter(), begun: VecDeque::new(), begun_bytes: 0, ahead_max }
    }

    fn begin(&mut self, source: &'a Source) {
        self.begun_bytes += small_bytes(source).unwrap_or(0);
        self.begun.push_back((source, self.reading.begin(source)));
    }

    fn may_begin(&self, source: &Source) -> bool {
        small_bytes(source).is_some_and(|bytes| self.begun_bytes + bytes <= AHEAD_BYTES_MAX)
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
        while self.begun.len() <= self.ahead_max
            && let Some(source) = self.rest.as_slice().first().filter(|source| self.may_begin(source))
        {
            self.rest.next();
            self.begin(source);
        }
        let (source, begun) = self.begun.pop_front()?;
        self.begun_bytes -= small_bytes(source).unwrap_or(0);
        Some(begun.and_then(|(raw, watch)| self.reading.opened(source, raw, watch)))
    }
}

/// The size of an object that may be asked for before its turn.
fn small_bytes(source: &Source) -> Option<u64> {
    match &source.kind {
        SourceKind::Object { info, .. } if info.size_bytes <= SMALL_BYTES => Some(info.size_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hosu_host::{Host, Location};
    use hosu_table::name::TableName;

    use super::*;
    use crate::request::IngestRequest;

    #[tokio::test]
    async fn objects_are_asked_for_ahead_within_bounds_and_come_in_their_order() {
        let host = Host::seeded(1);
        let mut sources = Vec::new();
        for number in 0..150_usize {
            // Small ones, then those of which few fit, and now and then one that is not asked for before its turn.
            let size = if number < 90 { 20 } else { [256 << 10, 300 << 10][usize::from(number % 20 == 0)] };
            let name = format!("memory:///lake/{number:03}.json");
            let location = Location::parse(&name).unwrap();
            let text = format!("{{\"number\":{number}}}\n{}", "\n".repeat(size));
            host.store.put(&location, Bytes::from(text[..size].to_owned())).await.unwrap();
            let info = host.store.head(&location).await.unwrap();
            sources.push(Source { name, kind: SourceKind::Object { location, info } });
        }
        let table = TableName::parse("t").unwrap();
        let reading = Reading::new(&host, &IngestRequest::new(table, Vec::new(), "/".into()));
        let read = move || {
            let mut ahead = Ahead::new(&reading, &sources, AHEAD_MAX);
            let (mut numbers, mut waiting) = (Vec::new(), Vec::new());
            while let Some(opened) = ahead.next() {
                let chunk = opened.unwrap().next_chunk().unwrap().unwrap();
                numbers.push(chunk.lines().next().unwrap().bytes.to_vec());
                assert!(ahead.begun_bytes <= AHEAD_BYTES_MAX, "{}", ahead.begun_bytes);
                waiting.push(ahead.begun.len());
            }
            let expected: Vec<_> =
                (0..150).map(|number| format!("{{\"number\":{number}}}").into_bytes()).collect();
            assert_eq!(numbers, expected);
            assert_eq!(waiting.first(), Some(&AHEAD_MAX));
            assert!(waiting[95..].iter().all(|waiting| *waiting <= 32), "{waiting:?}");
        };
        tokio::task::spawn_blocking(read).await.unwrap();
    }
}
