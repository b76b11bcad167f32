//! What can go wrong with a change.

use hosu_catalog::CatalogError;
use hosu_datafile::DataFileError;
use hosu_host::LocationError;
use hosu_query::QueryError;
use hosu_table::name::TableName;

/// An error of a change. Nothing of it is in the table, unless [`ChangeError::is_definite`] says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The rows do not have the columns of the table.
    #[error("the rows do not fit table {table}: {reason}")]
    Columns {
        /// The table.
        table: TableName,
        /// What differs.
        reason: String,
    },
    /// NULL for a column that must have a value.
    #[error("NULL cannot be stored in column {column} of table {table}, which is required")]
    Null {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
    },
    /// The table is to lie at a place that is none.
    #[error("{table} is to be at a place that cannot be used")]
    Location {
        /// The table.
        table: TableName,
        /// What is wrong with it.
        #[source]
        source: LocationError,
    },
    /// The rows could not be made.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The rows could not be written.
    #[error(transparent)]
    DataFile(#[from] DataFileError),
    /// The files could not be made part of the table.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl ChangeError {
    /// Whether it is certain that nothing was changed.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Catalog(error) => error.is_definite(),
            _ => true,
        }
    }
}
