//! One Parquet file in the making: batches in, bytes and metrics out. Works on the thread that calls it, and on
//! further ones for further columns when there are cores to spare.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use bytes::Bytes;
use hosu_table::metrics::{ColumnFacts, FileMetrics};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::writer::SerializedFileWriter;

use crate::columns::column_at;
use crate::dictionaries;
use crate::layout::Layout;
use crate::metrics;

/// What is written together, so that limits are looked at often enough.
const ROWS_AT_A_TIME: usize = 16 * 1024;

/// Encodes one file.
pub(crate) struct Encoder {
    layout: Arc<Layout>,
    output: Output,
    file: SerializedFileWriter<Output>,
    columns: ArrowRowGroupWriterFactory,
    group: Option<Group>,
    facts: Vec<Option<ColumnFacts>>,
    split_offsets: Vec<i64>,
    rows: u64,
}

/// A row group in the making.
struct Group {
    writers: Vec<ArrowColumnWriter>,
    rows: usize,
    nans: Vec<Option<u64>>,
}

/// What is known of a file once it is complete.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) rows: u64,
    pub(crate) metrics: FileMetrics,
    pub(crate) split_offsets: Vec<i64>,
}

/// Where the file's bytes gather until they are taken.
#[derive(Clone, Debug, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }

    /// Makes room for so many more bytes at once.
    fn reserve(&self, bytes: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reserve(bytes);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Encoder {
    /// A file that begins with these rows, which are still to be written.
    pub(crate) fn new(layout: Arc<Layout>, rows: &[RecordBatch]) -> Result<Self> {
        let output = Output::default();
        let properties = dictionaries::properties_for(&layout, rows);
        let file = SerializedFileWriter::new(output.clone(), layout.root.clone(), properties)?;
        let columns = ArrowRowGroupWriterFactory::new(&file, layout.arrow.clone());
        let facts = vec![None; layout.leaves.len()];
        Ok(Self { layout, output, file, columns, group: None, facts, split_offsets: Vec::new(), rows: 0 })
    }

    /// Adds rows; row groups that are full are written out. Uses up to `lanes` threads.
    pub(crate) fn write(&mut self, batch: &RecordBatch, lanes: usize) -> Result<()> {
        for start in (0..batch.num_rows()).step_by(ROWS_AT_A_TIME) {
            let rows = ROWS_AT_A_TIME.min(batch.num_rows() - start);
            self.write_some(&batch.slice(start, rows), lanes)?;
        }
        Ok(())
    }

    fn write_some(&mut self, batch: &RecordBatch, lanes: usize) -> Result<()> {
        let mut group = match self.group.take() {
            Some(group) => group,
            None => Group {
                writers: self.columns.create_column_writers(self.split_offsets.len())?,
                rows: 0,
                nans: self.layout.leaves.iter().map(no_nans).collect(),
            },
        };
        group.write(&self.layout, batch, lanes)?;
        self.rows += batch.num_rows() as u64;
        let is_full =
            group.rows >= self.layout.row_group_rows || group.encoded_bytes() >= self.layout.row_group_bytes;
        self.group = Some(group);
        if is_full { self.flush() } else { Ok(()) }
    }

    /// Writes out the row group in the making, so that only its bytes are left.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else { return Ok(()) };
        self.output.reserve(group.encoded_bytes());
        let mut row_group = self.file.next_row_group()?;
        for writer in group.writers {
            writer.close()?.append_to_row_group(&mut row_group)?;
        }
        let metadata = row_group.close()?;
        self.measure(&metadata, &group.nans);
        Ok(())
    }

    fn measure(&mut self, metadata: &RowGroupMetaData, nans: &[Option<u64>]) {
        let chunks = self.layout.leaves.iter().zip(metadata.columns()).zip(nans);
        for (sum, ((leaf, chunk), nans)) in self.facts.iter_mut().zip(chunks) {
            let facts = metrics::facts_of(leaf, chunk, *nans);
            *sum = Some(match sum.take() {
                Some(before) => before.merge(facts),
                None => facts,
            });
        }
        let start = metadata.columns().first().map(|chunk| chunk.byte_range().0);
        self.split_offsets.extend(start.and_then(|start| i64::try_from(start).ok()));
    }

    /// Completes the file. The rest of its bytes are to be taken.
    pub(crate) fn finish(&mut self) -> Result<Encoded> {
        self.flush()?;
        self.file.finish()?;
        let leaves = self.layout.leaves.iter().zip(&self.layout.modes).zip(self.facts.drain(..));
        let columns = leaves.filter_map(|((leaf, mode), facts)| Some((leaf.field_id, *mode, facts?)));
        Ok(Encoded {
            rows: self.rows,
            metrics: FileMetrics::of_columns(columns),
            split_offsets: std::mem::take(&mut self.split_offsets),
        })
    }

    /// The bytes since the last call.
    pub(crate) fn take_bytes(&mut self) -> Result<Bytes> {
        self.file.flush()?;
        Ok(self.output.take())
    }

    /// What is held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let group = self.group.as_ref().map_or(0, |group| group.sum(ArrowColumnWriter::memory_size));
        group + self.output.len()
    }

    /// The rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How large the file would be about, if it ended here.
    pub(crate) fn file_bytes(&self) -> u64 {
        (self.file.bytes_written() + self.group.as_ref().map_or(0, Group::encoded_bytes)) as u64
    }
}

fn no_nans(leaf: &crate::parquet_schema::Leaf) -> Option<u64> {
    (leaf.path.is_some() && metrics::has_nans(&leaf.primitive)).then_some(0)
}

impl Group {
    fn write(&mut self, layout: &Layout, batch: &RecordBatch, lanes: usize) -> Result<()> {
        for (leaf, nans) in layout.leaves.iter().zip(&mut self.nans) {
            if let (Some(nans), Some(path)) = (nans, &leaf.path) {
                *nans += metrics::count_nans(&column_at(batch, path)?);
            }
        }
        let mut work = Vec::with_capacity(batch.num_columns());
        let mut rest = self.writers.as_mut_slice();
        let mut next_leaf = 0;
        let columns = layout.arrow.fields().iter().zip(batch.columns());
        for (position, (field, array)) in columns.enumerate() {
            let leaves =
                layout.leaves.iter().skip(next_leaf).take_while(|leaf| leaf.column == position).count();
            next_leaf += leaves;
            let (writers, others) = rest.split_at_mut_checked(leaves).ok_or_else(writers_missing)?;
            rest = others;
            work.push(Work { field, array, writers });
        }
        self.rows += batch.num_rows();
        run(work, lanes)
    }

    fn encoded_bytes(&self) -> usize {
        self.sum(ArrowColumnWriter::get_estimated_total_bytes)
    }

    fn sum(&self, size: impl Fn(&ArrowColumnWriter) -> usize) -> usize {
        self.writers.iter().map(size).sum()
    }
}

/// A top-level column and the writers of its leaves.
struct Work<'a> {
    field: &'a FieldRef,
    array: &'a ArrayRef,
    writers: &'a mut [ArrowColumnWriter],
}

impl Work<'_> {
    fn run(self) -> Result<()> {
        let leaves = compute_leaves(self.field, self.array)?;
        if leaves.len() != self.writers.len() {
            return Err(writers_missing());
        }
        leaves.iter().zip(self.writers).try_for_each(|(leaf, writer)| writer.write(leaf))
    }
}

/// Works on so many threads, this one among them. Columns take very different times, so each thread takes the next one
/// when it is done.
fn run(work: Vec<Work<'_>>, lanes: usize) -> Result<()> {
    let others = lanes.min(work.len()).saturating_sub(1);
    let work = Mutex::new(work);
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let run = || std::iter::from_fn(next).try_for_each(Work::run);
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(run)).collect();
        let mut result = run();
        for other in others {
            let other = other
                .join()
                .unwrap_or_else(|_| Err(ParquetError::General("a column's encoder panicked".into())));
            result = result.and(other);
        }
        result
    })
}

fn writers_missing() -> ParquetError {
    ParquetError::General("the columns of the batch are not those of the file".into())
}
