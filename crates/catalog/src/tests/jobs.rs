//! Rows of jobs: they become true with the tables of their commit, under leases with a fence, once.

use std::time::Duration;

use hosu_host::ManualClock;

use super::faulty::Answer::{Lost, Sent};
use super::faulty::Faulty;
use super::*;
use crate::{JobChange, JobRun, JobRuns, JobSlot, JobState, Lease, Position, RunInput, RunState};

const A: Uuid = Uuid::from_u128(0xa);
const B: Uuid = Uuid::from_u128(0xb);
const MINUTE: Duration = Duration::from_secs(60);

fn run(id: u128, table: &Table, state: RunState) -> JobRun {
    JobRun {
        run_id: Uuid::from_u128(id),
        job: "logins".to_owned(),
        target: table.name.clone(),
        target_uuid: Some(table.uuid()),
        mode: "append".to_owned(),
        trigger: "schedule".to_owned(),
        slot_ms: Some(900_000),
        attempt: 2,
        state,
        started_at_ms: 1_000 + i64::try_from(id).expect("a small number"),
        ended_at_ms: None,
        snapshot_id: None,
        inputs: vec![
            RunInput {
                table: TableName::stored("raw", "odd \"name\""),
                uuid: A,
                from_snapshot_id: None,
                to_snapshot_id: Some(i64::MAX),
            },
            RunInput { table: name("b"), uuid: B, from_snapshot_id: Some(-3), to_snapshot_id: None },
        ],
        rows_read: 10,
        bytes_read: 20,
        files_written: 30,
        rows_written: 40,
        bytes_written: 50,
        error: Some("it's broken".to_owned()),
    }
}

fn state(table: &Table) -> JobState {
    JobState {
        target_uuid: table.uuid(),
        job: "logins".to_owned(),
        mode: "append".to_owned(),
        select: "blake3:7".to_owned(),
        run_id: Uuid::from_u128(1),
        snapshot_id: None,
        positions: vec![
            Position { table: name("raw.events"), uuid: A, snapshot_id: Some(7) },
            Position { table: name("raw.empty"), uuid: B, snapshot_id: None },
        ],
        updated_at_ms: 77,
    }
}

async fn made(lake: &Lake) -> Arc<Table> {
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[]);
    lake.catalog.create_table(events, new, false).await.expect("a table")
}

async fn all_runs(catalog: &Catalog) -> Vec<JobRun> {
    catalog.job_runs(JobRuns::default()).await.expect("runs")
}

/// A catalog whose time the test sets.
fn at_ms(lake: &Lake, now_ms: i64) -> Catalog {
    let mut host = Host::seeded(3);
    host.clock = Arc::new(ManualClock::at_ms(now_ms));
    lake.catalog.on_host(host)
}

#[tokio::test]
async fn rows_come_back_as_they_were_put_with_the_snapshot_of_their_commit() {
    let lake = Lake::new();
    let table = made(&lake).await;
    let slot =
        |until| JobSlot { job: "logins".to_owned(), schedule: "@hourly".to_owned(), handled_until_ms: until };
    let mut commit = change(&table, vec![Step::Append(append("file:///a.parquet", 5))]);
    let (put_run, put_state) = (run(1, &table, RunState::Succeeded), state(&table));
    commit.jobs = vec![
        JobChange::PutRun(put_run.clone()),
        JobChange::PutState(put_state.clone()),
        JobChange::PutSlot(slot(4)),
        JobChange::PutSlot(slot(5)),
    ];
    let done = lake.catalog.commit(commit).await.expect("a commit");
    let snapshot_id = done.tables[0].snapshot().map(|snapshot| snapshot.snapshot_id());
    assert!(snapshot_id.is_some());

    let cold = lake.again(9);
    assert_eq!(all_runs(&cold).await, [JobRun { snapshot_id, ..put_run }]);
    let expected = JobState { snapshot_id, ..put_state };
    assert_eq!(cold.job_states().await.expect("states"), std::slice::from_ref(&expected));
    assert_eq!(cold.job_state(table.uuid()).await.expect("a state"), Some(expected));
    assert_eq!(cold.job_state(A).await.expect("no state"), None);
    assert_eq!(cold.job_slots().await.expect("slots"), [slot(5)]);
}

#[tokio::test]
async fn runs_are_asked_for_by_job_id_and_number_newest_first() {
    let lake = Lake::new();
    let table = made(&lake).await;
    let mut changes: Vec<_> =
        (1..=5).map(|id| JobChange::PutRun(run(id, &table, RunState::Failed))).collect();
    let other = JobRun { job: "other".to_owned(), ..run(6, &table, RunState::NothingNew) };
    changes.push(JobChange::PutRun(other));
    lake.catalog.record(changes).await.expect("recorded");
    let ids = |asked: JobRuns| {
        let catalog = &lake.catalog;
        async move {
            let runs = catalog.job_runs(asked).await.expect("runs");
            runs.iter().map(|run| run.run_id.as_u128()).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(JobRuns::default()).await, [6, 5, 4, 3, 2, 1]);
    let of_job = JobRuns { job: Some("logins".to_owned()), limit: Some(2), ..JobRuns::default() };
    assert_eq!(ids(of_job).await, [5, 4]);
    assert_eq!(ids(JobRuns { run_id: Some(Uuid::from_u128(3)), ..JobRuns::default() }).await, [3]);
    let none = JobRuns { job: Some("other".into()), run_id: Some(Uuid::from_u128(3)), limit: None };
    assert_eq!(ids(none).await, [0_u128; 0]);
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_fence_never_goes_back() {
    let lake = Lake::new();
    let early = at_ms(&lake, 1_000_000);
    let lease = early.take_lease("job events", A, MINUTE).await.expect("free");
    let expected = Lease { name: "job events".to_owned(), holder: A, fence: 1, until_ms: 1_060_000 };
    assert_eq!(lease, expected);
    assert_eq!(early.take_lease("job events", A, MINUTE).await.expect("its own"), lease);
    let held = early.take_lease("job events", B, MINUTE).await;
    let Err(CatalogError::LeaseHeld { holder, until_ms, .. }) = held else { panic!("{held:?}") };
    assert_eq!((holder, until_ms), (A, 1_060_000));
    assert_eq!(early.take_lease("another", B, MINUTE).await.expect("free").fence, 1);

    let renewed = at_ms(&lake, 1_050_000).renew_lease(&lease, MINUTE).await.expect("renewed");
    assert_eq!((renewed.fence, renewed.until_ms), (1, 1_110_000));
    at_ms(&lake, 1_109_999).take_lease("job events", B, MINUTE).await.expect_err("renewed");
    let taken = at_ms(&lake, 1_110_000).take_lease("job events", B, MINUTE).await.expect("run out");
    assert_eq!((taken.holder, taken.fence), (B, 2));
    let lost = early.renew_lease(&renewed, MINUTE).await;
    assert!(matches!(lost, Err(CatalogError::LeaseLost { .. })), "{lost:?}");
    early.release_lease(&renewed).await.expect("a lost one is no error");
    assert_eq!(early.lease("job events").await.expect("a lease"), Some(taken.clone()));

    early.release_lease(&taken).await.expect("released");
    assert_eq!(early.lease("job events").await.expect("a row").map(|lease| lease.until_ms), Some(0));
    let again = early.take_lease("job events", B, MINUTE).await.expect("free");
    assert_eq!(again.fence, 3, "whoever had it before it was given back has it no more");
}

#[tokio::test]
async fn a_lease_that_ran_out_is_renewed_when_nobody_took_it() {
    let lake = Lake::new();
    let lease = at_ms(&lake, 0).take_lease("x", A, MINUTE).await.expect("free");
    let renewed = at_ms(&lake, 500_000).renew_lease(&lease, MINUTE).await.expect("nobody took it");
    assert_eq!((renewed.fence, renewed.until_ms), (1, 560_000));
    // A renewal that arrives late shortens nothing.
    lake.catalog.record(vec![JobChange::RenewLease { lease }]).await.expect("renewed");
    assert_eq!(lake.catalog.lease("x").await.expect("a lease"), Some(renewed));
}

#[tokio::test]
async fn who_lost_the_lease_commits_nothing() {
    let lake = Lake::new();
    let table = made(&lake).await;
    let first = at_ms(&lake, 0).take_lease("events", A, MINUTE).await.expect("free");
    let late = at_ms(&lake, 60_000);
    let second = late.take_lease("events", B, MINUTE).await.expect("run out");
    let commit = |lease: &Lease, id: u128, path: &str| {
        let mut commit = change(&table, vec![Step::Append(append(path, 5))]);
        commit.ledger = vec![ledger_row(table.uuid(), path, "blake3:1", LedgerRule::FirstOfSource)];
        commit.jobs = vec![
            JobChange::PutRun(run(id, &table, RunState::Succeeded)),
            JobChange::PutState(JobState { run_id: Uuid::from_u128(id), ..state(&table) }),
            JobChange::RequireLease { name: lease.name.clone(), fence: lease.fence },
        ];
        commit
    };
    let metadata = || {
        let folder = table.location.local_path().expect("a folder").join("metadata");
        std::fs::read_dir(folder).expect("the folder").count()
    };
    let files_before = metadata();
    let lost = lake.catalog.commit(commit(&first, 1, "file:///first.parquet")).await;
    assert!(matches!(lost, Err(CatalogError::LeaseLost { .. })), "{lost:?}");
    assert!(lost.is_err_and(|error| error.is_definite()));
    assert_eq!(live_files(&lake, &table.name).await, []);
    assert_eq!(lake.catalog.require(&table.name).await.expect("the table").metadata, table.metadata);
    assert_eq!(all_runs(&lake.catalog).await, []);
    assert_eq!(lake.catalog.job_states().await.expect("states"), []);
    assert_eq!(lake.catalog.ledger(table.uuid(), None).await.expect("the ledger"), []);
    assert_eq!(metadata(), files_before, "its files are removed");

    lake.catalog.commit(commit(&second, 2, "file:///second.parquet")).await.expect("the holder");
    assert_eq!(live_files(&lake, &table.name).await.len(), 1);
    assert_eq!(all_runs(&lake.catalog).await.len(), 1);
    let nobodys = JobChange::RequireLease { name: "never taken".to_owned(), fence: 0 };
    let refused = lake.catalog.record(vec![nobodys]).await;
    assert!(matches!(refused, Err(CatalogError::LeaseLost { .. })), "{refused:?}");
}

#[tokio::test]
async fn rows_of_jobs_are_undone_with_the_rest_of_their_commit() {
    let lake = Lake::new();
    let table = made(&lake).await;
    let row = ledger_row(table.uuid(), "/a", "blake3:1", LedgerRule::FirstOfSource);
    let commit = |id| {
        let mut commit = change(&table, vec![Step::Append(append("file:///a.parquet", 1))]);
        commit.ledger = vec![row.clone()];
        commit.jobs = vec![JobChange::PutRun(run(id, &table, RunState::Succeeded))];
        commit
    };
    lake.catalog.commit(commit(1)).await.expect("the first");
    let again = lake.catalog.commit(commit(2)).await;
    assert!(matches!(again, Err(CatalogError::AlreadyIngested { .. })), "{again:?}");
    assert_eq!(all_runs(&lake.catalog).await.len(), 1);
}

#[tokio::test]
async fn only_running_runs_of_the_target_are_interrupted_and_none_runs_again_after_its_end() {
    let lake = Lake::new();
    let table = made(&lake).await;
    let running = run(1, &table, RunState::Running);
    let elsewhere = JobRun { target: name("elsewhere"), ..run(3, &table, RunState::Running) };
    let puts = [running.clone(), run(2, &table, RunState::Succeeded), elsewhere];
    let mut changes: Vec<_> = puts.into_iter().map(JobChange::PutRun).collect();
    changes.push(JobChange::InterruptRuns { target: table.name.clone(), ended_at_ms: 9 });
    lake.catalog.record(changes).await.expect("recorded");
    let states = || async {
        let runs = all_runs(&lake.catalog).await;
        runs.iter().map(|run| (run.run_id.as_u128(), run.state, run.ended_at_ms)).collect::<Vec<_>>()
    };
    let expected =
        [(3, RunState::Running, None), (2, RunState::Succeeded, None), (1, RunState::Interrupted, Some(9))];
    assert_eq!(states().await, expected);
    // The first row of a run, arriving once more after its last one.
    lake.catalog.record(vec![JobChange::PutRun(running)]).await.expect("recorded");
    assert_eq!(states().await, expected);
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_an_error_and_not_an_empty_list() {
    let lake = Lake::new();
    let table = made(&lake).await;
    lake.catalog.record(vec![JobChange::PutState(state(&table))]).await.expect("recorded");
    let connection = rusqlite::Connection::open(lake.folder.path().join("catalog.db")).expect("the database");
    for damaged in ["[{}]", "no json", r#"[{"database":"a","table":"b","uuid":"c","snapshot":1}]"#] {
        connection.execute("UPDATE hosu_job_states SET positions = ?1", [damaged]).expect("damaged");
        let error = lake.catalog.job_state(table.uuid()).await;
        assert!(matches!(error, Err(CatalogError::Database(DatabaseError::Unusable { .. }))), "{error:?}");
    }
}

#[test]
fn states_of_runs_are_words() {
    for state in RunState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    assert!("gone".parse::<RunState>().is_err());
}

#[tokio::test]
async fn a_lost_answer_takes_no_lease_twice_and_records_no_run_twice() {
    for lost in [&[Sent][..], &[Lost], &[Sent, Lost], &[Lost, Sent, Sent]] {
        let lake = Lake::new();
        let table = made(&lake).await;
        let lease = Faulty::catalog(&lake, lost).take_lease("x", A, MINUTE).await.expect("taken");
        assert_eq!((lease.fence, lease.holder, lease.until_ms), (1, A, 61_000), "{lost:?}");
        let changes = vec![
            JobChange::RequireLease { name: "x".to_owned(), fence: 1 },
            JobChange::PutRun(run(1, &table, RunState::Succeeded)),
            JobChange::ReleaseLease(lease),
        ];
        Faulty::catalog(&lake, lost).record(changes).await.expect("recorded");
        assert_eq!(all_runs(&lake.catalog).await.len(), 1, "{lost:?}");
    }
}

#[tokio::test]
async fn answers_that_are_lost_for_ever_are_told_as_such() {
    let lake = Lake::new();
    made(&lake).await;
    let never = [Lost; 100];
    let error = Faulty::catalog(&lake, &never).take_lease("x", A, MINUTE).await.expect_err("no answer");
    assert!(!error.is_definite(), "{error:?}");
    assert_eq!(lake.catalog.lease("x").await.expect("no lease"), None);
    let happened = [Sent; 100];
    Faulty::catalog(&lake, &happened).take_lease("x", A, MINUTE).await.expect("it is seen to be there");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_has_its_rows_once() {
    for lost in [&[Sent][..], &[Lost], &[Lost, Sent]] {
        let lake = Lake::new();
        let table = made(&lake).await;
        let lease = lake.catalog.take_lease("x", A, MINUTE).await.expect("taken");
        let mut commit = change(&table, vec![Step::Append(append("file:///a.parquet", 1))]);
        commit.jobs = vec![
            JobChange::RequireLease { name: "x".to_owned(), fence: lease.fence },
            JobChange::PutRun(run(1, &table, RunState::Succeeded)),
        ];
        let done = Faulty::catalog(&lake, lost).commit(commit).await.expect("a commit");
        let snapshot_id = done.tables[0].snapshot().map(|snapshot| snapshot.snapshot_id());
        assert_eq!(live_files(&lake, &table.name).await.len(), 1, "{lost:?}");
        let runs = all_runs(&lake.catalog).await;
        assert_eq!(runs.iter().map(|run| run.snapshot_id).collect::<Vec<_>>(), [snapshot_id], "{lost:?}");
    }
}
