//! Jobs: a SELECT, the table that it fills, and when.
//!
//! A job is one SQL file: what it is called, fills and waits for stands in a comment at its start, so that any editor still sees
//! plain SQL ([`Job`]). The jobs of a folder are checked and ordered together ([`Project`]); [`decide`] says from the state
//! that was committed with a target what a run of it has to do; a [`Runner`] does it, in one commit.

mod agenda;
mod bind;
mod columns;
mod decide;
mod error;
mod graph;
mod job;
mod list;
mod project;
mod run;
mod runs;
mod schedule;
mod scheduler;
mod watch;

pub use agenda::{Agenda, DueSlot};
pub use decide::{Decision, Facts, ForeignWrite, InputFacts, Refusal, decide};
pub use error::{RunError, TestFailure};
pub use graph::{Graph, GraphFault, Reads};
pub use job::{CatchUp, Job, JobError, JobFault, Mode};
pub use list::{Lag, Listed, list};
pub use project::{Around, JobFile, NoSuchJob, Project, ProjectJob};
pub use run::{
    Ended, InputPlan, Order, RunPlan, RunSettings, Runner, SUMMARY_INPUTS, SUMMARY_JOB, SUMMARY_RUN,
    SUMMARY_SELECT, Size, Trigger,
};
pub use runs::{Outcome, run_all};
pub use schedule::{Cron, CronError, Schedule, ScheduleError};
pub use scheduler::{JobFolder, Scheduler, SchedulerSettings, Served};
pub use watch::{Event, NobodyWatches, Watch};

#[cfg(test)]
mod tests;
