//! A sender that dies right after its n-th call, and one that comes after it.

use std::error::Error;

use super::{Failure, mix, process, table};
use crate::auditor::audit;
use crate::book::Batch;
use crate::disk::PowerCut;
use crate::faults::{Dice, FaultRates};
use crate::gate::Gate;
use crate::sender::Sender;
use crate::world::{Storage, World};

/// Which crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Where the lake is.
    pub storage: Storage,
    /// Who dies.
    pub sender: Sender,
    /// What the power cut takes.
    pub power_cut: PowerCut,
    /// After which call; none lets it live.
    pub after: Option<u64>,
}

/// What a sweep over all crashes saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// How many calls the sender makes when it is left alone.
    pub calls: u64,
    /// How many crashes were tried.
    pub crashes: u64,
    /// After how many of them the dead sender's last batch was there although nobody was told so.
    pub unheard: u64,
}

/// Lets the sender die after each of its calls in turn, and before the first.
///
/// # Errors
/// The first story that did not end well.
pub fn crash_at_every_call(
    storage: Storage,
    sender: Sender,
    power_cut: PowerCut,
) -> Result<Sweep, Box<dyn Error>> {
    let alone = Crash { storage, sender, power_cut, after: None };
    let mut sweep = Sweep { calls: crash_after(alone)?.calls, ..Sweep::default() };
    // Work side by side may make a call more or less: on until the sender gets to its end.
    for after in 0.. {
        let end = crash_after(Crash { after: Some(after), ..alone })?;
        if !end.crashed {
            break;
        }
        sweep.crashes += 1;
        sweep.unheard += u64::from(end.unheard);
    }
    Ok(sweep)
}

/// How a story of [`crash_after`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    calls: u64,
    crashed: bool,
    unheard: bool,
}

/// Tells one story: a sender sends two batches and dies, the power fails, the next one sends both again and a third. After
/// each of the two the lake is audited.
///
/// # Errors
/// A [`Failure`], or what kept the story from being told.
pub fn crash_after(crash: Crash) -> Result<End, Box<dyn Error>> {
    let world = World::new(crash.storage)?;
    let batches = batches(crash.sender);
    let gate = match crash.after {
        Some(calls) => Gate::crashing_after(calls, Dice::new(0, FaultRates::NONE)),
        None => Gate::open(),
    };
    let failure = |complaints| {
        let story = format!("{crash:?}; tell it again with hosu_simulation::scenario::crash_after");
        Box::new(Failure { story, complaints, calls: gate.story() })
    };
    let ended = process(life(&world, crash.sender, &gate, 1, &batches[..2]))?
        .map_err(|error| failure(vec![format!("the first life ended with: {error}")]))?;
    let crashed = ended.is_none();
    world.power_cut(crash.power_cut)?;
    let after_crash = process(audit(&world, &table()))?;
    let complaints: Vec<String> = after_crash.findings.iter().map(ToString::to_string).collect();
    if !complaints.is_empty() {
        return Err(failure(complaints));
    }
    let promised = world.book.acknowledged();
    let unheard = after_crash.visible.iter().any(|number| !promised.contains(number));
    process(life(&world, crash.sender, &Gate::open(), 2, &batches))?
        .map_err(|error| failure(vec![format!("the second life ended with: {error}")]))?;
    let end = process(audit(&world, &table()))?;
    let mut complaints: Vec<String> = end.findings.iter().map(ToString::to_string).collect();
    if world.book.acknowledged().len() != batches.len() {
        complaints.push(format!("only {:?} were acknowledged in the end", world.book.acknowledged()));
    }
    if !complaints.is_empty() {
        return Err(failure(complaints));
    }
    Ok(End { calls: gate.calls(), crashed, unheard })
}

/// One life of a sender; none when it died.
async fn life(
    world: &World,
    sender: Sender,
    gate: &Gate,
    number: u64,
    batches: &[Batch],
) -> Result<Option<()>, Box<dyn Error>> {
    let catalog = world.open(gate, mix(0, number))?;
    let lived = gate.live(async {
        for batch in batches {
            world.put_source(&batch.source(), batch.to_ndjson()).await?;
            sender.send(world, &catalog, &table(), batch).await.map_err(|error| error.to_string())?;
        }
        Ok::<_, Box<dyn Error>>(())
    });
    lived.await.transpose()
}

/// One that makes the tables, one with a new column, one that changes neither.
fn batches(sender: Sender) -> [Batch; 3] {
    let batch = |number, extra_field| Batch { number, events: 3, bad_lines: 1, extra_field };
    [batch(1, false), batch(2, true), batch(3, false)].map(|batch| sender.adapt(batch))
}
