//! Windows over groups of rows without sorting all rows.
//!
//! DataFusion sorts by the group's keys and then by the window's order, and walks through what comes out. Here each row's
//! group is found by hashing; what is sorted are pairs of numbers, group by group ([`GroupWindowExec`]). Where a filter
//! wants the first rows of each group only, most others are dropped before that, and before they are sent to where their
//! group is ([`TopRowsExec`]). [`GroupWindows`] puts the two in place of DataFusion's operator where they are certain to
//! give the same answer; when memory ends, DataFusion's own goes on with the rows that are there, for it can spill.

mod exec;
mod function;
mod groups;
mod keys;
mod order;
mod original;
mod rule;
mod run;
mod shape;
mod top;
mod top_exec;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

pub(crate) use exec::GroupWindowExec;
pub(crate) use rule::GroupWindows;
pub(crate) use top_exec::TopRowsExec;

/// DataFusion's rules, and ours among them: before rows are sent to other threads and sorted for what is there then.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == "EnforceDistribution").unwrap_or(rules.len());
    rules.insert(place, Arc::new(GroupWindows));
    rules
}

#[cfg(test)]
mod tests;
