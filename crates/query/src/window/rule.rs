//! Finds the windows that ours can do, and the filters that want few rows of each group.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::shape::Window;
use super::{GroupWindowExec, TopRowsExec};

/// More rows of each group than these are not worth a table of them.
const TOP_ROWS_MAX: usize = 32;

/// Puts our operators in place of DataFusion's.
#[derive(Debug)]
pub(crate) struct GroupWindows;

impl PhysicalOptimizerRule for GroupWindows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // DataFusion stops early at these: it pushes the limit into the sort that its window needs.
        let mut limited: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        // Windows that a filter wants only the first rows of.
        let mut topped: Vec<(Arc<dyn ExecutionPlan>, usize)> = Vec::new();
        let rewritten =
            plan.transform_down(|node| {
                if is_limit(&node) {
                    let below = node.children().first().and_then(|child| window_below(child, None));
                    limited.extend(below.map(|(window, _)| window));
                }
                topped.extend(top_of(&node));
                if limited.iter().any(|window| Arc::ptr_eq(window, &node)) {
                    return Ok(Transformed::no(node));
                }
                let Some(window) = Window::of(&node) else { return Ok(Transformed::no(node)) };
                let Some(input) = node.children().first().map(|input| Arc::clone(input)) else {
                    return Ok(Transformed::no(node));
                };
                if input.equivalence_properties().ordering_satisfy(window.sort.clone())? {
                    return Ok(Transformed::no(node));
                }
                let top = topped.iter().find(|(window, _)| Arc::ptr_eq(window, &node)).map(|(_, rows)| *rows);
                let window = Arc::new(window);
                let input: Arc<dyn ExecutionPlan> = match top {
                    Some(rows) if window.is_row_number() => {
                        Arc::new(TopRowsExec::new(window.clone(), rows, input))
                    }
                    _ => input,
                };
                Ok(Transformed::yes(
                    Arc::new(GroupWindowExec::new(node, window, input)) as Arc<dyn ExecutionPlan>
                ))
            });
        rewritten.data()
    }

    fn name(&self) -> &str {
        "GroupWindows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_limit(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.fetch().is_some() || node.is::<GlobalLimitExec>() || node.is::<LocalLimitExec>()
}

/// The window under projections, and where it has the column that is `at` on top of them.
fn window_below(
    node: &Arc<dyn ExecutionPlan>,
    at: Option<usize>,
) -> Option<(Arc<dyn ExecutionPlan>, Option<usize>)> {
    let (mut node, mut at) = (node, at);
    while let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        at = match at {
            Some(at) => Some(projection.expr().get(at)?.expr.downcast_ref::<Column>()?.index()),
            None => None,
        };
        node = projection.input();
    }
    Window::of(node).is_some().then(|| (node.clone(), at))
}

/// The window under a filter that keeps no rows but those with a number up to so many.
fn top_of(node: &Arc<dyn ExecutionPlan>) -> Option<(Arc<dyn ExecutionPlan>, usize)> {
    let filter = node.downcast_ref::<FilterExec>()?;
    let bounds = split_conjunction(filter.predicate()).into_iter().filter_map(bound);
    let windows = bounds.filter_map(|(column, rows)| {
        let (window, at) = window_below(filter.input(), Some(column))?;
        let is_computed = at? >= window.children().first()?.schema().fields().len();
        is_computed.then_some((window, rows))
    });
    windows.min_by_key(|(_, rows)| *rows)
}

/// What a condition says that a column is at most.
fn bound(condition: &Arc<dyn PhysicalExpr>) -> Option<(usize, usize)> {
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let (column, operator, value) = match binary.left().downcast_ref::<Column>() {
        Some(column) => (column, *binary.op(), binary.right().downcast_ref::<Literal>()?),
        None => {
            let column = binary.right().downcast_ref::<Column>()?;
            (column, binary.op().swap()?, binary.left().downcast_ref::<Literal>()?)
        }
    };
    let value = value.value();
    if !value.data_type().is_integer() {
        return None;
    }
    let ScalarValue::Int64(Some(value)) = value.cast_to(&DataType::Int64).ok()? else { return None };
    let rows = match operator {
        Operator::Eq | Operator::LtEq => value,
        Operator::Lt => value.checked_sub(1)?,
        _ => return None,
    };
    usize::try_from(rows)
        .ok()
        .filter(|rows| (1..=TOP_ROWS_MAX).contains(rows))
        .map(|rows| (column.index(), rows))
}
