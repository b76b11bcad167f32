//! A query that is planned, on its way to rows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{Stream, StreamExt};
use hosu_host::Meter;

use crate::error::{QueryError, plan_error};
use crate::stats::{ScanCounter, ScanStats};

/// A query that is planned: its files are known, nothing was read yet.
pub struct Planned {
    logical: LogicalPlan,
    physical: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    task: Arc<TaskContext>,
    counter: Arc<ScanCounter>,
    meter: Arc<Meter>,
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planned").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Planned {
    pub(crate) fn new(
        logical: LogicalPlan,
        physical: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        task: Arc<TaskContext>,
        counter: Arc<ScanCounter>,
        meter: Arc<Meter>,
    ) -> Self {
        Self { logical, physical, schema, task, counter, meter }
    }

    /// The columns of the result, named as the statement names them; two may have the same name.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// DataFusion's plan of what is computed, optimized.
    pub fn logical(&self) -> &LogicalPlan {
        &self.logical
    }

    /// DataFusion's plan of how it is computed.
    pub fn physical(&self) -> &Arc<dyn ExecutionPlan> {
        &self.physical
    }

    /// Starts the query. Its errors are read with [`crate::run_error`]; it stops when the stream is dropped.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn stream(&self) -> Result<SendableRecordBatchStream, QueryError> {
        let rows = execute_stream(self.physical.clone(), self.task.clone()).map_err(plan_error)?;
        Ok(Box::pin(Renamed { rows, schema: self.schema.clone() }))
    }

    /// What it reads: the plan from the start, the rest as it was read so far.
    pub fn stats(&self) -> ScanStats {
        let (mut total, mut read) = (0, 0);
        row_groups(&self.physical, &mut total, &mut read);
        ScanStats {
            bytes_scanned: self.meter.snapshot().bytes_read(),
            row_groups_total: total,
            row_groups_read: read,
            ..self.counter.read()
        }
    }
}

/// Sums up what the scans of a plan say of row groups.
fn row_groups(plan: &Arc<dyn ExecutionPlan>, total: &mut u64, read: &mut u64) {
    for metric in plan.metrics().iter().flat_map(|metrics| metrics.iter()) {
        let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value() else { continue };
        match name.as_ref() {
            "row_groups_pruned_statistics" => {
                *total += (pruning_metrics.pruned() + pruning_metrics.matched()) as u64;
            }
            // Bloom filters are asked last, of the row groups that are left.
            "row_groups_pruned_bloom_filter" => *read += pruning_metrics.matched() as u64,
            _ => {}
        }
    }
    for child in plan.children() {
        row_groups(child, total, read);
    }
}

/// Rows under the names of the statement.
struct Renamed {
    rows: SendableRecordBatchStream,
    schema: SchemaRef,
}

impl Stream for Renamed {
    type Item = datafusion::common::Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.rows.poll_next_unpin(context);
        polled.map(|rows| {
            rows.map(|batch| {
                let (_, columns, rows) = batch?.into_parts();
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
            })
        })
    }
}

impl RecordBatchStream for Renamed {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
