//! What a commit is and how it is planned: facts in, decision out.
//!
//! A change is a list of [`Step`]s. [`check`] says whether they still make sense on what the table has become since
//! they were planned, [`plan_manifests`] which manifests the new snapshot lists and which are merged,
//! [`plan_removal`] which ones tell what an overwrite took out, and [`next_metadata`] writes the table's next metadata. Files are read and written, and the outcome is made true, by
//! the crate `catalog`.

mod manifests;
mod metadata;
mod summary;

use std::collections::HashMap;

use iceberg::spec::{DataFile, FormatVersion, PartitionSpec, Schema, SchemaId, SortOrder, TableMetadata};
use uuid::Uuid;

pub use manifests::{Bin, plan_manifests, plan_removal};
pub use metadata::{MetadataError, NewSnapshot, Next, first_metadata, next_metadata, schema_after};
pub use summary::{Removed, append_summary, overwrite_summary, summary_count};

/// The key in a snapshot's summary that tells which operation made it.
pub const OPERATION_ID: &str = "hosu.operation-id";

/// A table that is to be made.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// Its identity for as long as it exists.
    pub uuid: Uuid,
    /// The folder of its files, as [`crate::paths::table_location`] makes it.
    pub location: String,
    /// Its columns, with the ids of [`crate::evolve::fresh_ids`].
    pub schema: Schema,
    /// How its rows are parted.
    pub spec: PartitionSpec,
    /// How the rows of a file are sorted.
    pub sort_order: SortOrder,
    /// Its properties.
    pub properties: HashMap<String, String>,
}

/// One thing that a commit does to a table. The steps of a commit become true in their order, all at once.
#[derive(Clone, Debug)]
pub enum Step {
    /// The columns become those of `schema`, which grew out of the schema with the id `base_schema_id`.
    EvolveSchema {
        /// The current schema when the step was planned; another one now is a conflict.
        base_schema_id: SchemaId,
        /// The new columns ([`crate::evolve::Evolved`]).
        schema: Box<Schema>,
    },
    /// Properties are set.
    SetProperties(HashMap<String, String>),
    /// Properties are removed; absent ones are passed over.
    RemoveProperties(Vec<String>),
    /// The current snapshot must be this one at each attempt (none: there is no snapshot yet); another one is a conflict.
    RequireSnapshot(Option<i64>),
    /// Data files are added. One of this and [`Step::Overwrite`] at most.
    Append(Append),
    /// Data files take the place of all files that the table has when the commit becomes true.
    Overwrite(Overwrite),
}

/// Data files to add in one snapshot.
#[derive(Clone, Debug)]
pub struct Append {
    /// The partition spec by which all of the files are routed.
    pub spec_id: i32,
    /// At least one; what it says about itself is taken as it is.
    pub files: Vec<DataFile>,
    /// Further entries of the snapshot's summary, such as [`OPERATION_ID`].
    pub summary: HashMap<String, String>,
}

/// The data files that a table has after one snapshot, and no others. Files that were there stay where they are, for
/// the snapshots that have them.
#[derive(Clone, Debug)]
pub struct Overwrite {
    /// The partition spec by which all of the files are routed.
    pub spec_id: i32,
    /// None leaves the table without rows.
    pub files: Vec<DataFile>,
    /// Further entries of the snapshot's summary, such as [`OPERATION_ID`].
    pub summary: HashMap<String, String>,
}

/// Why steps that were planned on an earlier state of a table make no sense on its present one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The name means another table now.
    #[error("the table was dropped and made again")]
    Replaced,
    /// Somebody changed the columns.
    #[error("its columns were changed meanwhile (schema {planned} was current, now it is {current})")]
    SchemaMoved {
        /// The schema that the steps were planned on.
        planned: SchemaId,
        /// The current one.
        current: SchemaId,
    },
    /// Somebody changed the rows.
    #[error("its rows were changed meanwhile ({} was current, now it is {})", snapshot(*planned), snapshot(*current))]
    SnapshotMoved {
        /// The snapshot that the steps were planned on; none when there was none.
        planned: Option<i64>,
        /// The current one.
        current: Option<i64>,
    },
    /// The partition spec of the files is not the table's.
    #[error("it has no partition spec {spec_id}")]
    SpecGone {
        /// The spec that the files were routed by.
        spec_id: i32,
    },
    /// A format that is not written.
    #[error("it has format version {version}; only version 2 is written")]
    Format {
        /// The table's format version.
        version: u8,
    },
}

/// Whether `steps`, planned on `planned`, can be carried out on `current`.
///
/// Files are added whatever the columns have become: they are matched by field id.
///
/// # Errors
/// The first [`Conflict`].
pub fn check(planned: &TableMetadata, current: &TableMetadata, steps: &[Step]) -> Result<(), Conflict> {
    if planned.uuid() != current.uuid() {
        return Err(Conflict::Replaced);
    }
    if current.format_version() != FormatVersion::V2 {
        return Err(Conflict::Format { version: current.format_version() as u8 });
    }
    steps.iter().try_for_each(|step| match step {
        Step::EvolveSchema { base_schema_id, .. } if *base_schema_id != current.current_schema_id() => {
            Err(Conflict::SchemaMoved { planned: *base_schema_id, current: current.current_schema_id() })
        }
        Step::RequireSnapshot(planned) if *planned != current.current_snapshot_id() => {
            Err(Conflict::SnapshotMoved { planned: *planned, current: current.current_snapshot_id() })
        }
        Step::Append(Append { spec_id, .. }) | Step::Overwrite(Overwrite { spec_id, .. })
            if current.partition_spec_by_id(*spec_id).is_none() =>
        {
            Err(Conflict::SpecGone { spec_id: *spec_id })
        }
        _ => Ok(()),
    })
}

/// The snapshot that steps make.
#[derive(Clone, Copy, Debug)]
pub struct NewRows<'a> {
    /// Whether its files are all that the table has; else they are added to those that it has.
    pub overwrites: bool,
    /// The partition spec of the files.
    pub spec_id: i32,
    /// The new files.
    pub files: &'a [DataFile],
    /// Further entries of its summary.
    pub summary: &'a HashMap<String, String>,
}

/// The snapshot that the steps make, if they make one.
pub fn new_rows(steps: &[Step]) -> Option<NewRows<'_>> {
    steps.iter().find_map(|step| match step {
        Step::Append(Append { spec_id, files, summary }) if !files.is_empty() => {
            Some(NewRows { overwrites: false, spec_id: *spec_id, files, summary })
        }
        Step::Overwrite(Overwrite { spec_id, files, summary }) => {
            Some(NewRows { overwrites: true, spec_id: *spec_id, files, summary })
        }
        _ => None,
    })
}

fn snapshot(id: Option<i64>) -> String {
    id.map_or_else(|| "no snapshot".to_owned(), |id| format!("snapshot {id}"))
}

#[cfg(test)]
mod tests;
