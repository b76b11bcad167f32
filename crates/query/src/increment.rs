//! The rows of a table that are new since a position, as the data files that brought them.

use std::collections::HashSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_table::commit::summary_count;
use hosu_table::increment::{Gap, NewSnapshots, new_snapshots};
use hosu_table::name::TableName;
use iceberg::spec::{
    FormatVersion, ManifestContentType, ManifestFile, ManifestStatus, Snapshot, SnapshotRef,
};

use crate::error::QueryError;
use crate::scan::{self, MANIFESTS_AT_ONCE, ScanFile, Specs};

/// The rows that new snapshots of a table appended.
#[derive(Clone, Debug, Default)]
pub struct Increment {
    snapshots: Vec<i64>,
    files: Vec<ScanFile>,
}

/// Why new rows cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum IncrementError {
    /// New rows are not all that became different.
    #[error("the new rows of table {table} cannot be told: {gap}")]
    Gap {
        /// The table.
        table: TableName,
        /// The snapshot up to which it was taken.
        after: i64,
        /// Why.
        gap: Gap,
    },
    /// The table cannot be read.
    #[error(transparent)]
    Unreadable(#[from] QueryError),
}

impl From<CatalogError> for IncrementError {
    fn from(error: CatalogError) -> Self {
        Self::Unreadable(error.into())
    }
}

impl Increment {
    /// The snapshots that appended the rows, oldest first.
    pub fn snapshots(&self) -> &[i64] {
        &self.snapshots
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.file().record_count()).sum()
    }

    /// How many bytes their files have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.file().file_size_in_bytes()).sum()
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no new rows.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(crate) fn scan_files(&self) -> &[ScanFile] {
        &self.files
    }
}

/// The rows that snapshots after `after` appended to a table. Snapshots that only rewrote files add nothing, and the rows of files
/// that they took away are read from the files in which they were appended. Without a position it is all that the table has.
///
/// # Errors
/// [`IncrementError::Gap`] when rows were changed or taken away since, or when that cannot be told.
pub async fn increment(
    catalog: &Catalog,
    table: &Table,
    after: Option<i64>,
) -> Result<Increment, IncrementError> {
    let gap = |gap| IncrementError::Gap { table: table.name.clone(), after: after.unwrap_or_default(), gap };
    let new = new_snapshots(&table.metadata, after).map_err(gap)?;
    let snapshots = new.appended().map(|snapshot| snapshot.snapshot_id()).collect();
    let files = match (after, table.snapshot(), new.snapshots.first()) {
        (None, Some(_), _) => scan::all(catalog, table).await?,
        (Some(_), Some(current), Some(first)) => appended(catalog, table, current, first, &new).await?,
        _ => Vec::new(),
    };
    Ok(Increment { snapshots, files })
}

async fn appended(
    catalog: &Catalog,
    table: &Table,
    current: &Snapshot,
    first: &SnapshotRef,
    new: &NewSnapshots,
) -> Result<Vec<ScanFile>, QueryError> {
    let manifests = catalog.manifests(table, current).await?;
    let is_new = |manifest: &&ManifestFile| manifest.sequence_number >= first.sequence_number();
    scan::refuse_deletes(table, manifests.iter().filter(is_new))?;
    // Files that nobody rewrote are all in the current list, wherever their entries were merged to.
    if !new.has_replace() && table.metadata.format_version() != FormatVersion::V1 {
        let ids: HashSet<i64> = new.appended().map(|snapshot| snapshot.snapshot_id()).collect();
        let is_data = |manifest: &&ManifestFile| manifest.content == ManifestContentType::Data;
        let wanted = manifests.iter().filter(is_new).filter(is_data).cloned().collect();
        let files = files_of(catalog, table, wanted, |id, _| id.is_some_and(|id| ids.contains(&id))).await?;
        if told(new).is_none_or(|told| told == files.len() as u64) {
            return Ok(files);
        }
    }
    of_their_own(catalog, table, new).await
}

/// How many files the snapshots say that they added.
fn told(new: &NewSnapshots) -> Option<u64> {
    new.appended().map(|snapshot| summary_count(snapshot.summary(), "added-data-files")).sum()
}

/// What each snapshot's own manifests say that it added.
async fn of_their_own(
    catalog: &Catalog,
    table: &Table,
    new: &NewSnapshots,
) -> Result<Vec<ScanFile>, QueryError> {
    let mut files = Vec::new();
    let lists = new.appended().map(|snapshot| async move {
        Ok::<_, CatalogError>((snapshot.snapshot_id(), catalog.manifests(table, snapshot).await?))
    });
    let lists: Vec<_> = lists.collect();
    let mut lists = stream::iter(lists).buffered(MANIFESTS_AT_ONCE);
    while let Some((snapshot_id, list)) = lists.try_next().await? {
        let own = list.iter().filter(|manifest| {
            manifest.content == ManifestContentType::Data
                && manifest.added_snapshot_id == snapshot_id
                && manifest.has_added_files()
        });
        let is_added = move |id, status| id == Some(snapshot_id) && status == ManifestStatus::Added;
        files.extend(files_of(catalog, table, own.cloned().collect(), is_added).await?);
    }
    Ok(files)
}

/// The live files of manifests that have such a snapshot and status.
async fn files_of(
    catalog: &Catalog,
    table: &Table,
    manifests: Vec<ManifestFile>,
    is_wanted: impl Fn(Option<i64>, ManifestStatus) -> bool,
) -> Result<Vec<ScanFile>, QueryError> {
    let specs = Specs::of(table);
    let decoded: Vec<_> = manifests.iter().map(|manifest| catalog.entries(manifest)).collect();
    let mut decoded = stream::iter(decoded).buffered(MANIFESTS_AT_ONCE);
    let mut files = Vec::new();
    while let Some(manifest) = decoded.try_next().await? {
        let spec = specs.get(table, manifest.spec_id)?;
        let entries = manifest.entries.iter().filter(|entry| entry.is_alive());
        let entries = entries.filter(|entry| is_wanted(entry.snapshot_id(), entry.status()));
        files.extend(entries.map(|entry| ScanFile::new(entry.clone(), spec.clone())));
    }
    files.iter().try_for_each(|file| scan::refuse_unreadable(table, file.file()))?;
    Ok(files)
}
