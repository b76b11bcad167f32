//! What a statement answers: the columns at once, the rows as they come, and the figures when all have come.

use crate::{SqlError, encode, error};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in Trino's words.
    #[serde(rename = "type")]
    pub trino_type: String,
}

/// What a statement did. Complete once its rows have been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Rows in the answer.
    pub rows: u64,
    /// Rows added to a table.
    pub rows_changed: u64,
    /// Data files that were read.
    pub files_read: u64,
    /// Data files that were left after pruning.
    pub files_planned: u64,
    /// Data files of the tables that were asked. A table that stands twice in a statement is read twice and counts twice, here
    /// and below.
    pub files_total: u64,
    /// Row groups of the files that were read of which anything was needed.
    pub row_groups_read: u64,
    /// Row groups of the files that were read.
    pub row_groups_total: u64,
    /// The rows in the row groups that were read.
    pub rows_scanned: u64,
    /// Bytes fetched of data files.
    pub bytes_scanned: u64,
    /// The bytes of the files that were left after pruning.
    pub bytes_planned: u64,
    /// The bytes of all data files of the tables that were asked.
    pub bytes_total: u64,
    /// From the start of the statement to the last row.
    pub elapsed_ms: u64,
    /// The snapshot that the statement made.
    pub snapshot_id: Option<String>,
}

/// The figures at this moment.
pub(crate) type Measure = Arc<dyn Fn() -> Stats + Send + Sync>;

/// The answer of a statement: a stream of record batches with columns and figures. Dropping it stops the query.
pub struct Answer {
    columns: Vec<Column>,
    batches: BoxStream<'static, Result<RecordBatch, SqlError>>,
    rows: u64,
    measure: Measure,
    /// Set with the last row, so that what a reader does afterwards is not counted.
    end: Arc<Mutex<Option<Stats>>>,
}

impl Answer {
    pub(crate) fn new(
        schema: &Schema,
        batches: impl Stream<Item = Result<RecordBatch, SqlError>> + Send + 'static,
        measure: Measure,
    ) -> Self {
        let column = |field: &Arc<Field>| Column {
            name: field.name().clone(),
            trino_type: encode::type_name(field.data_type()),
        };
        let columns = schema.fields().iter().map(column).collect();
        Self { columns, batches: batches.boxed(), rows: 0, measure, end: Arc::default() }
    }

    /// An answer of texts: `None` is NULL.
    pub(crate) fn of_texts(
        columns: &[&str],
        rows: Vec<Vec<Option<String>>>,
        measure: Measure,
    ) -> Result<Self, SqlError> {
        let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        if columns.is_empty() {
            return Ok(Self::new(&schema, stream::empty(), measure));
        }
        let array = |at: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|row| row.get(at).cloned().flatten()).collect::<StringArray>())
        };
        let batch = RecordBatch::try_new(schema.clone(), (0..columns.len()).map(array).collect());
        let batch =
            batch.map_err(|error| SqlError::new(error::code::GENERIC_INTERNAL_ERROR, error.to_string()))?;
        Ok(Self::new(&schema, stream::iter([Ok(batch)]), measure))
    }

    /// The answer of a statement without a result.
    pub(crate) fn empty(measure: Measure) -> Self {
        Self::new(&Schema::empty(), stream::empty(), measure)
    }

    /// The columns; none of a statement without a result.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The figures so far; final when all batches have been read.
    pub fn stats(&self) -> Stats {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Stats { rows: self.rows, ..end.unwrap_or_else(|| (self.measure)()) }
    }

    /// All batches that are left.
    ///
    /// # Errors
    /// The first error of the query.
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>, SqlError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch, SqlError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.batches.poll_next_unpin(context);
        match &next {
            Poll::Ready(Some(Ok(batch))) => self.rows += batch.num_rows() as u64,
            Poll::Ready(Some(Err(_)) | None) => {
                let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
                if end.is_none() {
                    *end = Some((self.measure)());
                }
            }
            Poll::Pending => {}
        }
        next
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("columns", &self.columns).field("stats", &self.stats()).finish()
    }
}
