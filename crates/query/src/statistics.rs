//! What the optimizer is told of files and tables: rows, sizes, bounds.
//!
//! The two are used for different things. A file's statistics prune it when a join or a TopK has learned a
//! bound, and stand for a column that has but one value in it; Iceberg's bounds are good enough for both. A
//! table's statistics answer `count(*)` and `min(c)` without a scan where they are exact, so a bound that may
//! be wider than the values is only an estimate there.

use std::cmp::Ordering;

use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use iceberg::spec::{PrimitiveType, Schema};

use crate::prune::{FileContainer, Known, Leaves};

/// A file's statistics, in the order of the table's columns.
pub(crate) fn of_file(file: &FileContainer<'_>, schema: &Schema, leaves: &Leaves) -> Statistics {
    let columns = schema.as_struct().fields().iter().map(|column| match leaves.get(&column.name) {
        Some(leaf) if leaf.is_top => {
            let known = file.measured(leaf);
            let is_one_text = known.min == known.max && known.max.as_ref().is_some_and(may_be_cut);
            let max = exact(known.max);
            ColumnStatistics {
                null_count: exact(known.nulls.and_then(|nulls| usize::try_from(nulls).ok())),
                min_value: exact(known.min),
                max_value: if is_one_text && file.constant(leaf).is_none() { max.to_inexact() } else { max },
                ..ColumnStatistics::new_unknown()
            }
        }
        _ => ColumnStatistics::new_unknown(),
    });
    Statistics {
        num_rows: exact(usize::try_from(file.file.record_count()).ok()),
        total_byte_size: Precision::Inexact(
            usize::try_from(file.file.file_size_in_bytes()).unwrap_or(usize::MAX),
        ),
        column_statistics: columns.collect(),
    }
}

/// Whether a bound may be the start of a longer value. Some writers cut the upper bound without making it
/// greater; taken for the only value of its column, it would stand in the result.
fn may_be_cut(bound: &ScalarValue) -> bool {
    const CUT_AT: usize = 16;
    match bound {
        ScalarValue::Utf8(Some(text)) => text.chars().count() >= CUT_AT,
        ScalarValue::Binary(Some(bytes)) => bytes.len() >= CUT_AT,
        _ => false,
    }
}

/// The statistics of all files that are read.
pub(crate) fn of_table(files: &[FileContainer<'_>], schema: &Schema, leaves: &Leaves) -> Statistics {
    let rows: u64 = files.iter().map(|file| file.file.record_count()).sum();
    let bytes: u64 = files.iter().map(|file| file.file.file_size_in_bytes()).sum();
    let columns = schema.as_struct().fields().iter().map(|column| match leaves.get(&column.name) {
        Some(leaf) if leaf.is_top => {
            let known = files.iter().map(|file| (file.measured(leaf), file.file.record_count()));
            of_column(known, has_tight_bounds(&leaf.primitive))
        }
        _ => ColumnStatistics::new_unknown(),
    });
    Statistics {
        num_rows: exact(usize::try_from(rows).ok()),
        total_byte_size: Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX)),
        column_statistics: columns.collect(),
    }
}

fn of_column(files: impl Iterator<Item = (Known, u64)>, tight: bool) -> ColumnStatistics {
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
    ColumnStatistics {
        null_count: exact(nulls.and_then(|nulls| usize::try_from(nulls).ok())),
        min_value: bound(min),
        max_value: bound(max),
        ..ColumnStatistics::new_unknown()
    }
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

fn exact<T: std::fmt::Debug + Clone + PartialEq + Eq + PartialOrd>(value: Option<T>) -> Precision<T> {
    value.map_or(Precision::Absent, Precision::Exact)
}
