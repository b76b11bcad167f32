//! How an ingest is watched from outside, without knowing who draws a bar.

use std::fmt::Debug;

/// Told how far an ingest has come. Called from the ingest's own task, often: an implementation only counts.
pub trait Progress: Debug + Send + Sync {
    /// So many more files or objects were found, before anything is read. Also called from other threads.
    fn found(&self, sources: u64);

    /// The sources are read from the start, the first time or again. `bytes_total` is what they hold as they are
    /// stored; `None` when that is not known, for standard input.
    fn begin(&self, bytes_total: Option<u64>);

    /// So many more bytes were read from the sources, and so many more rows decoded.
    fn advance(&self, bytes: u64, rows: u64);

    /// Nothing more will be read.
    fn end(&self);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn found(&self, _: u64) {}
    fn begin(&self, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
    fn end(&self) {}
}
