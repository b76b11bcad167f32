//! From a pinned snapshot to the data files that a statement has to read.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use hosu_catalog::{Catalog, Table};
use hosu_table::commit::summary_count;
use iceberg::spec::{
    DataContentType, DataFile, DataFileFormat, ManifestContentType, ManifestEntryRef, ManifestFile,
    PartitionSpec, Snapshot,
};

use crate::error::QueryError;
use crate::prune::{Container, FileContainer, Leaves, ManifestContainer, Pruner};
use crate::stats::ScanStats;

/// Manifests that are fetched at a time.
pub(crate) const MANIFESTS_AT_ONCE: usize = 8;

/// A data file to read.
#[derive(Clone, Debug)]
pub(crate) struct ScanFile {
    entry: ManifestEntryRef,
    spec: Arc<PartitionSpec>,
}

impl ScanFile {
    /// A file of this entry, parted by this spec.
    pub fn new(entry: ManifestEntryRef, spec: Arc<PartitionSpec>) -> Self {
        Self { entry, spec }
    }

    /// The file.
    pub fn file(&self) -> &DataFile {
        self.entry.data_file()
    }

    /// The file as what pruning and statistics look at.
    pub fn container(&self) -> FileContainer<'_> {
        FileContainer { file: self.file(), spec: &self.spec }
    }
}

/// The data files of a table's snapshot that may hold rows which the filter keeps; of these only as many as have
/// `rows_wanted` rows, where that is given.
pub(crate) async fn plan(
    catalog: &Catalog,
    table: &Table,
    pruner: &Pruner<'_>,
    rows_wanted: Option<u64>,
) -> Result<(Vec<ScanFile>, ScanStats), QueryError> {
    let Some(snapshot) = table.snapshot() else { return Ok((Vec::new(), ScanStats::default())) };
    let all = catalog.manifests(table, snapshot).await?;
    let specs = Specs::of(table);
    refuse_deletes(table, all.iter())?;
    let live: Vec<&ManifestFile> = all.iter().filter(|manifest| is_live(manifest)).collect();
    let kept = keep_manifests(table, &live, &specs, pruner)?;
    let mut stats = totals(snapshot, &live);
    stats.manifests_read = kept.len() as u64;

    // In order, so that the same snapshot gives the same plan.
    let decoded: Vec<_> = kept.iter().map(|manifest| catalog.entries(manifest)).collect();
    let mut decoded = stream::iter(decoded).buffered(MANIFESTS_AT_ONCE);
    let mut files = Vec::new();
    let (mut seen, mut seen_bytes) = (0_u64, 0_u64);
    while let Some(manifest) = decoded.try_next().await? {
        let spec = specs.get(table, manifest.spec_id)?;
        for entry in manifest.entries.iter().filter(|entry| entry.is_alive()) {
            seen += 1;
            seen_bytes += entry.file_size_in_bytes();
            files.push(ScanFile::new(entry.clone(), spec.clone()));
        }
    }
    prune(&mut files, pruner, rows_wanted);
    for file in &files {
        refuse_unreadable(table, file.file())?;
    }
    stats.files_total = stats.files_total.max(seen);
    stats.bytes_total = stats.bytes_total.max(seen_bytes);
    stats.files_planned = files.len() as u64;
    stats.bytes_planned = bytes_of(&files);
    Ok((files, stats))
}

/// All data files of a table's snapshot.
pub(crate) async fn all(catalog: &Catalog, table: &Table) -> Result<Vec<ScanFile>, QueryError> {
    let leaves = Leaves::new(table.schema());
    let (files, _) = plan(catalog, table, &Pruner::new(&leaves, None), None).await?;
    Ok(files)
}

/// Those of some files that may hold rows which the filter keeps, as [`plan`] has them.
pub(crate) fn plan_of(
    files: &[ScanFile],
    pruner: &Pruner<'_>,
    rows_wanted: Option<u64>,
) -> (Vec<ScanFile>, ScanStats) {
    let mut kept = files.to_vec();
    prune(&mut kept, pruner, rows_wanted);
    let stats = ScanStats {
        files_total: files.len() as u64,
        bytes_total: bytes_of(files),
        files_planned: kept.len() as u64,
        bytes_planned: bytes_of(&kept),
        ..ScanStats::default()
    };
    (kept, stats)
}

fn prune(files: &mut Vec<ScanFile>, pruner: &Pruner<'_>, rows_wanted: Option<u64>) {
    let containers: Vec<FileContainer<'_>> = files.iter().map(ScanFile::container).collect();
    let mut keep = pruner.keep(&containers).into_iter();
    files.retain(|_| keep.next().unwrap_or(true));
    truncate(files, rows_wanted);
}

fn bytes_of(files: &[ScanFile]) -> u64 {
    files.iter().map(|file| file.file().file_size_in_bytes()).sum()
}

fn keep_manifests<'a>(
    table: &Table,
    live: &[&'a ManifestFile],
    specs: &Specs,
    pruner: &Pruner<'_>,
) -> Result<Vec<&'a ManifestFile>, QueryError> {
    let found: Result<Vec<Arc<PartitionSpec>>, QueryError> =
        live.iter().map(|manifest| specs.get(table, manifest.partition_spec_id)).collect();
    let found = found?;
    let containers: Vec<ManifestContainer<'_>> =
        live.iter().zip(&found).map(|(manifest, spec)| ManifestContainer { manifest, spec }).collect();
    let kept = live.iter().zip(pruner.keep(&containers)).filter(|(_, keep)| *keep);
    Ok(kept.map(|(manifest, _)| *manifest).collect())
}

fn is_live(manifest: &ManifestFile) -> bool {
    manifest.has_added_files() || manifest.has_existing_files()
}

/// Rows that delete files take away would come back if they were ignored.
pub(crate) fn refuse_deletes<'a>(
    table: &Table,
    mut manifests: impl Iterator<Item = &'a ManifestFile>,
) -> Result<(), QueryError> {
    let has_deletes =
        manifests.any(|manifest| manifest.content == ManifestContentType::Deletes && is_live(manifest));
    if has_deletes {
        return Err(unreadable(table, "it has delete files, which cannot be applied yet".to_owned()));
    }
    Ok(())
}

pub(crate) fn refuse_unreadable(table: &Table, file: &DataFile) -> Result<(), QueryError> {
    if file.content_type() != DataContentType::Data {
        return Err(unreadable(table, format!("{} is a delete file among data", file.file_path())));
    }
    if file.file_format() != DataFileFormat::Parquet {
        let format = file.file_format();
        return Err(unreadable(
            table,
            format!("{} is {format}, and only Parquet can be read", file.file_path()),
        ));
    }
    if file.key_metadata().is_some() {
        return Err(unreadable(table, format!("{} is encrypted", file.file_path())));
    }
    Ok(())
}

fn unreadable(table: &Table, reason: String) -> QueryError {
    QueryError::TableUnreadable { table: table.name.to_string(), reason }
}

/// A scan without a filter that wants some rows needs no more files than have them.
fn truncate(files: &mut Vec<ScanFile>, rows_wanted: Option<u64>) {
    let Some(wanted) = rows_wanted else { return };
    let mut rows = 0_u64;
    let enough = files.iter().position(|file| {
        rows = rows.saturating_add(file.container().rows().unwrap_or(0));
        rows >= wanted
    });
    if let Some(last) = enough {
        files.truncate(last + 1);
    }
}

/// What the snapshot says of itself; the counts of the manifest list where it is silent.
fn totals(snapshot: &Snapshot, live: &[&ManifestFile]) -> ScanStats {
    let summary = |key: &str| summary_count(snapshot.summary(), key);
    let counted = live
        .iter()
        .map(|manifest| {
            u64::from(manifest.added_files_count.unwrap_or(0))
                + u64::from(manifest.existing_files_count.unwrap_or(0))
        })
        .sum();
    ScanStats {
        manifests_total: live.len() as u64,
        files_total: summary("total-data-files").unwrap_or(counted),
        bytes_total: summary("total-files-size").unwrap_or(0),
        ..ScanStats::default()
    }
}

/// The partition specs of a table.
pub(crate) struct Specs(HashMap<i32, Arc<PartitionSpec>>);

impl Specs {
    /// All that the metadata has.
    pub fn of(table: &Table) -> Self {
        let specs = table.metadata.partition_specs_iter();
        Self(specs.map(|spec| (spec.spec_id(), spec.clone())).collect())
    }

    /// One by its id.
    pub fn get(&self, table: &Table, id: i32) -> Result<Arc<PartitionSpec>, QueryError> {
        let spec = self.0.get(&id).cloned();
        spec.ok_or_else(|| unreadable(table, format!("its metadata lacks partition spec {id}")))
    }
}

#[cfg(test)]
mod tests;
