//! The catalog's errors, and those of a change, to Trino's codes.

use super::{SqlError, code};
use hosu_catalog::CatalogError;
use std::error::Error;
use std::sync::Arc;

impl From<CatalogError> for SqlError {
    fn from(error: CatalogError) -> Self {
        let told = match &error {
            CatalogError::TableNotFound { name, nearest } => {
                let message = format!("Table '{name}' does not exist");
                Self::new(code::TABLE_NOT_FOUND, message).nearest(nearest.as_ref().map(ToString::to_string))
            }
            CatalogError::TableExists { name } => {
                Self::new(code::TABLE_ALREADY_EXISTS, format!("Table '{name}' already exists"))
            }
            CatalogError::DatabaseNotFound { database, nearest } => {
                let message = format!("Database '{database}' does not exist");
                Self::new(code::SCHEMA_NOT_FOUND, message).nearest(nearest.clone())
            }
            CatalogError::DatabaseExists { database } => {
                Self::new(code::SCHEMA_ALREADY_EXISTS, format!("Database '{database}' already exists"))
            }
            CatalogError::DatabaseNotEmpty { database } => {
                let message = format!("Database '{database}' has tables; CASCADE drops them too");
                Self::new(code::SCHEMA_NOT_EMPTY, message)
            }
            CatalogError::Conflict { .. }
            | CatalogError::Contended { .. }
            | CatalogError::LeaseHeld { .. }
            | CatalogError::LeaseLost { .. }
            | CatalogError::Unknown { .. } => Self::new(code::ICEBERG_COMMIT_ERROR, chain(&error)),
            CatalogError::FormatVersion { .. } => Self::new(code::NOT_SUPPORTED, chain(&error)),
            CatalogError::Database(_) => Self::new(code::ICEBERG_CATALOG_ERROR, chain(&error)),
            CatalogError::Store(_) => Self::new(code::ICEBERG_FILESYSTEM_ERROR, chain(&error)),
            CatalogError::Unreadable { .. } | CatalogError::Location { .. } => {
                Self::new(code::ICEBERG_INVALID_METADATA, chain(&error))
            }
            _ => Self::new(code::GENERIC_INTERNAL_ERROR, chain(&error)),
        };
        Self { cause: Some(Arc::new(error)), ..told }
    }
}

/// An error with all that is behind it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}
