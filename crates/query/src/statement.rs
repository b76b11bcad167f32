//! The text of a query: parsed, its tables found, its names spelled as DataFusion will find them.

mod expression;
mod grammar;
mod namer;
mod size;

use std::collections::{HashMap, HashSet};

use datafusion::common::TableReference;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArguments, Ident, ObjectNamePart, Query, SelectItem, SetExpr,
    Statement as SqlStatement,
};

use crate::error::{Position, QueryError, plan_error};
use crate::names::Spelling;
pub(crate) use expression::ExprText;
use grammar::Grammar;
use namer::Namer;

/// How deep the parser may go. It gives up on what is deeper only after it has tried all that a word could mean: statements are
/// to be refused before they come here.
const DEPTH_MAX: usize = 3000;

/// A query as it was parsed.
#[derive(Clone, Debug)]
pub(crate) struct QueryText {
    statement: Statement,
}

/// The tables that a query reads, and where each is written first.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Their names in lower case.
    pub references: Vec<TableReference>,
    places: HashMap<String, Position>,
}

impl Tables {
    /// Where a table is written.
    pub fn position(&self, table: &TableReference) -> Option<Position> {
        self.places.get(&table.to_string()).copied()
    }
}

impl QueryText {
    /// Parses the text of one query.
    pub fn parse(sql: &str) -> Result<Self, QueryError> {
        let parser = DFParserBuilder::new(sql).with_dialect(&Grammar).with_recursion_limit(DEPTH_MAX).build();
        let statements = parser.and_then(|mut parser| parser.parse_statements()).map_err(plan_error)?;
        let mut statements = statements.into_iter();
        let (Some(statement), None) = (statements.next(), statements.next()) else {
            let message = "one statement was expected".to_owned();
            return Err(QueryError::Syntax { message, position: None });
        };
        match query_of(&statement) {
            Some(_) => size::check(&statement).map(|()| Self { statement }),
            None => Err(QueryError::Unsupported { what: first_words(sql), position: None }),
        }
    }

    /// The tables that it reads.
    pub fn tables(&self) -> Result<Tables, QueryError> {
        let lower_case = Spelling::default();
        let mut namer = Namer::new(&lower_case);
        let mut folded = self.statement.clone();
        namer.visit(&mut folded);
        let (mut references, _) = resolve_table_references(&folded, true).map_err(plan_error)?;
        references.retain(|reference| !namer.functions.contains(&reference.to_string()));
        Ok(Tables { references, places: namer.places })
    }

    /// The statement in this spelling, for DataFusion to plan.
    pub fn spelled(&self, spelling: &Spelling) -> Statement {
        self.with_names(spelling, Apart::SameText)
    }

    /// As [`QueryText::spelled`], for a statement that selects what DataFusion takes for the same: `1 = 1.0, 1 = 1e0`.
    pub fn spelled_apart(&self, spelling: &Spelling) -> Statement {
        self.with_names(spelling, Apart::All)
    }

    fn with_names(&self, spelling: &Spelling, apart: Apart) -> Statement {
        let mut statement = self.statement.clone();
        Namer::new(spelling).visit(&mut statement);
        if let Some(query) = query_of_mut(&mut statement) {
            tell_apart(query, apart);
        }
        statement
    }

    /// Whether it asks for a plan and not for rows.
    pub fn is_explain(&self) -> bool {
        !matches!(&self.statement, Statement::Statement(statement) if matches!(**statement, SqlStatement::Query(_)))
    }

    /// The names of the result's columns, `planned` being DataFusion's. As Athena has it: an alias is kept, a
    /// column and a field have their own names, and anything else is `_col0`, `_col1` by its position.
    pub fn result_names(&self, spelling: &Spelling, planned: Vec<String>) -> Vec<String> {
        if query_of(&self.statement).is_some_and(|query| is_values(&query.body)) && !self.is_explain() {
            return (0..planned.len()).map(|index| format!("_col{index}")).collect();
        }
        let Some(items) = (!self.is_explain()).then(|| query_of(&self.statement)).flatten().and_then(items)
        else {
            return planned;
        };
        let total = planned.len();
        let before = items.iter().take_while(|item| !is_wildcard(item)).count();
        let after = items.iter().rev().take_while(|item| !is_wildcard(item)).count();
        let names = planned.into_iter().enumerate().map(|(index, planned)| {
            let item = if index < before {
                items.get(index)
            } else if total - index <= after {
                (items.len() + index).checked_sub(total).and_then(|index| items.get(index))
            } else {
                None
            };
            match item {
                Some(item) => item_name(item, spelling).unwrap_or_else(|| format!("_col{index}")),
                None => planned,
            }
        });
        names.collect()
    }
}

fn query_of(statement: &Statement) -> Option<&Query> {
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(query) => Some(query),
            SqlStatement::Explain { statement, .. } => match statement.as_ref() {
                SqlStatement::Query(query) => Some(query),
                _ => None,
            },
            _ => None,
        },
        Statement::Explain(explain) => query_of(&explain.statement),
        _ => None,
    }
}

fn query_of_mut(statement: &mut Statement) -> Option<&mut Query> {
    match statement {
        Statement::Statement(statement) => match statement.as_mut() {
            SqlStatement::Query(query) => Some(query),
            SqlStatement::Explain { statement, .. } => match statement.as_mut() {
                SqlStatement::Query(query) => Some(query),
                _ => None,
            },
            _ => None,
        },
        Statement::Explain(explain) => query_of_mut(&mut explain.statement),
        _ => None,
    }
}

/// What the outermost SELECT selects.
fn items(query: &Query) -> Option<&[SelectItem]> {
    fn of(body: &SetExpr) -> Option<&[SelectItem]> {
        match body {
            SetExpr::Select(select) => Some(&select.projection),
            SetExpr::Query(query) => of(&query.body),
            SetExpr::SetOperation { left, .. } => of(left),
            _ => None,
        }
    }
    of(&query.body)
}

/// Whether it is made of values, which have no names.
fn is_values(body: &SetExpr) -> bool {
    match body {
        SetExpr::Values(_) => true,
        SetExpr::Query(query) => is_values(&query.body),
        SetExpr::SetOperation { left, .. } => is_values(left),
        _ => false,
    }
}

fn item_name(item: &SelectItem, spelling: &Spelling) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(expr) => expr_name(expr, spelling),
        _ => None,
    }
}

fn expr_name(expr: &Expr, spelling: &Spelling) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(spelling.of(&name.value)),
        Expr::CompoundIdentifier(_) => spelling.of_path(&path_of(expr)).pop(),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(_)) => spelling.of_path(&path_of(expr)).pop(),
            _ => None,
        },
        Expr::Nested(expr) => expr_name(expr, spelling),
        Expr::Function(function) => user_column(function).map(|name| spelling.of(&name.value)),
        _ => None,
    }
}

/// The names in an expression that leads to a column or field; what is in between is passed over.
fn path_of(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::Identifier(name) => vec![&name.value],
        Expr::CompoundIdentifier(names) => names.iter().map(|name| name.value.as_str()).collect(),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut names = path_of(root);
            names.extend(access_chain.iter().flat_map(|access| match access {
                AccessExpr::Dot(expr) => path_of(expr),
                AccessExpr::Subscript(_) => Vec::new(),
            }));
            names
        }
        _ => Vec::new(),
    }
}

/// The parser takes the word `user` for a function without arguments; here it is a column.
fn user_column(function: &Function) -> Option<&Ident> {
    match (function.name.0.as_slice(), &function.args) {
        ([ObjectNamePart::Identifier(name)], FunctionArguments::None) => {
            name.value.eq_ignore_ascii_case("user").then_some(name)
        }
        _ => None,
    }
}

/// DataFusion wants the columns of a SELECT to have different names, SQL does not: a second one gets a name that
/// nobody sees.
fn tell_apart(query: &mut Query, apart: Apart) {
    fn of(body: &mut SetExpr, apart: Apart) {
        match body {
            SetExpr::Select(select) => items_apart(&mut select.projection, apart),
            SetExpr::Query(query) => of(&mut query.body, apart),
            SetExpr::SetOperation { left, right, .. } => {
                of(left, apart);
                if apart == Apart::All {
                    of(right, apart);
                }
            }
            _ => {}
        }
    }
    of(&mut query.body, apart);
}

/// Which items of a SELECT get a name of their own.
#[derive(Clone, Copy, PartialEq)]
enum Apart {
    /// Those that are written like an earlier one.
    SameText,
    /// All without a name.
    All,
}

fn items_apart(items: &mut [SelectItem], apart: Apart) {
    let mut seen = HashSet::new();
    let has_wildcard = items.iter().any(is_wildcard);
    for (index, item) in items.iter_mut().enumerate() {
        let (name, expr) = match item {
            SelectItem::UnnamedExpr(expr) => (expr.to_string(), expr.clone()),
            SelectItem::ExprWithAlias { expr, alias } => (alias.to_string(), expr.clone()),
            _ => continue,
        };
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let is_unnamed = !is_column && matches!(item, SelectItem::UnnamedExpr(_));
        let in_the_way = (has_wildcard && is_column) || (apart == Apart::All && is_unnamed);
        if !seen.insert(name.clone()) || in_the_way {
            let alias = Ident::with_quote('"', format!("{name}:{index}"));
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

fn is_wildcard(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _))
}

fn first_words(sql: &str) -> String {
    sql.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase()
}

#[cfg(test)]
mod tests;
