//! A query that is planned, on its way to rows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{Stream, StreamExt};

use crate::bound::Bound;
use crate::error::{QueryError, plan_error};
use crate::memory::Memory;
use crate::stats::{ScanStats, Scans};
use crate::stoppable::{GivenUp, stoppable};
use crate::views;

/// How many batches the query is ahead of its reader.
const BATCHES_AHEAD: usize = 2;

/// A query that is planned: its files are known, nothing was read yet.
pub struct Planned {
    bound: Bound,
    logical: LogicalPlan,
    physical: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    task: Arc<TaskContext>,
    memory: Memory,
    scans: Scans,
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planned").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Planned {
    pub(crate) fn new(
        bound: Bound,
        logical: LogicalPlan,
        physical: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        task: Arc<TaskContext>,
        memory: Memory,
        scans: Scans,
    ) -> Self {
        Self { bound, logical, physical, schema, task, memory, scans }
    }

    /// The columns of the result, named as the statement names them; two may have the same name.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// What the statement means, before anything of it was optimized.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// DataFusion's plan of what is computed, optimized.
    pub fn logical(&self) -> &LogicalPlan {
        &self.logical
    }

    /// DataFusion's plan of how it is computed.
    pub fn physical(&self) -> &Arc<dyn ExecutionPlan> {
        &self.physical
    }

    /// Starts the query, in a task of its own: who reads the rows can also do other things, such as stop waiting for them.
    /// Its errors are read with [`crate::run_error`]; it stops when the stream is dropped, or when it takes too much memory.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn stream(&self) -> Result<SendableRecordBatchStream, QueryError> {
        let physical = views::outside(self.physical.clone()).map_err(plan_error)?;
        let given_up = GivenUp::default();
        let physical = stoppable(physical, &given_up).map_err(plan_error)?;
        let mut rows = execute_stream(physical, self.task.clone()).map_err(plan_error)?;
        let mut stream = RecordBatchReceiverStream::builder(rows.schema(), BATCHES_AHEAD);
        let reader = stream.tx();
        let also_told = stream.tx();
        // Nobody may be reading any more.
        let watch = self.memory.watch(move |error| drop(also_told.blocking_send(Err(error))));
        stream.spawn(async move {
            let _watch = watch;
            while let Some(batch) = rows.next().await {
                if reader.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(Box::pin(Renamed { rows: stream.build(), schema: self.schema.clone(), _given_up: given_up }))
    }

    /// What it reads: the plan from the start, the rest as it was read so far.
    pub fn stats(&self) -> ScanStats {
        self.scans.stats()
    }
}

/// Rows under the names of the statement, which is given up when nobody waits for them any more.
struct Renamed {
    rows: SendableRecordBatchStream,
    schema: SchemaRef,
    _given_up: GivenUp,
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
