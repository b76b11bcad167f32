//! Jobs on a lake in memory, run after run.

mod append;
mod bad;
mod exactly_once;
mod full;
mod lake;
mod property;
mod scheduler;
mod upkeep;
