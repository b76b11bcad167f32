//! `hosu job history`: which runs there were, the newest first.

use std::fmt::Write as _;

use hosu_catalog::{JobRun, JobRuns};
use serde_json::{Value, json};

use super::{Context, print_json, print_text};
use crate::args::{JobHistoryArguments, Output};
use crate::failure::Failure;
use crate::jobs::{Moment, run_json, run_line};
use crate::print::one_line;

/// Runs the command. The folder of the jobs is not read: runs stay when their jobs go.
pub async fn run(arguments: JobHistoryArguments, context: &Context) -> Result<u8, Failure> {
    let wanted = JobRuns { job: arguments.name.clone(), limit: Some(arguments.limit), ..JobRuns::default() };
    let runs = context.catalog.job_runs(wanted).await?;
    match context.output {
        Output::Json => {
            let runs: Vec<Value> = runs.iter().map(run_json).collect();
            print_json(&json!({ "runs": runs }))?;
        }
        Output::Text => print_text(&to_text(&runs, arguments.name.as_deref()))?,
    }
    Ok(0)
}

fn to_text(runs: &[JobRun], job: Option<&str>) -> String {
    if runs.is_empty() {
        return match job {
            Some(job) => format!("no run of `{job}` yet\n"),
            None => "no job has run yet\n".to_owned(),
        };
    }
    let mut text = String::new();
    for run in runs {
        let line = run_line(run);
        let attempt = if run.attempt > 1 { format!(", attempt {}", run.attempt) } else { String::new() };
        let started = Moment::new(run.started_at_ms, chrono::Utc).text();
        let line = format!("{started}  {} ({}{attempt}): {line}", run.job, run.trigger);
        let _ = writeln!(text, "{}", cut(one_line(line)));
    }
    text
}

/// The longest line: an error has as much as `--output json` tells.
const LINE_CHARS_MAX: usize = 240;

fn cut(mut line: String) -> String {
    if let Some((end, _)) = line.char_indices().nth(LINE_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}
