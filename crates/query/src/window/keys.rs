//! How rows of a group are ordered: a number for each row decides nearly always, and without looking far.
//!
//! A lower number comes first. Equal numbers say nothing, unless the number holds the whole value: then whoever compares
//! looks at the values themselves. That is the order of Arrow's sorts: NaN and -0.0 have their places in the total order.

use datafusion::arrow::array::{Array, AsArray, BinaryArrayType, StringArrayType};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::*;

/// Whether values of this type have one order and one equality, whoever compares them, but for fractions, where a group
/// by values may hold 0.0 and -0.0 for one.
pub(super) fn is_plain(data_type: &DataType) -> bool {
    use DataType as T;
    data_type.is_integer()
        || is_text(data_type)
        || matches!(
            data_type,
            T::Boolean
                | T::Float32
                | T::Float64
                | T::Date32
                | T::Date64
                | T::Time32(TimeUnit::Second | TimeUnit::Millisecond)
                | T::Time64(TimeUnit::Microsecond | TimeUnit::Nanosecond)
                | T::Timestamp(..)
                | T::Decimal128(..)
        )
}

/// Whether the number of a value that is not null is all there is to say of it.
pub(super) fn is_whole(data_type: &DataType) -> bool {
    is_plain(data_type) && !is_text(data_type) && !matches!(data_type, DataType::Decimal128(..))
}

fn is_text(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(data_type, T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Binary | T::LargeBinary | T::BinaryView)
}

/// Appends the number of each value of a column. Nulls have the least or the greatest, and may share it with a value.
pub(super) fn numbers(column: &dyn Array, options: SortOptions, into: &mut Vec<u64>) {
    use DataType as T;
    let flip = if options.descending { u64::MAX } else { 0 };
    let null = if options.nulls_first { 0 } else { u64::MAX };
    let start = into.len();
    match column.data_type() {
        T::Int8 => of::<Int8Type>(column, flip, into),
        T::Int16 => of::<Int16Type>(column, flip, into),
        T::Int32 => of::<Int32Type>(column, flip, into),
        T::Int64 => of::<Int64Type>(column, flip, into),
        T::UInt8 => of::<UInt8Type>(column, flip, into),
        T::UInt16 => of::<UInt16Type>(column, flip, into),
        T::UInt32 => of::<UInt32Type>(column, flip, into),
        T::UInt64 => of::<UInt64Type>(column, flip, into),
        T::Float32 => of::<Float32Type>(column, flip, into),
        T::Float64 => of::<Float64Type>(column, flip, into),
        T::Date32 => of::<Date32Type>(column, flip, into),
        T::Date64 => of::<Date64Type>(column, flip, into),
        T::Decimal128(..) => of::<Decimal128Type>(column, flip, into),
        T::Time32(TimeUnit::Second) => of::<Time32SecondType>(column, flip, into),
        T::Time32(TimeUnit::Millisecond) => of::<Time32MillisecondType>(column, flip, into),
        T::Time64(TimeUnit::Microsecond) => of::<Time64MicrosecondType>(column, flip, into),
        T::Time64(TimeUnit::Nanosecond) => of::<Time64NanosecondType>(column, flip, into),
        T::Timestamp(TimeUnit::Second, _) => of::<TimestampSecondType>(column, flip, into),
        T::Timestamp(TimeUnit::Millisecond, _) => of::<TimestampMillisecondType>(column, flip, into),
        T::Timestamp(TimeUnit::Microsecond, _) => of::<TimestampMicrosecondType>(column, flip, into),
        T::Timestamp(TimeUnit::Nanosecond, _) => of::<TimestampNanosecondType>(column, flip, into),
        T::Boolean => into.extend(column.as_boolean().values().iter().map(|value| u64::from(value) ^ flip)),
        T::Utf8 => texts(column.as_string::<i32>(), flip, into),
        T::LargeUtf8 => texts(column.as_string::<i64>(), flip, into),
        T::Utf8View => texts(column.as_string_view(), flip, into),
        T::Binary => bytes(column.as_binary::<i32>(), flip, into),
        T::LargeBinary => bytes(column.as_binary::<i64>(), flip, into),
        T::BinaryView => bytes(column.as_binary_view(), flip, into),
        // What nobody knows better is equal at first sight.
        _ => into.extend(std::iter::repeat_n(0, column.len())),
    }
    if let Some(nulls) = column.nulls().filter(|nulls| nulls.null_count() > 0) {
        let pairs = into[start..].iter_mut().zip(nulls);
        pairs.filter(|(_, valid)| !valid).for_each(|(number, _)| *number = null);
    }
}

fn of<T: ArrowPrimitiveType<Native: Number>>(column: &dyn Array, flip: u64, into: &mut Vec<u64>) {
    into.extend(column.as_primitive::<T>().values().iter().map(|value| value.number() ^ flip));
}

fn texts<'a>(column: impl StringArrayType<'a>, flip: u64, into: &mut Vec<u64>) {
    into.extend(column.iter().map(|text| start_of(text.unwrap_or_default().as_bytes()) ^ flip));
}

fn bytes<'a>(column: impl BinaryArrayType<'a>, flip: u64, into: &mut Vec<u64>) {
    into.extend(column.iter().map(|bytes| start_of(bytes.unwrap_or_default()) ^ flip));
}

/// The first eight bytes; a shorter text comes before a longer one that goes on after it.
fn start_of(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(start) => u64::from_be_bytes(*start),
        None => {
            let mut start = [0; 8];
            start[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(start)
        }
    }
}

/// A value as a number that keeps the order.
trait Number: Copy {
    fn number(self) -> u64;
}

macro_rules! signed {
    ($($t:ty),*) => { $(impl Number for $t {
        fn number(self) -> u64 {
            (i64::from(self) as u64) ^ (1 << 63)
        }
    })* };
}
macro_rules! unsigned {
    ($($t:ty),*) => { $(impl Number for $t {
        fn number(self) -> u64 {
            u64::from(self)
        }
    })* };
}
signed!(i8, i16, i32, i64);
unsigned!(u8, u16, u32, u64);
impl Number for i128 {
    fn number(self) -> u64 {
        (self.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64).number()
    }
}

impl Number for f32 {
    fn number(self) -> u64 {
        let bits = self.to_bits() as i32;
        (bits ^ (((bits >> 31) as u32) >> 1) as i32).number()
    }
}

impl Number for f64 {
    fn number(self) -> u64 {
        let bits = self.to_bits() as i64;
        (bits ^ (((bits >> 63) as u64) >> 1) as i64).number()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray, make_comparator,
    };

    use super::*;

    #[test]
    fn numbers_never_contradict_the_order_of_values() {
        let floats =
            [f64::NAN, -f64::NAN, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, 1.5, -1.5, f64::MIN, f64::MAX];
        let huge = i128::from(i64::MAX) * 4;
        let columns: [ArrayRef; 4] = [
            Arc::new(Float64Array::from_iter(floats.into_iter().map(Some).chain([None]))),
            Arc::new(Int64Array::from(vec![
                Some(i64::MIN),
                Some(-1),
                Some(0),
                Some(1),
                Some(i64::MAX),
                None,
            ])),
            Arc::new(StringArray::from(vec![
                Some(""),
                Some("\0"),
                Some("a"),
                Some("abcdefgh"),
                Some("abcdefghi"),
                Some("호수"),
                None,
            ])),
            Arc::new(Decimal128Array::from(vec![
                Some(-huge),
                Some(-huge - 1),
                Some(0),
                Some(huge),
                Some(huge + 1),
                None,
            ])),
        ];
        for column in columns {
            for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)] {
                let options = SortOptions { descending, nulls_first };
                let compare = make_comparator(&column, &column, options).unwrap();
                let mut of = Vec::new();
                numbers(&column, options, &mut of);
                for (a, b) in (0..column.len()).flat_map(|a| (0..column.len()).map(move |b| (a, b))) {
                    assert!(
                        of[a] == of[b] || of[a].cmp(&of[b]) == compare(a, b),
                        "{column:?} {options:?} {a} {b}"
                    );
                    let nulls = column.is_null(a) || column.is_null(b);
                    assert!(
                        of[a] != of[b] || a == b || nulls || !is_whole(column.data_type()),
                        "{column:?} {a} {b}"
                    );
                }
            }
        }
    }
}
