//! Athena's statements: text to syntax tree with positions.
//!
//! Athena is a router over two grammars. Statements about databases and tables are Hive's: backquoted names, `\'` in texts,
//! types like `array<string>`. Everything that has a SELECT is Trino's: double-quoted names and `''` in texts. This crate
//! splits a text into statements, chooses the grammar of each and parses the first kind completely. A query is handed on as
//! text with its place, so that whoever plans it can name places in the whole text. It knows no table and does no IO.
//!
//! Each tree prints itself ([`std::fmt::Display`]) as a statement that parses to an equal tree.

mod ast;
mod error;
mod format;
mod lexer;
mod limits;
mod parser;
mod position;
mod scan;
mod split;
mod types;

pub use ast::{
    ColumnDefinition, CreateDatabase, CreateTable, DescribeForm, Explain, Insert, PartitionField, Property,
    Statement, TableRef,
};
pub use error::ParseError;
pub use position::{At, Ident, Position};
pub use scan::{Mark, Scan, ScannedWord, WordKind, scan, scan_from};
pub use split::{Statements, statements};
pub use types::{HiveType, StructField};

/// Parses all statements of a text, separated by `;`. Empty statements are skipped.
///
/// # Errors
/// The first statement that is none of Athena's. To run the good statements before it, iterate over [`statements`].
pub fn parse(text: &str) -> Result<Vec<At<Statement>>, ParseError> {
    statements(text).collect()
}

#[cfg(test)]
mod tests;
