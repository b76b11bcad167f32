//! Columns of a file as columns of a table, without a text in between.
//!
//! What is castable is what means the same, or is wider. A value that its column cannot hold unchanged is null here, and its
//! row is marked: it goes the way of JSON, which says what becomes of it.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BinaryViewArray, BooleanBufferBuilder,
    FixedSizeBinaryArray, ListArray, MapArray, PrimitiveArray, StringBuilder, StructArray, make_array,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Fields, Float32Type, Float64Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use hosu_table::arrow_schema::to_arrow_type;
use iceberg::spec::{NestedFieldRef, PrimitiveType, StructType, Type};

use super::columns::{Column, Kind, Single};
use super::render::{self, DAY_NANOS};

/// The days of the years 0000 to 9999.
const DAYS: RangeInclusive<i128> = -719_528..=2_932_896;

/// A column as a table has it.
pub(super) struct Cast {
    pub array: ArrayRef,
    /// The rows that hold something which the column does not; none when there are none.
    pub failed: Option<BooleanBuffer>,
}

/// A column of a file as a table's column of this type; none when they do not mean the same.
pub(super) fn cast(kind: &Kind, to: &Type, array: &ArrayRef) -> Option<Cast> {
    match (kind, to) {
        (Kind::Single(single), Type::Primitive(to)) => cast_single(*single, to, array),
        (Kind::Struct(columns), Type::Struct(to)) => cast_struct(columns, to, array),
        (Kind::List(element), Type::List(to)) => {
            let list = array.as_list_opt::<i32>()?;
            let (offsets, values) = used(list.offsets(), list.values());
            let cast = cast(element, &to.element_field.field_type, &values)?;
            let DataType::List(field) = to_arrow_type(&Type::List(to.clone())) else { return None };
            let failed = failed_rows(&offsets, cast.failed.as_ref());
            let list = ListArray::try_new(field, offsets, cast.array, list.nulls().cloned()).ok()?;
            Some(Cast { array: Arc::new(list), failed })
        }
        (Kind::Map { key, value }, Type::Map(to)) => {
            let map = array.as_map_opt()?;
            let (offsets, keys) = used(map.offsets(), map.keys());
            let (_, values) = used(map.offsets(), map.values());
            let repeated = repeated_keys(key, &offsets, &keys)?;
            let keys = cast(key, &to.key_field.field_type, &keys)?;
            let values = cast(value, &to.value_field.field_type, &values)?;
            let data_type = to_arrow_type(&Type::Map(to.clone()));
            let failed = either(keys.failed, values.failed);
            let failed = either(failed_rows(&offsets, failed.as_ref()), repeated);
            map_of(&data_type, offsets, (keys.array, values.array), map.nulls())
                .map(|array| Cast { array, failed })
        }
        _ => None,
    }
}

fn map_of(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    (keys, values): (ArrayRef, ArrayRef),
    nulls: Option<&NullBuffer>,
) -> Option<ArrayRef> {
    let DataType::Map(entry, sorted) = data_type else { return None };
    let DataType::Struct(fields) = entry.data_type() else { return None };
    // A key is never null. That of a row which has failed is something, until the row is replaced.
    let keys = match keys.nulls() {
        Some(_) => make_array(keys.to_data().into_builder().nulls(None).build().ok()?),
        None => keys,
    };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).ok()?;
    let map = MapArray::try_new(entry.clone(), offsets, entries, nulls.cloned(), *sorted).ok()?;
    Some(Arc::new(map))
}

/// The elements that some rows have, and where each row's begin among them.
fn used(offsets: &OffsetBuffer<i32>, values: &ArrayRef) -> (OffsetBuffer<i32>, ArrayRef) {
    let first = offsets.first().copied().unwrap_or_default();
    let last = offsets.last().copied().unwrap_or_default();
    let start = usize::try_from(first).unwrap_or_default();
    let values = values.slice(start, usize::try_from(last - first).unwrap_or_default());
    (OffsetBuffer::new(offsets.iter().map(|offset| offset - first).collect()), values)
}

fn either(a: Option<BooleanBuffer>, b: Option<BooleanBuffer>) -> Option<BooleanBuffer> {
    match (a, b) {
        (Some(a), Some(b)) => Some(&a | &b),
        (a, b) => a.or(b),
    }
}

/// The rows of which an element has failed.
fn failed_rows(offsets: &OffsetBuffer<i32>, failed: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    let failed = failed?;
    let row = |bounds: &[i32]| elements(bounds).any(|at| failed.value(at));
    Some(offsets.windows(2).map(row).collect())
}

fn elements(bounds: &[i32]) -> std::ops::Range<usize> {
    let bound = |at: usize| usize::try_from(bounds.get(at).copied().unwrap_or_default()).unwrap_or_default();
    bound(0)..bound(1)
}

/// The rows that have a key more than once, or null as one. None when such things are no keys of a table.
#[expect(clippy::option_option, reason = "no keys, and no row of them")]
fn repeated_keys(kind: &Kind, offsets: &OffsetBuffer<i32>, keys: &ArrayRef) -> Option<Option<BooleanBuffer>> {
    if !matches!(kind, Kind::Single(_)) {
        return None;
    }
    let view = render::View::new(kind, keys)?;
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut row = |bounds: &[i32]| {
        seen.clear();
        elements(bounds).any(|at| {
            let mut text = Vec::new();
            view.write(at, &mut text);
            keys.is_null(at) || !seen.insert(text)
        })
    };
    let repeated: BooleanBuffer = offsets.windows(2).map(&mut row).collect();
    Some((repeated.count_set_bits() > 0).then_some(repeated))
}

fn cast_struct(columns: &[Column], to: &StructType, array: &ArrayRef) -> Option<Cast> {
    let array = array.as_struct_opt()?;
    let mut named = targets(columns, to.fields())?;
    let DataType::Struct(fields) = to_arrow_type(&Type::Struct(to.clone())) else { return None };
    let mut failed = None;
    let mut arrays = Vec::with_capacity(fields.len());
    for (field, arrow) in to.fields().iter().zip(fields.iter()) {
        let Some(at) = named.remove(field.name.as_str()) else {
            arrays.push(new_null_array(arrow.data_type(), array.len()));
            continue;
        };
        let cast = cast(&columns.get(at)?.kind, &field.field_type, array.columns().get(at)?)?;
        failed = either(failed, cast.failed);
        arrays.push(cast.array);
    }
    let array = struct_of(fields, arrays, array.nulls().cloned(), array.len())?;
    Some(Cast { array, failed })
}

fn struct_of(
    fields: Fields,
    arrays: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
    length: usize,
) -> Option<ArrayRef> {
    Some(Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, length).ok()?))
}

/// Which column goes into which field, by its name. None when one has no field, or when it is not clear which one.
fn targets<'c>(columns: &'c [Column], fields: &[NestedFieldRef]) -> Option<HashMap<&'c str, usize>> {
    let fields: HashSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let mut folded = HashSet::new();
    let mut named = HashMap::new();
    for (at, column) in columns.iter().enumerate() {
        if !fields.contains(column.name.as_str()) || !folded.insert(column.name.to_lowercase()) {
            return None;
        }
        named.insert(column.name.as_str(), at);
    }
    Some(named)
}

fn cast_single(single: Single, to: &PrimitiveType, array: &ArrayRef) -> Option<Cast> {
    use PrimitiveType as To;
    let target = Target { array: array.as_ref(), data_type: to_arrow_type(&Type::Primitive(to.clone())) };
    match (single, to) {
        (Single::Boolean, To::Boolean)
        | (Single::Float, To::Float)
        | (Single::Double, To::Double)
        | (Single::Uuid, To::Uuid) => Some(Cast { array: array.clone(), failed: None }),
        (Single::Fixed(bytes), To::Fixed(to)) if u64::try_from(bytes) == Ok(*to) => {
            Some(Cast { array: array.clone(), failed: None })
        }
        (Single::Int(_) | Single::Unsigned(_), To::Int) => {
            let value = whole(Integers::of(single, array)?, i32::MIN.into()..=i32::MAX.into());
            target.fill::<Int32Type>(|row| i32::try_from(value(row)?).ok())
        }
        (Single::Int(_) | Single::Unsigned(_), To::Long) => {
            let value = whole(Integers::of(single, array)?, i64::MIN.into()..=i64::MAX.into());
            target.fill::<Int64Type>(|row| i64::try_from(value(row)?).ok())
        }
        (Single::Unsigned(_), To::Decimal { precision, scale: 0 }) => {
            let most = largest(*precision);
            target.fill::<Decimal128Type>(whole(Integers::of(single, array)?, -most..=most))
        }
        (Single::Decimal { scale, .. }, To::Decimal { precision, scale: to })
            if u32::try_from(scale) == Ok(*to) =>
        {
            let (digits, most) = (Digits::of(array)?, largest(*precision));
            target.fill::<Decimal128Type>(|row| digits.at(row).filter(|value| (-most..=most).contains(value)))
        }
        (Single::Float, To::Double) => {
            let floats = array.as_primitive_opt::<Float32Type>()?;
            target.fill::<Float64Type>(|row| Some(floats.value(row).into()))
        }
        (Single::HalfFloat, To::Float | To::Double) => {
            let halves = array.as_fixed_size_binary_opt()?;
            match to {
                To::Float => target
                    .fill::<Float32Type>(|row| render::half(halves.value(row)).map(|half| half.to_f32())),
                _ => target
                    .fill::<Float64Type>(|row| render::half(halves.value(row)).map(|half| half.to_f64())),
            }
        }
        (Single::Date, To::Date) => {
            let value = whole(Integers::of(single, array)?, DAYS);
            target.fill::<Date32Type>(|row| i32::try_from(value(row)?).ok())
        }
        (Single::Time(unit), To::Time) => {
            let value = whole(Integers::of(single, array)?, 0..=DAY_NANOS - 1);
            target.fill::<Time64MicrosecondType>(|row| {
                let nanos = value(row)? * i128::from(unit.nanos());
                micros(nanos).filter(|_| nanos < DAY_NANOS)
            })
        }
        (Single::Timestamp { is_utc: true, .. }, To::Timestamptz)
        | (Single::Timestamp { is_utc: false, .. } | Single::Int96, To::Timestamp) => {
            let nanos = Nanos::of(single, array)?;
            let in_years = *DAYS.start() * DAY_NANOS..(*DAYS.end() + 1) * DAY_NANOS;
            target.fill::<TimestampMicrosecondType>(|row| {
                nanos.at(row).filter(|nanos| in_years.contains(nanos)).and_then(micros)
            })
        }
        (Single::Text, To::String) => Some(texts(array.as_binary_view_opt()?)),
        (Single::Bytes, To::Binary) => Some(bytes(array.as_binary_view_opt()?.iter())),
        (Single::Fixed(_), To::Binary) => Some(bytes(array.as_fixed_size_binary_opt()?.iter())),
        _ => None,
    }
}

/// The number in a row, if a column holds it.
fn whole<'a>(integers: Integers<'a>, range: RangeInclusive<i128>) -> impl Fn(usize) -> Option<i128> + 'a {
    move |row| Some(integers.at(row)).filter(|value| range.contains(value))
}

fn largest(digits: u32) -> i128 {
    10_i128.checked_pow(digits).map_or(i128::MAX, |next| next - 1)
}

/// Nothing of an instant is lost.
fn micros(nanos: i128) -> Option<i64> {
    i64::try_from(nanos / 1_000).ok().filter(|_| nanos % 1_000 == 0)
}

/// The array that is made of another one.
struct Target<'a> {
    array: &'a dyn Array,
    data_type: DataType,
}

impl Target<'_> {
    fn fill<T: ArrowPrimitiveType>(self, value: impl Fn(usize) -> Option<T::Native>) -> Option<Cast> {
        let rows = self.array.len();
        let mut values = vec![T::Native::default(); rows];
        let mut failed = Vec::new();
        for (row, slot) in values.iter_mut().enumerate().filter(|(row, _)| self.array.is_valid(*row)) {
            match value(row) {
                Some(value) => *slot = value,
                None => failed.push(row),
            }
        }
        let (nulls, failed) = without(self.array.nulls(), &failed, rows);
        let array = PrimitiveArray::<T>::try_new(values.into(), nulls).ok()?;
        let array = array.with_data_type(self.data_type);
        Some(Cast { array: Arc::new(array), failed })
    }
}

/// The nulls of a column of which these rows have failed, and these rows.
fn without(
    nulls: Option<&NullBuffer>,
    failed: &[usize],
    rows: usize,
) -> (Option<NullBuffer>, Option<BooleanBuffer>) {
    if failed.is_empty() {
        return (nulls.cloned(), None);
    }
    let mut marks = BooleanBufferBuilder::new(rows);
    marks.append_n(rows, false);
    failed.iter().for_each(|row| marks.set_bit(*row, true));
    let failed = marks.finish();
    let valid = NullBuffer::new(!&failed);
    (NullBuffer::union(nulls, Some(&valid)), Some(failed))
}

/// Whole numbers as they are stored, with or without a sign.
enum Integers<'a> {
    Ints(&'a [i32]),
    Longs(&'a [i64]),
    UnsignedInts(&'a [i32]),
    UnsignedLongs(&'a [i64]),
}

impl<'a> Integers<'a> {
    fn of(single: Single, array: &'a ArrayRef) -> Option<Self> {
        let is_unsigned = matches!(single, Single::Unsigned(_));
        Some(match array.data_type() {
            DataType::Int32 => {
                let values: &[i32] = array.as_primitive_opt::<Int32Type>()?.values();
                if is_unsigned { Self::UnsignedInts(values) } else { Self::Ints(values) }
            }
            _ => {
                let values: &[i64] = array.as_primitive_opt::<Int64Type>()?.values();
                if is_unsigned { Self::UnsignedLongs(values) } else { Self::Longs(values) }
            }
        })
    }

    fn at(&self, row: usize) -> i128 {
        match self {
            Self::Ints(values) => render::at(values, row).into(),
            Self::Longs(values) => render::at(values, row).into(),
            Self::UnsignedInts(values) => render::at(values, row).cast_unsigned().into(),
            Self::UnsignedLongs(values) => render::at(values, row).cast_unsigned().into(),
        }
    }
}

/// The digits of decimals, as a number.
enum Digits<'a> {
    Integers(Integers<'a>),
    Views(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> Digits<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::BinaryView => Self::Views(array.as_binary_view_opt()?),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary_opt()?),
            _ => Self::Integers(Integers::of(Single::Int(64), array)?),
        })
    }

    fn at(&self, row: usize) -> Option<i128> {
        match self {
            Self::Integers(integers) => Some(integers.at(row)),
            Self::Views(views) => render::number(views.value(row))?.to_i128(),
            Self::Fixed(fixed) => render::number(fixed.value(row))?.to_i128(),
        }
    }
}

/// Instants, in nanoseconds since 1970.
enum Nanos<'a> {
    Longs(&'a [i64], i128),
    Int96(&'a FixedSizeBinaryArray),
}

impl<'a> Nanos<'a> {
    fn of(single: Single, array: &'a ArrayRef) -> Option<Self> {
        Some(match single {
            Single::Timestamp { unit, .. } => {
                Self::Longs(array.as_primitive_opt::<Int64Type>()?.values(), unit.nanos().into())
            }
            _ => Self::Int96(array.as_fixed_size_binary_opt()?),
        })
    }

    fn at(&self, row: usize) -> Option<i128> {
        match self {
            Self::Longs(values, nanos) => Some(i128::from(render::at(values, row)) * nanos),
            Self::Int96(array) => render::int96(array.value(row)),
        }
    }
}

fn texts(array: &BinaryViewArray) -> Cast {
    let mut made =
        StringBuilder::with_capacity(array.len(), array.lengths().map(|length| length as usize).sum());
    let mut failed = Vec::new();
    for (row, value) in array.iter().enumerate() {
        let text = value.map(std::str::from_utf8);
        if matches!(text, Some(Err(_))) {
            failed.push(row);
        }
        made.append_option(text.and_then(Result::ok));
    }
    let (_, failed) = without(None, &failed, array.len());
    Cast { array: Arc::new(made.finish()), failed }
}

fn bytes<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Cast {
    let mut made = BinaryBuilder::new();
    values.for_each(|value| made.append_option(value));
    Cast { array: Arc::new(made.finish()), failed: None }
}
