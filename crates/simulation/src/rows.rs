//! Reads the events of data files, without the query engine.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_host::{Location, StoreError};
use iceberg::spec::Snapshot;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::book::EventId;

/// Events with what they carry, each with how often it is there. Rejected lines are the keys of the second map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Of a table of events.
    pub events: BTreeMap<EventId, Vec<Option<String>>>,
    /// Of a table of rejects.
    pub rejects: BTreeMap<Vec<u8>, usize>,
    /// How many rows there are in all.
    pub count: u64,
}

/// Why rows could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// The store failed, in whatever way.
    Store(StoreError),
    /// The catalog failed.
    Catalog(CatalogError),
    /// The file is no Parquet file with the columns that it should have.
    Content(String),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CatalogError> for ReadError {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

impl ReadError {
    /// Whether something that must be there is not, however often one asks.
    pub fn is_loss(&self) -> bool {
        let store = match self {
            Self::Store(error) | Self::Catalog(CatalogError::Store(error)) => error,
            Self::Catalog(CatalogError::Unreadable { .. }) | Self::Content(_) => return true,
            Self::Catalog(_) => return false,
        };
        matches!(store, StoreError::NotFound { .. } | StoreError::Changed { .. })
    }
}

impl Rows {
    /// Adds the rows of a Parquet file; gives how many they are.
    pub fn add_file(&mut self, bytes: Bytes) -> Result<u64, ReadError> {
        let content = |error: &dyn std::fmt::Display| ReadError::Content(error.to_string());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| content(&error))?;
        let reader = reader.build().map_err(|error| content(&error))?;
        let before = self.count;
        for batch in reader {
            self.add(&batch.map_err(|error| content(&error))?)?;
        }
        Ok(self.count - before)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), ReadError> {
        self.count += batch.num_rows() as u64;
        if let Some(records) = batch.column_by_name("record") {
            let records = records.as_binary_opt::<i32>().ok_or_else(|| wrong("record"))?;
            for record in records.iter() {
                *self.rejects.entry(record.unwrap_or_default().to_vec()).or_default() += 1;
            }
            return Ok(());
        }
        let numbers = |name: &str| {
            let column = batch.column_by_name(name);
            column.and_then(|column| column.as_primitive_opt::<Int64Type>()).ok_or_else(|| wrong(name))
        };
        let (batches, places) = (numbers("batch")?, numbers("place")?);
        let checks = batch.column_by_name("check").and_then(|column| column.as_string_opt::<i32>());
        let checks = checks.ok_or_else(|| wrong("check"))?;
        for row in 0..batch.num_rows() {
            let check = checks.is_valid(row).then(|| checks.value(row).to_owned());
            self.events.entry((batches.value(row), places.value(row))).or_default().push(check);
        }
        Ok(())
    }
}

fn wrong(name: &str) -> ReadError {
    ReadError::Content(format!("column {name} is missing or of another type"))
}

/// All rows of a snapshot, as a reader of the catalog gets them.
pub async fn rows_of(catalog: &Catalog, table: &Table, snapshot: &Snapshot) -> Result<Rows, ReadError> {
    let mut rows = Rows::default();
    for manifest in catalog.manifests(table, snapshot).await?.iter() {
        let decoded = catalog.entries(manifest).await?;
        for entry in decoded.entries.iter().filter(|entry| entry.is_alive()) {
            let place = Location::parse(entry.data_file().file_path())
                .map_err(|error| ReadError::Content(error.to_string()))?;
            rows.add_file(catalog.host().store.get(&place).await?)?;
        }
    }
    Ok(rows)
}
