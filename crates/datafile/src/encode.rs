//! One Parquet file in the making: batches in, bytes and metrics out. Works on the thread that calls it, and on
//! further ones for further columns when there are cores to spare.

mod bounds;
mod chunk;
mod column;
mod dictionary;
mod hybrid;
mod levels;
mod page;
mod totals;
mod trial;
mod values;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::FieldRef;
use bytes::Bytes;
use hosu_table::arrow_schema::to_arrow_type;
use hosu_table::metrics::{ColumnFacts, FileMetrics};
use iceberg::spec::Type;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::SchemaDescriptor;

use crate::columns::column_at;
use crate::dictionaries;
use crate::layout::Layout;
use crate::metrics;
use crate::parquet_schema::Leaf;
use crate::selection::Selection;
use column::ColumnEncoder;
use page::Press;
pub(crate) use page::Presses;

/// What is written together, so that limits are looked at often enough.
const ROWS_AT_A_TIME: usize = 16 * 1024;

/// Fewer bytes are not worth a write of their own. A file begins with four.
const TAKEN_BYTES_MIN: usize = 64 << 10;

/// What a column takes in memory as soon as it has a value: of those that are encoded here, and of those that Parquet's own
/// writer encodes (measured with parquet 58).
const KNOWN_COLUMN_BYTES: usize = 8 << 10;
const OTHER_COLUMN_BYTES: usize = 48 << 10;

/// What a file takes in memory as soon as it has a row.
pub(crate) fn file_memory_bytes(layout: &Layout) -> usize {
    let columns = SchemaDescriptor::new(layout.root.clone());
    let known = known_columns(&layout.leaves, &columns, &layout.properties);
    known.map(|known| if known { KNOWN_COLUMN_BYTES } else { OTHER_COLUMN_BYTES }).sum()
}

/// For each leaf, whether it is encoded here and not by Parquet's own writer.
pub(crate) fn known_columns(
    leaves: &[Leaf],
    columns: &SchemaDescriptor,
    properties: &WriterProperties,
) -> impl Iterator<Item = bool> {
    leaves.iter().zip(columns.columns()).map(|(leaf, column)| {
        let data_type = to_arrow_type(&Type::Primitive(leaf.primitive.clone()));
        column::is_known(&data_type, column, properties)
    })
}

/// Encodes one file.
pub(crate) struct Encoder {
    layout: Arc<Layout>,
    output: Output,
    file: SerializedFileWriter<Output>,
    columns: ArrowRowGroupWriterFactory,
    /// For each leaf, whether it is encoded here and not by Parquet's own writer.
    known: Vec<bool>,
    group: Option<Group>,
    facts: Vec<Option<ColumnFacts>>,
    split_offsets: Vec<i64>,
    rows: u64,
}

/// A row group in the making.
struct Group {
    writers: Vec<ColumnWriter>,
    rows: usize,
    nans: Vec<Option<u64>>,
}

/// Encodes a leaf of a row group.
enum ColumnWriter {
    Known(Box<ColumnEncoder>),
    /// Types and settings that few columns have.
    Other(Box<ArrowColumnWriter>),
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
    pub(crate) fn new(layout: Arc<Layout>, rows: &[Selection]) -> Result<Self> {
        let output = Output::default();
        let properties = dictionaries::properties_for(&layout, rows);
        let file = SerializedFileWriter::new(output.clone(), layout.root.clone(), properties)?;
        let columns = ArrowRowGroupWriterFactory::new(&file, layout.arrow.clone());
        let known = known_columns(&layout.leaves, file.schema_descr(), file.properties()).collect();
        let facts = vec![None; layout.leaves.len()];
        let split_offsets = Vec::new();
        Ok(Self { layout, output, file, columns, known, group: None, facts, split_offsets, rows: 0 })
    }

    /// Adds rows; row groups that are full are written out. Uses up to `lanes` threads.
    pub(crate) fn write(&mut self, selections: &[Selection], lanes: usize) -> Result<()> {
        let (mut together, mut rows, mut bytes) = (Vec::new(), 0, 0);
        for selection in selections {
            for start in (0..selection.num_rows()).step_by(ROWS_AT_A_TIME) {
                let some = selection.slice(start, ROWS_AT_A_TIME);
                rows += some.num_rows();
                bytes += some.bytes();
                together.push(some);
                if rows >= ROWS_AT_A_TIME || bytes >= self.layout.row_group_bytes {
                    self.write_some(&together, lanes)?;
                    together.clear();
                    (rows, bytes) = (0, 0);
                }
            }
        }
        if together.is_empty() { Ok(()) } else { self.write_some(&together, lanes) }
    }

    fn write_some(&mut self, selections: &[Selection], lanes: usize) -> Result<()> {
        let mut group = match self.group.take() {
            Some(group) => group,
            None => self.begin_group()?,
        };
        group.write(&self.layout, selections, lanes)?;
        self.rows += selections.iter().map(Selection::num_rows).sum::<usize>() as u64;
        let is_full =
            group.rows >= self.layout.row_group_rows || group.encoded_bytes() >= self.layout.row_group_bytes;
        self.group = Some(group);
        if is_full { self.flush() } else { Ok(()) }
    }

    fn begin_group(&self) -> Result<Group> {
        let mut others = match self.known.iter().all(|known| *known) {
            true => Vec::new(),
            false => self.columns.create_column_writers(self.split_offsets.len())?,
        }
        .into_iter();
        let columns = self.known.iter().zip(self.file.schema_descr().columns());
        let writers = columns.map(|(known, column)| {
            let other = others.next();
            match (*known, other) {
                (true, _) => {
                    let encoder = ColumnEncoder::new(column.clone(), self.file.properties());
                    Ok(ColumnWriter::Known(Box::new(encoder)))
                }
                (false, Some(other)) => Ok(ColumnWriter::Other(Box::new(other))),
                (false, None) => Err(writers_missing()),
            }
        });
        let writers = writers.collect::<Result<_>>()?;
        Ok(Group { writers, rows: 0, nans: self.layout.leaves.iter().map(no_nans).collect() })
    }

    /// Writes out the row group in the making, so that only its bytes are left.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else { return Ok(()) };
        self.output.reserve(group.encoded_bytes());
        let mut row_group = self.file.next_row_group()?;
        let presses = &self.layout.presses;
        presses.with(|press| {
            group.writers.into_iter().try_for_each(|writer| writer.append_to(&mut row_group, press))
        })?;
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

    /// The bytes since the last call; few stay for the next one.
    pub(crate) fn take_many_bytes(&mut self) -> Result<Bytes> {
        self.file.flush()?;
        Ok(if self.output.len() < TAKEN_BYTES_MIN { Bytes::new() } else { self.output.take() })
    }

    /// All bytes since the last call.
    pub(crate) fn take_bytes(&mut self) -> Result<Bytes> {
        self.file.flush()?;
        Ok(self.output.take())
    }

    /// What is held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let group = self.group.as_ref().map_or(0, |group| group.sum(ColumnWriter::memory_bytes));
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

/// How many of the selected values are not a number.
fn nans_in(rows: &Selection, path: &[usize]) -> Result<u64> {
    let column = column_at(rows.batch(), path)?;
    let among_all = metrics::count_nans(&column);
    if among_all == 0 || rows.listed().is_none() {
        return Ok(among_all);
    }
    Ok(metrics::count_nans(&rows.of_column(&column)?))
}

fn no_nans(leaf: &crate::parquet_schema::Leaf) -> Option<u64> {
    (leaf.path.is_some() && metrics::has_nans(&leaf.primitive)).then_some(0)
}

impl Group {
    fn write(&mut self, layout: &Layout, selections: &[Selection], lanes: usize) -> Result<()> {
        for (leaf, nans) in layout.leaves.iter().zip(&mut self.nans) {
            if let (Some(nans), Some(path)) = (nans, &leaf.path) {
                for rows in selections {
                    *nans += nans_in(rows, path)?;
                }
            }
        }
        let mut work = Vec::with_capacity(layout.arrow.fields().len());
        let mut rest = self.writers.as_mut_slice();
        let mut next_leaf = 0;
        for (position, field) in layout.arrow.fields().iter().enumerate() {
            let leaves =
                layout.leaves.iter().skip(next_leaf).take_while(|leaf| leaf.column == position).count();
            next_leaf += leaves;
            let (writers, others) = rest.split_at_mut_checked(leaves).ok_or_else(writers_missing)?;
            rest = others;
            work.push(Work { field, position, selections, writers });
        }
        self.rows += selections.iter().map(Selection::num_rows).sum::<usize>();
        run(work, lanes, &layout.presses)
    }

    fn encoded_bytes(&self) -> usize {
        self.sum(ColumnWriter::encoded_bytes)
    }

    fn sum(&self, size: impl Fn(&ColumnWriter) -> usize) -> usize {
        self.writers.iter().map(size).sum()
    }
}

impl ColumnWriter {
    fn append_to(
        self,
        row_group: &mut SerializedRowGroupWriter<'_, Output>,
        press: &mut Press,
    ) -> Result<()> {
        match self {
            Self::Known(encoder) => {
                let (chunk, closed) = encoder.close(press)?;
                row_group.append_column(&chunk.into_reader(), closed)
            }
            Self::Other(writer) => writer.close()?.append_to_row_group(row_group),
        }
    }

    fn encoded_bytes(&self) -> usize {
        match self {
            Self::Known(encoder) => encoder.encoded_bytes(),
            Self::Other(writer) => writer.get_estimated_total_bytes(),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Known(encoder) => encoder.memory_bytes(),
            Self::Other(writer) => writer.memory_size(),
        }
    }
}

/// A top-level column and the writers of its leaves.
struct Work<'a> {
    field: &'a FieldRef,
    position: usize,
    selections: &'a [Selection],
    writers: &'a mut [ColumnWriter],
}

impl Work<'_> {
    fn run(self, press: &mut Press) -> Result<()> {
        let has_others = self.writers.iter().any(|writer| matches!(writer, ColumnWriter::Other(_)));
        for rows in self.selections {
            let array = rows.batch().columns().get(self.position).ok_or_else(writers_missing)?;
            let known = levels::leaves_of(self.field, array, rows.listed());
            let others =
                if has_others { compute_leaves(self.field, &rows.of_column(array)?)? } else { Vec::new() };
            if known.len() != self.writers.len() || (has_others && others.len() != known.len()) {
                return Err(writers_missing());
            }
            let mut others = others.iter();
            for (leaf, writer) in known.iter().zip(self.writers.iter_mut()) {
                match (writer, others.next()) {
                    (ColumnWriter::Known(encoder), _) => encoder.write(leaf, press)?,
                    (ColumnWriter::Other(writer), Some(leaf)) => writer.write(leaf)?,
                    (ColumnWriter::Other(_), None) => return Err(writers_missing()),
                }
            }
        }
        self.writers.iter_mut().try_for_each(|writer| match writer {
            ColumnWriter::Known(encoder) => encoder.settle(press),
            ColumnWriter::Other(_) => Ok(()),
        })
    }
}

/// Works on so many threads, this one among them. Columns take very different times, so each thread takes the next one
/// when it is done.
fn run(work: Vec<Work<'_>>, lanes: usize, presses: &Presses) -> Result<()> {
    let others = lanes.min(work.len()).saturating_sub(1);
    let work = Mutex::new(work.into_iter());
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || presses.with(|press| std::iter::from_fn(next).try_for_each(|work| work.run(press)));
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

#[cfg(test)]
mod tests;
