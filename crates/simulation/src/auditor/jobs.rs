//! Targets of jobs against their inputs: what each snapshot holds is the SELECT, computed from scratch, over the inputs up to
//! where the snapshot says that they were taken; and the history tells of each snapshot, and of no other.
//!
//! Nothing of the code that runs jobs is asked: rows are read file by file, and what they must be is said in Rust.

use std::collections::{BTreeMap, BTreeSet};

use hosu_catalog::{Catalog, JobRun, JobRuns, RunState, Table};
use hosu_table::name::TableName;
use iceberg::spec::Snapshot;
use serde_json::Value;
use uuid::Uuid;

use super::Finding;
use crate::jobs::{JOBS, JobBook, SimulatedJob};
use crate::relation::{Relation, relation};
use crate::world::World;

/// What an audit of targets found, and how much it looked at.
#[derive(Clone, Debug, Default)]
pub struct JobAudit {
    /// Broken promises; none is good.
    pub findings: Vec<Finding>,
    /// Snapshots of targets whose rows were computed again.
    pub snapshots: usize,
    /// Targets that have all of their inputs.
    pub up_to_date: usize,
    /// Runs that succeeded although nobody was told so.
    pub unheard: usize,
    /// How many runs are in each state.
    pub runs: BTreeMap<&'static str, usize>,
}

/// How far the inputs were taken: by name, the table's identity and its snapshot.
type Positions = BTreeMap<String, (String, Option<i64>)>;

/// Audits the targets of all jobs and the history of their runs.
pub async fn audit_jobs(world: &World, told: &JobBook) -> JobAudit {
    let mut audit = JobAudit::default();
    let all = async {
        let catalog = world.open_for_audit()?;
        let runs = catalog.job_runs(JobRuns::default()).await?;
        for job in &JOBS {
            let runs: Vec<&JobRun> = runs.iter().filter(|run| run.target == job.target()).collect();
            audit.target(&catalog, job, &runs).await?;
        }
        audit.told(told, &runs);
        Ok::<_, Box<dyn std::error::Error>>(runs)
    };
    match all.await {
        Ok(runs) => {
            for run in runs {
                *audit.runs.entry(run.state.as_str()).or_default() += 1;
            }
        }
        Err(error) => audit.findings.push(Finding::Catalog(error.to_string())),
    }
    audit
}

impl JobAudit {
    /// Complains of runs that count as running although nobody runs any more.
    pub fn nobody_runs(&mut self) {
        if let Some(count) = self.runs.get("running") {
            self.findings.push(Finding::Job(format!("{count} runs count as running, and nobody runs")));
        }
    }

    fn said(&mut self, text: String) {
        self.findings.push(Finding::Job(text));
    }

    async fn target(
        &mut self,
        catalog: &Catalog,
        job: &SimulatedJob,
        runs: &[&JobRun],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let table = catalog.load(&job.target()).await?;
        let succeeded: Vec<&&JobRun> = runs.iter().filter(|run| run.state == RunState::Succeeded).collect();
        self.snapshots_of(table.as_deref(), job, &succeeded);
        let Some(table) = table else { return Ok(()) };
        for snapshot in table.metadata.snapshots() {
            let positions = taken(snapshot)?;
            self.compare(catalog, job, &table, Some(snapshot), &positions, "the summary").await?;
            self.run_of(job, &table, snapshot, &positions, &succeeded);
            self.snapshots += 1;
        }
        self.state(catalog, job, &table).await
    }

    /// Each run that committed a snapshot has one of its own.
    fn snapshots_of(&mut self, table: Option<&Table>, job: &SimulatedJob, succeeded: &[&&JobRun]) {
        let mut seen = BTreeSet::new();
        for run in succeeded {
            let Some(id) = run.snapshot_id else {
                if run.rows_written > 0 {
                    self.said(format!("run {} of {} wrote rows and has no snapshot", run.run_id, job.name));
                }
                continue;
            };
            let is_there = table.is_some_and(|table| table.metadata.snapshot_by_id(id).is_some());
            if !is_there || !seen.insert(id) {
                self.said(format!(
                    "run {} of {} has snapshot {id}, which is not its own",
                    run.run_id, job.name
                ));
            }
        }
    }

    /// A snapshot has one run, which says the same.
    fn run_of(
        &mut self,
        job: &SimulatedJob,
        table: &Table,
        snapshot: &Snapshot,
        positions: &Positions,
        succeeded: &[&&JobRun],
    ) {
        let id = snapshot.snapshot_id();
        let run_id = run_of(snapshot);
        let Some(run) =
            succeeded.iter().find(|run| Some(run.run_id) == run_id && run.snapshot_id == Some(id))
        else {
            return self.said(format!("no run that succeeded has made snapshot {id} of {}", job.name));
        };
        let inputs = run.inputs.iter();
        let inputs = inputs.map(|at| (at.table.to_string(), (at.uuid.to_string(), at.to_snapshot_id)));
        if run.target_uuid != Some(table.uuid()) || inputs.collect::<Positions>() != *positions {
            self.said(format!("run {run_id:?} of {} tells other inputs than snapshot {id}", job.name));
        }
    }

    /// What is kept of a target is true of its current snapshot.
    async fn state(
        &mut self,
        catalog: &Catalog,
        job: &SimulatedJob,
        table: &Table,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let Some(state) = catalog.job_state(table.uuid()).await? else {
            self.said(format!("nothing is kept of {}, which is there", job.name));
            return Ok(());
        };
        let current = table.snapshot();
        if state.snapshot_id != current.map(|snapshot| snapshot.snapshot_id()) {
            self.said(format!("{} is at another snapshot than {:?}", job.name, state.snapshot_id));
            return Ok(());
        }
        let positions = state.positions.iter();
        let positions = positions.map(|at| (at.table.to_string(), (at.uuid.to_string(), at.snapshot_id)));
        let positions: Positions = positions.collect();
        self.compare(catalog, job, table, current.map(AsRef::as_ref), &positions, "what is kept").await?;
        if let Some(snapshot) = current
            && run_of(snapshot) == Some(state.run_id)
            && taken(snapshot)? != positions
        {
            self.said(format!("what is kept of {} is not what its snapshot says", job.name));
        }
        let mut is_up_to_date = true;
        for (name, (_, snapshot_id)) in &positions {
            let input = catalog.load(&TableName::parse(name)?).await?;
            let now = input.and_then(|input| input.metadata.current_snapshot_id());
            is_up_to_date &= now == *snapshot_id;
        }
        self.up_to_date += usize::from(is_up_to_date);
        Ok(())
    }

    /// The rows of a snapshot of a target against the SELECT over its inputs at these positions.
    async fn compare(
        &mut self,
        catalog: &Catalog,
        job: &SimulatedJob,
        table: &Table,
        snapshot: Option<&Snapshot>,
        positions: &Positions,
        who_says: &str,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut inputs = Vec::new();
        for (name, columns) in job.inputs {
            inputs.push(self.input(catalog, name, columns, positions).await?);
        }
        let rows = relation(catalog, table, snapshot, job.columns).await.map_err(|e| format!("{e:?}"))?;
        let wanted = (job.rows)(&inputs);
        let id = snapshot.map(Snapshot::snapshot_id);
        for row in rows.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
            let times = |rows: &Relation| rows.get(row).copied().unwrap_or(0);
            let (is, should) = (times(&rows), times(&wanted));
            if is != should {
                let (name, appends) = (job.name, job.appends);
                self.said(format!(
                    "{name} (appends: {appends}) has {row:?} {is} times in snapshot {id:?}, and by {who_says} {should} times"
                ));
            }
        }
        Ok(())
    }

    /// The rows of an input up to where it was taken.
    async fn input(
        &mut self,
        catalog: &Catalog,
        name: &str,
        columns: &[&str],
        positions: &Positions,
    ) -> Result<Relation, Box<dyn std::error::Error>> {
        let name = TableName::stored("default", name);
        let table = catalog.require(&name).await?;
        let Some((uuid, snapshot_id)) = positions.get(&name.to_string()) else {
            self.said(format!("how far {name} was taken is not told"));
            return Ok(Relation::new());
        };
        let snapshot = snapshot_id.and_then(|id| table.metadata.snapshot_by_id(id));
        if *uuid != table.uuid().to_string() || snapshot.is_some() != snapshot_id.is_some() {
            self.said(format!("{name} was taken up to {snapshot_id:?} of {uuid}, which it never had"));
        }
        let rows = relation(catalog, &table, snapshot.map(AsRef::as_ref), columns).await;
        Ok(rows.map_err(|error| format!("{error:?}"))?)
    }

    /// What was told is true, and stays.
    fn told(&mut self, book: &JobBook, runs: &[JobRun]) {
        let by_id: BTreeMap<Uuid, &JobRun> = runs.iter().map(|run| (run.run_id, run)).collect();
        let told = book.told();
        for told in &told {
            let run = &told.run;
            let is = by_id.get(&run.run_id).map(|found| (found.state, found.snapshot_id));
            let fits = match run.state {
                RunState::Succeeded | RunState::NothingNew => is == Some((run.state, run.snapshot_id)),
                // That it failed may not have come into the history; that it has not succeeded is certain only if so said.
                _ => !(told.is_definite_failure && is.is_some_and(|is| is.0 == RunState::Succeeded)),
            };
            if !fits {
                let (id, name, state) = (run.run_id, &run.job, run.state);
                self.said(format!("run {id} of {name} was told to have {state}, and is {is:?}"));
            }
        }
        let heard: BTreeSet<Uuid> = told
            .iter()
            .filter(|told| told.run.state == RunState::Succeeded)
            .map(|told| told.run.run_id)
            .collect();
        let succeeded = runs.iter().filter(|run| run.state == RunState::Succeeded);
        self.unheard = succeeded.filter(|run| !heard.contains(&run.run_id)).count();
    }
}

fn run_of(snapshot: &Snapshot) -> Option<Uuid> {
    snapshot.summary().additional_properties.get("hosu.run-id")?.parse().ok()
}

/// How far a snapshot says that the inputs were taken.
fn taken(snapshot: &Snapshot) -> Result<Positions, Box<dyn std::error::Error>> {
    let told = snapshot.summary().additional_properties.get("hosu.inputs");
    let told: BTreeMap<String, Value> = serde_json::from_str(told.map_or("{}", String::as_str))?;
    let position = |(name, at): (String, Value)| {
        let text = |key: &str| at.get(key).and_then(Value::as_str).map(str::to_owned);
        let snapshot_id = text("snapshot-id").map(|id| id.parse()).transpose()?;
        Ok((name, (text("uuid").unwrap_or_default(), snapshot_id)))
    };
    told.into_iter().map(position).collect()
}

#[cfg(test)]
mod tests;
