//! What a run finds: its inputs, its target and what the last run left, pinned; and what follows from it.

use std::sync::Arc;

use hosu_catalog::{Catalog, JobState, Table};
use hosu_query::{Increment, IncrementError, Input, InputRows, find_table, increment};
use hosu_table::name::TableName;

use super::Runner;
use crate::bind::{self, BoundJob};
use crate::decide::{Decision, Facts, InputFacts, Refusal, decide};
use crate::error::RunError;
use crate::job::JobFault;
use crate::project::{Project, ProjectJob};

/// What a run finds.
pub(super) struct Situation {
    pub bound: BoundJob,
    pub inputs: Vec<Pinned>,
    pub target: Option<Arc<Table>>,
    pub state: Option<JobState>,
    pub decision: Decision,
}

/// An input of a run, as it is now and for the whole run.
pub(super) struct Pinned {
    pub name: TableName,
    pub table: Arc<Table>,
    /// The rows to read where not all are.
    pub added: Option<Arc<Increment>>,
}

impl Pinned {
    /// The input as it is read.
    pub fn input(&self) -> Input {
        let rows = self.added.clone().map_or(InputRows::All, InputRows::Added);
        Input { name: self.name.clone(), table: self.table.clone(), rows }
    }
}

impl Situation {
    /// Looks.
    pub async fn look(
        runner: &Runner,
        project: &Project,
        job: &ProjectJob,
        anew: bool,
    ) -> Result<Self, RunError> {
        let catalog = &runner.catalog;
        let mut inputs = pin(catalog, project, job).await?;
        let tables: Vec<_> = inputs.iter().map(|input| (input.name.clone(), input.table.clone())).collect();
        let bound = bind::bind(catalog, &runner.engine, &job.job, &job.select, &tables).await?;
        let target = catalog.load(&job.job.target).await?;
        let state = match &target {
            Some(target) => catalog.job_state(target.uuid()).await?,
            None => None,
        };
        let facts = Facts {
            job: &job.job.name,
            mode: job.job.mode,
            select: &bound.bound.identity(),
            anew,
            target: target.as_deref(),
            state: state.as_ref(),
            inputs: inputs
                .iter()
                .map(|input| InputFacts { name: &input.name, table: &input.table })
                .collect(),
        };
        let decision = decide(&facts).map_err(|refusal| refused(job, refusal))?;
        if let Decision::Append { changed } = &decision {
            let row_wise = bound.bound.check_row_wise(changed);
            row_wise.map_err(|error| job.job.wrong(job.select.position.line, JobFault::NotRowWise(error)))?;
            for input in &mut inputs {
                input.added = Some(Arc::new(added(catalog, job, input, state.as_ref()).await?));
            }
        }
        Ok(Self { bound, inputs, target, state, decision })
    }
}

fn refused(job: &ProjectJob, refusal: Refusal) -> RunError {
    RunError::Refused { job: job.job.name.clone(), refusal }
}

/// The inputs as they are now.
async fn pin(catalog: &Catalog, project: &Project, job: &ProjectJob) -> Result<Vec<Pinned>, RunError> {
    let mut inputs = Vec::new();
    for name in &job.inputs {
        let Some(table) = find_table(catalog, name).await? else {
            let fills = |job: &&Arc<ProjectJob>| job.job.target == *name;
            let filled_by = project.jobs.iter().find(fills).map(|job| job.job.name.clone());
            return Err(RunError::InputMissing { input: name.clone(), filled_by });
        };
        inputs.push(Pinned { name: name.clone(), table, added: None });
    }
    Ok(inputs)
}

/// The new rows of an input.
async fn added(
    catalog: &Catalog,
    job: &ProjectJob,
    input: &Pinned,
    state: Option<&JobState>,
) -> Result<Increment, RunError> {
    let after = state.and_then(|state| state.position(&input.name)?.snapshot_id);
    increment(catalog, &input.table, after).await.map_err(|error| match error {
        IncrementError::Gap { gap, .. } => refused(job, Refusal::Input { input: input.name.clone(), gap }),
        IncrementError::Unreadable(error) => error.into(),
    })
}
