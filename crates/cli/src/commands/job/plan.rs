//! `hosu job plan`: what a run would read and write, before it does.

use std::fmt::Write as _;
use std::sync::Arc;

use hosu_host::Stop;
use hosu_transform::{Decision, InputPlan, NobodyWatches, ProjectJob, RunPlan, Size};
use serde_json::{Value, json};

use super::run::find;
use super::{Context, print_json, print_text};
use crate::args::{JobPlanArguments, Output};
use crate::failure::Failure;
use crate::jobs;
use crate::print::human;

/// Runs the command.
pub async fn run(arguments: &JobPlanArguments, context: &Context) -> Result<u8, Failure> {
    let engine = jobs::engine(context)?;
    let project = jobs::load(context, &engine).await?;
    let job = find(&project, &arguments.name)?;
    let runner = jobs::runner(context, engine, Arc::new(NobodyWatches), Stop::new());
    let plan = runner.plan(&project, &job, arguments.full).await;
    let plan = plan.map_err(|error| Failure::of_run(&arguments.name, &error))?;
    match context.output {
        Output::Json => print_json(&to_json(&job, &plan))?,
        Output::Text => print_text(&to_text(&job, &plan))?,
    }
    Ok(0)
}

fn decision_word(decision: &Decision) -> &'static str {
    match decision {
        Decision::NothingNew { .. } => "nothing_new",
        Decision::First => "first",
        Decision::Append { .. } => "append",
        Decision::Replace { .. } => "replace",
    }
}

fn size_json(size: &Size) -> Value {
    json!({ "files": size.files, "rows": size.rows, "bytes": size.bytes })
}

fn to_json(job: &ProjectJob, plan: &RunPlan) -> Value {
    let input = |input: &InputPlan| {
        let Size { files, rows, bytes } = input.size;
        let (table, new_snapshots) = (input.table.to_string(), input.new_snapshots);
        json!({ "table": table, "new_snapshots": new_snapshots, "files": files, "rows": rows, "bytes": bytes })
    };
    let foreign = match &plan.decision {
        Decision::Replace { foreign } => foreign.as_ref().map(ToString::to_string),
        _ => None,
    };
    json!({
        "job": job.job.name,
        "target": plan.target.to_string(),
        "mode": job.job.mode.as_str(),
        "decision": decision_word(&plan.decision),
        "target_created": plan.makes_target,
        "inputs": plan.inputs.iter().map(input).collect::<Vec<_>>(),
        "read": size_json(&plan.read),
        "replaced": plan.replaced.as_ref().map(size_json),
        "foreign_write": foreign,
    })
}

fn to_text(job: &ProjectJob, plan: &RunPlan) -> String {
    let mut text = format!("{}: {}\n", job.job.name, decision(plan));
    if matches!(plan.decision, Decision::NothingNew { .. }) {
        return text;
    }
    for input in &plan.inputs {
        let new = input.new_snapshots.map_or_else(String::new, |snapshots| {
            format!(" of {}", human::counted(snapshots as u64, "new snapshot"))
        });
        let _ = writeln!(text, "  reads     {}: {}{new}", input.table, size(&input.size));
    }
    let _ = writeln!(text, "  at most   {} of these, after what the SELECT leaves out", size(&plan.read));
    if let Some(replaced) = &plan.replaced {
        let _ = writeln!(text, "  replaces  {} of {}", size(replaced), plan.target);
    }
    let new = if plan.makes_target { ", a new table" } else { "" };
    let _ = writeln!(text, "  writes    {}{new}: the rows that the SELECT gives", plan.target);
    for (_, test) in &job.job.tests {
        let _ = writeln!(text, "  tests     {test}");
    }
    text
}

fn decision(plan: &RunPlan) -> String {
    match &plan.decision {
        Decision::NothingNew { moved: false } => {
            "nothing new in its inputs; a run would commit nothing".to_owned()
        }
        Decision::NothingNew { moved: true } => {
            "no new rows in its inputs, only rewritten files; a run would note that and write no rows"
                .to_owned()
        }
        Decision::First => "the first run, over all rows of its inputs".to_owned(),
        Decision::Append { changed } => {
            let names: Vec<String> = changed.iter().map(ToString::to_string).collect();
            format!("adds what is new in {}", names.join(" and "))
        }
        Decision::Replace { foreign: None } => "replaces all rows of its target".to_owned(),
        Decision::Replace { foreign: Some(write) } => {
            format!("replaces all rows of its target, also what another program wrote ({write})")
        }
    }
}

fn size(size: &Size) -> String {
    let files = format!("{} ({})", human::counted(size.files, "file"), human::bytes(size.bytes));
    match size.rows {
        Some(rows) => format!("{} in {files}", human::counted(rows, "row")),
        None => files,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_far_as_they_are_known() {
        let known = Size { files: 2, rows: Some(1_500), bytes: 2_048 };
        assert_eq!(size(&known), "1,500 rows in 2 files (2.0 KiB)");
        assert_eq!(size(&Size { rows: None, ..known }), "2 files (2.0 KiB)");
    }
}
