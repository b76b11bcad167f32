//! The ledger against the table and its rejects: four numbers of each commit, and what has no commit at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hosu_catalog::{JobRun, LedgerRow, Table};
use hosu_table::commit::{OPERATION_ID, summary_count};
use hosu_table::fate::Fate;
use uuid::Uuid;

use super::counted;
use super::groups::{Group, groups};
use super::history::{Count, History};
use super::removals;
use super::report::{Audit, AuditFinding, Repeated};

/// So many findings are told one by one.
pub(super) const LISTED_MAX: usize = 1_000;

/// So many names are told of one thing.
pub(super) const NAMES_MAX: usize = 10;

/// All that is compared.
pub(super) struct Facts<'a> {
    pub table: &'a Table,
    pub history: &'a History,
    pub rejects: Option<(&'a Table, &'a History)>,
    pub ledger: &'a [LedgerRow],
    pub runs: &'a [JobRun],
    pub allow_removed: bool,
}

/// Compares, and says what was found.
pub(super) fn judge(facts: &Facts<'_>) -> Audit {
    let groups = groups(facts.ledger);
    let mut judge = Judge { facts, groups: &groups, audit: Audit::default() };
    judge.totals();
    judge.rows();
    judge.rejects();
    let history = facts.history;
    let known = judge.known();
    judge.files(facts.table, history, &known);
    removals::judge(&mut judge, facts.table, history, &known);
    if let Some((table, history)) = facts.rejects {
        let known = judge.known_rejects(table);
        judge.files(table, history, &known);
        removals::judge(&mut judge, table, history, &known);
    }
    judge.audit.repeated = repeated(facts.ledger);
    judge.audit
}

/// Which operations the snapshots of a table were made by: places in the list of groups.
pub(super) type Known = HashMap<i64, BTreeSet<usize>>;

pub(super) struct Judge<'a> {
    pub facts: &'a Facts<'a>,
    pub groups: &'a [Group<'a>],
    pub audit: Audit,
}

impl Judge<'_> {
    pub fn find(&mut self, finding: AuditFinding) {
        self.audit.findings_count += 1;
        if self.audit.findings.len() < LISTED_MAX {
            self.audit.findings.push(finding);
        }
    }

    fn of_group(&self, kind: &'static str, table: &Table, group: &Group<'_>) -> AuditFinding {
        AuditFinding {
            kind,
            table: table.name.to_string(),
            source: Some(group.first().to_owned()),
            sources: group.sources.len() as u64,
            snapshot_id: group.snapshot_id.map(|id| id.to_string()),
            ..AuditFinding::default()
        }
    }

    fn totals(&mut self) {
        let facts = self.facts;
        self.audit.table = facts.table.name.to_string();
        self.audit.snapshot_id = facts.table.snapshot().map(|snapshot| snapshot.snapshot_id().to_string());
        self.audit.rows = facts.history.live.counted_rows;
        self.audit.data_files = facts.history.live.files;
        self.audit.sources = facts.ledger.len() as u64;
        self.audit.rows_ingested = facts.ledger.iter().map(|row| row.rows).sum();
        self.audit.rejected = facts.ledger.iter().map(|row| row.rejected).sum();
    }

    /// The rows of each operation.
    fn rows(&mut self) {
        let (facts, groups) = (self.facts, self.groups);
        let mut short = 0;
        for group in groups {
            let status = match group.snapshot_id {
                None if group.rows == 0 => "rejected",
                None => {
                    let mut finding = self.of_group("no_snapshot", facts.table, group);
                    finding.message = format!(
                        "the ledger says that {} gave {} rows, and names no snapshot",
                        group.named(),
                        group.rows
                    );
                    self.find(finding);
                    "no_snapshot"
                }
                Some(id) => {
                    let fate = fate(facts.table, facts.history, id, group.committed_at_ms);
                    match fate {
                        Fate::Current => self.compare(facts.table, facts.history, group, id, group.rows),
                        Fate::Expired => {
                            short += group.rows.saturating_sub(self.expired(facts.history, group, id));
                        }
                        Fate::RolledBack => self.rolled_back(facts.table, group, id, group.rows, "row"),
                    }
                    fate.as_str()
                }
            };
            *self.audit.sources_by_status.entry(status.to_owned()).or_default() += group.sources.len() as u64;
        }
        let ids: BTreeSet<i64> = groups.iter().filter_map(|group| group.snapshot_id).collect();
        let others = facts.history.base.iter().filter(|(id, _)| !ids.contains(id));
        let rewritten: u64 = others.map(|(_, count)| count.rows).sum();
        self.unaccounted(facts.table, short, rewritten);
    }

    /// The ledger, the summary, the manifests and the data files say the same number.
    fn compare(&mut self, table: &Table, history: &History, group: &Group<'_>, id: i64, expected: u64) {
        let snapshot = history.ancestry.find(id);
        let added =
            snapshot.and_then(|snapshot| history.added_by(snapshot.snapshot_id())).unwrap_or_default();
        let summary = snapshot.and_then(|snapshot| summary_count(snapshot.summary(), "added-records"));
        let counted = (added.uncounted == 0).then_some(added.counted_rows);
        let differs = |said: Option<u64>| said.filter(|said| *said != expected);
        let Some(found) = differs(counted).or(differs(Some(added.rows))).or(differs(summary)) else { return };
        let text = |number: Option<u64>, none: &str| number.map_or(none.to_owned(), |n| n.to_string());
        let mut finding = self.of_group("rows_added", table, group);
        finding.snapshot_id = Some(id.to_string());
        (finding.expected, finding.found) = (Some(expected), Some(found));
        finding.message = format!(
            "{}: {expected} by the ledger; snapshot {id} added {} by its summary, {} by its manifests, {} by its data files",
            group.named(),
            text(summary, "an unknown number"),
            added.rows,
            text(counted, "an unknown number"),
        );
        self.find(finding);
    }

    /// How many rows of an operation can still be seen after its snapshot has expired.
    fn expired(&mut self, history: &History, group: &Group<'_>, id: i64) -> u64 {
        let added = history.added_by(id).unwrap_or_default();
        if added.rows > group.rows {
            let mut finding = self.of_group("rows_added", self.facts.table, group);
            (finding.expected, finding.found) = (Some(group.rows), Some(added.rows));
            finding.message = format!(
                "{}: {} rows by the ledger; of snapshot {id}, which has expired, the table has {}",
                group.named(),
                group.rows,
                added.rows
            );
            self.find(finding);
        }
        added.rows
    }

    fn rolled_back(&mut self, table: &Table, group: &Group<'_>, id: i64, rows: u64, what: &str) {
        let current = table.snapshot().map(|snapshot| snapshot.snapshot_id());
        let mut finding = self.of_group("rolled_back", table, group);
        finding.snapshot_id = Some(id.to_string());
        (finding.expected, finding.found) = (Some(rows), Some(0));
        let current = current.map_or("the table has no snapshot".to_owned(), |id| format!("{id} is current"));
        let counted = counted(rows, what);
        finding.message = format!(
            "{}: snapshot {id} with {counted} is no ancestor of the current one: the table was rolled back ({current})",
            group.named()
        );
        self.find(finding);
    }

    /// Rows of expired snapshots that are in no file of theirs any more must be in files that others have made of them.
    fn unaccounted(&mut self, table: &Table, short: u64, rewritten: u64) {
        if short <= rewritten {
            return;
        }
        let missing = short - rewritten;
        self.find(AuditFinding {
            kind: "unaccounted",
            table: table.name.to_string(),
            expected: Some(short),
            found: Some(rewritten),
            message: format!(
                "{missing} rows of expired snapshots are in no file of the oldest snapshot that is known, and \
                 what took them out has expired too"
            ),
            ..AuditFinding::default()
        });
    }

    /// The rejected records of each operation.
    fn rejects(&mut self) {
        let (facts, groups) = (self.facts, self.groups);
        let with_rejects = || groups.iter().filter(|group| group.rejected > 0);
        let Some((table, history)) = facts.rejects else {
            for group in with_rejects() {
                let mut finding = self.of_group("rejects_missing", facts.table, group);
                finding.table = facts.table.name.rejects().to_string();
                (finding.expected, finding.found) = (Some(group.rejected), Some(0));
                finding.message = format!(
                    "{}: {}, and there is no rejects table",
                    group.named(),
                    were_rejected(group.rejected)
                );
                self.find(finding);
            }
            return;
        };
        let snapshots = by_operation(table);
        let mut short = 0;
        for group in with_rejects() {
            match snapshots.get(&group.operation) {
                Some(id) => match fate(table, history, *id, group.committed_at_ms) {
                    Fate::RolledBack => {
                        self.rolled_back(table, group, *id, group.rejected, "rejected record")
                    }
                    Fate::Current => self.compare(table, history, group, *id, group.rejected),
                    Fate::Expired => {}
                },
                None => {
                    let seen = history.base_by_operation.get(&group.operation).copied().unwrap_or_default();
                    short += self.expired_rejects(table, history, group, seen);
                }
            }
        }
        let known: BTreeSet<Uuid> = groups.iter().map(|group| group.operation).collect();
        let others = history.base_by_operation.iter().filter(|(operation, _)| !known.contains(operation));
        let rewritten: u64 = others.map(|(_, count)| count.rows).sum();
        self.unaccounted(table, short, rewritten);
    }

    /// How many rejected records of an operation cannot be seen any more, where nothing says that they should.
    fn expired_rejects(&mut self, table: &Table, history: &History, group: &Group<'_>, seen: Count) -> u64 {
        let missing = group.rejected.saturating_sub(seen.rows);
        if missing == 0 || history.ancestry.is_cut() {
            return missing;
        }
        let mut finding = self.of_group("rejects_missing", table, group);
        finding.snapshot_id = None;
        (finding.expected, finding.found) = (Some(group.rejected), Some(seen.rows));
        finding.message = format!(
            "{}: {}, and no snapshot of {} is of that commit",
            group.named(),
            were_rejected(group.rejected),
            table.name
        );
        self.find(finding);
        0
    }

    /// Data files that are not what they should be, and those that are there twice.
    fn files(&mut self, table: &Table, history: &History, known: &Known) {
        for fault in &history.faults {
            let mut finding = self.of_snapshot(fault.kind, table, fault.added_by, known);
            finding.path = Some(fault.path.clone());
            (finding.expected, finding.found) = (Some(fault.expected), fault.found);
            finding.message = format!(
                "a data file of snapshot {} with {} rows{}: {}",
                fault.added_by,
                fault.expected,
                of_source(&finding),
                fault.message
            );
            self.find(finding);
        }
        self.audit.findings_count += history.faults_count.saturating_sub(history.faults.len() as u64);
        for (path, added_by, rows) in &history.doubled {
            let first = added_by.first().copied().unwrap_or_default();
            let mut finding = self.of_snapshot("file_twice", table, first, known);
            finding.path = Some(path.clone());
            (finding.expected, finding.found) = (Some(1), Some(added_by.len() as u64));
            let by: BTreeSet<String> = added_by.iter().map(i64::to_string).collect();
            let by: Vec<String> = by.into_iter().collect();
            finding.message = format!(
                "a data file with {rows} rows{} is in the table {} times, added by snapshots {}",
                of_source(&finding),
                added_by.len(),
                by.join(", ")
            );
            self.find(finding);
        }
    }

    /// A finding about a snapshot, with the sources that it is of.
    pub fn of_snapshot(&self, kind: &'static str, table: &Table, id: i64, known: &Known) -> AuditFinding {
        let groups = known.get(&id).into_iter().flatten().filter_map(|at| self.groups.get(*at));
        let mut sources = groups.flat_map(|group| &group.sources).peekable();
        AuditFinding {
            kind,
            table: table.name.to_string(),
            source: sources.peek().map(|row| row.source.clone()),
            sources: sources.count() as u64,
            snapshot_id: Some(id.to_string()),
            ..AuditFinding::default()
        }
    }

    /// The snapshots of the table that the ledger knows.
    fn known(&self) -> Known {
        let mut known = Known::new();
        for (at, group) in self.groups.iter().enumerate() {
            let Some(id) = group.snapshot_id else { continue };
            // A snapshot that was picked counts under the ancestor that has its changes.
            let id = self.facts.history.ancestry.find(id).map_or(id, |ancestor| ancestor.snapshot_id());
            known.entry(id).or_default().insert(at);
        }
        known
    }

    /// The snapshots of the rejects table that are of operations in the ledger.
    fn known_rejects(&self, table: &Table) -> Known {
        let snapshots = by_operation(table);
        let mut known = Known::new();
        for (at, group) in self.groups.iter().enumerate().filter(|(_, group)| group.rejected > 0) {
            if let Some(id) = snapshots.get(&group.operation) {
                known.entry(*id).or_default().insert(at);
            }
        }
        known
    }
}

fn of_source(finding: &AuditFinding) -> String {
    finding.source.as_ref().map_or(String::new(), |source| format!(" of {source}"))
}

/// What became of a snapshot. Files that it added and that are still there say that it was an ancestor.
fn fate(table: &Table, history: &History, id: i64, committed_at_ms: i64) -> Fate {
    match history.ancestry.fate(&table.metadata, id, committed_at_ms) {
        Fate::RolledBack if history.base.contains_key(&id) => Fate::Expired,
        fate => fate,
    }
}

/// The snapshots of a table by the operation that their summary names.
fn by_operation(table: &Table) -> HashMap<Uuid, i64> {
    let named = table.metadata.snapshots().filter_map(|snapshot| {
        let operation = snapshot.summary().additional_properties.get(OPERATION_ID)?;
        Some((Uuid::parse_str(operation).ok()?, snapshot.snapshot_id()))
    });
    named.collect()
}

/// Contents that are in the ledger more than once.
fn repeated(ledger: &[LedgerRow]) -> Vec<Repeated> {
    let mut by_content: BTreeMap<(&str, u64, u64), Vec<&LedgerRow>> = BTreeMap::new();
    for row in ledger {
        by_content.entry((&row.content, row.size_bytes, row.from_byte)).or_default().push(row);
    }
    let repeated = by_content.into_iter().filter(|(_, rows)| rows.len() > 1);
    let repeated = repeated.map(|((content, ..), rows)| {
        let sources: BTreeSet<&String> = rows.iter().map(|row| &row.source).collect();
        let snapshots = rows.iter().filter_map(|row| row.snapshot_id);
        Repeated {
            content: content.to_owned(),
            times: rows.len() as u64,
            sources: sources.into_iter().take(NAMES_MAX).cloned().collect(),
            snapshot_ids: snapshots.take(NAMES_MAX).map(|id| id.to_string()).collect(),
            rows: rows.first().map_or(0, |row| row.rows),
        }
    });
    repeated.take(LISTED_MAX).collect()
}

fn were_rejected(records: u64) -> String {
    format!("{} {} rejected", counted(records, "record"), if records == 1 { "was" } else { "were" })
}
