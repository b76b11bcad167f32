//! The report of an ingest, from what its pass counted and its commit made.

use std::collections::{BTreeMap, HashMap};

use hosu_catalog::Committed;

use super::pass::{Harvest, Yield};
use super::{Plan, Run, account};
use crate::report::{ChangeKind, Report, SourceReport, SourceStatus};
use crate::source::Source;

impl Run<'_> {
    /// All sources are in the table already.
    pub(super) fn report_nothing_new(&self) -> Report {
        let skipped = self.found.sources.iter().map(skipped);
        self.summed(skipped.collect())
    }

    /// What a harvest is, or has become by its commit.
    pub(super) fn report(&self, plan: &Plan, harvest: &Harvest, committed: Option<&Committed>) -> Report {
        let mut yields: HashMap<&str, &Yield> =
            plan.todo.iter().map(|todo| todo.source.name.as_str()).zip(&harvest.sources).collect();
        let sources = self.found.sources.iter().map(|source| match yields.remove(source.name.as_str()) {
            Some(gives) => read(source, gives),
            None => skipped(source),
        });
        let mut report = self.summed(sources.collect());
        account::tell(&plan.table, harvest, &mut report);
        let did_something = !harvest.is_empty();
        report.table_created = plan.table.existing.is_none() && did_something;
        if plan.table.existing.is_some() {
            let added = report.schema_changes.iter().filter(|change| change.change == ChangeKind::Added);
            report.columns_added = added.map(|change| change.column.clone()).collect();
        }
        report.rejects_table = (report.rejected > 0).then(|| plan.rejects.name.to_string());
        report.data_files = (harvest.table.files.len() + harvest.rejects.files.len()) as u64;
        report.bytes_written = harvest.table.bytes + harvest.rejects.bytes;
        if let Some(committed) = committed {
            let table = committed.tables.iter().find(|table| table.uuid() == plan.table.uuid);
            let snapshot = table.filter(|_| report.rows > 0).and_then(|table| table.snapshot());
            report.snapshot_id = snapshot.map(|snapshot| snapshot.snapshot_id().to_string());
        }
        report
    }

    fn summed(&self, sources: Vec<SourceReport>) -> Report {
        let count = |status| sources.iter().filter(|source| source.status == status).count() as u64;
        let read = || sources.iter().filter(|source| source.status != SourceStatus::Skipped);
        Report {
            table: self.request.table.to_string(),
            rows: read().map(|source| source.rows).sum(),
            rejected: read().map(|source| source.rejected).sum(),
            rescued: read().map(|source| source.rescued).sum(),
            sources: count(SourceStatus::Ingested),
            sources_skipped: count(SourceStatus::Skipped),
            sources_passed_over: self.found.passed_over,
            bytes_read: read().filter_map(|source| source.bytes).sum(),
            dry_run: self.request.dry_run,
            left_out: self.found.left_out.clone(),
            sources_detail: sources,
            ..Report::of_evolution(self.request.evolution.unwrap_or_default())
        }
    }
}

fn skipped(source: &Source) -> SourceReport {
    SourceReport {
        source: source.name.clone(),
        status: SourceStatus::Skipped,
        format: None,
        compression: None,
        rows: 0,
        rejected: 0,
        rescued: 0,
        from_byte: 0,
        bytes: source.size_bytes(),
        envelope_fields: BTreeMap::new(),
    }
}

fn read(source: &Source, gives: &Yield) -> SourceReport {
    SourceReport {
        source: source.name.clone(),
        status: if gives.is_empty() { SourceStatus::Empty } else { SourceStatus::Ingested },
        format: gives.content_kind.map(|content| content.to_string()),
        compression: gives.compression,
        rows: gives.rows,
        rejected: gives.rejected,
        rescued: gives.rescued,
        from_byte: gives.from_byte,
        bytes: Some(gives.stored_bytes.saturating_sub(gives.from_byte)),
        envelope_fields: gives.left_out.iter().cloned().collect(),
    }
}
