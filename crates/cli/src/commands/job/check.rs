//! `hosu job check`: every fault of every job, with its file and line. Nothing is run.

use std::fmt::Write as _;

use hosu_transform::{JobError, Project, ProjectJob};
use serde_json::{Value, json};

use super::{Context, job_of, print_json, print_text};
use crate::args::Output;
use crate::failure::Failure;
use crate::jobs;
use crate::print::human;

/// The exit code when a job has a fault.
const EXIT_FOUND: u8 = 1;

/// Runs the command.
pub async fn run(context: &Context) -> Result<u8, Failure> {
    let engine = jobs::engine(context)?;
    let project = jobs::load(context, &engine).await?;
    match context.output {
        Output::Json => {
            let listed: Vec<Value> = project.jobs.iter().map(|job| job_json(job)).collect();
            let faults: Vec<Value> = project.faults.iter().map(fault_json).collect();
            print_json(&json!({ "jobs": listed, "faults": faults }))?;
        }
        Output::Text => print_text(&to_text(&project))?,
    }
    Ok(if project.faults.is_empty() { 0 } else { EXIT_FOUND })
}

fn to_text(project: &Project) -> String {
    let mut text = String::new();
    for fault in &project.faults {
        let _ = writeln!(text, "FOUND {fault}");
    }
    let names = project.jobs.iter().map(|job| &job.job.name);
    let good = names.filter(|name| !project.faulty.contains(*name)).count() as u64;
    let _ = match project.faults.len() as u64 {
        0 => writeln!(text, "{}: all is well", human::counted(good, "job")),
        faults => writeln!(
            text,
            "{} without a fault, {} found",
            human::counted(good, "job"),
            human::counted(faults, "fault")
        ),
    };
    text
}

/// What is said of a job, whatever became of it.
pub fn job_json(job: &ProjectJob) -> Value {
    let inputs: Vec<String> = job.inputs.iter().map(ToString::to_string).collect();
    json!({
        "job": job.job.name,
        "file": job.job.path.display().to_string(),
        "target": job.job.target.to_string(),
        "mode": job.job.mode.as_str(),
        "schedule": job.job.schedule.as_ref().map(ToString::to_string),
        "timezone": job.job.zone.to_string(),
        "inputs": inputs,
        "upstream": job.upstream,
    })
}

/// A fault for programs.
pub fn fault_json(fault: &JobError) -> Value {
    json!({
        "job": job_of(&fault.path),
        "file": fault.path.display().to_string(),
        "line": fault.line,
        "message": fault.fault.to_string(),
    })
}
