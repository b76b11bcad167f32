//! What an audit says: the object that `hosu ingest --audit --output json` prints (docs/audit.md).

use std::collections::BTreeMap;

use serde::Serialize;

/// What an audit has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// `database.table`.
    pub table: String,
    /// The snapshot that was looked at; none of a table without one.
    pub snapshot_id: Option<String>,
    /// Rows of its data files, counted in them.
    pub rows: u64,
    /// Its data files.
    pub data_files: u64,
    /// Rows of the ledger: one a source and commit.
    pub sources: u64,
    /// Rows that the ledger says were added.
    pub rows_ingested: u64,
    /// Records that the ledger says were rejected.
    pub rejected: u64,
    /// How many sources are in snapshots of which kind: `current`, `expired`, `rolled_back`, `rejected` (without a row).
    pub sources_by_status: BTreeMap<String, u64>,
    /// Snapshots that took out files with ingested rows, oldest first.
    pub removed: Vec<Removal>,
    /// Snapshots that nothing in the ledger made, oldest first.
    pub others: Vec<OtherWriter>,
    /// Contents that were ingested more than once.
    pub repeated: Vec<Repeated>,
    /// What is not as it should be.
    pub findings: Vec<AuditFinding>,
    /// How many there are; [`Audit::findings`] has the first thousand.
    pub findings_count: u64,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// Its kind, in snake case (docs/audit.md has all of them).
    pub kind: &'static str,
    /// `database.table`.
    pub table: String,
    /// The source that it concerns, or the first of them.
    pub source: Option<String>,
    /// How many sources it concerns.
    pub sources: u64,
    /// The snapshot that it concerns.
    pub snapshot_id: Option<String>,
    /// The file that it concerns.
    pub path: Option<String>,
    /// What should be.
    pub expected: Option<u64>,
    /// What is.
    pub found: Option<u64>,
    /// All of it in words.
    pub message: String,
}

/// A snapshot that took out files with ingested rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// `database.table`.
    pub table: String,
    /// The snapshot.
    pub snapshot_id: String,
    /// `delete`, `overwrite`, `replace`, …
    pub operation: String,
    /// When it was committed, in milliseconds since 1970.
    pub committed_at_ms: i64,
    /// Who committed it, as far as the snapshot tells.
    pub writer: String,
    /// Rows of the files that it took out.
    pub rows_removed: u64,
    /// Rows of the files that it put in instead.
    pub rows_added: u64,
    /// Rows that its delete files mark as deleted by their place.
    pub rows_marked: u64,
    /// Whether it deletes by value, so that nothing but a query tells how many rows.
    pub by_value: bool,
    /// The first of the sources whose rows were in those files.
    pub sources: Vec<String>,
    /// How many sources had rows in them.
    pub sources_count: u64,
}

/// A snapshot that no ingest made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OtherWriter {
    /// `database.table`.
    pub table: String,
    /// The snapshot.
    pub snapshot_id: String,
    /// `append`, `overwrite`, …
    pub operation: String,
    /// When it was committed, in milliseconds since 1970; none when it has expired.
    pub committed_at_ms: Option<i64>,
    /// Who committed it, as far as it is known: a job, Hosu's SQL, another engine.
    pub writer: String,
    /// Data files that it added.
    pub data_files: u64,
    /// Rows that it added.
    pub rows_added: u64,
    /// Rows of the files that it took out.
    pub rows_removed: u64,
}

/// One content that was ingested more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// The content, as the ledger has it.
    pub content: String,
    /// How often.
    pub times: u64,
    /// The names of its sources, each once, the first ten.
    pub sources: Vec<String>,
    /// The snapshots, the first ten.
    pub snapshot_ids: Vec<String>,
    /// Rows of each time.
    pub rows: u64,
}
