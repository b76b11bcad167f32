//! What can go wrong with a catalog, told with the table or path that it concerns.

use hosu_host::{LocationError, StoreError};
use hosu_table::commit::{Conflict, MetadataError};
use hosu_table::invariants::Violation;
use hosu_table::name::TableName;
use uuid::Uuid;

use crate::database::DatabaseError;

/// An error of [`crate::Catalog`].
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No such table.
    #[error("there is no table {name}")]
    TableNotFound {
        /// The name that was looked for.
        name: TableName,
        /// The table that was most likely meant.
        nearest: Option<TableName>,
    },
    /// The name is taken.
    #[error("there is a table or view {name} already")]
    TableExists {
        /// The name.
        name: TableName,
    },
    /// No such database.
    #[error("there is no database {database}")]
    DatabaseNotFound {
        /// The name that was looked for.
        database: String,
        /// The database that was most likely meant.
        nearest: Option<String>,
    },
    /// The name is taken.
    #[error("there is a database {database} already")]
    DatabaseExists {
        /// The name.
        database: String,
    },
    /// A database that has tables is not dropped.
    #[error("database {database} has tables")]
    DatabaseNotEmpty {
        /// Its name.
        database: String,
    },
    /// What was planned makes no sense any more on what the table has become. Nothing was committed; plan again.
    #[error("{table} was changed by another program: {conflict}")]
    Conflict {
        /// The table.
        table: TableName,
        /// What changed.
        conflict: Conflict,
    },
    /// A format of tables that is read, and not written.
    #[error("{table} has format version {version}, and only version 2 is written")]
    FormatVersion {
        /// The table.
        table: TableName,
        /// Its format version.
        version: u8,
    },
    /// The ledger has these sources already. Nothing was committed.
    #[error("already ingested: {}", sources.join(", "))]
    AlreadyIngested {
        /// The sources.
        sources: Vec<String>,
    },
    /// Somebody else has the lease. Nothing was committed.
    #[error("{name} is held by {holder}")]
    LeaseHeld {
        /// What it is the right to.
        name: String,
        /// Who has it.
        holder: Uuid,
        /// Until when, in milliseconds since 1970, unless it is renewed.
        until_ms: i64,
    },
    /// The lease was taken by somebody else meanwhile. Nothing was committed under it since then.
    #[error("{name} was taken over by another program")]
    LeaseLost {
        /// What it is the right to.
        name: String,
    },
    /// Others committed to the table so often that this commit never had its turn. Nothing was committed.
    #[error("{table} is being changed by others all the time: {attempts} attempts to commit failed")]
    Contended {
        /// The table.
        table: TableName,
        /// How often it was tried.
        attempts: u32,
    },
    /// It is not known whether the commit happened. Nothing may be deleted.
    #[error("it is not known whether the commit of {table} happened")]
    Unknown {
        /// The first table of the commit.
        table: TableName,
        /// Why.
        #[source]
        source: DatabaseError,
    },
    /// The database failed; nothing was committed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A file could not be read or written; nothing was committed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalog says that a table is at a place that is none.
    #[error("{table} is at a place that cannot be used")]
    Location {
        /// The table.
        table: TableName,
        /// What is wrong with it.
        #[source]
        source: LocationError,
    },
    /// A metadata file, manifest list or manifest that cannot be understood.
    #[error("{location} cannot be read as {what}: {reason}")]
    Unreadable {
        /// The file.
        location: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The commit makes no valid table; nothing was committed.
    #[error("{table} cannot become what was asked")]
    Invalid {
        /// The table.
        table: TableName,
        /// Why.
        #[source]
        source: MetadataError,
    },
    /// A file of Iceberg's could not be encoded; nothing was committed.
    #[error("the manifests of {table} cannot be written: {reason}")]
    Encode {
        /// The table.
        table: TableName,
        /// Why.
        reason: String,
    },
    /// The commit would have broken a rule that each commit keeps; nothing was committed. A defect of hosu.
    #[error("a commit of {table} was stopped")]
    Invariant {
        /// The table.
        table: TableName,
        /// The rule.
        #[source]
        source: Violation,
    },
}

impl CatalogError {
    /// Why what was planned cannot be carried out on a table.
    pub fn conflict(table: TableName, conflict: Conflict) -> Self {
        match conflict {
            Conflict::Format { version } => Self::FormatVersion { table, version },
            conflict => Self::Conflict { table, conflict },
        }
    }

    /// Whether it is certain that nothing was committed, so that a writer may delete the files it made for the commit.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Unknown { .. } => false,
            Self::Database(error) => !error.is_unknown(),
            _ => true,
        }
    }
}
