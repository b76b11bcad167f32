//! A sorted run in a temporary file: Arrow's stream format, the key as a last column.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use hosu_host::{Location, Scratch};

use super::Keyed;
use crate::error::{self, DataFileError};

/// A complete run.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    /// The rows' own schema.
    schema: SchemaRef,
}

/// Writes a run.
pub(super) struct Writer {
    stream: StreamWriter<BufWriter<File>>,
    rows: SchemaRef,
    with_key: SchemaRef,
    table: Location,
}

/// Reads a run.
pub(super) struct Reader {
    stream: StreamReader<BufReader<File>>,
    schema: SchemaRef,
}

impl Writer {
    pub(super) fn new(
        scratch: &Scratch,
        schema: &SchemaRef,
        table: &Location,
    ) -> Result<Self, DataFileError> {
        let file = scratch.file().map_err(error::scratch(table))?;
        let key = Arc::new(Field::new("", DataType::Binary, false));
        let fields = schema.fields().iter().cloned().chain([key]);
        let with_key = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let stream = StreamWriter::try_new_buffered(file, &with_key).map_err(failed(table))?;
        Ok(Self { stream, rows: schema.clone(), with_key, table: table.clone() })
    }

    pub(super) fn write(&mut self, piece: &Keyed) -> Result<(), DataFileError> {
        let key = Arc::new(piece.keys.clone()) as _;
        let columns = piece.batch.columns().iter().cloned().chain([key]).collect();
        let batch = RecordBatch::try_new(self.with_key.clone(), columns).map_err(failed(&self.table))?;
        self.stream.write(&batch).map_err(failed(&self.table))
    }

    pub(super) fn finish(mut self) -> Result<Run, DataFileError> {
        self.stream.finish().map_err(failed(&self.table))?;
        let buffered = self.stream.into_inner().map_err(failed(&self.table))?;
        let file = buffered.into_inner().map_err(|error| error::scratch(&self.table)(error.into_error()))?;
        Ok(Run { file, schema: self.rows })
    }
}

impl Run {
    pub(super) fn read(mut self, table: &Location) -> Result<Reader, DataFileError> {
        self.file.rewind().map_err(error::scratch(table))?;
        let stream = StreamReader::try_new_buffered(self.file, None).map_err(failed(table))?;
        Ok(Reader { stream, schema: self.schema })
    }
}

impl Iterator for Reader {
    type Item = Result<Keyed, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.stream.next()?;
        Some(read.and_then(|batch| {
            let mut columns = batch.columns().to_vec();
            let keys = columns.pop().and_then(|keys| keys.as_binary_opt::<i32>().cloned());
            let keys = keys.ok_or_else(|| ArrowError::IpcError("a sorted run has no keys".to_owned()))?;
            Ok(Keyed { batch: RecordBatch::try_new(self.schema.clone(), columns)?, keys })
        }))
    }
}

/// What the disk says is an error of the disk, not of the rows.
pub(super) fn failed(table: &Location) -> impl Fn(ArrowError) -> DataFileError {
    let table = table.clone();
    move |error| match error {
        ArrowError::IoError(_, source) => error::scratch(&table)(source),
        other => error::rows(&table)(other),
    }
}
