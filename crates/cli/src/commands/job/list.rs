//! `hosu job list`: the jobs with what became of them, as a table or as the graph that they form.

use std::fmt::Write as _;

use hosu_transform::{Lag, Listed, Project, Schedule, list};
use serde_json::{Value, json};

use super::check::{fault_json, job_json};
use super::{Context, print_json, print_text};
use crate::args::{JobListArguments, Output, RowFormat};
use crate::failure::Failure;
use crate::jobs::{self, Drawn, Moment, run_json, state_words};
use crate::print::{Cells, Column, Look, human, layout};

/// Runs the command.
pub async fn run(arguments: &JobListArguments, context: &Context) -> Result<u8, Failure> {
    let engine = jobs::engine(context)?;
    let project = jobs::load(context, &engine).await?;
    let listed = list(&context.catalog, &project).await?;
    let now_ms = context.catalog.host().clock.now_ms();
    match context.output {
        Output::Json => {
            let listed: Vec<Value> = listed.iter().map(listed_json).collect();
            let faults: Vec<Value> = project.faults.iter().map(fault_json).collect();
            print_json(&json!({ "jobs": listed, "faults": faults }))?;
        }
        Output::Text if arguments.graph => print_text(&(graph(&listed) + &faults(&project)))?,
        Output::Text => print_text(&(table(&listed, now_ms)? + &faults(&project)))?,
    }
    Ok(0)
}

fn listed_json(listed: &Listed) -> Value {
    let lag =
        |lag: &Lag| json!({ "table": lag.table.to_string(), "snapshots": lag.snapshots, "rows": lag.rows });
    let zone = listed.job.job.zone;
    let mut object = job_json(&listed.job);
    if let Value::Object(fields) = &mut object {
        fields.insert("last_run".to_owned(), listed.last.as_ref().map_or(Value::Null, run_json));
        fields
            .insert("next_run".to_owned(), json!(listed.next_ms.map(|at_ms| Moment::new(at_ms, zone).iso())));
        fields.insert("lag".to_owned(), listed.inputs.iter().map(lag).collect());
    }
    object
}

/// The jobs that are not there, for who wonders.
fn faults(project: &Project) -> String {
    let mut text = String::new();
    if !project.faults.is_empty() {
        let faults = human::counted(project.faults.len() as u64, "fault");
        let _ = writeln!(text, "{faults}, told by `hosu job check`");
    }
    text
}

fn graph(listed: &[Listed]) -> String {
    let drawn = |listed: &Listed| {
        let job = &listed.job.job;
        let schedule = job.schedule.as_ref().map_or_else(|| "by hand".to_owned(), ToString::to_string);
        let last = listed.last.as_ref().map_or("never run", |run| state_words(run.state));
        Drawn {
            name: job.name.clone(),
            target: job.target.clone(),
            inputs: listed.job.inputs.clone(),
            words: format!("({}, {schedule}, {last})", job.mode.as_str()),
        }
    };
    jobs::graph(&listed.iter().map(drawn).collect::<Vec<_>>())
}

fn table(listed: &[Listed], now_ms: i64) -> Result<String, Failure> {
    if listed.is_empty() {
        return Ok("no jobs\n".to_owned());
    }
    let columns = ["job", "target", "mode", "schedule", "last run", "next run", "not taken yet"];
    let columns = columns.map(|name| Column { name: name.to_owned(), numeric: false });
    let mut layout = layout(RowFormat::Table, &Look::default());
    let mut text = Vec::new();
    layout.begin(&columns, &mut text)?;
    for listed in listed {
        layout.row(&Row(row(listed, now_ms)), &mut text)?;
    }
    layout.end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

struct Row([String; 7]);

impl Cells for Row {
    fn text(&self, column: usize) -> Option<String> {
        self.0.get(column).cloned()
    }

    fn json(&self, column: usize) -> String {
        json!(self.0.get(column)).to_string()
    }
}

fn row(listed: &Listed, now_ms: i64) -> [String; 7] {
    let job = &listed.job.job;
    let last = listed.last.as_ref().map_or_else(
        || "never".to_owned(),
        |run| format!("{} {}", state_words(run.state), Moment::new(run.started_at_ms, job.zone).text()),
    );
    let next = match (&job.schedule, listed.next_ms) {
        (None, _) => "by hand".to_owned(),
        (Some(Schedule::After(_)), _) => "with new data".to_owned(),
        (Some(_), Some(at_ms)) => {
            let due = if at_ms <= now_ms { " (due)" } else { "" };
            format!("{}{due}", Moment::new(at_ms, job.zone).text())
        }
        (Some(_), None) => "never".to_owned(),
    };
    [
        job.name.clone(),
        job.target.to_string(),
        job.mode.as_str().to_owned(),
        job.schedule.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        last,
        next,
        listed.inputs.iter().map(lag_words).collect::<Vec<_>>().join("; "),
    ]
}

/// What of an input was not taken yet: `raw.events: 2 snapshots, 1,200 rows`.
fn lag_words(lag: &Lag) -> String {
    let words = match (lag.snapshots, lag.rows) {
        (Some(0), _) => "nothing".to_owned(),
        (Some(snapshots), Some(rows)) => {
            format!("{}, {}", human::counted(snapshots as u64, "snapshot"), human::counted(rows, "row"))
        }
        (Some(snapshots), None) => human::counted(snapshots as u64, "snapshot"),
        (None, Some(rows)) => format!("all, {}", human::counted(rows, "row")),
        (None, None) => "cannot be told".to_owned(),
    };
    format!("{}: {words}", lag.table)
}

#[cfg(test)]
mod tests {
    use hosu_table::name::TableName;

    use super::*;

    #[test]
    fn what_was_not_taken_is_told_in_words() {
        let words = |snapshots, rows| {
            lag_words(&Lag { table: TableName::parse("raw.events").unwrap(), snapshots, rows })
        };
        assert_eq!(words(Some(2), Some(1_200)), "raw.events: 2 snapshots, 1,200 rows");
        assert_eq!(words(Some(0), Some(0)), "raw.events: nothing");
        assert_eq!(words(None, Some(1)), "raw.events: all, 1 row");
        assert_eq!(words(None, None), "raw.events: cannot be told");
    }
}
