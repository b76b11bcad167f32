//! The database behind a catalog: few questions, and one way to change anything.
//!
//! It is a seam: SQLite is behind it today, and a simulation puts a faulty one there. What it promises is told at
//! [`Database::transact`]; nothing else writes.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;
use hosu_table::name::TableName;
use uuid::Uuid;

use crate::jobs::{JobChange, JobRun, JobRuns, JobSlot, JobState, Lease};

/// The row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Where the metadata lies that says what the table is now.
    pub metadata_location: String,
}

/// What a catalog asks of its database.
#[async_trait]
pub trait Database: Debug + Send + Sync {
    /// The row of a table; none when there is no such table.
    async fn pointer(&self, name: &TableName) -> Result<Option<Pointer>, DatabaseError>;

    /// All databases (Iceberg: namespaces) in order of their names: those with properties and those with a table.
    async fn databases(&self) -> Result<Vec<String>, DatabaseError>;

    /// The properties of a database; none when there is no such database.
    async fn database_properties(
        &self,
        database: &str,
    ) -> Result<Option<HashMap<String, String>>, DatabaseError>;

    /// The tables of a database, in order of their names.
    async fn tables(&self, database: &str) -> Result<Vec<TableName>, DatabaseError>;

    /// What the ledger knows of these sources of a table, named by [`LedgerRow::source`] or [`LedgerRow::identity`], oldest first
    /// for each of them; of all when `sources` is none.
    async fn ledger(
        &self,
        table_uuid: Uuid,
        sources: Option<&[String]>,
    ) -> Result<Vec<LedgerRow>, DatabaseError>;

    /// The lease of this name; none when nobody ever took it.
    async fn lease(&self, name: &str) -> Result<Option<Lease>, DatabaseError>;

    /// What a job has put into the table with this identity.
    async fn job_state(&self, target_uuid: Uuid) -> Result<Option<JobState>, DatabaseError>;

    /// What jobs have put into their targets.
    async fn job_states(&self) -> Result<Vec<JobState>, DatabaseError>;

    /// Runs of jobs, the newest first.
    async fn job_runs(&self, runs: JobRuns) -> Result<Vec<JobRun>, DatabaseError>;

    /// What the scheduler remembers of each job.
    async fn job_slots(&self) -> Result<Vec<JobSlot>, DatabaseError>;

    /// Makes the database itself where it is missing. It is asked before the first file of a new table is stored: metadata
    /// without a database beside it would look like a lake whose catalog was lost.
    async fn create(&self) -> Result<(), DatabaseError>;

    /// Makes all changes, in their order, or none. Once this returns [`TransactionOutcome::Done`] they are durable and every
    /// reader sees them; after [`TransactionOutcome::Refused`] and every error but [`DatabaseError::Unknown`] nothing has
    /// changed. Two transactions never see each other half done.
    async fn transact(&self, transaction: Transaction) -> Result<TransactionOutcome, DatabaseError>;

    /// What is wrong with the database's own file, in its own words; empty when it is sound.
    async fn problems(&self) -> Result<Vec<String>, DatabaseError>;
}

/// Changes that become true together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transaction {
    /// To databases and tables, in this order.
    pub changes: Vec<Change>,
    /// Rows for the ledger, each under its rule.
    pub ledger: Vec<LedgerRow>,
    /// Changes of the rows of jobs, in this order, after all others.
    pub jobs: Vec<JobChange>,
}

/// One change of what exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes a database. Refused when it exists, unless that is fine.
    CreateDatabase {
        /// Its name.
        database: String,
        /// Its properties.
        properties: HashMap<String, String>,
        /// Whether one that exists is left as it is.
        exists_ok: bool,
    },
    /// Removes a database. Refused when it has tables.
    DropDatabase {
        /// Its name.
        database: String,
    },
    /// Makes a table. Refused when the name is taken or the database does not exist.
    CreateTable {
        /// Its name.
        name: TableName,
        /// Its first metadata.
        metadata_location: String,
    },
    /// Compare and swap: makes `to` a table's metadata if it is `from` now, and refuses otherwise.
    SwapTable {
        /// Its name.
        name: TableName,
        /// What the commit was planned on.
        from: String,
        /// What it made.
        to: String,
    },
    /// Removes a table if its metadata is `from` now.
    DropTable {
        /// Its name.
        name: TableName,
        /// What it must be.
        from: String,
    },
    /// Gives a table another name. Refused when that is taken or its database does not exist.
    RenameTable {
        /// Its name.
        name: TableName,
        /// Its new name.
        to: TableName,
    },
}

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum TransactionOutcome {
    /// All of it is true now.
    Done,
    /// None of it is; the first reason.
    Refused(Refusal),
}

/// Why a transaction was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A database of the name exists.
    DatabaseExists(String),
    /// There is no database of the name.
    DatabaseMissing(String),
    /// The database has tables.
    DatabaseNotEmpty(String),
    /// The name is taken, by a table or a view.
    TableExists(TableName),
    /// There is no such table.
    TableMissing(TableName),
    /// The table's metadata is another one than the commit was planned on.
    TableMoved(TableName),
    /// These sources are in the ledger already.
    AlreadyIngested(Vec<String>),
    /// Somebody else has the lease.
    LeaseHeld {
        /// What it is the right to.
        name: String,
        /// Who has it.
        holder: Uuid,
        /// Until when, in milliseconds since 1970.
        until_ms: i64,
    },
    /// The lease was taken by somebody else meanwhile, or was never taken.
    LeaseLost {
        /// What it is the right to.
        name: String,
    },
}

/// One source, ingested once: what makes a second ingest of it change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The table that took it.
    pub table_uuid: Uuid,
    /// The branch of the table.
    pub branch: String,
    /// The source's absolute path or URL; `-` for standard input, which is never looked up.
    pub source: String,
    /// What tells the source from another one of its name, as `inode:<device>:<inode>`; none where only the name does.
    pub identity: Option<String>,
    /// Where in the source the part begins that this ingest took; what is before it was taken by earlier ones. 0 for a whole
    /// source.
    pub from_byte: u64,
    /// Where that part ends: the source's length as stored.
    pub size_bytes: u64,
    /// `blake3:<hex>` of the source's bytes as stored, from its start to `size_bytes`, or `etag:<etag>`.
    pub content: String,
    /// The ingest that took it.
    pub operation_id: Uuid,
    /// The snapshot that has its rows; none when it had none.
    pub snapshot_id: Option<i64>,
    /// Rows that it gave to the table.
    pub rows: u64,
    /// Records of it that went to the rejects table.
    pub rejected: u64,
    /// When it was committed, in milliseconds since 1970.
    pub ingested_at_ms: i64,
    /// When the row is refused. Not stored: rows that are read have [`LedgerRule::Any`].
    pub rule: LedgerRule,
}

/// When a ledger row is refused because the table has taken the source already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LedgerRule {
    /// When it has taken anything from this path or URL.
    #[default]
    FirstOfSource,
    /// When it has taken this content from it.
    FirstOfContent,
    /// When it has taken anything from this path, URL or identity since these many rows were all that it had of them.
    NothingSince {
        /// How many rows there were.
        rows: u64,
    },
    /// Never.
    Any,
}

/// Why the database could not do what it was asked. Nothing has changed, except perhaps after [`DatabaseError::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file is there and is no database.
    #[error("{} is no catalog: {reason}", path.display())]
    NotACatalog {
        /// The database's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database was made by a newer hosu.
    #[error("{} has version {version} of hosu's own tables; this hosu knows versions up to {known}", path.display())]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// What it says.
        version: String,
        /// The newest version that is known here.
        known: u32,
    },
    /// Somebody else holds the database for longer than is waited.
    #[error("{} is locked by another program", path.display())]
    Locked {
        /// The database's file.
        path: PathBuf,
    },
    /// The database's file is damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Corrupt {
        /// The database's file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The database can be read and not written.
    #[error("{} cannot be written", path.display())]
    ReadOnly {
        /// The database's file.
        path: PathBuf,
    },
    /// No room on the disk.
    #[error("there is no space left for {}", path.display())]
    Full {
        /// The database's file.
        path: PathBuf,
    },
    /// The file cannot be opened, read or written.
    #[error("{} cannot be used: {reason}", path.display())]
    Unusable {
        /// The database's file.
        path: PathBuf,
        /// What the system or SQLite says.
        reason: String,
    },
    /// The answer to a transaction got lost: it may have happened or not.
    #[error("it is not known whether {} took the change: {reason}", path.display())]
    Unknown {
        /// The database's file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

impl DatabaseError {
    /// Whether the change that was asked for may have happened.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}
