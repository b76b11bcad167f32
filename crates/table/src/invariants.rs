//! What is true of a table before and after each commit that adds or replaces rows, by name.
//!
//! A commit checks them before it becomes true, and a simulation afterwards. They are written without regard to
//! how the metadata was made, so that a mistake there does not excuse itself here.

use iceberg::spec::TableMetadata;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} does not hold: {detail}")]
pub struct Violation {
    /// The invariant.
    pub name: &'static str,
    /// The values that contradict it.
    pub detail: String,
}

/// Checks all invariants of a commit by which `before` became `after` and which added `rows_added` rows.
///
/// # Errors
/// The first [`Violation`].
pub fn check_append(
    before: Option<&TableMetadata>,
    after: &TableMetadata,
    rows_added: u64,
) -> Result<(), Violation> {
    rows_preserved(before, after, rows_added)?;
    before.map_or(Ok(()), |before| check_common(before, after))
}

/// Checks all invariants of a commit by which `before` became `after` and after which the table has the `rows_added` rows
/// that it brought and no others.
///
/// # Errors
/// The first [`Violation`].
pub fn check_overwrite(
    before: Option<&TableMetadata>,
    after: &TableMetadata,
    rows_added: u64,
) -> Result<(), Violation> {
    rows_replaced(after, rows_added)?;
    before.map_or(Ok(()), |before| check_common(before, after))
}

fn check_common(before: &TableMetadata, after: &TableMetadata) -> Result<(), Violation> {
    identity_kept(before, after)?;
    sequence_increases(before, after)?;
    ids_never_reused(before, after)?;
    history_kept(before, after)
}

/// A table's UUID never changes.
pub fn identity_kept(before: &TableMetadata, after: &TableMetadata) -> Result<(), Violation> {
    hold("identity_kept", before.uuid() == after.uuid(), || format!("{} and {}", before.uuid(), after.uuid()))
}

/// A new snapshot has a higher sequence number than all before it, and follows the one that was current.
pub fn sequence_increases(before: &TableMetadata, after: &TableMetadata) -> Result<(), Violation> {
    if before.current_snapshot_id() == after.current_snapshot_id() {
        return hold(
            "sequence_increases",
            before.last_sequence_number() == after.last_sequence_number(),
            || {
                format!(
                    "{} became {} without a snapshot",
                    before.last_sequence_number(),
                    after.last_sequence_number()
                )
            },
        );
    }
    let current = after.current_snapshot();
    let follows =
        current.is_some_and(|snapshot| snapshot.parent_snapshot_id() == before.current_snapshot_id());
    let higher = after.last_sequence_number() > before.last_sequence_number()
        && current.is_some_and(|snapshot| snapshot.sequence_number() == after.last_sequence_number());
    hold("sequence_increases", follows && higher, || {
        format!("{} became {}", before.last_sequence_number(), after.last_sequence_number())
    })
}

/// The id of a column that was dropped is never given to another.
pub fn ids_never_reused(before: &TableMetadata, after: &TableMetadata) -> Result<(), Violation> {
    let (last_before, last_after) = (before.last_column_id(), after.last_column_id());
    hold("ids_never_reused", last_before <= last_after, || format!("{last_before} became {last_after}"))
}

/// A commit of rows drops no snapshot, and the log of changes keeps its order.
pub fn history_kept(before: &TableMetadata, after: &TableMetadata) -> Result<(), Violation> {
    let lost = before.snapshots().find(|snapshot| after.snapshot_by_id(snapshot.snapshot_id()).is_none());
    if let Some(lost) = lost {
        return hold("history_kept", false, || format!("snapshot {} is gone", lost.snapshot_id()));
    }
    let in_order = after.history().is_sorted_by_key(|entry| entry.timestamp_ms);
    let was_in_order = before.history().is_sorted_by_key(|entry| entry.timestamp_ms);
    hold("history_kept", in_order || !was_in_order, || "the snapshot log steps back in time".to_owned())
}

/// The rows after an append are those before and those added, as far as the summaries tell.
pub fn rows_preserved(
    before: Option<&TableMetadata>,
    after: &TableMetadata,
    rows_added: u64,
) -> Result<(), Violation> {
    let rows_before = before.map_or(Some(0), rows_told);
    match (rows_before, rows_told(after)) {
        (Some(rows_before), Some(rows_after)) => {
            hold("rows_preserved", rows_before.checked_add(rows_added) == Some(rows_after), || {
                format!("{rows_before} and {rows_added} became {rows_after}")
            })
        }
        _ => Ok(()),
    }
}

/// The rows after an overwrite are those that it brought; its summary says so.
pub fn rows_replaced(after: &TableMetadata, rows_added: u64) -> Result<(), Violation> {
    let rows_after = rows_told(after);
    hold("rows_replaced", rows_after == Some(rows_added), || format!("{rows_added} became {rows_after:?}"))
}

/// The rows of the current snapshot, if it tells.
fn rows_told(metadata: &TableMetadata) -> Option<u64> {
    match metadata.current_snapshot() {
        None => Some(0),
        Some(snapshot) => snapshot.summary().additional_properties.get("total-records")?.parse().ok(),
    }
}

fn hold(name: &'static str, holds: bool, detail: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { name, detail: detail() }) }
}
