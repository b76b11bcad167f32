//! New rows on their way to the target: each is tested, and the way ends when the run is to end.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use hosu_host::Stop;
use hosu_query::{QueryError, RowTest};

use crate::error::TestFailure;

/// How many rows that break a test are shown.
const ROWS_SHOWN: usize = 5;

/// The longest text of a value that is shown, in characters.
const VALUE_CHARS_MAX: usize = 80;

/// The tests of a run, and what they found so far. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Tests {
    tests: Arc<Vec<(String, Arc<RowTest>)>>,
    found: Arc<Mutex<Found>>,
}

#[derive(Debug, Default)]
struct Found {
    rows: u64,
    failure: Option<TestFailure>,
}

/// Ends the stream of rows when enough is known.
#[derive(Debug, thiserror::Error)]
#[error("the run ends early")]
struct Ended;

impl Tests {
    pub fn new(tests: Vec<(String, Arc<RowTest>)>) -> Self {
        Self { tests: Arc::new(tests), found: Arc::default() }
    }

    /// The test that a row broke.
    pub fn broken(&self) -> Option<TestFailure> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    /// The test that does not hold, when all rows went by.
    pub fn verdict(&self) -> Result<Option<TestFailure>, QueryError> {
        if let Some(failure) = self.broken() {
            return Ok(Some(failure));
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (text, test) in self.tests.iter().filter(|(_, test)| test.reads_row_count()) {
            if !test.holds_for(found.rows)? {
                let (test, row_count) = (text.clone(), Some(found.rows));
                return Ok(Some(TestFailure { test, row_count, rows: Vec::new() }));
            }
        }
        Ok(None)
    }

    /// Looks at new rows. Whether enough is known.
    fn look(&self, batch: &RecordBatch) -> Result<bool, QueryError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.rows += batch.num_rows() as u64;
        for (text, test) in self.tests.iter().filter(|(_, test)| !test.reads_row_count()) {
            // The first test that failed is the one that is told.
            if found.failure.as_ref().is_some_and(|failure| failure.test != *text) {
                continue;
            }
            let failing = test.failing(batch)?;
            if failing.is_empty() {
                continue;
            }
            let failure = found.failure.get_or_insert_with(|| TestFailure {
                test: text.clone(),
                row_count: None,
                rows: Vec::new(),
            });
            let room = ROWS_SHOWN.saturating_sub(failure.rows.len());
            failure.rows.extend(failing.iter().take(room).map(|row| shown(batch, *row)));
        }
        Ok(found.failure.as_ref().is_some_and(|failure| failure.rows.len() >= ROWS_SHOWN))
    }

    /// The rows, each looked at; they end with an error when enough is known or `end` is asked for.
    pub fn on(&self, rows: SendableRecordBatchStream, end: Stop) -> SendableRecordBatchStream {
        let schema = rows.schema();
        let tests = self.clone();
        let looked = stream::try_unfold((rows, tests, end), |(mut rows, tests, end)| async move {
            let batch = tokio::select! {
                biased;
                () = end.asked() => return Err(ended()),
                batch = rows.next() => batch,
            };
            let Some(batch) = batch.transpose()? else { return Ok(None) };
            if tests.look(&batch).map_err(|error| DataFusionError::External(Box::new(error)))? {
                return Err(ended());
            }
            Ok(Some((batch, (rows, tests, end))))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, looked))
    }
}

fn ended() -> DataFusionError {
    DataFusionError::External(Box::new(Ended))
}

/// A row as names and values.
fn shown(batch: &RecordBatch, row: usize) -> String {
    let options = FormatOptions::default().with_null("null");
    let mut text = String::from("{");
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let value = match ArrayFormatter::try_new(column, &options) {
            Ok(formatter) => formatter.value(row).to_string(),
            Err(_) => "?".to_owned(),
        };
        let mut value = value.replace(char::is_control, " ");
        if let Some((end, _)) = value.char_indices().nth(VALUE_CHARS_MAX) {
            value.truncate(end);
            value.push('…');
        }
        let comma = if text.len() > 1 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: {value}", field.name());
    }
    text.push('}');
    text
}
