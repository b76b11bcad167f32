//! Parquet as a source: its rows become JSON records, each exact, with the place of its row.
//!
//! Whatever is true of JSON (what fits a column, what is rescued, contracts, raw records, how a table grows) is so true of
//! Parquet, too. Only the types of new columns come from the file's schema instead of from values.
//!
//! A Parquet file is read from its end and in pieces, so it must be there as a file; what comes as a stream or from a store is
//! written to a scratch file first. Its stored bytes go by the source's watch beside that, from start to end, as those
//! of any source. Nothing that the file says of itself is believed before it was looked at ([`thrift`], [`bytes`]), and
//! what Parquet's reader still stumbles over, panics included, is an error of the file.

mod bytes;
mod cast;
mod columns;
mod render;
mod rows;
mod thrift;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::datatypes::Schema as ArrowSchema;
use iceberg::spec::NestedFieldRef;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy, RowGroupMetaData,
};

use crate::frame::{Chunk, Chunks, Records};
use bytes::Stored;
use columns::Column;
pub use rows::{Landed, Rows};

/// What a Parquet file begins and ends with.
pub const MAGIC: &[u8] = b"PAR1";

/// The same of a file whose footer is encrypted.
const MAGIC_ENCRYPTED: &[u8] = b"PARE";

/// The length of the footer and the magic number behind it.
const TAIL_BYTES: u64 = 8;

/// More rows than this are not read at a time, however small they are.
const BATCH_ROWS_MAX: usize = 8 << 10;

/// What a number takes once it is read, and what a text takes beside its bytes.
const NUMBER_BYTES: u64 = 8;
const TEXT_BYTES: u64 = 16;

/// Why a file cannot be read as Parquet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", in_row_group(*row_group))]
pub struct Broken {
    /// The row group, from 0; none when it is the file as a whole.
    pub row_group: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

fn in_row_group(row_group: Option<usize>) -> String {
    row_group.map_or_else(String::new, |at| format!("row group {at}: "))
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::new(io::ErrorKind::InvalidData, broken)
    }
}

/// How a file is cut into chunks.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// About how much memory the rows of a chunk take.
    pub chunk_bytes: usize,
    /// The longest record, as JSON.
    pub record_bytes_max: usize,
    /// The largest page that is read.
    pub page_bytes_max: u64,
}

/// Reads the rows of a file.
pub struct Parquet {
    stored: Stored,
    metadata: ArrowReaderMetadata,
    columns: Arc<[Column]>,
    limits: Limits,
    /// The file's bytes from start to end, to be counted and hashed.
    passing: Box<dyn Read + Send>,
    passed_bytes: u64,
    /// The row group that is next,
    row_group: usize,
    /// and the one that is read.
    reading: Option<Reading>,
    rows_done: u64,
}

/// A row group that is read.
struct Reading {
    at: usize,
    byte_offset: u64,
    reader: ParquetRecordBatchReader,
    rows_left: u64,
}

impl Parquet {
    /// Opens a file of so many bytes. `passing` has them once more, from start to end.
    ///
    /// # Errors
    /// [`Broken`] when it has no footer that can be read.
    pub fn open(
        file: Arc<File>,
        size_bytes: u64,
        passing: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<Self, Broken> {
        let stored = Stored::new(file, size_bytes, limits.page_bytes_max);
        let whole = |reason| Broken { row_group: None, reason };
        let read = |at, length| stored.read(at, length).map_err(|error| error.to_string());
        let footer = footer(size_bytes, limits.page_bytes_max, read).map_err(whole)?;
        let (metadata, columns) = guarded(|| schema(&footer)).map_err(whole)?;
        Ok(Self {
            stored,
            metadata,
            columns: columns.into(),
            limits,
            passing,
            passed_bytes: 0,
            row_group: 0,
            reading: None,
            rows_done: 0,
        })
    }

    /// The columns that its rows need in a table, ids left open.
    pub fn fields(&self) -> Vec<NestedFieldRef> {
        columns::table_fields(&self.columns)
    }

    fn next_rows(&mut self) -> Result<Option<Chunk>, Broken> {
        loop {
            let Some(mut reading) = self.reading.take() else {
                if self.row_group >= self.metadata.metadata().num_row_groups() {
                    return Ok(None);
                }
                self.reading = Some(self.open_row_group(self.row_group)?);
                self.row_group += 1;
                continue;
            };
            let broken = |reason| Broken { row_group: Some(reading.at), reason };
            let batch = guarded(|| reading.reader.next().transpose().map_err(ParquetError::from));
            let Some(batch) = batch.map_err(broken)? else {
                match reading.rows_left {
                    0 => continue,
                    missing => return Err(broken(format!("{missing} rows fewer than its footer says"))),
                }
            };
            let rows = batch.num_rows() as u64;
            reading.rows_left = reading
                .rows_left
                .checked_sub(rows)
                .ok_or_else(|| broken("more rows than its footer says".to_owned()))?;
            let rows_before = self.rows_done;
            self.rows_done += rows;
            let rows = Rows::new(batch, self.columns.clone(), self.limits.record_bytes_max)
                .ok_or_else(|| broken("its columns are not those of the footer".to_owned()))?;
            let chunk = Chunk {
                records: Records::Rows(rows),
                ..Chunk::of_lines(Vec::new(), reading.byte_offset, rows_before + 1)
            };
            self.reading = Some(reading);
            return Ok(Some(chunk));
        }
    }

    fn open_row_group(&self, at: usize) -> Result<Reading, Broken> {
        let metadata = self.metadata.metadata().row_group(at);
        let opened = guarded(|| {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
                self.stored.clone(),
                self.metadata.clone(),
            );
            let reader = builder
                .with_row_groups(vec![at])
                .with_batch_size(batch_rows(metadata, self.limits.chunk_bytes))
                .build()?;
            let byte_offset = metadata.columns().iter().map(|column| column.byte_range().0).min();
            let rows_left = u64::try_from(metadata.num_rows())
                .map_err(|_| ParquetError::General("it has less than no rows".to_owned()))?;
            Ok(Reading { at, byte_offset: byte_offset.unwrap_or_default(), reader, rows_left })
        });
        opened.map_err(|reason| Broken { row_group: Some(at), reason })
    }

    /// Lets as much of the stored bytes go by as there was of the rows, or all of them.
    fn pass(&mut self, all: bool) -> io::Result<()> {
        let rows =
            u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default().max(1);
        let share =
            u128::from(self.stored.size_bytes) * u128::from(self.rows_done.min(rows)) / u128::from(rows);
        let to_byte = if all { u64::MAX } else { u64::try_from(share).unwrap_or_default() };
        let left = to_byte.saturating_sub(self.passed_bytes);
        self.passed_bytes += io::copy(&mut self.passing.by_ref().take(left), &mut io::sink())?;
        Ok(())
    }
}

impl Chunks for Parquet {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let chunk = self.next_rows()?;
        self.pass(chunk.is_none())?;
        Ok(chunk)
    }
}

/// The columns that the rows of a file of so many bytes need in a table, ids left open. `read` gives so many bytes from a place
/// on.
///
/// # Errors
/// [`Broken`] when it has no footer that can be read.
pub fn fields(
    size_bytes: u64,
    page_bytes_max: u64,
    read: impl Fn(u64, usize) -> Result<Vec<u8>, String>,
) -> Result<Vec<NestedFieldRef>, Broken> {
    let footer = footer(size_bytes, page_bytes_max, read);
    let columns = footer.and_then(|footer| guarded(|| schema(&footer)));
    let (_, columns) = columns.map_err(|reason| Broken { row_group: None, reason })?;
    Ok(columns::table_fields(&columns))
}

/// The footer's bytes, once they are known to be one.
fn footer(
    size_bytes: u64,
    bytes_max: u64,
    read: impl Fn(u64, usize) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    let head_bytes = MAGIC.len() as u64;
    let Some(tail_at) = size_bytes.checked_sub(TAIL_BYTES).filter(|at| *at >= head_bytes) else {
        return Err("it ends before its footer: it is cut off, or still being written".to_owned());
    };
    let tail = read(tail_at, 8)?;
    let (length, magic) = tail.split_at_checked(4).unwrap_or_default();
    if magic == MAGIC_ENCRYPTED {
        return Err("its footer is encrypted".to_owned());
    }
    if magic != MAGIC {
        return Err("it has no footer at its end: it is cut off, or still being written".to_owned());
    }
    let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
    let Some(at) = tail_at.checked_sub(length.into()).filter(|at| *at >= head_bytes) else {
        return Err(format!("its footer would have {length} bytes, more than the file"));
    };
    if u64::from(length) > bytes_max {
        return Err(format!("its footer has {length} bytes, and {bytes_max} are allowed (ingest.memory)"));
    }
    let footer = read(at, length as usize)?;
    thrift::check(&footer).map_err(|_| "its footer is damaged".to_owned())?;
    Ok(footer)
}

/// What is in the file, and how it is read: its columns without annotations.
fn schema(footer: &[u8]) -> Result<(ArrowReaderMetadata, Vec<Column>), ParquetError> {
    let written = ParquetMetaDataReader::decode_schema(footer)?;
    let options = ParquetMetaDataOptions::new()
        .with_schema(columns::plain(&written)?)
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&options))?;
    let metadata = Arc::new(metadata);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let plain = ArrowReaderMetadata::try_new(metadata.clone(), options.clone())?;
    let viewed = Arc::new(ArrowSchema::new(columns::as_views(plain.schema().fields())));
    let metadata = ArrowReaderMetadata::try_new(metadata, options.with_schema(viewed))?;
    let columns = columns::columns(metadata.schema().fields(), &written);
    let columns =
        columns.ok_or_else(|| ParquetError::General("its columns cannot be told apart".to_owned()))?;
    Ok((metadata, columns))
}

/// How many rows are read at a time, so that they take about as much memory as they may.
fn batch_rows(row_group: &RowGroupMetaData, chunk_bytes: usize) -> usize {
    let sizes = row_group.columns().iter().map(|column| {
        let width = match column.column_type() {
            Physical::BYTE_ARRAY => TEXT_BYTES,
            Physical::FIXED_LEN_BYTE_ARRAY => {
                u64::try_from(column.column_descr().type_length()).unwrap_or_default().max(NUMBER_BYTES)
            }
            _ => NUMBER_BYTES,
        };
        let values = u64::try_from(column.num_values()).unwrap_or_default();
        u64::try_from(column.uncompressed_size()).unwrap_or_default().max(values.saturating_mul(width))
    });
    let bytes = sizes.fold(0, u64::saturating_add);
    let rows = u64::try_from(row_group.num_rows()).unwrap_or_default().max(1);
    let fit = chunk_bytes as u64 / (bytes / rows).max(1);
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, BATCH_ROWS_MAX)
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is the error of a file: nobody needs to be told of it otherwise.
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// Does what may panic when a file is not what it says: then that is the file's error. What was worked on is not used again.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    IS_GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(false);
    match done {
        Ok(done) => done.map_err(|error| {
            // It wraps its own errors in each other.
            let text = error.to_string();
            text.rsplit_once("rror: ").map_or(text.as_str(), |(_, reason)| reason).to_owned()
        }),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("it is damaged: {}", text.unwrap_or_else(|| "its reader failed".to_owned())))
        }
    }
}

#[cfg(test)]
mod tests;
