//! The auditor finds each way in which a target may be wrong, and nothing where it is right.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use hosu_catalog::{Append, Commit, JobChange, JobState, Position, RunInput, Step, TableChange};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings};
use hosu_table::arrow_schema;

use super::*;
use crate::book::Batch;
use crate::gate::Gate;
use crate::jobs::Told;
use crate::runner::{round, runner};
use crate::sender::Sender;
use crate::world::Storage;

struct Lake {
    world: World,
    catalog: Catalog,
    book: JobBook,
}

/// A lake whose jobs have taken two batches.
async fn lake() -> Lake {
    let world = World::new(Storage::Bucket).unwrap();
    let catalog = world.open(&Gate::open(), 1).unwrap();
    let lake = Lake { world, catalog, book: JobBook::default() };
    lake.send(1).await;
    lake.send(2).await;
    lake.round().await;
    assert_eq!(lake.findings().await, Vec::<String>::new());
    lake
}

impl Lake {
    /// Sends a batch, of which `picked` takes the places 0, 2 and 3.
    async fn send(&self, number: i64) {
        let batch = Batch { number, events: 4, bad_lines: 0, extra_field: false };
        let table = TableName::stored("default", "events");
        Sender::Writer.send(&self.world, &self.catalog, &table, &batch).await.unwrap();
    }

    async fn round(&self) {
        let runner = runner(self.catalog.clone(), &self.book).unwrap();
        assert!(round(&runner, true).await.unwrap());
    }

    async fn audit(&self) -> JobAudit {
        audit_jobs(&self.world, &self.book).await
    }

    async fn findings(&self) -> Vec<String> {
        self.audit().await.findings.iter().map(ToString::to_string).collect()
    }

    async fn table(&self, name: &str) -> Arc<Table> {
        self.catalog.require(&TableName::stored("default", name)).await.unwrap()
    }

    /// The newest run of `picked`, under another id, as if it had taken `events` as that is now.
    async fn forged(&self) -> (JobRun, JobState) {
        let (picked, events) = (self.table("picked").await, self.table("events").await);
        let runs = JobRuns { job: Some("picked".to_owned()), ..JobRuns::default() };
        let run = self.catalog.job_runs(runs).await.unwrap().remove(0);
        let state = self.catalog.job_state(picked.uuid()).await.unwrap().unwrap();
        let (table, uuid) = (events.name.clone(), events.uuid());
        let snapshot_id = events.metadata.current_snapshot_id();
        let run_id = self.catalog.host().ids.uuid();
        let input =
            RunInput { table: table.clone(), uuid, from_snapshot_id: None, to_snapshot_id: snapshot_id };
        let position = Position { table, uuid, snapshot_id };
        (
            JobRun { run_id, inputs: vec![input], ..run },
            JobState { run_id, positions: vec![position], ..state },
        )
    }

    /// Adds rows of a batch to `picked`, as a run that has this in its transaction would.
    async fn add(&self, rows: &[(i64, i64)], run: &JobRun, jobs: Vec<JobChange>) {
        let base = self.table("picked").await;
        let target = WriteTarget {
            schema: base.schema().clone(),
            spec: base.metadata.default_partition_spec().clone(),
            sort_order: base.metadata.default_sort_order().clone(),
            location: base.location.clone(),
            properties: base.properties(),
        };
        let host = self.catalog.host();
        let mut writer = DataFileWriter::new(host, target, WriterSettings::default(), run.run_id).unwrap();
        let marks = rows.iter().map(|id| Batch::check(*id));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|(batch, _)| *batch).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|(_, place)| *place).collect::<Int64Array>()),
            Arc::new(StringArray::from_iter_values(marks)),
        ];
        let schema = Arc::new(arrow_schema::to_arrow(base.schema()));
        writer.write(RecordBatch::try_new(schema, columns).unwrap()).await.unwrap();
        let files = writer.finish().await.unwrap().files;
        let inputs = run.inputs.iter().map(|input| {
            let snapshot_id = input.to_snapshot_id.map(|id| id.to_string());
            let at = serde_json::json!({ "uuid": input.uuid.to_string(), "snapshot-id": snapshot_id });
            (input.table.to_string(), at)
        });
        let inputs = Value::Object(inputs.collect()).to_string();
        let summary = HashMap::from([
            ("hosu.run-id".to_owned(), run.run_id.to_string()),
            ("hosu.inputs".to_owned(), inputs),
        ]);
        let spec_id = base.metadata.default_partition_spec_id();
        let steps = vec![Step::Append(Append { spec_id, files, summary })];
        let tables = vec![TableChange::Change { base, steps }];
        self.catalog.commit(Commit { tables, jobs, ..Commit::default() }).await.unwrap();
    }

    async fn record(&self, change: JobChange) {
        self.catalog.record(vec![change]).await.unwrap();
    }

    async fn finds(&self, told: &str) {
        let findings = self.findings().await;
        assert!(findings.iter().any(|finding| finding.contains(told)), "{told}: {findings:#?}");
    }
}

#[tokio::test]
async fn right_targets_have_no_findings() {
    let lake = lake().await;
    lake.send(3).await;
    assert_eq!(lake.audit().await.up_to_date, 1, "only the sums over what was picked are");
    lake.round().await;
    lake.round().await;
    let mut audit = lake.audit().await;
    audit.nobody_runs();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
    assert_eq!((audit.snapshots, audit.up_to_date, audit.unheard), (6, 3, 0));
    assert_eq!(audit.runs, BTreeMap::from([("nothing_new", 3), ("succeeded", 6)]));
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_found() {
    let lake = lake().await;
    lake.send(3).await;
    let (run, state) = lake.forged().await;
    let rows = [(3, 0), (3, 2), (3, 3), (3, 2)];
    lake.add(&rows, &run, vec![JobChange::PutRun(run.clone()), JobChange::PutState(state)]).await;
    lake.finds(r#"picked (appends: true) has [Some("3"), Some("2"),"#).await;
    lake.finds("2 times in snapshot").await;
}

#[tokio::test]
async fn a_row_that_is_missing_is_found() {
    let lake = lake().await;
    lake.send(3).await;
    let (run, state) = lake.forged().await;
    lake.add(&[(3, 0), (3, 3)], &run, vec![JobChange::PutRun(run.clone()), JobChange::PutState(state)]).await;
    lake.finds("0 times in snapshot").await;
    lake.finds("by the summary 1 times").await;
}

#[tokio::test]
async fn a_position_that_is_ahead_of_the_rows_is_found() {
    let lake = lake().await;
    lake.send(3).await;
    let (_, state) = lake.forged().await;
    lake.record(JobChange::PutState(state)).await;
    lake.finds("by what is kept 1 times").await;
}

#[tokio::test]
async fn a_position_that_is_not_that_of_the_snapshot_is_found() {
    let lake = lake().await;
    let (_, state) = lake.forged().await;
    let picked = lake.table("picked").await;
    let kept = lake.catalog.job_state(picked.uuid()).await.unwrap().unwrap();
    let none = vec![Position { snapshot_id: None, ..state.positions[0].clone() }];
    lake.record(JobChange::PutState(JobState { positions: none, ..kept })).await;
    lake.finds("what is kept of picked is not what its snapshot says").await;
}

#[tokio::test]
async fn a_snapshot_without_a_run_and_a_run_without_a_snapshot_are_found() {
    let lake = lake().await;
    lake.send(3).await;
    let (run, state) = lake.forged().await;
    lake.add(&[(3, 0), (3, 2), (3, 3)], &run, vec![JobChange::PutState(state)]).await;
    lake.finds("no run that succeeded has made snapshot").await;
    let lake = self::lake().await;
    let (run, _) = lake.forged().await;
    lake.record(JobChange::PutRun(run)).await;
    lake.finds("which is not its own").await;
}

#[tokio::test]
async fn what_was_told_and_is_not_so_is_found() {
    let lake = lake().await;
    let (run, _) = lake.forged().await;
    lake.book.tell(Told { run, is_definite_failure: false });
    lake.finds("was told to have succeeded, and is None").await;
    let lake = self::lake().await;
    let mut told = lake.book.told().remove(0);
    told.run.state = RunState::Failed;
    lake.book.tell(Told { is_definite_failure: true, ..told });
    lake.finds("was told to have failed, and is Some").await;
}

#[tokio::test]
async fn a_run_that_nobody_runs_is_found() {
    let lake = lake().await;
    let (run, _) = lake.forged().await;
    let run = JobRun { state: RunState::Running, snapshot_id: None, ..run };
    lake.record(JobChange::PutRun(run)).await;
    let mut audit = lake.audit().await;
    assert!(audit.findings.is_empty(), "it may have been cut off: {:?}", audit.findings);
    audit.nobody_runs();
    assert_eq!(audit.findings.len(), 1);
}
