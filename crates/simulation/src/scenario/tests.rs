//! The promises, under every crash and on many bad days.

use super::*;
use crate::disk::PowerCut;
use crate::sender::{Flaw, Sender};
use crate::world::Storage;

/// How often a sweep is repeated until a crash falls between a commit and its answer. Calls that are made side by side come in
/// another order each time, so that counting them may miss that moment.
const SWEEPS_MAX: u32 = 5;

fn sweep(storage: Storage, sender: Sender, power_cut: PowerCut) {
    for _ in 0..SWEEPS_MAX {
        let sweep =
            crash_at_every_call(storage, sender, power_cut).unwrap_or_else(|failure| panic!("{failure}"));
        println!(
            "{sender:?} in a {storage:?}: {} calls; {} crashes, {} of them after a commit that nobody heard of",
            sweep.calls, sweep.crashes, sweep.unheard
        );
        // Fewer would mean that the calls do not go through the gate.
        assert!(sweep.calls > 15 && sweep.crashes + 1 >= sweep.calls, "{sweep:?}");
        if sweep.unheard > 0 {
            return;
        }
    }
    panic!("no crash of {SWEEPS_MAX} sweeps fell between a commit and its answer");
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

#[test]
fn a_rewriter_may_die_at_any_call_to_a_bucket() {
    sweep(Storage::Bucket, Sender::Rewriter, PowerCut::TakesAll);
}

#[test]
fn a_rewriter_may_die_at_any_call_to_a_folder() {
    sweep(Storage::Folder, Sender::Rewriter, PowerCut::TakesAll);
    sweep(Storage::Folder, Sender::Rewriter, PowerCut::TakesSome(1));
}

/// Stories of flawed lakes must not end well: what a sweep over all crashes complains about.
fn complaint(storage: Storage, sender: Sender) -> String {
    match crash_at_every_call(storage, sender, PowerCut::TakesAll) {
        Ok(sweep) => panic!("nobody complained: {sweep:?}"),
        Err(failure) => failure.to_string(),
    }
}

#[test]
fn a_store_that_does_not_sync_is_found() {
    let complaint = complaint(Storage::UnsyncedFolder, Sender::Writer);
    assert!(complaint.contains("does not exist"), "{complaint}");
}

#[test]
fn flawed_senders_are_found() {
    for (flaw, says) in [
        (Flaw::AcknowledgesEarly, "was acknowledged and is lost"),
        (Flaw::ForgetsLedger, "is there more than once"),
        (Flaw::CommitsHalves, "are not what was sent"),
    ] {
        let complaint = complaint(Storage::Bucket, Sender::Flawed(flaw));
        assert!(complaint.contains(says), "{flaw:?}: {complaint}");
    }
    let half = Crash {
        storage: Storage::Bucket,
        sender: Sender::Flawed(Flaw::CommitsHalves),
        power_cut: PowerCut::TakesAll,
        after: None,
    };
    let is_half = |after| {
        let failure = crash_after(Crash { after: Some(after), ..half });
        failure.is_err_and(|failure| failure.to_string().contains("batch 1 is half there"))
    };
    assert!((0..20).any(is_half), "a crash between the halves");
}

#[test]
fn a_rewriter_that_forgets_others_is_found() {
    let senders = [Sender::Flawed(Flaw::ForgetsOthers), Sender::Writer];
    let complaint = |seed| bad_day(seed, &senders).err().map(|failure| failure.to_string());
    let is_lost = |complaint: String| complaint.contains("was acknowledged and is");
    assert!((0..40).filter_map(complaint).any(is_lost), "what others added meanwhile is lost");
}

#[test]
fn promises_hold_over_many_power_cuts() {
    let mut all = PowerCuts::default();
    for seed in 0..12 {
        let told = power_cuts(seed).unwrap_or_else(|failure| panic!("{failure}"));
        all.cuts += told.cuts;
        all.unheard += told.unheard;
    }
    println!("{all:?}");
    assert!(all.cuts > 24 && all.unheard > 0, "{all:?}");
}

/// Seeds in one test, from the first on; `--example seed` takes any others.
const SEEDS: u64 = 60;
const FIRST_SEED: u64 = 40;

#[test]
fn promises_hold_on_many_bad_days() {
    let mut all = BadDay::default();
    let mut failures = String::new();
    for seed in FIRST_SEED..FIRST_SEED + SEEDS {
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

fn job_sweep(storage: Storage, n: usize) {
    let sweep = job_crashes(storage, PowerCut::TakesAll, n).unwrap_or_else(|failure| panic!("{failure}"));
    println!("jobs in a {storage:?}: {sweep:?}");
    assert!(
        sweep.calls > 60 && sweep.crashes > 20 && sweep.unheard > 0 && sweep.interrupted > 5,
        "{sweep:?}"
    );
}

#[test]
fn who_runs_jobs_on_a_bucket_may_die() {
    job_sweep(Storage::Bucket, 2);
}

#[test]
fn who_runs_jobs_on_a_folder_may_die() {
    job_sweep(Storage::Folder, 5);
}

/// Seeds in one test; `--example job_seed` takes any others.
const JOB_SEEDS: u64 = 12;

#[test]
fn targets_are_right_after_many_bad_days() {
    let mut all = JobDay::default();
    let mut failures = String::new();
    for seed in 0..JOB_SEEDS {
        match job_day(seed) {
            Ok(day) => {
                all.succeeded += day.succeeded;
                all.nothing_new += day.nothing_new;
                all.failed += day.failed;
                all.unheard += day.unheard;
                all.cut_off += day.cut_off;
                all.crashes += day.crashes;
                all.snapshots += day.snapshots;
            }
            Err(failure) => failures.push_str(&failure.to_string()),
        }
    }
    println!("{JOB_SEEDS} seeds: {all:?}");
    assert!(failures.is_empty(), "{failures}");
    let seeds = JOB_SEEDS as usize;
    assert!(all.succeeded > seeds && all.failed > seeds / 2 && all.crashes > seeds / 2, "{all:?}");
    assert!(all.nothing_new > seeds / 2 && all.cut_off > seeds / 4, "{all:?}");
}
