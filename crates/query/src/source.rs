//! DataFusion's Parquet source with two restraints: it never alone answers for a filter that it might drop, and it does
//! not go on asking rows about a filter that keeps many of them (see [`SampledFilter`]).
//!
//! A filter that was accepted when the plan was made becomes a row filter once a file's own schema is known.
//! Where the file needs adapting and the filter speaks of nested columns, that can fail, and DataFusion 54 then
//! reads on without the filter (apache/datafusion#24109). Such filters are pushed down to prune and to skip
//! rows, and are kept above the scan as well.
//!
//! So are those that speak of texts: they seldom hold for all rows of a row group, so that somebody has to ask each row,
//! and that is cheaper above the scan where many rows pass.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};
use datafusion_datasource::PartitionedFile;
use datafusion_datasource::morsel::Morselizer;
use object_store::ObjectStore;

use crate::sampled::{self, SampledFilter};

/// The Parquet source of a table.
#[derive(Clone)]
pub(crate) struct TableSource {
    parquet: Arc<dyn FileSource>,
}

impl TableSource {
    /// Around DataFusion's own source.
    pub fn new(parquet: Arc<dyn FileSource>) -> Self {
        Self { parquet }
    }

    fn wrap(parquet: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { parquet })
    }
}

impl FileSource for TableSource {
    fn create_file_opener(
        &self,
        _: Arc<dyn ObjectStore>,
        _: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        exec_err!("Parquet files are read in morsels")
    }

    fn create_morselizer(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        self.parquet.create_morselizer(object_store, base_config, partition)
    }

    fn table_schema(&self) -> &TableSchema {
        self.parquet.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Self::wrap(self.parquet.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.parquet.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.parquet.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.parquet.metrics()
    }

    fn file_type(&self) -> &str {
        self.parquet.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.parquet.fmt_extra(t, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.parquet.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<datafusion::physical_expr::LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        self.parquet.repartitioned(target_partitions, repartition_file_min_size, output_ordering, config)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let columns = self.table_schema().table_schema();
        let all_flat = filters.iter().all(|filter| !speaks_of(filter, columns, DataType::is_nested));
        let sampled: Vec<bool> = filters.iter().map(|filter| is_sampled(filter, columns)).collect();
        let filters = filters.into_iter().zip(&sampled);
        let filters = filters
            .map(|(filter, sampled)| if *sampled { SampledFilter::of(filter) } else { filter })
            .collect();
        let mut pushed = self.parquet.try_pushdown_filters(filters, config)?;
        pushed.updated_node = pushed.updated_node.map(|source| {
            let source = if all_flat { source } else { without_cache(source) };
            Self::wrap(source)
        });
        for (pushed, sampled) in pushed.filters.iter_mut().zip(sampled) {
            if sampled {
                *pushed = PushedDown::No;
            }
        }
        Ok(pushed)
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        eq_properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(match self.parquet.try_pushdown_sort(order, eq_properties)? {
            SortOrderPushdownResult::Exact { inner } => {
                SortOrderPushdownResult::Exact { inner: Self::wrap(inner) }
            }
            SortOrderPushdownResult::Inexact { inner } => {
                SortOrderPushdownResult::Inexact { inner: Self::wrap(inner) }
            }
            SortOrderPushdownResult::Unsupported => SortOrderPushdownResult::Unsupported,
        })
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.parquet.reorder_files(files)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.parquet.try_pushdown_projection(projection)?.map(Self::wrap))
    }
}

/// The same source, decoding anew what its filters have decoded already. The cache of parquet 58 takes a struct
/// with a single field for a column without structure and panics over its levels.
fn without_cache(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    match source.downcast_ref::<ParquetSource>() {
        Some(parquet) => {
            let mut options = parquet.table_parquet_options().clone();
            options.global.max_predicate_cache_size = Some(0);
            Arc::new(parquet.clone().with_table_parquet_options(options))
        }
        None => source,
    }
}

/// Whether a filter is one that somebody asks above the scan as well.
fn is_sampled(filter: &Arc<dyn PhysicalExpr>, columns: &Schema) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8View);
    sampled::is_learned(filter)
        || speaks_of(filter, columns, |data_type| is_text(data_type) || data_type.is_nested())
}

/// Whether a filter speaks of a column of such a type.
fn speaks_of(filter: &Arc<dyn PhysicalExpr>, columns: &Schema, is_such: impl Fn(&DataType) -> bool) -> bool {
    let mut found = false;
    let visited = filter.apply(|expr| {
        let column = expr.downcast_ref::<Column>().map(|column| columns.field_with_name(column.name()));
        // What is not known may be anything.
        if column.is_some_and(|field| field.map_or(true, |field| is_such(field.data_type()))) {
            found = true;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.is_err() || found
}
