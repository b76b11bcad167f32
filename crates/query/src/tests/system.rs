//! The tables that no file is of.

use hosu_catalog::{
    Append, Commit, JobChange, JobRun, LedgerRow, LedgerRule, RunInput, RunState, Step, TableChange,
};
use hosu_table::name::TableName;
use serde_json::json;

use super::{Lake, column, schema};

fn name(table: &str) -> TableName {
    TableName::parse(table).unwrap()
}

async fn lake() -> Lake {
    let lake = Lake::new();
    let ids = &lake.catalog.host().ids;
    let input = |table: &str, from_snapshot_id, to| {
        let to_snapshot_id = Some(to);
        RunInput { table: name(table), uuid: ids.uuid(), from_snapshot_id, to_snapshot_id }
    };
    let run = |job: &str, started_at_ms, state, snapshot_id, inputs| JobRun {
        run_id: ids.uuid(),
        job: job.to_owned(),
        target: name(&format!("curated.{job}")),
        target_uuid: None,
        mode: "append".to_owned(),
        trigger: "schedule".to_owned(),
        slot_ms: Some(1_714_525_200_000),
        attempt: 1,
        state,
        started_at_ms,
        ended_at_ms: Some(started_at_ms + 500),
        snapshot_id,
        inputs,
        rows_read: 10,
        bytes_read: 1000,
        files_written: 1,
        rows_written: 7,
        bytes_written: 700,
        error: (state == RunState::Failed).then(|| "why".to_owned()),
    };
    let both = vec![input("raw.events", Some(1), 2), input("raw.users", None, 5)];
    let runs = [
        run("logins", 1_714_525_200_000, RunState::Succeeded, Some(70), both),
        run("logins", 1_714_528_800_000, RunState::Failed, None, vec![input("raw.events", Some(2), 3)]),
        run("actives", 1_714_532_400_000, RunState::Succeeded, Some(71), Vec::new()),
    ];
    lake.catalog.record(runs.map(JobChange::PutRun).to_vec()).await.unwrap();
    lake
}

#[tokio::test]
async fn runs_of_jobs_are_rows() {
    let lake = lake().await;
    let sql = "SELECT Job, state, trigger, slot, attempt, started_at, ended_at, snapshot_id, inputs[1].TABLE_NAME AS first, \
               cardinality(inputs) AS n, rows_read + rows_written AS r, error FROM System.JOB_RUNS WHERE job = 'logins' ORDER BY started_at";
    let rows = lake.batches(sql).await;
    assert_eq!(
        super::lines(&rows),
        [
            r#"{"job":"logins","state":"failed","trigger":"schedule","slot":"2024-05-01T01:00:00Z","attempt":1,"started_at":"2024-05-01T02:00:00Z","ended_at":"2024-05-01T02:00:00.500Z","snapshot_id":null,"first":"raw.events","n":1,"r":17,"error":"why"}"#,
            r#"{"job":"logins","state":"succeeded","trigger":"schedule","slot":"2024-05-01T01:00:00Z","attempt":1,"started_at":"2024-05-01T01:00:00Z","ended_at":"2024-05-01T01:00:00.500Z","snapshot_id":70,"first":"raw.events","n":2,"r":17,"error":null}"#,
        ]
    );
    assert_eq!(lake.rows("SELECT count(*) AS n FROM system.job_runs").await, [r#"{"n":3}"#]);
    assert_eq!(
        lake.rows("SELECT job FROM system.job_runs LIMIT 1").await,
        [r#"{"job":"actives"}"#],
        "the newest"
    );
    assert_eq!(lake.rows("SELECT * FROM system.job_runs").await.len(), 3);
    let sql =
        "SELECT a.job FROM system.job_runs a JOIN system.lineage b USING (run_id) WHERE 'actives' = a.job";
    assert_eq!(lake.rows(sql).await, [r#"{"job":"actives"}"#]);
    assert_eq!(Lake::new().rows("SELECT * FROM system.job_runs").await, [""; 0], "a lake without jobs");
}

#[tokio::test]
async fn lineage_has_a_row_for_each_input_of_each_snapshot() {
    let lake = lake().await;
    let sql = "SELECT target, snapshot_id, job, input, from_snapshot_id, to_snapshot_id, committed_at FROM system.lineage";
    assert_eq!(
        lake.rows(sql).await,
        [
            r#"{"target":"curated.actives","snapshot_id":71,"job":"actives","input":null,"from_snapshot_id":null,"to_snapshot_id":null,"committed_at":"2024-05-01T03:00:00.500Z"}"#,
            r#"{"target":"curated.logins","snapshot_id":70,"job":"logins","input":"raw.events","from_snapshot_id":1,"to_snapshot_id":2,"committed_at":"2024-05-01T01:00:00.500Z"}"#,
            r#"{"target":"curated.logins","snapshot_id":70,"job":"logins","input":"raw.users","from_snapshot_id":null,"to_snapshot_id":5,"committed_at":"2024-05-01T01:00:00.500Z"}"#,
        ]
    );
}

#[tokio::test]
async fn names_of_other_tables_do_not_get_in_their_way() {
    let lake = lake().await;
    lake.create("t", schema(vec![column(1, "JOB", "string"), column(2, "Inputs", "long")]), "").await;
    lake.append("t", &[json!({"JOB": "actives", "Inputs": 4})]).await;
    let sql = "SELECT t.inputs, r.state, r.inputs FROM t JOIN system.job_runs r USING (job)";
    let expected = r#"{"Inputs":4,"state":"succeeded","Inputs":[]}"#;
    assert_eq!(lake.rows(sql).await, [expected]);
}

#[tokio::test]
async fn a_table_of_the_lakes_own_comes_first() {
    let lake = lake().await;
    let error = lake.plan("SELECT * FROM system.job_run").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table system.job_run; did you mean job_runs?");
    lake.create("system.job_runs", schema(vec![column(1, "own", "long")]), "").await;
    lake.append("system.job_runs", &[json!({"own": 4})]).await;
    assert_eq!(lake.rows("SELECT * FROM system.job_runs").await, [r#"{"own":4}"#]);
    assert_eq!(lake.rows("SELECT count(*) AS n FROM system.lineage").await, [r#"{"n":3}"#]);
}

/// A table with two sources in two commits, the second without a row.
async fn ingested() -> Lake {
    let lake = Lake::new();
    lake.create("raw.events", schema(vec![column(1, "id", "long")]), "").await;
    let base = lake.table("raw.events").await;
    let files =
        lake.write(&base, vec![super::batch(base.schema(), &[json!({"id": 1}), json!({"id": 2})])]).await;
    let row = |source: &str, rows, rejected| LedgerRow {
        table_uuid: base.uuid(),
        branch: "main".to_owned(),
        source: source.to_owned(),
        size_bytes: 20,
        content: "blake3:00".to_owned(),
        operation_id: "00000000-0000-0000-0000-000000000007".parse().unwrap(),
        snapshot_id: None,
        rows,
        rejected,
        ingested_at_ms: 1_714_525_200_000,
        from_byte: 5,
        identity: None,
        rule: LedgerRule::Any,
    };
    let append = Append { spec_id: 0, files, summary: Default::default() };
    let change = TableChange::Change { base: base.clone(), steps: vec![Step::Append(append)] };
    let ledger = vec![row("/a.ndjson", 2, 1)];
    lake.catalog.commit(Commit { tables: vec![change], ledger, ..Commit::default() }).await.unwrap();
    let ledger = vec![row("/bad.ndjson", 0, 3)];
    lake.catalog.commit(Commit { ledger, ..Commit::default() }).await.unwrap();
    lake
}

#[tokio::test]
async fn what_was_ingested_is_rows() {
    let lake = ingested().await;
    lake.create("other", schema(vec![column(1, "id", "long")]), "").await;
    let sql = "SELECT source, from_byte, size_bytes, content, rows_added, rejected, operation_id, ingested_at, status \
               FROM system.ingests WHERE table_name = 'raw.events' ORDER BY source";
    let same = r#""from_byte":5,"size_bytes":20,"content":"blake3:00""#;
    let when =
        r#""operation_id":"00000000-0000-0000-0000-000000000007","ingested_at":"2024-05-01T01:00:00Z""#;
    assert_eq!(
        super::lines(&lake.batches(sql).await),
        [
            format!(
                r#"{{"source":"/a.ndjson",{same},"rows_added":2,"rejected":1,{when},"status":"current"}}"#
            ),
            format!(
                r#"{{"source":"/bad.ndjson",{same},"rows_added":0,"rejected":3,{when},"status":"rejected"}}"#
            ),
        ]
    );
    let sql = "SELECT i.source FROM system.ingests i WHERE snapshot_id IS NOT NULL AND table_name <> 'other'";
    assert_eq!(lake.rows(sql).await, [r#"{"source":"/a.ndjson"}"#]);
    assert_eq!(lake.rows("SELECT source FROM system.ingests WHERE table_name = 'other'").await, [""; 0]);
}
