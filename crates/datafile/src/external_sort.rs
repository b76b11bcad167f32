//! Rows by partition, and by the table's sort order within, in bounded memory: sorted runs in temporary files, merged
//! at the end. So ten thousand partitions in one input become one file each, and not thousands of small ones.
//!
//! A row's key is its partition's number and the row format of its sort columns, both such that comparing bytes is
//! comparing rows. Rows with the same key stay in the order in which they came.

mod merge;
mod run;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder, RecordBatch};
use arrow::compute::{SortOptions, interleave, interleave_record_batch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use hosu_host::{Location, Scratch};
use iceberg::spec::{NullOrder, SortDirection, Transform};

use crate::budget::{Budget, Reservation};
use crate::columns::{Path, batch_bytes, column_at, path_of};
use crate::error::{self, DataFileError};
use crate::route::PartitionId;
use crate::target::WriteTarget;
use crate::transform;
use merge::Merge;
use run::Run;

/// Runs are read and rows are handed on in pieces of about this size; smaller when memory is small.
const PIECE_BYTES_MAX: usize = 1 << 20;
const PIECE_BYTES_MIN: usize = 16 << 10;
const PIECE_ROWS_MAX: usize = 16 * 1024;

/// What sorting takes for a row, beside the row and its key.
const PLACE_BYTES: usize = size_of::<(u32, u32)>();

/// A merge reads as many runs at a time; what does not fit is merged in several passes.
const FAN_IN_MAX: usize = 64;
const FAN_IN_MIN: usize = 4;

/// Rows in order.
#[derive(Debug)]
pub(crate) struct Sorted {
    pub(crate) batch: RecordBatch,
    /// Which partitions they belong to: so many rows of this one, then so many of that.
    pub(crate) partitions: Vec<(PartitionId, usize)>,
}

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    table: Location,
    scratch: Scratch,
    columns: Vec<SortColumn>,
    converter: Option<RowConverter>,
    buffer: Vec<Keyed>,
    held: Reservation,
    /// What the buffer may hold.
    buffer_bytes: usize,
    memory_bytes: usize,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct SortColumn {
    path: Path,
    transform: Transform,
    options: SortOptions,
}

/// Rows with their keys.
#[derive(Clone, Debug)]
struct Keyed {
    batch: RecordBatch,
    keys: BinaryArray,
}

impl Sorter {
    /// By partition alone, or by the table's sort order within each partition.
    pub(crate) fn new(
        target: &WriteTarget,
        scratch: Scratch,
        budget: &Arc<Budget>,
        by_order: bool,
    ) -> Result<Self, DataFileError> {
        let columns = if by_order { sort_columns(target)? } else { Vec::new() };
        let share = if by_order { 2 } else { 4 };
        Ok(Self {
            table: target.location.clone(),
            scratch,
            columns,
            converter: None,
            buffer: Vec::new(),
            held: budget.hold(0),
            buffer_bytes: budget.limit() / share,
            memory_bytes: budget.limit() / 4,
            runs: Vec::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.runs.is_empty()
    }

    /// What rows take in memory now.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.held.bytes()
    }

    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Takes rows, whose partitions are `ids`. Blocks, as all that follows.
    pub(crate) fn add(&mut self, batch: RecordBatch, ids: &[PartitionId]) -> Result<(), DataFileError> {
        let keys = self.keys(&batch, ids)?;
        self.held.grow(batch_bytes(&batch) + keys.get_buffer_memory_size() + PLACE_BYTES * ids.len());
        self.buffer.push(Keyed { batch, keys });
        if self.held.bytes() > self.buffer_bytes { self.spill() } else { Ok(()) }
    }

    /// Moves what is in memory to a temporary file.
    pub(crate) fn spill(&mut self) -> Result<(), DataFileError> {
        let buffer = std::mem::take(&mut self.buffer);
        let Some(first) = buffer.first() else { return Ok(()) };
        let mut run = run::Writer::new(&self.scratch, first.batch.schema_ref(), &self.table)?;
        for piece in Pieces::new(buffer, self.piece_bytes()) {
            run.write(&piece.map_err(error::rows(&self.table))?)?;
        }
        self.runs.push(run.finish()?);
        self.held.resize(0);
        Ok(())
    }

    /// Hands on all rows in order, until `to` returns false.
    pub(crate) fn drain(mut self, mut to: impl FnMut(Sorted) -> bool) -> Result<(), DataFileError> {
        let fail = error::rows(&self.table);
        if self.runs.is_empty() {
            let piece_bytes = self.piece_bytes();
            for piece in Pieces::new(std::mem::take(&mut self.buffer), piece_bytes) {
                if !to(piece.and_then(Keyed::sorted).map_err(&fail)?) {
                    break;
                }
            }
            return Ok(());
        }
        self.spill()?;
        let fan_in = (self.memory_bytes / self.piece_bytes()).clamp(FAN_IN_MIN, FAN_IN_MAX);
        while self.runs.len() > fan_in {
            // The merged rows came before those of all other runs, so their run is the first again.
            let runs: Vec<Run> = self.runs.drain(..fan_in).collect();
            let merged = self.merge_to_run(runs)?;
            self.runs.insert(0, merged);
        }
        self.held.resize(self.runs.len() * self.piece_bytes());
        for piece in Merge::new(std::mem::take(&mut self.runs), self.piece_bytes(), &self.table)? {
            if !to(piece?.sorted().map_err(&fail)?) {
                break;
            }
        }
        Ok(())
    }

    fn merge_to_run(&mut self, runs: Vec<Run>) -> Result<Run, DataFileError> {
        self.held.resize(runs.len() * self.piece_bytes());
        let mut writer = None;
        for piece in Merge::new(runs, self.piece_bytes(), &self.table)? {
            let piece = piece?;
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(run::Writer::new(&self.scratch, piece.batch.schema_ref(), &self.table)?),
            };
            writer.write(&piece)?;
        }
        match writer {
            Some(writer) => writer.finish(),
            None => Err(error::rows(&self.table)(ArrowError::ComputeError("runs without rows".to_owned()))),
        }
    }

    fn piece_bytes(&self) -> usize {
        (self.memory_bytes / FAN_IN_MAX).clamp(PIECE_BYTES_MIN, PIECE_BYTES_MAX)
    }

    fn keys(&mut self, batch: &RecordBatch, ids: &[PartitionId]) -> Result<BinaryArray, DataFileError> {
        let fail = error::rows(&self.table);
        let mut keys = BinaryBuilder::with_capacity(ids.len(), 8 * ids.len());
        if self.columns.is_empty() {
            ids.iter().for_each(|id| keys.append_value(id.to_be_bytes()));
            return Ok(keys.finish());
        }
        let values = self.columns.iter().map(|column| {
            let values = column_at(batch, &column.path).map_err(&fail)?;
            transform::apply(column.transform, &values).map_err(|reason| DataFileError::Table {
                table: self.table.clone(),
                reason: format!("rows cannot be sorted: {reason}"),
            })
        });
        let values = values.collect::<Result<Vec<ArrayRef>, DataFileError>>()?;
        let converter = match &mut self.converter {
            Some(converter) => converter,
            none => {
                let fields = values.iter().zip(&self.columns).map(|(values, column)| {
                    SortField::new_with_options(values.data_type().clone(), column.options)
                });
                none.insert(RowConverter::new(fields.collect()).map_err(&fail)?)
            }
        };
        let rows = converter.convert_columns(&values).map_err(&fail)?;
        let mut key = Vec::new();
        for (id, row) in ids.iter().zip(&rows) {
            key.clear();
            key.extend_from_slice(&id.to_be_bytes());
            key.extend_from_slice(row.data());
            keys.append_value(&key);
        }
        Ok(keys.finish())
    }
}

impl Keyed {
    /// The partitions, read off the keys.
    fn sorted(self) -> Result<Sorted, ArrowError> {
        let mut partitions: Vec<(PartitionId, usize)> = Vec::new();
        for key in self.keys.iter() {
            let id = key.and_then(|key| key.first_chunk()).map(|id| PartitionId::from_be_bytes(*id));
            let id = id.ok_or_else(|| ArrowError::ComputeError("a row lost its key".to_owned()))?;
            match partitions.last_mut() {
                Some((same, rows)) if *same == id => *rows += 1,
                _ => partitions.push((id, 1)),
            }
        }
        Ok(Sorted { batch: self.batch, partitions })
    }
}

fn sort_columns(target: &WriteTarget) -> Result<Vec<SortColumn>, DataFileError> {
    let fields = target.sort_order.fields.iter().filter(|field| field.transform != Transform::Void);
    let columns = fields.map(|field| {
        let path = path_of(&target.schema, field.source_id).ok_or_else(|| DataFileError::Table {
            table: target.location.clone(),
            reason: format!("column {} of its sort order does not exist", field.source_id),
        })?;
        let options = SortOptions {
            descending: field.direction == SortDirection::Descending,
            nulls_first: field.null_order == NullOrder::First,
        };
        Ok(SortColumn { path, transform: field.transform, options })
    });
    columns.collect()
}

/// What lies in memory, in order and piece by piece, so that it is never there twice.
struct Pieces {
    batches: Vec<RecordBatch>,
    keys: Vec<ArrayRef>,
    order: std::vec::IntoIter<(u32, u32)>,
    rows: usize,
}

impl Pieces {
    fn new(buffer: Vec<Keyed>, piece_bytes: usize) -> Self {
        let bytes: usize = buffer.iter().map(|keyed| batch_bytes(&keyed.batch)).sum();
        let rows: usize = buffer.iter().map(|keyed| keyed.batch.num_rows()).sum();
        let order = (0_u32..)
            .zip(&buffer)
            .flat_map(|(place, keyed)| (0_u32..).take(keyed.batch.num_rows()).map(move |row| (place, row)));
        let mut order: Vec<(u32, u32)> = order.collect();
        let key = |(place, row): &(u32, u32)| {
            buffer.get(*place as usize).map(|keyed| keyed.keys.value(*row as usize))
        };
        order.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.cmp(b)));
        let row_bytes = bytes.checked_div(rows).unwrap_or_default().max(1);
        let (batches, keys) =
            buffer.into_iter().map(|keyed| (keyed.batch, Arc::new(keyed.keys) as ArrayRef)).unzip();
        Self {
            batches,
            keys,
            order: order.into_iter(),
            rows: (piece_bytes / row_bytes).clamp(1, PIECE_ROWS_MAX),
        }
    }
}

impl Iterator for Pieces {
    type Item = Result<Keyed, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices: Vec<(usize, usize)> =
            self.order.by_ref().take(self.rows).map(|(place, row)| (place as usize, row as usize)).collect();
        (!indices.is_empty()).then(|| gather(&self.batches, &self.keys, &indices))
    }
}

/// Rows picked from several batches.
fn gather(
    batches: &[RecordBatch],
    keys: &[ArrayRef],
    indices: &[(usize, usize)],
) -> Result<Keyed, ArrowError> {
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    let keys: Vec<&dyn Array> = keys.iter().map(AsRef::as_ref).collect();
    let batch = interleave_record_batch(&batches, indices)?;
    let keys = interleave(&keys, indices)?;
    Ok(Keyed { batch, keys: BinaryArray::from(keys.to_data()) })
}

#[cfg(test)]
mod tests;
