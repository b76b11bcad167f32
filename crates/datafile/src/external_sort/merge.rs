//! Several sorted runs read as one. Of each only one piece is in memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, RecordBatch};
use hosu_host::Location;

use super::run::{Reader, Run, failed};
use super::{Keyed, PIECE_ROWS_MAX, gather};
use crate::columns::batch_bytes;
use crate::error::DataFileError;

/// Rows of all runs in order.
pub(super) struct Merge {
    table: Location,
    /// How large the pieces are that rows are handed on in, about.
    piece_bytes: usize,
    readers: Vec<Reader>,
    heap: BinaryHeap<Head>,
    batches: Vec<RecordBatch>,
    keys: Vec<ArrayRef>,
}

/// The next row of a run. The greatest is that which comes first, because the heap gives the greatest.
struct Head {
    keys: BinaryArray,
    row: usize,
    /// What a row of its piece takes on the average.
    row_bytes: usize,
    run: usize,
    /// Where its piece is among those that rows are gathered from.
    place: usize,
}

impl Merge {
    pub(super) fn new(runs: Vec<Run>, piece_bytes: usize, table: &Location) -> Result<Self, DataFileError> {
        let readers: Vec<Reader> = runs.into_iter().map(|run| run.read(table)).collect::<Result<_, _>>()?;
        let mut merge = Self {
            table: table.clone(),
            piece_bytes,
            heap: BinaryHeap::with_capacity(readers.len()),
            readers,
            batches: Vec::new(),
            keys: Vec::new(),
        };
        for run in 0..merge.readers.len() {
            if let Some(head) = merge.read(run)? {
                merge.heap.push(head);
            }
        }
        Ok(merge)
    }

    /// The first row of a run's next piece.
    fn read(&mut self, run: usize) -> Result<Option<Head>, DataFileError> {
        let Some(reader) = self.readers.get_mut(run) else { return Ok(None) };
        for piece in reader {
            let Keyed { batch, keys } = piece.map_err(failed(&self.table))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let row_bytes = batch_bytes(&batch) / batch.num_rows();
            self.batches.push(batch);
            self.keys.push(Arc::new(keys.clone()));
            return Ok(Some(Head { keys, row: 0, row_bytes, run, place: self.batches.len() - 1 }));
        }
        Ok(None)
    }

    /// The next rows: until there are enough, or too many pieces are held for them.
    fn piece(&mut self) -> Result<Option<Keyed>, DataFileError> {
        self.forget();
        let pieces_max = 2 * self.heap.len() + 1;
        let (mut indices, mut bytes) = (Vec::new(), 0);
        while indices.len() < PIECE_ROWS_MAX && bytes < self.piece_bytes && self.batches.len() <= pieces_max {
            let Some(mut head) = self.heap.peek_mut() else { break };
            bytes += head.row_bytes;
            indices.push((head.place, head.row));
            if head.row + 1 < head.keys.len() {
                head.row += 1;
                continue;
            }
            let run = PeekMut::pop(head).run;
            if let Some(next) = self.read(run)? {
                self.heap.push(next);
            }
        }
        if indices.is_empty() {
            return Ok(None);
        }
        gather(&self.batches, &self.keys, &indices).map(Some).map_err(failed(&self.table))
    }

    /// Lets go of pieces that were used up.
    fn forget(&mut self) {
        let mut heads = std::mem::take(&mut self.heap).into_vec();
        let (batches, keys) = (std::mem::take(&mut self.batches), std::mem::take(&mut self.keys));
        for head in &mut heads {
            if let Some((batch, keys)) = batches.get(head.place).zip(keys.get(head.place)) {
                head.place = self.batches.len();
                self.batches.push(batch.clone());
                self.keys.push(keys.clone());
            }
        }
        self.heap = heads.into();
    }
}

impl Iterator for Merge {
    type Item = Result<Keyed, DataFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece().transpose()
    }
}

impl Head {
    fn key(&self) -> &[u8] {
        self.keys.value(self.row)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        // Runs are numbered in the order in which their rows came.
        self.key().cmp(other.key()).then(self.run.cmp(&other.run)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
