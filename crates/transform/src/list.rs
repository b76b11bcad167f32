//! The jobs with what became of them: last run, next run, and what of their inputs was not taken yet.

use hosu_catalog::{Catalog, JobRun, JobRuns, JobState, Table};
use hosu_query::find_table;
use hosu_table::commit::summary_count;
use hosu_table::increment::new_snapshots;
use hosu_table::name::TableName;
use iceberg::spec::SnapshotRef;

use crate::agenda::clock_text;
use crate::decide::{News, news};
use crate::error::RunError;
use crate::job::Mode;
use crate::project::{Project, ProjectJob};

/// A job and what became of it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The job.
    pub job: std::sync::Arc<ProjectJob>,
    /// Its last run.
    pub last: Option<JobRun>,
    /// The next slot of its schedule, in milliseconds since 1970; it may have passed while no scheduler was there.
    pub next_ms: Option<i64>,
    /// Its inputs.
    pub inputs: Vec<Lag>,
}

/// What of an input was not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The input.
    pub table: TableName,
    /// Snapshots with new rows; none where it cannot be told, or where all rows are taken the next time.
    pub snapshots: Option<usize>,
    /// The rows of these, or all.
    pub rows: Option<u64>,
}

/// Lists the jobs of a project in their order.
///
/// # Errors
/// When the catalog cannot be asked.
pub async fn list(catalog: &Catalog, project: &Project) -> Result<Vec<Listed>, RunError> {
    let slots = catalog.job_slots().await?;
    let now_ms = catalog.host().clock.now_ms();
    let mut listed = Vec::new();
    for job in &project.jobs {
        let last = JobRuns { job: Some(job.job.name.clone()), limit: Some(1), ..JobRuns::default() };
        let last = catalog.job_runs(last).await?.into_iter().next();
        let text = clock_text(&job.job);
        let remembered =
            slots.iter().find(|slot| slot.job == job.job.name && Some(&slot.schedule) == text.as_ref());
        let after_ms = remembered.map_or(now_ms, |slot| slot.handled_until_ms);
        let next_ms =
            job.job.schedule.as_ref().and_then(|schedule| schedule.next_after(after_ms, job.job.zone));
        let state = match catalog.load(&job.job.target).await? {
            Some(target) => catalog.job_state(target.uuid()).await?,
            None => None,
        };
        let mut inputs = Vec::new();
        for name in &job.inputs {
            let table = find_table(catalog, name).await?;
            inputs.push(lag(name, table.as_deref(), state.as_ref(), job.job.mode));
        }
        listed.push(Listed { job: job.clone(), last, next_ms, inputs });
    }
    Ok(listed)
}

fn lag(name: &TableName, table: Option<&Table>, state: Option<&JobState>, mode: Mode) -> Lag {
    let told = |snapshots, rows| Lag { table: name.clone(), snapshots, rows };
    let Some(table) = table else { return told(Some(0), Some(0)) };
    let all =
        || table.snapshot().map_or(Some(0), |snapshot| summary_count(snapshot.summary(), "total-records"));
    let Some(position) = state.and_then(|state| state.position(name)) else { return told(None, all()) };
    match news(position, table) {
        News::None | News::Rewritten => told(Some(0), Some(0)),
        News::Recreated | News::Gap(_) if mode == Mode::Full => told(None, all()),
        News::Recreated | News::Gap(_) => told(None, None),
        News::Rows => match new_snapshots(&table.metadata, position.snapshot_id) {
            Ok(new) => {
                let added = |snapshot: &SnapshotRef| summary_count(snapshot.summary(), "added-records");
                let rows = new.appended().map(added).sum();
                told(Some(new.appended().count()), rows)
            }
            Err(_) => told(None, None),
        },
    }
}
