//! What an ingest has done, or would do: the object that `--output json` prints (docs/ingest.md).
//! Names of fields are stable; scripts rest on them.

use hosu_table::evolution::SchemaEvolution;
use iceberg::spec::PrimitiveType;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::frame::Compression;
use crate::source::LeftOut;

/// What an ingest has done, or in a dry run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `database.table`.
    pub table: String,
    /// Rows added to the table.
    pub rows: u64,
    /// Records that went to the rejects table.
    pub rejected: u64,
    /// Values that were kept in `_rescued_data`.
    pub rescued: u64,
    /// How many sources were ingested.
    pub sources: u64,
    /// How many sources were skipped because the table has them.
    pub sources_skipped: u64,
    /// How many sources were passed over because they are not newer than was asked for.
    pub sources_passed_over: u64,
    /// Data files added, those of the rejects table included; in a dry run those that would be.
    pub data_files: u64,
    /// Bytes of the ingested sources as they are stored.
    pub bytes_read: u64,
    /// Bytes of the data files.
    pub bytes_written: u64,
    /// The table's new snapshot; none when no row was added.
    pub snapshot_id: Option<String>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Whether nothing was written because that was asked for.
    pub dry_run: bool,
    /// Whether the table was made.
    pub table_created: bool,
    /// `database.table_rejects`, when a record went there.
    pub rejects_table: Option<String>,
    /// Why records were rejected, most records first; a hundred kinds at most.
    pub rejects_by_reason: Vec<RejectReason>,
    /// Full names of the columns that an existing table got.
    pub columns_added: Vec<String>,
    /// Which values were rescued, one entry a column or field, most values first; a thousand at most.
    pub rescued_columns: Vec<RescuedColumn>,
    /// Values that were left out, because that was asked for.
    pub ignored: u64,
    /// Which values were left out, one entry a field, most values first; a thousand at most.
    pub ignored_columns: Vec<RescuedColumn>,
    /// What became of new fields and misfits: `add-columns`, `rescue`, `ignore` or `fail`.
    pub schema_evolution: &'static str,
    /// How the table's columns changed; of a new table, its columns.
    pub schema_changes: Vec<SchemaChange>,
    /// The data files of each partition of a partitioned table; a thousand partitions at most.
    pub partitions: Vec<PartitionReport>,
    /// What is worth knowing beside: spellings of names that were taken for one column, columns beyond the limit.
    pub notes: Vec<String>,
    /// What would make a new table better.
    pub advice: Vec<Advice>,
    /// Each source, in the order in which they were read.
    pub sources_detail: Vec<SourceReport>,
    /// What was in a folder or matched a glob, and was not read.
    pub left_out: Vec<LeftOut>,
}

/// The values of one column that did not fit, or of a field that is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RescuedColumn {
    /// Its full name: `geo.lat`.
    pub column: String,
    /// The column's type; none when there is no such column.
    pub column_type: Option<String>,
    /// How many there were.
    pub values: u64,
    /// The text of the first of them, cut when it is long.
    pub example: String,
    /// The source and the line of the first.
    pub source: Option<String>,
    /// From 1.
    pub line_number: u64,
    /// The statement that shows the rows; none when nothing of them is in the table.
    pub query: Option<String>,
}

/// One change of a table's columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SchemaChange {
    /// What happened.
    pub change: ChangeKind,
    /// The column's full name.
    pub column: String,
    /// Its type, as Iceberg names it.
    pub column_type: String,
    /// Its type before, when it became wider.
    pub from: Option<String>,
}

/// What happened to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It has a wider type.
    Widened,
}

impl SchemaChange {
    pub(crate) fn added(column: String, column_type: String) -> Self {
        Self { change: ChangeKind::Added, column, column_type, from: None }
    }

    pub(crate) fn widened(column: String, from: &PrimitiveType, column_type: String) -> Self {
        Self { change: ChangeKind::Widened, column, column_type, from: Some(from.to_string()) }
    }
}

/// The data files of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// As its folder is called: `event_time_day=2026-03-01`.
    pub partition: String,
    /// How many files were added.
    pub files: u64,
    /// The rows in them.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
}

/// Something to consider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// In words.
    pub text: String,
    /// The option that does it: `--partition-by`.
    pub option: String,
    /// What to give it: `day(event_time)`.
    pub value: String,
}

impl Report {
    pub(crate) fn of_evolution(evolution: SchemaEvolution) -> Self {
        Self { schema_evolution: evolution.word(), ..Self::default() }
    }
}

/// Records that were rejected for the same reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RejectReason {
    /// What is the same in their reasons: `not JSON`, `contract: minimum at $.level`.
    pub reason: String,
    /// How many there were.
    pub records: u64,
    /// The whole reason of the first of them.
    pub example: String,
    /// Where that one is from.
    pub source: String,
    /// Its line there, from 1.
    pub line_number: u64,
}

/// What became of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// Its absolute path or URL, or `-`.
    pub source: String,
    /// What became of it.
    pub status: SourceStatus,
    /// `ndjson` or `json`; none when it was not looked at.
    pub format: Option<String>,
    /// How it is compressed; none when it was not looked at.
    pub compression: Option<Compression>,
    /// Rows of it that were added.
    pub rows: u64,
    /// Records of it that were rejected.
    pub rejected: u64,
    /// Values of it that were rescued.
    pub rescued: u64,
    /// Where in it that begins which was read; what is before it was ingested earlier.
    pub from_byte: u64,
    /// The size of what was read as it is stored, or of all of it if nothing was; none when it was not read and its size is not known.
    pub bytes: Option<u64>,
    /// Fields that stood beside its records in envelopes and were not ingested, and how often; the first hundred.
    pub envelope_fields: BTreeMap<String, u64>,
}

/// What became of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// Its records were added, or in a dry run would be.
    Ingested,
    /// The table has it already.
    Skipped,
    /// It holds no record.
    Empty,
}
