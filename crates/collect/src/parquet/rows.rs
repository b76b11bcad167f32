//! Rows of a Parquet file on their way to a core that decodes them.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::columns::Column;
use super::render;

/// Some rows, as they are stored.
#[derive(Clone)]
pub struct Rows {
    batch: RecordBatch,
    columns: Arc<[Column]>,
    /// The longest record, as JSON.
    record_bytes_max: usize,
}

impl Rows {
    /// Rows of these columns; none when they are not of their kinds.
    pub(super) fn new(batch: RecordBatch, columns: Arc<[Column]>, record_bytes_max: usize) -> Option<Self> {
        render::Rows::new(&columns, batch.columns())?;
        Some(Self { batch, columns, record_bytes_max })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The longest record that a row may be, as JSON.
    pub fn record_bytes_max(&self) -> usize {
        self.record_bytes_max
    }

    /// Each row as the JSON object that it is, until `take` says no: then the number of rows that were taken.
    pub fn each(&self, mut take: impl FnMut(usize, &[u8]) -> bool) -> usize {
        // That they are of their kinds was looked at when they were read.
        let Some(rows) = render::Rows::new(&self.columns, self.batch.columns()) else { return self.len() };
        let mut record = Vec::new();
        for row in 0..self.len() {
            record.clear();
            rows.write(row, &mut record);
            if !take(row, &record) {
                return row;
            }
        }
        self.len()
    }

    /// The rows from one of them on.
    #[must_use]
    pub fn rest_from(&self, row: usize) -> Self {
        let row = row.min(self.len());
        Self { batch: self.batch.slice(row, self.len() - row), ..self.clone() }
    }

    /// About how much memory they take.
    pub fn memory_bytes(&self) -> usize {
        self.batch.get_array_memory_size()
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.batch == other.batch && self.columns == other.columns
    }
}

impl Eq for Rows {}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("rows", &self.len()).finish_non_exhaustive()
    }
}
