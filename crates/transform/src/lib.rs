//! Jobs: a SELECT, the table that it fills, and when.
//!
//! A job is one SQL file: what it is called, fills and waits for stands in a comment at its start, so that any editor still sees
//! plain SQL. This crate reads such files
//! ([`Job`]), says when each is due ([`Schedule`]) and in which order they run ([`Graph`]).

mod graph;
mod job;
mod schedule;

pub use graph::{Graph, GraphFault, Reads};
pub use job::{CatchUp, Job, JobError, JobFault, Mode};
pub use schedule::{Cron, CronError, Schedule, ScheduleError};
