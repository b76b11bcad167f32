//! What a statement reads, and what it does not have to: known in part while it is planned, in part while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hosu_host::Meter;

/// What a statement reads of its tables. A table that stands twice in a statement is read twice, and counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanStats {
    /// Manifests of the snapshots.
    pub manifests_total: u64,
    /// Manifests that were looked into.
    pub manifests_read: u64,
    /// Data files of the snapshots.
    pub files_total: u64,
    /// Data files that are left after pruning: more are not read.
    pub files_planned: u64,
    /// Data files that were opened so far.
    pub files_read: u64,
    /// Data files that were opened and are not needed any more.
    pub files_done: u64,
    /// The bytes of all data files of the snapshots.
    pub bytes_total: u64,
    /// The bytes of the files that are left.
    pub bytes_planned: u64,
    /// How many of these are behind: files that are done, and of others the share of the row groups that were begun.
    pub bytes_done: u64,
    /// Bytes that were read from the store so far.
    pub bytes_scanned: u64,
    /// Row groups of the files that were opened so far.
    pub row_groups_total: u64,
    /// Row groups of these of which anything was read.
    pub row_groups_read: u64,
    /// The rows in these.
    pub rows_scanned: u64,
}

/// The figures of a statement while it is planned and runs. Clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Live {
    scans: Arc<Mutex<Option<Scans>>>,
}

impl Live {
    /// What is known by now; all zero before the planning begins.
    pub fn stats(&self) -> ScanStats {
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        scans.as_ref().map_or_else(ScanStats::default, Scans::stats)
    }

    /// Shows these from here on.
    pub(crate) fn show(&self, scans: Scans) {
        *self.scans.lock().unwrap_or_else(PoisonError::into_inner) = Some(scans);
    }
}

/// The counters of a statement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scans {
    /// Told by the scans.
    pub counter: Arc<ScanCounter>,
    /// Told by the store.
    pub meter: Arc<Meter>,
}

impl Scans {
    /// What was counted so far.
    pub fn stats(&self) -> ScanStats {
        ScanStats { bytes_scanned: self.meter.snapshot().bytes_read(), ..self.counter.read() }
    }
}

/// Counts what the scans of a statement plan and read.
#[derive(Debug, Default)]
pub(crate) struct ScanCounter {
    manifests_total: AtomicU64,
    manifests_read: AtomicU64,
    files_total: AtomicU64,
    files_planned: AtomicU64,
    files_read: AtomicU64,
    files_done: AtomicU64,
    bytes_total: AtomicU64,
    bytes_planned: AtomicU64,
    bytes_done: AtomicU64,
    row_groups_total: AtomicU64,
    row_groups_read: AtomicU64,
    rows_scanned: AtomicU64,
}

impl ScanCounter {
    /// Adds a scan that is planned.
    pub fn add(&self, scan: &ScanStats) {
        add(&self.manifests_total, scan.manifests_total);
        add(&self.manifests_read, scan.manifests_read);
        add(&self.files_total, scan.files_total);
        add(&self.files_planned, scan.files_planned);
        add(&self.bytes_total, scan.bytes_total);
        add(&self.bytes_planned, scan.bytes_planned);
    }

    /// A file was opened that has so many row groups.
    pub fn file_opened(&self, row_groups: u64) {
        add(&self.files_read, 1);
        add(&self.row_groups_total, row_groups);
    }

    /// A row group is read; the file is by so many bytes nearer to its end.
    pub fn row_group_read(&self, rows: u64, bytes: u64) {
        add(&self.bytes_done, bytes);
        add(&self.row_groups_read, 1);
        add(&self.rows_scanned, rows);
    }

    /// Nobody reads a file any more: the rest of its bytes is behind.
    pub fn file_done(&self, bytes: u64) {
        add(&self.files_done, 1);
        add(&self.bytes_done, bytes);
    }

    /// A file that was done has another part to read.
    pub fn file_begun_again(&self) {
        self.files_done.fetch_sub(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> ScanStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ScanStats {
            manifests_total: of(&self.manifests_total),
            manifests_read: of(&self.manifests_read),
            files_total: of(&self.files_total),
            files_planned: of(&self.files_planned),
            files_read: of(&self.files_read),
            files_done: of(&self.files_done),
            bytes_total: of(&self.bytes_total),
            bytes_planned: of(&self.bytes_planned),
            bytes_done: of(&self.bytes_done),
            bytes_scanned: 0,
            row_groups_total: of(&self.row_groups_total),
            row_groups_read: of(&self.row_groups_read),
            rows_scanned: of(&self.rows_scanned),
        }
    }
}

fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}
