//! The writers of an ingest: one for the table, and one for its rejects once there is a reject.

use arrow::array::RecordBatch;
use hosu_datafile::{DataFileError, DataFileWriter, WriterSettings, Written, discard};
use hosu_host::Host;
use hosu_table::name::TableName;
use uuid::Uuid;

use super::Run;
use super::shape::Shape;
use crate::error::CollectError;

/// The writers of both tables.
#[derive(Default)]
pub(super) struct Writers {
    table: Option<Writer>,
    rejects: Option<Writer>,
}

/// A writer, and the table that its errors are about.
struct Writer {
    table: TableName,
    files: DataFileWriter,
}

impl Writers {
    /// Opens the one for the table.
    pub(super) fn open_table(
        &mut self,
        run: &Run<'_>,
        shape: &Shape,
        operation: Uuid,
    ) -> Result<(), CollectError> {
        let memory_bytes = run.request.settings.writer_bytes();
        self.table = Some(Writer::open(run, shape, operation, memory_bytes)?);
        Ok(())
    }

    /// Writes rows of the table, if it is open.
    pub(super) async fn write_table(&mut self, batch: RecordBatch) -> Result<(), CollectError> {
        match &mut self.table {
            Some(writer) => writer.write(batch).await,
            None => Ok(()),
        }
    }

    /// Writes rows of the rejects table, which is opened when it is not.
    pub(super) async fn write_rejects(
        &mut self,
        run: &Run<'_>,
        shape: &Shape,
        operation: Uuid,
        batch: RecordBatch,
    ) -> Result<(), CollectError> {
        if let Some(writer) = &mut self.rejects {
            return writer.write(batch).await;
        }
        let memory_bytes = run.request.settings.rejects_writer_bytes();
        self.rejects.insert(Writer::open(run, shape, operation, memory_bytes)?).write(batch).await
    }

    /// Completes both, the table's first in the answer; when one fails, the files of the other are deleted too.
    pub(super) async fn finish(self, host: &Host) -> Result<(Written, Written), CollectError> {
        let rejects = match Writer::finish(self.rejects).await {
            Ok(rejects) => rejects,
            Err(error) => {
                Self { table: self.table, rejects: None }.abort().await;
                return Err(error);
            }
        };
        match Writer::finish(self.table).await {
            Ok(table) => Ok((table, rejects)),
            Err(error) => {
                discard(host, &rejects.files).await;
                Err(error)
            }
        }
    }

    /// Deletes what was written.
    pub(super) async fn abort(self) {
        for writer in [self.table, self.rejects].into_iter().flatten() {
            writer.files.abort().await;
        }
    }
}

impl Writer {
    fn open(
        run: &Run<'_>,
        shape: &Shape,
        operation: Uuid,
        memory_bytes: usize,
    ) -> Result<Self, CollectError> {
        let settings = WriterSettings {
            target_file_bytes: run.request.settings.target_file_bytes,
            compression_level: run.request.settings.compression_level,
            memory_bytes,
            ..WriterSettings::default()
        };
        let table = shape.name.clone();
        match DataFileWriter::new(&run.host(), shape.target(), settings, operation) {
            Ok(files) => Ok(Self { table, files }),
            Err(source) => Err(CollectError::DataFile { table, source: Box::new(source) }),
        }
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<(), CollectError> {
        self.files.write(batch).await.map_err(failed(&self.table))
    }

    async fn finish(writer: Option<Self>) -> Result<Written, CollectError> {
        match writer {
            Some(Self { table, files }) => files.finish().await.map_err(failed(&table)),
            None => Ok(Written::default()),
        }
    }
}

fn failed(table: &TableName) -> impl FnOnce(DataFileError) -> CollectError {
    let table = table.clone();
    move |source| CollectError::DataFile { table, source: Box::new(source) }
}
