//! `hosu job run`: jobs in their order, each exactly once for what is new.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use hosu_transform::{Around, Order, Outcome, Project, ProjectJob, Trigger, run_all};
use serde_json::{Value, json};

use super::{Context, job_of, print_json};
use crate::args::{JobRunArguments, Output};
use crate::failure::Failure;
use crate::jobs::{self, Reporter, Tells, run_json};

/// The exit code when a job did not do what it was to do.
const EXIT_FAILED: u8 = 1;

/// Runs the command.
pub async fn run(arguments: JobRunArguments, context: Context) -> Result<u8, Failure> {
    let results = context.output == Output::Text;
    let tells = Tells { log: arguments.log, results };
    let draws = arguments.log.is_none() && results && io::stderr().is_terminal();
    let on_failure = context.config.jobs.on_failure.clone();
    let clock = context.catalog.host().clock.clone();
    let reporter = Reporter::new(tells, draws, on_failure, clock);
    let result = run_told(arguments, &context, &reporter).await;
    reporter.finish().await;
    jobs::told(result, tells, &reporter, context.output)
}

async fn run_told(arguments: JobRunArguments, context: &Context, reporter: &Reporter) -> Result<u8, Failure> {
    let engine = jobs::engine(context)?;
    let project = jobs::load(context, &engine).await?;
    let chosen = chosen(&arguments, &project)?;
    // Of the files that are no jobs only who runs all needs to know.
    let faults: Vec<Failure> = match arguments.all {
        true => project
            .faults
            .iter()
            .filter(|fault| is_kept_back(&project, &job_of(&fault.path)))
            .map(Failure::from)
            .collect(),
        false => Vec::new(),
    };
    let runner = jobs::runner(context, engine, Arc::new(reporter.clone()), context.stop.clone());
    let order = Order { trigger: Trigger::Hand, slot: None, anew: arguments.full, waits: true };
    let outcomes = run_all(&runner, &project, chosen, &order, context.config.jobs.parallel).await;
    reporter.finish().await;
    for fault in &faults {
        reporter.failed(fault);
    }
    let failure = failure(&outcomes, faults, context);
    if let Some(failure) = failure.as_ref().filter(|_| context.stop.is_asked()) {
        reporter.failed(failure);
    }
    if context.output == Output::Json {
        print_json(&to_json(&outcomes, failure.as_ref()))?;
    }
    Ok(failure.map_or(0, |failure| if context.stop.is_asked() { failure.exit_code() } else { EXIT_FAILED }))
}

/// Whether a job cannot run at all, as far as it has a name.
fn is_kept_back(project: &Project, name: &str) -> bool {
    project.job(name).is_none()
}

/// The jobs that are to run.
fn chosen(arguments: &JobRunArguments, project: &Project) -> Result<Vec<Arc<ProjectJob>>, Failure> {
    if arguments.all {
        return Ok(project.jobs.clone());
    }
    if arguments.names.is_empty() {
        let names: Vec<String> = project.jobs.iter().map(|job| job.job.name.clone()).collect();
        return Err(Failure::no_job_named(&names));
    }
    for name in &arguments.names {
        find(project, name)?;
    }
    let around = Around { upstream: arguments.upstream, downstream: arguments.downstream };
    Ok(project.chosen(&arguments.names, around)?)
}

/// A job by its name; of one that has a fault, that.
pub fn find(project: &Project, name: &str) -> Result<Arc<ProjectJob>, Failure> {
    if project.job(name).is_none()
        && let Some(fault) = project.faults.iter().find(|fault| job_of(&fault.path) == name)
    {
        return Err(fault.into());
    }
    let found = project.chosen(&[name.to_owned()], Around::default())?;
    found.into_iter().next().ok_or_else(|| Failure::no_job_named(&[]))
}

/// What the command fails with: the end that somebody wanted, else the first job's.
fn failure(outcomes: &[Outcome], faults: Vec<Failure>, context: &Context) -> Option<Failure> {
    if context.stop.is_asked() && outcomes.iter().any(|outcome| !outcome.is_good()) {
        return Some(Failure::interrupted());
    }
    let of_run = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Ended(ended) => ended.error.as_ref().map(|error| Failure::of_run(&ended.run.job, error)),
        Outcome::Skipped { .. } => None,
    });
    of_run.or_else(|| faults.into_iter().next())
}

fn to_json(outcomes: &[Outcome], failure: Option<&Failure>) -> Value {
    let mut runs = Vec::new();
    let mut skipped = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Ended(ended) => {
                let mut run = run_json(&ended.run);
                if let Value::Object(fields) = &mut run {
                    fields.insert("notes".to_owned(), json!(ended.notes));
                }
                runs.push(run);
            }
            Outcome::Skipped { job, upstream } => skipped.push(json!({ "job": job, "upstream": upstream })),
        }
    }
    json!({ "runs": runs, "skipped": skipped, "error": failure.map(Failure::as_json) })
}
