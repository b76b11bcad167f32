//! What a snapshot tells about itself: what it added and took out, and what the table has in all.
//!
//! Engines show these numbers and plan with them. A total of which the parent's part is not known is left out:
//! a wrong one is worse than none.

use std::collections::{BTreeMap, HashMap};

use iceberg::spec::{DataContentType, DataFile, PartitionSpec, Schema, Struct, Summary, TableMetadata};

use crate::commit::NewRows;
use crate::paths;

/// What a snapshot's summary says under a key that is a count, such as `total-records`; none where it says nothing that can be
/// understood.
pub fn summary_count(summary: &Summary, key: &str) -> Option<u64> {
    summary.additional_properties.get(key)?.parse().ok()
}

/// The entries of a snapshot that appends files, after a parent with the summary `parent` (none for the first one).
/// Partitions are listed singly up to `partitions_max` of them.
pub fn append_summary(
    rows: &NewRows<'_>,
    spec: &PartitionSpec,
    schema: &Schema,
    parent: Option<&Summary>,
    partitions_max: u64,
) -> HashMap<String, String> {
    let added = Counts::of(rows.files);
    let mut entries = rows.summary.clone();
    entries.extend(ADDED.of(added));
    if !spec.is_unpartitioned() {
        let spec_of = |_| Some(spec);
        entries.extend(partition_entries(&added_partitions(rows), &spec_of, schema, partitions_max));
    }
    let before = |key: &str| match parent {
        None => Some(0),
        Some(parent) => summary_count(parent, key),
    };
    for (key, more) in totals(added) {
        if let Some(total) = before(key).and_then(|before| before.checked_add(more)) {
            entries.insert(key.to_owned(), total.to_string());
        }
    }
    entries
}

/// The entries of a snapshot that replaces all files of `base` by others. Partitions are listed singly up to
/// `partitions_max` of them.
pub fn overwrite_summary(
    rows: &NewRows<'_>,
    removed: &Removed,
    base: &TableMetadata,
    schema: &Schema,
    partitions_max: u64,
) -> HashMap<String, String> {
    let added = Counts::of(rows.files);
    let mut entries = rows.summary.clone();
    entries.extend(ADDED.of(added));
    entries.extend(removed.entries());
    let spec_of = |spec_id| base.partition_spec_by_id(spec_id).map(AsRef::as_ref);
    let mut partitions = added_partitions(rows);
    for ((spec_id, partition), counts) in &removed.partitions {
        partitions.entry((*spec_id, partition)).or_default().removed.merge(*counts);
    }
    // Files that are in no partition change none.
    partitions.retain(|(spec_id, _), _| spec_of(*spec_id).is_none_or(|spec| !spec.is_unpartitioned()));
    if !partitions.is_empty() {
        entries.extend(partition_entries(&partitions, &spec_of, schema, partitions_max));
    }
    // What the table has is what was added, whatever the parent tells.
    entries.extend(totals(added).map(|(key, total)| (key.to_owned(), total.to_string())));
    entries
}

/// What a snapshot takes out of a table, counted.
#[derive(Clone, Debug, Default)]
pub struct Removed {
    data: Counts,
    position_deletes: Counts,
    equality_deletes: Counts,
    partitions: HashMap<(i32, Struct), Counts>,
}

impl Removed {
    /// Counts a live file, of data or deletes, that was routed by the partition spec `spec_id`.
    pub fn add(&mut self, spec_id: i32, file: &DataFile) {
        let of_partition = self.partitions.entry((spec_id, file.partition().clone())).or_default();
        match file.content_type() {
            DataContentType::Data => {
                self.data.add(file);
                of_partition.add(file);
            }
            DataContentType::PositionDeletes => self.position_deletes.add(file),
            DataContentType::EqualityDeletes => self.equality_deletes.add(file),
        }
    }

    /// Counts what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        self.data.merge(other.data);
        self.position_deletes.merge(other.position_deletes);
        self.equality_deletes.merge(other.equality_deletes);
        for (partition, counts) in &other.partitions {
            self.partitions.entry(partition.clone()).or_default().merge(*counts);
        }
    }

    /// Those that are 0 are left out, as other writers do.
    fn entries(&self) -> impl Iterator<Item = (String, String)> {
        let mut deletes = self.position_deletes;
        deletes.merge(self.equality_deletes);
        let bytes = self.data.bytes.saturating_add(deletes.bytes);
        let deletes = [
            ("removed-delete-files", deletes.files),
            ("removed-position-delete-files", self.position_deletes.files),
            ("removed-equality-delete-files", self.equality_deletes.files),
            ("removed-position-deletes", self.position_deletes.records),
            ("removed-equality-deletes", self.equality_deletes.records),
        ];
        let deletes = deletes.into_iter().filter(|(_, count)| *count > 0);
        let deletes = deletes.map(|(key, count)| (key.to_owned(), count.to_string()));
        REMOVED.of(Counts { bytes, ..self.data }).chain(deletes)
    }
}

/// What changed in each partition, under the spec that it is of.
type Partitions<'a> = HashMap<(i32, &'a Struct), Changed>;

fn added_partitions<'a>(rows: &NewRows<'a>) -> Partitions<'a> {
    let mut partitions = Partitions::new();
    for file in rows.files {
        partitions.entry((rows.spec_id, file.partition())).or_default().added.add(file);
    }
    partitions
}

fn partition_entries<'a>(
    partitions: &Partitions<'_>,
    spec_of: &dyn Fn(i32) -> Option<&'a PartitionSpec>,
    schema: &Schema,
    partitions_max: u64,
) -> Vec<(String, String)> {
    let mut entries = vec![("changed-partition-count".to_owned(), partitions.len().to_string())];
    if partitions.len() as u64 > partitions_max {
        return entries;
    }
    // Two specs may give the same name to what they have.
    let mut named: BTreeMap<String, Changed> = BTreeMap::new();
    for ((spec_id, partition), changed) in partitions {
        if let Some(spec) = spec_of(*spec_id) {
            let folders = paths::partition_folders(spec, schema, partition).join("/");
            let of_name = named.entry(folders).or_default();
            of_name.added.merge(changed.added);
            of_name.removed.merge(changed.removed);
        }
    }
    entries.extend(named.into_iter().map(|(folders, changed)| {
        let counts = ADDED.of(changed.added).chain(REMOVED.of(changed.removed));
        let counts: Vec<_> = counts.map(|(key, value)| format!("{key}={value}")).collect();
        (format!("partitions.{folders}"), counts.join(","))
    }));
    entries
}

fn totals(added: Counts) -> [(&'static str, u64); 6] {
    [
        ("total-data-files", added.files),
        ("total-records", added.records),
        ("total-files-size", added.bytes),
        ("total-delete-files", 0),
        ("total-position-deletes", 0),
        ("total-equality-deletes", 0),
    ]
}

#[derive(Clone, Copy, Debug, Default)]
struct Changed {
    added: Counts,
    removed: Counts,
}

/// The keys of counted files.
struct Keys {
    files: &'static str,
    records: &'static str,
    bytes: &'static str,
}

const ADDED: Keys = Keys { files: "added-data-files", records: "added-records", bytes: "added-files-size" };
const REMOVED: Keys =
    Keys { files: "deleted-data-files", records: "deleted-records", bytes: "removed-files-size" };

impl Keys {
    /// Those that are 0 are left out.
    fn of(&self, counts: Counts) -> impl Iterator<Item = (String, String)> + use<> {
        let entries =
            [(self.files, counts.files), (self.records, counts.records), (self.bytes, counts.bytes)];
        let entries = entries.into_iter().filter(|(_, count)| *count > 0);
        entries.map(|(key, count)| (key.to_owned(), count.to_string()))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    files: u64,
    records: u64,
    bytes: u64,
}

impl Counts {
    fn of(files: &[DataFile]) -> Self {
        files.iter().fold(Self::default(), |mut sum, file| {
            sum.add(file);
            sum
        })
    }

    fn add(&mut self, file: &DataFile) {
        self.merge(Self { files: 1, records: file.record_count(), bytes: file.file_size_in_bytes() });
    }

    fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.records = self.records.saturating_add(other.records);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}
