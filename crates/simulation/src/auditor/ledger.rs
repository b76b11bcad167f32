//! The ledger against what is there: each batch that is in the table has one row, and no other has any.

use std::collections::BTreeMap;

use hosu_catalog::{Catalog, Table};

use super::{Audit, Finding};
use crate::world::World;

pub(super) async fn check(audit: &mut Audit, catalog: &Catalog, world: &World, table: &Table) {
    let rows = match catalog.ledger(table.uuid(), None).await {
        Ok(rows) => rows,
        Err(error) => return audit.findings.push(Finding::Catalog(error.to_string())),
    };
    let mut findings = Vec::new();
    let mut said = |text: String| findings.push(Finding::Ledger(text));
    let sent = world.book.sent();
    let by_source: BTreeMap<String, _> =
        sent.values().map(|batch| (world.source(&batch.source()), batch)).collect();
    let mut times: BTreeMap<i64, usize> = BTreeMap::new();
    let mut by_snapshot: BTreeMap<i64, u64> = BTreeMap::new();
    for row in &rows {
        let Some(batch) = by_source.get(&row.source) else {
            said(format!("{} was never sent", row.source));
            continue;
        };
        *times.entry(batch.number).or_default() += 1;
        if (row.rows, row.rejected) != (batch.events as u64, batch.bad_lines as u64) {
            said(format!(
                "{}: {} rows and {} rejected are not what was sent",
                row.source, row.rows, row.rejected
            ));
        }
        if let Some(id) = row.snapshot_id {
            *by_snapshot.entry(id).or_default() += row.rows;
        }
    }
    for number in sent.keys() {
        let times = times.get(number).copied().unwrap_or(0);
        if times != usize::from(audit.visible.contains(number)) {
            let there = if audit.visible.contains(number) { "is there" } else { "is not there" };
            said(format!("batch {number} {there}, and has {times} rows"));
        }
    }
    for (id, rows) in by_snapshot {
        let summary = table.metadata.snapshot_by_id(id).map(|s| &s.summary().additional_properties);
        let count = |key: &str| summary.and_then(|s| s.get(key)?.parse::<u64>().ok());
        // Who replaces all rows adds those again that were there.
        let more =
            count("added-records").map(|added| added.saturating_sub(count("deleted-records").unwrap_or(0)));
        if more != Some(rows) {
            said(format!("{rows} rows of snapshot {id}, which added {more:?}"));
        }
    }
    audit.findings.extend(findings);
}
