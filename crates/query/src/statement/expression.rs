//! The text of one expression over the columns of one relation.

use std::ops::ControlFlow;

use datafusion::sql::parser::DFParserBuilder;
use datafusion::sql::sqlparser::ast::{Expr, ExprWithAlias, Query, Visit, VisitMut, Visitor};

use super::DEPTH_MAX;
use super::grammar::Grammar;
use super::namer::Namer;
use crate::error::{QueryError, plan_error};
use crate::names::Spelling;

/// An expression as it was parsed; nothing in it reads a table.
#[derive(Clone, Debug)]
pub(crate) struct ExprText {
    expr: Expr,
}

impl ExprText {
    /// Parses the text of one expression.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let parser =
            DFParserBuilder::new(text).with_dialect(&Grammar).with_recursion_limit(DEPTH_MAX).build();
        let parsed = parser.and_then(|mut parser| parser.parse_into_expr()).map_err(plan_error)?;
        if let Some(alias) = parsed.alias {
            let message = format!("an expression without a name was expected, found the name {alias}");
            return Err(QueryError::Syntax { message, position: None });
        }
        if parsed.expr.visit(&mut Subqueries).is_break() {
            return Err(QueryError::Unsupported { what: "a subquery in a test".to_owned(), position: None });
        }
        Ok(Self { expr: parsed.expr })
    }

    /// The expression in this spelling, for DataFusion to plan.
    pub fn spelled(&self, spelling: &Spelling) -> ExprWithAlias {
        let mut expr = self.expr.clone();
        let _: ControlFlow<()> = VisitMut::visit(&mut expr, &mut Namer::new(spelling));
        ExprWithAlias { expr, alias: None }
    }
}

/// Stops at a query.
struct Subqueries;

impl Visitor for Subqueries {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
