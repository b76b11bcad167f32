//! A table's history read from its files: what each snapshot added and took out, and how many rows the data files have
//! themselves.
//!
//! Snapshots share most of their manifests, so only those that one of two neighbours lacks are compared. Entries are taken as
//! they come; what is kept is counts a snapshot, a hash for each live file, and the files that were taken out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_datafile::FileFault;
use hosu_host::Location;
use hosu_table::fate::Ancestry;
use hosu_table::paths::ObjectName;
use iceberg::spec::{DataContentType, ManifestEntryRef, ManifestFile, ManifestStatus, Snapshot, SnapshotRef};
use uuid::Uuid;

/// How many files are opened at a time.
const AT_A_TIME: usize = 16;

/// So many files are collected before they are opened.
const QUEUE_MAX: usize = 1024;

/// Of so many files it is told one by one what is wrong with them.
const FAULTS_MAX: usize = 1_000;

/// Data files and their rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub files: u64,
    /// As the manifests say.
    pub rows: u64,
    /// As the files themselves say.
    pub counted_rows: u64,
    /// Files that could not be counted.
    pub uncounted: u64,
}

/// What one snapshot did.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub snapshot: SnapshotRef,
    pub added: Count,
    /// What it took out, by the snapshots that had added it.
    pub removed: BTreeMap<i64, Count>,
    /// Delete files that it added: rows marked by their place, and whether it deletes by value.
    pub rows_marked: u64,
    pub by_value: bool,
    /// Rows of the files that its manifests list as added and as removed, files that it had before and has again included.
    pub rows_listed_added: u64,
    pub rows_listed_removed: u64,
}

/// A data file that is not what its manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub kind: &'static str,
    pub path: String,
    /// The snapshot that added the file.
    pub added_by: i64,
    pub expected: u64,
    pub found: Option<u64>,
    pub message: String,
}

/// The history of a table, as far as its metadata has it.
#[derive(Debug, Default)]
pub(super) struct History {
    pub ancestry: Ancestry,
    /// Oldest first. The oldest is among them only if nothing has expired before it.
    pub steps: Vec<Step>,
    /// What the oldest snapshot had when older ones have expired, by the snapshots that added it.
    pub base: BTreeMap<i64, Count>,
    /// The same by the operation in the name of the file.
    pub base_by_operation: HashMap<Uuid, Count>,
    /// What the current snapshot has.
    pub live: Count,
    pub faults: Vec<Fault>,
    pub faults_count: u64,
    /// Files that the current snapshot has more than once: the path, and who added each.
    pub doubled: Vec<(String, Vec<i64>, u64)>,
}

/// Where the count of a file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Account {
    Step(usize),
    Base(i64),
}

/// A history being read.
struct Reader<'a> {
    catalog: &'a Catalog,
    table: &'a Table,
    history: History,
    queue: Vec<(Account, ManifestEntryRef)>,
}

impl History {
    /// Reads it.
    ///
    /// # Errors
    /// When a manifest or manifest list cannot be read. Data files that cannot are [`History::faults`].
    pub async fn read(catalog: &Catalog, table: &Table) -> Result<Self, CatalogError> {
        let ancestry = Ancestry::of(&table.metadata);
        let snapshots = ancestry.snapshots().to_vec();
        let mut reader = Reader {
            catalog,
            table,
            history: Self { ancestry, ..Self::default() },
            queue: Vec::with_capacity(QUEUE_MAX),
        };
        let mut parent: Option<&SnapshotRef> = None;
        for snapshot in &snapshots {
            match parent {
                None if reader.history.ancestry.is_cut() => reader.base(snapshot).await?,
                _ => reader.step(parent, snapshot).await?,
            }
            parent = Some(snapshot);
        }
        reader.count_files().await;
        if let Some(current) = parent {
            reader.doubled(current).await?;
        }
        reader.history.count_live();
        Ok(reader.history)
    }

    /// What a snapshot that is known by its id alone added, where that can be seen.
    pub fn added_by(&self, snapshot_id: i64) -> Option<Count> {
        let step = self.steps.iter().find(|step| step.snapshot.snapshot_id() == snapshot_id);
        step.map(|step| step.added).or_else(|| self.base.get(&snapshot_id).copied())
    }

    fn count_live(&mut self) {
        let added = self.steps.iter().map(|step| step.added).chain(self.base.values().copied());
        let mut live = added.fold(Count::default(), Count::plus);
        for removed in self.steps.iter().flat_map(|step| step.removed.values()) {
            live.files = live.files.saturating_sub(removed.files);
            live.rows = live.rows.saturating_sub(removed.rows);
            live.counted_rows = live.counted_rows.saturating_sub(removed.rows);
        }
        self.live = live;
    }
}

impl Count {
    pub fn plus(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            rows: self.rows + other.rows,
            counted_rows: self.counted_rows + other.counted_rows,
            uncounted: self.uncounted + other.uncounted,
        }
    }

    fn add(&mut self, entry: &ManifestEntryRef) {
        self.files += 1;
        self.rows += entry.data_file().record_count();
    }
}

impl Reader<'_> {
    async fn manifests(&self, snapshot: &Snapshot) -> Result<Arc<Vec<ManifestFile>>, CatalogError> {
        self.catalog.manifests(self.table, snapshot).await
    }

    async fn live_entries(&self, manifest: &ManifestFile) -> Result<Vec<ManifestEntryRef>, CatalogError> {
        let decoded = self.catalog.entries(manifest).await?;
        Ok(decoded.entries.iter().filter(|entry| entry.is_alive()).cloned().collect())
    }

    /// What the oldest snapshot has.
    async fn base(&mut self, snapshot: &Snapshot) -> Result<(), CatalogError> {
        for manifest in self.manifests(snapshot).await?.iter() {
            for entry in self.live_entries(manifest).await? {
                if entry.content_type() != DataContentType::Data {
                    continue;
                }
                let added_by = entry.snapshot_id().unwrap_or_default();
                self.history.base.entry(added_by).or_default().add(&entry);
                self.take(Account::Base(added_by), entry).await;
            }
        }
        Ok(())
    }

    /// What a snapshot did to its parent, or to nothing.
    async fn step(
        &mut self,
        parent: Option<&SnapshotRef>,
        snapshot: &SnapshotRef,
    ) -> Result<(), CatalogError> {
        let after = self.manifests(snapshot).await?;
        let before = match parent {
            Some(parent) => self.manifests(parent).await?,
            None => Arc::default(),
        };
        let is_in = |manifests: &[ManifestFile]| -> HashSet<String> {
            manifests.iter().map(|manifest| manifest.manifest_path.clone()).collect()
        };
        let (paths_before, paths_after) = (is_in(&before), is_in(&after));
        let mut gone: HashMap<String, Vec<ManifestEntryRef>> = HashMap::new();
        for manifest in before.iter().filter(|manifest| !paths_after.contains(&manifest.manifest_path)) {
            for entry in self.live_entries(manifest).await? {
                gone.entry(entry.file_path().to_owned()).or_default().push(entry);
            }
        }
        let at = self.history.steps.len();
        self.history.steps.push(Step {
            snapshot: snapshot.clone(),
            added: Count::default(),
            removed: BTreeMap::new(),
            rows_marked: 0,
            by_value: false,
            rows_listed_added: 0,
            rows_listed_removed: 0,
        });
        for manifest in after.iter().filter(|manifest| !paths_before.contains(&manifest.manifest_path)) {
            self.listed(at, manifest).await?;
            for entry in self.live_entries(manifest).await? {
                // What both have was moved from one manifest to another.
                if gone.get_mut(entry.file_path()).and_then(Vec::pop).is_none() {
                    self.added(at, entry).await;
                }
            }
        }
        if let Some(step) = self.history.steps.get_mut(at) {
            for entry in gone.into_values().flatten() {
                if entry.content_type() == DataContentType::Data {
                    step.removed.entry(entry.snapshot_id().unwrap_or_default()).or_default().add(&entry);
                }
            }
        }
        Ok(())
    }

    /// Counts what a manifest lists as done by a snapshot.
    async fn listed(&mut self, at: usize, manifest: &ManifestFile) -> Result<(), CatalogError> {
        let decoded = self.catalog.entries(manifest).await?;
        let Some(step) = self.history.steps.get_mut(at) else { return Ok(()) };
        let id = Some(step.snapshot.snapshot_id());
        let data = decoded.entries.iter().filter(|entry| entry.content_type() == DataContentType::Data);
        for entry in data.filter(|entry| entry.snapshot_id() == id) {
            match entry.status() {
                ManifestStatus::Added => step.rows_listed_added += entry.data_file().record_count(),
                ManifestStatus::Deleted => step.rows_listed_removed += entry.data_file().record_count(),
                ManifestStatus::Existing => {}
            }
        }
        Ok(())
    }

    async fn added(&mut self, at: usize, entry: ManifestEntryRef) {
        let Some(step) = self.history.steps.get_mut(at) else { return };
        match entry.content_type() {
            DataContentType::Data => {
                step.added.add(&entry);
                self.take(Account::Step(at), entry).await;
            }
            DataContentType::PositionDeletes => step.rows_marked += entry.data_file().record_count(),
            DataContentType::EqualityDeletes => step.by_value = true,
        }
    }

    async fn take(&mut self, account: Account, entry: ManifestEntryRef) {
        if let (Account::Base(_), Some(operation)) = (account, self.operation(&entry)) {
            self.history.base_by_operation.entry(operation).or_default().add(&entry);
        }
        self.queue.push((account, entry));
        if self.queue.len() >= QUEUE_MAX {
            self.count_files().await;
        }
    }

    /// The operation that a file was written by, when its name tells.
    fn operation(&self, entry: &ManifestEntryRef) -> Option<Uuid> {
        let path = Location::parse(entry.file_path()).ok()?;
        let relative = path.as_str().strip_prefix(self.table.location.as_str())?.trim_start_matches('/');
        match ObjectName::parse(relative)? {
            ObjectName::Data { uuid, .. } => Some(uuid),
            _ => None,
        }
    }

    /// Opens the files that wait, and counts their rows.
    async fn count_files(&mut self) {
        let host = self.catalog.host().clone();
        let queue = std::mem::take(&mut self.queue);
        let mut counted = stream::iter(queue)
            .map(|(account, entry)| {
                let host = host.clone();
                async move { (account, hosu_datafile::rows_in(&host, entry.data_file()).await, entry) }
            })
            .buffered(AT_A_TIME);
        while let Some((account, result, entry)) = counted.next().await {
            self.history.take_count(account, result, &entry);
        }
    }

    /// Looks for files that a snapshot has more than once.
    async fn doubled(&mut self, current: &Snapshot) -> Result<(), CatalogError> {
        let manifests = self.manifests(current).await?;
        let mut seen: HashSet<[u8; 16]> = HashSet::new();
        let mut twice: BTreeMap<String, (Vec<i64>, u64)> = BTreeMap::new();
        for manifest in manifests.iter() {
            for entry in self.live_entries(manifest).await? {
                if !seen.insert(hash(entry.file_path())) && twice.len() < FAULTS_MAX {
                    twice.entry(entry.file_path().to_owned()).or_default();
                }
            }
        }
        if twice.is_empty() {
            return Ok(());
        }
        for manifest in manifests.iter() {
            for entry in self.live_entries(manifest).await? {
                if let Some((added_by, rows)) = twice.get_mut(entry.file_path()) {
                    added_by.push(entry.snapshot_id().unwrap_or_default());
                    *rows = entry.data_file().record_count();
                }
            }
        }
        let doubled = twice.into_iter().map(|(path, (added_by, rows))| (path, added_by, rows));
        self.history.doubled = doubled.collect();
        Ok(())
    }
}

impl History {
    fn take_count(
        &mut self,
        account: Account,
        result: Result<Option<u64>, FileFault>,
        entry: &ManifestEntryRef,
    ) {
        let file = entry.data_file();
        let expected = file.record_count();
        let found = match result {
            // Of other formats the manifest's number is all there is.
            Ok(counted) => Ok(counted.unwrap_or(expected)),
            Err(fault) => Err(fault),
        };
        let count = match account {
            Account::Step(at) => self.steps.get_mut(at).map(|step| &mut step.added),
            Account::Base(added_by) => self.base.get_mut(&added_by),
        };
        if let Some(count) = count {
            match &found {
                Ok(rows) => count.counted_rows += rows,
                Err(_) => count.uncounted += 1,
            }
        }
        let (kind, found, message) = match found {
            Ok(rows) if rows == expected => return,
            Ok(rows) => {
                ("row_count", Some(rows), format!("it has {rows} rows, the manifest says {expected}"))
            }
            Err(fault) => (fault.kind(), None, fault.to_string()),
        };
        self.faults_count += 1;
        if self.faults.len() < FAULTS_MAX {
            let (path, added_by) = (file.file_path().to_owned(), entry.snapshot_id().unwrap_or_default());
            self.faults.push(Fault { kind, path, added_by, expected, found, message });
        }
    }
}

fn hash(path: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(blake3::hash(path.as_bytes()).as_bytes().get(..16).unwrap_or(&[0; 16]));
    short
}
