//! Every file of every snapshot: whether it is there, and is what is said of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use hosu_catalog::Table;
use hosu_host::{Host, Location};
use hosu_table::invariants;
use iceberg::spec::{
    DataFile, Manifest, ManifestFile, ManifestList, ManifestStatus, Snapshot, TableMetadata,
};

use super::{Audit, Finding};
use crate::rows::Rows;

/// Looks at all files of a table and gives the rows of its current snapshot.
pub(super) async fn examine(audit: &mut Audit, host: &Host, table: &Table) -> Rows {
    let mut examiner = Examiner { audit, host, manifests: HashMap::new(), files: BTreeMap::new() };
    let metadata = &table.metadata;
    let mut snapshots: Vec<_> = metadata.snapshots().collect();
    snapshots.sort_by_key(|snapshot| snapshot.sequence_number());
    let mut live: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for snapshot in snapshots {
        let files = examiner.snapshot(metadata, snapshot).await;
        let parent = snapshot.parent_snapshot_id().and_then(|parent| live.get(&parent));
        if let Some(lost) = parent.and_then(|parent| parent.difference(&files).next()) {
            let reason = format!("snapshot {} left it out", snapshot.snapshot_id());
            examiner.audit.findings.push(Finding::Missing { location: lost.clone(), reason });
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
    manifests: HashMap<String, Vec<DataFile>>,
    files: BTreeMap<String, Rows>,
}

impl Examiner<'_> {
    /// The live data files of a snapshot.
    async fn snapshot(&mut self, metadata: &TableMetadata, snapshot: &Snapshot) -> BTreeSet<String> {
        self.audit.snapshots += 1;
        let mut live = BTreeSet::new();
        let mut records = 0;
        let by = format!("the manifest list of snapshot {}", snapshot.snapshot_id());
        let Some(bytes) = self.get(snapshot.manifest_list(), &by).await else { return live };
        let list = match ManifestList::parse_with_version(&bytes, metadata.format_version()) {
            Ok(list) => list,
            Err(error) => {
                self.differs(snapshot.manifest_list(), error);
                return live;
            }
        };
        for manifest in list.entries() {
            for file in self.manifest(manifest).await {
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
        live
    }

    async fn manifest(&mut self, manifest: &ManifestFile) -> Vec<DataFile> {
        let location = &manifest.manifest_path;
        if let Some(known) = self.manifests.get(location) {
            return known.clone();
        }
        let Some(bytes) = self.get(location, "a manifest").await else { return Vec::new() };
        if bytes.len() as i64 != manifest.manifest_length {
            self.differs(location, format!("{} bytes, said {}", bytes.len(), manifest.manifest_length));
        }
        let files: Vec<DataFile> = match Manifest::parse_avro(&bytes) {
            Ok(parsed) => {
                let live = parsed.entries().iter().filter(|entry| entry.status() != ManifestStatus::Deleted);
                live.map(|entry| entry.data_file().clone()).collect()
            }
            Err(error) => {
                self.differs(location, error);
                Vec::new()
            }
        };
        self.manifests.insert(location.clone(), files.clone());
        files
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

    /// Each earlier state of the table is there, and each step to the next one kept the rules of an append.
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
        if let Err(violation) = invariants::check_append(Some(before), after, added.unwrap_or(0)) {
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
