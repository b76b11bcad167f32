//! Values as JSON, in two spellings.

use super::cell::{Cell, cell};
use super::text::{not_finite, uuid};
use super::time;
use arrow::array::Array;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Number, Value};
use std::fmt;

/// JSON whose objects keep the order of their members: that of a row's fields or a map's entries.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// `[..]`
    Array(Vec<Json>),
    /// `{..}`
    Object(Vec<(String, Json)>),
}

/// Whose spelling.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    Trino,
    Natural,
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Boolean(value) => Self::Bool(value),
            Json::Number(value) => Self::Number(value),
            Json::Text(value) => Self::String(value),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(members) => {
                Self::Object(members.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}

pub(super) fn json(value: &Cell<'_>, style: Style) -> Json {
    match value {
        Cell::Null => Json::Null,
        Cell::Boolean(value) => Json::Boolean(*value),
        Cell::Signed(value) => Json::Number(Number::from(*value)),
        Cell::Unsigned(value) => Json::Number(Number::from(*value)),
        Cell::Double(value) => double(*value),
        // By its own digits: 0.1 as a real is not 0.10000000149011612.
        Cell::Real(value) => double(value.to_string().parse().unwrap_or_else(|_| f64::from(*value))),
        Cell::Bytes(bytes) => Json::Text(STANDARD.encode(bytes)),
        Cell::List(items) => {
            Json::Array((0..items.len()).map(|row| inner(items.as_ref(), row, style)).collect())
        }
        Cell::Row(fields, row) if style == Style::Trino => {
            Json::Array(fields.columns().iter().map(|column| inner(column, *row, style)).collect())
        }
        Cell::Row(fields, row) => {
            let columns = fields.column_names().into_iter().zip(fields.columns());
            Json::Object(
                columns.map(|(name, column)| (name.to_owned(), inner(column, *row, style))).collect(),
            )
        }
        Cell::Map(entries) => {
            let entry = |row| {
                let key = key(&cell(entries.column(0), row), style);
                (key, inner(entries.column(1), row, style))
            };
            Json::Object((0..entries.len()).map(entry).collect())
        }
        scalar => Json::Text(scalar_text(scalar, style)),
    }
}

fn inner(array: &dyn Array, row: usize, style: Style) -> Json {
    json(&cell(array, row), style)
}

fn double(value: f64) -> Json {
    match not_finite(value) {
        Some(text) => Json::Text(text.to_owned()),
        None => Number::from_f64(value).map_or(Json::Null, Json::Number),
    }
}

/// What is a text in JSON.
fn scalar_text(value: &Cell<'_>, style: Style) -> String {
    match (value, style) {
        (Cell::Decimal(text) | Cell::Other(text), _) => text.clone(),
        (Cell::Text(text), _) => (*text).to_owned(),
        (Cell::Uuid(bytes), _) => uuid(*bytes),
        (Cell::Interval(interval), _) => interval.text(),
        (Cell::Date(days), Style::Trino) => time::date(*days),
        (Cell::Date(days), Style::Natural) => time::iso_date(*days),
        (Cell::Time(time), Style::Trino) => time.clock(),
        (Cell::Time(time), Style::Natural) => time.short_clock(),
        (Cell::Timestamp(instant, zone), Style::Trino) => instant.trino(*zone),
        (Cell::Timestamp(instant, zone), Style::Natural) => instant.iso(*zone),
        _ => String::new(),
    }
}

/// A map's key: a text in JSON, whatever its type. Trino prints them as Java does: `1.0`, `[1, a]`.
fn key(value: &Cell<'_>, style: Style) -> String {
    match value {
        Cell::Null => "null".to_owned(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Signed(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Double(value) => java_number(*value, &format!("{value:e}")),
        Cell::Real(value) => java_number(f64::from(*value), &format!("{value:e}")),
        Cell::List(items) => {
            joined((0..items.len()).map(|row| key(&cell(items.as_ref(), row), style)), ["[", "]"])
        }
        Cell::Row(fields, row) if style == Style::Trino => {
            joined(fields.columns().iter().map(|column| key(&cell(column, *row), style)), ["[", "]"])
        }
        Cell::Row(fields, row) => {
            let columns = fields.column_names().into_iter().zip(fields.columns());
            joined(
                columns.map(|(name, column)| format!("{name}={}", key(&cell(column, *row), style))),
                ["{", "}"],
            )
        }
        Cell::Map(entries) => {
            let entry = |row| {
                let (name, value) = (cell(entries.column(0), row), cell(entries.column(1), row));
                format!("{}={}", key(&name, style), key(&value, style))
            };
            joined((0..entries.len()).map(entry), ["{", "}"])
        }
        Cell::Bytes(bytes) => STANDARD.encode(bytes),
        scalar => scalar_text(scalar, style),
    }
}

fn joined(items: impl Iterator<Item = String>, [open, close]: [&str; 2]) -> String {
    format!("{open}{}{close}", items.collect::<Vec<_>>().join(", "))
}

/// A number as Java prints it: `10.0`, `1.0E10`. `scientific` has the shortest digits that read back equal.
fn java_number(value: f64, scientific: &str) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        let plain = scientific.parse::<f64>().unwrap_or(value);
        return format!("{plain:?}");
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}
