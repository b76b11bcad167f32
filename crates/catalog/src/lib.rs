//! Which tables exist, and the one place where a commit becomes true.
//!
//! A table is what its metadata file says, and which file that is, is one row of a database. A commit writes new
//! files beside the old ones, makes them durable, and then changes the rows of all its tables and the ledger of what was
//! ingested in *one transaction* ([`Database::transact`]), each only if it still is what the commit was planned on.
//! Before that nothing has happened; after it everything has. When the answer of the transaction is lost, the
//! database is asked again before anything is decided, and nothing is deleted.
//!
//! The database has the layout of Iceberg's JdbcCatalog, so other engines work on the same lake; what they write
//! is seen because each use of a table asks the database anew. Files never change, so their decoded content is kept in memory
//! under their path.

mod avro;
mod cache;
mod catalog;
mod commit;
mod database;
mod encode;
mod error;
mod files;
mod jobs;
mod leases;
mod manifest;
mod publish;
mod removal;
mod sqlite;
mod table;

pub use cache::DecodedManifest;
pub use catalog::{Catalog, CatalogSettings};
pub use commit::{Commit, Committed, TableChange};
pub use database::{
    Change, Database, DatabaseError, LedgerRow, LedgerRule, Pointer, Refusal, Transaction, TransactionOutcome,
};
pub use error::CatalogError;
pub use hosu_table::commit::{Append, NewTable, Overwrite, Step};
pub use jobs::{
    JobChange, JobRun, JobRuns, JobSlot, JobState, Lease, Position, RunInput, RunState, UnknownRunState,
};
pub use sqlite::SqliteDatabase;
pub use table::Table;

#[cfg(test)]
mod tests;
