//! How an ingest is watched and stopped from outside, without knowing who draws a bar or caught the signal.

use std::sync::Arc;

use tokio::sync::watch;

/// Told how far an ingest has come. Called from the ingest's own task, often: an implementation only counts.
pub trait Progress: Send + Sync {
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
    fn begin(&self, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
    fn end(&self) {}
}

/// Asks an ingest to stop. Clones are the same request.
///
/// A stopped ingest deletes the files that it wrote and ends with [`crate::CollectError::Stopped`]; once its commit
/// has begun it finishes instead. Dropping the future of an ingest stops it too, and leaves files that no table
/// refers to: they are harmless, and upkeep takes them away.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// A request that nobody has made yet.
    pub fn new() -> Self {
        Self { asked: Arc::new(watch::Sender::new(false)) }
    }

    /// Makes the request.
    pub fn ask(&self) {
        self.asked.send_replace(true);
    }

    /// Whether it was made.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Returns once it was made.
    pub async fn asked(&self) {
        let mut seen = self.asked.subscribe();
        // The sender lives as long as `self`, so that this ends only when the request is made.
        let _ = seen.wait_for(|asked| *asked).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
