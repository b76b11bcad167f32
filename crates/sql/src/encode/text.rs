//! Values as a person reads them.

use super::cell::{Cell, cell};
use super::time;
use arrow::array::{Array, StructArray};
use std::fmt::Write as _;

/// The value; `None` for NULL.
pub(super) fn text(value: &Cell<'_>) -> Option<String> {
    Some(match value {
        Cell::Null => return None,
        Cell::Boolean(value) => value.to_string(),
        Cell::Signed(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Real(value) => real(*value),
        Cell::Double(value) => double(*value),
        Cell::Decimal(text) | Cell::Other(text) => text.clone(),
        Cell::Date(days) => time::iso_date(*days),
        Cell::Time(time) => time.short_clock(),
        Cell::Timestamp(instant, zone) => instant.iso(*zone),
        Cell::Interval(interval) => interval.text(),
        Cell::Text(text) => (*text).to_owned(),
        Cell::Bytes(bytes) => hexadecimal(bytes),
        Cell::Uuid(bytes) => uuid(*bytes),
        Cell::List(items) => {
            let items: Vec<String> = (0..items.len()).map(|row| inner(items.as_ref(), row)).collect();
            format!("[{}]", items.join(", "))
        }
        Cell::Row(fields, row) => format!("{{{}}}", named_fields(fields, *row).join(", ")),
        Cell::Map(entries) => {
            let entry = |row| format!("{}={}", inner(entries.column(0), row), inner(entries.column(1), row));
            let entries: Vec<String> = (0..entries.len()).map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    })
}

fn inner(array: &dyn Array, row: usize) -> String {
    text(&cell(array, row)).unwrap_or_else(|| "null".to_owned())
}

fn named_fields(fields: &StructArray, row: usize) -> Vec<String> {
    let columns = fields.column_names().into_iter().zip(fields.columns());
    columns.map(|(name, column)| format!("{name}={}", inner(column, row))).collect()
}

fn double(value: f64) -> String {
    not_finite(value).map_or_else(|| format!("{value:?}"), str::to_owned)
}

fn real(value: f32) -> String {
    not_finite(f64::from(value)).map_or_else(|| format!("{value:?}"), str::to_owned)
}

/// What JSON has no number for, in Trino's words.
pub(super) fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn uuid(bytes: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(bytes).to_string()
}
