//! Rows wait in front of an open file until there are enough of them to be encoded together.

use arrow::compute::concat_batches;
use arrow::error::ArrowError;

use crate::budget::Reservation;
use crate::open_file::OpenFile;
use crate::selection::Selection;

/// So many small batches in a row become one: a batch of one row takes many times the memory of the row.
const SMALL_BATCHES: usize = 64;
const SMALL_BATCH_ROWS: usize = 64;

/// An open file and the rows that wait for it.
#[derive(Debug)]
pub(crate) struct Filling {
    pub(crate) file: OpenFile,
    pending: Vec<Selection>,
    pub(crate) pending_rows: usize,
    /// The rows of the last batch that was routed.
    fresh_rows: usize,
    /// As how many rows those count that others got since it got its last, and most of them between two of its own.
    rest_weight: u64,
    rest_weight_max: u64,
    /// How many of the last batches are small, and were not made one yet.
    small_batches: usize,
    pub(crate) held: Reservation,
}

impl Filling {
    /// A file that no rows wait for.
    pub(crate) fn new(file: OpenFile, held: Reservation) -> Self {
        Self {
            file,
            pending: Vec::new(),
            pending_rows: 0,
            fresh_rows: 0,
            rest_weight: 0,
            rest_weight_max: 0,
            small_batches: 0,
            held,
        }
    }

    /// What it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.held.bytes() + self.file.memory_bytes()
    }

    /// Lets rows wait.
    pub(crate) fn add(&mut self, rows: Selection) -> Result<(), ArrowError> {
        let is_small = rows.num_rows() < SMALL_BATCH_ROWS;
        if !is_small {
            self.gather()?;
        }
        self.held.grow(rows.memory_bytes());
        self.pending_rows += rows.num_rows();
        self.fresh_rows += rows.num_rows();
        self.pending.push(rows);
        self.small_batches += usize::from(is_small);
        if self.small_batches == SMALL_BATCHES { self.gather() } else { Ok(()) }
    }

    /// Makes one of the small batches that came last.
    fn gather(&mut self) -> Result<(), ArrowError> {
        let count = std::mem::take(&mut self.small_batches);
        let small = self.pending.split_off(self.pending.len().saturating_sub(count));
        let Some(schema) = small.first().map(|rows| rows.batch().schema()) else { return Ok(()) };
        let before: usize = small.iter().map(Selection::memory_bytes).sum();
        let small = small.iter().map(Selection::to_batch).collect::<Result<Vec<_>, _>>()?;
        let one = Selection::from(concat_batches(&schema, &small)?);
        self.held.resize(self.held.bytes().saturating_sub(before) + one.memory_bytes());
        self.pending.push(one);
        Ok(())
    }

    /// A batch was routed, whose rows count as so many: how many it got of them.
    pub(crate) fn rest(&mut self, weight: u64) -> usize {
        let fresh_rows = std::mem::take(&mut self.fresh_rows);
        if fresh_rows > 0 {
            self.rest_weight_max = self.rest_weight_max.max(self.rest_weight);
            self.rest_weight = 0;
        } else {
            self.rest_weight += weight;
        }
        fresh_rows
    }

    /// Whether others got rows of at least this weight since it got its last, and `times` as many as ever before.
    pub(crate) fn rests_for(&self, weight: u64, times: u64) -> bool {
        self.rest_weight >= weight.max(self.rest_weight_max.saturating_mul(times))
    }

    /// Hands the waiting rows to the encoder. False if that has failed.
    pub(crate) async fn send(&mut self) -> bool {
        if self.pending.is_empty() {
            return true;
        }
        let held = self.held.split();
        (self.pending_rows, self.small_batches) = (0, 0);
        self.file.write(std::mem::take(&mut self.pending), held).await
    }
}
