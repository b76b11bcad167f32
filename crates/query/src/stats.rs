//! What a statement read, and what it did not have to.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a statement reads of its tables. What is planned is known before it runs, what was read afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanStats {
    /// Manifests of the snapshots.
    pub manifests_total: u64,
    /// Manifests that were looked into.
    pub manifests_read: u64,
    /// Data files of the snapshots.
    pub files_total: u64,
    /// Data files that are left after pruning.
    pub files_read: u64,
    /// Their bytes, of the snapshots.
    pub bytes_total: u64,
    /// The bytes of the files that are left: an upper limit of what is read.
    pub bytes_planned: u64,
    /// Bytes that were read from the store so far.
    pub bytes_scanned: u64,
    /// Row groups of the files that were opened so far.
    pub row_groups_total: u64,
    /// Row groups of these that had to be read.
    pub row_groups_read: u64,
}

/// Counts what the scans of a statement plan.
#[derive(Debug, Default)]
pub(crate) struct ScanCounter {
    manifests_total: AtomicU64,
    manifests_read: AtomicU64,
    files_total: AtomicU64,
    files_read: AtomicU64,
    bytes_total: AtomicU64,
    bytes_planned: AtomicU64,
}

impl ScanCounter {
    /// Adds a scan.
    pub fn add(&self, scan: &ScanStats) {
        let counters = [
            (&self.manifests_total, scan.manifests_total),
            (&self.manifests_read, scan.manifests_read),
            (&self.files_total, scan.files_total),
            (&self.files_read, scan.files_read),
            (&self.bytes_total, scan.bytes_total),
            (&self.bytes_planned, scan.bytes_planned),
        ];
        for (counter, value) in counters {
            counter.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// What was planned so far.
    pub fn read(&self) -> ScanStats {
        ScanStats {
            manifests_total: self.manifests_total.load(Ordering::Relaxed),
            manifests_read: self.manifests_read.load(Ordering::Relaxed),
            files_total: self.files_total.load(Ordering::Relaxed),
            files_read: self.files_read.load(Ordering::Relaxed),
            bytes_total: self.bytes_total.load(Ordering::Relaxed),
            bytes_planned: self.bytes_planned.load(Ordering::Relaxed),
            ..ScanStats::default()
        }
    }
}
