//! The tables in the database: Iceberg's JdbcCatalog (V1) exactly, and our own, whose names begin with `hosu_`.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::jobs;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

/// The version of our own tables. A file with a newer one is refused: it may mean something else.
pub(super) const VERSION: u32 = 3;

/// How often WAL is asked for while others read the file or ask for it too. Each try but the last waits for their locks.
const WAL_TRIES: u32 = 100;

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Io(io::Error),
    NotACatalog(String),
    Newer(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

const ICEBERG: &str = "
CREATE TABLE IF NOT EXISTS iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL,
    table_namespace VARCHAR(255) NOT NULL,
    table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000),
    previous_metadata_location VARCHAR(1000),
    iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000),
    PRIMARY KEY (catalog_name, namespace, property_key)
);
";

const OURS: &str = "
CREATE TABLE IF NOT EXISTS hosu_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hosu_ingested (
    table_uuid TEXT NOT NULL,
    branch TEXT NOT NULL,
    source TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    content TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    snapshot_id INTEGER,
    rows_added INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    ingested_at_ms INTEGER NOT NULL,
    from_byte INTEGER NOT NULL DEFAULT 0,
    identity TEXT
);
CREATE INDEX IF NOT EXISTS hosu_ingested_source ON hosu_ingested (table_uuid, branch, source);
";

/// What the ledger of a file of version 1 or 2 lacks.
const PARTS: &str = "
ALTER TABLE hosu_ingested ADD COLUMN from_byte INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosu_ingested ADD COLUMN identity TEXT;
";

const COMPLETE: &str = "
CREATE INDEX IF NOT EXISTS hosu_ingested_identity ON hosu_ingested (table_uuid, branch, identity)
    WHERE identity IS NOT NULL;
INSERT OR IGNORE INTO hosu_meta (key, value) VALUES ('schema_version', '3');
UPDATE hosu_meta SET value = '3' WHERE key = 'schema_version' AND value IN ('1', '2');
";

/// What an open file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// No table at all: as good as no file.
    Nothing,
    /// Iceberg's tables; another engine made it.
    Iceberg,
    /// Iceberg's tables and ours of an earlier version.
    Earlier {
        /// Whether there are rows of jobs; else there is the ledger alone.
        has_jobs: bool,
    },
    /// Iceberg's tables and ours.
    Complete,
}

/// Checks that an open file is a catalog of a version that we know.
///
/// All questions are asked in one transaction: another program may be making the tables meanwhile, and between two
/// questions it would look as if some were there and others not.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<Content, Fault> {
    let transaction = connection.unchecked_transaction()?;
    let content = content(&transaction, path)?;
    transaction.commit()?;
    Ok(content)
}

fn content(connection: &Connection, path: &Path) -> Result<Content, Fault> {
    if path.metadata().is_ok_and(|file| file.is_dir()) {
        return Err(Fault::NotACatalog("it is a folder".to_owned()));
    }
    let has_tables = has_table(connection, "iceberg_tables")?;
    if !has_tables && !is_empty(connection)? {
        return Err(Fault::NotACatalog("it is a database without Iceberg's tables".to_owned()));
    }
    if !has_tables {
        return Ok(Content::Nothing);
    }
    if !has_column(connection, "iceberg_tables", "iceberg_type")? {
        // Version 0 of the layout, as older engines make it. The column is added by our first write.
        connection.execute_batch(V0_VIEW)?;
    }
    if !has_table(connection, "iceberg_namespace_properties")? {
        return Err(Fault::NotACatalog("it has no table iceberg_namespace_properties".to_owned()));
    }
    if !has_table(connection, "hosu_meta")? {
        return Ok(Content::Iceberg);
    }
    let version: Option<String> = connection
        .query_row("SELECT value FROM hosu_meta WHERE key = 'schema_version'", [], |row| row.get(0))
        .optional()?;
    match version.as_deref().unwrap_or("none").parse::<u32>() {
        Ok(version) if version < VERSION => Ok(Content::Earlier { has_jobs: version >= jobs::VERSION }),
        Ok(VERSION) => Ok(Content::Complete),
        _ => Err(Fault::Newer(version.unwrap_or_else(|| "none".to_owned()))),
    }
}

/// A view of this connection alone that gives the old layout the missing column.
const V0_VIEW: &str = "
CREATE TEMPORARY VIEW iceberg_tables AS SELECT *, NULL AS iceberg_type FROM main.iceberg_tables;
";

/// Makes the file and what is missing in it, in one transaction, with its folder durable.
pub(super) fn create(path: &Path, lock_wait: Duration) -> Result<Connection, Fault> {
    let is_new = !path.exists();
    if is_new && let Some(folder) = path.parent() {
        make_folder(folder).map_err(Fault::Io)?;
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(lock_wait)?;
    begin_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(ICEBERG)?;
    if !has_column(&transaction, "iceberg_tables", "iceberg_type")? {
        transaction.execute_batch("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)")?;
    }
    transaction.execute_batch(jobs::TABLES)?;
    transaction.execute_batch(OURS)?;
    if !has_column(&transaction, "hosu_ingested", "from_byte")? {
        transaction.execute_batch(PARTS)?;
    }
    transaction.execute_batch(COMPLETE)?;
    transaction.commit()?;
    if is_new && let Some(folder) = path.parent() {
        sync_folder(folder).map_err(Fault::Io)?;
    }
    check(&connection, path)?;
    Ok(connection)
}

/// Switches to WAL. SQLite reads the file first and then asks for the whole of it; where two do that at the same time, or one
/// reads, it gives up at once instead of waiting. So the lock is waited for by itself, and the switch is tried again.
fn begin_wal(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 1..WAL_TRIES {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
            }
            switched => return switched,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}

/// Makes a folder and those above it; each new name is synced.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folder(parent)?;
    }
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    folder.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::File::open(folder)?.sync_all()
}

fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?1";
    connection.query_row(sql, [table], |_| Ok(())).optional().map(|row| row.is_some())
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM main.sqlite_master", [], |row| row.get(0))
}

fn has_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_info(?1, 'main') WHERE name = ?2";
    connection.query_row(sql, [table, column], |_| Ok(())).optional().map(|row| row.is_some())
}

#[cfg(test)]
mod tests;
