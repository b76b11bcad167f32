//! Whole stories: a crash after every call, and days on which everything fails now and then.

mod bad_day;
mod crash;
mod job_days;
mod jobs;
mod power_cuts;

use std::error::Error;
use std::fmt::{self, Display};

use hosu_table::name::TableName;

use crate::sender::Sender;

pub use bad_day::{BadDay, bad_day};
pub use crash::{Crash, Sweep, crash_after, crash_at_every_call};
pub use job_days::{JobDay, job_day};
pub use jobs::{JobCrash, JobEnd, JobSweep, job_crash, job_crashes};
pub use power_cuts::{PowerCuts, power_cuts};

/// A story that did not end well, with all that is needed to understand it.
#[derive(Debug)]
pub struct Failure {
    /// Which story, and how to tell it again.
    pub story: String,
    /// What is wrong.
    pub complaints: Vec<String>,
    /// The calls that were made, by actor and life.
    pub calls: Vec<String>,
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.story)?;
        self.calls.iter().try_for_each(|call| writeln!(f, "    {call}"))?;
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "  {complaint}"))
    }
}

impl Error for Failure {}

/// Who sends on a [`bad_day`]: a seed takes one of these lines.
pub const SENDERS: [&[Sender]; 4] = [
    &[Sender::Writer, Sender::Writer],
    &[Sender::Collect, Sender::Collect],
    &[Sender::Collect, Sender::Writer, Sender::Collect],
    &[Sender::Rewriter, Sender::Writer, Sender::Rewriter, Sender::Collect],
];

fn table() -> TableName {
    TableName::stored("default", "events")
}

/// A seed of its own for each part of a story.
fn mix(seed: u64, part: u64) -> u64 {
    let mut mixed = seed.wrapping_add(part.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// One process: its own runtime, on one thread. What its actors left undone ends with it.
fn process<T>(life: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(life))
}

#[cfg(test)]
mod tests;
