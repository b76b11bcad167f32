//! A run in words and as JSON. The names in JSON are those of the columns of `system.job_runs`; only there an input's table is
//! `table_name`, because `table` is a word of SQL.

use hosu_catalog::{JobRun, RunInput, RunState};
use serde_json::{Value, json};

use super::moment::utc;
use crate::print::human;

/// A run for programs.
pub fn run_json(run: &JobRun) -> Value {
    let inputs: Vec<Value> = run.inputs.iter().map(input_json).collect();
    json!({
        "run_id": run.run_id.to_string(),
        "job": run.job,
        "target": run.target.to_string(),
        "mode": run.mode,
        "trigger": run.trigger,
        "slot": run.slot_ms.map(utc),
        "attempt": run.attempt,
        "state": run.state.as_str(),
        "started_at": utc(run.started_at_ms),
        "ended_at": run.ended_at_ms.map(utc),
        "snapshot_id": run.snapshot_id.map(|id| id.to_string()),
        "inputs": inputs,
        "rows_read": run.rows_read,
        "bytes_read": run.bytes_read,
        "files_written": run.files_written,
        "rows_written": run.rows_written,
        "bytes_written": run.bytes_written,
        "error": run.error,
    })
}

fn input_json(input: &RunInput) -> Value {
    json!({
        "table": input.table.to_string(),
        "from_snapshot_id": input.from_snapshot_id.map(|id| id.to_string()),
        "to_snapshot_id": input.to_snapshot_id.map(|id| id.to_string()),
    })
}

/// What a run that ended did, in a line without the job's name.
pub fn run_line(run: &JobRun) -> String {
    let elapsed_ms = run.ended_at_ms.map_or(0, |ended_at_ms| ended_at_ms.saturating_sub(run.started_at_ms));
    let time = human::elapsed(u64::try_from(elapsed_ms).unwrap_or(0));
    let target = &run.target;
    match run.state {
        RunState::Succeeded => {
            let rows = human::counted(run.rows_written, "row");
            let did = match run.mode.as_str() {
                "append" => format!("{rows} added to {target}"),
                _ => format!("{target} made anew with {rows}"),
            };
            let read = format!("{}, {}", human::counted(run.rows_read, "row"), human::bytes(run.bytes_read));
            let files = human::counted(run.files_written, "file");
            format!("{did} in {time} (read {read}; wrote {files}, {})", human::bytes(run.bytes_written))
        }
        RunState::NothingNew => format!("nothing new, {target} is as it was"),
        RunState::Failed => {
            format!("failed after {time}: {}", run.error.as_deref().unwrap_or("no reason is known"))
        }
        RunState::Interrupted => match &run.error {
            Some(error) => format!("broken off after {time}: {error}"),
            None => "broken off: its process ended before it did".to_owned(),
        },
        RunState::Running => state_words(run.state).to_owned(),
    }
}

/// A state for people.
pub fn state_words(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::NothingNew => "nothing new",
        RunState::Failed => "failed",
        RunState::Interrupted => "broken off",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use hosu_table::name::TableName;
    use uuid::Uuid;

    use super::*;

    /// A run that added rows.
    pub fn run() -> JobRun {
        let name = |name: &str| TableName::parse(name).unwrap();
        let input = RunInput {
            table: name("raw.events"),
            uuid: Uuid::nil(),
            from_snapshot_id: Some(i64::MAX),
            to_snapshot_id: Some(7),
        };
        JobRun {
            run_id: Uuid::nil(),
            job: "logins".to_owned(),
            target: name("curated.logins"),
            target_uuid: None,
            mode: "append".to_owned(),
            trigger: "schedule".to_owned(),
            slot_ms: Some(1_772_842_500_000),
            attempt: 2,
            state: RunState::Succeeded,
            started_at_ms: 1_772_842_500_100,
            ended_at_ms: Some(1_772_842_501_600),
            snapshot_id: Some(9),
            inputs: vec![input],
            rows_read: 1_000,
            bytes_read: 2_048,
            files_written: 1,
            rows_written: 12,
            bytes_written: 512,
            error: None,
        }
    }

    #[test]
    fn programs_get_ids_as_text_and_moments_in_utc() {
        let run = run_json(&run());
        assert_eq!(run["inputs"][0]["from_snapshot_id"], "9223372036854775807");
        assert_eq!((&run["snapshot_id"], &run["state"]), (&json!("9"), &json!("succeeded")));
        assert_eq!((&run["slot"], &run["error"]), (&json!("2026-03-07T00:15:00.000Z"), &Value::Null));
    }

    #[test]
    fn people_get_a_sentence() {
        let line =
            "12 rows added to curated.logins in 1.50 s (read 1,000 rows, 2.0 KiB; wrote 1 file, 512 B)";
        assert_eq!(run_line(&run()), line);
        let full = JobRun { mode: "full".to_owned(), rows_written: 1, ..run() };
        assert!(
            run_line(&full).starts_with("curated.logins made anew with 1 row in 1.50 s"),
            "{}",
            run_line(&full)
        );
        let failed = JobRun { state: RunState::Failed, error: Some("no".to_owned()), ..run() };
        assert_eq!(run_line(&failed), "failed after 1.50 s: no");
        let idle = JobRun { state: RunState::NothingNew, ..run() };
        assert_eq!(run_line(&idle), "nothing new, curated.logins is as it was");
    }
}
