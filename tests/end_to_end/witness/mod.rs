//! Other engines as witnesses: PyIceberg, DuckDB, Polars and Spark read what we wrote, value for value,
//! and PyIceberg and Spark write what we read.

mod harm;
mod lake;
mod overwritten;
mod pyiceberg;
pub(super) mod python;
mod reads;
mod spark;

pub(crate) use pyiceberg::count;
