//! The rows of jobs in SQLite.
//!
//! Lists, such as a run's inputs, are text columns of JSON: they are read as a whole or by a person. A column that
//! cannot be understood is an error and never an empty list, which would mean that nothing was taken yet.

use std::str::FromStr;

use hosu_table::name::TableName;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use uuid::Uuid;

use super::unsigned;
use crate::database::Refusal;
use crate::jobs::{JobChange, JobRun, JobRuns, JobSlot, JobState, Lease, Position, RunInput, RunState};

/// The version of our own tables since which there are these rows.
pub(super) const VERSION: u32 = 2;

/// The tables of these rows.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS hosu_leases (
    catalog_name TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (catalog_name, name)
);
CREATE TABLE IF NOT EXISTS hosu_job_runs (
    catalog_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    job TEXT NOT NULL,
    target_database TEXT NOT NULL,
    target_table TEXT NOT NULL,
    target_uuid TEXT,
    mode TEXT NOT NULL,
    trigger TEXT NOT NULL,
    slot_ms INTEGER,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    snapshot_id INTEGER,
    inputs TEXT NOT NULL,
    rows_read INTEGER NOT NULL,
    bytes_read INTEGER NOT NULL,
    files_written INTEGER NOT NULL,
    rows_written INTEGER NOT NULL,
    bytes_written INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (catalog_name, run_id)
);
CREATE INDEX IF NOT EXISTS hosu_job_runs_time ON hosu_job_runs (catalog_name, started_at_ms);
CREATE INDEX IF NOT EXISTS hosu_job_runs_job ON hosu_job_runs (catalog_name, job, started_at_ms);
CREATE INDEX IF NOT EXISTS hosu_job_runs_running ON hosu_job_runs (catalog_name, target_database, target_table)
    WHERE state = 'running';
CREATE TABLE IF NOT EXISTS hosu_job_states (
    catalog_name TEXT NOT NULL,
    target_uuid TEXT NOT NULL,
    job TEXT NOT NULL,
    mode TEXT NOT NULL,
    select_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    snapshot_id INTEGER,
    positions TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (catalog_name, target_uuid)
);
CREATE TABLE IF NOT EXISTS hosu_job_slots (
    catalog_name TEXT NOT NULL,
    job TEXT NOT NULL,
    schedule TEXT NOT NULL,
    handled_until_ms INTEGER NOT NULL,
    PRIMARY KEY (catalog_name, job)
);
";

/// Makes one change, or says why not.
pub(super) fn apply(
    connection: &Connection,
    catalog: &str,
    change: &JobChange,
) -> rusqlite::Result<Option<Refusal>> {
    match change {
        JobChange::TakeLease { name, holder, now_ms, until_ms } => {
            let wanted = Lease { name: name.clone(), holder: *holder, fence: 0, until_ms: *until_ms };
            return take_lease(connection, catalog, wanted, *now_ms);
        }
        JobChange::RenewLease { lease } => return renew_lease(connection, catalog, lease),
        JobChange::RequireLease { name, fence } => {
            let is_held = lease(connection, catalog, name)?.is_some_and(|lease| lease.fence == *fence);
            return Ok((!is_held).then(|| Refusal::LeaseLost { name: name.clone() }));
        }
        JobChange::ReleaseLease(lease) => release_lease(connection, catalog, lease)?,
        JobChange::InterruptRuns { target, ended_at_ms } => {
            interrupt_runs(connection, catalog, target, *ended_at_ms)?;
        }
        JobChange::PutRun(run) => put_run(connection, catalog, run)?,
        JobChange::PutState(state) => put_state(connection, catalog, state)?,
        JobChange::PutSlot(slot) => put_slot(connection, catalog, slot)?,
    }
    Ok(None)
}

fn take_lease(
    connection: &Connection,
    catalog: &str,
    wanted: Lease,
    now_ms: i64,
) -> rusqlite::Result<Option<Refusal>> {
    let (fence, until_ms) = match lease(connection, catalog, &wanted.name)? {
        None => (1, wanted.until_ms),
        Some(last) if last.until_ms <= now_ms => (last.fence + 1, wanted.until_ms),
        Some(own) if own.holder == wanted.holder => (own.fence, wanted.until_ms.max(own.until_ms)),
        Some(Lease { name, holder, until_ms, .. }) => {
            return Ok(Some(Refusal::LeaseHeld { name, holder, until_ms }));
        }
    };
    let sql = "INSERT OR REPLACE INTO hosu_leases (catalog_name, name, holder, fence, until_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = params![catalog, wanted.name, wanted.holder.to_string(), fence, until_ms];
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(None)
}

/// A renewal that arrives late shortens nothing.
fn renew_lease(connection: &Connection, catalog: &str, lease: &Lease) -> rusqlite::Result<Option<Refusal>> {
    let sql = "UPDATE hosu_leases SET until_ms = max(until_ms, ?5) \
               WHERE catalog_name = ?1 AND name = ?2 AND holder = ?3 AND fence = ?4";
    let row = params![catalog, lease.name, lease.holder.to_string(), lease.fence, lease.until_ms];
    let renewed = connection.prepare_cached(sql)?.execute(row)?;
    Ok((renewed == 0).then(|| Refusal::LeaseLost { name: lease.name.clone() }))
}

/// The row stays, so that the next fence is a higher one.
fn release_lease(connection: &Connection, catalog: &str, lease: &Lease) -> rusqlite::Result<()> {
    let sql = "UPDATE hosu_leases SET until_ms = 0 \
               WHERE catalog_name = ?1 AND name = ?2 AND holder = ?3 AND fence = ?4";
    let row = params![catalog, lease.name, lease.holder.to_string(), lease.fence];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

fn interrupt_runs(
    connection: &Connection,
    catalog: &str,
    target: &TableName,
    ended_at_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE hosu_job_runs SET state = 'interrupted', ended_at_ms = ?4 \
               WHERE catalog_name = ?1 AND target_database = ?2 AND target_table = ?3 AND state = 'running'";
    let row = params![catalog, target.database, target.table, ended_at_ms];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

/// What a run did stays: a failure that is told later, by one whose answer got lost, does not undo it.
fn put_run(connection: &Connection, catalog: &str, run: &JobRun) -> rusqlite::Result<()> {
    let sql = "INSERT INTO hosu_job_runs (catalog_name, run_id, job, target_database, target_table, target_uuid, \
               mode, trigger, slot_ms, attempt, state, started_at_ms, ended_at_ms, snapshot_id, inputs, rows_read, \
               bytes_read, files_written, rows_written, bytes_written, error) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
               ON CONFLICT (catalog_name, run_id) DO UPDATE SET job = excluded.job, \
               target_database = excluded.target_database, target_table = excluded.target_table, \
               target_uuid = excluded.target_uuid, mode = excluded.mode, trigger = excluded.trigger, \
               slot_ms = excluded.slot_ms, attempt = excluded.attempt, state = excluded.state, \
               started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms, \
               snapshot_id = excluded.snapshot_id, inputs = excluded.inputs, rows_read = excluded.rows_read, \
               bytes_read = excluded.bytes_read, files_written = excluded.files_written, \
               rows_written = excluded.rows_written, bytes_written = excluded.bytes_written, error = excluded.error \
               WHERE hosu_job_runs.state = 'running' \
               OR (hosu_job_runs.state IN ('failed', 'interrupted') AND excluded.state <> 'running')";
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let row = params![
        catalog,
        run.run_id.to_string(),
        run.job,
        run.target.database,
        run.target.table,
        run.target_uuid.map(|uuid| uuid.to_string()),
        run.mode,
        run.trigger,
        run.slot_ms,
        run.attempt,
        run.state.as_str(),
        run.started_at_ms,
        run.ended_at_ms,
        run.snapshot_id,
        inputs_text(&run.inputs),
        signed(run.rows_read),
        signed(run.bytes_read),
        signed(run.files_written),
        signed(run.rows_written),
        signed(run.bytes_written),
        run.error
    ];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

fn put_state(connection: &Connection, catalog: &str, state: &JobState) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO hosu_job_states (catalog_name, target_uuid, job, mode, select_id, run_id, \
               snapshot_id, positions, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let row = params![
        catalog,
        state.target_uuid.to_string(),
        state.job,
        state.mode,
        state.select,
        state.run_id.to_string(),
        state.snapshot_id,
        positions_text(&state.positions),
        state.updated_at_ms
    ];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

/// What was handled under a schedule stays handled, whoever was late to tell of an earlier slot.
fn put_slot(connection: &Connection, catalog: &str, slot: &JobSlot) -> rusqlite::Result<()> {
    let sql = "INSERT INTO hosu_job_slots (catalog_name, job, schedule, handled_until_ms) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (catalog_name, job) DO UPDATE SET schedule = excluded.schedule, \
               handled_until_ms = CASE WHEN schedule = excluded.schedule \
               THEN max(handled_until_ms, excluded.handled_until_ms) ELSE excluded.handled_until_ms END";
    let row = params![catalog, slot.job, slot.schedule, slot.handled_until_ms];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

/// The lease of this name.
pub(super) fn lease(connection: &Connection, catalog: &str, name: &str) -> rusqlite::Result<Option<Lease>> {
    let sql = "SELECT holder, fence, until_ms FROM hosu_leases WHERE catalog_name = ?1 AND name = ?2";
    let row = |row: &Row<'_>| {
        let holder = parsed(row, 0)?;
        Ok(Lease { name: name.to_owned(), holder, fence: row.get(1)?, until_ms: row.get(2)? })
    };
    connection.prepare_cached(sql)?.query_row([catalog, name], row).optional()
}

/// The states of all targets, or of one.
pub(super) fn states(
    connection: &Connection,
    catalog: &str,
    target: Option<Uuid>,
) -> rusqlite::Result<Vec<JobState>> {
    let sql = "SELECT target_uuid, job, mode, select_id, run_id, snapshot_id, positions, updated_at_ms \
               FROM hosu_job_states WHERE catalog_name = ?1 AND (?2 IS NULL OR target_uuid = ?2) ORDER BY job, target_uuid";
    let mut statement = connection.prepare_cached(sql)?;
    let target = target.map(|uuid| uuid.to_string());
    let rows = statement.query_map(params![catalog, target], |row| {
        Ok(JobState {
            target_uuid: parsed(row, 0)?,
            job: row.get(1)?,
            mode: row.get(2)?,
            select: row.get(3)?,
            run_id: parsed(row, 4)?,
            snapshot_id: row.get(5)?,
            positions: list(row, 6, position)?,
            updated_at_ms: row.get(7)?,
        })
    })?;
    rows.collect()
}

/// Runs, the newest first.
pub(super) fn runs(connection: &Connection, catalog: &str, asked: &JobRuns) -> rusqlite::Result<Vec<JobRun>> {
    const COLUMNS: &str = "SELECT run_id, job, target_database, target_table, target_uuid, mode, trigger, slot_ms, \
                           attempt, state, started_at_ms, ended_at_ms, snapshot_id, inputs, rows_read, bytes_read, \
                           files_written, rows_written, bytes_written, error FROM hosu_job_runs WHERE catalog_name = ?1";
    // Written out, so that each question has its index.
    let of_job = if asked.job.is_some() { "AND job = ?2" } else { "AND ?2 IS NULL" };
    let of_run = if asked.run_id.is_some() { "AND run_id = ?3" } else { "AND ?3 IS NULL" };
    let sql = format!("{COLUMNS} {of_job} {of_run} ORDER BY started_at_ms DESC, rowid DESC LIMIT ?4");
    let limit = asked.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![catalog, asked.job, asked.run_id.map(|uuid| uuid.to_string()), limit];
    let rows = statement.query_map(values, run)?;
    rows.collect()
}

fn run(row: &Row<'_>) -> rusqlite::Result<JobRun> {
    let target_uuid: Option<String> = row.get(4)?;
    Ok(JobRun {
        run_id: parsed(row, 0)?,
        job: row.get(1)?,
        target: TableName::stored(row.get::<_, String>(2)?, row.get::<_, String>(3)?),
        target_uuid: if target_uuid.is_some() { Some(parsed(row, 4)?) } else { None },
        mode: row.get(5)?,
        trigger: row.get(6)?,
        slot_ms: row.get(7)?,
        attempt: row.get(8)?,
        state: parsed::<RunState>(row, 9)?,
        started_at_ms: row.get(10)?,
        ended_at_ms: row.get(11)?,
        snapshot_id: row.get(12)?,
        inputs: list(row, 13, run_input)?,
        rows_read: unsigned(row.get(14)?),
        bytes_read: unsigned(row.get(15)?),
        files_written: unsigned(row.get(16)?),
        rows_written: unsigned(row.get(17)?),
        bytes_written: unsigned(row.get(18)?),
        error: row.get(19)?,
    })
}

/// The slots of all jobs.
pub(super) fn slots(connection: &Connection, catalog: &str) -> rusqlite::Result<Vec<JobSlot>> {
    let sql =
        "SELECT job, schedule, handled_until_ms FROM hosu_job_slots WHERE catalog_name = ?1 ORDER BY job";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([catalog], |row| {
        Ok(JobSlot { job: row.get(0)?, schedule: row.get(1)?, handled_until_ms: row.get(2)? })
    })?;
    rows.collect()
}

fn inputs_text(inputs: &[RunInput]) -> String {
    let inputs = inputs.iter().map(|input| {
        json!({
            "database": input.table.database,
            "table": input.table.table,
            "uuid": input.uuid.to_string(),
            "from": input.from_snapshot_id,
            "to": input.to_snapshot_id,
        })
    });
    Value::Array(inputs.collect()).to_string()
}

fn run_input(value: &Value) -> Option<RunInput> {
    let (table, uuid) = table(value)?;
    let (from_snapshot_id, to_snapshot_id) = (number(value, "from")?, number(value, "to")?);
    Some(RunInput { table, uuid, from_snapshot_id, to_snapshot_id })
}

fn positions_text(positions: &[Position]) -> String {
    let positions = positions.iter().map(|position| {
        json!({
            "database": position.table.database,
            "table": position.table.table,
            "uuid": position.uuid.to_string(),
            "snapshot": position.snapshot_id,
        })
    });
    Value::Array(positions.collect()).to_string()
}

fn position(value: &Value) -> Option<Position> {
    let (table, uuid) = table(value)?;
    Some(Position { table, uuid, snapshot_id: number(value, "snapshot")? })
}

fn table(value: &Value) -> Option<(TableName, Uuid)> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let name = TableName::stored(text("database")?, text("table")?);
    Some((name, Uuid::parse_str(text("uuid")?).ok()?))
}

/// A number or null under a key that must be there.
fn number(value: &Value, key: &str) -> Option<Option<i64>> {
    match value.get(key)? {
        Value::Null => Some(None),
        number => Some(Some(number.as_i64()?)),
    }
}

fn list<T>(row: &Row<'_>, column: usize, item: fn(&Value) -> Option<T>) -> rusqlite::Result<Vec<T>> {
    let text: String = row.get(column)?;
    let items: Vec<Value> = serde_json::from_str(&text).map_err(|error| damaged(column, error))?;
    let items = items.iter().map(item).collect::<Option<Vec<T>>>();
    items.ok_or_else(|| damaged(column, format!("`{text}` is not what is written there")))
}

fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| damaged(column, error))
}

fn damaged(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
