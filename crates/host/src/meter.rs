//! What a lake asks of its store: requests and bytes per kind of operation, so that a query can say what it scanned.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kinds of operation that are counted, as a store's price list tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// An object's bytes, or a range of them.
    Get,
    /// An object's size and time.
    Head,
    /// A page of names.
    List,
    /// An object or a part of it written, copied or completed.
    Put,
    /// An object removed.
    Delete,
}

impl Operation {
    /// All kinds, in the order in which they are reported.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::List, Self::Put, Self::Delete];
}

/// Counts requests and bytes; shared and counted up by every store that it was given to.
///
/// A retried request counts again, as the store's owner pays for it again.
#[derive(Debug, Default)]
pub struct Meter {
    counters: [Counter; 5],
}

#[derive(Debug, Default)]
struct Counter {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    /// Counts a request.
    pub fn request(&self, operation: Operation) {
        if let Some(counter) = self.counters.get(operation as usize) {
            counter.requests.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts bytes that were read or written.
    pub fn bytes(&self, operation: Operation, bytes: u64) {
        if let Some(counter) = self.counters.get(operation as usize) {
            counter.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> MeterReading {
        let mut reading = MeterReading::default();
        for ((counter, requests), bytes) in
            self.counters.iter().zip(&mut reading.requests).zip(&mut reading.bytes)
        {
            *requests = counter.requests.load(Ordering::Relaxed);
            *bytes = counter.bytes.load(Ordering::Relaxed);
        }
        reading
    }
}

/// What a [`Meter`] showed at some moment; the difference of two tells what happened between them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MeterReading {
    requests: [u64; 5],
    bytes: [u64; 5],
}

impl MeterReading {
    /// The number of requests of this kind.
    pub fn requests(&self, operation: Operation) -> u64 {
        self.requests.get(operation as usize).copied().unwrap_or_default()
    }

    /// The bytes that requests of this kind read or wrote.
    pub fn bytes(&self, operation: Operation) -> u64 {
        self.bytes.get(operation as usize).copied().unwrap_or_default()
    }

    /// The number of requests of all kinds.
    pub fn requests_total(&self) -> u64 {
        self.requests.iter().sum()
    }

    /// The bytes that were read.
    pub fn bytes_read(&self) -> u64 {
        self.bytes(Operation::Get)
    }

    /// The bytes that were written.
    pub fn bytes_written(&self) -> u64 {
        self.bytes(Operation::Put)
    }
}

impl Sub for MeterReading {
    type Output = Self;

    fn sub(mut self, earlier: Self) -> Self {
        let minus = |now: &mut [u64; 5], then: [u64; 5]| {
            for (now, then) in now.iter_mut().zip(then) {
                *now = now.saturating_sub(then);
            }
        };
        minus(&mut self.requests, earlier.requests);
        minus(&mut self.bytes, earlier.bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_subtract() {
        let meter = Meter::default();
        meter.request(Operation::Get);
        meter.bytes(Operation::Get, 10);
        let before = meter.snapshot();
        meter.request(Operation::Get);
        meter.bytes(Operation::Get, 5);
        meter.request(Operation::Delete);
        let between = meter.snapshot() - before;
        assert_eq!((between.requests(Operation::Get), between.bytes_read()), (1, 5));
        assert_eq!((between.requests(Operation::Delete), between.requests_total()), (1, 2));
        assert_eq!(between.bytes_written(), 0);
    }
}
