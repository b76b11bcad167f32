//! Statements in, answers out: what each statement means is decided here, what it does in its own file.

use crate::answer::{Answer, Measure, Stats};
use crate::error::from_query;
use crate::names::Names;
use crate::statements::{create_table, database, explain, insert, properties, show};
use crate::{SqlError, code};
use futures::StreamExt;
use hosu_catalog::Catalog;
use hosu_datafile::WriterSettings;
use hosu_dialect::{At, Ident, Statement};
use hosu_host::Clock;
use hosu_query::{Engine, EngineSettings, FunctionInfo, Live, Planned, run_error};
use hosu_table::name::DEFAULT_DATABASE;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How statements are run.
#[derive(Clone, Debug)]
pub struct SqlSettings {
    /// The database of tables that are named without one.
    pub database: String,
    /// The memory that queries may hold; beyond it they spill.
    pub memory_bytes: usize,
    /// Where they spill; else the system's temporary folder.
    pub spill: Option<PathBuf>,
    /// How many threads' worth of work a query is cut into.
    pub cores: usize,
    /// The most that a statement may read.
    pub max_scan_bytes: Option<u64>,
    /// How INSERT writes its files.
    pub writer: WriterSettings,
}

impl Default for SqlSettings {
    fn default() -> Self {
        let engine = EngineSettings::default();
        Self {
            database: DEFAULT_DATABASE.to_owned(),
            memory_bytes: engine.memory_bytes,
            spill: engine.spill,
            cores: engine.cores,
            max_scan_bytes: engine.scan_bytes_max,
            writer: WriterSettings::default(),
        }
    }
}

/// Runs statements against a catalog, one after the other.
#[derive(Debug)]
pub struct Session {
    catalog: Catalog,
    engine: Engine,
    database: String,
    writer: WriterSettings,
}

impl Session {
    /// A session. The catalog is not touched yet.
    ///
    /// # Errors
    /// When the folder to spill to cannot be used.
    pub fn new(catalog: Catalog, settings: SqlSettings) -> Result<Self, SqlError> {
        let engine = Engine::new(EngineSettings {
            memory_bytes: settings.memory_bytes,
            spill: settings.spill,
            cores: settings.cores,
            scan_bytes_max: settings.max_scan_bytes,
            ..EngineSettings::default()
        })
        .map_err(|error| from_query(error, &At::from("")))?;
        Ok(Self { catalog, engine, database: settings.database, writer: settings.writer })
    }

    /// The database of tables that are named without one.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Changes the database of tables that are named without one, to one that exists, in any case.
    ///
    /// # Errors
    /// When there is no such database, with the nearest name.
    pub async fn use_database(&mut self, database: &Ident) -> Result<(), SqlError> {
        let names = Names { catalog: &self.catalog, database: &self.database };
        let found = names.database(Some(database)).await?;
        self.database = found;
        Ok(())
    }

    /// The functions that a query may call.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        self.engine.functions()
    }

    /// Runs one statement. A query has only begun when this returns: its rows come as they are read, and it stops when the
    /// answer is dropped. Everything else is done.
    ///
    /// # Errors
    /// With Trino's code, and the place in the text that the statement was parsed from: that of the fault where it is
    /// known, else that of the statement.
    pub async fn run(&mut self, statement: &At<Statement>) -> Result<Answer, SqlError> {
        self.run_live(statement, &Live::default()).await
    }

    /// As [`Session::run`]; `live` shows what the statement reads while it is planned and runs, also before this returns.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run_live(&mut self, statement: &At<Statement>, live: &Live) -> Result<Answer, SqlError> {
        self.dispatch(&statement.value, live).await.map_err(|error| error.at(statement.position))
    }

    async fn dispatch(&self, statement: &Statement, live: &Live) -> Result<Answer, SqlError> {
        let names = Names { catalog: &self.catalog, database: &self.database };
        let watch = Watch::start(&self.catalog);
        match statement {
            Statement::Query(query) => return self.query(query, watch, live).await,
            Statement::Explain(statement) => {
                let (texts, planned) = explain::explain(names, &self.engine, live, statement).await?;
                return Answer::of_texts(texts.columns, texts.rows, watch.of(planned, Stats::default()));
            }
            Statement::Insert(statement) => {
                let (inserted, planned) =
                    insert::insert(names, &self.engine, live, self.writer.clone(), statement).await?;
                let snapshot_id = inserted.snapshot_id.map(|id| id.to_string());
                let stats = Stats { rows_changed: inserted.rows, snapshot_id, ..Stats::default() };
                return Ok(Answer::empty(watch.of(planned, stats)));
            }
            _ => {}
        }
        if let Some(texts) = shown(names, statement).await? {
            return Answer::of_texts(texts.columns, texts.rows, watch.alone());
        }
        changed(names, statement).await?;
        Ok(Answer::empty(watch.alone()))
    }

    async fn query(&self, query: &At<String>, watch: Watch, live: &Live) -> Result<Answer, SqlError> {
        let planned = self
            .engine
            .plan_live(&self.catalog, &self.database, &query.value, live)
            .await
            .map_err(|error| from_query(error, query))?;
        let rows = planned.stream().map_err(|error| from_query(error, query))?;
        let schema = planned.schema();
        let query = query.clone();
        let rows = rows.map(move |batch| {
            // Where a row goes wrong is not known; the statement's own place is.
            batch.map_err(|error| from_query(run_error(error), &query).at(query.position))
        });
        Ok(Answer::new(&schema, rows, watch.of(planned, Stats::default())))
    }
}

/// Statements that only look.
async fn shown(names: Names<'_>, statement: &Statement) -> Result<Option<show::Texts>, SqlError> {
    Ok(Some(match statement {
        Statement::ShowDatabases { like } => show::databases(names, like.as_ref()).await?,
        Statement::ShowTables { database, like } => {
            show::tables(names, database.as_ref(), like.as_ref()).await?
        }
        Statement::ShowColumns { table } => show::columns(names, table).await?,
        Statement::ShowCreateTable { table } => show::create_table(names, table).await?,
        Statement::ShowTableProperties { table, key } => {
            show::table_properties(names, table, key.as_ref()).await?
        }
        Statement::Describe { form, table } => show::describe(names, *form, table).await?,
        _ => return Ok(None),
    }))
}

/// Statements that change databases and tables, not rows.
async fn changed(names: Names<'_>, statement: &Statement) -> Result<(), SqlError> {
    match statement {
        Statement::CreateDatabase(create) => database::create(names, create).await,
        Statement::DropDatabase { name, if_exists, cascade } => {
            database::drop(names, name, *if_exists, *cascade).await
        }
        Statement::CreateTable(create) => create_table::create(names, create).await,
        Statement::DropTable { table, if_exists } => database::drop_table(names, table, *if_exists).await,
        Statement::SetTableProperties { table, properties } => {
            properties::set(names, table, properties).await
        }
        Statement::UnsetTableProperties { table, keys, if_exists } => {
            properties::unset(names, table, keys, *if_exists).await
        }
        Statement::NotYet { what, .. } => {
            Err(SqlError::not_supported(format!("{what} is not supported yet")))
        }
        other => Err(SqlError::new(code::GENERIC_INTERNAL_ERROR, format!("no way to run {other}"))),
    }
}

impl Drop for Session {
    /// A query that is broken off, as by Ctrl-C, may keep its temporary files until the process ends, and then nobody deletes
    /// them.
    fn drop(&mut self) {
        self.engine.remove_spilled();
    }
}

/// Measures a statement.
struct Watch {
    clock: Arc<dyn Clock>,
    start: Duration,
}

impl Watch {
    fn start(catalog: &Catalog) -> Self {
        let clock = catalog.host().clock.clone();
        Self { start: clock.elapsed(), clock }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().saturating_sub(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    /// Of a statement that reads no rows of tables.
    fn alone(self) -> Measure {
        Arc::new(move || Stats { elapsed_ms: self.elapsed_ms(), ..Stats::default() })
    }

    /// Of a statement with a query.
    fn of(self, planned: Planned, stats: Stats) -> Measure {
        Arc::new(move || {
            let scan = planned.stats();
            Stats {
                files_read: scan.files_read,
                files_planned: scan.files_planned,
                files_total: scan.files_total,
                row_groups_read: scan.row_groups_read,
                row_groups_total: scan.row_groups_total,
                rows_scanned: scan.rows_scanned,
                bytes_scanned: scan.bytes_scanned,
                bytes_planned: scan.bytes_planned,
                bytes_total: scan.bytes_total,
                elapsed_ms: self.elapsed_ms(),
                ..stats.clone()
            }
        })
    }
}
