//! Rows for people and programs: seven layouts behind one trait, each writing as rows come in, with bounded memory.

mod delimited;
pub mod human;
mod json;
mod look;
mod markdown;
mod spool;
mod table;
mod vertical;

use std::io::{self, Write};

use crate::args::RowFormat;

pub use json::Answers;
pub use look::{Expanded, Look, lines, one_line, width};
pub use spool::Spool;

/// What a layout needs to know of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether its values are numbers, which people like to see aligned on the right.
    pub numeric: bool,
}

/// The values of one row.
pub trait Cells {
    /// How a text format shows the value; none for NULL.
    fn text(&self, column: usize) -> Option<String>;

    /// The text of the value as JSON: objects for rows, arrays for arrays.
    fn json(&self, column: usize) -> String;
}

/// A way to lay out rows.
pub trait Layout {
    /// What stands before the first row.
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()>;

    /// One row.
    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()>;

    /// What stands after the last row.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The layout of a format.
pub fn layout(format: RowFormat, look: &Look) -> Box<dyn Layout> {
    match format {
        RowFormat::Table => Box::new(table::Table::new(look)),
        RowFormat::Csv => Box::new(delimited::Csv::default()),
        RowFormat::Tsv => Box::new(delimited::Tsv::default()),
        RowFormat::Json => Box::new(json::Objects::in_one_array()),
        RowFormat::Ndjson => Box::new(json::Objects::one_a_line()),
        RowFormat::Markdown => Box::new(markdown::Markdown::new(look)),
        RowFormat::Vertical => Box::new(vertical::Vertical::new(look)),
    }
}

/// Whether a type of Trino's is one of numbers.
pub fn is_numeric(type_name: &str) -> bool {
    let base = type_name.split('(').next().unwrap_or_default();
    matches!(base, "tinyint" | "smallint" | "integer" | "int" | "bigint" | "real" | "double" | "decimal")
}

#[cfg(test)]
mod tests;
