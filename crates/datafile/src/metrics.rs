//! From the statistics of Parquet's column chunks to what Iceberg keeps of a file.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use hosu_table::metrics::{Bound, ColumnFacts};
use iceberg::spec::{Datum, PrimitiveType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use crate::parquet_schema::Leaf;

/// What a column chunk tells. `nans` are those in it; none for a column without, or in a list or map.
pub(crate) fn facts_of(leaf: &Leaf, chunk: &ColumnChunkMetaData, nans: Option<u64>) -> ColumnFacts {
    let values = chunk.num_values().unsigned_abs();
    let size_bytes = chunk.compressed_size().unsigned_abs();
    let statistics = chunk.statistics();
    let nulls = statistics.and_then(Statistics::null_count_opt);
    let bound = |bytes: Option<&[u8]>| datum(bytes?, statistics?, &leaf.primitive);
    let lower = bound(statistics.and_then(Statistics::min_bytes_opt));
    let upper = bound(statistics.and_then(Statistics::max_bytes_opt));
    let mut facts = ColumnFacts::of_chunk(values, nulls, size_bytes, lower, upper);
    facts.nans = nans;
    if nulls.zip(nans).is_some_and(|(nulls, nans)| nulls + nans == values) {
        // Bounds are of what can be compared.
        (facts.lower, facts.upper) = (Bound::NoValues, Bound::NoValues);
    }
    if leaf.path.is_none() {
        // Which row an element belongs to is not known, so bounds of elements would say nothing.
        (facts.lower, facts.upper) = (Bound::Unknown, Bound::Unknown);
    }
    facts
}

/// A value of Parquet's statistics as Iceberg has it.
fn datum(bytes: &[u8], statistics: &Statistics, primitive: &PrimitiveType) -> Option<Datum> {
    let is_decimal = matches!(primitive, PrimitiveType::Decimal { .. });
    let is_number = matches!(statistics, Statistics::Int32(_) | Statistics::Int64(_));
    if is_decimal && is_number {
        // Iceberg's decimals have the greatest byte first, Parquet's numbers the least.
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        return Datum::try_from_bytes(&reversed, primitive.clone()).ok();
    }
    Datum::try_from_bytes(bytes, primitive.clone()).ok()
}

/// Whether values of this type can be NaN.
pub(crate) fn has_nans(primitive: &PrimitiveType) -> bool {
    matches!(primitive, PrimitiveType::Float | PrimitiveType::Double)
}

/// How many values are NaN.
pub(crate) fn count_nans(column: &ArrayRef) -> u64 {
    match column.data_type() {
        DataType::Float32 => {
            count(column.as_primitive::<Float32Type>().values().iter().map(|v| v.is_nan()), column.nulls())
        }
        DataType::Float64 => {
            count(column.as_primitive::<Float64Type>().values().iter().map(|v| v.is_nan()), column.nulls())
        }
        _ => 0,
    }
}

fn count(is_nan: impl Iterator<Item = bool>, nulls: Option<&NullBuffer>) -> u64 {
    let counted = match nulls {
        None => is_nan.filter(|nan| *nan).count(),
        Some(nulls) => is_nan.enumerate().filter(|(row, nan)| *nan && nulls.is_valid(*row)).count(),
    };
    counted as u64
}
