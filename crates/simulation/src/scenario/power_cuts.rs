//! Several senders in one process on a disk that forgets: the power fails, again and again.

use std::error::Error;

use futures::future;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{Failure, mix, process, table};
use crate::auditor::audit;
use crate::book::Batch;
use crate::disk::PowerCut;
use crate::faults::{Dice, FaultRates};
use crate::gate::Gate;
use crate::sender::Sender;
use crate::turns::Turns;
use crate::world::{Storage, World};

/// How it went, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerCuts {
    /// How often the power failed while somebody was at work.
    pub cuts: usize,
    /// How often a batch was there although its sender was not told so.
    pub unheard: usize,
}

const LIVES: u64 = 8;
const BATCHES: i64 = 2;

/// Two senders of a seed, one process after the other; the lake is audited after each, and in the last nothing fails.
///
/// # Errors
/// A [`Failure`] when a promise was broken, or what kept the story from being told.
pub fn power_cuts(seed: u64) -> Result<PowerCuts, Box<dyn Error>> {
    let world = World::new(Storage::Folder)?;
    let mut random = SmallRng::seed_from_u64(mix(seed, 0));
    let mut told = PowerCuts::default();
    let mut calls = Vec::new();
    for life in 0..=LIVES {
        let crash_after = (life < LIVES).then(|| random.random_range(0..60));
        let ended = process(run(&world, mix(seed, 10 + life), crash_after, &mut calls))??;
        told.cuts += usize::from(!ended);
        let takes_all = random.random();
        let some = PowerCut::TakesSome(random.random());
        world.power_cut(if takes_all { PowerCut::TakesAll } else { some })?;
        let audit = process(audit(&world, &table()))?;
        told.unheard += audit.visible.difference(&world.book.acknowledged()).count();
        if !audit.findings.is_empty() {
            let complaints = audit.findings.iter().map(ToString::to_string).collect();
            let story = format!("seed {seed} of hosu_simulation::scenario::power_cuts, life {life}");
            return Err(Box::new(Failure { story, complaints, calls }));
        }
    }
    match world.book.acknowledged().len() {
        4 => Ok(told),
        some => Err(format!("seed {seed}: {some} of 4 batches were acknowledged in the end").into()),
    }
}

/// One process; gives whether it came to its end.
async fn run(
    world: &World,
    seed: u64,
    crash_after: Option<u64>,
    calls: &mut Vec<String>,
) -> Result<bool, Box<dyn Error>> {
    let turns = Turns::new(mix(seed, 1));
    // Disks fill up now and then; in the last life they do not.
    let full = if crash_after.is_some() { 4 } else { 0 };
    let rates = FaultRates { full, ..FaultRates::NONE };
    let gates: Vec<Gate> = (0..2)
        .map(|number| {
            let crash_after = crash_after.filter(|_| number == 0);
            Gate::build(Dice::new(mix(seed, 2 + number), rates), crash_after, Some(turns.sit().into()))
        })
        .collect();
    let senders = gates.iter().zip([Sender::Collect, Sender::Writer]).enumerate();
    let lives = senders.map(|(number, (gate, sender))| async move {
        let catalog = world.open(gate, mix(seed, 4 + number as u64)).map_err(|_| ())?;
        let lived = gate.live(async {
            for place in 0..BATCHES {
                let number = 1 + number as i64 * 100 + place;
                let batch = Batch { number, events: 3, bad_lines: 1, extra_field: place == 1 };
                let batch = sender.adapt(batch);
                let put = world.put_source(&batch.source(), batch.to_ndjson()).await;
                // What a full disk stops is sent again in the next life.
                let _ = put.is_ok() && sender.send(world, &catalog, &table(), &batch).await.is_ok();
            }
        });
        lived.await.ok_or(())
    });
    // Who dies takes the others along.
    let ended = future::try_join_all(lives).await.is_ok();
    for (number, gate) in gates.iter().enumerate() {
        calls.extend(gate.story().into_iter().map(|call| format!("sender {number}: {call}")));
    }
    Ok(ended)
}
