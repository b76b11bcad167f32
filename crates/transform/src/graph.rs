//! Which job waits for which: what one fills, another reads.
//!
//! Nothing of this is written by hand. The tables that a job reads are those of its SELECT, and a table that is another job's
//! target need not be there yet. What is wrong with one job is told of that job, and of those that could only run after it;
//! the others are as good as alone.

use std::collections::{BTreeMap, BTreeSet};

use hosu_table::name::{TableName, nearest};

use crate::job::Job;
use crate::schedule::Schedule;

/// A job and the tables that its SELECT reads.
#[derive(Clone, Debug)]
pub struct Reads {
    /// The job.
    pub job: Job,
    /// The tables, in the order of the text.
    pub inputs: Vec<TableName>,
}

/// The jobs in an order in which each comes after those that fill what it reads.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The jobs that can run, inputs first; of several the first by name.
    pub order: Vec<Reads>,
    /// What keeps others from running, by the job's name.
    pub faults: BTreeMap<String, (Job, GraphFault)>,
}

/// What keeps a job from running.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphFault {
    /// Two jobs fill one table.
    #[error("{target} is the target of `{other}` too: a table is filled by one job")]
    SharedTarget {
        /// The table.
        target: TableName,
        /// The other job.
        other: String,
    },
    /// A job waits for itself.
    #[error("the jobs wait for each other: {}", around.join(" -> "))]
    Cycle {
        /// The jobs along the cycle; the first comes again at the end.
        around: Vec<String>,
    },
    /// A table that is neither there nor any job's target.
    #[error("{table} does not exist and is no job's target{}", nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    MissingInput {
        /// The table.
        table: TableName,
        /// The most similar name of a table that is there or will be.
        nearest: Option<String>,
    },
    /// `after` names a table that the SELECT does not read.
    #[error("`schedule` waits for {table}, which the SELECT does not read")]
    AfterNoInput {
        /// The table.
        table: TableName,
    },
    /// A job that this one waits for has a fault.
    #[error("`{other}`, which fills {table}, cannot run")]
    Upstream {
        /// The job with the fault.
        other: String,
        /// What it would fill.
        table: TableName,
    },
}

impl Graph {
    /// Orders jobs; `tables` are those that exist.
    pub fn new(jobs: Vec<Reads>, tables: &BTreeSet<TableName>) -> Self {
        let mut jobs: BTreeMap<String, Reads> =
            jobs.into_iter().map(|reads| (reads.job.name.clone(), reads)).collect();
        let fills = fills(&jobs);
        let mut faults = shared_targets(&jobs);
        for (name, reads) in &jobs {
            if let Some(fault) = fault_of(reads, &fills, tables) {
                faults.entry(name.clone()).or_insert(fault);
            }
        }
        let mut order = Vec::new();
        let mut walk =
            Walk { jobs: &jobs, fills: &fills, path: Vec::new(), done: BTreeSet::new(), order: &mut order };
        for name in jobs.keys() {
            walk.visit(name, &mut faults);
        }
        let order = order.iter().filter(|name| !faults.contains_key(*name)).cloned().collect::<Vec<_>>();
        let order = order.iter().filter_map(|name| jobs.remove(name)).collect();
        let with_job =
            |(name, fault): (String, GraphFault)| Some((name.clone(), (jobs.remove(&name)?.job, fault)));
        let faults = faults.into_iter().filter_map(with_job).collect();
        Self { order, faults }
    }
}

/// The job that fills each table; of two the first by name.
fn fills(jobs: &BTreeMap<String, Reads>) -> BTreeMap<TableName, String> {
    let mut fills = BTreeMap::new();
    for (name, reads) in jobs {
        fills.entry(reads.job.target.clone()).or_insert_with(|| name.clone());
    }
    fills
}

fn shared_targets(jobs: &BTreeMap<String, Reads>) -> BTreeMap<String, GraphFault> {
    let mut by_target: BTreeMap<&TableName, Vec<&String>> = BTreeMap::new();
    for (name, reads) in jobs {
        by_target.entry(&reads.job.target).or_default().push(name);
    }
    let mut faults = BTreeMap::new();
    for (target, names) in by_target.into_iter().filter(|(_, names)| names.len() > 1) {
        for name in &names {
            let other =
                names.iter().find(|other| *other != name).map_or_else(String::new, |other| (*other).clone());
            faults.insert((*name).clone(), GraphFault::SharedTarget { target: target.clone(), other });
        }
    }
    faults
}

fn fault_of(
    reads: &Reads,
    fills: &BTreeMap<TableName, String>,
    tables: &BTreeSet<TableName>,
) -> Option<GraphFault> {
    let is_there = |table: &&TableName| tables.contains(*table) || fills.contains_key(*table);
    if let Some(table) = reads.inputs.iter().find(|table| !is_there(table)) {
        let names: Vec<String> = tables.iter().chain(fills.keys()).map(TableName::to_string).collect();
        let nearest = nearest(&table.to_string(), names.iter().map(String::as_str)).map(str::to_owned);
        return Some(GraphFault::MissingInput { table: table.clone(), nearest });
    }
    let Some(Schedule::After(waited_for)) = &reads.job.schedule else { return None };
    let table = waited_for.iter().find(|table| !reads.inputs.contains(table))?;
    Some(GraphFault::AfterNoInput { table: table.clone() })
}

/// A walk from jobs to those that fill their inputs.
struct Walk<'a> {
    jobs: &'a BTreeMap<String, Reads>,
    fills: &'a BTreeMap<TableName, String>,
    /// From the job at which the walk began to the one where it is.
    path: Vec<String>,
    done: BTreeSet<String>,
    order: &'a mut Vec<String>,
}

impl Walk<'_> {
    /// Puts a job into the order, after those that it waits for.
    fn visit(&mut self, name: &str, faults: &mut BTreeMap<String, GraphFault>) {
        if self.done.contains(name) {
            return;
        }
        if let Some(start) = self.path.iter().position(|visited| visited == name) {
            let mut around: Vec<String> = self.path.get(start..).unwrap_or_default().to_vec();
            around.push(name.to_owned());
            for waiting in &around {
                let fault = GraphFault::Cycle { around: around.clone() };
                faults.entry(waiting.clone()).or_insert(fault);
            }
            return;
        }
        self.path.push(name.to_owned());
        let inputs = self.jobs.get(name).map(|reads| reads.inputs.as_slice()).unwrap_or_default();
        for table in inputs {
            let Some(other) = self.fills.get(table) else { continue };
            self.visit(other, faults);
            if other != name && faults.contains_key(other) {
                let fault = GraphFault::Upstream { other: other.clone(), table: table.clone() };
                faults.entry(name.to_owned()).or_insert(fault);
            }
        }
        self.path.pop();
        self.done.insert(name.to_owned());
        self.order.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests;
