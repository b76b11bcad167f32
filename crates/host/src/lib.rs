//! Object store, clock, ids and scratch files: the only seam to the machine.
//!
//! Everything above asks a [`Host`] for what the machine decides: where bytes lie, what time it is, which id is free.
//! So a whole lake can run in memory, under a clock that a test moves, with faults that a simulation injects.
//! This crate knows no tables and reads no environment variable: settings and credentials are handed down to it.

mod clock;
mod discarding;
mod error;
mod ids;
mod local;
mod location;
mod meter;
mod metered;
mod probe;
mod resident;
mod retry;
mod retrying;
mod s3;
mod scratch;
mod stop;
mod store;
mod sync;
mod upload;
mod watcher;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{StoreError, StoreErrorKind};
pub use ids::{Ids, RandomIds, SeededIds};
pub use local::LocalStore;
pub use location::{Location, LocationError};
pub use meter::{Meter, MeterReading, Operation};
pub use object_store;
pub use probe::{Capability, Found, PROBE_FOLDER};
pub use resident::{allocated_bytes, resident_bytes};
pub use retry::{RetryPolicy, is_transient};
pub use s3::{S3Action, S3Error, S3ErrorKind, S3Settings};
pub use scratch::Scratch;
pub use stop::Stop;
pub use store::{ObjectInfo, Store};
pub use sync::{DiskSyncer, Syncer};
pub use upload::{PART_BYTES, Upload};
pub use watcher::FolderWatcher;

/// What the machine gives: the one value through which a lake touches the world.
#[derive(Clone, Debug)]
pub struct Host {
    /// Where objects lie.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids that nobody else has.
    pub ids: Arc<dyn Ids>,
    /// Temporary local files, for what does not fit into memory.
    pub scratch: Scratch,
}

impl Host {
    /// Puts a host together; the store waits between its retries through `clock`, with jitter from `ids`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, scratch: Scratch) -> Self {
        let store = store.with_clock(clock.clone(), ids.clone());
        Self { store, clock, ids, scratch }
    }

    /// The real machine: its clock, random ids, the system's temporary folder, and S3 if settings are given.
    pub fn system(s3: Option<S3Settings>) -> Self {
        Self::new(Store::new(s3), Arc::new(SystemClock::new()), Arc::new(RandomIds), Scratch::system())
    }

    /// The same machine, which takes everything that is written to its stores and keeps nothing of it, and where nothing
    /// is stored.
    #[must_use]
    pub fn discarding(&self) -> Self {
        Self { store: self.store.discarding(), ..self.clone() }
    }

    /// A machine for tests: a clock that stands until it is moved or slept on, and ids that follow from `seed`.
    /// Its store is an empty memory beside the real local folders.
    pub fn seeded(seed: u64) -> Self {
        let clock = ManualClock::at_ms(1_750_000_000_000);
        Self::new(Store::new(None), Arc::new(clock), Arc::new(SeededIds::new(seed)), Scratch::system())
    }
}
