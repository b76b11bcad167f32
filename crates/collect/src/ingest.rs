//! One ingest: from sources to one commit, each record exactly once.
//!
//! How the promise is kept:
//! - *Nothing twice.* The ledger knows each source by name, size and content. What it has is skipped; the rows that say
//!   what is new are committed in the same transaction as the data, under the rule that nobody else was faster, and
//!   that is looked at again on every retry.
//! - *Nothing lost, nothing half.* The rows of all sources, the rejected records and the ledger become visible in one
//!   commit, after every file is durable. Until then nobody sees any of it.
//! - *Nothing changed in silence.* What does not fit is rescued or rejected with its place, and counted. A source that
//!   changes while it is read, or between two readings, is an error.
//!
//! Several passes over the sources may be needed: when the table lacks a field of what comes, its schema grows, and the sources
//! are read again from the start. Where the beginnings of the sources bring new fields, a sample of these tells which, and little
//! is read twice; for a field that comes later the rest of the pass looks for all others. When another writer made or changed the
//! table meanwhile, everything is planned again.

mod account;
mod ahead;
mod commit;
mod contract;
mod decode;
mod ledger;
mod pass;
mod pressure;
mod reader;
mod rejects;
mod reporting;
mod rows;
mod sample;
mod shape;
mod tally;
mod times;
mod writers;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{Catalog, CatalogError, Committed, Table};
use hosu_host::{Host, Stop};
use hosu_table::evolution::SchemaEvolution;
use hosu_table::name::TableName;
use hosu_table::rejects::rescued_data_field;
use iceberg::spec::Schema;
use uuid::Uuid;

use crate::error::CollectError;
use crate::progress::Progress;
use crate::report::Report;
use crate::request::IngestRequest;
use crate::source::{self, Found, Own, Position, Wanted};

use commit::Refused;
pub(crate) use ledger::Todo;
use pass::{Harvest, Lack, Lacking, Outcome, Pass};
pub use pressure::GiveBack;
use rejects::RejectsPlan;
use shape::{Growth, Shape};

/// How often everything is planned again because others changed the table.
const ATTEMPTS_MAX: u32 = 20;

/// The longest wait before the second attempt; it doubles with each further one, up to [`WAIT_MS_MAX`].
const WAIT_MS_FIRST: u64 = 50;
const WAIT_MS_MAX: u64 = 5_000;

/// How often a pass may end at its beginning. The first time a sample tells what is missing; the second time that is told by what
/// it did not show, such as a value that does not fit a new column.
const EARLY_ENDS_MAX: u32 = 2;

/// How often the sources may be read to their ends for one attempt. Two are usual for new fields; more only where new fields have
/// new fields in them. What the last pass does not know is rescued.
const PASSES_MAX: u32 = 4;

/// Ingests what `request` names into its table, and tells what became of it.
///
/// `stdin` is read when a source is `-`. The future may be dropped at any time: either everything was committed or
/// nothing. See [`Stop`] for the polite way.
///
/// # Errors
/// [`CollectError`]. Nothing was committed then, except perhaps after [`CollectError::CommitUnknown`].
pub async fn ingest(
    catalog: &Catalog,
    request: IngestRequest,
    progress: Arc<dyn Progress>,
    stdin: Option<Box<dyn Read + Send>>,
) -> Result<Report, CollectError> {
    request.table.check_ingest_target()?;
    let clock = catalog.host().clock.clone();
    let started = clock.elapsed();
    let own = Own::of(catalog);
    let wanted = Wanted {
        own: &own,
        texts: &request.sources,
        folder: &request.folder,
        batch_id: request.batch_id.as_deref(),
        after: request.newer.after.as_ref(),
        progress: &progress,
    };
    let finding = source::find(catalog.host(), wanted, stdin);
    let found = unless_stopped(&request.stop, finding).await?;
    let found = found.narrowed(&request.newer, &request.folder).await?;
    let run = Run { catalog, request: &request, progress: progress.as_ref(), found: &found };
    let result = run.attempts().await;
    progress.end();
    let mut report = result?;
    let elapsed = clock.elapsed().saturating_sub(started);
    report.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// What was chosen to be ingested, by who knows the ledger already.
pub(crate) struct Chosen {
    pub todo: Vec<Todo>,
    /// The table that the choice was made for; none when there was none.
    pub table: Option<Uuid>,
}

/// What came of what was chosen.
pub(crate) enum Taken {
    /// It is in the table.
    Committed {
        report: Box<Report>,
        /// The table; none when there was no record and there still is none.
        table: Option<Uuid>,
        /// Of each source whether the ledger got a row of it, and where its part ended.
        ends: Vec<(bool, Option<Box<Position>>)>,
    },
    /// Somebody else took some of it, or the table is another one: nothing was committed, and the ledger is to be asked again.
    Overtaken,
}

/// Ingests what was chosen, in one commit.
///
/// # Errors
/// As [`ingest`].
pub(crate) async fn ingest_chosen(
    catalog: &Catalog,
    request: &IngestRequest,
    progress: &dyn Progress,
    chosen: &Chosen,
) -> Result<Taken, CollectError> {
    let clock = catalog.host().clock.clone();
    let started = clock.elapsed();
    let sources = chosen.todo.iter().map(|todo| todo.source.clone()).collect();
    let found = Found { sources, ..Found::default() };
    let run = Run { catalog, request, progress, found: &found };
    let result = run.chosen(chosen).await;
    progress.end();
    let mut taken = result?;
    if let Taken::Committed { report, .. } = &mut taken {
        let elapsed = clock.elapsed().saturating_sub(started);
        report.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    }
    Ok(taken)
}

/// Waits for `work`, or ends with [`CollectError::Stopped`].
async fn unless_stopped<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, CollectError>>,
) -> Result<T, CollectError> {
    tokio::select! {
        biased;
        () = stop.asked() => Err(CollectError::Stopped),
        result = work => result,
    }
}

/// One ingest on its way.
struct Run<'a> {
    catalog: &'a Catalog,
    request: &'a IngestRequest,
    progress: &'a dyn Progress,
    found: &'a Found,
}

/// The tables as an attempt found them, and what it makes of them.
struct Plan {
    table: Shape,
    rejects: RejectsPlan,
    todo: Vec<Todo>,
}

/// What an attempt came to; nothing was committed in a dry run, and without a record.
struct Made {
    plan: Plan,
    harvest: Harvest,
    committed: Option<Committed>,
}

impl Run<'_> {
    async fn attempts(&self) -> Result<Report, CollectError> {
        let mut last: Option<CatalogError> = None;
        for attempt in 0..ATTEMPTS_MAX {
            if last.is_some() {
                unless_stopped(&self.request.stop, self.wait(attempt)).await?;
            }
            let existing = self.load(&self.request.table).await?;
            if existing.is_none()
                && let Some(CatalogError::TableExists { name }) = &last
                && *name == self.request.table
            {
                // The name is taken by something that is no table.
                break;
            }
            let uuid = existing.as_ref().map(|table| table.uuid());
            let choosing = ledger::choose(self.catalog, uuid, self.request, self.found);
            let todo = unless_stopped(&self.request.stop, choosing).await?;
            if todo.is_empty() {
                // Also what is asked for beside must be true: a wrong --partition-by is one with nothing to do, too.
                if let Some(table) = existing {
                    Shape::of_existing(table, self.request)?;
                }
                return Ok(self.report_nothing_new());
            }
            match self.attempt(existing, todo).await? {
                Ok(made) => {
                    self.check_sole_source(&made.harvest)?;
                    return Ok(self.report(&made.plan, &made.harvest, made.committed.as_ref()));
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(source) => Err(self.catalog_error(source)),
            None => Err(CollectError::Stopped),
        }
    }

    /// Where data files are written; in a dry run they are encoded and measured, and not kept.
    fn host(&self) -> Host {
        let host = self.catalog.host();
        if self.request.dry_run { host.discarding() } else { host.clone() }
    }

    async fn chosen(&self, chosen: &Chosen) -> Result<Taken, CollectError> {
        let mut last: Option<CatalogError> = None;
        for attempt in 0..ATTEMPTS_MAX {
            if last.is_some() {
                unless_stopped(&self.request.stop, self.wait(attempt)).await?;
            }
            let existing = self.load(&self.request.table).await?;
            if existing.as_ref().map(|table| table.uuid()) != chosen.table {
                return Ok(Taken::Overtaken);
            }
            match self.attempt(existing, chosen.todo.clone()).await? {
                Ok(made) => {
                    let report = Box::new(self.report(&made.plan, &made.harvest, made.committed.as_ref()));
                    let table =
                        if made.committed.is_some() { Some(made.plan.table.uuid) } else { chosen.table };
                    return Ok(Taken::Committed { report, table, ends: ends(made.harvest) });
                }
                Err(CatalogError::AlreadyIngested { .. }) => return Ok(Taken::Overtaken),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or(CollectError::Stopped, |source| self.catalog_error(source)))
    }

    /// Plans, reads and commits once. The inner error is why others were faster: then everything is planned again.
    async fn attempt(
        &self,
        existing: Option<Arc<Table>>,
        todo: Vec<Todo>,
    ) -> Result<Result<Made, CatalogError>, CollectError> {
        let mut plan = unless_stopped(&self.request.stop, self.plan(existing, todo)).await?;
        let harvest = self.harvest(&mut plan).await?;
        if self.request.dry_run || harvest.is_empty() {
            return Ok(Ok(Made { plan, harvest, committed: None }));
        }
        match commit::commit(self.catalog, self.request, &plan, &harvest).await? {
            Ok(committed) => Ok(Ok(Made { plan, harvest, committed: Some(committed) })),
            Err(Refused(error)) => Ok(Err(error)),
        }
    }

    /// Waits by chance, so that those who collided do not collide again.
    async fn wait(&self, attempt: u32) -> Result<(), CollectError> {
        let host = self.catalog.host();
        let limit_ms = WAIT_MS_FIRST.saturating_mul(1 << attempt.min(20)).min(WAIT_MS_MAX);
        host.clock.sleep(Duration::from_millis(host.ids.random_u64() % limit_ms)).await;
        Ok(())
    }

    async fn load(&self, name: &TableName) -> Result<Option<Arc<Table>>, CollectError> {
        self.catalog.load(name).await.map_err(|source| self.catalog_error(source))
    }

    fn catalog_error(&self, source: CatalogError) -> CollectError {
        CollectError::Catalog { table: self.request.table.clone(), source: Box::new(source) }
    }

    async fn plan(&self, existing: Option<Arc<Table>>, todo: Vec<Todo>) -> Result<Plan, CollectError> {
        sample::check_heads(self.catalog.host(), &todo, self.request).await?;
        let table = match existing {
            Some(table) => Shape::of_existing(table, self.request)?,
            None => Shape::of_new(self.new_schema(&todo).await?, self.catalog, self.request)?,
        };
        let rejects_name = self.request.table.rejects();
        let rejects = RejectsPlan::new(self.load(&rejects_name).await?, rejects_name, self.catalog);
        Ok(Plan { table, rejects, todo })
    }

    /// The columns of a new table: those given, else those of a sample.
    async fn new_schema(&self, todo: &[Todo]) -> Result<Schema, CollectError> {
        match shape::given_schema(self.request)? {
            Some(schema) => Ok(schema),
            None => sample::infer(self.catalog.host(), self.request, todo).await,
        }
    }

    /// Reads the sources until everything in them has a place.
    async fn harvest(&self, plan: &mut Plan) -> Result<Harvest, CollectError> {
        // Then its columns are those of a sample.
        let is_of_sample = plan.table.existing.is_none() && self.request.schema.is_none();
        let mut early_ends = 0;
        let mut passes = 0;
        let mut may_grow = true;
        loop {
            let lacking = match may_grow {
                true if early_ends < EARLY_ENDS_MAX && !is_of_sample => Lacking::Ends,
                true => Lacking::Collects,
                false => Lacking::Rescues,
            };
            let operation = self.catalog.host().ids.uuid();
            let lack = match Pass::new(self, plan, operation, lacking).run().await? {
                Outcome::Complete(harvest) => return Ok(*harvest),
                Outcome::Grow(lack) => lack,
            };
            let is_early = lack.is_early;
            let has_sample = is_early && early_ends == 0;
            let grew = self.grow(plan, *lack, has_sample).await?;
            if is_early {
                early_ends = if grew { early_ends + 1 } else { EARLY_ENDS_MAX };
                continue;
            }
            passes += 1;
            may_grow = grew && passes + 1 < PASSES_MAX;
            if !may_grow {
                // What is unknown in the last pass needs a place, whatever it is.
                plan.table.grow(&Growth::of_field(rescued_data_field(0)))?;
            }
        }
    }

    /// Gives the table what it lacks, and says whether it has got any.
    async fn grow(&self, plan: &mut Plan, lack: Lack, has_sample: bool) -> Result<bool, CollectError> {
        for (todo, content) in plan.todo.iter_mut().zip(lack.contents) {
            todo.content = content.or(todo.content.take());
        }
        let before = plan.table.changes.len();
        plan.table = lack.table;
        if has_sample && plan.table.evolution == SchemaEvolution::AddColumns {
            let sampling = sample::grown(self.catalog.host(), self.request, plan);
            plan.table = unless_stopped(&self.request.stop, sampling).await?;
        }
        if let Some(unknown) = lack.unknown {
            let has_changed = plan.table.changes.len() > before;
            plan.table.grow(&plan.table.growth(&unknown, has_changed))?;
        }
        Ok(plan.table.changes.len() > before)
    }

    fn check_sole_source(&self, harvest: &Harvest) -> Result<(), CollectError> {
        match (self.found.sources.as_slice(), harvest.is_empty()) {
            ([source], true) => Err(CollectError::SourceEmpty { name: source.name.clone() }),
            _ => Ok(()),
        }
    }
}

fn ends(harvest: Harvest) -> Vec<(bool, Option<Box<Position>>)> {
    harvest.sources.into_iter().map(|gives| (!gives.is_empty(), gives.position)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
