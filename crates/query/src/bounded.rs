//! Functions that make much of little, `repeat('x', 2000000000)`: what they would make is counted before they make it.
//!
//! Trino has such limits too (a text of `lpad` may have a megabyte, a list of `sequence` 10,000 values). Here one value may have
//! 64 MiB, and the values that are made at once a share of the memory of queries.

mod growth;

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, LogicalPlan, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, StructFieldMapping,
};

use crate::error::QueryError;
use growth::Growth;

/// The largest value that a function makes.
const VALUE_BYTES_MAX: u64 = 64 << 20;

/// The values that are made at once may take this share of the memory of queries, but as much as one value always,
const ROWS_SHARE: usize = 4;

/// and never more than arrays of texts can be.
const ROWS_BYTES_MAX: u64 = 1 << 30;

/// Puts limits on the functions of a session.
///
/// # Errors
/// When the session takes no functions.
pub(crate) fn bound(state: &mut SessionState, memory_bytes: usize) -> Result<()> {
    let rows_bytes_max = rows_bytes_max(memory_bytes);
    for (name, growth) in growth::GROWING {
        let Some(function) = state.scalar_functions().get(*name) else { continue };
        let inner = function.inner().clone();
        let bounded = Bounded { inner, growth: *growth, rows_bytes_max };
        state.register_udf(Arc::new(ScalarUDF::new_from_impl(bounded)))?;
    }
    Ok(())
}

/// Refuses constants that would be too large once for each row: planning makes a constant of what functions make of constants, and
/// looks at one row only.
///
/// # Errors
/// [`QueryError::ValueTooLarge`].
pub(crate) fn check_constants(plan: &LogicalPlan, memory_bytes: usize, batch_rows: usize) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let repeats =
            matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_));
        let Some(input) = node.inputs().first().copied().filter(|_| repeats) else {
            return Ok(TreeNodeRecursion::Continue);
        };
        let rows = input.max_rows().map_or(batch_rows, |rows| rows.min(batch_rows)).max(1);
        let bytes_max = rows_bytes_max(memory_bytes);
        for expression in node.expressions() {
            expression.apply(|part| match part {
                Expr::Literal(scalar, _) if scalar.size().saturating_mul(rows) as u64 > bytes_max => {
                    let (function, what) = ("a constant".to_owned(), "the values of one batch of rows");
                    let bytes = scalar.size().saturating_mul(rows) as u64;
                    let error = QueryError::ValueTooLarge { function, what, bytes, bytes_max };
                    Err(DataFusionError::External(Box::new(error)))
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn rows_bytes_max(memory_bytes: usize) -> u64 {
    ((memory_bytes / ROWS_SHARE) as u64).clamp(VALUE_BYTES_MAX, ROWS_BYTES_MAX)
}

/// A function, and what it makes of its arguments.
#[derive(Clone, Debug)]
struct Bounded {
    inner: Arc<dyn ScalarUDFImpl>,
    growth: Growth,
    rows_bytes_max: u64,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner.as_ref().dyn_eq(other.inner.as_ref() as &dyn Any)
            && self.rows_bytes_max == other.rows_bytes_max
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, mut state: &mut H) {
        self.inner.dyn_hash(&mut state);
    }
}

impl Bounded {
    fn check(&self, arguments: &ScalarFunctionArgs) -> Result<()> {
        let scalars = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if scalars { 1 } else { arguments.number_rows };
        let sizes = self.growth.sizes(&arguments.args, rows)?;
        let too_large = |bytes, bytes_max, what| {
            let function = self.inner.name().to_owned();
            Err(DataFusionError::External(Box::new(QueryError::ValueTooLarge {
                function,
                what,
                bytes,
                bytes_max,
            })))
        };
        if sizes.largest > VALUE_BYTES_MAX {
            return too_large(sizes.largest, VALUE_BYTES_MAX, "a value");
        }
        if sizes.sum > self.rows_bytes_max {
            return too_large(sizes.sum, self.rows_bytes_max, "the values of one batch of rows");
        }
        Ok(())
    }

    /// The function in an expression that the inner one made of itself.
    fn kept(&self, result: ExprSimplifyResult) -> ExprSimplifyResult {
        match result {
            ExprSimplifyResult::Simplified(Expr::ScalarFunction(mut call))
                if call.func.name() == self.inner.name() =>
            {
                call.func = Arc::new(ScalarUDF::new_from_impl(self.clone()));
                ExprSimplifyResult::Simplified(Expr::ScalarFunction(call))
            }
            other => other,
        }
    }
}

#[warn(clippy::missing_trait_methods)]
impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        #[expect(deprecated)]
        self.inner.display_name(arguments)
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        self.inner.schema_name(arguments)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn with_updated_config(&self, _config: &ConfigOptions) -> Option<ScalarUDF> {
        None
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn is_nullable(&self, arguments: &[Expr], schema: &dyn datafusion::common::ExprSchema) -> bool {
        #[expect(deprecated)]
        self.inner.is_nullable(arguments, schema)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&arguments)?;
        self.inner.invoke_with_args(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(arguments, context).map(|result| self.kept(result))
    }

    fn preimage(
        &self,
        arguments: &[Expr],
        literal: &Expr,
        context: &SimplifyContext,
    ) -> Result<PreimageResult> {
        self.inner.preimage(arguments, literal, context)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(arguments)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.inner.evaluate_bounds(inputs)
    }

    fn propagate_constraints(
        &self,
        interval: &Interval,
        inputs: &[&Interval],
    ) -> Result<Option<Vec<Interval>>> {
        self.inner.propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner.struct_field_mapping(literals)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn placement(&self, arguments: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner.placement(arguments)
    }
}

#[cfg(test)]
mod tests;
