//! Which columns of a query are wide for the engine only.
//!
//! The engine's literals have one width: `1` is a bigint, and so is `a + 1` of an integer `a`, while both are integers to Trino.
//! So what is made of constants, and of columns that would fit by themselves, may fill a narrower column when its value fits,
//! which is checked as it is converted; what comes out of a table as it is must fit by its type.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use hosu_change::fits;

/// Whether a column of the plan's result may be narrowed to the wanted type.
pub(super) fn is_constant(plan: &LogicalPlan, column: usize, wanted: &DataType) -> bool {
    match plan {
        LogicalPlan::Values(_) => true,
        // No rows: nothing can be lost.
        LogicalPlan::EmptyRelation(empty) => !empty.produce_one_row,
        LogicalPlan::Projection(projection) => {
            projection.expr.get(column).is_some_and(|expr| is_constant_expr(expr, &projection.input, wanted))
        }
        LogicalPlan::Union(union) => union.inputs.iter().all(|input| is_constant(input, column, wanted)),
        LogicalPlan::SubqueryAlias(alias) => is_constant(&alias.input, column, wanted),
        LogicalPlan::Filter(filter) => is_constant(&filter.input, column, wanted),
        LogicalPlan::Sort(sort) => is_constant(&sort.input, column, wanted),
        LogicalPlan::Limit(limit) => is_constant(&limit.input, column, wanted),
        _ => false,
    }
}

fn is_constant_expr(expr: &Expr, input: &LogicalPlan, wanted: &DataType) -> bool {
    // Decimals have no width of the engine's own: Trino's rules are its rules.
    let fits_alone =
        |given: &DataType| !matches!(wanted, DataType::Decimal128(..)) && fits(given, wanted, false);
    let mut constant = true;
    let visited = expr.apply(|inner| {
        let this = match inner {
            Expr::Column(column) => input.schema().maybe_index_of_column(column).is_some_and(|index| {
                is_constant(input, index, wanted) || fits_alone(input.schema().field(index).data_type())
            }),
            Expr::Literal(..) | Expr::Alias(_) | Expr::Negative(_) | Expr::BinaryExpr(_) => true,
            Expr::Cast(_) | Expr::Case(_) | Expr::ScalarFunction(_) => true,
            _ => false,
        };
        constant &= this;
        Ok(if constant { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    constant && visited.is_ok()
}
