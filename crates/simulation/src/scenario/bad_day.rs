//! Several senders and a reader on a day on which everything fails now and then, and senders crash.

use std::error::Error;
use std::sync::Arc;

use futures::future::{self, FutureExt, LocalBoxFuture};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{Failure, mix, process, table};
use crate::auditor::audit;
use crate::book::Batch;
use crate::faults::{Dice, FaultRates};
use crate::gate::Gate;
use crate::reader::Reader;
use crate::sender::Sender;
use crate::turns::{Seat, Turns};
use crate::world::{Storage, World};

/// How a day went, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadDay {
    /// Batches that were acknowledged while everything failed.
    pub acknowledged: usize,
    /// Batches that were there although their sender was not told so.
    pub unheard: usize,
    /// Lives that ended with a crash.
    pub crashes: usize,
    /// Sends that ended with an error.
    pub errors: usize,
    /// Looks of the reader that succeeded.
    pub looks: usize,
    /// Every call, by actor and life.
    pub calls: Vec<String>,
}

/// How often a sender tries a batch before it gives up for the day.
const TRIES: usize = 3;
const BATCHES: i64 = 3;
const LOOKS: usize = 20;

/// Tells the day of a seed.
///
/// # Errors
/// A [`Failure`] when a promise was broken, or what kept the story from being told.
pub fn bad_day(seed: u64, senders: &[Sender]) -> Result<BadDay, Box<dyn Error>> {
    let mut random = SmallRng::seed_from_u64(mix(seed, 0));
    let mut world = World::new(Storage::Bucket)?;
    // Two files of a batch are stored side by side, and then chance decides which comes first.
    if seed.is_multiple_of(2) {
        world.partition_by = None;
    }
    let world = if random.random() { world.with_late_transactions() } else { world };
    let mut day = BadDay::default();
    let mut reader = Reader::new(mix(seed, 1));
    let ended = process(play(&world, seed, senders, &mut day, &mut reader));
    let told = |complaints: Vec<String>, day: &BadDay| {
        let story = format!(
            "seed {seed} with {senders:?} broke a promise; tell it again with\n    \
             cargo run -p hosu-simulation --example seed -- {seed}"
        );
        Box::new(Failure { story, complaints, calls: day.calls.clone() })
    };
    ended??;
    let mut complaints = reader.complaints;
    day.looks = reader.looks;
    process(world.settle())??;
    let evening = process(audit(&world, &table()))?;
    complaints.extend(evening.findings.iter().map(ToString::to_string));
    if !complaints.is_empty() {
        return Err(told(complaints, &day));
    }
    day.acknowledged = world.book.acknowledged().len();
    day.unheard = evening.visible.difference(&world.book.acknowledged()).count();
    // The next morning all is well: everything that was sent is sent again, and is there once.
    process(morning(&world, seed, senders))??;
    let morning = process(audit(&world, &table()))?;
    let complaints: Vec<String> = morning.findings.iter().map(ToString::to_string).collect();
    if complaints.is_empty() { Ok(day) } else { Err(told(complaints, &day)) }
}

async fn play(
    world: &World,
    seed: u64,
    senders: &[Sender],
    day: &mut BadDay,
    reader: &mut Reader,
) -> Result<(), Box<dyn Error>> {
    let turns = Turns::new(mix(seed, 2));
    let mut actors: Vec<LocalBoxFuture<'_, Result<BadDay, String>>> = Vec::new();
    let seats: Vec<Arc<Seat>> = (0..=senders.len()).map(|_| Arc::new(turns.sit())).collect();
    let (mut seats, reader_gate) = {
        let mut seats = seats.into_iter();
        let dice = Dice::new(mix(seed, 3), FaultRates::BAD_DAY);
        let gate = Gate::build(dice, None, seats.next());
        (seats, gate)
    };
    for (number, sender) in senders.iter().enumerate() {
        let seat = seats.next().ok_or("a seat for everybody")?;
        let actor = Actor { world, seed: mix(seed, 10 + number as u64), sender: *sender, number, seat };
        actors.push(actor.day().boxed_local());
    }
    let catalog = world.open(&reader_gate, mix(seed, 4))?;
    let looking = reader_gate.live(async {
        for _ in 0..LOOKS {
            reader.look(&catalog, &table(), &world.book).await;
        }
    });
    let (days, _) = future::join(future::join_all(actors), looking).await;
    for of_actor in days {
        let of_actor = of_actor?;
        day.crashes += of_actor.crashes;
        day.errors += of_actor.errors;
        day.calls.extend(of_actor.calls);
    }
    day.calls.extend(reader_gate.story().into_iter().map(|call| format!("reader {call}")));
    Ok(())
}

/// The batches of one sender. Some have a field of their own, so that senders change the table's columns at once.
fn batches(seed: u64, sender: Sender, number: usize) -> Vec<Batch> {
    let mut random = SmallRng::seed_from_u64(mix(seed, 5));
    let first = 1 + number as i64 * 100;
    (first..first + BATCHES)
        .map(|number| {
            let (events, bad_lines) = (random.random_range(1..6), random.random_range(0..3));
            sender.adapt(Batch { number, events, bad_lines, extra_field: random.random_ratio(1, 3) })
        })
        .collect()
}

/// A sender, over all its lives.
pub(super) struct Actor<'a> {
    pub world: &'a World,
    pub seed: u64,
    pub sender: Sender,
    pub number: usize,
    pub seat: Arc<Seat>,
}

impl Actor<'_> {
    pub async fn day(self) -> Result<BadDay, String> {
        let mut day = BadDay::default();
        let mut random = SmallRng::seed_from_u64(mix(self.seed, 6));
        let mut left = batches(self.seed, self.sender, self.number);
        for batch in &left {
            let put = self.world.put_source(&batch.source(), batch.to_ndjson()).await;
            put.map_err(|error| error.to_string())?;
        }
        for life in 0..TRIES as u64 {
            let dice = Dice::new(mix(self.seed, 100 + life), FaultRates::BAD_DAY);
            let crash_after = random.random_ratio(1, 2).then(|| random.random_range(0..120));
            let gate = Gate::build(dice, crash_after, Some(self.seat.clone()));
            let catalog = self.world.open(&gate, mix(self.seed, 200 + life)).map_err(|e| e.to_string())?;
            let lived = gate.live(self.life(&catalog, &left)).await;
            day.crashes += usize::from(lived.is_none());
            day.errors += lived.unwrap_or(0);
            let who = format!("sender {} life {life}:", self.number);
            day.calls.extend(gate.story().into_iter().map(|call| format!("{who} {call}")));
            let acknowledged = self.world.book.acknowledged();
            left.retain(|batch| !acknowledged.contains(&batch.number));
            if left.is_empty() {
                break;
            }
        }
        Ok(day)
    }

    /// Sends what is left, each batch once more; gives how many failed.
    async fn life(&self, catalog: &hosu_catalog::Catalog, left: &[Batch]) -> usize {
        let mut errors = 0;
        for batch in left {
            errors += usize::from(self.sender.send(self.world, catalog, &table(), batch).await.is_err());
        }
        errors
    }
}

async fn morning(world: &World, seed: u64, senders: &[Sender]) -> Result<(), Box<dyn Error>> {
    let catalog = world.open(&Gate::open(), mix(seed, 7))?;
    for (number, sender) in senders.iter().enumerate() {
        send_again(world, &catalog, mix(seed, 10 + number as u64), *sender, number).await?;
    }
    Ok(())
}

/// Sends all batches of an [`Actor`], none of which may fail.
pub(super) async fn send_again(
    world: &World,
    catalog: &hosu_catalog::Catalog,
    seed: u64,
    sender: Sender,
    number: usize,
) -> Result<(), Box<dyn Error>> {
    for batch in batches(seed, sender, number) {
        let sent = sender.send(world, catalog, &table(), &batch).await;
        sent.map_err(|error| format!("the next morning batch {} failed: {error}", batch.number))?;
    }
    Ok(())
}
