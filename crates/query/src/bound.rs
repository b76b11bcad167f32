//! What a statement means: its plan as it was bound to tables and columns, before the optimizer made it another one.

mod identity;
mod row_wise;

use std::fmt;
use std::sync::OnceLock;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;
use hosu_table::name::TableName;

use crate::deep::deep_stack;
use crate::inputs::{Input, InputRows};
pub use row_wise::NotRowWise;

/// A statement that is bound to its tables and columns.
#[derive(Clone)]
pub struct Bound {
    plan: LogicalPlan,
    names: Vec<String>,
    schema: SchemaRef,
    identity: OnceLock<String>,
    /// The answer when no table has changed.
    row_wise: OnceLock<Result<(), NotRowWise>>,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
}

impl Bound {
    /// A plan, the names of its result, and the columns that it has outside of queries.
    pub(crate) fn new(plan: LogicalPlan, names: Vec<String>, schema: SchemaRef) -> Self {
        Self { plan, names, schema, identity: OnceLock::new(), row_wise: OnceLock::new() }
    }

    /// Finds out at once what may be asked later.
    pub(crate) fn examine(&self) {
        self.identity();
        // The answer is kept.
        let _ = self.check_row_wise(&[]);
    }

    /// The columns of the result, named as the statement names them; two may have the same name.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// What the statement means, as a text that is the same for each spelling of it: white space, comments, case, quotes, names
    /// that the statement itself gives to tables, and databases that go without saying do not count. Literals,
    /// functions, the order and names of the result's columns, tables, and columns that are read (by field id, with their types) do;
    /// columns that are not read do not.
    pub fn identity(&self) -> String {
        self.identity.get_or_init(|| deep_stack(|| identity::of(&self.plan, &self.names))).clone()
    }

    /// Whether the rows that are new in the tables `changed` give rows of the result by themselves, so that the result over all rows
    /// is what it was and these. Tables that are not among them are as they were.
    ///
    /// One table drives: each of its rows is selected, computed, unnested and looked up in others alone. Others may be joined to it, read
    /// whole, and be anything by themselves.
    ///
    /// # Errors
    /// What keeps it from being so.
    pub fn check_row_wise(&self, changed: &[TableName]) -> Result<(), NotRowWise> {
        let check = || deep_stack(|| row_wise::check(&self.plan, changed));
        if changed.is_empty() { self.row_wise.get_or_init(check).clone() } else { check() }
    }

    /// The names of the result's columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}

/// A bound plan over these inputs: where rows of theirs are to be read that were added, the tables that drive read only those.
pub(crate) fn over(plan: &LogicalPlan, inputs: &[Input]) -> Result<LogicalPlan, NotRowWise> {
    let added = |input: &Input| match &input.rows {
        InputRows::Added(added) => Some((input.table.name.clone(), added.clone())),
        InputRows::All => None,
    };
    let added: Vec<_> = inputs.iter().filter_map(added).collect();
    if added.is_empty() { Ok(plan.clone()) } else { row_wise::over(plan, added) }
}

#[cfg(test)]
mod tests;
