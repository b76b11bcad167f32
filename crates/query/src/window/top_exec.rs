//! The plan's node that drops rows which others of their group come before.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, CardinalityEffect, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};

use super::shape::Window;
use super::top;

/// Keeps the first rows of each group, and may keep others: it helps who numbers the rows after it, and decides nothing.
#[derive(Debug)]
pub(crate) struct TopRowsExec {
    input: Arc<dyn ExecutionPlan>,
    window: Arc<Window>,
    rows: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TopRowsExec {
    /// Keeps at least the first `rows` rows of each group of a window.
    pub(super) fn new(window: Arc<Window>, rows: usize, input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            EmissionType::Both,
            Boundedness::Bounded,
        );
        Self {
            input,
            window,
            rows,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for TopRowsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.window.keys.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.window.order.iter().map(ToString::to_string).collect();
        let (keys, order) = (keys.join(", "), order.join(", "));
        match format {
            DisplayFormatType::TreeRender => {
                writeln!(f, "rows={}", self.rows)?;
                writeln!(f, "partition=[{keys}]")?;
                write!(f, "order=[{order}]")
            }
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "TopRowsExec: rows={}, partition=[{keys}], order=[{order}]", self.rows)
            }
        }
    }
}

impl ExecutionPlan for TopRowsExec {
    fn name(&self) -> &'static str {
        "TopRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Arc::new(Self::new(self.window.clone(), self.rows, input))),
            None => exec_err!("rows are dropped of an input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context.clone())?;
        top::start(&self.window, self.rows, input, &context, &self.metrics, partition)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
