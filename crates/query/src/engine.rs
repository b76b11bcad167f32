//! Plans the text of queries and runs them within bounded memory.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionConfig;
use hosu_catalog::Catalog;
use hosu_table::name::TableName;
use tokio::sync::oneshot;

use crate::bound::{Bound, over};
use crate::bounded;
use crate::deep::with_deep_stack;
use crate::error::{QueryError, plan_error};
use crate::inputs::{self, Input, Reads};
use crate::memory::Memory;
use crate::names::Spelling;
use crate::percentiles::SharedPercentiles;
use crate::planned::Planned;
use crate::provider::SnapshotProvider;
use crate::statement::QueryText;
use crate::stats::{Live, ScanCounter, Scans};
use crate::store::HostStores;
use crate::system::SystemProvider;
use crate::utc::{PlainIntervals, WithoutZone};
use crate::views;
use crate::window;

/// What Athena calls its catalog, in lower case: statements that come from there name it.
pub(crate) const ATHENA_CATALOG: &str = "awsdatacatalog";

/// What an engine may use.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// The memory that all of its queries together may hold, footers included; beyond a share of it they spill.
    pub memory_bytes: usize,
    /// Where they spill; the system's temporary folder if none is given.
    pub spill: Option<PathBuf>,
    /// How many threads' worth of work a query is cut into.
    pub cores: usize,
    /// The most that a statement may plan to read.
    pub scan_bytes_max: Option<u64>,
    /// The memory for footers of data files, an eighth of the whole at most.
    pub footer_cache_bytes: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            spill: None,
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            scan_bytes_max: None,
            footer_cache_bytes: 256 << 20,
        }
    }
}

/// Plans and runs queries. Clones share memory, spill folder and footers.
#[derive(Clone)]
pub struct Engine {
    state: SessionState,
    memory: Memory,
    scan_bytes_max: Option<u64>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine with these settings.
    ///
    /// # Errors
    /// When the spill folder cannot be made.
    pub fn new(settings: EngineSettings) -> Result<Self, QueryError> {
        let disk = match &settings.spill {
            Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
            None => DiskManagerMode::OsTmpDirectory,
        };
        let memory = Memory::new(settings.memory_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(memory.pool())
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
            .with_metadata_cache_limit(settings.footer_cache_bytes.min(settings.memory_bytes / 8))
            .build_arc()
            .map_err(plan_error)?;
        let mut state = SessionStateBuilder::new()
            .with_config(session_config(&settings))
            .with_runtime_env(runtime)
            .with_default_features()
            .with_optimizer_rule(Arc::new(SharedPercentiles))
            .with_optimizer_rule(Arc::new(PlainIntervals))
            .with_physical_optimizer_rules(window::physical_rules())
            .build();
        state.register_function_rewrite(Arc::new(WithoutZone)).map_err(plan_error)?;
        bounded::bound(&mut state, settings.memory_bytes).map_err(plan_error)?;
        Ok(Self { state, memory, scan_bytes_max: settings.scan_bytes_max })
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Plans one query: a SELECT with or without WITH, VALUES, or EXPLAIN of one. Each of its tables is looked
    /// up once and stays as it is now, and its files are pruned; none is read yet.
    ///
    /// A table without a database is in `database`.
    ///
    /// # Errors
    /// [`QueryError`], with the place in `sql` where that is known.
    pub async fn plan(&self, catalog: &Catalog, database: &str, sql: &str) -> Result<Planned, QueryError> {
        self.plan_live(catalog, database, sql, &Live::default()).await
    }

    /// As [`Engine::plan`]; `live` shows the statement's figures while it is planned, and then while it runs.
    ///
    /// # Errors
    /// As [`Engine::plan`].
    pub async fn plan_live(
        &self,
        catalog: &Catalog,
        database: &str,
        sql: &str,
        live: &Live,
    ) -> Result<Planned, QueryError> {
        let (engine, catalog, live) = (self.clone(), catalog.clone(), live.clone());
        let (database, sql) = (database.to_owned(), sql.to_owned());
        let planning = async move {
            let text = QueryText::parse(&sql)?;
            let reads = inputs::load(&catalog, &database, &text.tables()?).await?;
            engine.plan_over(&catalog, &database, &text, &reads, &live).await
        };
        self.watched(planning).await
    }

    /// Plans one query over these tables, whatever the catalog has under their names: one that was loaded earlier, or one that
    /// is not there yet. No table is looked up.
    ///
    /// # Errors
    /// As [`Engine::plan`]; [`QueryError::TableNotFound`] for a table that is not among them; [`QueryError::Unsupported`] for
    /// EXPLAIN.
    pub async fn plan_on(
        &self,
        catalog: &Catalog,
        database: &str,
        sql: &str,
        inputs: &[Input],
        live: &Live,
    ) -> Result<Planned, QueryError> {
        let (engine, catalog, live) = (self.clone(), catalog.clone(), live.clone());
        let (database, sql, inputs) = (database.to_owned(), sql.to_owned(), inputs.to_vec());
        let planning = async move {
            let text = QueryText::parse(&sql)?;
            let reads = given(&catalog, &database, &text, &inputs)?;
            engine.plan_over(&catalog, &database, &text, &reads, &live).await
        };
        self.watched(planning).await
    }

    /// Says what a query means over these tables, as [`Engine::plan_on`] would run it. Which of their files it reads is not looked at.
    ///
    /// # Errors
    /// As [`Engine::plan_on`].
    pub async fn bind_on(
        &self,
        catalog: &Catalog,
        database: &str,
        sql: &str,
        inputs: &[Input],
    ) -> Result<Bound, QueryError> {
        let (engine, catalog) = (self.clone(), catalog.clone());
        let (database, sql, inputs) = (database.to_owned(), sql.to_owned(), inputs.to_vec());
        let binding = async move {
            let text = QueryText::parse(&sql)?;
            let reads = given(&catalog, &database, &text, &inputs)?;
            let statement = Statement { catalog: &catalog, database: &database, text: &text, reads: &reads };
            let bound = engine.bind_text(&statement, Depth::Bound, &Live::default()).await?.bound;
            // Here, where there is stack enough.
            bound.examine();
            Ok(bound)
        };
        // Nothing is computed, so that no memory needs to be watched.
        with_deep_stack(binding).await
    }

    /// Plans on a thread with enough stack, until the memory is used up.
    async fn watched<T: Send + 'static>(
        &self,
        planning: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let (tell, told) = oneshot::channel();
        let _watch = self.memory.watch(move |error| drop(tell.send(error)));
        tokio::select! {
            biased;
            Ok(error) = told => Err(plan_error(error)),
            planned = with_deep_stack(planning) => planned,
        }
    }

    /// Deletes what queries have spilled. Those that still run fail.
    pub fn remove_spilled(&self) {
        for folder in self.state.runtime_env().disk_manager.temp_dir_paths() {
            // What is gone already is well; what cannot be deleted is in a temporary folder.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    async fn plan_over(
        &self,
        catalog: &Catalog,
        database: &str,
        text: &QueryText,
        reads: &Reads,
        live: &Live,
    ) -> Result<Planned, QueryError> {
        let statement = Statement { catalog, database, text, reads };
        let Meant { state, logical, bound, scans } =
            self.bind_text(&statement, Depth::Optimized, live).await?;
        let planner = state.query_planner().clone();
        let physical = planner.create_physical_plan(&logical, &state).await.map_err(plan_error)?;
        let schema = renamed(&views::schema_outside(&physical.schema()), bound.names());
        let task = state.task_ctx();
        let planned = Planned::new(bound, logical, physical, schema, task, self.memory.clone(), scans);
        self.check_scan(&planned)?;
        Ok(planned)
    }

    /// What a statement means, and its plan.
    async fn bind_text(
        &self,
        statement: &Statement<'_>,
        depth: Depth,
        live: &Live,
    ) -> Result<Meant, QueryError> {
        let spelling = statement.reads.spelling()?;
        match (self.bind_spelled(statement, &spelling, depth, live).await, spelling.everywhere()) {
            // A field of something without a path, perhaps, whose name others spell in another way.
            (Err(error), Some(everywhere)) => {
                self.bind_spelled(statement, &everywhere, depth, live).await.map_err(|_| error)
            }
            (meant, _) => meant,
        }
    }

    async fn bind_spelled(
        &self,
        statement: &Statement<'_>,
        spelling: &Spelling,
        depth: Depth,
        live: &Live,
    ) -> Result<Meant, QueryError> {
        let Statement { catalog, database, text, reads } = statement;
        let scans = Scans::default();
        live.show(scans.clone());
        let catalogs = catalogs(catalog, reads, spelling, &scans.counter)?;
        let state = self.state_of(catalog, database, spelling, catalogs, scans.meter.clone());

        let logical = match state.statement_to_plan(text.spelled(spelling)).await {
            Err(error) if error.to_string().contains("require unique expression names") => {
                state.statement_to_plan(text.spelled_apart(spelling)).await
            }
            planned => planned,
        };
        let plan = logical.map_err(plan_error)?;
        let names = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        let names = text.result_names(spelling, names);
        let logical = over(&plan, &reads.inputs)?;
        let logical = match depth {
            // Types are settled then, which is all that binding is about.
            Depth::Bound => state.analyzer().execute_and_check(logical, state.config_options(), |_, _| {}),
            Depth::Optimized => state.optimize(&logical),
        };
        let logical = logical.map_err(plan_error)?;
        let batch_rows = state.config().batch_size();
        bounded::check_constants(&logical, self.memory.limit_bytes(), batch_rows).map_err(plan_error)?;
        let schema = views::schema_outside(logical.schema().inner());
        let schema = renamed(&schema, names.clone());
        Ok(Meant { state, logical, bound: Bound::new(plan, names, schema), scans })
    }

    fn check_scan(&self, planned: &Planned) -> Result<(), QueryError> {
        let bytes = planned.stats().bytes_planned;
        match self.scan_bytes_max {
            Some(bytes_max) if bytes > bytes_max => Err(QueryError::ScanTooLarge { bytes, bytes_max }),
            _ => Ok(()),
        }
    }

    /// The session of one statement: the engine's, with the statement's tables, meter and time.
    fn state_of(
        &self,
        catalog: &Catalog,
        database: &str,
        spelling: &Spelling,
        catalogs: Arc<dyn CatalogProviderList>,
        meter: Arc<hosu_host::Meter>,
    ) -> SessionState {
        let shared = self.state.runtime_env();
        let runtime = RuntimeEnv {
            object_store_registry: Arc::new(HostStores::new(catalog.host().store.metered(meter))),
            ..shared.as_ref().clone()
        };
        let config = self
            .state
            .config()
            .clone()
            .with_default_catalog_and_schema(spelling.of(catalog.name()), spelling.of(database));
        let mut state = SessionStateBuilder::new_from_existing(self.state.clone())
            .with_config(config)
            .with_runtime_env(Arc::new(runtime))
            .with_catalog_list(catalogs)
            .build();
        let now = chrono::DateTime::from_timestamp_millis(catalog.host().clock.now_ms()).unwrap_or_default();
        state.execution_props_mut().query_execution_start_time = Some(now);
        state
    }
}

/// A query and what it is planned over.
struct Statement<'a> {
    catalog: &'a Catalog,
    database: &'a str,
    text: &'a QueryText,
    reads: &'a Reads,
}

/// How far a statement is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Until it is known what it means.
    Bound,
    /// Until it can be run.
    Optimized,
}

/// What a query means, and the session that can go on from there.
struct Meant {
    state: SessionState,
    /// As deep as was asked for, and over the rows that are to be read.
    logical: LogicalPlan,
    bound: Bound,
    scans: Scans,
}

/// The tables of a query out of those that are given.
fn given(catalog: &Catalog, database: &str, text: &QueryText, inputs: &[Input]) -> Result<Reads, QueryError> {
    if text.is_explain() {
        return Err(QueryError::Unsupported { what: "EXPLAIN".to_owned(), position: None });
    }
    inputs::given(catalog, database, &text.tables()?, inputs)
}

fn session_config(settings: &EngineSettings) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(settings.cores.max(1))
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_parquet_pruning(true)
        .with_parquet_bloom_filter_pruning(true)
        .with_parquet_page_index_pruning(true);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = true;
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.parquet.coerce_int96 = Some("us".to_owned());
    options.execution.collect_statistics = false;
    // Each sort keeps this much for merging; of little memory it must not be all.
    options.execution.sort_spill_reservation_bytes = (settings.memory_bytes / 16).min(10 << 20);
    config
}

fn catalogs(
    catalog: &Catalog,
    reads: &Reads,
    spelling: &Spelling,
    counter: &Arc<ScanCounter>,
) -> Result<Arc<dyn CatalogProviderList>, QueryError> {
    let mut tables: Vec<(&TableName, Arc<dyn TableProvider>)> = Vec::new();
    for Input { name, table, .. } in &reads.inputs {
        let provider = SnapshotProvider::spelled(catalog, table.clone(), spelling, counter.clone())?;
        tables.push((name, Arc::new(provider)));
    }
    for (name, table) in &reads.system {
        tables.push((name, Arc::new(SystemProvider::new(catalog, *table, spelling)?)));
    }
    let databases = MemoryCatalogProvider::new();
    for (name, table) in tables {
        let database = spelling.of(&name.database);
        let schema = match databases.schema(&database) {
            Some(schema) => schema,
            None => {
                let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
                databases.register_schema(&database, schema.clone()).map_err(plan_error)?;
                schema
            }
        };
        schema.register_table(spelling.of(&name.table), table).map_err(plan_error)?;
    }
    let list = MemoryCatalogProviderList::new();
    let databases = Arc::new(databases);
    list.register_catalog(spelling.of(ATHENA_CATALOG), databases.clone());
    list.register_catalog(spelling.of(catalog.name()), databases);
    Ok(Arc::new(list))
}

fn renamed(schema: &SchemaRef, names: Vec<String>) -> SchemaRef {
    let fields = schema.fields().iter().zip(names);
    let fields: Vec<_> = fields.map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
    Arc::new(ArrowSchema::new(fields))
}
