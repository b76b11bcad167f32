//! Several percentiles of the same values, from one copy of them.
//!
//! DataFusion's `percentile_cont` keeps all values of its group, each call its own. Calls that differ in nothing but the
//! percentile become one [`Percentiles`] here.

mod function;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use function::{Percentiles, field_name};

/// Finds the calls.
#[derive(Debug)]
pub(crate) struct SharedPercentiles;

impl OptimizerRule for SharedPercentiles {
    fn name(&self) -> &str {
        "shared_percentiles"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Aggregate(aggregate) => match shared(&aggregate)? {
                Some(shared) => Ok(Transformed::yes(shared)),
                None => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
            },
            other => Ok(Transformed::no(other)),
        }
    }
}

/// Calls that differ in their percentile only.
struct Family {
    /// The call without its percentile.
    of: AggregateFunctionParams,
    /// Each call's place among the aggregates, and its percentile.
    calls: Vec<(usize, f64)>,
}

fn shared(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let mut families: Vec<Family> = Vec::new();
    for (at, expr) in aggregate.aggr_expr.iter().enumerate() {
        let Some((of, percentile)) = percentile_call(expr, aggregate)? else { continue };
        match families.iter_mut().find(|family| family.of == of) {
            Some(family) => family.calls.push((at, percentile)),
            None => families.push(Family { of, calls: vec![(at, percentile)] }),
        }
    }
    families.retain(|family| family.calls.len() > 1);
    if families.is_empty() {
        return Ok(None);
    }
    let in_family =
        |at: usize| families.iter().any(|family| family.calls.iter().any(|(call, _)| *call == at));
    let others: Vec<usize> = (0..aggregate.aggr_expr.len()).filter(|at| !in_family(*at)).collect();
    let mut computed: Vec<Expr> = others.iter().map(|at| aggregate.aggr_expr[*at].clone()).collect();
    computed.extend(families.iter().map(Family::call));
    let computed = Aggregate::try_new(aggregate.input.clone(), aggregate.group_expr.clone(), computed)?;

    let keys = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let column = |at: usize| Expr::Column(Column::from(computed.schema.qualified_field(at)));
    let value = |at: usize| match others.iter().position(|other| *other == at) {
        Some(place) => column(keys + place),
        None => {
            let found = families.iter().enumerate().find_map(|(family, members)| {
                let place = members.calls.iter().position(|(call, _)| *call == at)?;
                Some(column(keys + others.len() + family).field(field_name(place)))
            });
            found.unwrap_or_else(|| column(keys))
        }
    };
    let named = aggregate.schema.iter().enumerate().map(|(at, (qualifier, field))| {
        let expr = if at < keys { column(at) } else { value(at - keys) };
        expr.alias_qualified(qualifier.cloned(), field.name())
    });
    let named: Vec<Expr> = named.collect();
    let computed = Arc::new(LogicalPlan::Aggregate(computed));
    let projection = Projection::try_new_with_schema(named, computed, aggregate.schema.clone())?;
    Ok(Some(LogicalPlan::Projection(projection)))
}

impl Family {
    fn call(&self) -> Expr {
        let mut params = self.of.clone();
        params.args.extend(
            self.calls
                .iter()
                .map(|(_, percentile)| Expr::Literal(ScalarValue::Float64(Some(*percentile)), None)),
        );
        let function = Arc::new(AggregateUDF::from(Percentiles::default()));
        Expr::AggregateFunction(AggregateFunction { func: function, params })
    }
}

/// A call of `percentile_cont` that may share: what it is called on, and the percentile in ascending order.
fn percentile_call(expr: &Expr, aggregate: &Aggregate) -> Result<Option<(AggregateFunctionParams, f64)>> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expr.clone().unalias() else {
        return Ok(None);
    };
    if func.name() != "percentile_cont" || params.distinct || params.null_treatment.is_some() {
        return Ok(None);
    }
    let [value, Expr::Literal(ScalarValue::Float64(Some(percentile)), _)] = params.args.as_slice() else {
        return Ok(None);
    };
    let ascending = match params.order_by.as_slice() {
        [] => true,
        [sort] => sort.asc,
        _ => return Ok(None),
    };
    if !(0.0..=1.0).contains(percentile) || value.get_type(aggregate.input.schema())? != DataType::Float64 {
        return Ok(None);
    }
    let percentile = if ascending { *percentile } else { 1.0 - *percentile };
    let (args, filter) = (vec![value.clone()], params.filter.clone());
    let of =
        AggregateFunctionParams { args, distinct: false, filter, order_by: vec![], null_treatment: None };
    Ok(Some((of, percentile)))
}

#[cfg(test)]
mod tests;
