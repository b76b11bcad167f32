//! Times of UTC plus or minus a length of time, without calendar dates.
//!
//! Arrow makes a calendar date of each time, because an interval may have months, and a day of a zone more or less than 24
//! hours. An interval without months is a number of the time's own units in UTC.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::without_utc;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// Makes durations of intervals.
#[derive(Debug)]
pub(crate) struct PlainIntervals;

impl OptimizerRule for PlainIntervals {
    fn name(&self) -> &str {
        "plain_intervals"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // What a scan prunes with stays as it was written.
        if matches!(plan, LogicalPlan::TableScan(_)) {
            return Ok(Transformed::no(plan));
        }
        let schema = merge_schema(&plan.inputs());
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let plain = expr.transform_up(|expr| plain(expr, &schema))?;
            Ok(plain.update_data(|expr| name.restore(expr)))
        })
    }
}

fn plain(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right }) = expr
    else {
        return Ok(Transformed::no(expr));
    };
    let Some(duration) = duration(&left, &right, schema) else {
        return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
    };
    let right = Box::new(Expr::Literal(duration, None));
    Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right })))
}

/// The interval on the right in the units of the time on the left, where it has a whole number of them.
fn duration(left: &Expr, right: &Expr, schema: &DFSchema) -> Option<ScalarValue> {
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = right else { return None };
    if interval.months != 0 {
        return None;
    }
    let nanos = i128::from(interval.days) * NANOS_PER_DAY + i128::from(interval.nanoseconds);
    let left_type = left.get_type(schema).ok()?;
    without_utc(&left_type)?;
    let DataType::Timestamp(unit, _) = left_type else { return None };
    let (nanos_per_unit, make): (i128, fn(Option<i64>) -> ScalarValue) = match unit {
        TimeUnit::Second => (1_000_000_000, ScalarValue::DurationSecond),
        TimeUnit::Millisecond => (1_000_000, ScalarValue::DurationMillisecond),
        TimeUnit::Microsecond => (1_000, ScalarValue::DurationMicrosecond),
        TimeUnit::Nanosecond => (1, ScalarValue::DurationNanosecond),
    };
    let whole = nanos % nanos_per_unit == 0;
    let units = i64::try_from(nanos / nanos_per_unit).ok().filter(|_| whole)?;
    Some(make(Some(units)))
}

#[cfg(test)]
mod tests;
