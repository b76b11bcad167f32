//! INSERT: rows to data files, all of them in one commit.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef as ArrowSchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use hosu_catalog::{Catalog, Commit, Table, TableChange};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings, Written, discard};
use hosu_query::run_error;
use hosu_table::arrow_schema;
use hosu_table::commit::{Append, OPERATION_ID, Step};

use crate::error::ChangeError;
use crate::fit;

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
    let target = WriteTarget {
        schema: table.schema().clone(),
        spec: table.metadata.default_partition_spec().clone(),
        sort_order: table.metadata.default_sort_order().clone(),
        location: table.location.clone(),
        properties: table.properties(),
    };
    let mut writer = DataFileWriter::new(catalog.host(), target, settings, operation)?;
    if let Err(error) = write(&table, &mut writer, rows).await {
        writer.abort().await;
        return Err(error);
    }
    let written = writer.finish().await?;
    if written.files.is_empty() {
        return Ok(Inserted::default());
    }
    let summary = HashMap::from([(OPERATION_ID.to_owned(), operation.to_string())]);
    let spec_id = table.metadata.default_partition_spec_id();
    let append = Append { spec_id, files: written.files.clone(), summary };
    let change = TableChange::Change { base: table, steps: vec![Step::Append(append)] };
    match catalog.commit(Commit { tables: vec![change], ..Commit::default() }).await {
        Ok(committed) => {
            let snapshot = committed.tables.first().and_then(|table| table.snapshot());
            Ok(inserted(&written, snapshot.map(|snapshot| snapshot.snapshot_id())))
        }
        Err(error) => {
            if error.is_definite() {
                discard(catalog.host(), &written.files).await;
            }
            Err(error.into())
        }
    }
}

fn inserted(written: &Written, snapshot_id: Option<i64>) -> Inserted {
    Inserted { rows: written.rows, data_files: written.files.len() as u64, bytes: written.bytes, snapshot_id }
}

async fn write(
    table: &Table,
    writer: &mut DataFileWriter,
    mut rows: SendableRecordBatchStream,
) -> Result<(), ChangeError> {
    let schema: ArrowSchemaRef = Arc::new(arrow_schema::to_arrow(table.schema()));
    while let Some(batch) = rows.next().await {
        let batch = fit::batch(&table.name, &schema, &batch.map_err(run_error)?)?;
        writer.write(batch).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
