//! DataFusion's own operators, for rows that do not fit into memory: they can spill.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

/// Runs an operator of DataFusion over a stream that it wants to be sorted.
pub(super) fn run(
    operator: &Arc<dyn ExecutionPlan>,
    sort: &LexOrdering,
    rows: SendableRecordBatchStream,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let once = Once { schema: rows.schema(), rows: Mutex::new(Some(rows)) };
    let schema = once.schema.clone();
    let source = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, [], false, None)?;
    let sorted = SortExec::new(sort.clone(), Arc::new(source)).with_preserve_partitioning(true);
    operator.clone().with_new_children(vec![Arc::new(sorted)])?.execute(0, context)
}

/// A stream in the place of a plan.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| {
            let failed =
                futures::stream::iter([exec_err!("rows that were held for a window are read twice")]);
            Box::pin(datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(
                self.schema.clone(),
                failed,
            ))
        })
    }
}
