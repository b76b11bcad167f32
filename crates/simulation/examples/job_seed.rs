//! Tells the story of one seed about jobs again, call by call: `cargo run -p hosu-simulation --example job_seed -- 42`; with a
//! second number, of so many seeds from there on, in short; `-- crashes` crashes one who runs jobs after every call.

use std::error::Error;

use hosu_simulation::disk::PowerCut;
use hosu_simulation::scenario::{job_crashes, job_day};
use hosu_simulation::world::Storage;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: job_seed SEED [HOW MANY] | crashes";
    let first = arguments.first().ok_or(usage)?;
    if first == "crashes" {
        for storage in [Storage::Bucket, Storage::Folder] {
            println!("{storage:?}: {:?}", job_crashes(storage, PowerCut::TakesSome(1), 1)?);
        }
        return Ok(());
    }
    let first: u64 = first.parse()?;
    let count: Option<u64> = arguments.get(1).map(|count| count.parse()).transpose()?;
    for seed in first..first + count.unwrap_or(1) {
        let mut day = job_day(seed)?;
        let calls = std::mem::take(&mut day.calls);
        if count.is_none() {
            calls.iter().for_each(|call| println!("{call}"));
        }
        println!("seed {seed}: {} calls, {day:?}", calls.len());
    }
    Ok(())
}
