//! How many tables a statement reads once each name of its WITH is put in: a part that names the one before it twice, and
//! thirty of those, are a thousand million tables.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

use super::query_of;
use crate::QueryError;
use datafusion::sql::parser::Statement;

/// The most tables, each as often as it is read.
const TABLES_MAX: u64 = 1000;

pub(super) fn check(statement: &Statement) -> Result<(), QueryError> {
    let Some(query) = query_of(statement) else { return Ok(()) };
    let mut counter = Counter::default();
    if query.visit(&mut counter).is_continue() {
        return Ok(());
    }
    let message = format!(
        "statement is too large: with all parts of its WITH put in it reads more than {TABLES_MAX} tables"
    );
    Err(QueryError::Syntax { message, position: None })
}

#[derive(Default)]
struct Counter {
    /// The tables of each query that is being walked through.
    open: Vec<u64>,
    /// Which query is which part of a WITH, by its address.
    parts: HashMap<usize, String>,
    /// The tables of each part, itself included.
    sizes: HashMap<String, u64>,
}

impl Visitor for Counter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for part in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.parts.insert(address(&part.query), part.alias.name.value.to_lowercase());
        }
        self.open.push(0);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let size =
            self.sizes.get(&relation.to_string().replace('"', "").to_lowercase()).copied().unwrap_or(1);
        let Some(tables) = self.open.last_mut() else { return ControlFlow::Continue(()) };
        *tables = tables.saturating_add(size);
        if *tables > TABLES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = self.open.pop().unwrap_or_default();
        if let Some(name) = self.parts.get(&address(query)) {
            // Parts with the same name in different places: the larger one counts.
            let size = self.sizes.entry(name.clone()).or_default();
            *size = (*size).max(tables + 1);
            return ControlFlow::Continue(());
        }
        let Some(outer) = self.open.last_mut() else { return ControlFlow::Continue(()) };
        *outer = outer.saturating_add(tables);
        if *outer > TABLES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}
