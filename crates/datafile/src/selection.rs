//! Some rows of a batch, without a copy of them.
//!
//! Of events in the order of their time nearly all rows of a batch belong to one day. They are encoded from the batch as it
//! was decoded, by their numbers; only where a few rows would keep a whole batch in memory they are copied.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::error::ArrowError;

use crate::columns::batch_bytes;

/// Rows of a batch stay in it if there are at least as many others times this.
const COPIED_SHARE: usize = 2;

/// Some rows of a batch, or all of them.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    batch: RecordBatch,
    batch_bytes: usize,
    /// The numbers of the rows; none when all are selected.
    listed: Option<Listed>,
}

/// A part of a list of rows.
#[derive(Clone, Debug)]
struct Listed {
    rows: Arc<[u32]>,
    part: Range<usize>,
}

impl Listed {
    fn rows(&self) -> &[u32] {
        self.rows.get(self.part.clone()).unwrap_or_default()
    }
}

impl From<RecordBatch> for Selection {
    fn from(batch: RecordBatch) -> Self {
        Self { batch_bytes: batch_bytes(&batch), batch, listed: None }
    }
}

impl Selection {
    /// These rows of the batch, of which all were selected so far.
    ///
    /// # Errors
    /// When the batch has not all of them.
    pub(crate) fn rows(&self, rows: Vec<u32>) -> Result<Self, ArrowError> {
        if rows.len() == self.batch.num_rows() {
            return Ok(self.clone());
        }
        if rows.len() < self.batch.num_rows().div_ceil(COPIED_SHARE) {
            return Ok(take_record_batch(&self.batch, &UInt32Array::from(rows))?.into());
        }
        let part = 0..rows.len();
        Ok(Self { listed: Some(Listed { rows: rows.into(), part }), ..self.clone() })
    }

    /// How many rows are selected.
    pub(crate) fn num_rows(&self) -> usize {
        self.listed.as_ref().map_or(self.batch.num_rows(), |listed| listed.part.len())
    }

    /// The batch that they are rows of.
    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// The numbers of the rows in the batch; none when all are selected.
    pub(crate) fn listed(&self) -> Option<&[u32]> {
        self.listed.as_ref().map(Listed::rows)
    }

    /// What is in memory because of them.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.batch_bytes + self.listed.as_ref().map_or(0, |listed| size_of_val(listed.rows()))
    }

    /// About what they would take if they were copied.
    pub(crate) fn bytes(&self) -> usize {
        match &self.listed {
            Some(listed) => self.batch_bytes / self.batch.num_rows().max(1) * listed.part.len(),
            None => self.batch_bytes,
        }
    }

    /// Up to `length` of the rows from the one at `start` on.
    pub(crate) fn slice(&self, start: usize, length: usize) -> Self {
        let length = length.min(self.num_rows().saturating_sub(start));
        match &self.listed {
            _ if length == self.num_rows() => self.clone(),
            None => self.batch.slice(start, length).into(),
            Some(Listed { rows, part }) => {
                let start = part.start + start;
                let listed = Listed { rows: rows.clone(), part: start..start + length };
                Self { listed: Some(listed), ..self.clone() }
            }
        }
    }

    /// The rows as a batch of their own.
    pub(crate) fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        match self.listed() {
            None => Ok(self.batch.clone()),
            Some(rows) => take_record_batch(&self.batch, &UInt32Array::from(rows.to_vec())),
        }
    }

    /// The selected values of a column of the batch.
    pub(crate) fn of_column(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match self.listed() {
            None => Ok(column.clone()),
            Some(rows) => take(&column, &UInt32Array::from(rows.to_vec()), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    fn numbers(selection: &Selection) -> Vec<i64> {
        let batch = selection.to_batch().unwrap();
        let column = selection.of_column(selection.batch().column(0)).unwrap();
        assert_eq!(column.as_ref(), batch.column(0).as_ref());
        assert_eq!(selection.num_rows(), batch.num_rows());
        batch.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn rows_are_those_that_were_listed() {
        let batch = batch(10);
        for rows in [vec![], vec![3], vec![1, 2, 3, 5, 8, 9], (0..10).collect()] {
            let selection = Selection::from(batch.clone()).rows(rows.clone()).unwrap();
            let expected: Vec<i64> = rows.iter().map(|row| i64::from(*row)).collect();
            assert_eq!(numbers(&selection), expected);
            for start in 0..rows.len() {
                let end = rows.len().min(start + 3);
                assert_eq!(numbers(&selection.slice(start, 3)), expected[start..end]);
                let inner = selection.slice(start, 5).slice(1, 2);
                let inner_end = rows.len().min(start + 3);
                assert_eq!(numbers(&inner), expected[(start + 1).min(inner_end)..inner_end]);
            }
        }
    }

    #[test]
    fn few_rows_do_not_keep_a_batch() {
        let batch = batch(10_000);
        let few = Selection::from(batch.clone()).rows((0..4_999).collect()).unwrap();
        assert_eq!(few.listed(), None);
        assert!(few.memory_bytes() < batch_bytes(&batch));
        let many = Selection::from(batch.clone()).rows((0..5_000).collect()).unwrap();
        assert_eq!(many.listed().unwrap().len(), 5_000);
        assert!(many.memory_bytes() > batch_bytes(&batch));
        assert!(many.bytes() < batch_bytes(&batch));
    }
}
