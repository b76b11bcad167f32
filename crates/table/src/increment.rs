//! Which snapshots of a table are new to somebody who has taken it up to one of them, and whether their rows are all that
//! became different since.

use std::collections::HashSet;

use iceberg::spec::{Operation, Snapshot, SnapshotRef, TableMetadata};

/// The snapshots after a position up to the current one.
#[derive(Clone, Debug, Default)]
pub struct NewSnapshots {
    /// Oldest first, each the parent of the next. Each has appended files, or only rewritten them ([`Operation::Replace`]).
    pub snapshots: Vec<SnapshotRef>,
}

/// Why the rows of new snapshots are not all that became different since a position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The position is no ancestor of the current snapshot.
    #[error("it was rolled back past the snapshot up to which it was taken")]
    RolledBack,
    /// A snapshot between the position and the current one is not in the metadata.
    #[error("snapshots after the one up to which it was taken have expired")]
    Expired,
    /// Rows were changed or taken away.
    #[error("its rows were changed by the {operation} of snapshot {snapshot_id}")]
    Overwritten {
        /// The first snapshot that did so.
        snapshot_id: i64,
        /// Its operation.
        operation: String,
    },
}

impl NewSnapshots {
    /// Those that appended files, oldest first.
    pub fn appended(&self) -> impl Iterator<Item = &SnapshotRef> {
        self.snapshots.iter().filter(|snapshot| snapshot.summary().operation == Operation::Append)
    }

    /// Whether some of them rewrote files.
    pub fn has_replace(&self) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.summary().operation == Operation::Replace)
    }
}

/// The snapshots of a table after `after`.
///
/// Without a position nothing was taken, so that everything which the current snapshot has is new, however it came there:
/// the snapshots are then its ancestors as far as they are known, and there is no [`Gap`].
///
/// # Errors
/// [`Gap`].
pub fn new_snapshots(metadata: &TableMetadata, after: Option<i64>) -> Result<NewSnapshots, Gap> {
    let mut snapshots = Vec::new();
    let mut seen = HashSet::new();
    let mut next = metadata.current_snapshot().map(|snapshot| snapshot.snapshot_id());
    let met = loop {
        if next == after {
            break true;
        }
        // Damaged metadata may have a circle of parents.
        let Some(snapshot) = next.filter(|id| seen.insert(*id)).and_then(|id| metadata.snapshot_by_id(id))
        else {
            break false;
        };
        snapshots.push(snapshot.clone());
        next = snapshot.parent_snapshot_id();
    };
    snapshots.reverse();
    let Some(after) = after else { return Ok(NewSnapshots { snapshots }) };
    if !met {
        return Err(gap(metadata, after, snapshots.first().filter(|_| next.is_some())));
    }
    let kept = |snapshot: &&SnapshotRef| {
        matches!(snapshot.summary().operation, Operation::Append | Operation::Replace)
    };
    match snapshots.iter().find(|snapshot| !kept(snapshot)) {
        Some(snapshot) => Err(Gap::Overwritten {
            snapshot_id: snapshot.snapshot_id(),
            operation: snapshot.summary().operation.as_str().to_owned(),
        }),
        None => Ok(NewSnapshots { snapshots }),
    }
}

/// Why a walk from the current snapshot did not come to a position. `oldest` is where it ended, if that has a parent.
fn gap(metadata: &TableMetadata, after: i64, oldest: Option<&SnapshotRef>) -> Gap {
    let Some(oldest) = oldest else { return Gap::RolledBack };
    // What is younger than an ancestor and none itself was left behind.
    let is_younger = |taken: &SnapshotRef| number(taken) >= number(oldest);
    match metadata.snapshot_by_id(after) {
        Some(taken) if is_younger(taken) => Gap::RolledBack,
        _ => Gap::Expired,
    }
}

fn number(snapshot: &Snapshot) -> (i64, i64) {
    (snapshot.sequence_number(), snapshot.timestamp_ms())
}

#[cfg(test)]
pub(crate) mod tests;
