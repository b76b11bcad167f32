//! The rows of the ledger, read: they decide what is taken, so a row that cannot be understood is an error.

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::unsigned;
use crate::database::{LedgerRow, LedgerRule};

const COLUMNS: &str =
    "branch, source, size_bytes, content, operation_id, snapshot_id, rows_added, rejected, ingested_at_ms";

/// What an older file lacks, whose rows are all of whole sources that only their name tells apart.
const NO_PARTS: &str = "0 AS from_byte, NULL AS identity";

const ORDER: &str = "ORDER BY ingested_at_ms, rowid";

/// What the ledger knows of these sources, named by name or identity; of all when there are none.
pub(super) fn rows(
    connection: &Connection,
    table_uuid: Uuid,
    sources: Option<&[String]>,
    has_parts: bool,
) -> rusqlite::Result<Vec<LedgerRow>> {
    let parts = if has_parts { "from_byte, identity" } else { NO_PARTS };
    let select = format!("SELECT {COLUMNS}, {parts} FROM hosu_ingested");
    let table = table_uuid.to_string();
    let Some(sources) = sources else {
        let sql = format!("{select} WHERE table_uuid = ?1 {ORDER}");
        let mut statement = connection.prepare_cached(&sql)?;
        return statement.query_map(params![table], |row| ledger_row(table_uuid, row))?.collect();
    };
    let mut statement = connection.prepare_cached(&format!("{select} {} {ORDER}", of_source(has_parts)))?;
    let mut rows = Vec::new();
    for source in sources {
        for row in statement.query_map(params![table, source], |row| ledger_row(table_uuid, row))? {
            rows.push(row?);
        }
    }
    Ok(rows)
}

/// The rows of one source by name or identity, each by its own index. The rows themselves are asked for by nothing but their ids:
/// with the table as well SQLite reads all rows of the table for each source.
fn of_source(has_parts: bool) -> String {
    let rowids = "SELECT rowid FROM hosu_ingested WHERE table_uuid = ?1 AND branch = 'main' AND";
    let by_identity = if has_parts { format!("UNION {rowids} identity = ?2") } else { String::new() };
    format!("WHERE rowid IN ({rowids} source = ?2 {by_identity})")
}

fn ledger_row(table_uuid: Uuid, row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let operation_id: String = row.get(4)?;
    Ok(LedgerRow {
        table_uuid,
        branch: row.get(0)?,
        source: row.get(1)?,
        size_bytes: unsigned(row.get(2)?),
        content: row.get(3)?,
        operation_id: Uuid::parse_str(&operation_id).unwrap_or(Uuid::nil()),
        snapshot_id: row.get(5)?,
        rows: unsigned(row.get(6)?),
        rejected: unsigned(row.get(7)?),
        ingested_at_ms: row.get(8)?,
        from_byte: unsigned(row.get(9)?),
        identity: row.get(10)?,
        rule: LedgerRule::Any,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::LOCK_WAIT;
    use crate::sqlite::schema;

    #[test]
    fn a_source_is_looked_up_without_reading_those_of_the_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let created = schema::create(&folder.path().join("catalog.db"), LOCK_WAIT);
        let Ok(connection) = created else { panic!("no catalog") };
        for has_parts in [false, true] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT content FROM hosu_ingested {} {ORDER}",
                of_source(has_parts)
            );
            let mut statement = connection.prepare(&sql).expect("a statement");
            let steps = statement.query_map(params!["table", "source"], |row| row.get::<_, String>(3));
            for step in steps.expect("a plan").map(|step| step.expect("a step")) {
                let narrow = ["INTEGER PRIMARY KEY", "AND source=?", "AND identity=?"];
                let is_narrow = narrow.iter().any(|words| step.contains(words));
                assert!(is_narrow || !step.contains("hosu_ingested"), "{step}");
            }
        }
    }
}
