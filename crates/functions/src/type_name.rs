//! What Trino calls the type of an Arrow array. Clients choose how to read a value by this name, so it is spelt exactly as
//! Trino's client protocol spells it.

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// Trino's name of a type: `bigint`, `timestamp(6) with time zone`, `row(a bigint, b array(varchar))`.
///
/// What Trino lacks has the name of the nearest type: an unsigned integer of the next wider signed one (of 64 bits `bigint`,
/// as Trino's own counts), a half float `real`, a duration of an interval. Sixteen fixed bytes are a `uuid`.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale),
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time({})", digits(*unit)),
        DataType::Timestamp(unit, None) => format!("timestamp({})", digits(*unit)),
        DataType::Timestamp(unit, Some(_)) => format!("timestamp({}) with time zone", digits(*unit)),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => format!("array({})", type_name(element.data_type())),
        DataType::Struct(fields) => row(fields),
        DataType::Map(entry, _) => map(entry),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::RunEndEncoded(_, values) => type_name(values.data_type()),
        other => scalar(other).to_owned(),
    }
}

fn scalar(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Null => "unknown",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Interval(IntervalUnit::YearMonth) => "INTERVAL YEAR TO MONTH",
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL DAY TO SECOND",
        DataType::FixedSizeBinary(16) => "uuid",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "varbinary"
        }
        _ => "varchar",
    }
}

/// Trino has no negative scales: the zeros before the point count as digits.
fn decimal(precision: u8, scale: i8) -> String {
    let zeros = scale.min(0).unsigned_abs();
    format!("decimal({}, {})", precision.saturating_add(zeros), scale.max(0))
}

fn row(fields: &Fields) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| format!("{} {}", field_name(field.name()), type_name(field.data_type())))
        .collect();
    format!("row({})", fields.join(", "))
}

fn map(entry: &Field) -> String {
    match entry.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            format!("map({}, {})", type_name(fields[0].data_type()), type_name(fields[1].data_type()))
        }
        _ => "map(unknown, unknown)".to_owned(),
    }
}

/// A field's name, quoted where Trino's grammar needs it.
fn field_name(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '@'));
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

#[cfg(test)]
mod tests;
