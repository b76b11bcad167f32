//! What later snapshots did to ingested rows, and what snapshots did that no ingest made: each is named.

use std::collections::{BTreeMap, BTreeSet};

use hosu_catalog::Table;
use hosu_table::commit::{OPERATION_ID, summary_count};
use iceberg::spec::{Operation, Snapshot};

use super::counted;
use super::history::{Count, History, Step};
use super::judge::{Facts, Judge, Known, LISTED_MAX, NAMES_MAX};
use super::report::{AuditFinding, OtherWriter, Removal};

/// Of so many operations it is remembered whose rows are in files that were rewritten.
const CARRIED_MAX: usize = 1_000;

/// Looks at each step of a table's history.
pub(super) fn judge(judge: &mut Judge<'_>, table: &Table, history: &History, known: &Known) {
    // Which operations' rows may be in the files of a snapshot: its own, and those of files that it rewrote.
    let mut carried = known.clone();
    expired_others(judge, table, history, known);
    for step in &history.steps {
        let id = step.snapshot.snapshot_id();
        let ours: BTreeSet<usize> = step
            .removed
            .keys()
            .filter_map(|id| carried.get(id))
            .flatten()
            .copied()
            .take(CARRIED_MAX)
            .collect();
        summary(judge, table, step, known);
        if !known.contains_key(&id) {
            other(judge, table, step);
        }
        let marks = (step.rows_marked > 0 || step.by_value) && !known.is_empty();
        if step.snapshot.summary().operation == Operation::Replace && !marks {
            rewritten(judge, table, step, known);
        } else if !ours.is_empty() || marks {
            removed(judge, table, step, &ours);
        }
        carried.entry(id).or_default().extend(ours);
    }
}

fn total(removed: &BTreeMap<i64, Count>) -> Count {
    removed.values().copied().fold(Count::default(), Count::plus)
}

/// A rewrite keeps all rows.
fn rewritten(judge: &mut Judge<'_>, table: &Table, step: &Step, known: &Known) {
    let (removed, added) = (total(&step.removed).rows, step.added.rows);
    if removed == added {
        return;
    }
    let id = step.snapshot.snapshot_id();
    let mut finding = judge.of_snapshot("rewrite_changed_rows", table, id, known);
    (finding.expected, finding.found) = (Some(removed), Some(added));
    finding.message = format!(
        "snapshot {id} ({}) says that it only rewrote files, and made {added} rows of {removed}",
        told(judge.facts, &step.snapshot)
    );
    judge.find(finding);
}

fn removed(judge: &mut Judge<'_>, table: &Table, step: &Step, ours: &BTreeSet<usize>) {
    let sources: Vec<&str> = ours
        .iter()
        .filter_map(|at| judge.groups.get(*at))
        .flat_map(|group| &group.sources)
        .map(|row| row.source.as_str())
        .collect();
    let removal = Removal {
        table: table.name.to_string(),
        snapshot_id: step.snapshot.snapshot_id().to_string(),
        operation: step.snapshot.summary().operation.as_str().to_owned(),
        committed_at_ms: step.snapshot.timestamp_ms(),
        writer: writer(judge.facts, &step.snapshot),
        rows_removed: total(&step.removed).rows,
        rows_added: step.added.rows,
        rows_marked: step.rows_marked,
        by_value: step.by_value,
        sources: sources.iter().take(NAMES_MAX).map(|name| (*name).to_owned()).collect(),
        sources_count: sources.len() as u64,
    };
    if !judge.facts.allow_removed {
        judge.find(finding_of(&removal, told(judge.facts, &step.snapshot)));
    }
    if judge.audit.removed.len() < LISTED_MAX {
        judge.audit.removed.push(removal);
    }
}

fn finding_of(removal: &Removal, told: String) -> AuditFinding {
    let mut what = Vec::new();
    if removal.rows_removed > 0 && removal.rows_added > 0 {
        what.push(format!("replaced {} by {}", rows(removal.rows_removed), removal.rows_added));
    } else if removal.rows_removed > 0 {
        what.push(format!("removed {}", rows(removal.rows_removed)));
    }
    if removal.rows_marked > 0 {
        what.push(format!("marked {} as deleted", rows(removal.rows_marked)));
    }
    if removal.by_value {
        what.push("deletes rows by their values".to_owned());
    }
    let of = match removal.sources.as_slice() {
        [] => String::new(),
        [first] => format!(" of {first}"),
        [first, ..] => format!(" of {first} and {} more", removal.sources_count.saturating_sub(1)),
    };
    AuditFinding {
        kind: "rows_removed",
        table: removal.table.clone(),
        source: removal.sources.first().cloned(),
        sources: removal.sources_count,
        snapshot_id: Some(removal.snapshot_id.clone()),
        path: None,
        expected: Some(removal.rows_removed),
        found: Some(removal.rows_added),
        message: format!("snapshot {} ({told}) {}{of}", removal.snapshot_id, what.join(", and ")),
    }
}

fn rows(count: u64) -> String {
    counted(count, "row")
}

/// The counts in a summary are those of the manifests. What an ingest added is compared with its ledger elsewhere.
fn summary(judge: &mut Judge<'_>, table: &Table, step: &Step, known: &Known) {
    let id = step.snapshot.snapshot_id();
    let compared = [
        ("added-records", step.added.rows, step.rows_listed_added, !known.contains_key(&id)),
        ("deleted-records", total(&step.removed).rows, step.rows_listed_removed, true),
    ];
    for (key, found, listed, wanted) in compared {
        // A file may be listed as taken out and put in again.
        let said =
            summary_count(step.snapshot.summary(), key).filter(|said| *said != found && *said != listed);
        let Some(said) = said.filter(|_| wanted) else { continue };
        let mut finding = judge.of_snapshot("summary_rows", table, id, known);
        (finding.expected, finding.found) = (Some(said), Some(found));
        finding.message = format!(
            "snapshot {id} ({}) says {key} {said}, its manifests have {found}",
            told(judge.facts, &step.snapshot)
        );
        judge.find(finding);
    }
}

fn other(judge: &mut Judge<'_>, table: &Table, step: &Step) {
    if judge.audit.others.len() < LISTED_MAX {
        judge.audit.others.push(OtherWriter {
            table: table.name.to_string(),
            snapshot_id: step.snapshot.snapshot_id().to_string(),
            operation: step.snapshot.summary().operation.as_str().to_owned(),
            committed_at_ms: Some(step.snapshot.timestamp_ms()),
            writer: writer(judge.facts, &step.snapshot),
            data_files: step.added.files,
            rows_added: step.added.rows,
            rows_removed: total(&step.removed).rows,
        });
    }
}

/// Files of snapshots that have expired and that the ledger does not know.
fn expired_others(judge: &mut Judge<'_>, table: &Table, history: &History, known: &Known) {
    for (id, count) in history.base.iter().filter(|(id, _)| !known.contains_key(id)) {
        if judge.audit.others.len() == LISTED_MAX {
            return;
        }
        let snapshot = history.ancestry.find(*id);
        let job = judge.facts.runs.iter().find(|run| run.snapshot_id == Some(*id));
        let writer = match (snapshot, job) {
            (Some(snapshot), _) => writer(judge.facts, snapshot),
            (None, Some(run)) => format!("job {}", run.job),
            (None, None) => "unknown".to_owned(),
        };
        let operation = snapshot.map_or("expired", |snapshot| snapshot.summary().operation.as_str());
        judge.audit.others.push(OtherWriter {
            table: table.name.to_string(),
            snapshot_id: id.to_string(),
            operation: operation.to_owned(),
            committed_at_ms: snapshot.map(|snapshot| snapshot.timestamp_ms()),
            writer,
            data_files: count.files,
            rows_added: count.rows,
            rows_removed: 0,
        });
    }
}

/// Operation, writer and time of a snapshot in words.
fn told(facts: &Facts<'_>, snapshot: &Snapshot) -> String {
    let time = chrono::DateTime::from_timestamp_millis(snapshot.timestamp_ms());
    let time = time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    format!("{} by {}, {time}", snapshot.summary().operation.as_str(), writer(facts, snapshot))
}

/// Who committed a snapshot, as far as it is known.
fn writer(facts: &Facts<'_>, snapshot: &Snapshot) -> String {
    let said = |key: &str| snapshot.summary().additional_properties.get(key).cloned();
    let run = facts.runs.iter().find(|run| run.snapshot_id == Some(snapshot.snapshot_id()));
    if let Some(job) = run.map(|run| run.job.clone()).or_else(|| said("hosu.job")) {
        return format!("job {job}");
    }
    if said(OPERATION_ID).is_some() {
        return "hosu".to_owned();
    }
    let engine = said("engine-name").map(|name| match said("engine-version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    });
    engine.or_else(|| said("iceberg-version")).unwrap_or_else(|| "unknown".to_owned())
}
