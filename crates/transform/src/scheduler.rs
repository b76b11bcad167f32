//! Runs jobs when they are due, until somebody wants the end.
//!
//! One scheduler works on a catalog: it holds a lease, and others stand by. That is for order's sake; even two at once would
//! do no harm, because each run holds the lease of its target. What is due by the clock the [`Agenda`] says, and what is due by
//! data, the snapshots of the inputs.

mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hosu_catalog::{CatalogError, JobChange, Lease};
use hosu_host::Stop;
use uuid::Uuid;

use crate::agenda::{Agenda, DueSlot};
use crate::error::RunError;
use crate::project::{JobFile, Project, ProjectJob};
use crate::run::{Ended, Order, Runner, Trigger};
use crate::schedule::Schedule;
use crate::watch::Event;
use data::Arrivals;

/// The lease of the scheduler that does the work.
const LEASE: &str = "scheduler";

/// Where the jobs' files are.
pub trait JobFolder: Send {
    /// The folder, for messages.
    fn path(&self) -> &Path;

    /// The files if they are not as they were when they were last asked for, and the first time; none if they are.
    ///
    /// # Errors
    /// When they cannot be read. The scheduler goes on with what it knows, and asks again.
    fn changed(&mut self) -> std::io::Result<Option<Vec<JobFile>>>;
}

/// How a scheduler goes about it.
#[derive(Clone, Debug)]
pub struct SchedulerSettings {
    /// How often inputs and the folder are looked at.
    pub poll: Duration,
    /// How often jobs with a fault are checked again: what they miss may have come.
    pub recheck: Duration,
    /// How many jobs run at a time.
    pub parallel: usize,
    /// Whether it ends when nothing is due.
    pub until_idle: bool,
    /// How long runs may go on after the end was asked for; then they put away what they began.
    pub grace: Duration,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            recheck: Duration::from_secs(30),
            parallel: 2,
            until_idle: false,
            grace: Duration::from_secs(60),
        }
    }
}

/// What a scheduler did until its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Runs that ended well.
    pub succeeded: u64,
    /// Runs that found nothing new.
    pub nothing_new: u64,
    /// Runs that failed for good.
    pub failed: u64,
    /// Jobs that cannot run, when it ended.
    pub faulty: usize,
}

/// Runs jobs when they are due.
#[derive(Debug)]
pub struct Scheduler<F> {
    /// Runs one job. Its [`Runner::stop`] is asked when runs are to put away what they began.
    pub runner: Runner,
    /// Where the jobs are.
    pub folder: F,
    /// How.
    pub settings: SchedulerSettings,
    /// Asks it to begin nothing new and end.
    pub stop: Stop,
}

/// Why a scheduler does not work any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was to end, or nothing is due.
    Done,
    /// Another one does the work.
    Overtaken,
}

impl<F: JobFolder> Scheduler<F> {
    /// Works until the end is asked for, or nothing is due where that is the end.
    ///
    /// # Errors
    /// When the catalog cannot be used at all. What may pass is waited for.
    pub async fn serve(&mut self) -> Result<Served, RunError> {
        let holder = self.runner.catalog.host().ids.uuid();
        let mut served = Served::default();
        let mut files = Vec::new();
        while let Some(lease) = self.lead(holder).await? {
            self.runner.watch.event(&Event::Leading);
            let mut shift = Shift::begin(self, lease, files);
            let end = shift.work().await;
            let (lease, did) = (shift.lease.clone(), shift.served);
            // The folder gives them once.
            files = std::mem::take(&mut shift.files);
            served.add(did);
            match end? {
                End::Overtaken => self.runner.watch.event(&Event::Overtaken),
                End::Done => {
                    // A lease that stays runs out by itself.
                    let _ = self.runner.catalog.release_lease(&lease).await;
                    break;
                }
            }
        }
        Ok(served)
    }

    /// The lease, now or when it is free; none when the end is asked for first.
    async fn lead(&self, holder: Uuid) -> Result<Option<Lease>, RunError> {
        let mut told = false;
        loop {
            if self.stop.is_asked() {
                return Ok(None);
            }
            match self.runner.catalog.take_lease(LEASE, holder, self.runner.settings.lease).await {
                Ok(lease) => return Ok(Some(lease)),
                Err(CatalogError::LeaseHeld { .. }) => {
                    if !std::mem::replace(&mut told, true) {
                        self.runner.watch.event(&Event::StandingBy);
                    }
                }
                Err(error) => {
                    let error = RunError::from(error);
                    if !error.is_transient() {
                        return Err(error);
                    }
                    self.runner.watch.event(&Event::Trouble { error: &error });
                }
            }
            tokio::select! {
                () = self.stop.asked() => {}
                () = self.runner.catalog.host().clock.sleep(self.settings.poll) => {}
            }
        }
    }
}

impl Served {
    fn add(&mut self, other: Self) {
        self.succeeded += other.succeeded;
        self.nothing_new += other.nothing_new;
        self.failed += other.failed;
        self.faulty = other.faulty;
    }
}

/// The time in which one scheduler holds the lease.
struct Shift<'a, F> {
    scheduler: &'a mut Scheduler<F>,
    lease: Lease,
    renewed_ms: i64,
    begun_ms: i64,
    /// None before the first look.
    agenda: Option<Agenda>,
    arrivals: Arrivals,
    files: Vec<JobFile>,
    project: Arc<Project>,
    checked_ms: i64,
    /// Whether the files are others than those of the project.
    is_stale: bool,
    busy: BTreeSet<String>,
    /// Jobs whose targets others work on, and until when they are left alone.
    put_off: BTreeMap<String, i64>,
    /// Those of them that were told of.
    told_busy: BTreeSet<String>,
    served: Served,
}

/// What is to be started: a job, what it is for, and how.
type Start = (Arc<ProjectJob>, Option<DueSlot>, Order);

/// A run and what it was for.
struct Run {
    job: Arc<ProjectJob>,
    slot: Option<DueSlot>,
    ended: Ended,
}

impl<'a, F: JobFolder> Shift<'a, F> {
    fn begin(scheduler: &'a mut Scheduler<F>, lease: Lease, files: Vec<JobFile>) -> Self {
        let now_ms = scheduler.runner.catalog.host().clock.now_ms();
        Self {
            lease,
            renewed_ms: now_ms,
            begun_ms: now_ms,
            agenda: None,
            arrivals: Arrivals::default(),
            files,
            project: Arc::default(),
            checked_ms: i64::MIN,
            is_stale: true,
            busy: BTreeSet::new(),
            put_off: BTreeMap::new(),
            told_busy: BTreeSet::new(),
            served: Served::default(),
            scheduler,
        }
    }

    fn now_ms(&self) -> i64 {
        self.scheduler.runner.catalog.host().clock.now_ms()
    }

    async fn work(&mut self) -> Result<End, RunError> {
        let mut running = FuturesUnordered::new();
        let end = loop {
            if self.scheduler.stop.is_asked() {
                break Ok(End::Done);
            }
            let (looked, ended) = self.look_while(&mut running).await;
            let nothing_ended = ended.is_empty();
            ended.into_iter().for_each(|run| self.ended(run));
            let (started, idle) = match looked {
                Ok(started) => {
                    let waits = !self.busy.is_empty() || !self.put_off.is_empty();
                    let idle = nothing_ended && started.is_empty() && !waits;
                    (started, idle)
                }
                Err(RunError::LeaseLost) => break Ok(End::Overtaken),
                Err(error) if error.is_transient() => {
                    self.scheduler.runner.watch.event(&Event::Trouble { error: &error });
                    (Vec::new(), false)
                }
                Err(error) => break Err(error),
            };
            for (job, slot, order) in started {
                self.busy.insert(job.job.name.clone());
                let (runner, project) = (self.scheduler.runner.clone(), self.project.clone());
                running.push(async move {
                    let ended = runner.run(&project, &job, &order).await;
                    Run { job, slot, ended }
                });
            }
            if idle && self.scheduler.settings.until_idle {
                break Ok(End::Done);
            }
            let clock = self.scheduler.runner.catalog.host().clock.clone();
            tokio::select! {
                biased;
                () = self.scheduler.stop.asked() => {}
                Some(run) = running.next(), if !running.is_empty() => self.ended(run),
                () = clock.sleep(self.pause()) => {}
            }
        };
        // Whatever ends the shift, what has begun is not cut off.
        self.finish(running, *end.as_ref().unwrap_or(&End::Done)).await;
        end
    }

    /// Waits for what has begun; at the end only for a while, then asks it to put away what it began.
    async fn finish(&mut self, mut running: impl futures::Stream<Item = Run> + Unpin, end: End) {
        if self.busy.is_empty() {
            return;
        }
        let runner = self.scheduler.runner.clone();
        runner.watch.event(&Event::Stopping { running: self.busy.len() });
        let grace = runner.catalog.host().clock.sleep(self.scheduler.settings.grace);
        tokio::pin!(grace);
        loop {
            tokio::select! {
                biased;
                run = running.next() => match run {
                    Some(run) => self.ended(run),
                    None => return,
                },
                () = &mut grace, if end == End::Done && !runner.stop.is_asked() => runner.stop.ask(),
            }
        }
    }

    /// One look at everything, while runs go on: a look may take longer than their leases. What is to be started, and which runs
    /// have ended meanwhile.
    async fn look_while(
        &mut self,
        running: &mut (impl futures::Stream<Item = Run> + Unpin),
    ) -> (Result<Vec<Start>, RunError>, Vec<Run>) {
        let mut ended = Vec::new();
        let look = self.look();
        tokio::pin!(look);
        loop {
            tokio::select! {
                biased;
                looked = &mut look => return (looked, ended),
                Some(run) = running.next() => ended.push(run),
            }
        }
    }

    /// One look at everything; what is to be started.
    async fn look(&mut self) -> Result<Vec<Start>, RunError> {
        self.renew().await?;
        if self.agenda.is_none() {
            let remembered = self.scheduler.runner.catalog.job_slots().await?;
            self.agenda = Some(Agenda::new(remembered, self.begun_ms));
        }
        self.take_up().await?;
        self.arrivals.look(&self.scheduler.runner.catalog, &self.project).await?;
        Ok(self.due())
    }

    async fn renew(&mut self) -> Result<(), RunError> {
        let lease_ms = i64::try_from(self.scheduler.runner.settings.lease.as_millis()).unwrap_or(i64::MAX);
        let now_ms = self.now_ms();
        if now_ms.saturating_sub(self.renewed_ms) < lease_ms / 3 {
            return Ok(());
        }
        let runner = &self.scheduler.runner;
        self.lease = runner.catalog.renew_lease(&self.lease, runner.settings.lease).await?;
        self.renewed_ms = now_ms;
        Ok(())
    }

    /// Takes up the folder as it is now, if it changed, or if what a job with a fault misses may have come.
    async fn take_up(&mut self) -> Result<(), RunError> {
        let now_ms = self.now_ms();
        let recheck_ms = i64::try_from(self.scheduler.settings.recheck.as_millis()).unwrap_or(i64::MAX);
        let changed = match self.scheduler.folder.changed() {
            Ok(changed) => changed,
            Err(error) => {
                let path = self.scheduler.folder.path().to_owned();
                self.scheduler
                    .runner
                    .watch
                    .event(&Event::Trouble { error: &RunError::Folder { path, error } });
                None
            }
        };
        if let Some(files) = changed {
            (self.files, self.is_stale) = (files, true);
        }
        let again = !self.project.faults.is_empty() && now_ms.saturating_sub(self.checked_ms) >= recheck_ms;
        if !self.is_stale && !again {
            return Ok(());
        }
        let runner = &self.scheduler.runner;
        let project = Project::load(&runner.catalog, &runner.engine, &self.files).await?;
        self.checked_ms = now_ms;
        self.served.faulty = project.faulty.len();
        let jobs = project.jobs.iter().map(|job| &job.job);
        let slots = self.agenda.as_mut().map(|agenda| agenda.take_up(jobs, now_ms)).unwrap_or_default();
        if !slots.is_empty() {
            runner.catalog.record(slots.into_iter().map(JobChange::PutSlot).collect()).await?;
        }
        self.arrivals.take_up(&self.project, &project);
        if std::mem::take(&mut self.is_stale) || project.faults != self.project.faults {
            let (folder, jobs) = (self.scheduler.folder.path(), project.jobs.len());
            runner.watch.event(&Event::Loaded { folder, jobs, faults: &project.faults });
        }
        self.project = Arc::new(project);
        Ok(())
    }

    /// What is to be started: due, not running, and nothing before it is due or runs.
    fn due(&mut self) -> Vec<Start> {
        let now_ms = self.now_ms();
        self.put_off.retain(|_, until_ms| *until_ms > now_ms);
        let mut ahead = self.busy.clone();
        let mut started = Vec::new();
        for job in self.project.jobs.clone() {
            let waits = job.upstream.iter().any(|name| ahead.contains(name));
            if self.busy.contains(&job.job.name) {
                continue;
            }
            let by_data = matches!(job.job.schedule, Some(Schedule::After(_)));
            let slot = match &mut self.agenda {
                Some(agenda) if !by_data => agenda.due(&job.job, now_ms),
                _ => None,
            };
            let is_due = slot.is_some() || (by_data && self.arrivals.is_due(&job));
            if is_due || (by_data && waits) {
                ahead.insert(job.job.name.clone());
            }
            let room = self.busy.len() + started.len() < self.scheduler.settings.parallel.max(1);
            if is_due && !waits && room && !self.put_off.contains_key(&job.job.name) {
                let trigger = if by_data { Trigger::Data } else { Trigger::Schedule };
                let for_slot = slot.clone().map(|due| (due.slot_ms, due.handled));
                let order = Order { trigger, slot: for_slot, anew: false, waits: false };
                self.arrivals.begun(&job);
                started.push((job, slot, order));
            }
        }
        started
    }

    fn ended(&mut self, run: Run) {
        let Run { job, slot, ended } = run;
        self.busy.remove(&job.job.name);
        match &ended.error {
            // It was not begun, or is to begin again: what was due still is.
            Some(error @ (RunError::Busy { .. } | RunError::Stopped)) => {
                if let RunError::Busy { wait_ms } = error
                    && self.told_busy.insert(job.job.name.clone())
                {
                    let wait = Duration::from_millis(u64::try_from(*wait_ms).unwrap_or(0));
                    self.scheduler.runner.watch.event(&Event::Waiting { job: &job.job.name, wait });
                }
                let poll_ms = i64::try_from(self.scheduler.settings.poll.as_millis()).unwrap_or(i64::MAX);
                let until_ms = self.now_ms().saturating_add(poll_ms.max(1));
                self.put_off.insert(job.job.name.clone(), until_ms);
                self.arrivals.put_off(&job);
                return;
            }
            Some(_) => self.served.failed += 1,
            None if ended.run.state == hosu_catalog::RunState::NothingNew => self.served.nothing_new += 1,
            None => self.served.succeeded += 1,
        }
        self.told_busy.remove(&job.job.name);
        self.arrivals.ended(&job, &ended.run);
        let now_ms = self.now_ms();
        if let (Some(slot), Some(agenda)) = (slot, &mut self.agenda) {
            agenda.ended(&slot.handled, now_ms);
        }
    }

    /// How long nothing needs to be looked at.
    fn pause(&self) -> Duration {
        let now_ms = self.now_ms();
        let next_ms = self
            .project
            .jobs
            .iter()
            .filter(|job| !self.busy.contains(&job.job.name) && !self.put_off.contains_key(&job.job.name))
            .filter_map(|job| self.agenda.as_ref()?.next_ms(&job.job))
            .min();
        let until_next = next_ms.map(|next_ms| u64::try_from(next_ms.saturating_sub(now_ms)).unwrap_or(0));
        let poll = self.scheduler.settings.poll;
        until_next.map_or(poll, |ms| poll.min(Duration::from_millis(ms.max(1))))
    }
}
