//! What queries may hold, and what happens when they want more.
//!
//! Three things keep it. Operators ask a pool before they gather rows, and spill or fail when it has no more. Functions that
//! make much of little are asked first what they would make (`crate::bounded`). And because neither sees everything (rows
//! on their way between operators, what an operator forgets to ask for, what the allocator keeps), a thread looks at what the
//! system counts, and ends the query that goes beyond.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use hosu_host::allocated_bytes;

/// The part of the memory that operators may ask for; the rest is for rows on their way, and for what is not asked for.
const POOL_SHARE: (usize, usize) = (5, 8);

/// How far beyond the limit the system's count may be: the allocator keeps what was freed a moment ago.
const WATCH_BYTES_BEYOND: u64 = 256 << 20;

/// How often the system's count is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(10);

/// The memory of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    limit_bytes: usize,
    /// What the process may have by the system's count; none where the system does not tell.
    allocated_bytes_max: Option<u64>,
}

impl Memory {
    /// So much, on top of what the process has now.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        let allowed = (limit_bytes as u64).saturating_add(WATCH_BYTES_BEYOND);
        let allocated_bytes_max = allocated_bytes().map(|base| base.saturating_add(allowed));
        Self { limit_bytes, allocated_bytes_max }
    }

    /// What all queries may hold.
    pub(crate) fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// What operators ask.
    pub(crate) fn pool(&self) -> Arc<dyn MemoryPool> {
        let (share, of) = POOL_SHARE;
        let inner = FairSpillPool::new(self.limit_bytes / of * share);
        Arc::new(Told { inner, limit_bytes: self.limit_bytes })
    }

    /// Watches the system's count until the guard is dropped, and tells once when it is too much.
    pub(crate) fn watch(&self, tell: impl FnOnce(DataFusionError) + Send + 'static) -> Watch {
        let (end, ended) = mpsc::channel();
        let limit_bytes = self.limit_bytes;
        if let Some(max) = self.allocated_bytes_max {
            let watch = move || {
                while ended.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Some(bytes) = allocated_bytes().filter(|bytes| *bytes > max) {
                        let message = format!("the process has {} by the system's count", mebibytes(bytes));
                        return tell(exhausted(limit_bytes, &message));
                    }
                }
            };
            // Without a thread the pool alone must do.
            let _ = std::thread::Builder::new().name("memory".to_owned()).spawn(watch);
        }
        Watch { _end: end }
    }
}

/// Ends the watching when it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    _end: mpsc::Sender<()>,
}

fn exhausted(limit_bytes: usize, why: &str) -> DataFusionError {
    let limit = mebibytes(limit_bytes as u64);
    DataFusionError::ResourcesExhausted(format!("queries may use {limit} (`query.memory`), and {why}"))
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// A pool whose errors say what the limit is and where it is set.
#[derive(Debug)]
struct Told {
    inner: FairSpillPool,
    limit_bytes: usize,
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl MemoryPool for Told {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.inner.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.inner.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> datafusion::common::Result<()> {
        self.inner.try_grow(reservation, additional).map_err(|error| match error {
            DataFusionError::ResourcesExhausted(_) => {
                let name = reservation.consumer().name();
                let (has, more) = (mebibytes(reservation.size() as u64), mebibytes(additional as u64));
                let reserved = mebibytes(self.inner.reserved() as u64);
                let why = format!("{name} has {has} and wants {more} more, where {reserved} are taken");
                exhausted(self.limit_bytes, &why)
            }
            other => other,
        })
    }

    fn reserved(&self) -> usize {
        self.inner.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.inner.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_empty_says_whose_limit_it_was() {
        let pool = Memory::new(80 << 20).pool();
        let reservation = MemoryConsumer::new("Sorter").register(&pool);
        reservation.try_grow(50 << 20).unwrap();
        let error = reservation.try_grow(1 << 20).unwrap_err().to_string();
        for part in ["80 MiB", "`query.memory`", "Sorter has 50 MiB and wants 1 MiB more"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_nobody_asked_for_is_seen_all_the_same() {
        let memory = Memory { limit_bytes: 1, allocated_bytes_max: Some(1) };
        let (sender, told) = mpsc::channel();
        let watch = memory.watch(move |error| sender.send(error.to_string()).unwrap());
        assert!(told.recv().unwrap().contains("by the system's count"));
        drop(watch);
    }

    #[test]
    fn a_watch_ends_with_its_guard() {
        let memory = Memory { limit_bytes: 1, allocated_bytes_max: Some(u64::MAX) };
        let (sender, told) = mpsc::channel::<()>();
        drop(memory.watch(move |_| sender.send(()).unwrap()));
        assert!(told.recv().is_err());
    }
}
