//! What an ingest has done, or would do: the object that `--output json` prints (docs/ingest.md).
//! Names of fields are stable; scripts rest on them.

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
    /// Data files added, those of the rejects table included.
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
    /// `ndjson`; none when it was not looked at.
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
