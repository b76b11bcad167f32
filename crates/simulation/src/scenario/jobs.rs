//! Runs of jobs that die right after a call, and those that come after them.
//!
//! The rows are computed by DataFusion, on threads of its own where it plans; with one core its calls come one after the other.
//! A thread that plans for somebody who died is never told: it waits until the test's process ends.

use std::error::Error;

use hosu_catalog::Catalog;

use super::{Failure, mix, process, table};
use crate::auditor::{JobAudit, audit, audit_jobs};
use crate::book::Batch;
use crate::disk::PowerCut;
use crate::faults::{Dice, FaultRates};
use crate::gate::Gate;
use crate::jobs::{JOBS, JobBook};
use crate::runner::{round, runner};
use crate::sender::Sender;
use crate::world::{Storage, World};

/// Which crash of somebody who runs jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCrash {
    /// Where the lake is.
    pub storage: Storage,
    /// What the power cut takes.
    pub power_cut: PowerCut,
    /// After which call; none lets it live.
    pub after: Option<u64>,
}

/// What a sweep over crashes saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobSweep {
    /// How many calls are made by one who is left alone.
    pub calls: u64,
    /// How many crashes were tried.
    pub crashes: u64,
    /// After how many of them a run had succeeded although nobody was told so.
    pub unheard: u64,
    /// How many runs were cut off, and called so by the next one.
    pub interrupted: u64,
}

/// How a story of [`job_crash`] ended.
#[derive(Clone, Debug)]
pub struct JobEnd {
    /// Every call of the first life.
    pub calls: Vec<String>,
    /// Whether that life ended with the crash.
    pub crashed: bool,
    unheard: bool,
    interrupted: u64,
}

/// Lets one who runs jobs die after every `n`th call that changes something, and now and then after one that only looks.
///
/// # Errors
/// The first story that did not end well.
pub fn job_crashes(storage: Storage, power_cut: PowerCut, n: usize) -> Result<JobSweep, Box<dyn Error>> {
    let alone = JobCrash { storage, power_cut, after: None };
    let calls = job_crash(alone)?.calls;
    let mut sweep = JobSweep { calls: calls.len() as u64, ..JobSweep::default() };
    for after in crash_points(&calls, n.max(1)) {
        let end = job_crash(JobCrash { after: Some(after), ..alone })?;
        sweep.crashes += u64::from(end.crashed);
        sweep.unheard += u64::from(end.unheard);
        sweep.interrupted += end.interrupted;
    }
    Ok(sweep)
}

/// After which calls of a story to crash in others like it.
fn crash_points(calls: &[String], n: usize) -> Vec<u64> {
    let looks = |call: &str| {
        let asks = call.contains(" database: ") && !call.contains("transact");
        asks || [" get ", " head ", " list "].iter().any(|read| call.contains(read))
    };
    let (looks, changes): (Vec<_>, Vec<_>) = (1..).zip(calls).partition(|(_, call)| looks(call));
    let points = changes.iter().step_by(n).chain(looks.iter().step_by(10 * n));
    points.map(|(number, _)| *number).collect()
}

/// Tells one story: somebody runs all jobs over two batches, and again after a third, and dies; the power fails; a fourth batch comes,
/// and somebody else runs all jobs as soon as the dead one's leases have run out. The lake is audited after each.
///
/// # Errors
/// A [`Failure`], or what kept the story from being told.
pub fn job_crash(crash: JobCrash) -> Result<JobEnd, Box<dyn Error>> {
    let world = World::new(crash.storage)?;
    let book = JobBook::default();
    let gate = match crash.after {
        Some(calls) => Gate::crashing_after(calls, Dice::new(0, FaultRates::NONE)),
        None => Gate::open(),
    };
    let failure = |complaints| {
        let story = format!("{crash:?}; tell it again with hosu_simulation::scenario::job_crash");
        Box::new(Failure { story, complaints, calls: gate.story() })
    };
    let ended = process(first_life(&world, &gate, &book))?
        .map_err(|error| failure(vec![format!("the first life ended with: {error}")]))?;
    world.power_cut(crash.power_cut)?;
    let after_crash = process(audit_all(&world, &book))?;
    if !after_crash.findings.is_empty() {
        return Err(failure(after_crash.findings.iter().map(ToString::to_string).collect()));
    }
    process(second_life(&world, &book))?
        .map_err(|error| failure(vec![format!("the second life ended with: {error}")]))?;
    let mut end = process(audit_all(&world, &book))?;
    end.nobody_runs();
    let mut complaints: Vec<String> = end.findings.iter().map(ToString::to_string).collect();
    if end.up_to_date != JOBS.len() {
        complaints.push(format!(
            "only {} of {} targets are up to date in the end",
            end.up_to_date,
            JOBS.len()
        ));
    }
    if !complaints.is_empty() {
        return Err(failure(complaints));
    }
    let interrupted = end.runs.get("interrupted").copied().unwrap_or(0) as u64;
    let unheard = after_crash.unheard > 0;
    Ok(JobEnd { calls: gate.story(), crashed: ended.is_none(), unheard, interrupted })
}

/// The audit of targets, with what an audit of what was sent finds.
pub(super) async fn audit_all(world: &World, book: &JobBook) -> JobAudit {
    let sent = audit(world, &table()).await;
    let mut audit = audit_jobs(world, book).await;
    audit.findings.extend(sent.findings);
    audit
}

pub(super) async fn send(world: &World, catalog: &Catalog, number: i64) -> Result<(), Box<dyn Error>> {
    let batch = Batch { number, events: 4, bad_lines: 0, extra_field: false };
    Ok(Sender::Writer.send(world, catalog, &table(), &batch).await.map_err(|error| error.to_string())?)
}

async fn first_life(world: &World, gate: &Gate, book: &JobBook) -> Result<Option<()>, Box<dyn Error>> {
    let sends = world.open(&Gate::open(), mix(0, 1))?;
    send(world, &sends, 1).await?;
    send(world, &sends, 2).await?;
    let runs = runner(world.open(gate, mix(0, 2))?, book)?;
    let lived = gate.live(async {
        all_well(round(&runs, false).await?)?;
        send(world, &sends, 3).await?;
        all_well(round(&runs, false).await?)
    });
    lived.await.transpose()
}

async fn second_life(world: &World, book: &JobBook) -> Result<(), Box<dyn Error>> {
    let catalog = world.open(&Gate::open(), mix(0, 3))?;
    for number in 1..=4 {
        send(world, &catalog, number).await?;
    }
    all_well(round(&runner(catalog, book)?, true).await?)
}

fn all_well(well: bool) -> Result<(), Box<dyn Error>> {
    if well { Ok(()) } else { Err("a job failed".into()) }
}
