//! Says whether the lake kept its promises: what is in it, held against the book of what was sent.
//!
//! The auditor reads metadata, manifests and data files by itself, from the store and not from a cache, and counts:
//! acknowledged events are there exactly once; others at most once, and only in whole batches, their rejects with them;
//! every file that a snapshot needs is there and is what its manifest says; the ledger says what the snapshots hold.

mod files;
mod jobs;
mod ledger;

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use hosu_catalog::Catalog;
use hosu_table::name::TableName;

use crate::book::{Batch, Book, EventId};
use crate::rows::Rows;
use crate::world::World;

pub use jobs::{JobAudit, audit_jobs};

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An acknowledged event is not there.
    Lost(EventId),
    /// An event is there more than once.
    Doubled(EventId),
    /// Some of a batch is there, some is not: so many of so many events, so many of so many rejects.
    Half {
        /// The batch.
        batch: i64,
        /// Events that are there, and that were sent.
        events: (i64, i64),
        /// Rejects that are there, and lines that were sent.
        rejects: (i64, i64),
    },
    /// An event that was never sent, or not like this.
    Changed(EventId),
    /// A rejected line that was never sent, or is there more than once.
    StrangeReject(String),
    /// A file that is needed is not there or cannot be read.
    Missing {
        /// The file.
        location: String,
        /// What needs it, and why it cannot be had.
        reason: String,
    },
    /// A file is not what is said of it.
    Differs {
        /// The file or table.
        location: String,
        /// What is said and what is.
        reason: String,
    },
    /// The ledger and the table contradict each other.
    Ledger(String),
    /// A job's target or history is not what it must be.
    Job(String),
    /// The catalog cannot be read.
    Catalog(String),
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost((batch, place)) => {
                write!(f, "event {place} of batch {batch} was acknowledged and is lost")
            }
            Self::Doubled((batch, place)) => {
                write!(f, "event {place} of batch {batch} is there more than once")
            }
            Self::Half { batch, events, rejects } => write!(
                f,
                "batch {batch} is half there: {} of {} events, {} of {} rejects",
                events.0, events.1, rejects.0, rejects.1
            ),
            Self::Changed((batch, place)) => write!(f, "event {place} of batch {batch} is not what was sent"),
            Self::StrangeReject(line) => write!(f, "the reject `{line}` was not sent like this"),
            Self::Missing { location, reason } => write!(f, "{location} is missing: {reason}"),
            Self::Differs { location, reason } => write!(f, "{location} differs: {reason}"),
            Self::Ledger(reason) => write!(f, "ledger: {reason}"),
            Self::Job(reason) => write!(f, "job: {reason}"),
            Self::Catalog(reason) => write!(f, "catalog: {reason}"),
        }
    }
}

/// What an audit found, and how much it looked at.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Broken promises; none is good.
    pub findings: Vec<Finding>,
    /// Batches that are there.
    pub visible: BTreeSet<i64>,
    /// Snapshots whose files were read.
    pub snapshots: usize,
    /// Data files that were read.
    pub data_files: usize,
}

/// Audits the table that batches were sent to, its rejects and the ledger.
pub async fn audit(world: &World, table: &TableName) -> Audit {
    let mut audit = Audit::default();
    match world.open_for_audit() {
        Ok(catalog) => audit.all(&catalog, world, table).await,
        Err(error) => audit.findings.push(Finding::Catalog(error.to_string())),
    }
    audit
}

impl Audit {
    async fn all(&mut self, catalog: &Catalog, world: &World, name: &TableName) {
        match catalog.database_problems().await {
            Ok(problems) => self.findings.extend(problems.into_iter().map(Finding::Catalog)),
            Err(error) => self.findings.push(Finding::Catalog(error.to_string())),
        }
        let (events, table) = self.table(catalog, name).await;
        let (rejects, _) = self.table(catalog, &name.rejects()).await;
        self.check_events(&world.book, &events, &rejects);
        self.check_rejects(&world.book, &rejects);
        if let Some(table) = table {
            ledger::check(self, catalog, world, &table).await;
        }
    }

    /// The rows of a table's current snapshot, with every file of every snapshot looked at.
    async fn table(
        &mut self,
        catalog: &Catalog,
        name: &TableName,
    ) -> (Rows, Option<std::sync::Arc<hosu_catalog::Table>>) {
        match catalog.load(name).await {
            Ok(None) => (Rows::default(), None),
            Ok(Some(table)) => (files::examine(self, catalog.host(), &table).await, Some(table)),
            Err(error) => {
                self.findings.push(Finding::Catalog(format!("{name}: {error}")));
                (Rows::default(), None)
            }
        }
    }

    fn check_events(&mut self, book: &Book, events: &Rows, rejects: &Rows) {
        let (sent, acknowledged) = (book.sent(), book.acknowledged());
        for (id, checks) in &events.events {
            if checks.len() > 1 {
                self.findings.push(Finding::Doubled(*id));
            }
            let was_sent = sent.get(&id.0).is_some_and(|batch| (0..batch.events).contains(&id.1));
            let expected = Batch::check(*id);
            if !was_sent || checks.iter().any(|check| check.as_deref() != Some(expected.as_str())) {
                self.findings.push(Finding::Changed(*id));
            }
        }
        for batch in sent.values() {
            let missing: Vec<EventId> = batch.ids().filter(|id| !events.events.contains_key(id)).collect();
            let there = batch.events - missing.len() as i64;
            let lines = (0..batch.bad_lines).map(|place| batch.bad_line(place));
            let rejected = lines.filter(|line| rejects.rejects.contains_key(line.as_bytes())).count() as i64;
            if there > 0 || rejected > 0 {
                self.visible.insert(batch.number);
                if there < batch.events || rejected < batch.bad_lines {
                    let (events, rejects) = ((there, batch.events), (rejected, batch.bad_lines));
                    self.findings.push(Finding::Half { batch: batch.number, events, rejects });
                }
            }
            if acknowledged.contains(&batch.number) {
                self.findings.extend(missing.into_iter().map(Finding::Lost));
            }
        }
    }

    fn check_rejects(&mut self, book: &Book, rejects: &Rows) {
        let sent: BTreeSet<Vec<u8>> = book
            .sent()
            .values()
            .flat_map(|batch| (0..batch.bad_lines).map(|place| batch.bad_line(place).into_bytes()))
            .collect();
        for (line, times) in &rejects.rejects {
            if *times > 1 || !sent.contains(line) {
                self.findings.push(Finding::StrangeReject(String::from_utf8_lossy(line).into_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
