//! Other engines as witnesses: PyIceberg, DuckDB and Polars read what we wrote, value for value,
//! and PyIceberg writes what we read.

mod lake;
mod pyiceberg;
mod python;
mod reads;
