//! Joins that stop when nobody waits for their rows any more.
//!
//! A task is stopped where it yields, and DataFusion's joins need not: from a few rows they make billions, and while no pair
//! of rows passes the join's filter they make no batch either. So what joins hand on goes through a point where the task
//! yields, and the filter, which is asked for each batch of pairs, ends the query once it was given up.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};

/// Whether a query was given up. It is when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The plan with joins that stop once it was given up.
///
/// # Errors
/// When the plan cannot be put together again.
pub(crate) fn stoppable(plan: Arc<dyn ExecutionPlan>, given_up: &GivenUp) -> Result<Arc<dyn ExecutionPlan>> {
    let stopped = plan.transform_up(|plan| {
        let filtered = |filter: Option<&JoinFilter>| filter.map(|filter| stopping(filter, given_up));
        let join: Arc<dyn ExecutionPlan> = if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            let filter = filtered(join.filter());
            Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(filter).build()?)
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            let filter = filtered(join.filter());
            Arc::new(join.builder().with_filter(filter).build()?)
        } else if plan.is::<CrossJoinExec>() {
            plan
        } else {
            return Ok(Transformed::no(plan));
        };
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(join)) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(stopped.data)
}

fn stopping(filter: &JoinFilter, given_up: &GivenUp) -> JoinFilter {
    let expression = Stopping { filter: filter.expression().clone(), is_given_up: given_up.0.clone() };
    JoinFilter::new(Arc::new(expression), filter.column_indices().to_vec(), filter.schema().clone())
}

/// A filter that is an error once the query was given up.
#[derive(Debug)]
struct Stopping {
    filter: Arc<dyn PhysicalExpr>,
    is_given_up: Arc<AtomicBool>,
}

impl PartialEq for Stopping {
    fn eq(&self, other: &Self) -> bool {
        self.filter.eq(&other.filter) && Arc::ptr_eq(&self.is_given_up, &other.is_given_up)
    }
}

impl Eq for Stopping {}

impl Hash for Stopping {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.filter.hash(state);
    }
}

impl fmt::Display for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

impl PhysicalExpr for Stopping {
    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.filter.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.is_given_up.load(Ordering::Acquire) {
            return exec_err!("the query was given up");
        }
        self.filter.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.filter]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match children.into_iter().next() {
            Some(filter) => Ok(Arc::new(Self { filter, is_given_up: self.is_given_up.clone() })),
            None => exec_err!("a filter that stops needs what is filtered"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests;
