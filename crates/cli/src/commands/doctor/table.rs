//! One table, from its metadata to the last data file: every reference followed, every size and row count compared.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use hosu_catalog::{Catalog, Table};
use hosu_host::{Host, Location};
use hosu_table::commit::summary_count;
use hosu_table::name::TableName;
use iceberg::spec::{DataContentType, DataFile, ManifestEntryRef, ManifestFile, Snapshot};
use serde::Serialize;

use super::Finding;
use crate::failure::with_causes;

/// How many files are looked at at a time.
const AT_A_TIME: usize = 16;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableHealth {
    /// `database.table`.
    pub table: String,
    /// Snapshots that can be read.
    pub snapshots: u64,
    /// Data files of all snapshots, each once.
    pub data_files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of the current snapshot, as it says.
    pub rows: u64,
    /// Files below the table's folder that no snapshot needs: left by writers that were broken off, or being written now.
    pub orphan_files: u64,
    /// Their bytes.
    pub orphan_bytes: u64,
}

/// Looks at a table. None instead of its health when it cannot be read at all.
pub async fn examine(catalog: &Catalog, name: &TableName) -> (Option<TableHealth>, Vec<Finding>) {
    let table = match catalog.load(name).await {
        Ok(Some(table)) => table,
        // It was dropped a moment ago.
        Ok(None) => return (None, Vec::new()),
        Err(error) => {
            let message = with_causes(&error);
            let table = Some(name.to_string());
            return (None, vec![Finding { table, kind: "metadata_unreadable", path: None, message }]);
        }
    };
    let mut examiner = Examiner::new(catalog, &table);
    examiner.snapshots().await;
    examiner.data_files().await;
    examiner.orphans().await;
    (Some(examiner.health), examiner.findings)
}

struct Examiner<'a> {
    catalog: &'a Catalog,
    table: &'a Table,
    health: TableHealth,
    findings: Vec<Finding>,
    /// Every file that the table refers to.
    known: BTreeSet<Location>,
    /// Data and delete files of all snapshots by their path.
    files: BTreeMap<String, ManifestEntryRef>,
    /// What the manifests that were read already hold.
    totals_by_manifest: BTreeMap<String, Totals>,
    /// Whether a file could not be read, so that what it refers to is not known.
    incomplete: bool,
}

/// Live data files, their rows and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    data_files: u64,
    rows: u64,
    bytes: u64,
}

impl<'a> Examiner<'a> {
    fn new(catalog: &'a Catalog, table: &'a Table) -> Self {
        let metadata = &table.metadata;
        let rows = metadata
            .current_snapshot()
            .and_then(|snapshot| summary_count(snapshot.summary(), "total-records"));
        let health = TableHealth {
            table: table.name.to_string(),
            rows: rows.unwrap_or_default(),
            ..TableHealth::default()
        };
        let log = metadata.metadata_log().iter().map(|entry| entry.metadata_file.as_str());
        let statistics = metadata.statistics_iter().map(|file| file.statistics_path.as_str());
        let partitions = metadata.partition_statistics_iter().map(|file| file.statistics_path.as_str());
        let known = log.chain(statistics).chain(partitions).chain([table.metadata_location.as_str()]);
        Self {
            catalog,
            table,
            health,
            findings: Vec::new(),
            known: known.filter_map(|path| Location::parse(path).ok()).collect(),
            files: BTreeMap::new(),
            totals_by_manifest: BTreeMap::new(),
            incomplete: false,
        }
    }

    fn found(&mut self, kind: &'static str, path: &str, message: String) {
        let (table, path) = (Some(self.health.table.clone()), Some(path.to_owned()));
        self.findings.push(Finding { table, kind, path, message });
    }

    /// Reads every snapshot's manifests and compares its totals with what they hold.
    async fn snapshots(&mut self) {
        let table = self.table;
        for snapshot in table.metadata.snapshots() {
            let list = snapshot.manifest_list();
            self.known.extend(Location::parse(list).ok());
            let manifests = match self.catalog.manifests(table, snapshot).await {
                Ok(manifests) => manifests,
                Err(error) => {
                    self.incomplete = true;
                    self.found("manifest_list_unreadable", list, with_causes(&error));
                    continue;
                }
            };
            self.health.snapshots += 1;
            let mut totals = Some(Totals::default());
            for manifest in manifests.iter() {
                let of_manifest = self.manifest(manifest).await;
                totals = totals.zip(of_manifest).map(|(sum, more)| sum.plus(more));
            }
            if let Some(totals) = totals {
                self.compare_totals(snapshot, totals);
            }
            self.compare_sequence(snapshot);
        }
    }

    /// The live data files of a manifest; none when it cannot be read.
    async fn manifest(&mut self, manifest: &ManifestFile) -> Option<Totals> {
        let path = manifest.manifest_path.as_str();
        if let Some(totals) = self.totals_by_manifest.get(path) {
            return Some(*totals);
        }
        self.known.extend(Location::parse(path).ok());
        let decoded = match self.catalog.entries(manifest).await {
            Ok(decoded) => decoded,
            Err(error) => {
                self.incomplete = true;
                self.found("manifest_unreadable", path, with_causes(&error));
                return None;
            }
        };
        self.compare_length(manifest).await;
        let mut totals = Totals::default();
        for entry in decoded.entries.iter().filter(|entry| entry.is_alive()) {
            totals = totals.plus(self.entry(entry));
        }
        let counted = manifest.added_files_count.zip(manifest.existing_files_count);
        let live = decoded.entries.iter().filter(|entry| entry.is_alive()).count() as u64;
        if let Some((added, existing)) = counted
            && u64::from(added) + u64::from(existing) != live
        {
            let listed = u64::from(added) + u64::from(existing);
            self.found(
                "manifest_count",
                path,
                format!("the list says {listed} live files, the manifest has {live}"),
            );
        }
        self.totals_by_manifest.insert(path.to_owned(), totals);
        Some(totals)
    }

    fn entry(&mut self, entry: &ManifestEntryRef) -> Totals {
        let file = entry.data_file();
        let bytes = file.file_size_in_bytes();
        self.known.extend(Location::parse(file.file_path()).ok());
        let is_data = file.content_type() == DataContentType::Data;
        if self.files.insert(file.file_path().to_owned(), entry.clone()).is_none() && is_data {
            self.health.data_files += 1;
            self.health.bytes += bytes;
        }
        let (data_files, rows) = if is_data { (1, file.record_count()) } else { (0, 0) };
        Totals { data_files, rows, bytes }
    }

    async fn compare_length(&mut self, manifest: &ManifestFile) {
        let Ok(location) = Location::parse(&manifest.manifest_path) else { return };
        if let Ok(info) = self.catalog.host().store.head(&location).await
            && u64::try_from(manifest.manifest_length).ok() != Some(info.size_bytes)
        {
            let message = format!("{} bytes, the list says {}", info.size_bytes, manifest.manifest_length);
            self.found("file_size", &manifest.manifest_path, message);
        }
    }

    fn compare_totals(&mut self, snapshot: &Snapshot, totals: Totals) {
        let compared = [
            ("total-data-files", totals.data_files),
            ("total-records", totals.rows),
            ("total-files-size", totals.bytes),
        ];
        for (key, found) in compared {
            if let Some(said) = summary_count(snapshot.summary(), key)
                && said != found
            {
                let id = snapshot.snapshot_id();
                let message = format!("snapshot {id} says {key} {said}, its manifests have {found}");
                self.found("summary_total", snapshot.manifest_list(), message);
            }
        }
    }

    fn compare_sequence(&mut self, snapshot: &Snapshot) {
        let parent = snapshot.parent_snapshot_id().and_then(|id| self.table.metadata.snapshot_by_id(id));
        if let Some(parent) = parent
            && parent.sequence_number() >= snapshot.sequence_number()
            && snapshot.sequence_number() > 0
        {
            let message = format!(
                "snapshot {} has sequence number {}, its parent {}",
                snapshot.snapshot_id(),
                snapshot.sequence_number(),
                parent.sequence_number()
            );
            self.found("sequence_number", snapshot.manifest_list(), message);
        }
    }

    /// Looks at every data file: is it there, is it as long, has it as many rows?
    async fn data_files(&mut self) {
        let host = self.catalog.host().clone();
        let files = std::mem::take(&mut self.files);
        let mut results = stream::iter(files)
            .map(|(path, entry)| {
                let host = host.clone();
                async move { (examine_file(&host, entry.data_file()).await, path) }
            })
            .buffered(AT_A_TIME);
        while let Some((result, path)) = results.next().await {
            if let Err((kind, message)) = result {
                self.found(kind, &path, message);
            }
        }
    }

    /// Hadoop, and so Spark, writes `.NAME.crc` beside a file NAME of its own.
    fn is_checksum(&self, location: &Location) -> bool {
        let name = location.file_name().strip_prefix('.').and_then(|name| name.strip_suffix(".crc"));
        name.zip(location.parent()).is_some_and(|(name, folder)| self.known.contains(&folder.join(name)))
    }

    /// Counts the files below the table's folder that nothing refers to.
    async fn orphans(&mut self) {
        if self.incomplete {
            // What an unreadable manifest refers to would be taken for an orphan.
            return;
        }
        let mut objects = self.catalog.host().store.list(&self.table.location);
        while let Some(object) = objects.next().await {
            match object {
                Ok((location, info)) if !self.known.contains(&location) && !self.is_checksum(&location) => {
                    self.health.orphan_files += 1;
                    self.health.orphan_bytes += info.size_bytes;
                }
                Ok(_) => {}
                Err(error) => {
                    return self.found(
                        "folder_unreadable",
                        self.table.location.as_str(),
                        with_causes(&error),
                    );
                }
            }
        }
    }
}

impl Totals {
    fn plus(self, other: Self) -> Self {
        Self {
            data_files: self.data_files + other.data_files,
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
        }
    }
}

async fn examine_file(host: &Host, file: &DataFile) -> Result<(), (&'static str, String)> {
    let expected = file.record_count();
    match hosu_datafile::rows_in(host, file).await {
        Ok(None) => Ok(()),
        Ok(Some(rows)) if rows == expected => Ok(()),
        Ok(Some(rows)) => Err(("row_count", format!("{rows} rows, the manifest says {expected}"))),
        Err(fault) => Err((fault.kind(), with_causes(&fault))),
    }
}
