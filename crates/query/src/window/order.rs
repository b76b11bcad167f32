//! The order of the rows that an operator holds: numbers first, and where they are equal, the values.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalSortExpr;

use super::keys::{is_whole, numbers};

/// Where a row is: its batch, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

impl Place {
    /// Nowhere.
    pub const NONE: Self = Self(u64::MAX);

    /// Of a row of a batch; both have less than 2^32.
    pub fn new(batch: usize, row: usize) -> Self {
        Self((batch as u64) << 32 | row as u64)
    }

    /// As it was in [`Place::bits`].
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// In a table beside other numbers.
    pub fn bits(self) -> u64 {
        self.0
    }

    pub fn batch(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub fn row(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }
}

/// The values of a batch that decide its order.
pub(super) fn order_columns(order: &[PhysicalSortExpr], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    order.iter().map(|by| by.expr.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Appends the numbers of a batch: of its first column, where it has one.
pub(super) fn first_numbers(
    columns: &[ArrayRef],
    order: &[PhysicalSortExpr],
    rows: usize,
    into: &mut Vec<u64>,
) {
    match (columns.first(), order.first()) {
        (Some(column), Some(by)) => numbers(column, by.options, into),
        _ => into.extend(std::iter::repeat_n(0, rows)),
    }
}

/// What decides between rows with equal numbers.
pub(super) enum Ties {
    /// The number is all; only a null may share it with a value.
    Nulls { options: SortOptions, columns: Vec<ArrayRef>, any: bool },
    /// All values in a form that is compared byte by byte.
    Rows { converter: RowConverter, rows: Rows },
    /// There is no order.
    None,
}

impl Ties {
    pub fn try_new(order: &[PhysicalSortExpr], schema: &Schema) -> Result<Self> {
        let fields =
            order.iter().map(|by| Ok(SortField::new_with_options(by.expr.data_type(schema)?, by.options)));
        let fields = fields.collect::<Result<Vec<_>>>()?;
        match (order, fields.as_slice()) {
            ([], _) => Ok(Self::None),
            ([by], _) if is_whole(&by.expr.data_type(schema)?) => {
                Ok(Self::Nulls { options: by.options, columns: Vec::new(), any: false })
            }
            _ => {
                let converter = RowConverter::new(fields)?;
                let rows = converter.empty_rows(0, 0);
                Ok(Self::Rows { converter, rows })
            }
        }
    }

    /// Takes in the next batch.
    pub fn add(&mut self, batch: &[ArrayRef]) -> Result<()> {
        match self {
            Self::Nulls { columns, any, .. } => {
                *any |= batch.iter().any(|column| column.null_count() > 0);
                columns.extend(batch.iter().cloned());
            }
            Self::Rows { converter, rows } => converter.append(rows, batch)?,
            Self::None => {}
        }
        Ok(())
    }

    /// Whether equal numbers always mean equal values.
    pub fn never(&self) -> bool {
        match self {
            Self::Nulls { any, .. } => !any,
            Self::Rows { .. } => false,
            Self::None => true,
        }
    }

    /// How two rows with the same number compare; `number_of` gives a row's number among all rows.
    pub fn compare(&self, a: Place, b: Place, number_of: impl Fn(Place) -> usize) -> Ordering {
        match self {
            Self::Nulls { options, columns, any: true } => {
                let is_null = |place: Place| columns[place.batch()].is_null(place.row());
                let order = is_null(a).cmp(&is_null(b));
                if options.nulls_first { order.reverse() } else { order }
            }
            Self::Rows { rows, .. } => rows.row(number_of(a)).cmp(&rows.row(number_of(b))),
            Self::Nulls { .. } | Self::None => Ordering::Equal,
        }
    }

    /// The bytes that it holds beside the batches.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Rows { rows, .. } => rows.size(),
            Self::Nulls { .. } | Self::None => 0,
        }
    }
}
