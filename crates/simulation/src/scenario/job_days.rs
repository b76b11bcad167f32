//! Two who run the same jobs at the same time, one by hand and one when they are due, on a day on which everything fails now and
//! then, time jumps so that leases run out, batches arrive, and everybody crashes.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{self, FutureExt, LocalBoxFuture};
use hosu_catalog::RunState;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::bad_day::Actor;
use super::jobs::audit_all;
use super::{Failure, mix, process};
use crate::auditor::JobAudit;
use crate::faults::{Dice, FaultRates};
use crate::gate::Gate;
use crate::jobs::{JOBS, JobBook};
use crate::runner::{LEASE, round, runner, until_idle};
use crate::sender::Sender;
use crate::turns::{Seat, Turns};
use crate::world::{Storage, World};

/// How a day went, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobDay {
    /// Runs that were told to have succeeded while everything failed.
    pub succeeded: usize,
    /// Runs that were told to have found nothing new.
    pub nothing_new: usize,
    /// Runs that were told to have failed.
    pub failed: usize,
    /// Runs that succeeded although nobody was told so.
    pub unheard: usize,
    /// Runs that were cut off.
    pub cut_off: usize,
    /// Lives of those who run jobs that ended with a crash.
    pub crashes: usize,
    /// Snapshots of targets that were made.
    pub snapshots: usize,
    /// Every call, by actor and life.
    pub calls: Vec<String>,
}

/// Lives of one who runs jobs, and rounds in each.
const LIVES: u64 = 3;
const ROUNDS: usize = 3;
/// The longest life of a scheduler.
const CALLS_MAX: u64 = 400;
/// Steps of the clock.
const TICKS: usize = 120;

/// Tells the day of a seed.
///
/// # Errors
/// A [`Failure`] when a promise was broken, or what kept the story from being told.
pub fn job_day(seed: u64) -> Result<JobDay, Box<dyn Error>> {
    let mut random = SmallRng::seed_from_u64(mix(seed, 0));
    let mut world = World::new(Storage::Bucket)?;
    if random.random() {
        world.partition_by = None;
    }
    let world = if random.random() { world.with_late_transactions() } else { world };
    let (mut day, book) = (JobDay::default(), JobBook::default());
    process(play(&world, seed, &book, &mut day))??;
    process(world.settle())??;
    let evening = process(audit_all(&world, &book))?;
    check(seed, &evening, &day)?;
    day.succeeded = book.count(RunState::Succeeded);
    day.nothing_new = book.count(RunState::NothingNew);
    day.failed = book.count(RunState::Failed);
    day.unheard = evening.unheard;
    day.snapshots = evening.snapshots;
    // The next morning all is well: everything is sent again, and every job runs as soon as the leases of the dead have run out.
    process(morning(&world, seed, &book))??;
    let mut morning = process(audit_all(&world, &book))?;
    morning.nobody_runs();
    check(seed, &morning, &day)?;
    day.cut_off = morning.runs.get("interrupted").copied().unwrap_or(0);
    match morning.up_to_date == JOBS.len() {
        true => Ok(day),
        false => Err(told(seed, vec!["the next morning not all targets are up to date".to_owned()], &day)),
    }
}

fn check(seed: u64, audit: &JobAudit, day: &JobDay) -> Result<(), Box<dyn Error>> {
    let complaints: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
    if complaints.is_empty() { Ok(()) } else { Err(told(seed, complaints, day)) }
}

fn told(seed: u64, complaints: Vec<String>, day: &JobDay) -> Box<dyn Error> {
    let story = format!(
        "seed {seed} broke a promise; tell it again with\n    \
         cargo run -p hosu-simulation --example job_seed -- {seed}"
    );
    Box::new(Failure { story, complaints, calls: day.calls.clone() })
}

fn sender(world: &World, seed: u64, seat: Arc<Seat>) -> Actor<'_> {
    Actor { world, seed: mix(seed, 10), sender: Sender::Writer, number: 0, seat }
}

async fn play(world: &World, seed: u64, book: &JobBook, day: &mut JobDay) -> Result<(), Box<dyn Error>> {
    let turns = Turns::new(mix(seed, 1));
    let sit = || Arc::new(turns.sit());
    let (clock, sends, seats) = (sit(), sit(), [sit(), sit()]);
    let mut actors: Vec<LocalBoxFuture<'_, Result<JobDay, String>>> = Vec::new();
    for (number, seat) in seats.into_iter().enumerate() {
        let who = Who { world, seed: mix(seed, 20 + number as u64), number, seat, book };
        actors.push(who.day().boxed_local());
    }
    let sending = sender(world, seed, sends).day();
    let (days, sent, ()) = future::join3(future::join_all(actors), sending, tick(world, seed, clock)).await;
    for of_actor in days {
        let of_actor = of_actor?;
        day.crashes += of_actor.crashes;
        day.calls.extend(of_actor.calls);
    }
    day.calls.extend(sent?.calls);
    Ok(())
}

/// Moves the clock: a little most of the time, and now and then past every lease.
async fn tick(world: &World, seed: u64, seat: Arc<Seat>) {
    let mut random = SmallRng::seed_from_u64(mix(seed, 2));
    let gate = Gate::build(Dice::new(0, FaultRates::NONE), None, Some(seat));
    let ticking = gate.live(async {
        for _ in 0..TICKS {
            let step = if random.random_ratio(1, 12) { LEASE } else { Duration::from_millis(100) };
            let tick = async {
                world.advance(step);
                Ok::<_, ()>(())
            };
            let _ = gate.call("tick", tick, |_| ()).await;
        }
    });
    ticking.await;
}

/// One who runs jobs, over all lives.
struct Who<'a> {
    world: &'a World,
    seed: u64,
    number: usize,
    seat: Arc<Seat>,
    book: &'a JobBook,
}

impl Who<'_> {
    async fn day(self) -> Result<JobDay, String> {
        let mut day = JobDay::default();
        let mut random = SmallRng::seed_from_u64(mix(self.seed, 6));
        for life in 0..LIVES {
            let dice = Dice::new(mix(self.seed, 100 + life), FaultRates::BAD_DAY);
            // Time flies where everybody sleeps on a simulated clock: a scheduler may never be idle.
            let longest = if self.number == 1 { Some(CALLS_MAX) } else { None };
            let crash_after = random.random_ratio(2, 3).then(|| random.random_range(0..300)).or(longest);
            let gate = Gate::build(dice, crash_after, Some(self.seat.clone()));
            let catalog = self.world.open(&gate, mix(self.seed, 200 + life)).map_err(|e| e.to_string())?;
            let runner = runner(catalog, self.book).map_err(|error| error.to_string())?;
            let is_scheduler = self.number == 1;
            let lived = gate.live(async {
                for _ in 0..ROUNDS {
                    // What fails is tried again in the next round.
                    let _ = if is_scheduler {
                        until_idle(&runner).await.is_ok()
                    } else {
                        round(&runner, random.random()).await.is_ok()
                    };
                }
            });
            day.crashes += usize::from(lived.await.is_none());
            let who = format!("runner {} life {life}:", self.number);
            day.calls.extend(gate.story().into_iter().map(|call| format!("{who} {call}")));
        }
        Ok(day)
    }
}

async fn morning(world: &World, seed: u64, book: &JobBook) -> Result<(), Box<dyn Error>> {
    let catalog = world.open(&Gate::open(), mix(seed, 7))?;
    super::bad_day::send_again(world, &catalog, mix(seed, 10), Sender::Writer, 0).await?;
    match round(&runner(catalog, book)?, true).await? {
        true => Ok(()),
        false => Err("the next morning a job failed".into()),
    }
}
