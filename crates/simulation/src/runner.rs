//! Those who run the jobs: one that runs all of them round after round, and one that does so when they are due.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::Catalog;
use hosu_host::Stop;
use hosu_query::{Engine, EngineSettings};
use hosu_transform::{
    Around, JobFile, JobFolder, Order, Project, RunError, RunSettings, Runner, Scheduler, SchedulerSettings,
    run_all,
};

use crate::jobs::{JobBook, files};

/// How long a lease is good.
pub const LEASE: Duration = Duration::from_secs(10);

/// One that runs jobs on a lake as its gate shows it, with nothing remembered from an earlier life.
///
/// # Errors
/// When there is no engine to be had.
pub fn runner(catalog: Catalog, book: &JobBook) -> Result<Runner, RunError> {
    let settings = EngineSettings { cores: 1, memory_bytes: 64 << 20, ..EngineSettings::default() };
    let engine = Engine::new(settings)?;
    let settings = RunSettings {
        lease: LEASE,
        // A sleep on the simulated clock is over at once.
        renew: false,
        retry_first: Duration::from_millis(500),
        ..RunSettings::default()
    };
    Ok(Runner { catalog, engine, settings, watch: Arc::new(book.clone()), stop: Stop::new() })
}

/// Runs every job once, each after those before it; whether all went well.
///
/// # Errors
/// When the catalog cannot be asked which jobs can run.
pub async fn round(runner: &Runner, waits: bool) -> Result<bool, RunError> {
    let project = Project::load(&runner.catalog, &runner.engine, &files()).await?;
    let names: Vec<String> = project.jobs.iter().map(|job| job.job.name.clone()).collect();
    let jobs = project.chosen(&names, Around::default())?;
    let order = Order { waits, ..Order::default() };
    let outcomes = run_all(runner, &project, jobs, &order, 2).await;
    Ok(project.faults.is_empty() && outcomes.iter().all(|outcome| outcome.is_good()))
}

/// Runs what is due until nothing is.
///
/// # Errors
/// When the catalog cannot be used.
pub async fn until_idle(runner: &Runner) -> Result<(), RunError> {
    let settings = SchedulerSettings { until_idle: true, ..SchedulerSettings::default() };
    let folder = Folder(Some(files()));
    let mut scheduler = Scheduler { runner: runner.clone(), folder, settings, stop: Stop::new() };
    scheduler.serve().await.map(drop)
}

/// A folder that never changes.
#[derive(Debug)]
struct Folder(Option<Vec<JobFile>>);

impl JobFolder for Folder {
    fn path(&self) -> &Path {
        Path::new("jobs")
    }

    fn changed(&mut self) -> std::io::Result<Option<Vec<JobFile>>> {
        Ok(self.0.take())
    }
}
