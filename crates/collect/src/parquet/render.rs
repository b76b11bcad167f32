//! The rows of a Parquet file as JSON objects, exactly.
//!
//! Each value is spelled so that the column which means the same takes it unchanged by the rule of docs/unchanged.md: a
//! double with all of its digits before the point, nanoseconds with nine behind it, bytes as base64. What JSON has no value
//! for (NaN, a year beyond 9999, a text that is not UTF-8) is spelled so that no such column takes it, and is rescued.

use std::io::Write;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float16Type, Float32Type, Float64Type, Int32Type, Int64Type, i256,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hosu_table::calendar::civil;

use super::columns::{Column, Kind, Single};

/// From here on a double has no fraction, and its shortest spelling is not the number that it is.
const WHOLE_FROM: f64 = 9_007_199_254_740_992.0;

/// About what a number takes, and what a null takes where a text could be.
const VALUE_BYTES: usize = 8;
const NULL_BYTES: usize = 4;

pub(super) const DAY_NANOS: i128 = 86_400_000_000_000;

/// The day of the Julian calendar that 1970 began with.
const JULIAN_DAY_OF_EPOCH: i128 = 2_440_588;

/// The columns of some rows, ready to be written row by row.
pub(super) struct Rows<'a> {
    fields: Vec<Field<'a>>,
}

/// In which rows a column is written.
#[derive(Clone, Debug)]
pub(super) enum When {
    Always,
    Never,
    In(BooleanBuffer),
}

impl When {
    pub(super) fn holds(&self, row: usize) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::In(rows) => rows.value(row),
        }
    }
}

struct Field<'a> {
    /// `"name":`
    head: Vec<u8>,
    view: View<'a>,
}

pub(super) struct View<'a> {
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Booleans(&'a BooleanArray),
    Ints(Single, &'a [i32]),
    Longs(Single, &'a [i64]),
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
    Bytes(Single, &'a BinaryViewArray),
    Fixed(Single, &'a FixedSizeBinaryArray),
    Struct(Vec<Field<'a>>),
    List {
        offsets: &'a [i32],
        element: Box<View<'a>>,
    },
    /// As an object.
    Map {
        offsets: &'a [i32],
        key: Box<View<'a>>,
        value: Box<View<'a>>,
    },
    /// As a list of objects.
    Entries {
        offsets: &'a [i32],
        entry: Box<View<'a>>,
    },
}

impl<'a> Rows<'a> {
    /// The rows of these columns; none when the arrays are not of their kinds, which would be a mistake of this program.
    pub(super) fn new(columns: &[Column], arrays: &'a [ArrayRef]) -> Option<Self> {
        Some(Self { fields: fields(columns, arrays)? })
    }

    /// Writes a row as a JSON object; what is null is left out.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        object(self.fields.iter(), row, out);
    }

    /// The same with only those columns that are written in this row.
    pub(super) fn write_some(&self, when: &[When], row: usize, out: &mut Vec<u8>) {
        let fields = self.fields.iter().zip(when).filter(|(_, when)| when.holds(row));
        object(fields.map(|(field, _)| field), row, out);
    }

    /// About how many bytes a row's values take.
    pub(super) fn bytes(&self, row: usize) -> usize {
        self.fields.iter().map(|field| field.view.bytes(row)).sum()
    }
}

fn fields<'a>(columns: &[Column], arrays: &'a [ArrayRef]) -> Option<Vec<Field<'a>>> {
    let field = |(column, array): (&Column, &'a ArrayRef)| {
        let mut head = Vec::new();
        text(column.name.as_bytes(), &mut head);
        head.push(b':');
        Some(Field { head, view: View::new(&column.kind, array)? })
    };
    if columns.len() != arrays.len() {
        return None;
    }
    columns.iter().zip(arrays).map(field).collect()
}

fn object<'f>(fields: impl Iterator<Item = &'f Field<'f>>, row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut is_first = true;
    for field in fields.filter(|field| !field.view.is_null(row)) {
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        out.extend_from_slice(&field.head);
        field.view.values.write(row, out);
    }
    out.push(b'}');
}

impl<'a> View<'a> {
    pub(super) fn new(kind: &Kind, array: &'a ArrayRef) -> Option<Self> {
        Some(Self { nulls: array.nulls(), values: Values::new(kind, array)? })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    fn bytes(&self, row: usize) -> usize {
        if self.is_null(row) { NULL_BYTES } else { self.values.bytes(row) }
    }

    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self.is_null(row) {
            true => out.extend_from_slice(b"null"),
            false => self.values.write(row, out),
        }
    }
}

impl<'a> Values<'a> {
    fn bytes(&self, row: usize) -> usize {
        match self {
            Self::Booleans(_) => 1,
            Self::Ints(..) | Self::Longs(..) | Self::Floats(_) | Self::Doubles(_) => VALUE_BYTES,
            Self::Bytes(_, array) => NULL_BYTES + array.value(row).len(),
            Self::Fixed(_, array) => array.value(row).len(),
            Self::Struct(fields) => fields.iter().map(|field| field.view.bytes(row)).sum(),
            Self::List { offsets, element } | Self::Entries { offsets, entry: element } => {
                NULL_BYTES + bounds(offsets, row).map(|at| element.bytes(at)).sum::<usize>()
            }
            Self::Map { offsets, key, value } => {
                NULL_BYTES + bounds(offsets, row).map(|at| key.bytes(at) + value.bytes(at)).sum::<usize>()
            }
        }
    }

    fn new(kind: &Kind, array: &'a ArrayRef) -> Option<Self> {
        Some(match kind {
            Kind::Single(single) => match array.data_type() {
                DataType::Boolean => Self::Booleans(array.as_boolean_opt()?),
                DataType::Int32 => Self::Ints(*single, array.as_primitive_opt::<Int32Type>()?.values()),
                DataType::Int64 => Self::Longs(*single, array.as_primitive_opt::<Int64Type>()?.values()),
                DataType::Float32 => Self::Floats(array.as_primitive_opt::<Float32Type>()?.values()),
                DataType::Float64 => Self::Doubles(array.as_primitive_opt::<Float64Type>()?.values()),
                DataType::BinaryView => Self::Bytes(*single, array.as_binary_view_opt()?),
                DataType::FixedSizeBinary(_) => Self::Fixed(*single, array.as_fixed_size_binary_opt()?),
                _ => return None,
            },
            Kind::Struct(columns) => Self::Struct(fields(columns, array.as_struct_opt()?.columns())?),
            Kind::List(element) => {
                let list = array.as_list_opt::<i32>()?;
                let element = Box::new(View::new(element, list.values())?);
                Self::List { offsets: list.offsets(), element }
            }
            Kind::Map { key, value } => {
                let map = array.as_map_opt()?;
                let offsets = map.offsets();
                let key_view = Box::new(View::new(key, map.keys())?);
                let value_view = Box::new(View::new(value, map.values())?);
                if key.is_text() {
                    Self::Map { offsets, key: key_view, value: value_view }
                } else {
                    let field = |name: &str, view| Field { head: format!("\"{name}\":").into_bytes(), view };
                    let fields = vec![field("key", *key_view), field("value", *value_view)];
                    Self::Entries {
                        offsets,
                        entry: Box::new(View { nulls: None, values: Self::Struct(fields) }),
                    }
                }
            }
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Booleans(array) => write(out, format_args!("{}", array.value(row))),
            Self::Ints(single, values) => int(*single, at(values, row), out),
            Self::Longs(single, values) => long(*single, at(values, row), out),
            Self::Floats(values) => double(f64::from(at(values, row)), out),
            Self::Doubles(values) => double(at(values, row), out),
            Self::Bytes(single, array) => bytes(*single, array.value(row), out),
            Self::Fixed(single, array) => bytes(*single, array.value(row), out),
            Self::Struct(fields) => object(fields.iter(), row, out),
            Self::List { offsets, element } | Self::Entries { offsets, entry: element } => {
                elements(offsets, row, (b'[', b']'), out, |at, out| element.write(at, out));
            }
            Self::Map { offsets, key, value } => {
                elements(offsets, row, (b'{', b'}'), out, |at, out| {
                    key.write(at, out);
                    out.push(b':');
                    value.write(at, out);
                });
            }
        }
    }
}

pub(super) fn at<T: Copy + Default>(values: &[T], row: usize) -> T {
    values.get(row).copied().unwrap_or_default()
}

fn bounds(offsets: &[i32], row: usize) -> Range<usize> {
    let bound = |row: usize| usize::try_from(at(offsets, row)).unwrap_or_default();
    bound(row)..bound(row + 1)
}

fn elements(
    offsets: &[i32],
    row: usize,
    (open, close): (u8, u8),
    out: &mut Vec<u8>,
    element: impl Fn(usize, &mut Vec<u8>),
) {
    let inside = bounds(offsets, row);
    out.push(open);
    for at in inside.clone() {
        if at > inside.start {
            out.push(b',');
        }
        element(at, out);
    }
    out.push(close);
}

/// Writing into memory does not fail.
fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn int(single: Single, value: i32, out: &mut Vec<u8>) {
    match single {
        Single::Unsigned(_) => write(out, format_args!("{}", value.cast_unsigned())),
        Single::Date => {
            out.push(b'"');
            date(value.into(), out);
            out.push(b'"');
        }
        _ => long(single, value.into(), out),
    }
}

fn long(single: Single, value: i64, out: &mut Vec<u8>) {
    match single {
        Single::Unsigned(_) => write(out, format_args!("{}", value.cast_unsigned())),
        Single::Decimal { scale, .. } => decimal(single, &value.to_string(), scale, out),
        Single::Time(unit) => match i128::from(value) * i128::from(unit.nanos()) {
            nanos @ 0..DAY_NANOS => {
                out.push(b'"');
                time(nanos, out);
                out.push(b'"');
            }
            _ => write(out, format_args!("{value}")),
        },
        Single::Timestamp { unit, is_utc } => {
            timestamp(i128::from(value) * i128::from(unit.nanos()), is_utc, out);
        }
        _ => write(out, format_args!("{value}")),
    }
}

fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else if value.abs() < WHOLE_FROM {
        write(out, format_args!("{value:?}"));
    } else {
        write(out, format_args!("{value:.0}"));
    }
}

fn bytes(single: Single, value: &[u8], out: &mut Vec<u8>) {
    match single {
        Single::Text => match std::str::from_utf8(value) {
            Ok(_) => text(value, out),
            // No text, and not to be taken for one.
            Err(_) => raw(value, out),
        },
        Single::Decimal { scale, .. } => match number(value) {
            Some(number) => decimal(single, &number.to_string(), scale, out),
            None => raw(value, out),
        },
        Single::HalfFloat => match half(value) {
            Some(half) => double(half.to_f64(), out),
            None => raw(value, out),
        },
        Single::Int96 => match int96(value) {
            Some(nanos) => timestamp(nanos, false, out),
            None => raw(value, out),
        },
        Single::Uuid => match uuid::Uuid::from_slice(value) {
            Ok(uuid) => write(out, format_args!("\"{}\"", uuid.hyphenated())),
            Err(_) => raw(value, out),
        },
        _ => base64(value, out),
    }
}

pub(super) fn half(value: &[u8]) -> Option<<Float16Type as ArrowPrimitiveType>::Native> {
    let bits = u16::from_le_bytes(value.try_into().ok()?);
    Some(<Float16Type as ArrowPrimitiveType>::Native::from_bits(bits))
}

fn base64(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + value.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(value, out.get_mut(start..).unwrap_or_default()).unwrap_or_default();
    out.truncate(start + written);
    out.push(b'"');
}

fn raw(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"base64\":");
    base64(value, out);
    out.push(b'}');
}

/// Nanoseconds since 1970.
pub(super) fn int96(value: &[u8]) -> Option<i128> {
    let (nanos, day) = value.split_at_checked(8)?;
    let nanos = i64::from_le_bytes(nanos.try_into().ok()?);
    let day = i32::from_le_bytes(day.try_into().ok()?);
    Some((i128::from(day) - JULIAN_DAY_OF_EPOCH) * DAY_NANOS + i128::from(nanos))
}

/// A number of many bytes, the highest first; none when it has too many.
pub(super) fn number(value: &[u8]) -> Option<i256> {
    let fill = if value.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let mut wide = [fill; 32];
    let start = wide.len().checked_sub(value.len())?;
    wide.get_mut(start..)?.copy_from_slice(value);
    Some(i256::from_be_bytes(wide))
}

/// A decimal of these digits; one that tables have no type for as a text.
fn decimal(single: Single, digits: &str, scale: i32, out: &mut Vec<u8>) {
    let quote: &[u8] = if single.is_number() { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let scale = usize::try_from(scale).unwrap_or_default();
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - scale).unwrap_or((&padded, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    write(out, format_args!("{sign}{whole}{point}{fraction}"));
    out.extend_from_slice(quote);
}

fn timestamp(nanos: i128, is_utc: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    date(i64::try_from(nanos.div_euclid(DAY_NANOS)).unwrap_or(i64::MAX), out);
    out.push(b'T');
    time(nanos.rem_euclid(DAY_NANOS), out);
    out.extend_from_slice(if is_utc { b"Z\"" } else { b"\"" });
}

/// A day that is so many behind 1970-01-01. Years beyond those of four digits have a sign, and fit no column of JSON's.
fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    match year {
        0..=9_999 => write(out, format_args!("{year:04}")),
        _ => write(out, format_args!("{year:+05}")),
    }
    write(out, format_args!("-{month:02}-{day:02}"));
}

fn time(nanos: i128, out: &mut Vec<u8>) {
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    write(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if fraction != 0 {
        let text = format!("{fraction:09}");
        write(out, format_args!(".{}", text.trim_end_matches('0')));
    }
}

/// A text with quotes around it.
fn text(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in value.iter().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        out.extend_from_slice(value.get(plain..at).unwrap_or_default());
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            _ => write(out, format_args!("\\u{byte:04x}")),
        }
        plain = at + 1;
    }
    out.extend_from_slice(value.get(plain..).unwrap_or_default());
    out.push(b'"');
}

#[cfg(test)]
mod tests;
