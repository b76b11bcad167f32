//! Every file of every snapshot: whether it is there, and is what is said of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use hosu_catalog::Table;
use hosu_host::{Host, Location};
use hosu_table::invariants;
use iceberg::spec::{
    DataFile, Manifest, ManifestFile, ManifestList, ManifestStatus, Operation, Snapshot, TableMetadata,
};

use super::{Audit, Finding};
use crate::rows::Rows;

/// Looks at all files of a table and gives the rows of its current snapshot.
pub(super) async fn examine(audit: &mut Audit, host: &Host, table: &Table) -> Rows {
    let mut examiner =
        Examiner { audit, host, manifests: HashMap::new(), files: BTreeMap::new(), numbers: HashMap::new() };
    let metadata = &table.metadata;
    let mut snapshots: Vec<_> = metadata.snapshots().collect();
    snapshots.sort_by_key(|snapshot| snapshot.sequence_number());
    let mut live: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for snapshot in snapshots {
        let (files, removed) = examiner.snapshot(metadata, snapshot).await;
        let none = BTreeSet::new();
        let parent = snapshot.parent_snapshot_id().and_then(|parent| live.get(&parent));
        examiner.compare(snapshot, parent.unwrap_or(&none), &files, &removed);
        for file in &files {
            examiner.numbers.entry(file.clone()).or_insert(snapshot.sequence_number());
        }
        live.insert(snapshot.snapshot_id(), files);
    }
    examiner.history(table).await;
    let current = metadata.current_snapshot().and_then(|snapshot| live.get(&snapshot.snapshot_id()));
    let mut rows = Rows::default();
    for file in current.into_iter().flatten() {
        if let Some(of_file) = examiner.files.get(file) {
            rows.count += of_file.count;
            for (id, checks) in &of_file.events {
                rows.events.entry(*id).or_default().extend(checks.iter().cloned());
            }
            for (line, times) in &of_file.rejects {
                *rows.rejects.entry(line.clone()).or_default() += times;
            }
        }
    }
    examiner.audit.data_files += examiner.files.len();
    rows
}

struct Examiner<'a> {
    audit: &'a mut Audit,
    host: &'a Host,
    manifests: HashMap<String, Entries>,
    files: BTreeMap<String, Rows>,
    /// The sequence number of the snapshot in which a file was first.
    numbers: HashMap<String, i64>,
}

/// What a manifest lists.
#[derive(Clone, Debug, Default)]
struct Entries {
    live: Vec<DataFile>,
    removed: Vec<Removed>,
}

/// A file that a manifest lists as deleted.
#[derive(Clone, Debug)]
struct Removed {
    location: String,
    snapshot_id: Option<i64>,
    numbers: [Option<i64>; 2],
}

impl Examiner<'_> {
    /// The live data files of a snapshot, and those that it says it took out.
    async fn snapshot(
        &mut self,
        metadata: &TableMetadata,
        snapshot: &Snapshot,
    ) -> (BTreeSet<String>, Vec<Removed>) {
        self.audit.snapshots += 1;
        let (mut live, mut removed) = (BTreeSet::new(), Vec::new());
        let mut records = 0;
        let by = format!("the manifest list of snapshot {}", snapshot.snapshot_id());
        let Some(bytes) = self.get(snapshot.manifest_list(), &by).await else { return (live, removed) };
        let list = match ManifestList::parse_with_version(&bytes, metadata.format_version()) {
            Ok(list) => list,
            Err(error) => {
                self.differs(snapshot.manifest_list(), error);
                return (live, removed);
            }
        };
        for manifest in list.entries() {
            let entries = self.manifest(manifest).await;
            let by_this = |removed: &Removed| removed.snapshot_id == Some(snapshot.snapshot_id());
            removed.extend(entries.removed.into_iter().filter(by_this));
            for file in entries.live {
                records += file.record_count();
                if !live.insert(file.file_path().to_owned()) {
                    self.differs(file.file_path(), format!("it is listed twice in {by}"));
                }
                self.data_file(&file).await;
            }
        }
        for (key, counted) in [("total-records", records), ("total-data-files", live.len() as u64)] {
            let said = snapshot.summary().additional_properties.get(key);
            if said.map(String::as_str) != Some(counted.to_string().as_str()) {
                self.differs(snapshot.manifest_list(), format!("{key} is {said:?}, counted {counted}"));
            }
        }
        (live, removed)
    }

    /// What a snapshot has against what its parent had: nothing goes without being told, and an overwrite keeps nothing.
    fn compare(
        &mut self,
        snapshot: &Snapshot,
        parent: &BTreeSet<String>,
        files: &BTreeSet<String>,
        removed: &[Removed],
    ) {
        let id = snapshot.snapshot_id();
        let mut told = BTreeSet::new();
        for Removed { location, numbers, .. } in removed {
            let added = self.numbers.get(location).copied();
            if !parent.contains(location) || !told.insert(location.clone()) {
                self.differs(location, format!("snapshot {id} took it out, and it was not there"));
            } else if *numbers != [added; 2] {
                self.differs(location, format!("snapshot {id} says {numbers:?}; it was added in {added:?}"));
            }
        }
        if let Some(lost) = parent.iter().find(|file| !files.contains(*file) && !told.contains(*file)) {
            let reason = format!("snapshot {id} left it out");
            self.audit.findings.push(Finding::Missing { location: lost.clone(), reason });
        }
        let overwrites = snapshot.summary().operation == Operation::Overwrite;
        if !overwrites && !told.is_empty() {
            self.differs(snapshot.manifest_list(), format!("snapshot {id} appends, and takes out {told:?}"));
        }
        if overwrites && let Some(kept) = parent.intersection(files).next() {
            self.differs(kept, format!("snapshot {id} overwrites, and keeps it"));
        }
    }

    async fn manifest(&mut self, manifest: &ManifestFile) -> Entries {
        let location = &manifest.manifest_path;
        if let Some(known) = self.manifests.get(location) {
            return known.clone();
        }
        let Some(bytes) = self.get(location, "a manifest").await else { return Entries::default() };
        if bytes.len() as i64 != manifest.manifest_length {
            self.differs(location, format!("{} bytes, said {}", bytes.len(), manifest.manifest_length));
        }
        let mut entries = Entries::default();
        match Manifest::parse_avro(&bytes) {
            Ok(parsed) => {
                for entry in parsed.entries() {
                    if entry.status() != ManifestStatus::Deleted {
                        entries.live.push(entry.data_file().clone());
                        continue;
                    }
                    entries.removed.push(Removed {
                        location: entry.file_path().to_owned(),
                        snapshot_id: entry.snapshot_id,
                        numbers: [entry.sequence_number, entry.file_sequence_number],
                    });
                }
            }
            Err(error) => self.differs(location, error),
        }
        self.manifests.insert(location.clone(), entries.clone());
        entries
    }

    async fn data_file(&mut self, file: &DataFile) {
        if self.files.contains_key(file.file_path()) {
            return;
        }
        let mut rows = Rows::default();
        if let Some(bytes) = self.get(file.file_path(), "a data file").await {
            if bytes.len() as u64 != file.file_size_in_bytes() {
                let reason = format!("{} bytes, said {}", bytes.len(), file.file_size_in_bytes());
                self.differs(file.file_path(), reason);
            }
            match rows.add_file(bytes) {
                Ok(count) if count == file.record_count() => {}
                Ok(count) => {
                    self.differs(file.file_path(), format!("{count} rows, said {}", file.record_count()));
                }
                Err(error) => self.differs(file.file_path(), format!("{error:?}")),
            }
        }
        self.files.insert(file.file_path().to_owned(), rows);
    }

    /// Each earlier state of the table is there, and each step to the next one kept its rules.
    async fn history(&mut self, table: &Table) {
        let mut before: Option<TableMetadata> = None;
        for entry in table.metadata.metadata_log() {
            let Some(bytes) = self.get(&entry.metadata_file, "an earlier state of the table").await else {
                return;
            };
            match serde_json::from_slice::<TableMetadata>(&bytes) {
                Ok(state) => {
                    self.step(before.as_ref(), &state, &entry.metadata_file);
                    before = Some(state);
                }
                Err(error) => return self.differs(&entry.metadata_file, error),
            }
        }
        if before.is_some() {
            self.step(before.as_ref(), &table.metadata, &table.metadata_location);
        }
    }

    fn step(&mut self, before: Option<&TableMetadata>, after: &TableMetadata, location: &str) {
        let Some(before) = before else { return };
        let is_new = before.current_snapshot_id() != after.current_snapshot_id();
        let added = after.current_snapshot().filter(|_| is_new).map_or(Some(0), |snapshot| {
            let added = snapshot.summary().additional_properties.get("added-records");
            added.and_then(|added| added.parse().ok())
        });
        let operation = after.current_snapshot().map(|snapshot| &snapshot.summary().operation);
        let check = match operation {
            Some(Operation::Overwrite) if is_new => invariants::check_overwrite,
            _ => invariants::check_append,
        };
        if let Err(violation) = check(Some(before), after, added.unwrap_or(0)) {
            self.differs(location, violation);
        }
    }

    async fn get(&mut self, location: &str, what: &str) -> Option<Bytes> {
        let missing = |reason: String| Finding::Missing { location: location.to_owned(), reason };
        let result = match Location::parse(location) {
            Ok(place) => {
                self.host.store.get(&place).await.map_err(|error| missing(format!("{what}: {error}")))
            }
            Err(error) => Err(missing(format!("{what}: {error}"))),
        };
        result.map_err(|finding| self.audit.findings.push(finding)).ok()
    }

    fn differs(&mut self, location: &str, reason: impl std::fmt::Display) {
        let (location, reason) = (location.to_owned(), reason.to_string());
        self.audit.findings.push(Finding::Differs { location, reason });
    }
}

#[cfg(test)]
mod tests;
