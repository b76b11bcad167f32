//! Conditions on the rows that a statement makes: a boolean over the columns of each row, or over how many rows there are.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, Int64Array, RecordBatch, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;

use crate::deep::deep_stack;
use crate::engine::Engine;
use crate::error::{QueryError, plan_error, run_error};
use crate::names::Spelling;
use crate::statement::ExprText;

/// The name that stands for how many rows there are.
const ROW_COUNT: &str = "row_count";

/// A condition on rows.
#[derive(Clone)]
pub struct RowTest {
    condition: Arc<dyn PhysicalExpr>,
    /// The columns that it is evaluated over.
    columns: SchemaRef,
    reads_row_count: bool,
}

impl fmt::Debug for RowTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowTest({})", self.condition)
    }
}

impl Engine {
    /// A condition on rows that have these columns (of [`crate::Planned::schema`]): a boolean over the columns of one row, or
    /// over `row_count`, which is how many rows there are. Names are found in any case.
    ///
    /// # Errors
    /// [`QueryError`], with the place in `text` where that is known: for what is no boolean; for aggregates, window functions
    /// and subqueries; for `row_count` beside columns, or where a column has that name; for functions of the present time.
    pub fn row_test(&self, schema: &ArrowSchema, text: &str) -> Result<RowTest, QueryError> {
        deep_stack(|| plan(self.state(), schema, text))
    }

    /// As [`Engine::row_test`], for a test that may ask for the time: it is `now_ms`.
    ///
    /// # Errors
    /// As [`Engine::row_test`].
    pub fn row_test_at(&self, schema: &ArrowSchema, text: &str, now_ms: i64) -> Result<RowTest, QueryError> {
        let mut state = self.state().clone();
        let now = chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
        state.execution_props_mut().query_execution_start_time = Some(now);
        deep_stack(move || plan(&state, schema, text))
    }
}

impl RowTest {
    /// Whether it is about the number of rows and not about each of them.
    pub fn reads_row_count(&self) -> bool {
        self.reads_row_count
    }

    /// Which rows it is false or NULL for, in order; none where it is about the number of rows.
    ///
    /// # Errors
    /// When it cannot be evaluated: a division by zero, a cast of what does not fit.
    pub fn failing(&self, rows: &RecordBatch) -> Result<Vec<usize>, QueryError> {
        if self.reads_row_count {
            return Ok(Vec::new());
        }
        let types = |schema: &ArrowSchema| -> Vec<DataType> {
            schema.fields().iter().map(|field| field.data_type().clone()).collect()
        };
        if types(&self.columns) != types(&rows.schema()) {
            let message = "the rows have other columns than the test was made for".to_owned();
            return Err(QueryError::Failed { message });
        }
        self.failing_of(rows)
    }

    /// Whether it is true of so many rows; always where it is about each row.
    ///
    /// # Errors
    /// As [`RowTest::failing`].
    pub fn holds_for(&self, row_count: u64) -> Result<bool, QueryError> {
        if !self.reads_row_count {
            return Ok(true);
        }
        let count = Arc::new(Int64Array::from(vec![i64::try_from(row_count).unwrap_or(i64::MAX)]));
        let row = RecordBatch::try_new(self.columns.clone(), vec![count]);
        let row = row.map_err(|error| run_error(error.into()))?;
        Ok(self.failing_of(&row)?.is_empty())
    }

    fn failing_of(&self, rows: &RecordBatch) -> Result<Vec<usize>, QueryError> {
        let values = self.condition.evaluate(rows).and_then(|values| values.into_array(rows.num_rows()));
        let values = values.map_err(run_error)?;
        let Some(held) = values.as_boolean_opt() else {
            return Err(QueryError::Failed { message: "the test gave no boolean".to_owned() });
        };
        Ok((0..held.len()).filter(|row| held.is_null(*row) || !held.value(*row)).collect())
    }
}

fn plan(state: &SessionState, schema: &ArrowSchema, text: &str) -> Result<RowTest, QueryError> {
    let text = ExprText::parse(text)?;
    let mut seen = HashSet::new();
    if let Some(field) = schema.fields().iter().find(|field| !seen.insert(field.name().to_lowercase())) {
        return Err(invalid(format!("two columns are called {}", field.name())));
    }
    let has_own = seen.contains(ROW_COUNT);
    let count = ArrowSchema::new(vec![Field::new(ROW_COUNT, DataType::Int64, false)]);
    let mut fields = schema.fields().to_vec();
    if !has_own {
        fields.extend(count.fields().iter().cloned());
    }
    let all = ArrowSchema::new(fields);
    let mut spelling = Spelling::default();
    spelling.add_arrow(&all);

    let all = DFSchema::try_from(all).map_err(plan_error)?;
    let expr = state.create_logical_expr_from_sql_expr(text.spelled(&spelling), &all).map_err(plan_error)?;
    let columns = columns_of(&expr, state.execution_props().query_execution_start_time.is_some())?;
    let is_count = |column: &&Column| column.name.eq_ignore_ascii_case(ROW_COUNT);
    let reads_row_count = columns.iter().any(|column| is_count(&column));
    if reads_row_count && has_own {
        let message = "row_count is the name of a column here, so the number of rows cannot be tested: \
                       give the column another name";
        return Err(invalid(message.to_owned()));
    }
    if let Some(other) = columns.iter().find(|column| !is_count(column)).filter(|_| reads_row_count) {
        let message = format!("row_count is of all rows and {} of one row: write two tests", other.name);
        return Err(invalid(message));
    }
    let columns = Arc::new(if reads_row_count { count } else { schema.clone() });
    let condition = condition(state, expr, &columns)?;
    Ok(RowTest { condition, columns, reads_row_count })
}

/// The columns of an expression that can be evaluated row by row.
fn columns_of(expr: &Expr, has_time: bool) -> Result<Vec<Column>, QueryError> {
    let mut columns = Vec::new();
    let mut refused = None;
    let walked = expr.apply(|expr| {
        let what = match expr {
            Expr::Column(column) => {
                columns.push(column.clone());
                return Ok(TreeNodeRecursion::Continue);
            }
            Expr::AggregateFunction(function) => format!("{}(), an aggregate,", function.func.name()),
            Expr::WindowFunction(function) => format!("{}() OVER, a window function,", function.fun.name()),
            Expr::ScalarFunction(call) if !has_time && is_of_time(&call.func) => format!("{}()", call.name()),
            Expr::Unnest(_) => "unnest()".to_owned(),
            Expr::Placeholder(placeholder) => format!("the parameter {}", placeholder.id),
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_) => {
                "a subquery".to_owned()
            }
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        refused = Some(format!("{what} cannot be in a test: it is a condition on one row, or on row_count"));
        Ok(TreeNodeRecursion::Stop)
    });
    walked.map_err(plan_error)?;
    refused.map_or(Ok(columns), |message| Err(invalid(message)))
}

/// Whether a function gives the same within a statement and something else in the next one.
fn is_of_time(function: &ScalarUDF) -> bool {
    function.signature().volatility == Volatility::Stable
}

fn condition(
    state: &SessionState,
    expr: Expr,
    columns: &SchemaRef,
) -> Result<Arc<dyn PhysicalExpr>, QueryError> {
    let schema = DFSchema::try_from(columns.as_ref().clone()).map_err(plan_error)?;
    let data_type = expr.get_type(&schema).map_err(plan_error)?;
    if data_type != DataType::Boolean {
        return Err(invalid(format!("a test is true or false, and this is of type {data_type}")));
    }
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(state.config_options().clone())
        .with_query_execution_start_time(state.execution_props().query_execution_start_time)
        .build();
    let simplifier = ExprSimplifier::new(context);
    let options = state.config_options();
    let rewritten = simplifier.coerce(expr, &schema).and_then(|expr| {
        state.analyzer().function_rewrites().iter().try_fold(expr, |expr, rewrite| {
            Ok(expr.transform_up(|expr| rewrite.rewrite(expr, &schema, options))?.data)
        })
    });
    let simplified = rewritten.and_then(|expr| simplifier.simplify(expr));
    simplified.and_then(|expr| state.create_physical_expr(expr, &schema)).map_err(plan_error)
}

fn invalid(message: String) -> QueryError {
    QueryError::Invalid { message, position: None }
}

#[cfg(test)]
mod tests;
