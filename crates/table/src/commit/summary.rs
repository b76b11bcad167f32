//! What a snapshot tells about itself: what it added, and what the table has in all.
//!
//! Engines show these numbers and plan with them. A total of which the parent's part is not known is left out:
//! a wrong one is worse than none.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{DataFile, PartitionSpec, Schema, Summary};

use crate::commit::Append;
use crate::paths;

/// The entries of a snapshot that appends files, after a parent with the summary `parent` (none for the first one).
/// Partitions are listed singly up to `partitions_max` of them.
pub fn append_summary(
    append: &Append,
    spec: &PartitionSpec,
    schema: &Schema,
    parent: Option<&Summary>,
    partitions_max: u64,
) -> HashMap<String, String> {
    let mut entries = append.summary.clone();
    let added = Added::of(&append.files);
    entries.extend(added.entries());
    if !spec.is_unpartitioned() {
        let partitions: HashSet<_> = append.files.iter().map(DataFile::partition).collect();
        entries.insert("changed-partition-count".to_owned(), partitions.len().to_string());
        if partitions.len() as u64 <= partitions_max {
            for partition in partitions {
                let of_partition = append.files.iter().filter(|file| file.partition() == partition);
                let folders = paths::partition_folders(spec, schema, partition).join("/");
                entries.insert(format!("partitions.{folders}"), Added::of(of_partition).joined());
            }
        }
    }
    let totals = [
        ("total-data-files", added.files),
        ("total-records", added.records),
        ("total-files-size", added.bytes),
        ("total-delete-files", 0),
        ("total-position-deletes", 0),
        ("total-equality-deletes", 0),
    ];
    for (key, more) in totals {
        let before = match parent {
            None => Some(0),
            Some(parent) => parent.additional_properties.get(key).and_then(|text| text.parse::<u64>().ok()),
        };
        if let Some(total) = before.and_then(|before| before.checked_add(more)) {
            entries.insert(key.to_owned(), total.to_string());
        }
    }
    entries
}

struct Added {
    files: u64,
    records: u64,
    bytes: u64,
}

impl Added {
    fn of<'a>(files: impl IntoIterator<Item = &'a DataFile>) -> Self {
        files.into_iter().fold(Self { files: 0, records: 0, bytes: 0 }, |sum, file| Self {
            files: sum.files + 1,
            records: sum.records.saturating_add(file.record_count()),
            bytes: sum.bytes.saturating_add(file.file_size_in_bytes()),
        })
    }

    fn entries(&self) -> [(String, String); 3] {
        [
            ("added-data-files".to_owned(), self.files.to_string()),
            ("added-records".to_owned(), self.records.to_string()),
            ("added-files-size".to_owned(), self.bytes.to_string()),
        ]
    }

    fn joined(&self) -> String {
        self.entries().map(|(key, value)| format!("{key}={value}")).join(",")
    }
}
