//! Tells the story of one seed again, call by call: `cargo run -p hosu-simulation --example seed -- 42`; with a second
//! number, of so many seeds from there on, in short.

use std::error::Error;

use hosu_simulation::scenario::{SENDERS, bad_day};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let usage = "usage: seed SEED [HOW MANY]";
    let first = arguments.next().ok_or(usage)??;
    let count = arguments.next().transpose()?;
    for seed in first..first + count.unwrap_or(1) {
        let senders = SENDERS[(seed % SENDERS.len() as u64) as usize];
        let day = bad_day(seed, senders)?;
        if count.is_none() {
            day.calls.iter().for_each(|call| println!("{call}"));
        }
        println!(
            "seed {seed}: {} calls, {} acknowledged, {} unheard, {} crashes, {} errors, {} looks",
            day.calls.len(),
            day.acknowledged,
            day.unheard,
            day.crashes,
            day.errors,
            day.looks
        );
    }
    Ok(())
}
