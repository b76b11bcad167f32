//! Which jobs are due because an input has new data.

use std::collections::{BTreeMap, BTreeSet};

use hosu_catalog::{Catalog, JobRun, JobRuns, RunState};
use hosu_query::find_table;
use hosu_table::name::TableName;

use crate::error::RunError;
use crate::project::{Project, ProjectJob};
use crate::schedule::Schedule;

/// The current snapshot of each table; none for one that is empty or not there.
type Snapshots = BTreeMap<TableName, Option<i64>>;

/// What came into the inputs of jobs that wait for data.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The inputs as they were at the last look.
    now: Snapshots,
    /// For each job, the inputs as its last run saw them. A run that failed has seen them too: it is not run again before
    /// something else comes.
    seen: BTreeMap<String, Snapshots>,
    /// For each job that runs, the inputs as they were when it was started.
    begun: BTreeMap<String, Snapshots>,
}

impl Arrivals {
    /// Forgets what jobs have seen whose files are other ones now: they may do better.
    pub fn take_up(&mut self, before: &Project, after: &Project) {
        for job in &after.jobs {
            let was = before.job(&job.job.name);
            if was.is_some_and(|was| was.job.text != job.job.text) {
                self.seen.insert(job.job.name.clone(), Snapshots::new());
            }
        }
    }

    /// Looks at the inputs of all jobs that wait for data.
    pub async fn look(&mut self, catalog: &Catalog, project: &Project) -> Result<(), RunError> {
        let mut now = Snapshots::new();
        for job in &project.jobs {
            let Some(Schedule::After(tables)) = &job.job.schedule else { continue };
            for name in tables {
                if !now.contains_key(name) {
                    let table = find_table(catalog, name).await?;
                    now.insert(name.clone(), table.and_then(|table| table.metadata.current_snapshot_id()));
                }
            }
            if !self.seen.contains_key(&job.job.name) {
                let last = JobRuns { job: Some(job.job.name.clone()), limit: Some(1), ..JobRuns::default() };
                let last = catalog.job_runs(last).await?.into_iter().next();
                self.seen.insert(job.job.name.clone(), last.map(|run| seen_by(&run)).unwrap_or_default());
            }
        }
        self.now = now;
        Ok(())
    }

    /// Whether an input has other data than the last run saw.
    pub fn is_due(&self, job: &ProjectJob) -> bool {
        let Some(Schedule::After(tables)) = &job.job.schedule else { return false };
        let seen = self.seen.get(&job.job.name);
        tables.iter().any(|table| {
            let now = self.now.get(table).copied().flatten();
            now.is_some() && seen.and_then(|seen| seen.get(table)).copied().flatten() != now
        })
    }

    /// A run of the job begins.
    pub fn begun(&mut self, job: &ProjectJob) {
        let waits_for: BTreeSet<&TableName> = match &job.job.schedule {
            Some(Schedule::After(tables)) => tables.iter().collect(),
            _ => return,
        };
        let inputs = self.now.iter().filter(|(name, _)| waits_for.contains(name));
        self.begun.insert(job.job.name.clone(), inputs.map(|(name, id)| (name.clone(), *id)).collect());
    }

    /// The run was not to be: what was due still is.
    pub fn put_off(&mut self, job: &ProjectJob) {
        self.begun.remove(&job.job.name);
    }

    /// A run has ended, well or not.
    pub fn ended(&mut self, job: &ProjectJob, run: &JobRun) {
        let begun = self.begun.remove(&job.job.name).unwrap_or_default();
        let seen = seen_by(run);
        self.seen.insert(job.job.name.clone(), if seen.is_empty() { begun } else { seen });
    }
}

/// What a run saw of its inputs; nothing of one that was broken off.
fn seen_by(run: &JobRun) -> Snapshots {
    match run.state {
        RunState::Running | RunState::Interrupted => Snapshots::new(),
        _ => run.inputs.iter().map(|input| (input.table.clone(), input.to_snapshot_id)).collect(),
    }
}
