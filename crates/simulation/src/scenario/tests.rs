//! The promises, under every crash and on many bad days.

use super::*;
use crate::disk::PowerCut;
use crate::sender::Sender;
use crate::world::Storage;

fn sweep(storage: Storage, sender: Sender, power_cut: PowerCut) -> Sweep {
    let sweep = crash_at_every_call(storage, sender, power_cut).unwrap_or_else(|failure| panic!("{failure}"));
    println!(
        "{sender:?} in a {storage:?}: {} calls; {} crashes, {} of them after a commit that nobody heard of",
        sweep.calls, sweep.crashes, sweep.unheard
    );
    // Fewer would mean that the calls do not go through the gate; one crash at least must fall between commit and answer.
    assert!(sweep.calls > 15 && sweep.crashes >= sweep.calls && sweep.unheard > 0, "{sweep:?}");
    sweep
}

#[test]
fn a_writer_may_die_at_any_call_to_a_bucket() {
    sweep(Storage::Bucket, Sender::Writer, PowerCut::TakesAll);
}

#[test]
fn a_writer_may_die_at_any_call_to_a_folder() {
    sweep(Storage::Folder, Sender::Writer, PowerCut::TakesAll);
    sweep(Storage::Folder, Sender::Writer, PowerCut::TakesSome(1));
}

#[test]
fn an_ingest_may_die_at_any_call_to_a_bucket() {
    sweep(Storage::Bucket, Sender::Collect, PowerCut::TakesAll);
}

#[test]
fn an_ingest_may_die_at_any_call_to_a_folder() {
    sweep(Storage::Folder, Sender::Collect, PowerCut::TakesAll);
    sweep(Storage::Folder, Sender::Collect, PowerCut::TakesSome(1));
}

/// Seeds in one test; `--example seed` takes any others.
const SEEDS: u64 = 60;

#[test]
fn promises_hold_on_many_bad_days() {
    let mut all = BadDay::default();
    let mut failures = String::new();
    for seed in 0..SEEDS {
        match bad_day(seed, SENDERS[(seed % SENDERS.len() as u64) as usize]) {
            Ok(day) => {
                all.acknowledged += day.acknowledged;
                all.unheard += day.unheard;
                all.crashes += day.crashes;
                all.errors += day.errors;
                all.looks += day.looks;
            }
            Err(failure) => failures.push_str(&failure.to_string()),
        }
    }
    println!("{SEEDS} seeds: {all:?}");
    assert!(failures.is_empty(), "{failures}");
    // Days on which nothing goes wrong would prove nothing, and days on which all does neither.
    let seeds = SEEDS as usize;
    assert!(all.acknowledged > 3 * seeds && all.looks > seeds, "{all:?}");
    assert!(all.unheard > 0 && all.crashes > seeds / 2 && all.errors > seeds / 4, "{all:?}");
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in [0, 2, 4, 6, 8] {
        let tell = || {
            bad_day(seed, &[Sender::Writer, Sender::Writer])
                .unwrap_or_else(|failure| panic!("{failure}"))
                .calls
        };
        assert_eq!(tell(), tell(), "seed {seed}");
    }
}
