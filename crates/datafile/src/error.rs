//! What can go wrong between a record batch and a durable file, with the place.

use arrow::error::ArrowError;
use hosu_host::{Location, StoreError};
use parquet::errors::ParquetError;

/// A data file that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum DataFileError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be encoded, or is no Parquet file.
    #[error("{location} cannot be encoded or read as Parquet: {source}")]
    Parquet {
        /// The file.
        location: Location,
        /// What the format's library said.
        source: ParquetError,
    },
    /// Rows could not be taken apart or put together.
    #[error("rows for {table} cannot be arranged: {source}")]
    Rows {
        /// The table's location.
        table: Location,
        /// What Arrow said.
        source: ArrowError,
    },
    /// A batch does not have the columns of the table.
    #[error("column `{column}` of a batch for {table} does not fit: {reason}")]
    Column {
        /// The table's location.
        table: Location,
        /// The column's full name.
        column: String,
        /// What was expected and what came.
        reason: String,
    },
    /// The table cannot be written: its partitions, sort order or properties ask for what is not supported.
    #[error("{table} cannot be written: {reason}")]
    Table {
        /// The table's location.
        table: Location,
        /// What stands against it.
        reason: String,
    },
    /// Temporary files could not be written or read.
    #[error("temporary files for {table} failed: {source}")]
    Scratch {
        /// The table's location.
        table: Location,
        /// What the system said.
        source: std::io::Error,
    },
    /// The work on a file was given up: it panicked, or the runtime shuts down.
    #[error("writing a data file of {table} was given up: {reason}")]
    GivenUp {
        /// The table's location.
        table: Location,
        /// As far as it is known.
        reason: String,
    },
}

/// Makes an Arrow error one about `table`.
pub(crate) fn rows(table: &Location) -> impl Fn(ArrowError) -> DataFileError + use<> {
    let table = table.clone();
    move |source| DataFileError::Rows { table: table.clone(), source }
}

/// Makes a Parquet error one about the file at `location`.
pub(crate) fn parquet(location: &Location) -> impl Fn(ParquetError) -> DataFileError + use<> {
    let location = location.clone();
    move |source| DataFileError::Parquet { location: location.clone(), source }
}

/// Makes an error of the file system one about the temporary files of `table`.
pub(crate) fn scratch(table: &Location) -> impl Fn(std::io::Error) -> DataFileError + use<> {
    let table = table.clone();
    move |source| DataFileError::Scratch { table: table.clone(), source }
}

/// Makes the failure of a task one about `table`.
pub(crate) fn given_up(table: &Location) -> impl Fn(tokio::task::JoinError) -> DataFileError + use<> {
    let table = table.clone();
    move |error| DataFileError::GivenUp { table: table.clone(), reason: error.to_string() }
}
