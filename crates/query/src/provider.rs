//! A pinned table as DataFusion sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef as ArrowSchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result, Statistics};
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion_datasource::PartitionedFile;
use hosu_catalog::{Catalog, Table};
use hosu_host::Location;
use iceberg::spec::{NameMapping, SchemaRef};
use object_store::ObjectMeta;

use crate::columns::FieldIdAdapterFactory;
use crate::error::QueryError;
use crate::increment::Increment;
use crate::names::Spelling;
use crate::prune::{FileContainer, Leaves, Pruner};
use crate::reading::CountedReaders;
use crate::scan::{self, ScanFile};
use crate::source::TableSource;
use crate::stats::ScanCounter;
use crate::{statistics, store, views};

/// The table property that says which field a name is in files without field ids.
const NAME_MAPPING: &str = "schema.name-mapping.default";

/// Asked for at first of a file: most footers are smaller, so that one request is enough.
const FOOTER_BYTES_GUESS: usize = 64 * 1024;

/// A table for DataFusion to read, as of the moment it was loaded. Its names are as they are in the table.
///
/// # Errors
/// [`QueryError::TableUnreadable`] for a table that needs what is not done here yet.
pub async fn provider(catalog: &Catalog, table: Arc<Table>) -> Result<Arc<dyn TableProvider>, QueryError> {
    let schema = table.schema().clone();
    Ok(Arc::new(SnapshotProvider::new(catalog.clone(), table, schema, Arc::default())?))
}

/// A table's current snapshot, or files of it.
#[derive(Clone)]
pub(crate) struct SnapshotProvider {
    catalog: Catalog,
    table: Arc<Table>,
    /// The current schema, not the snapshot's: a column that was added since is there, and NULL.
    schema: SchemaRef,
    arrow: ArrowSchemaRef,
    leaves: Arc<Leaves>,
    mapping: Option<Arc<NameMapping>>,
    counter: Arc<ScanCounter>,
    rows: Rows,
}

/// Which rows are read.
#[derive(Clone)]
enum Rows {
    All,
    /// Those of these files.
    Added(Arc<Increment>),
}

impl fmt::Debug for SnapshotProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnapshotProvider({})", self.table.name)
    }
}

impl SnapshotProvider {
    /// A table under the names of a statement.
    pub fn spelled(
        catalog: &Catalog,
        table: Arc<Table>,
        spelling: &Spelling,
        counter: Arc<ScanCounter>,
    ) -> Result<Self, QueryError> {
        let schema = spelling.schema(table.schema());
        Self::new(catalog.clone(), table, schema, counter)
    }

    fn new(
        catalog: Catalog,
        table: Arc<Table>,
        schema: SchemaRef,
        counter: Arc<ScanCounter>,
    ) -> Result<Self, QueryError> {
        if table.snapshot().is_some_and(|snapshot| snapshot.encryption_key_id().is_some()) {
            let reason = "it is encrypted".to_owned();
            return Err(QueryError::TableUnreadable { table: table.name.to_string(), reason });
        }
        let mapping = match table.metadata.properties().get(NAME_MAPPING) {
            Some(text) => Some(Arc::new(serde_json::from_str(text).map_err(|error| {
                let reason = format!("its property {NAME_MAPPING} cannot be understood: {error}");
                QueryError::TableUnreadable { table: table.name.to_string(), reason }
            })?)),
            None => None,
        };
        let arrow = Arc::new(views::schema_inside(&schema));
        let leaves = Arc::new(Leaves::new(&schema));
        Ok(Self { catalog, table, schema, arrow, leaves, mapping, counter, rows: Rows::All })
    }

    /// The same table, of which only these rows are read.
    pub fn reading(&self, added: Arc<Increment>) -> Self {
        Self { rows: Rows::Added(added), ..self.clone() }
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Its columns under the names of the statement.
    pub fn columns(&self) -> &SchemaRef {
        &self.schema
    }

    fn filter(&self, state: &dyn Session, filters: &[Expr]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(None) };
        let schema = DFSchema::try_from(self.arrow.as_ref().clone())?;
        state.create_physical_expr(unqualified(filter)?, &schema).map(Some)
    }

    /// One scan for each store that holds files; nearly always that is one.
    fn scans(
        &self,
        state: &dyn Session,
        files: &[ScanFile],
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        // The scan knows no other columns than those it reads: a wide table has statistics for each of its files.
        let columns = match projection {
            Some(columns) => Arc::new(self.arrow.project(columns)?),
            None => self.arrow.clone(),
        };
        let mut by_store: BTreeMap<String, Vec<(Location, &ScanFile)>> = BTreeMap::new();
        for file in files {
            let location = Location::parse(file.file().file_path()).map_err(|error| {
                let reason = format!("the place of a data file cannot be used: {error}");
                external(QueryError::TableUnreadable { table: self.table.name.to_string(), reason })
            })?;
            by_store.entry(location.root().to_owned()).or_default().push((location, file));
        }
        by_store.values().map(|files| self.scan_of(state, files, &columns, limit)).collect()
    }

    fn scan_of(
        &self,
        state: &dyn Session,
        files: &[(Location, &ScanFile)],
        columns: &ArrowSchemaRef,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some((first, _)) = files.first() else { return Ok(Arc::new(EmptyExec::new(columns.clone()))) };
        let url = store::url(first)?;
        let runtime = state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(&url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let nested_views = columns.fields().iter().any(|column| views::has_nested_views(column.data_type()));
        let readers = CountedReaders::new(readers, self.counter.clone(), nested_views);
        let parquet = ParquetSource::new(TableSchema::new(columns.clone(), Vec::new()))
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_metadata_size_hint(FOOTER_BYTES_GUESS)
            .with_parquet_file_reader_factory(Arc::new(readers));
        let containers: Vec<FileContainer<'_>> = files.iter().map(|(_, file)| file.container()).collect();
        let described = statistics::describe(&containers, columns, &self.leaves);
        let adapter = FieldIdAdapterFactory::new(
            self.table.name.to_string(),
            self.schema.clone(),
            self.mapping.clone(),
        );
        let partitions = state.config_options().execution.target_partitions;
        let config = FileScanConfigBuilder::new(url, Arc::new(TableSource::new(Arc::new(parquet))))
            .with_file_groups(groups(partitioned_files(files, described.files)?, partitions))
            .with_statistics(described.all)
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(adapter)))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

#[async_trait]
impl TableProvider for SnapshotProvider {
    fn schema(&self) -> ArrowSchemaRef {
        self.arrow.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They prune here. The scan takes them over as row filters later, when it is certain that it can.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pruner = Pruner::new(&self.leaves, self.filter(state, filters)?);
        let rows_wanted = limit.filter(|_| filters.is_empty()).map(|limit| limit as u64);
        let (files, stats) = match &self.rows {
            Rows::Added(added) => scan::plan_of(added.scan_files(), &pruner, rows_wanted),
            Rows::All => {
                scan::plan(&self.catalog, &self.table, &pruner, rows_wanted).await.map_err(external)?
            }
        };
        self.counter.add(&stats);
        let mut scans = self.scans(state, &files, projection, limit)?;
        match scans.len() {
            0 => {
                let schema = match projection {
                    Some(columns) => Arc::new(self.arrow.project(columns)?),
                    None => self.arrow.clone(),
                };
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => Ok(scans.remove(0)),
            _ => UnionExec::try_new(scans),
        }
    }
}

fn external(error: QueryError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A filter without the names of tables in front of its columns.
fn unqualified(filter: Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
    filter
        .transform(|expr| match expr {
            Expr::Column(mut column) if column.relation.is_some() => {
                column.relation = None;
                Ok(Transformed::yes(Expr::Column(column)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
}

fn partitioned_files(
    files: &[(Location, &ScanFile)],
    statistics: Vec<Arc<Statistics>>,
) -> Result<Vec<PartitionedFile>> {
    let files = files.iter().zip(statistics).map(|((location, file), statistics)| {
        let path = location.object_path().map_err(|error| DataFusionError::Execution(error.to_string()))?;
        let mut partitioned = PartitionedFile::new_from_meta(ObjectMeta {
            location: path,
            // Data files never change. The time is a constant of the store, because footers are cached by path
            // and time alone, and two buckets may have the same paths.
            last_modified: time_of_store(location.root()),
            size: file.file().file_size_in_bytes(),
            e_tag: None,
            version: None,
        });
        partitioned.statistics = Some(statistics);
        Ok(partitioned)
    });
    files.collect()
}

/// Files in groups of about the same size, the greatest first.
fn groups(mut files: Vec<PartitionedFile>, partitions: usize) -> Vec<FileGroup> {
    files.sort_by_key(|file| std::cmp::Reverse(file.object_meta.size));
    let count = partitions.clamp(1, files.len().max(1));
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); count];
    for file in files {
        if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes = bytes.saturating_add(file.object_meta.size.max(1));
            group.push(file);
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

fn time_of_store(root: &str) -> chrono::DateTime<chrono::Utc> {
    let sum = root.bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 1_000_000_007);
    chrono::DateTime::from_timestamp(sum, 0).unwrap_or_default()
}
