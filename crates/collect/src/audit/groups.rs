//! The ledger by operations: all sources of one command were committed together, so their rows are compared together.

use std::collections::HashMap;

use hosu_catalog::LedgerRow;
use uuid::Uuid;

/// The sources that one operation committed.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub operation: Uuid,
    pub snapshot_id: Option<i64>,
    pub committed_at_ms: i64,
    pub rows: u64,
    pub rejected: u64,
    pub sources: Vec<&'a LedgerRow>,
}

impl<'a> Group<'a> {
    /// The name of the first source.
    pub fn first(&self) -> &'a str {
        self.sources.first().map_or("", |row| row.source.as_str())
    }

    /// The sources in words.
    pub fn named(&self) -> String {
        match self.sources.len() {
            0 | 1 => self.first().to_owned(),
            more => format!("{} and {} more", self.first(), more - 1),
        }
    }
}

/// The operations of a ledger, in its order.
pub(super) fn groups(ledger: &[LedgerRow]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<(Uuid, Option<i64>), usize> = HashMap::new();
    for row in ledger {
        let at = *places.entry((row.operation_id, row.snapshot_id)).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                operation: row.operation_id,
                snapshot_id: row.snapshot_id,
                committed_at_ms: row.ingested_at_ms,
                rows: 0,
                rejected: 0,
                sources: Vec::new(),
            });
        }
        if let Some(group) = groups.get_mut(at) {
            group.rows += row.rows;
            group.rejected += row.rejected;
            group.sources.push(row);
        }
    }
    groups
}
