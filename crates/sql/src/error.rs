//! What a statement fails with: Trino's code for programs, a message for people, and the place in the text.

mod catalog;
mod engine;
mod place;

use hosu_catalog::CatalogError;
use hosu_dialect::{ParseError, Position};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

pub(crate) use engine::from_change;
pub use engine::from_query;

/// Trino's error codes, as far as they are used.
pub mod code {
    #![allow(missing_docs, reason = "each is Trino's name of an error, and says what it is")]
    pub const AMBIGUOUS_NAME: &str = "AMBIGUOUS_NAME";
    pub const CATALOG_NOT_FOUND: &str = "CATALOG_NOT_FOUND";
    pub const COLUMN_NOT_FOUND: &str = "COLUMN_NOT_FOUND";
    pub const CONSTRAINT_VIOLATION: &str = "CONSTRAINT_VIOLATION";
    pub const DIVISION_BY_ZERO: &str = "DIVISION_BY_ZERO";
    pub const DUPLICATE_COLUMN_NAME: &str = "DUPLICATE_COLUMN_NAME";
    pub const EXCEEDED_LOCAL_MEMORY_LIMIT: &str = "EXCEEDED_LOCAL_MEMORY_LIMIT";
    pub const EXCEEDED_SCAN_LIMIT: &str = "EXCEEDED_SCAN_LIMIT";
    pub const EXPRESSION_NOT_AGGREGATE: &str = "EXPRESSION_NOT_AGGREGATE";
    pub const FUNCTION_NOT_FOUND: &str = "FUNCTION_NOT_FOUND";
    pub const GENERIC_USER_ERROR: &str = "GENERIC_USER_ERROR";
    pub const GENERIC_INTERNAL_ERROR: &str = "GENERIC_INTERNAL_ERROR";
    pub const ICEBERG_BAD_DATA: &str = "ICEBERG_BAD_DATA";
    pub const ICEBERG_CATALOG_ERROR: &str = "ICEBERG_CATALOG_ERROR";
    pub const ICEBERG_COMMIT_ERROR: &str = "ICEBERG_COMMIT_ERROR";
    pub const ICEBERG_INVALID_METADATA: &str = "ICEBERG_INVALID_METADATA";
    pub const ICEBERG_FILESYSTEM_ERROR: &str = "ICEBERG_FILESYSTEM_ERROR";
    pub const INVALID_ARGUMENTS: &str = "INVALID_ARGUMENTS";
    pub const INVALID_CAST_ARGUMENT: &str = "INVALID_CAST_ARGUMENT";
    pub const INVALID_FUNCTION_ARGUMENT: &str = "INVALID_FUNCTION_ARGUMENT";
    pub const INVALID_TABLE_PROPERTY: &str = "INVALID_TABLE_PROPERTY";
    pub const NOT_SUPPORTED: &str = "NOT_SUPPORTED";
    pub const NUMERIC_VALUE_OUT_OF_RANGE: &str = "NUMERIC_VALUE_OUT_OF_RANGE";
    pub const SCHEMA_ALREADY_EXISTS: &str = "SCHEMA_ALREADY_EXISTS";
    pub const SCHEMA_NOT_EMPTY: &str = "SCHEMA_NOT_EMPTY";
    pub const SCHEMA_NOT_FOUND: &str = "SCHEMA_NOT_FOUND";
    pub const SUBQUERY_MULTIPLE_ROWS: &str = "SUBQUERY_MULTIPLE_ROWS";
    pub const SYNTAX_ERROR: &str = "SYNTAX_ERROR";
    pub const TABLE_ALREADY_EXISTS: &str = "TABLE_ALREADY_EXISTS";
    pub const TABLE_NOT_FOUND: &str = "TABLE_NOT_FOUND";
    pub const TYPE_MISMATCH: &str = "TYPE_MISMATCH";
}

/// Why a statement failed.
#[derive(Clone, Debug, Serialize)]
pub struct SqlError {
    /// Trino's code; see [`code`].
    pub code: &'static str,
    /// What is wrong, and with what.
    pub message: String,
    /// The line of the whole text, from 1, where it is known.
    pub line: Option<usize>,
    /// The character of the line, from 1.
    pub column: Option<usize>,
    /// The nearest name that exists, of a name that does not. The message says it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The catalog's error that is behind it, for whoever knows what to do about one.
    #[serde(skip)]
    pub cause: Option<Arc<CatalogError>>,
}

impl SqlError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), line: None, column: None, nearest: None, cause: None }
    }

    /// A feature that is not here.
    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self::new(code::NOT_SUPPORTED, message)
    }

    /// Says where, unless that is known better already.
    #[must_use]
    pub(crate) fn at(self, position: Position) -> Self {
        self.at_place(Some((position.line, position.column)))
    }

    #[must_use]
    pub(crate) fn at_place(mut self, place: Option<(usize, usize)>) -> Self {
        if let (None, Some((line, column))) = (self.line, place) {
            (self.line, self.column) = (Some(line), Some(column));
        }
        self
    }

    /// Suggests a name.
    #[must_use]
    pub(crate) fn nearest(mut self, nearest: Option<impl Into<String>>) -> Self {
        if let Some(nearest) = nearest {
            let nearest = nearest.into();
            self.message = format!("{}; did you mean '{nearest}'?", self.message);
            self.nearest = Some(nearest);
        }
        self
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}:{column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SqlError {}

impl From<ParseError> for SqlError {
    fn from(error: ParseError) -> Self {
        Self::new(code::SYNTAX_ERROR, error.message).at(error.position)
    }
}

#[cfg(test)]
mod tests;
