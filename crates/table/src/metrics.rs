//! What a data file tells about its columns: counts and bounds that may be too wide and never too narrow.
//!
//! A scan skips a file because of its bounds, so a bound that is too narrow hides rows, in silence. Hence the
//! rules here: a bound that one row group does not know is known for no file, a cut upper bound is rounded up,
//! and a NaN is counted, not compared. Iceberg spec, "Data file fields" 108 to 128 and 137.

use std::collections::HashMap;

use iceberg::spec::{Datum, PrimitiveLiteral, PrimitiveType};

use crate::properties::MetricsMode;

/// One side of a column's range.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// There is no value to compare: all are null, or there are none.
    NoValues,
    /// No value lies beyond this one.
    At(Datum),
    /// Values are there, and how far they reach is not known.
    Unknown,
}

/// What is known about one leaf column, of one row group or of a whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFacts {
    /// Values in the column, null and NaN ones too.
    pub values: u64,
    /// How many of them are null; none if that is not known.
    pub nulls: Option<u64>,
    /// How many of them are NaN; none where the type has no NaN, or if they were not counted.
    pub nans: Option<u64>,
    /// Bytes that the column takes in the file.
    pub size_bytes: u64,
    /// No value is less.
    pub lower: Bound,
    /// No value is greater.
    pub upper: Bound,
}

/// The column maps of a `DataFile`, by field id. A column without an entry is one of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileMetrics {
    /// Bytes in the file.
    pub column_sizes: HashMap<i32, u64>,
    /// Values, null and NaN ones too.
    pub value_counts: HashMap<i32, u64>,
    /// Null values.
    pub null_value_counts: HashMap<i32, u64>,
    /// NaN values.
    pub nan_value_counts: HashMap<i32, u64>,
    /// Lower bounds, cut as the column's mode says.
    pub lower_bounds: HashMap<i32, Datum>,
    /// Upper bounds, cut as the column's mode says and rounded up.
    pub upper_bounds: HashMap<i32, Datum>,
}

impl ColumnFacts {
    /// The facts of a chunk whose statistics are `lower` and `upper`, exact or not, as far as the file format has
    /// them. NaNs are counted apart: set [`ColumnFacts::nans`] when they were.
    pub fn of_chunk(
        values: u64,
        nulls: Option<u64>,
        size_bytes: u64,
        lower: Option<Datum>,
        upper: Option<Datum>,
    ) -> Self {
        let bound = |datum: Option<Datum>| match datum {
            _ if nulls == Some(values) => Bound::NoValues,
            Some(datum) if !datum.is_nan() => Bound::At(datum),
            _ => Bound::Unknown,
        };
        Self { values, nulls, nans: None, size_bytes, lower: bound(lower), upper: bound(upper) }
    }

    /// The facts of both chunks together.
    pub fn merge(self, other: Self) -> Self {
        let both = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        Self {
            values: self.values.saturating_add(other.values),
            nulls: both(self.nulls, other.nulls),
            nans: both(self.nans, other.nans),
            size_bytes: self.size_bytes.saturating_add(other.size_bytes),
            lower: self.lower.merge(other.lower, |a, b| a <= b),
            upper: self.upper.merge(other.upper, |a, b| a >= b),
        }
    }
}

impl Bound {
    fn merge(self, other: Self, keeps_first: impl Fn(&Datum, &Datum) -> bool) -> Self {
        match (self, other) {
            (Self::NoValues, bound) | (bound, Self::NoValues) => bound,
            (Self::At(a), Self::At(b)) => match a.partial_cmp(&b) {
                // Values of two types have no order, so nothing can be said about both.
                None => Self::Unknown,
                Some(_) if keeps_first(&a, &b) => Self::At(a),
                Some(_) => Self::At(b),
            },
            _ => Self::Unknown,
        }
    }
}

impl FileMetrics {
    /// The maps of a file, from the facts of each of its leaf columns, as far as its mode keeps them. The size is
    /// always kept.
    pub fn of_columns(columns: impl IntoIterator<Item = (i32, MetricsMode, ColumnFacts)>) -> Self {
        let mut metrics = Self::default();
        for (field_id, mode, facts) in columns {
            metrics.column_sizes.insert(field_id, facts.size_bytes);
            if mode != MetricsMode::None {
                metrics.add_counts(field_id, &facts);
            }
            match mode {
                MetricsMode::None | MetricsMode::Counts => {}
                MetricsMode::Truncate(length) => metrics.add_bounds(field_id, &facts, length),
                MetricsMode::Full => metrics.add_bounds(field_id, &facts, usize::MAX),
            }
        }
        metrics
    }

    fn add_counts(&mut self, field_id: i32, facts: &ColumnFacts) {
        self.value_counts.insert(field_id, facts.values);
        if let Some(nulls) = facts.nulls {
            self.null_value_counts.insert(field_id, nulls);
        }
        if let Some(nans) = facts.nans {
            self.nan_value_counts.insert(field_id, nans);
        }
    }

    fn add_bounds(&mut self, field_id: i32, facts: &ColumnFacts, length_max: usize) {
        if let Bound::At(lower) = &facts.lower {
            self.lower_bounds.insert(field_id, truncated_lower(lower, length_max));
        }
        if let Bound::At(upper) = &facts.upper
            && let Some(upper) = truncated_upper(upper, length_max)
        {
            self.upper_bounds.insert(field_id, upper);
        }
    }
}

/// A lower bound of what `value` is a lower bound of, at most `length_max` characters of text or bytes long. A zero
/// becomes the negative one: engines disagree on whether -0.0 is less than 0.0.
pub fn truncated_lower(value: &Datum, length_max: usize) -> Datum {
    match (value.data_type(), value.literal()) {
        (PrimitiveType::String, PrimitiveLiteral::String(text)) => {
            Datum::string(text.chars().take(length_max).collect::<String>())
        }
        (PrimitiveType::Binary, PrimitiveLiteral::Binary(bytes)) => {
            Datum::binary(bytes.iter().copied().take(length_max))
        }
        (PrimitiveType::Float, PrimitiveLiteral::Float(number)) if number.0 == 0.0 => Datum::float(-0.0_f32),
        (PrimitiveType::Double, PrimitiveLiteral::Double(number)) if number.0 == 0.0 => {
            Datum::double(-0.0_f64)
        }
        _ => value.clone(),
    }
}

/// An upper bound of what `value` is an upper bound of, at most `length_max` characters of text or bytes long: what is
/// cut off is made up for by the next greater text or bytes of that length. None if there is no such. A zero becomes
/// the positive one.
pub fn truncated_upper(value: &Datum, length_max: usize) -> Option<Datum> {
    match (value.data_type(), value.literal()) {
        (PrimitiveType::String, PrimitiveLiteral::String(text)) => {
            upper_text(text, length_max).map(Datum::string)
        }
        (PrimitiveType::Binary, PrimitiveLiteral::Binary(bytes)) => {
            upper_bytes(bytes, length_max).map(Datum::binary)
        }
        (PrimitiveType::Float, PrimitiveLiteral::Float(number)) if number.0 == 0.0 => {
            Some(Datum::float(0.0_f32))
        }
        (PrimitiveType::Double, PrimitiveLiteral::Double(number)) if number.0 == 0.0 => {
            Some(Datum::double(0.0_f64))
        }
        _ => Some(value.clone()),
    }
}

/// By characters, as UTF-8 sorts like code points; the gap of the surrogates is stepped over.
fn upper_text(text: &str, length_max: usize) -> Option<String> {
    if text.chars().nth(length_max).is_none() {
        return Some(text.to_owned());
    }
    let mut kept: Vec<char> = text.chars().take(length_max).collect();
    while let Some(last) = kept.pop() {
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            kept.push(next);
            return Some(kept.into_iter().collect());
        }
    }
    None
}

fn upper_bytes(bytes: &[u8], length_max: usize) -> Option<Vec<u8>> {
    if bytes.len() <= length_max {
        return Some(bytes.to_vec());
    }
    let mut kept: Vec<u8> = bytes.iter().copied().take(length_max).collect();
    while let Some(last) = kept.pop() {
        if let Some(next) = last.checked_add(1) {
            kept.push(next);
            return Some(kept);
        }
    }
    None
}

#[cfg(test)]
mod tests;
