//! What a window operator of DataFusion does, in the words that ours need.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};

use super::function::Function;
use super::keys::is_plain;

/// Functions over groups of rows in an order.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// What the rows of a group have in common.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The order in a group.
    pub order: Vec<PhysicalSortExpr>,
    /// What is computed, each in a column of its own after those of the input.
    pub functions: Vec<Function>,
    /// How DataFusion's operator wants its input to be sorted.
    pub sort: LexOrdering,
}

impl Window {
    /// The window of an operator, if ours can do all of it.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let windows = expressions(plan)?;
        let input = plan.children().first()?.schema();
        let first = windows.first()?;
        let (keys, order) = (first.partition_by(), first.order_by());
        let same = |window: &Arc<dyn WindowExpr>| window.partition_by() == keys && window.order_by() == order;
        if keys.is_empty() || !windows.iter().all(same) {
            return None;
        }
        if !keys.iter().all(|key| is_key(key, &input)) {
            return None;
        }
        if !order.iter().all(|by| by.expr.data_type(&input).is_ok_and(|data_type| is_plain(&data_type))) {
            return None;
        }
        let functions =
            windows.iter().map(|window| Function::of(window, &input)).collect::<Option<Vec<_>>>()?;
        let sort = plan.required_input_ordering().into_iter().next()??.into_single().into();
        Some(Self { keys: keys.to_vec(), order: order.to_vec(), functions, sort })
    }

    /// Whether all it does is to number the rows of each group.
    pub fn is_row_number(&self) -> bool {
        self.functions.iter().all(|function| matches!(function, Function::RowNumber))
    }
}

fn expressions(plan: &Arc<dyn ExecutionPlan>) -> Option<&[Arc<dyn WindowExpr>]> {
    let bounded = plan.downcast_ref::<BoundedWindowAggExec>().map(BoundedWindowAggExec::window_expr);
    bounded.or_else(|| plan.downcast_ref::<WindowAggExec>().map(WindowAggExec::window_expr))
}

fn is_key(key: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    // A sort puts 0.0 and -0.0 apart, a hash table may not.
    key.data_type(schema).is_ok_and(|data_type| is_plain(&data_type) && !data_type.is_floating())
}
