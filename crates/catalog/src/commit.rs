//! How a commit becomes true: plan, write, swap; and again when somebody else was faster.
//!
//! Each attempt is planned on what the tables are now, writes its files, and asks the database for one transaction over all
//! pointers and ledger rows. A refusal is an answer: the attempt's files are removed, the tables are read again, and what was
//! planned is checked against what they have become. An unknown outcome is looked at before anything is decided: a
//! commit keeps its snapshot ids over all attempts, so it is recognised wherever it stands in a table's history.

use std::sync::Arc;
use std::time::Duration;

use hosu_host::Location;
use hosu_table::commit::{self as plan, Append, NewRows, NewTable, Step};
use hosu_table::invariants::{self, Violation};
use hosu_table::name::{DEFAULT_DATABASE, TableName};
use hosu_table::paths;
use hosu_table::properties::TableProperties;
use iceberg::spec::TableMetadata;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::database::{Change, DatabaseError, LedgerRow, Refusal, Transaction, TransactionOutcome};
use crate::error::CatalogError;
use crate::jobs::JobChange;
use crate::publish::{self, Made, Names, NewFile};
use crate::table::Table;

/// What becomes true at once, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Changes of tables, each of another one.
    pub tables: Vec<TableChange>,
    /// Rows for the ledger. [`LedgerRow::snapshot_id`] is filled in with the snapshot that the commit makes of its table.
    pub ledger: Vec<LedgerRow>,
    /// Changes of the rows of jobs, in this order, after all others. The snapshot of a [`JobChange::PutRun`] or
    /// [`JobChange::PutState`] is filled in with the one that the commit makes of its target, if it makes one.
    pub jobs: Vec<JobChange>,
}

/// What a commit does to one table.
#[derive(Clone, Debug)]
pub enum TableChange {
    /// Makes it.
    Create {
        /// Its name.
        name: TableName,
        /// What it is.
        new: Box<NewTable>,
        /// Its first files.
        append: Option<Append>,
        /// Whether its database is made too if it is missing.
        make_database: bool,
    },
    /// Changes it.
    Change {
        /// The state that the steps were planned on.
        base: Arc<Table>,
        /// What is done, in this order.
        steps: Vec<Step>,
    },
}

/// A commit that happened.
#[derive(Clone, Debug)]
pub struct Committed {
    /// What the tables became, in the order of the changes.
    pub tables: Vec<Arc<Table>>,
}

impl Catalog {
    /// Makes all changes and ledger rows true in one transaction.
    ///
    /// What others committed meanwhile is no error as long as the steps still make sense: they are planned again on it.
    ///
    /// # Errors
    /// [`CatalogError::is_definite`] says whether nothing has happened for certain. [`CatalogError::Conflict`],
    /// [`CatalogError::TableExists`], [`CatalogError::TableNotFound`] and [`CatalogError::AlreadyIngested`] ask to plan anew.
    /// [`CatalogError::LeaseLost`] says that somebody else is at work.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CatalogError> {
        let Commit { tables, ledger, jobs } = commit;
        let mut works: Vec<Work> = tables.into_iter().map(|change| self.work(change)).collect();
        let mut doubt = None;
        match (self.commit_works(&mut works, (&ledger, &jobs), &mut doubt).await, doubt) {
            // An attempt whose answer was lost may happen yet, whatever became of those after it.
            (Err(error), Some(source)) if error.is_definite() => Err(match works.first() {
                Some(work) => CatalogError::Unknown { table: work.name.clone(), source },
                None => source.into(),
            }),
            (Err(error), None) => {
                self.delete_all(works.iter().flat_map(|work| work.made.locations())).await;
                Err(error)
            }
            (result, _) => result,
        }
    }

    /// Tries until it is done or cannot be. `doubt` is why it is not known whether an earlier attempt may still happen.
    async fn commit_works(
        &self,
        works: &mut [Work],
        rows: (&[LedgerRow], &[JobChange]),
        doubt: &mut Option<DatabaseError>,
    ) -> Result<Committed, CatalogError> {
        if works.iter().any(|work| matches!(work.kind, Kind::Create { .. })) {
            self.database.create().await?;
        }
        let mut patience = Patience::of(works);
        loop {
            let attempt = patience.attempts + 1;
            let prepared = match self.prepare(works, attempt).await {
                Ok(prepared) => prepared,
                Err(error) => {
                    if doubt.is_some() && matches!(error, CatalogError::Conflict { .. }) {
                        // The attempt in doubt may be what got in the way. If it is not, the state that it was planned on
                        // is gone, and it is refused whenever it arrives.
                        if let Some(committed) = self.already_committed(works).await? {
                            return Ok(committed);
                        }
                        *doubt = None;
                    }
                    return Err(error);
                }
            };
            let transaction = transaction(works, &prepared, rows);
            let refusal = match self.database.transact(transaction).await {
                Ok(TransactionOutcome::Done) => return Ok(self.committed(works, prepared).await),
                Ok(TransactionOutcome::Refused(refusal)) => refusal,
                Err(error) if error.is_unknown() => {
                    *doubt = Some(error);
                    if let Some(committed) = self.find_out(works).await? {
                        return Ok(committed);
                    }
                    // Its files stay: the transaction may yet arrive.
                    patience.wait(self, works).await?;
                    continue;
                }
                Err(error) => {
                    self.discard(works, &prepared).await;
                    return Err(error.into());
                }
            };
            // An earlier attempt whose answer was lost may be the one that got in the way.
            if attempt > 1
                && let Some(committed) = self.already_committed(works).await?
            {
                return Ok(committed);
            }
            // What was planned on a state that is gone is refused whenever it arrives.
            *doubt = None;
            self.discard(works, &prepared).await;
            match refusal {
                Refusal::TableMoved(_) => patience.wait(self, works).await?,
                refusal => return Err(self.refused(refusal).await),
            }
        }
    }

    fn work(&self, change: TableChange) -> Work {
        let ids = &self.host().ids;
        let (name, kind, steps) = match change {
            TableChange::Create { name, new, append, make_database } => {
                (name, Kind::Create { new, make_database }, append.map(Step::Append).into_iter().collect())
            }
            TableChange::Change { base, steps } => (base.name.clone(), Kind::Change { planned: base }, steps),
        };
        // Snapshot ids are positive numbers of 63 bits; two are the same once in a blue moon, and then the spec crate says no.
        let snapshot_id = i64::try_from(ids.random_u64() >> 1).unwrap_or(i64::MAX).max(1);
        Work { name, kind, steps, snapshot_id, commit: ids.uuid(), names: None, made: Made::default() }
    }

    /// Plans all tables on what they are now and stores the files.
    async fn prepare(&self, works: &mut [Work], attempt: u32) -> Result<Vec<Prepared>, CatalogError> {
        let mut all = Vec::with_capacity(works.len());
        for work in works.iter_mut() {
            match self.prepare_table(work, attempt).await {
                Ok(prepared) => all.push(prepared),
                Err(error) => {
                    self.discard(works, &all).await;
                    return Err(error);
                }
            }
        }
        Ok(all)
    }

    async fn prepare_table(&self, work: &mut Work, attempt: u32) -> Result<Prepared, CatalogError> {
        let now_ms = self.host().clock.now_ms();
        let invalid = |source| CatalogError::Invalid { table: work.name.clone(), source };
        let (base, from) = match &work.kind {
            Kind::Create { new, .. } => (Arc::new(plan::first_metadata(new, now_ms).map_err(invalid)?), None),
            Kind::Change { planned } => {
                let current = self.require(&planned.name).await?;
                plan::check(&planned.metadata, &current.metadata, &work.steps)
                    .map_err(|conflict| CatalogError::conflict(work.name.clone(), conflict))?;
                (current.metadata.clone(), Some(current.metadata_location.clone()))
            }
        };
        let mut files = Vec::new();
        let mut snapshot = None;
        let rows = plan::new_rows(&work.steps);
        if let Some(rows) = &rows {
            let names = work.names.get_or_insert_with(|| Names::new(&work.name, &base, work.commit));
            // Manifests are written for the columns as they are after the steps.
            let schema = plan::schema_after(&base, &work.steps).map_err(invalid)?;
            let id = (work.snapshot_id, attempt);
            let on = (&*base, &schema);
            let made = publish::snapshot_files(&self.files, names, on, rows, &mut work.made, id).await?;
            files = made.files;
            snapshot = Some(made.snapshot);
        }
        let snapshot_id = snapshot.as_ref().map(|snapshot| snapshot.id);
        let next =
            plan::next_metadata(&base, from.as_deref(), &work.steps, snapshot, now_ms).map_err(invalid)?;
        let before = from.is_some().then_some(&*base);
        check_invariants(before, &next.metadata, rows)
            .map_err(|source| CatalogError::Invariant { table: work.name.clone(), source })?;
        let names = work.names.get_or_insert_with(|| Names::new(&work.name, &base, work.commit));
        let version = from.as_deref().map_or(0, paths::next_metadata_version);
        let metadata_file = publish::metadata_file(names, &next.metadata, version, self.host().ids.uuid())?;
        let table = self.table(&work.name, &next.metadata, &metadata_file)?;
        files.push(metadata_file);
        let prepared = Prepared { table, from, snapshot_id, files, expired: next.expired };
        if let Err(error) = publish::store_all(&self.files, &prepared.files).await {
            self.discard(std::slice::from_ref(work), std::slice::from_ref(&prepared)).await;
            return Err(error);
        }
        Ok(prepared)
    }

    fn table(
        &self,
        name: &TableName,
        metadata: &TableMetadata,
        file: &NewFile,
    ) -> Result<Arc<Table>, CatalogError> {
        let location = Location::parse(metadata.location())
            .map_err(|source| CatalogError::Location { table: name.clone(), source })?;
        let metadata_location = file.location.clone();
        Ok(Arc::new(Table {
            name: name.clone(),
            metadata: Arc::new(metadata.clone()),
            metadata_location,
            location,
        }))
    }

    async fn committed(&self, works: &[Work], prepared: Vec<Prepared>) -> Committed {
        let removed = works.iter().flat_map(|work| &work.made.removed);
        let of_earlier_attempts = removed.filter(|removed| !removed.is_listed);
        self.delete_all(of_earlier_attempts.map(|removed| &removed.file.manifest_path)).await;
        let mut tables = Vec::with_capacity(prepared.len());
        for done in prepared {
            for file in done.files {
                self.files.cache.insert(&file.location, file.decoded);
            }
            if done.table.properties().metadata_delete_after_commit {
                self.delete_all(done.expired.iter()).await;
            }
            tables.push(done.table);
        }
        Committed { tables }
    }

    /// Removes the files of an attempt that certainly did not happen. One that stays is rubbish, not harm.
    async fn discard(&self, works: &[Work], prepared: &[Prepared]) {
        for (work, attempt) in works.iter().zip(prepared) {
            // The manifest of the added files serves the next attempt.
            let kept = work.made.added.as_ref().map(|added| added.file.manifest_path.clone());
            let locations = attempt.files.iter().map(|file| &file.location);
            self.delete_all(locations.filter(|location| Some(*location) != kept.as_ref())).await;
        }
    }

    async fn delete_all(&self, locations: impl Iterator<Item = &String>) {
        for location in locations.filter_map(|location| Location::parse(location).ok()) {
            let _ = self.host().store.delete(&location).await;
        }
    }

    /// After an unknown outcome: reads the tables until that succeeds. None when the commit is not there.
    async fn find_out(&self, works: &[Work]) -> Result<Option<Committed>, CatalogError> {
        const READS: u32 = 5;
        for read in 1..READS {
            if let Ok(found) = self.already_committed(works).await {
                return Ok(found);
            }
            self.host().clock.sleep(Duration::from_millis(100 << read)).await;
        }
        self.already_committed(works).await
    }

    /// The tables as they are now, if they have this commit. One table tells: they were to become true together.
    async fn already_committed(&self, works: &[Work]) -> Result<Option<Committed>, CatalogError> {
        let Some(telling) = works.iter().find(|work| work.can_tell()) else { return Ok(None) };
        match self.load(&telling.name).await? {
            Some(table) if telling.is_in(&table.metadata) => {}
            _ => return Ok(None),
        }
        let mut tables = Vec::with_capacity(works.len());
        for work in works {
            tables.push(self.require(&work.name).await?);
        }
        Ok(Some(Committed { tables }))
    }
}

/// A table's part of a commit, over all its attempts.
#[derive(Debug)]
struct Work {
    name: TableName,
    kind: Kind,
    steps: Vec<Step>,
    snapshot_id: i64,
    commit: Uuid,
    names: Option<Names>,
    made: Made,
}

#[derive(Debug)]
enum Kind {
    Create { new: Box<NewTable>, make_database: bool },
    Change { planned: Arc<Table> },
}

impl Work {
    /// Whether the table's history shows that this commit happened.
    fn can_tell(&self) -> bool {
        matches!(self.kind, Kind::Create { .. }) || plan::new_rows(&self.steps).is_some()
    }

    fn is_in(&self, metadata: &TableMetadata) -> bool {
        match &self.kind {
            Kind::Create { new, .. } => metadata.uuid() == new.uuid,
            Kind::Change { .. } => metadata.snapshot_by_id(self.snapshot_id).is_some(),
        }
    }
}

fn check_invariants(
    before: Option<&TableMetadata>,
    after: &TableMetadata,
    rows: Option<NewRows<'_>>,
) -> Result<(), Violation> {
    let count = |rows: &NewRows<'_>| rows.files.iter().map(|file| file.record_count()).sum();
    match rows {
        Some(rows) if rows.overwrites => invariants::check_overwrite(before, after, count(&rows)),
        rows => invariants::check_append(before, after, rows.as_ref().map_or(0, count)),
    }
}

/// The table that an error of the whole commit names.
fn first_table(works: &[Work]) -> TableName {
    works.first().map_or_else(|| TableName::stored(DEFAULT_DATABASE, "?"), |work| work.name.clone())
}

/// A table's part of one attempt: files that are stored, and nothing that is true yet.
#[derive(Debug)]
struct Prepared {
    table: Arc<Table>,
    from: Option<String>,
    snapshot_id: Option<i64>,
    files: Vec<NewFile>,
    expired: Vec<String>,
}

fn transaction(
    works: &[Work],
    prepared: &[Prepared],
    (ledger, jobs): (&[LedgerRow], &[JobChange]),
) -> Transaction {
    let mut changes = Vec::new();
    for (work, prepared) in works.iter().zip(prepared) {
        let name = work.name.clone();
        let to = prepared.table.metadata_location.clone();
        if let Kind::Create { make_database, .. } = work.kind
            && (make_database || name.database == DEFAULT_DATABASE)
        {
            let database = name.database.clone();
            changes.push(Change::CreateDatabase {
                database,
                properties: Default::default(),
                exists_ok: true,
            });
        }
        changes.push(match &prepared.from {
            None => Change::CreateTable { name, metadata_location: to },
            Some(from) => Change::SwapTable { name, from: from.clone(), to },
        });
    }
    let ledger = ledger.iter().cloned().map(|mut row| {
        let of_table = prepared.iter().find(|prepared| prepared.table.uuid() == row.table_uuid);
        row.snapshot_id = of_table.and_then(|prepared| prepared.snapshot_id);
        row
    });
    let mut jobs = jobs.to_vec();
    for prepared in prepared {
        if let Some(snapshot_id) = prepared.snapshot_id {
            jobs.iter_mut().for_each(|job| job.fill_snapshot(prepared.table.uuid(), snapshot_id));
        }
    }
    Transaction { changes, ledger: ledger.collect(), jobs }
}

/// How often a commit is tried, and how long it waits between.
#[derive(Debug)]
struct Patience {
    properties: TableProperties,
    attempts: u32,
    waited_ms: u64,
}

impl Patience {
    fn of(works: &[Work]) -> Self {
        let properties = works.iter().find_map(|work| match &work.kind {
            Kind::Change { planned } => Some(planned.properties()),
            Kind::Create { .. } => None,
        });
        Self { properties: properties.unwrap_or_default(), attempts: 0, waited_ms: 0 }
    }

    /// Waits before the next attempt: longer each time, and by chance, so that those who collided do not collide again.
    async fn wait(&mut self, catalog: &Catalog, works: &[Work]) -> Result<(), CatalogError> {
        self.attempts += 1;
        let over = self.attempts > self.properties.commit_retries
            || self.waited_ms > self.properties.commit_retry_total_ms;
        if over {
            return Err(CatalogError::Contended { table: first_table(works), attempts: self.attempts });
        }
        let first_ms = self.properties.commit_retry_wait_ms_min.max(1);
        let longest_ms = self.properties.commit_retry_wait_ms_max.max(1);
        let limit_ms = first_ms.saturating_mul(1 << (self.attempts - 1).min(20)).min(longest_ms);
        let wait_ms = 1 + catalog.host().ids.random_u64() % limit_ms;
        self.waited_ms = self.waited_ms.saturating_add(wait_ms);
        catalog.host().clock.sleep(Duration::from_millis(wait_ms)).await;
        Ok(())
    }
}
