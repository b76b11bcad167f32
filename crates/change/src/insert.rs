//! INSERT: rows to data files, all of them in one commit.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use hosu_catalog::{Catalog, Table};
use hosu_datafile::{WriterSettings, Written, discard};
use hosu_table::commit::OPERATION_ID;

use crate::commit::{Effect, commit};
use crate::error::ChangeError;
use crate::write::{Target, write};

/// Rows that were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// How many.
    pub rows: u64,
    /// The files that they are in.
    pub data_files: u64,
    /// The bytes of these files.
    pub bytes: u64,
    /// The snapshot that has them; none when there were no rows, and so no commit.
    pub snapshot_id: Option<i64>,
}

/// Adds rows to a table, all of them in one commit or none.
///
/// The rows have the columns of the table in their order, of the types of
/// [`hosu_table::arrow_schema::to_arrow`]; their names do not matter. What others add meanwhile is no conflict.
///
/// # Errors
/// [`ChangeError`]. Files that were written are deleted, unless it is not known whether the commit happened.
pub async fn insert(
    catalog: &Catalog,
    table: Arc<Table>,
    rows: SendableRecordBatchStream,
    settings: WriterSettings,
) -> Result<Inserted, ChangeError> {
    let operation = catalog.host().ids.uuid();
    let target = Target::Existing { table, schema: None };
    let written = write(catalog, &target, rows, settings, operation).await?;
    if written.files.is_empty() {
        return Ok(Inserted::default());
    }
    let summary = HashMap::from([(OPERATION_ID.to_owned(), operation.to_string())]);
    match commit(catalog, target, &written, Effect::Add, summary, Vec::new()).await {
        Ok(committed) => {
            let snapshot = committed.tables.first().and_then(|table| table.snapshot());
            Ok(inserted(&written, snapshot.map(|snapshot| snapshot.snapshot_id())))
        }
        Err(error) => {
            if error.is_definite() {
                discard(catalog.host(), &written.files).await;
            }
            Err(error)
        }
    }
}

fn inserted(written: &Written, snapshot_id: Option<i64>) -> Inserted {
    Inserted { rows: written.rows, data_files: written.files.len() as u64, bytes: written.bytes, snapshot_id }
}

#[cfg(test)]
mod tests;
