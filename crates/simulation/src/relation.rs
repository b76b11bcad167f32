//! The rows of any table as texts, read file by file: what a job's target and its inputs hold, without a query engine.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hosu_catalog::{Catalog, Table};
use hosu_host::Location;
use iceberg::spec::Snapshot;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::rows::ReadError;

/// The values of some columns; none for NULL.
pub type Row = Vec<Option<String>>;

/// Rows, each with how often it is there.
pub type Relation = BTreeMap<Row, u64>;

/// The rows of a snapshot in these columns; without a snapshot there are none.
///
/// # Errors
/// [`ReadError`].
pub async fn relation(
    catalog: &Catalog,
    table: &Table,
    snapshot: Option<&Snapshot>,
    columns: &[&str],
) -> Result<Relation, ReadError> {
    let mut rows = Relation::new();
    let Some(snapshot) = snapshot else { return Ok(rows) };
    for manifest in catalog.manifests(table, snapshot).await?.iter() {
        let decoded = catalog.entries(manifest).await?;
        for entry in decoded.entries.iter().filter(|entry| entry.is_alive()) {
            let place = Location::parse(entry.data_file().file_path()).map_err(content)?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(catalog.host().store.get(&place).await?);
            for batch in reader.map_err(content)?.build().map_err(content)? {
                add(&mut rows, &batch.map_err(content)?, columns)?;
            }
        }
    }
    Ok(rows)
}

fn add(rows: &mut Relation, batch: &RecordBatch, columns: &[&str]) -> Result<(), ReadError> {
    let options = FormatOptions::default();
    let column = |name: &&str| {
        let column =
            batch.column_by_name(name).ok_or_else(|| content(format!("column {name} is missing")))?;
        Ok((column, ArrayFormatter::try_new(column, &options).map_err(content)?))
    };
    let columns = columns.iter().map(column).collect::<Result<Vec<_>, ReadError>>()?;
    for at in 0..batch.num_rows() {
        let value = |(column, text): &(&arrow::array::ArrayRef, ArrayFormatter<'_>)| {
            (!column.is_null(at)).then(|| text.value(at).to_string())
        };
        *rows.entry(columns.iter().map(value).collect()).or_default() += 1;
    }
    Ok(())
}

fn content(error: impl ToString) -> ReadError {
    ReadError::Content(error.to_string())
}
