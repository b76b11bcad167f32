//! How large the values are that a function would make, by its arguments.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

/// What a value in a list takes at least, with its place.
const ELEMENT_BYTES: u64 = 8;

const DAY_NS: i128 = 86_400_000_000_000;

/// The functions that can make more than a few times what they are given.
#[rustfmt::skip]
pub(super) const GROWING: &[(&str, Growth)] = &[
    ("repeat", Growth::Repeat),
    ("lpad", Growth::Pad),
    ("rpad", Growth::Pad),
    ("replace", Growth::Replace),
    ("concat", Growth::Sum),
    ("concat_ws", Growth::Join),
    ("array_repeat", Growth::RepeatElement),
    ("array_resize", Growth::Resize),
    ("range", Growth::Range),
    ("generate_series", Growth::Range),
];

/// How a result's size follows from the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Growth {
    /// A text so many times.
    Repeat,
    /// A text, filled up to so many characters.
    Pad,
    /// A text with another one for each place of a third.
    Replace,
    /// All texts together.
    Sum,
    /// All texts together, with the first between them.
    Join,
    /// A value so many times in a list.
    RepeatElement,
    /// A list with so many values.
    Resize,
    /// All values from here to there.
    Range,
}

/// The sizes of what a function would make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Of the largest value.
    pub largest: u64,
    /// Of all values.
    pub sum: u64,
}

impl Growth {
    /// The sizes of the values of so many rows. An upper bound, and a close one where it is large.
    pub(super) fn sizes(self, arguments: &[ColumnarValue], rows: usize) -> Result<Sizes> {
        let argument = |at: usize| arguments.get(at);
        let text = |at: usize| Text::of(argument(at));
        let size: Box<dyn Fn(usize) -> u64> = match self {
            Self::Repeat => {
                let (text, times) = (text(0), Integers::of(argument(1))?);
                Box::new(move |row| text.bytes(row).saturating_mul(times.at(row).unsigned()))
            }
            Self::Pad => pad(arguments)?,
            Self::Replace => {
                let (text, from, to) = (text(0), text(1), text(2));
                Box::new(move |row| text.replaced_bytes(&from, &to, row))
            }
            Self::Sum | Self::Join => {
                let texts: Vec<Text> = (0..arguments.len()).map(text).collect();
                let between = if self == Self::Join { arguments.len() as u64 } else { 0 };
                Box::new(move |row| {
                    let sum = texts.iter().map(|text| text.bytes(row)).fold(0, u64::saturating_add);
                    let first = texts.first().map_or(0, |text| text.bytes(row));
                    sum.saturating_add(first.saturating_mul(between))
                })
            }
            Self::RepeatElement => {
                let (element, times) = (Element::of(argument(0)), Integers::of(argument(1))?);
                Box::new(move |row| element.bytes(row).saturating_mul(times.at(row).unsigned()))
            }
            Self::Resize => {
                let (list, length, value) =
                    (Element::of(argument(0)), Integers::of(argument(1))?, Element::of(argument(2)));
                Box::new(move |row| {
                    let filled = length.at(row).unsigned().saturating_mul(value.bytes(row));
                    list.bytes(row).saturating_add(filled)
                })
            }
            Self::Range => range(arguments)?,
        };
        let mut sizes = Sizes::default();
        for row in 0..rows {
            let bytes = size(row);
            sizes.largest = sizes.largest.max(bytes);
            sizes.sum = sizes.sum.saturating_add(bytes);
        }
        Ok(sizes)
    }
}

/// `lpad(text, length)`, `lpad(text, length, fill)`, and `rpad`.
fn pad(arguments: &[ColumnarValue]) -> Result<Box<dyn Fn(usize) -> u64>> {
    let (text, fill) = (Text::of(arguments.first()), Text::of(arguments.get(2)));
    let length = Integers::of(arguments.get(1))?;
    Ok(Box::new(move |row| {
        if text.is_null(row) {
            return 0;
        }
        // A character of the fill has as many bytes as the fill at most, and four.
        let fill_bytes = fill.bytes(row).clamp(1, 4);
        let more = length.at(row).unsigned().saturating_mul(fill_bytes);
        if length.at(row).unsigned() <= text.bytes(row) {
            text.bytes(row)
        } else {
            text.bytes(row).saturating_add(more)
        }
    }))
}

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`.
fn range(arguments: &[ColumnarValue]) -> Result<Box<dyn Fn(usize) -> u64>> {
    let (start, stop) = match arguments {
        [stop] => (None, Some(stop)),
        [start, stop, ..] => (Some(start), Some(stop)),
        [] => (None, None),
    };
    let step = arguments.get(2);
    let (start, stop) = (Integers::of(start)?, Integers::of(stop)?);
    let by_time = step.is_some_and(|step| matches!(step.data_type(), DataType::Interval(_)));
    let step = if by_time { Integers::of_interval(step)? } else { Integers::of(step)? };
    Ok(Box::new(move |row| {
        let distance = (i128::from(stop.at(row).0) - i128::from(start.at(row).0)).unsigned_abs();
        let (distance, step) = if by_time {
            (distance.saturating_mul(start.unit_ns), u128::from(step.at(row).unsigned()))
        } else {
            (distance, u128::from(step.at(row).0.unsigned_abs()))
        };
        let values = distance / step.max(1) + 1;
        u64::try_from(values).unwrap_or(u64::MAX).saturating_mul(ELEMENT_BYTES)
    }))
}

/// A text argument.
enum Text {
    One(u64, String),
    Each(ArrayRef),
    None,
}

impl Text {
    fn of(argument: Option<&ColumnarValue>) -> Self {
        match argument {
            Some(ColumnarValue::Scalar(scalar)) => match scalar.try_as_str() {
                Some(Some(text)) => Self::One(text.len() as u64, text.to_owned()),
                _ => Self::None,
            },
            Some(ColumnarValue::Array(array)) => match array.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Each(array.clone()),
                _ => Self::None,
            },
            None => Self::None,
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::One(..) => false,
            Self::Each(array) => array.is_null(row),
            Self::None => true,
        }
    }

    fn text(&self, row: usize) -> &str {
        match self {
            Self::One(_, text) => text,
            Self::Each(array) if array.is_null(row) => "",
            Self::Each(array) => match array.data_type() {
                DataType::Utf8 => array.as_string::<i32>().value(row),
                DataType::LargeUtf8 => array.as_string::<i64>().value(row),
                _ => array.as_string_view().value(row),
            },
            Self::None => "",
        }
    }

    fn bytes(&self, row: usize) -> u64 {
        match self {
            Self::One(bytes, _) => *bytes,
            _ => self.text(row).len() as u64,
        }
    }

    fn replaced_bytes(&self, from: &Self, to: &Self, row: usize) -> u64 {
        let (text, from, to) = (self.text(row), from.text(row), to.text(row));
        let bytes = text.len() as u64;
        if to.len() <= from.len() {
            return bytes;
        }
        // Between any two characters there is an empty text.
        let places_max = if from.is_empty() { bytes + 1 } else { bytes / from.len() as u64 };
        let bytes_max = bytes.saturating_add(places_max.saturating_mul(to.len() as u64));
        if bytes_max <= bytes.saturating_mul(2) || from.is_empty() {
            return bytes_max;
        }
        bytes.saturating_add((text.matches(from).count() as u64).saturating_mul(to.len() as u64))
    }
}

/// A value that goes into a list.
enum Element {
    Fixed(u64),
    Text(Text),
}

impl Element {
    fn of(argument: Option<&ColumnarValue>) -> Self {
        match argument {
            None => Self::Fixed(ELEMENT_BYTES),
            Some(ColumnarValue::Scalar(scalar)) => Self::Fixed(scalar_bytes(scalar)),
            Some(ColumnarValue::Array(array)) => match Text::of(argument) {
                Text::None => {
                    let bytes = array.to_data().get_slice_memory_size().unwrap_or_default();
                    Self::Fixed((bytes.div_ceil(array.len().max(1)) as u64).max(ELEMENT_BYTES))
                }
                text => Self::Text(text),
            },
        }
    }

    fn bytes(&self, row: usize) -> u64 {
        match self {
            Self::Fixed(bytes) => *bytes,
            Self::Text(text) => text.bytes(row) + ELEMENT_BYTES,
        }
    }
}

fn scalar_bytes(scalar: &ScalarValue) -> u64 {
    if scalar.data_type().is_primitive() || scalar.is_null() {
        return ELEMENT_BYTES;
    }
    match scalar.try_as_str() {
        Some(text) => text.map_or(0, str::len) as u64 + ELEMENT_BYTES,
        None => scalar.size() as u64,
    }
}

/// A whole number; null is nothing.
#[derive(Clone, Copy)]
struct Integer(i64);

impl Integer {
    /// Less than nothing is nothing.
    fn unsigned(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

/// A numeric argument, or a date, or a time.
struct Integers {
    values: Option<ArrayRef>,
    is_one: bool,
    /// What one is, of dates and times.
    unit_ns: u128,
}

impl Integers {
    fn of(argument: Option<&ColumnarValue>) -> Result<Self> {
        let Some(argument) = argument else {
            return Ok(Self { values: None, is_one: true, unit_ns: 1 });
        };
        let unit_ns = match argument.data_type() {
            DataType::Date32 => DAY_NS.unsigned_abs(),
            DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
            DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
            DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
            _ => 1,
        };
        let array = argument.to_array(1)?;
        let array = match array.data_type() {
            DataType::Date32 => cast(&array, &DataType::Int32)?,
            _ => array,
        };
        let is_one = matches!(argument, ColumnarValue::Scalar(_));
        Ok(Self { values: Some(cast(&array, &DataType::Int64)?), is_one, unit_ns })
    }

    /// Intervals as nanoseconds, a month as its shortest.
    fn of_interval(argument: Option<&ColumnarValue>) -> Result<Self> {
        let Some(argument) = argument else { return Self::of(None) };
        let array = argument.to_array(1)?;
        let is_one = matches!(argument, ColumnarValue::Scalar(_));
        let Some(intervals) = array.as_primitive_opt::<IntervalMonthDayNanoType>() else {
            return Self::of(None);
        };
        let nanoseconds = intervals.unary::<_, Int64Type>(|interval| {
            let days = i128::from(interval.months) * 28 + i128::from(interval.days);
            let whole = days * DAY_NS + i128::from(interval.nanoseconds);
            i64::try_from(whole.unsigned_abs()).unwrap_or(i64::MAX)
        });
        Ok(Self { values: Some(std::sync::Arc::new(nanoseconds)), is_one, unit_ns: 1 })
    }

    fn at(&self, row: usize) -> Integer {
        let row = if self.is_one { 0 } else { row };
        let value = self.values.as_ref().and_then(|values| {
            let values = values.as_primitive_opt::<Int64Type>()?;
            (row < values.len() && !values.is_null(row)).then(|| values.value(row))
        });
        Integer(value.unwrap_or_default())
    }
}
