//! Which statements can be computed from the rows that are new, and how.
//!
//! A plan is walked from its result down to the one table whose rows drive it. On the way there is only what treats each row
//! alone. What is joined to it, or looked up in a subquery, is read whole and must not have changed: its new rows would
//! change results of rows that were taken before.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, TableScan, Volatility};
use hosu_table::name::TableName;

use crate::increment::Increment;
use crate::provider::SnapshotProvider;

/// The mode of a job that can do what is not row-wise.
const FULL: &str = "full";

/// What keeps a statement from being computed from new rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{construct} cannot be computed from new rows alone: {reason}; mode `{mode}` computes it from all")]
pub struct NotRowWise {
    /// What it is, in words of SQL.
    pub construct: String,
    /// Why that is so.
    pub reason: String,
    /// The mode of a job that fits.
    pub mode: &'static str,
}

/// Whether a plan is row-wise when these tables have new rows.
pub(super) fn check(plan: &LogicalPlan, changed: &[TableName]) -> Result<(), NotRowWise> {
    let changed = changed.iter().map(|name| (folded(name), None)).collect();
    Walk { changed }.drive(plan).map(drop)
}

/// The plan with those tables that drive it read as far as they were added.
pub(super) fn over(
    plan: &LogicalPlan,
    added: Vec<(TableName, Arc<Increment>)>,
) -> Result<LogicalPlan, NotRowWise> {
    let changed = added.into_iter().filter(|(_, added)| !added.is_empty());
    let changed = changed.map(|(name, added)| (folded(&name), Some(added))).collect();
    Walk { changed }.drive(plan)
}

struct Walk {
    /// The tables that have new rows, and which.
    changed: HashMap<TableName, Option<Arc<Increment>>>,
}

impl Walk {
    /// The plan with the scans that drive it reading new rows.
    fn drive(&self, plan: &LogicalPlan) -> Result<LogicalPlan, NotRowWise> {
        self.check_expressions(plan)?;
        let mut driven = plan.clone();
        match (&mut driven, plan) {
            (LogicalPlan::Projection(node), _) => node.input = self.below(&node.input)?,
            (LogicalPlan::Filter(node), _) => node.input = self.below(&node.input)?,
            (LogicalPlan::SubqueryAlias(node), _) => node.input = self.below(&node.input)?,
            (LogicalPlan::Unnest(node), _) => node.input = self.below(&node.input)?,
            (LogicalPlan::Repartition(node), _) => node.input = self.below(&node.input)?,
            (LogicalPlan::Sort(node), _) if node.fetch.is_none() => node.input = self.below(&node.input)?,
            (LogicalPlan::Union(node), _) => {
                for input in &mut node.inputs {
                    *input = self.below(input)?;
                }
            }
            (LogicalPlan::Join(node), LogicalPlan::Join(join)) => self.drive_join(node, join)?,
            (LogicalPlan::TableScan(scan), _) => self.drive_scan(scan)?,
            (_, plan) => return Err(refused(plan)),
        }
        Ok(driven)
    }

    fn below(&self, plan: &Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>, NotRowWise> {
        self.drive(plan).map(Arc::new)
    }

    fn drive_scan(&self, scan: &mut TableScan) -> Result<(), NotRowWise> {
        let provider = source_as_provider(&scan.source).ok();
        let Some(table) = provider.as_ref().and_then(|provider| provider.downcast_ref::<SnapshotProvider>())
        else {
            return Err(constant(format!("{}, which is no table of the lake,", scan.table_name.table())));
        };
        let added = self.changed.get(&folded(&table.table().name));
        let added = added.map_or_else(Arc::default, |added| added.clone().unwrap_or_default());
        scan.source = provider_as_source(Arc::new(table.reading(added)));
        Ok(())
    }

    fn drive_join(&self, node: &mut Join, join: &Join) -> Result<(), NotRowWise> {
        let (left, right) = (self.changed_in(&join.left), self.changed_in(&join.right));
        let kind = name_of(join);
        if let Some(what) = distinct_set_operation(join) {
            return Err(not_row_wise(what, "it tells apart only rows that differ, among all rows"));
        }
        match (left.first(), right.first()) {
            (Some(left), Some(right)) => {
                let (construct, reason) = if left == right {
                    (format!("a {kind} of {left} with itself"), format!("{left} has new rows on both sides"))
                } else {
                    (format!("a {kind} of {left} and {right}"), "both have new rows".to_owned())
                };
                Err(not_row_wise(construct, reason))
            }
            (Some(left), None) if !left_drives(join.join_type) => Err(pads(&kind, left)),
            (None, Some(right)) if !right_drives(join.join_type) => Err(pads(&kind, right)),
            (Some(_), None) => self.drive_left(node, join),
            (None, Some(_)) => self.drive_right(node, join),
            (None, None) => match (left_drives(join.join_type), right_drives(join.join_type)) {
                (true, true) => self
                    .drive_left(node, join)
                    .or_else(|error| self.drive_right(node, join).map_err(|_| error)),
                (true, false) => self.drive_left(node, join),
                (false, true) => self.drive_right(node, join),
                (false, false) => {
                    let reason = "a row without a match may get one later";
                    Err(not_row_wise(format!("a {kind}"), reason))
                }
            },
        }
    }

    fn drive_left(&self, node: &mut Join, join: &Join) -> Result<(), NotRowWise> {
        self.check_looked_up(&join.right)?;
        node.left = self.below(&join.left)?;
        Ok(())
    }

    fn drive_right(&self, node: &mut Join, join: &Join) -> Result<(), NotRowWise> {
        self.check_looked_up(&join.left)?;
        node.right = self.below(&join.right)?;
        Ok(())
    }

    /// The tables of a plan that have new rows.
    fn changed_in(&self, plan: &LogicalPlan) -> Vec<TableName> {
        let mut found = Vec::new();
        let walked = plan.apply_with_subqueries(|plan| {
            if let LogicalPlan::TableScan(scan) = plan
                && let Some(name) = table_of(scan)
                && self.changed.contains_key(&name)
            {
                found.push(name);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(walked.is_ok());
        found
    }

    /// The expressions of one node that drives.
    fn check_expressions(&self, plan: &LogicalPlan) -> Result<(), NotRowWise> {
        each_expression(plan, |expr| {
            fickle(expr)?;
            let subquery = match expr {
                Expr::Exists(exists) => &exists.subquery,
                Expr::InSubquery(within) => &within.subquery,
                Expr::ScalarSubquery(subquery) => subquery,
                Expr::SetComparison(comparison) => &comparison.subquery,
                _ => return Ok(()),
            };
            self.check_looked_up(&subquery.subquery)?;
            match self.changed_in(&subquery.subquery).first() {
                Some(table) => {
                    let reason = "it has new rows, which may change results of rows that were taken before";
                    Err(not_row_wise(format!("a subquery over {table}"), reason))
                }
                None => Ok(()),
            }
        })
    }

    /// What is read whole may be anything that is the same in each run.
    fn check_looked_up(&self, plan: &LogicalPlan) -> Result<(), NotRowWise> {
        let mut refused = Ok(());
        let walked = plan.apply_with_subqueries(|plan| {
            refused = each_expression(plan, fickle);
            Ok(if refused.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        });
        debug_assert!(walked.is_ok());
        refused
    }
}

fn each_expression(
    plan: &LogicalPlan,
    mut check: impl FnMut(&Expr) -> Result<(), NotRowWise>,
) -> Result<(), NotRowWise> {
    let mut refused = Ok(());
    let walked = plan.apply_expressions(|expr| {
        expr.apply(|expr| {
            refused = check(expr);
            Ok(if refused.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        })
    });
    debug_assert!(walked.is_ok());
    refused
}

/// Refuses what gives another value in each run.
fn fickle(expr: &Expr) -> Result<(), NotRowWise> {
    match expr {
        Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
            Err(not_row_wise(format!("{}()", call.name()), "it gives another value in each run"))
        }
        _ => Ok(()),
    }
}

fn left_drives(join: JoinType) -> bool {
    use JoinType::{Inner, Left, LeftAnti, LeftMark, LeftSemi};
    matches!(join, Inner | Left | LeftSemi | LeftAnti | LeftMark)
}

fn right_drives(join: JoinType) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
    matches!(join, Inner | Right | RightSemi | RightAnti | RightMark)
}

/// A join as SQL names it.
fn name_of(join: &Join) -> String {
    let is_set = join.null_equality == NullEquality::NullEqualsNull;
    let name = match join.join_type {
        JoinType::Inner => "join",
        JoinType::Left => "LEFT JOIN",
        JoinType::Right => "RIGHT JOIN",
        JoinType::Full => "FULL JOIN",
        JoinType::LeftSemi if is_set => "INTERSECT",
        JoinType::LeftAnti if is_set => "EXCEPT",
        JoinType::LeftSemi | JoinType::RightSemi => "SEMI JOIN",
        JoinType::LeftAnti | JoinType::RightAnti => "ANTI JOIN",
        JoinType::LeftMark | JoinType::RightMark => "join",
    };
    name.to_owned()
}

/// EXCEPT and INTERSECT are joins over distinct rows.
fn distinct_set_operation(join: &Join) -> Option<String> {
    let is_set = join.null_equality == NullEquality::NullEqualsNull;
    (is_set && matches!(join.left.as_ref(), LogicalPlan::Distinct(_))).then(|| name_of(join))
}

fn pads(kind: &str, table: &TableName) -> NotRowWise {
    let reason = format!("the new rows of {table} may change results of rows that were taken before");
    not_row_wise(format!("a {kind} with {table}"), reason)
}

/// Why a node cannot stand between the result and the rows that drive it.
fn refused(plan: &LogicalPlan) -> NotRowWise {
    let all = "it depends on all rows";
    match plan {
        LogicalPlan::Aggregate(node) if node.group_expr.is_empty() => {
            let call = node.aggr_expr.iter().find_map(aggregate).unwrap_or("an aggregate".to_owned());
            not_row_wise(call, all)
        }
        LogicalPlan::Aggregate(_) => {
            not_row_wise("GROUP BY", "a new row may be of a group that there is already")
        }
        LogicalPlan::Window(node) => {
            let call = node.window_expr.iter().find_map(window).unwrap_or("a window function".to_owned());
            not_row_wise(call, "a window function looks at other rows")
        }
        LogicalPlan::Limit(node) if node.fetch.is_none() => not_row_wise("OFFSET", all),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => not_row_wise("LIMIT", all),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let is_union = matches!(input.as_ref(), LogicalPlan::Union(_));
            let reason = "a new row may be there already";
            not_row_wise(if is_union { "UNION without ALL" } else { "DISTINCT" }, reason)
        }
        LogicalPlan::Distinct(Distinct::On(_)) => not_row_wise("DISTINCT ON", all),
        LogicalPlan::Values(_) => constant("VALUES".to_owned()),
        LogicalPlan::EmptyRelation(_) => constant("a SELECT without a table".to_owned()),
        LogicalPlan::RecursiveQuery(_) => not_row_wise("WITH RECURSIVE", all),
        LogicalPlan::Subquery(_) => not_row_wise("LATERAL", "its rows depend on those of another table"),
        other => not_row_wise(other.display().to_string(), all),
    }
}

fn constant(construct: String) -> NotRowWise {
    not_row_wise(construct, "each run would add the same rows again")
}

fn aggregate(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Alias(alias) => aggregate(&alias.expr),
        Expr::AggregateFunction(call) => Some(format!("{}()", call.func.name())),
        _ => None,
    }
}

fn window(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Alias(alias) => window(&alias.expr),
        Expr::WindowFunction(call) => Some(format!("{}() OVER", call.fun.name())),
        _ => None,
    }
}

fn not_row_wise(construct: impl Into<String>, reason: impl Into<String>) -> NotRowWise {
    NotRowWise { construct: construct.into(), reason: reason.into(), mode: FULL }
}

/// The table of the lake that a scan reads.
fn table_of(scan: &TableScan) -> Option<TableName> {
    let provider = source_as_provider(&scan.source).ok()?;
    let table = provider.downcast_ref::<SnapshotProvider>()?;
    Some(folded(&table.table().name))
}

fn folded(name: &TableName) -> TableName {
    TableName::stored(name.database.to_lowercase(), name.table.to_lowercase())
}
