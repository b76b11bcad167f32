//! What became of a snapshot that was committed once: it is in the table's history, it has expired, or the table was set
//! back to a time before it.
//!
//! Iceberg keeps no record of snapshots that are gone. What can be known follows from the parents of the current snapshot: if
//! they lead back to the first snapshot of all, a snapshot that is not among them was left behind. If they end before it, older
//! snapshots have expired, and a snapshot that was committed before that end is taken for one of them. Where they end, Java
//! leaves the number of the parent that is gone; PyIceberg takes it out, and the sequence number tells that there was one.

use std::collections::HashMap;

use iceberg::spec::{Snapshot, SnapshotRef, TableMetadata};

/// The entry of a summary that names the snapshot whose changes were applied again (Iceberg's cherry-pick).
const SOURCE_SNAPSHOT: &str = "source-snapshot-id";

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is the current one or an ancestor of it.
    Current,
    /// It has expired: its files may still be in the table.
    Expired,
    /// The table was set back past it, or it never became an ancestor: its rows are not in the table.
    RolledBack,
}

impl Fate {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Expired => "expired",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// The current snapshot of a table and its ancestors, as far as its metadata has them.
#[derive(Clone, Debug, Default)]
pub struct Ancestry {
    /// Oldest first, each the parent of the next.
    snapshots: Vec<SnapshotRef>,
    /// Of an ancestor, and of a snapshot that it was picked from: the ancestor's place.
    places: HashMap<i64, usize>,
    /// Whether the oldest is not the first of all.
    is_cut: bool,
}

/// The sequence number of a table's first snapshot; tables of version 1 have none, which reads as 0.
const FIRST_SEQUENCE_NUMBER: i64 = 1;

impl Ancestry {
    /// That of a table's current snapshot.
    pub fn of(metadata: &TableMetadata) -> Self {
        let mut snapshots: Vec<SnapshotRef> = Vec::new();
        let mut places = HashMap::new();
        let mut next = metadata.current_snapshot().cloned();
        let mut is_cut = false;
        while let Some(snapshot) = next {
            // Damaged metadata may have a circle of parents.
            if places.insert(snapshot.snapshot_id(), 0).is_some() {
                break;
            }
            let parent = snapshot.parent_snapshot_id();
            next = parent.and_then(|id| metadata.snapshot_by_id(id)).cloned();
            let is_later = snapshot.sequence_number() > FIRST_SEQUENCE_NUMBER;
            is_cut = next.is_none() && (parent.is_some() || is_later);
            snapshots.push(snapshot);
        }
        snapshots.reverse();
        for (at, snapshot) in snapshots.iter().enumerate() {
            places.insert(snapshot.snapshot_id(), at);
        }
        for (at, snapshot) in snapshots.iter().enumerate() {
            let picked = snapshot.summary().additional_properties.get(SOURCE_SNAPSHOT);
            if let Some(id) = picked.and_then(|id| id.parse().ok()) {
                places.entry(id).or_insert(at);
            }
        }
        Self { snapshots, places, is_cut }
    }

    /// The current snapshot and its ancestors, oldest first.
    pub fn snapshots(&self) -> &[SnapshotRef] {
        &self.snapshots
    }

    /// Whether older snapshots than the oldest one here have expired.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The ancestor that a snapshot is, or that applied its changes.
    pub fn find(&self, snapshot_id: i64) -> Option<&SnapshotRef> {
        self.places.get(&snapshot_id).and_then(|at| self.snapshots.get(*at))
    }

    /// What became of a snapshot of this table that was committed at about that time.
    pub fn fate(&self, metadata: &TableMetadata, snapshot_id: i64, committed_at_ms: i64) -> Fate {
        if self.places.contains_key(&snapshot_id) {
            return Fate::Current;
        }
        let Some(oldest) = self.snapshots.first().filter(|_| self.is_cut) else { return Fate::RolledBack };
        let is_older = match metadata.snapshot_by_id(snapshot_id) {
            // Without a parent the oldest may also have replaced the table as a whole.
            Some(snapshot) => oldest.parent_snapshot_id().is_some() && number(snapshot) < number(oldest),
            None => committed_at_ms <= oldest.timestamp_ms(),
        };
        if is_older { Fate::Expired } else { Fate::RolledBack }
    }
}

fn number(snapshot: &Snapshot) -> (i64, i64) {
    (snapshot.sequence_number(), snapshot.timestamp_ms())
}

#[cfg(test)]
mod tests;
