//! Tables of the database `system`, which no file is of: what the catalog keeps of jobs and ingested sources, as rows.
//!
//! A table of a lake's own with the same name comes first: nothing that somebody stored is hidden.

mod ingests;
mod rows;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef as ArrowSchemaRef;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use hosu_catalog::{Catalog, CatalogError, JobRun, JobRuns};
use hosu_table::arrow_schema;
use hosu_table::name::TableName;
use iceberg::spec::{ListType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Type};

use crate::error::QueryError;
use crate::names::Spelling;

/// The database that they are in.
pub const DATABASE: &str = "system";

/// A table of the database `system`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemTable {
    /// What was ingested, and what became of it.
    Ingests,
    /// The runs of jobs.
    JobRuns,
    /// Which inputs each snapshot of a target was made of.
    Lineage,
}

impl SystemTable {
    /// All of them, in order of their names.
    pub const ALL: [Self; 3] = [Self::Ingests, Self::JobRuns, Self::Lineage];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingests => "ingests",
            Self::JobRuns => "job_runs",
            Self::Lineage => "lineage",
        }
    }

    /// The one that this is the name of, in any case.
    pub fn find(name: &TableName) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|table| name.table.eq_ignore_ascii_case(table.name()));
        found.filter(|_| name.database.eq_ignore_ascii_case(DATABASE))
    }

    /// Its columns.
    ///
    /// # Errors
    /// Never for the columns that are written here.
    pub fn schema(self) -> std::result::Result<Schema, QueryError> {
        let fields = match self {
            Self::Ingests => ingests::columns(),
            Self::JobRuns => job_runs(),
            Self::Lineage => lineage(),
        };
        let schema = Schema::builder().with_fields(fields).build();
        schema.map_err(|error| QueryError::Failed { message: error.to_string() })
    }
}

fn column(id: i32, name: &str, primitive: PrimitiveType) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, Type::Primitive(primitive)))
}

fn job_runs() -> Vec<NestedFieldRef> {
    use PrimitiveType::{Int, Long, String, Timestamptz};
    let input = vec![
        column(21, "table_name", String),
        column(22, "from_snapshot_id", Long),
        column(23, "to_snapshot_id", Long),
    ];
    let input = NestedField::list_element(20, Type::Struct(StructType::new(input)), false);
    let inputs = Type::List(ListType::new(Arc::new(input)));
    vec![
        column(1, "run_id", String),
        column(2, "job", String),
        column(3, "target", String),
        column(4, "mode", String),
        column(5, "trigger", String),
        column(6, "slot", Timestamptz),
        column(7, "attempt", Int),
        column(8, "state", String),
        column(9, "started_at", Timestamptz),
        column(10, "ended_at", Timestamptz),
        column(11, "snapshot_id", Long),
        Arc::new(NestedField::optional(12, "inputs", inputs)),
        column(13, "rows_read", Long),
        column(14, "bytes_read", Long),
        column(15, "files_written", Long),
        column(16, "rows_written", Long),
        column(17, "bytes_written", Long),
        column(18, "error", String),
    ]
}

fn lineage() -> Vec<NestedFieldRef> {
    use PrimitiveType::{Long, String, Timestamptz};
    vec![
        column(1, "target", String),
        column(2, "snapshot_id", Long),
        column(3, "job", String),
        column(4, "run_id", String),
        column(5, "input", String),
        column(6, "from_snapshot_id", Long),
        column(7, "to_snapshot_id", Long),
        column(8, "committed_at", Timestamptz),
    ]
}

/// A table of the database `system` as DataFusion sees it.
pub(crate) struct SystemProvider {
    table: SystemTable,
    catalog: Catalog,
    arrow: ArrowSchemaRef,
}

impl fmt::Debug for SystemProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemProvider({})", self.table.name())
    }
}

impl SystemProvider {
    /// One under the names of a statement.
    pub fn new(
        catalog: &Catalog,
        table: SystemTable,
        spelling: &Spelling,
    ) -> std::result::Result<Self, QueryError> {
        let schema = spelling.schema(&Arc::new(table.schema()?));
        let arrow = Arc::new(arrow_schema::to_arrow(&schema));
        Ok(Self { table, catalog: catalog.clone(), arrow })
    }
}

#[async_trait]
impl TableProvider for SystemProvider {
    fn schema(&self) -> ArrowSchemaRef {
        self.arrow.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Runs of one job are fewer to read; the filter itself stays above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = match self.table {
            SystemTable::Ingests => {
                let table = filters.iter().find_map(|filter| asked_for(filter, ingests::TABLE_NAME));
                let ingests = ingests::read(&self.catalog, table.as_deref()).await.map_err(external)?;
                rows::batch(ingests::arrays(&ingests), ingests.len(), &self.arrow)?
            }
            SystemTable::JobRuns | SystemTable::Lineage => {
                let runs = self.runs(filters, limit).await?;
                rows::of(self.table, &runs, &self.arrow)?
            }
        };
        Ok(MemorySourceConfig::try_new_exec(&[vec![rows]], self.arrow.clone(), projection.cloned())?)
    }
}

impl SystemProvider {
    async fn runs(&self, filters: &[Expr], limit: Option<usize>) -> Result<Vec<JobRun>> {
        let is_runs = self.table == SystemTable::JobRuns;
        let wanted = JobRuns {
            job: filters.iter().find_map(|filter| asked_for(filter, "job")),
            limit: limit.filter(|_| is_runs && filters.is_empty()).map(|limit| limit as u64),
            ..JobRuns::default()
        };
        self.catalog.job_runs(wanted).await.map_err(external)
    }
}

fn external(error: CatalogError) -> DataFusionError {
    DataFusionError::External(Box::new(QueryError::from(error)))
}

/// The text that a filter asks for in a column.
fn asked_for(filter: &Expr, wanted: &str) -> Option<String> {
    let Expr::BinaryExpr(binary) = filter else { return None };
    let (Expr::Column(column), Expr::Literal(text, _)) = (binary.left.as_ref(), binary.right.as_ref()) else {
        return None;
    };
    let asks = binary.op == Operator::Eq && column.name.eq_ignore_ascii_case(wanted);
    text.try_as_str().flatten().filter(|_| asks).map(ToOwned::to_owned)
}
