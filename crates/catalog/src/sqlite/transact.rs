//! The one transaction that makes a commit true.

use std::collections::HashMap;

use hosu_table::name::TableName;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::jobs;
use crate::database::{Change, LedgerRow, LedgerRule, Refusal, Transaction, TransactionOutcome};

/// Where a transaction failed.
pub(super) enum Failed {
    /// It was rolled back.
    Before(rusqlite::Error),
    /// While it was made durable.
    AtCommit(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Before(error)
    }
}

/// Carries out a transaction, or none of it.
pub(super) fn transact(
    connection: &mut Connection,
    catalog: &str,
    transaction: &Transaction,
) -> Result<TransactionOutcome, Failed> {
    let open = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in &transaction.changes {
        if let Some(refusal) = apply(&open, catalog, change)? {
            return Ok(TransactionOutcome::Refused(refusal));
        }
    }
    let known = already_ingested(&open, &transaction.ledger)?;
    if !known.is_empty() {
        return Ok(TransactionOutcome::Refused(Refusal::AlreadyIngested(known)));
    }
    for row in &transaction.ledger {
        add_ledger_row(&open, row)?;
    }
    for change in &transaction.jobs {
        if let Some(refusal) = jobs::apply(&open, catalog, change)? {
            return Ok(TransactionOutcome::Refused(refusal));
        }
    }
    open.commit().map_err(Failed::AtCommit)?;
    Ok(TransactionOutcome::Done)
}

/// Whether a database has a row of its own or a table.
pub(super) fn database_exists(
    connection: &Connection,
    catalog: &str,
    database: &str,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2 \
               UNION ALL SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 LIMIT 1";
    exists(connection, sql, params![catalog, database])
}

fn apply(connection: &Connection, catalog: &str, change: &Change) -> rusqlite::Result<Option<Refusal>> {
    match change {
        Change::CreateDatabase { database, properties, exists_ok } => {
            create_database(connection, catalog, database, properties, *exists_ok)
        }
        Change::DropDatabase { database } => drop_database(connection, catalog, database),
        Change::CreateTable { name, metadata_location } => {
            create_table(connection, catalog, name, metadata_location)
        }
        Change::SwapTable { name, from, to } => swap_table(connection, catalog, name, from, to),
        Change::DropTable { name, from } => drop_table(connection, catalog, name, from),
        Change::RenameTable { name, to } => rename_table(connection, catalog, name, to),
    }
}

fn create_database(
    connection: &Connection,
    catalog: &str,
    database: &str,
    properties: &HashMap<String, String>,
    exists_ok: bool,
) -> rusqlite::Result<Option<Refusal>> {
    if database_exists(connection, catalog, database)? {
        return Ok((!exists_ok).then(|| Refusal::DatabaseExists(database.to_owned())));
    }
    let sql = "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) \
               VALUES (?1, ?2, ?3, ?4)";
    // A namespace exists for other engines when it has a property; this is the one that they write.
    connection.execute(sql, params![catalog, database, "exists", "true"])?;
    for (key, value) in properties.iter().filter(|(key, _)| *key != "exists") {
        connection.execute(sql, params![catalog, database, key, value])?;
    }
    Ok(None)
}

fn drop_database(
    connection: &Connection,
    catalog: &str,
    database: &str,
) -> rusqlite::Result<Option<Refusal>> {
    let tables = "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 LIMIT 1";
    if exists(connection, tables, params![catalog, database])? {
        return Ok(Some(Refusal::DatabaseNotEmpty(database.to_owned())));
    }
    let sql = "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2";
    let removed = connection.execute(sql, params![catalog, database])?;
    Ok((removed == 0).then(|| Refusal::DatabaseMissing(database.to_owned())))
}

fn create_table(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
    metadata_location: &str,
) -> rusqlite::Result<Option<Refusal>> {
    if let Some(refusal) = refuse_new_name(connection, catalog, name)? {
        return Ok(Some(refusal));
    }
    let sql = "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, \
               previous_metadata_location, iceberg_type) VALUES (?1, ?2, ?3, ?4, NULL, 'TABLE')";
    connection.execute(sql, params![catalog, name.database, name.table, metadata_location])?;
    Ok(None)
}

fn swap_table(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
    from: &str,
    to: &str,
) -> rusqlite::Result<Option<Refusal>> {
    let sql = "UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4 \
               WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 AND metadata_location = ?4 \
               AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
    let swapped = connection.execute(sql, params![catalog, name.database, name.table, from, to])?;
    if swapped == 1 { Ok(None) } else { moved_or_missing(connection, catalog, name) }
}

fn drop_table(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
    from: &str,
) -> rusqlite::Result<Option<Refusal>> {
    let sql = "DELETE FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \
               AND metadata_location = ?4 AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
    let removed = connection.execute(sql, params![catalog, name.database, name.table, from])?;
    if removed == 1 { Ok(None) } else { moved_or_missing(connection, catalog, name) }
}

fn rename_table(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
    to: &TableName,
) -> rusqlite::Result<Option<Refusal>> {
    if !table_exists(connection, catalog, name, true)? {
        return Ok(Some(Refusal::TableMissing(name.clone())));
    }
    if let Some(refusal) = refuse_new_name(connection, catalog, to)? {
        return Ok(Some(refusal));
    }
    let sql = "UPDATE iceberg_tables SET table_namespace = ?4, table_name = ?5 \
               WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3";
    connection.execute(sql, params![catalog, name.database, name.table, to.database, to.table])?;
    Ok(None)
}

fn refuse_new_name(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
) -> rusqlite::Result<Option<Refusal>> {
    if table_exists(connection, catalog, name, false)? {
        return Ok(Some(Refusal::TableExists(name.clone())));
    }
    // The default database needs no row: it is there in every lake.
    let is_there = name.database == hosu_table::name::DEFAULT_DATABASE
        || database_exists(connection, catalog, &name.database)?;
    Ok((!is_there).then(|| Refusal::DatabaseMissing(name.database.clone())))
}

fn moved_or_missing(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
) -> rusqlite::Result<Option<Refusal>> {
    let is_there = table_exists(connection, catalog, name, true)?;
    let refusal = if is_there { Refusal::TableMoved } else { Refusal::TableMissing };
    Ok(Some(refusal(name.clone())))
}

fn table_exists(
    connection: &Connection,
    catalog: &str,
    name: &TableName,
    tables_only: bool,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \
               AND (NOT ?4 OR iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
    exists(connection, sql, params![catalog, name.database, name.table, tables_only])
}

fn already_ingested(connection: &Connection, rows: &[LedgerRow]) -> rusqlite::Result<Vec<String>> {
    let of_source = "SELECT 1 FROM hosu_ingested WHERE table_uuid = ?1 AND branch = ?2 AND source = ?3 \
                     AND (?4 IS NULL OR content = ?4) LIMIT 1";
    let mut known = Vec::new();
    for row in rows.iter().filter(|row| row.source != "-") {
        let content = match row.rule {
            LedgerRule::Any => continue,
            LedgerRule::FirstOfSource => None,
            LedgerRule::FirstOfContent => Some(&row.content),
            LedgerRule::NothingSince { rows } => {
                if rows_of_source(connection, row)? > rows {
                    known.push(row.source.clone());
                }
                continue;
            }
        };
        let found = params![row.table_uuid.to_string(), row.branch, row.source, content];
        if exists(connection, of_source, found)? {
            known.push(row.source.clone());
        }
    }
    Ok(known)
}

fn rows_of_source(connection: &Connection, row: &LedgerRow) -> rusqlite::Result<u64> {
    // Two lookups in two indexes; an OR over both columns would read all rows of the table.
    let sql = "SELECT count(*) FROM (\
               SELECT rowid FROM hosu_ingested WHERE table_uuid = ?1 AND branch = ?2 AND source = ?3 \
               UNION SELECT rowid FROM hosu_ingested WHERE table_uuid = ?1 AND branch = ?2 AND identity = ?4)";
    let values = params![row.table_uuid.to_string(), row.branch, row.source, row.identity];
    connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).map(super::unsigned)
}

fn add_ledger_row(connection: &Connection, row: &LedgerRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO hosu_ingested (table_uuid, branch, source, size_bytes, content, operation_id, snapshot_id, \
               rows_added, rejected, ingested_at_ms, from_byte, identity) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection.prepare_cached(sql)?.execute(params![
        row.table_uuid.to_string(),
        row.branch,
        row.source,
        signed(row.size_bytes),
        row.content,
        row.operation_id.to_string(),
        row.snapshot_id,
        signed(row.rows),
        signed(row.rejected),
        row.ingested_at_ms,
        signed(row.from_byte),
        row.identity,
    ])?;
    Ok(())
}

fn exists(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql)?.query_row(values, |_| Ok(())).optional().map(|row| row.is_some())
}
