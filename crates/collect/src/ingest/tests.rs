//! Ingests into a real catalog in a temporary folder, read back from the Parquet files that the snapshot lists.

mod bad_input;
mod early;
mod evolution;
mod grow;
mod once;
mod parquet;
mod raw;
mod rows;
mod samples;
pub(crate) mod support;
mod tail;
