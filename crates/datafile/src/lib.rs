//! Record batches to Parquet data files with Iceberg metrics and field ids: routed by partition, sorted, rolled by
//! size, measured.
//!
//! A [`DataFileWriter`] belongs to one operation on one table. What it wrote is durable when it returns, and nobody
//! sees it before `catalog` commits it. Memory is bounded whatever the input: rows of more partitions than may be
//! open at a time, and all rows of a sorted table, pass through an external sort.

mod budget;
mod check;
mod columns;
mod dictionaries;
mod discard;
mod encode;
mod error;
mod external_sort;
mod filling;
mod footer;
mod layout;
mod metrics;
mod open_file;
mod parquet_schema;
mod route;
mod selection;
mod sink;
mod target;
mod transform;
mod writer;

pub use discard::discard;
pub use error::DataFileError;
pub use footer::{FileFault, row_count, rows_in};
pub use target::{WriteTarget, WriterSettings, Written};
pub use writer::DataFileWriter;

#[cfg(test)]
mod tests;
