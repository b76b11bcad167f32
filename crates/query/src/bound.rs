//! What a statement means: its plan as it was bound to tables and columns, before the optimizer made it another one.

use std::fmt;

use datafusion::logical_expr::LogicalPlan;

/// A statement that is bound to its tables and columns.
#[derive(Clone)]
pub struct Bound {
    plan: LogicalPlan,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
}

impl Bound {
    pub(crate) fn new(plan: LogicalPlan) -> Self {
        Self { plan }
    }

    /// DataFusion's plan, not optimized.
    pub fn plan(&self) -> &LogicalPlan {
        &self.plan
    }
}
