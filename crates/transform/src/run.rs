//! One run of one job: from the lease to the commit and the history.
//!
//! A run takes the lease of its target, looks at what the inputs and the target are now, and decides what is to be done. New
//! rows are tested and written where nobody looks; then one transaction makes them, the positions in the inputs, and the run's
//! own row true, if the lease is still this run's. So whatever happens to the process, each input row has its effect once, and
//! what a run did is in the history exactly if it did it.

mod plan;
mod rows;
mod situation;
mod work;

use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{Catalog, CatalogError, JobChange, JobRun, JobRuns, JobSlot, Lease, RunState};
use hosu_datafile::WriterSettings;
use hosu_host::Stop;
use hosu_query::Engine;
use hosu_table::name::TableName;

use crate::error::RunError;
use crate::job::Mode;
use crate::project::{Project, ProjectJob};
use crate::watch::{Event, Watch};
pub use plan::{InputPlan, RunPlan, Size};
use work::Work;
pub use work::{SUMMARY_INPUTS, SUMMARY_JOB, SUMMARY_RUN, SUMMARY_SELECT};

/// How runs go about it.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// How data files are written.
    pub writer: WriterSettings,
    /// How long a lease is good without being renewed.
    pub lease: Duration,
    /// Whether leases are renewed while a run goes on.
    pub renew: bool,
    /// The wait before the first retry; each further one is twice as long.
    pub retry_first: Duration,
    /// The longest wait before a retry.
    pub retry_longest: Duration,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            writer: WriterSettings::default(),
            lease: Duration::from_secs(30),
            renew: true,
            retry_first: Duration::from_secs(5),
            retry_longest: Duration::from_secs(600),
        }
    }
}

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Why it runs.
    pub trigger: Trigger,
    /// The slot of the schedule that it is for, and what the scheduler remembers when it has ended.
    pub slot: Option<(i64, JobSlot)>,
    /// Whether all is made anew, whatever is new.
    pub anew: bool,
    /// Whether it waits for another run of the same target.
    pub waits: bool,
}

/// Why a job runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody said so.
    #[default]
    Hand,
    /// Its time has come.
    Schedule,
    /// Its input has new data.
    Data,
}

impl Trigger {
    /// As it stands in the history.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Schedule => "schedule",
            Self::Data => "data",
        }
    }
}

/// What became of a run.
#[derive(Debug)]
pub struct Ended {
    /// As it is in the history; of one that could not begin, as it would be.
    pub run: JobRun,
    /// What somebody may want to know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// Runs jobs. Clones share everything.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The lake.
    pub catalog: Catalog,
    /// What computes rows; its memory is shared by all runs.
    pub engine: Engine,
    /// How.
    pub settings: RunSettings,
    /// Who is told.
    pub watch: Arc<dyn Watch>,
    /// Asks all runs to put away what they began.
    pub stop: Stop,
}

impl Runner {
    /// Runs a job, again after failures that may pass as often as the job says.
    pub async fn run(&self, project: &Project, job: &ProjectJob, order: &Order) -> Ended {
        let mut attempt = 1;
        loop {
            let mut ended = self.attempt(project, job, order, attempt).await;
            let again = ended.error.as_ref().is_some_and(RunError::is_transient)
                && attempt <= job.job.retries
                && !self.stop.is_asked();
            self.end(&mut ended, order, again).await;
            if !again {
                // Who does not wait for another run asks again, and tells it once.
                if !matches!(ended.error, Some(RunError::Busy { .. })) {
                    self.watch.event(&Event::Ended { run: &ended.run, error: ended.error.as_ref() });
                }
                return ended;
            }
            let wait = self.backoff(attempt);
            self.watch.event(&Event::Retrying { run: &ended.run, wait });
            tokio::select! {
                () = self.stop.asked() => {}
                () = self.catalog.host().clock.sleep(wait) => {}
            }
            attempt += 1;
        }
    }

    /// Twice as long each time, and by chance between half of that and all of it.
    fn backoff(&self, attempt: u32) -> Duration {
        let doubled = self.settings.retry_first.saturating_mul(1 << (attempt - 1).min(20));
        let half = doubled.min(self.settings.retry_longest) / 2;
        let half_ms = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_millis(self.catalog.host().ids.random_u64() % half_ms)
    }

    async fn attempt(&self, project: &Project, job: &ProjectJob, order: &Order, attempt: u32) -> Ended {
        let mut run = self.new_run(job, order, attempt);
        let lease = match self.lease(job, order).await {
            Ok(lease) => lease,
            Err(error) => {
                return Ended { run: self.failed(run, &error), notes: Vec::new(), error: Some(error) };
            }
        };
        run.started_at_ms = self.catalog.host().clock.now_ms();
        let begun = vec![
            JobChange::RequireLease { name: lease.name.clone(), fence: lease.fence },
            JobChange::InterruptRuns { target: job.job.target.clone(), ended_at_ms: run.started_at_ms },
            JobChange::PutRun(run.clone()),
        ];
        let mut work = Work::new(self, project, job, order, run, lease.clone());
        let result = match self.catalog.record(begun).await {
            Ok(()) => self.guarded(job, &mut work, &lease).await,
            Err(error) => Err(error.into()),
        };
        let ended = self.account(work, result).await;
        // A lease that stays runs out by itself.
        let _ = self.catalog.release_lease(&lease).await;
        ended
    }

    fn new_run(&self, job: &ProjectJob, order: &Order, attempt: u32) -> JobRun {
        let mode = if order.anew { Mode::Full } else { job.job.mode };
        JobRun {
            run_id: self.catalog.host().ids.uuid(),
            job: job.job.name.clone(),
            target: job.job.target.clone(),
            target_uuid: None,
            mode: mode.as_str().to_owned(),
            trigger: order.trigger.as_str().to_owned(),
            slot_ms: order.slot.as_ref().map(|(slot_ms, _)| *slot_ms),
            attempt,
            state: RunState::Running,
            started_at_ms: self.catalog.host().clock.now_ms(),
            ended_at_ms: None,
            snapshot_id: None,
            inputs: Vec::new(),
            rows_read: 0,
            bytes_read: 0,
            files_written: 0,
            rows_written: 0,
            bytes_written: 0,
            error: None,
        }
    }

    /// The lease of the target, now or when it is free.
    async fn lease(&self, job: &ProjectJob, order: &Order) -> Result<Lease, RunError> {
        let (name, holder) = (lease_name(&job.job.target), self.catalog.host().ids.uuid());
        let mut told = false;
        loop {
            let until_ms = match self.catalog.take_lease(&name, holder, self.settings.lease).await {
                Err(CatalogError::LeaseHeld { until_ms, .. }) => until_ms,
                taken => return Ok(taken?),
            };
            let wait_ms = until_ms.saturating_sub(self.catalog.host().clock.now_ms()).max(0);
            if !order.waits {
                return Err(RunError::Busy { wait_ms });
            }
            if !std::mem::replace(&mut told, true) {
                let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
                self.watch.event(&Event::Waiting { job: &job.job.name, wait });
            }
            tokio::select! {
                () = self.stop.asked() => return Err(RunError::Stopped),
                () = self.catalog.host().clock.sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    /// Does the work until it is done or to be ended: by its timeout, the lease's loss, or the wish of somebody.
    async fn guarded(&self, job: &ProjectJob, work: &mut Work<'_>, lease: &Lease) -> Result<(), RunError> {
        let clock = &self.catalog.host().clock;
        let end = work.end.clone();
        let timeout = async {
            match job.job.timeout {
                Some(timeout) => clock.sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        let mut doing = Box::pin(work.all());
        let reason = tokio::select! {
            biased;
            result = &mut doing => return result,
            () = self.stop.asked() => RunError::Stopped,
            () = self.until_lost(lease) => RunError::LeaseLost,
            () = timeout => RunError::Timeout { timeout: job.job.timeout.unwrap_or_default() },
        };
        end.ask();
        // What has begun to commit is finished; everything else ends soon.
        doing.await.map_err(|error| if error.is_definite() { reason } else { error })
    }

    /// Renews the lease as long as that works.
    async fn until_lost(&self, lease: &Lease) {
        if !self.settings.renew {
            return std::future::pending().await;
        }
        loop {
            self.catalog.host().clock.sleep(self.settings.lease / 3).await;
            // Other errors may pass; if they do not, the commit finds out.
            if let Err(CatalogError::LeaseLost { .. }) =
                self.catalog.renew_lease(lease, self.settings.lease).await
            {
                return;
            }
        }
    }

    /// What the run did, whether or not its answer got lost. One that another run has called broken off did nothing.
    async fn account(&self, work: Work<'_>, result: Result<(), RunError>) -> Ended {
        let Work { run, notes, .. } = work;
        let error = match result {
            Ok(()) => return Ended { run, notes, error: None },
            Err(error) => error,
        };
        if !error.is_definite()
            && let Ok(found) =
                self.catalog.job_runs(JobRuns { run_id: Some(run.run_id), ..JobRuns::default() }).await
            && let Some(found) = found.into_iter().find(|run| run.state.is_good())
        {
            return Ended { run: found, notes, error: None };
        }
        Ended { run: self.failed(run, &error), notes, error: Some(error) }
    }

    fn failed(&self, run: JobRun, error: &RunError) -> JobRun {
        let ended_at_ms = Some(self.catalog.host().clock.now_ms());
        let state = if matches!(error, RunError::Stopped) { RunState::Interrupted } else { RunState::Failed };
        JobRun { state, ended_at_ms, error: Some(error.told()), ..run }
    }

    /// Writes a failure into the history, and, if it is for good, that its slot is over. What succeeded has written that with
    /// its commit.
    async fn end(&self, ended: &mut Ended, order: &Order, again: bool) {
        // Of one that is busy elsewhere nothing was begun.
        if matches!(ended.error, None | Some(RunError::Busy { .. })) {
            return;
        }
        let mut jobs = vec![JobChange::PutRun(ended.run.clone())];
        // The slot of one that was stopped comes again.
        if !again
            && !matches!(ended.error, Some(RunError::Stopped))
            && let Some((_, slot)) = &order.slot
        {
            jobs.push(JobChange::PutSlot(slot.clone()));
        }
        if let Err(error) = self.catalog.record(jobs).await {
            ended.notes.push(format!("the failure could not be written into the history: {error}"));
        }
    }
}

/// The lease that each run of a target holds.
pub(crate) fn lease_name(target: &TableName) -> String {
    format!("target:{target}")
}
