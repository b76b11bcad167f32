//! The ledger of all tables as rows: what became of a file.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use hosu_catalog::{Catalog, CatalogError, LedgerRow};
use hosu_table::fate::Ancestry;
use hosu_table::name::TableName;
use iceberg::spec::{NestedFieldRef, PrimitiveType};

use super::column;
use super::rows::{counts, longs, texts, times};

/// The column that has the name of the table.
pub(super) const TABLE_NAME: &str = "table_name";

/// A source that gave rejected records alone has no snapshot of its table.
const REJECTED: &str = "rejected";

/// A row of the ledger, and what became of it.
pub(super) struct Ingest {
    table: Arc<TableName>,
    row: LedgerRow,
    status: &'static str,
}

pub(super) fn columns() -> Vec<NestedFieldRef> {
    use PrimitiveType::{Long, String, Timestamptz};
    vec![
        column(1, TABLE_NAME, String),
        column(2, "source", String),
        column(3, "from_byte", Long),
        column(4, "size_bytes", Long),
        column(5, "content", String),
        column(6, "rows_added", Long),
        column(7, "rejected", Long),
        column(8, "snapshot_id", Long),
        column(9, "operation_id", String),
        column(10, "ingested_at", Timestamptz),
        column(11, "status", String),
    ]
}

/// The ledger of one table, or of all that there are, oldest first in each.
///
/// # Errors
/// When a table cannot be read: what became of its sources is not known then.
pub(super) async fn read(catalog: &Catalog, only: Option<&str>) -> Result<Vec<Ingest>, CatalogError> {
    let mut ingests = Vec::new();
    for database in catalog.databases().await? {
        let tables = match catalog.tables(&database).await {
            Ok(tables) => tables,
            // `default` is always listed, even where nothing made it.
            Err(CatalogError::DatabaseNotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        for name in tables.into_iter().filter(|name| only.is_none_or(|only| name.to_string() == only)) {
            let Some(table) = catalog.load(&name).await? else { continue };
            let rows = catalog.ledger(table.uuid(), None).await?;
            if rows.is_empty() {
                continue;
            }
            // Read again: the snapshot of the newest row must be in it.
            let Some(table) = catalog.load(&name).await? else { continue };
            let ancestry = Ancestry::of(&table.metadata);
            let name = Arc::new(name);
            ingests.extend(rows.into_iter().map(|row| {
                let fate = row.snapshot_id.map(|id| ancestry.fate(&table.metadata, id, row.ingested_at_ms));
                Ingest { table: name.clone(), status: fate.map_or(REJECTED, |fate| fate.as_str()), row }
            }));
        }
    }
    Ok(ingests)
}

pub(super) fn arrays(ingests: &[Ingest]) -> Vec<ArrayRef> {
    let rows = || ingests.iter().map(|ingest| &ingest.row);
    vec![
        texts(ingests.iter().map(|ingest| Some(ingest.table.to_string()))),
        texts(rows().map(|row| Some(row.source.clone()))),
        counts(rows().map(|row| row.from_byte)),
        counts(rows().map(|row| row.size_bytes)),
        texts(rows().map(|row| Some(row.content.clone()))),
        counts(rows().map(|row| row.rows)),
        counts(rows().map(|row| row.rejected)),
        longs(rows().map(|row| row.snapshot_id)),
        texts(rows().map(|row| Some(row.operation_id.to_string()))),
        times(rows().map(|row| Some(row.ingested_at_ms))),
        texts(ingests.iter().map(|ingest| Some(ingest.status.to_owned()))),
    ]
}
