//! The plan's node of windows over groups.

use std::fmt;
use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, Statistics, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties};
use datafusion::physical_plan::execution_plan::{Boundedness, CardinalityEffect, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};

use super::run;
use super::shape::Window;

/// Window functions over groups that are found by hashing. Rows come out as they came in.
#[derive(Debug)]
pub(crate) struct GroupWindowExec {
    input: Arc<dyn ExecutionPlan>,
    window: Arc<Window>,
    /// DataFusion's operator that this one stands for.
    original: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl GroupWindowExec {
    /// In place of `original`, whose window this is.
    pub(super) fn new(
        original: Arc<dyn ExecutionPlan>,
        window: Arc<Window>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(original.schema()),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, window, original, properties: Arc::new(properties), metrics }
    }
}

impl DisplayAs for GroupWindowExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let computed = self.schema();
        let computed: Vec<&str> = computed.fields()[self.input.schema().fields().len()..]
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        match format {
            DisplayFormatType::TreeRender => write!(f, "select_list={}", computed.join(", ")),
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "GroupWindowExec: wdw=[{}]", computed.join(", "))
            }
        }
    }
}

impl ExecutionPlan for GroupWindowExec {
    fn name(&self) -> &'static str {
        "GroupWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.original.required_input_distribution()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Arc::new(Self::new(self.original.clone(), self.window.clone(), input))),
            None => exec_err!("a window needs an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context.clone())?;
        run::start(self.original.clone(), self.window.clone(), input, context, &self.metrics, partition)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut statistics = Arc::unwrap_or_clone(self.input.partition_statistics(partition)?);
        let columns = self.window.functions.iter().map(|_| ColumnStatistics::new_unknown());
        statistics.column_statistics.extend(columns);
        statistics.total_byte_size = Precision::Absent;
        Ok(Arc::new(statistics))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
