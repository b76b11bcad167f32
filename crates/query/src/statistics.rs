//! What the optimizer is told of files and tables: rows, sizes, bounds.
//!
//! The two are used for different things. A file's statistics prune it when a join or a TopK has learned a
//! bound, and stand for a column that has but one value in it; Iceberg's bounds are good enough for both. A
//! table's statistics answer `count(*)` and `min(c)` without a scan where they are exact, so a bound that may
//! be wider than the values is only an estimate there.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema as ArrowSchema;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use iceberg::spec::PrimitiveType;

use crate::prune::{FileContainer, Known, Leaf, Leaves};

/// The statistics of some files, alone and together.
pub(crate) struct Described {
    /// Of each file.
    pub files: Vec<Arc<Statistics>>,
    /// Of all.
    pub all: Statistics,
}

/// Describes the columns of `schema`, which are those that a scan reads.
pub(crate) fn describe(files: &[FileContainer<'_>], schema: &ArrowSchema, leaves: &Leaves) -> Described {
    let mut each: Vec<Statistics> = files.iter().map(|file| unknown(rows_of(file), bytes_of(file))).collect();
    let rows = files.iter().map(rows_of).sum();
    let mut all = unknown(rows, files.iter().map(bytes_of).sum());
    for field in schema.fields() {
        let Some(leaf) = leaves.get(field.name()).filter(|leaf| leaf.is_top) else {
            each.iter_mut().for_each(|file| file.column_statistics.push(ColumnStatistics::new_unknown()));
            all.column_statistics.push(ColumnStatistics::new_unknown());
            continue;
        };
        let known: Vec<Known> = files.iter().map(|file| file.measured(leaf)).collect();
        for ((statistics, file), known) in each.iter_mut().zip(files).zip(&known) {
            statistics.column_statistics.push(of_file(file, leaf, known.clone()));
        }
        let known = known.into_iter().zip(files.iter().map(|file| file.file.record_count()));
        all.column_statistics.push(of_all(known, has_tight_bounds(&leaf.primitive)));
    }
    Described { files: each.into_iter().map(Arc::new).collect(), all }
}

fn rows_of(file: &FileContainer<'_>) -> u64 {
    file.file.record_count()
}

fn bytes_of(file: &FileContainer<'_>) -> u64 {
    file.file.file_size_in_bytes()
}

fn unknown(rows: u64, bytes: u64) -> Statistics {
    Statistics {
        num_rows: count(Some(rows)),
        total_byte_size: count(Some(bytes)).to_inexact(),
        column_statistics: Vec::new(),
    }
}

fn of_file(file: &FileContainer<'_>, leaf: &Leaf, known: Known) -> ColumnStatistics {
    let is_one_text = known.min == known.max && known.max.as_ref().is_some_and(may_be_cut);
    let max = exact(known.max);
    ColumnStatistics {
        null_count: count(known.nulls),
        min_value: exact(known.min),
        max_value: if is_one_text && file.constant(leaf).is_none() { max.to_inexact() } else { max },
        ..ColumnStatistics::new_unknown()
    }
}

/// Whether a bound may be the start of a longer value. Some writers cut the upper bound without making it
/// greater; taken for the only value of its column, it would stand in the result.
fn may_be_cut(bound: &ScalarValue) -> bool {
    const CUT_AT: usize = 16;
    match bound {
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => text.chars().count() >= CUT_AT,
        ScalarValue::Binary(Some(bytes)) => bytes.len() >= CUT_AT,
        _ => false,
    }
}

fn of_all(files: impl Iterator<Item = (Known, u64)>, tight: bool) -> ColumnStatistics {
    let (mut nulls, mut min, mut max) = (Some(0_u64), Bound::default(), Bound::default());
    for (known, rows) in files {
        nulls = nulls.zip(known.nulls).map(|(sum, nulls)| sum + nulls);
        if known.nulls == Some(rows) {
            continue;
        }
        min.add(known.min, Ordering::Less);
        max.add(known.max, Ordering::Greater);
    }
    let bound = |bound: Bound| match bound {
        Bound::Known(value) if tight => Precision::Exact(value),
        Bound::Known(value) => Precision::Inexact(value),
        Bound::None | Bound::Unknown => Precision::Absent,
    };
    if spans_all_integers(&min, &max) {
        return ColumnStatistics { null_count: count(nulls), ..ColumnStatistics::new_unknown() };
    }
    ColumnStatistics {
        null_count: count(nulls),
        min_value: bound(min),
        max_value: bound(max),
        ..ColumnStatistics::new_unknown()
    }
}

/// DataFusion counts the integers between two bounds in 64 bits, and so that all of them are none.
fn spans_all_integers(min: &Bound, max: &Bound) -> bool {
    let (Bound::Known(min), Bound::Known(max)) = (min, max) else { return false };
    max.distance(min).is_some_and(|distance| distance as u64 == u64::MAX)
}

/// The least or greatest of some values.
#[derive(Default)]
enum Bound {
    /// There was no value.
    #[default]
    None,
    Known(ScalarValue),
    /// One of them is not known.
    Unknown,
}

impl Bound {
    fn add(&mut self, value: Option<ScalarValue>, wanted: Ordering) {
        *self = match (std::mem::take(self), value) {
            (Self::Unknown, _) | (_, None) => Self::Unknown,
            (Self::None, Some(value)) => Self::Known(value),
            (Self::Known(best), Some(value)) => match value.partial_cmp(&best) {
                Some(order) => Self::Known(if order == wanted { value } else { best }),
                None => Self::Unknown,
            },
        };
    }
}

/// Whether everyone writes the very least and greatest value as bounds. Texts are cut short, of numbers with a
/// fraction some are left out, and tables that were converted from other formats have times in milliseconds.
fn has_tight_bounds(column_type: &PrimitiveType) -> bool {
    matches!(
        column_type,
        PrimitiveType::Boolean
            | PrimitiveType::Int
            | PrimitiveType::Long
            | PrimitiveType::Date
            | PrimitiveType::Decimal { .. }
    )
}

fn exact(value: Option<ScalarValue>) -> Precision<ScalarValue> {
    value.map_or(Precision::Absent, Precision::Exact)
}

fn count(value: Option<u64>) -> Precision<usize> {
    value.and_then(|value| usize::try_from(value).ok()).map_or(Precision::Absent, Precision::Exact)
}
