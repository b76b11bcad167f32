//! SQLite as the database of a catalog: one file, no server.
//!
//! WAL mode with `synchronous=FULL`: a transaction is on disk when it is reported. All work runs on one connection, away from
//! the threads that must not block, and takes the write lock at its start. A file that is not there reads as an empty
//! lake and is made by the first write; a file that cannot be written is opened to be read.

mod jobs;
mod ledger;
mod schema;
mod transact;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hosu_table::name::TableName;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use uuid::Uuid;

use self::schema::Content;
use crate::database::{Database, DatabaseError, LedgerRow, Pointer, Transaction, TransactionOutcome};
use crate::jobs::{JobRun, JobRuns, JobSlot, JobState, Lease};

/// How long a lock of somebody else is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A catalog's database in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteDatabase {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    catalog: String,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    writable: bool,
    content: Content,
}

/// What a question gets when there is no file yet.
type Empty<T> = fn() -> T;

impl SqliteDatabase {
    /// The database in the file `path`, for the catalog of this name in it. Nothing is opened or made yet.
    pub fn new(path: PathBuf, catalog: String) -> Self {
        Self { shared: Arc::new(Shared { path, catalog, open: Mutex::new(None) }) }
    }

    async fn read<T: Send + 'static>(
        &self,
        empty: Empty<T>,
        question: impl FnOnce(&Open, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.blocking(move |shared, open| {
            if open.is_none() {
                *open = shared.open_existing()?;
            }
            let Some(opened) = open.as_ref() else { return Ok(empty()) };
            let answer = question(opened, &shared.catalog).map_err(|error| shared.explain(&error));
            // Our own tables may be made by another program any time; then the file is looked at again.
            open.take_if(|open| open.content != Content::Complete);
            answer
        })
        .await
    }

    /// Asks the rows of jobs, which are empty in a file that has no tables for them.
    async fn read_jobs<T: Default + Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.read(T::default, move |open, catalog| match open.content {
            Content::Complete | Content::Earlier { has_jobs: true } => question(&open.connection, catalog),
            _ => Ok(T::default()),
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &mut Option<Open>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
            work(&shared, &mut open)
        });
        done.await.unwrap_or_else(|error| {
            Err(DatabaseError::Unknown { path: self.shared.path.clone(), reason: error.to_string() })
        })
    }
}

impl Shared {
    /// Opens the file for reading and writing, or for reading alone where that is all that the system allows. None
    /// when there is no file, or nothing in it.
    fn open_existing(&self) -> Result<Option<Open>, DatabaseError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let writable = is_writable(&self.path);
        let connection = if writable {
            Connection::open_with_flags(
                &self.path,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        } else {
            open_read_only(&self.path)
        };
        let connection = connection.map_err(|error| self.explain(&error))?;
        connection.busy_timeout(LOCK_WAIT).map_err(|error| self.explain(&error))?;
        let content = schema::check(&connection, &self.path).map_err(|fault| self.faulty(fault))?;
        if writable {
            let set = connection.pragma_update(None, "synchronous", "FULL");
            set.map_err(|error| self.explain(&error))?;
        }
        Ok((content != Content::Nothing).then_some(Open { connection, writable, content }))
    }

    /// Opens the file to write, and makes it and its tables where they are missing.
    fn open_to_write<'a>(&self, open: &'a mut Option<Open>) -> Result<&'a mut Open, DatabaseError> {
        if open.is_none() {
            *open = self.open_existing()?;
        }
        if open.as_ref().is_some_and(|open| !open.writable) {
            return Err(DatabaseError::ReadOnly { path: self.path.clone() });
        }
        if open.as_ref().is_none_or(|open| open.content != Content::Complete) {
            drop(open.take());
            let connection = schema::create(&self.path, LOCK_WAIT).map_err(|fault| self.faulty(fault))?;
            *open = Some(Open { connection, writable: true, content: Content::Complete });
        }
        open.as_mut().ok_or_else(|| DatabaseError::ReadOnly { path: self.path.clone() })
    }

    fn faulty(&self, fault: schema::Fault) -> DatabaseError {
        let path = self.path.clone();
        match fault {
            schema::Fault::Sqlite(error) => self.explain(&error),
            schema::Fault::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                DatabaseError::Full { path }
            }
            schema::Fault::Io(error) if is_denied(&error) => DatabaseError::ReadOnly { path },
            schema::Fault::Io(error) => DatabaseError::Unusable { path, reason: error.to_string() },
            schema::Fault::NotACatalog(reason) => DatabaseError::NotACatalog { path, reason },
            schema::Fault::Newer(version) => DatabaseError::Newer { path, version, known: schema::VERSION },
        }
    }

    /// Says what an error of SQLite means; the transaction that it ended is rolled back.
    fn explain(&self, error: &rusqlite::Error) -> DatabaseError {
        let path = self.path.clone();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Locked { path },
            Some(ErrorCode::NotADatabase) => DatabaseError::NotACatalog { path, reason },
            Some(ErrorCode::DatabaseCorrupt) => DatabaseError::Corrupt { path, reason },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => DatabaseError::ReadOnly { path },
            Some(ErrorCode::DiskFull) => DatabaseError::Full { path },
            _ => DatabaseError::Unusable { path, reason },
        }
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn pointer(&self, name: &TableName) -> Result<Option<Pointer>, DatabaseError> {
        let name = name.clone();
        self.read(
            || None,
            move |open, catalog| {
                let sql = "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ?1 \
                           AND table_namespace = ?2 AND table_name = ?3 \
                           AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
                let mut statement = open.connection.prepare_cached(sql)?;
                let row = statement.query_row(params![catalog, name.database, name.table], |row| {
                    Ok(Pointer { metadata_location: row.get::<_, Option<String>>(0)?.unwrap_or_default() })
                });
                row.optional()
            },
        )
        .await
    }

    async fn databases(&self) -> Result<Vec<String>, DatabaseError> {
        self.read(Vec::new, |open, catalog| {
            let sql = "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1 \
                       UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?1 ORDER BY 1";
            let mut statement = open.connection.prepare_cached(sql)?;
            let rows = statement.query_map([catalog], |row| row.get(0))?;
            rows.collect()
        })
        .await
    }

    async fn database_properties(
        &self,
        database: &str,
    ) -> Result<Option<HashMap<String, String>>, DatabaseError> {
        let database = database.to_owned();
        self.read(
            || None,
            move |open, catalog| {
                if !transact::database_exists(&open.connection, catalog, &database)? {
                    return Ok(None);
                }
                let sql = "SELECT property_key, property_value FROM iceberg_namespace_properties \
                           WHERE catalog_name = ?1 AND namespace = ?2 AND property_key <> 'exists'";
                let mut statement = open.connection.prepare_cached(sql)?;
                let rows = statement.query_map([catalog, &database], |row| {
                    Ok((row.get(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default()))
                })?;
                rows.collect::<rusqlite::Result<_>>().map(Some)
            },
        )
        .await
    }

    async fn tables(&self, database: &str) -> Result<Vec<TableName>, DatabaseError> {
        let database = database.to_owned();
        self.read(Vec::new, move |open, catalog| {
            let sql = "SELECT table_name FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 \
                       AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL) ORDER BY 1";
            let mut statement = open.connection.prepare_cached(sql)?;
            let rows = statement.query_map([catalog, &database], |row| {
                Ok(TableName::stored(database.clone(), row.get::<_, String>(0)?))
            })?;
            rows.collect()
        })
        .await
    }

    async fn ledger(
        &self,
        table_uuid: Uuid,
        sources: Option<&[String]>,
    ) -> Result<Vec<LedgerRow>, DatabaseError> {
        let sources = sources.map(<[String]>::to_vec);
        self.read(Vec::new, move |open, _| {
            let has_parts = match open.content {
                Content::Iceberg | Content::Nothing => return Ok(Vec::new()),
                Content::Earlier { .. } => false,
                Content::Complete => true,
            };
            ledger::rows(&open.connection, table_uuid, sources.as_deref(), has_parts)
        })
        .await
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, DatabaseError> {
        let name = name.to_owned();
        self.read_jobs(move |connection, catalog| jobs::lease(connection, catalog, &name)).await
    }

    async fn job_state(&self, target_uuid: Uuid) -> Result<Option<JobState>, DatabaseError> {
        let states =
            self.read_jobs(move |connection, catalog| jobs::states(connection, catalog, Some(target_uuid)));
        Ok(states.await?.into_iter().next())
    }

    async fn job_states(&self) -> Result<Vec<JobState>, DatabaseError> {
        self.read_jobs(|connection, catalog| jobs::states(connection, catalog, None)).await
    }

    async fn job_runs(&self, runs: JobRuns) -> Result<Vec<JobRun>, DatabaseError> {
        self.read_jobs(move |connection, catalog| jobs::runs(connection, catalog, &runs)).await
    }

    async fn job_slots(&self) -> Result<Vec<JobSlot>, DatabaseError> {
        self.read_jobs(jobs::slots).await
    }

    async fn create(&self) -> Result<(), DatabaseError> {
        self.blocking(|shared, open| shared.open_to_write(open).map(drop)).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<TransactionOutcome, DatabaseError> {
        self.blocking(move |shared, open| {
            let open = shared.open_to_write(open)?;
            transact::transact(&mut open.connection, &shared.catalog, &transaction).map_err(|failed| {
                match failed {
                    transact::Failed::Before(error) => shared.explain(&error),
                    transact::Failed::AtCommit(error) => match shared.explain(&error) {
                        locked @ DatabaseError::Locked { .. } => locked,
                        _ => DatabaseError::Unknown { path: shared.path.clone(), reason: error.to_string() },
                    },
                }
            })
        })
        .await
    }

    async fn problems(&self) -> Result<Vec<String>, DatabaseError> {
        self.read(Vec::new, |open, _| {
            let mut statement = open.connection.prepare("PRAGMA integrity_check")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            let lines: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
        .await
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Whether the file and its folder can be written: SQLite puts the write-ahead log beside the file.
fn is_writable(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let may_write = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    may_write(path) && may_write(folder)
}

fn is_denied(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

/// A database in WAL mode needs its log's index beside it even to be read; where that cannot be made and there is no log
/// either, the file is complete by itself and is read as one that nobody changes.
fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let escaped: String = path.to_string_lossy().chars().fold(String::new(), |mut uri, c| {
        match c {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            c => uri.push(c),
        }
        uri
    });
    let immutable = if has_log { "" } else { "?immutable=1" };
    Connection::open_with_flags(format!("file:{escaped}{immutable}"), flags)
}
