//! `hosu schedule`: runs jobs when they are due, until somebody wants the end or nothing is due.

use std::io::{self, Write};
use std::sync::Arc;

use hosu_host::Stop;
use hosu_transform::{Scheduler, SchedulerSettings, Served};
use serde_json::json;

use super::Context;
use crate::args::{Output, ScheduleArguments};
use crate::failure::Failure;
use crate::jobs::{self, Reporter, Tells};
use crate::print::human;

/// Runs the command.
pub async fn run(arguments: ScheduleArguments, context: Context) -> Result<u8, Failure> {
    let tells = Tells { log: Some(arguments.log), results: false };
    let on_failure = context.config.jobs.on_failure.clone();
    let clock = context.catalog.host().clock.clone();
    let reporter = Reporter::new(tells, false, on_failure, clock);
    let result = serve(&arguments, &context, &reporter).await;
    reporter.finish().await;
    jobs::told(result, tells, &reporter, context.output)
}

async fn serve(arguments: &ScheduleArguments, context: &Context, reporter: &Reporter) -> Result<u8, Failure> {
    let config = &context.config.jobs;
    let folder = jobs::folder(context)?;
    let engine = jobs::engine(context)?;
    // Running jobs are asked to end only when the time for them is over; the scheduler sees to that.
    let runner = jobs::runner(context, engine, Arc::new(reporter.clone()), Stop::new());
    let settings = SchedulerSettings {
        parallel: config.parallel,
        until_idle: arguments.until_idle,
        grace: config.grace,
        ..SchedulerSettings::default()
    };
    let mut scheduler = Scheduler { runner, folder, settings, stop: context.stop.clone() };
    let served = scheduler.serve().await?;
    reporter.ended(&served);
    let failure = failure(&served).filter(|_| arguments.until_idle);
    if context.output == Output::Json {
        let Served { succeeded, nothing_new, failed, faulty } = served;
        let error = failure.as_ref().map(Failure::as_json);
        let object = json!({
            "succeeded": succeeded, "nothing_new": nothing_new, "failed": failed, "faulty": faulty, "error": error,
        });
        writeln!(io::stdout().lock(), "{object}")?;
    }
    Ok(failure.map_or(0, |failure| failure.exit_code()))
}

/// What did not go well. Each of it was told when it happened.
fn failure(served: &Served) -> Option<Failure> {
    let (failed, faulty) = (served.failed, served.faulty as u64);
    if failed == 0 && faulty == 0 {
        return None;
    }
    let message =
        format!("{} failed, {} with a fault", human::counted(failed, "run"), human::counted(faulty, "job"));
    Some(Failure::new("JOBS_FAILED", message).remedy("`hosu job history` and `hosu job check` tell why"))
}
