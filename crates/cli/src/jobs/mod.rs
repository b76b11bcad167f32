//! What `hosu job` and `hosu schedule` share: the folder of the jobs, how a run is told to people and programs, and what is
//! said while jobs run.

mod draw;
mod folder;
mod hook;
mod log;
mod moment;
mod told;
mod watch;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use hosu_host::Stop;
use hosu_query::{Engine, EngineSettings};
use hosu_transform::{JobFolder, Project, RunSettings, Runner, Watch};

use crate::args::{LogFormat, Output};
use crate::commands::Context;
use crate::commands::sql::writer_settings;
use crate::failure::Failure;

pub use draw::{Drawn, graph};
pub use folder::Folder;
pub use moment::{Moment, utc};
pub use told::{run_json, run_line, state_words};
pub use watch::{Reporter, Tells};

/// The wait before the first retry of a run.
const RETRY_FIRST: Duration = Duration::from_secs(5);

/// The jobs of the folder, checked against the lake.
///
/// # Errors
/// When the folder or the catalog cannot be read. What is wrong with a job is in [`Project::faults`].
pub async fn load(context: &Context, engine: &Engine) -> Result<Project, Failure> {
    let files = folder(context)?.changed().map_err(|error| Failure::of_jobs_folder(context, &error))?;
    Ok(Project::load(&context.catalog, engine, &files.unwrap_or_default()).await?)
}

/// The folder of the jobs.
///
/// # Errors
/// When it is not there.
pub fn folder(context: &Context) -> Result<Folder, Failure> {
    let path = &context.config.jobs.folder;
    let folder = Folder::new(path.clone(), context.catalog.host().clock.clone());
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(folder),
        Ok(_) => Err(Failure::of_jobs_folder(context, &std::io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(Failure::of_jobs_folder(context, &error)),
    }
}

/// What computes the rows of jobs.
///
/// # Errors
/// When the folder to spill to cannot be used.
pub fn engine(context: &Context) -> Result<Engine, Failure> {
    let query = &context.config.query;
    let settings = EngineSettings {
        memory_bytes: usize::try_from(query.memory_bytes).unwrap_or(usize::MAX),
        spill: query.spill.clone(),
        scan_bytes_max: query.max_scan_bytes,
        ..EngineSettings::default()
    };
    Engine::new(settings).map_err(|error| Failure::of_query(&error))
}

/// What runs jobs; `stop` asks all runs to put away what they began.
pub fn runner(context: &Context, engine: Engine, watch: Arc<dyn Watch>, stop: Stop) -> Runner {
    let settings = RunSettings {
        writer: writer_settings(context),
        lease: context.config.jobs.lease,
        retry_first: RETRY_FIRST,
        ..RunSettings::default()
    };
    Runner { catalog: context.catalog.clone(), engine, settings, watch, stop }
}

/// The end of a command that tells what happens: what a log of JSON has told is not told again as text.
///
/// # Errors
/// The failure itself, where nobody was told of it.
pub fn told(
    result: Result<u8, Failure>,
    tells: Tells,
    reporter: &Reporter,
    output: Output,
) -> Result<u8, Failure> {
    match (result, tells.log) {
        (Err(failure), Some(LogFormat::Json)) => {
            reporter.failed(&failure);
            if output == Output::Json {
                writeln!(std::io::stdout().lock(), "{}", failure.to_json())?;
            }
            Ok(failure.exit_code())
        }
        (result, _) => result,
    }
}
