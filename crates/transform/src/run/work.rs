//! What a run does under its lease: find out what is new, compute, test, write, commit.

use std::collections::HashMap;
use std::sync::Arc;

use hosu_catalog::{
    Catalog, CatalogError, JobChange, JobRun, JobState, Lease, Position, RunInput, RunState, Table,
};
use hosu_change::{ChangeError, Effect, Target, commit, filled_rows, write};
use hosu_datafile::{Written, discard};
use hosu_host::Stop;
use hosu_query::{Live, Planned};
use hosu_table::arrow_schema;
use hosu_table::commit::{Conflict, OPERATION_ID};
use hosu_table::name::{DEFAULT_DATABASE, TableName};
use iceberg::spec::Schema;

use super::rows::Tests;
use super::situation::{Pinned, Situation};
use super::{Order, Runner};
use crate::bind::{self, BoundJob};
use crate::columns::replaced;
use crate::decide::{Decision, only_rewritten};
use crate::error::RunError;
use crate::project::{Project, ProjectJob};
use crate::watch::Event;

/// In a snapshot's summary: the job that made it.
pub const SUMMARY_JOB: &str = "hosu.job";
/// In a snapshot's summary: the run that made it.
pub const SUMMARY_RUN: &str = "hosu.run-id";
/// In a snapshot's summary: how far each input was taken, as JSON.
pub const SUMMARY_INPUTS: &str = "hosu.inputs";
/// In a snapshot's summary: a hash of what the SELECT means.
pub const SUMMARY_SELECT: &str = "hosu.select";

/// How often a commit is planned again because somebody rewrote the target's files meanwhile.
const REBASES_MAX: u32 = 10;

/// A run under its lease.
pub(super) struct Work<'a> {
    runner: &'a Runner,
    project: &'a Project,
    job: &'a ProjectJob,
    order: &'a Order,
    lease: Lease,
    /// Asks it to put away what it began.
    pub end: Stop,
    pub run: JobRun,
    pub notes: Vec<String>,
}

impl<'a> Work<'a> {
    pub fn new(
        runner: &'a Runner,
        project: &'a Project,
        job: &'a ProjectJob,
        order: &'a Order,
        run: JobRun,
        lease: Lease,
    ) -> Self {
        Self { runner, project, job, order, lease, end: Stop::new(), run, notes: Vec::new() }
    }

    fn catalog(&self) -> &'a Catalog {
        &self.runner.catalog
    }

    /// All of it.
    pub async fn all(&mut self) -> Result<(), RunError> {
        let situation = Situation::look(self.runner, self.project, self.job, self.order.anew).await?;
        let Situation { bound, inputs, target, state, decision } = situation;
        self.run.target_uuid = target.as_ref().map(|target| target.uuid());
        self.describe_inputs(&inputs, state.as_ref(), &decision);
        match decision {
            Decision::NothingNew { moved } => self.nothing_new(&inputs, state, moved).await,
            Decision::First | Decision::Append { .. } => {
                self.make(&bound, inputs, target, Effect::AddAlone).await
            }
            Decision::Replace { foreign } => {
                if let (Some(write), Some(target)) = (foreign, &target) {
                    self.note(format!(
                        "{} was written by another program ({write}); that is replaced too",
                        target.name
                    ));
                }
                self.make(&bound, inputs, target, Effect::Replace).await
            }
        }
    }

    fn note(&mut self, note: String) {
        self.runner.watch.event(&Event::Noted { job: &self.job.job.name, note: &note });
        self.notes.push(note);
    }

    fn describe_inputs(&mut self, inputs: &[Pinned], state: Option<&JobState>, decision: &Decision) {
        let goes_on = matches!(decision, Decision::Append { .. } | Decision::NothingNew { .. });
        let from = |name: &TableName| state?.position(name)?.snapshot_id.filter(|_| goes_on);
        self.run.inputs = inputs
            .iter()
            .map(|input| RunInput {
                table: input.name.clone(),
                uuid: input.table.uuid(),
                from_snapshot_id: from(&input.name),
                to_snapshot_id: input.table.metadata.current_snapshot_id(),
            })
            .collect();
    }

    fn positions(inputs: &[Pinned]) -> Vec<Position> {
        let position = |input: &Pinned| Position {
            table: input.name.clone(),
            uuid: input.table.uuid(),
            snapshot_id: input.table.metadata.current_snapshot_id(),
        };
        inputs.iter().map(position).collect()
    }

    fn now_ms(&self) -> i64 {
        self.catalog().host().clock.now_ms()
    }

    /// Writes into the history that there was nothing to do.
    async fn nothing_new(
        &mut self,
        inputs: &[Pinned],
        state: Option<JobState>,
        moved: bool,
    ) -> Result<(), RunError> {
        self.run.state = RunState::NothingNew;
        let state = state.filter(|_| moved).map(|state| JobState {
            positions: Self::positions(inputs),
            updated_at_ms: self.now_ms(),
            ..state
        });
        let jobs = self.ending(state);
        Ok(self.catalog().record(jobs).await?)
    }

    /// What becomes true at the end of a run that did what it was to do.
    fn ending(&mut self, state: Option<JobState>) -> Vec<JobChange> {
        self.run.ended_at_ms = Some(self.now_ms());
        let fence = JobChange::RequireLease { name: self.lease.name.clone(), fence: self.lease.fence };
        let slot = self.order.slot.as_ref().map(|(_, slot)| JobChange::PutSlot(slot.clone()));
        let state = state.map(JobChange::PutState);
        let run = JobChange::PutRun(self.run.clone());
        [fence].into_iter().chain(state).chain([run]).chain(slot).collect()
    }

    /// Computes the rows, tests, writes and commits them.
    async fn make(
        &mut self,
        bound: &BoundJob,
        inputs: Vec<Pinned>,
        existing: Option<Arc<Table>>,
        effect: Effect,
    ) -> Result<(), RunError> {
        let (target, filled) = self.target(bound, existing, effect)?;
        let live = Live::default();
        self.runner.watch.event(&Event::Started { run: &self.run, live: &live });
        let planned = self.plan(&inputs, &live).await?;
        let written = self.write(bound, &planned, &target, filled).await?;
        let read = planned.stats();
        self.run.rows_read = read.rows_scanned;
        self.run.bytes_read = read.bytes_scanned;
        self.run.files_written = written.files.len() as u64;
        self.run.rows_written = written.rows;
        self.run.bytes_written = written.bytes;
        self.run.state = RunState::Succeeded;
        let positions = Self::positions(&inputs);
        let result = self.commit(bound, target, &written, effect, positions).await;
        if let Err(error) = &result {
            self.run.state = RunState::Running;
            if error.is_definite() {
                discard(self.catalog().host(), &written.files).await;
            }
        }
        result
    }

    /// What is written to, and which of its columns each one of the SELECT fills.
    fn target(
        &self,
        bound: &BoundJob,
        existing: Option<Arc<Table>>,
        effect: Effect,
    ) -> Result<(Target, Vec<usize>), RunError> {
        let (job, line) = (&self.job.job, self.job.select.position.line);
        let filled = |schema: &Schema| bind::filled_columns(job, bound, &job.target, schema, line);
        let Some(table) = existing else {
            let uuid = self.catalog().host().ids.uuid();
            let new = Box::new(bind::new_target(self.catalog(), job, &bound.columns, uuid)?);
            let filled = filled(&new.schema)?;
            return Ok((Target::New { name: job.target.clone(), new }, filled));
        };
        bind::check_partitions(job, &table)?;
        match filled(table.schema()) {
            Ok(filled) => Ok((Target::Existing { table, schema: None }, filled)),
            Err(_) if self.order.anew && effect == Effect::Replace => {
                let schema = replaced(&table, &bound.columns).map_err(|fault| job.wrong(line, fault))?;
                let filled = filled(&schema)?;
                Ok((Target::Existing { table, schema: Some(Box::new(schema)) }, filled))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn plan(&self, inputs: &[Pinned], live: &Live) -> Result<Planned, RunError> {
        let inputs: Vec<_> = inputs.iter().map(Pinned::input).collect();
        let select = &self.job.select.value;
        let planning = self.runner.engine.plan_on(self.catalog(), DEFAULT_DATABASE, select, &inputs, live);
        tokio::select! {
            planned = planning => Ok(planned?),
            () = self.end.asked() => Err(RunError::Stopped),
        }
    }

    /// The rows in files that nobody sees yet, if all tests hold.
    async fn write(
        &self,
        bound: &BoundJob,
        planned: &Planned,
        target: &Target,
        filled: Vec<usize>,
    ) -> Result<Written, RunError> {
        let tests = Tests::new(bound.tests.clone());
        let rows = tests.on(planned.stream()?, self.end.clone());
        let columns = Arc::new(arrow_schema::to_arrow(target.schema()));
        let rows = filled_rows(rows, columns, filled);
        let settings = self.runner.settings.writer.clone();
        let written = write(self.catalog(), target, rows, settings, self.run.run_id).await;
        let written = match (written, tests.broken()) {
            (Ok(written), _) => written,
            (Err(_), Some(failure)) => return Err(RunError::Test(failure)),
            (Err(error), None) => return Err(error.into()),
        };
        let refused = match tests.verdict() {
            Ok(None) => return Ok(written),
            Ok(Some(failure)) => RunError::Test(failure),
            Err(error) => error.into(),
        };
        discard(self.catalog().host(), &written.files).await;
        Err(refused)
    }

    /// Makes the rows, the positions and the run true. Files of the target that were only rewritten meanwhile are no reason
    /// to begin again.
    async fn commit(
        &mut self,
        bound: &BoundJob,
        mut target: Target,
        written: &Written,
        effect: Effect,
        positions: Vec<Position>,
    ) -> Result<(), RunError> {
        let select = bound.bound.identity();
        let summary = self.summary(&select, &positions);
        for _ in 0..REBASES_MAX {
            let state = JobState {
                target_uuid: target.uuid(),
                job: self.job.job.name.clone(),
                mode: self.run.mode.clone(),
                select: select.clone(),
                run_id: self.run.run_id,
                snapshot_id: current_snapshot(&target),
                positions: positions.clone(),
                updated_at_ms: self.now_ms(),
            };
            self.run.target_uuid = Some(target.uuid());
            let jobs = self.ending(Some(state));
            match commit(self.catalog(), target.clone(), written, effect, summary.clone(), jobs).await {
                Ok(committed) => {
                    let made = committed.tables.first().and_then(|table| table.snapshot());
                    self.run.snapshot_id = made.map(|snapshot| snapshot.snapshot_id());
                    return Ok(());
                }
                Err(error) => target = self.rebased(target, error.into()).await?,
            }
        }
        Err(CatalogError::Contended { table: self.job.job.target.clone(), attempts: REBASES_MAX }.into())
    }

    /// The target as others have rewritten it; the error when they changed it.
    async fn rebased(&self, target: Target, error: RunError) -> Result<Target, RunError> {
        let RunError::Change(ChangeError::Catalog(CatalogError::Conflict { conflict, .. })) = &error else {
            return Err(error);
        };
        let (Conflict::SnapshotMoved { .. }, Target::Existing { table, schema }) = (conflict, target) else {
            return Err(error);
        };
        let now = self.catalog().require(&table.name).await?;
        let known = table.metadata.current_snapshot_id();
        match only_rewritten(&now.metadata, known) && now.uuid() == table.uuid() {
            true => Ok(Target::Existing { table: now, schema }),
            false => Err(error),
        }
    }

    fn summary(&self, select: &str, positions: &[Position]) -> HashMap<String, String> {
        let inputs: serde_json::Map<String, serde_json::Value> = positions
            .iter()
            .map(|position| {
                let snapshot_id = position.snapshot_id.map(|id| id.to_string());
                let value =
                    serde_json::json!({ "uuid": position.uuid.to_string(), "snapshot-id": snapshot_id });
                (position.table.to_string(), value)
            })
            .collect();
        HashMap::from([
            (OPERATION_ID.to_owned(), self.run.run_id.to_string()),
            (SUMMARY_JOB.to_owned(), self.job.job.name.clone()),
            (SUMMARY_RUN.to_owned(), self.run.run_id.to_string()),
            (SUMMARY_INPUTS.to_owned(), serde_json::Value::Object(inputs).to_string()),
            (SUMMARY_SELECT.to_owned(), format!("blake3:{}", blake3::hash(select.as_bytes()).to_hex())),
        ])
    }
}

/// The snapshot of a target before a commit.
fn current_snapshot(target: &Target) -> Option<i64> {
    match target {
        Target::New { .. } => None,
        Target::Existing { table, .. } => table.metadata.current_snapshot_id(),
    }
}
