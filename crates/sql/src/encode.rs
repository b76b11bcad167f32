//! Values of an answer as text and JSON: what a person reads, what Trino's clients read, and what any program reads.
//!
//! All three agree on what a value is ([`Cell`]) and differ in how they spell it: people and plain JSON get ISO 8601 and
//! rows with the names of their fields, Trino's clients get Trino's own texts and rows as arrays.

mod cell;
mod json;
mod text;
mod time;

pub use hosu_functions::type_name;
pub use json::Json;

use arrow::array::Array;

/// A value as a person reads it: dates and times in ISO 8601, rows as `{a=1, b=[x, y]}`, bytes as hexadecimal digits.
/// `None` is NULL; inside of rows, arrays and maps it is `null`.
#[must_use]
pub fn text_cell(array: &dyn Array, row: usize) -> Option<String> {
    text::text(&cell::cell(array, row))
}

/// A value as Trino's client protocol encodes it: numbers (`"NaN"` and `"Infinity"` as text), decimals, dates and times as
/// Trino's texts, varbinary as base64, arrays and rows as arrays, maps as objects.
#[must_use]
pub fn trino_json(array: &dyn Array, row: usize) -> Json {
    json::json(&cell::cell(array, row), json::Style::Trino)
}

/// A value as plain JSON: as [`trino_json`], but rows are objects and dates and times are in ISO 8601.
#[must_use]
pub fn natural_json(array: &dyn Array, row: usize) -> Json {
    json::json(&cell::cell(array, row), json::Style::Natural)
}

#[cfg(test)]
mod tests;
