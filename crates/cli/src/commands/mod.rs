//! One verb, one file: make a request of the flags, call one function, print its report.

mod demo;
mod doctor;
mod ingest;
mod job;
mod schedule;
pub mod sql;

use std::path::{Path, PathBuf};

use hosu_catalog::{Catalog, CatalogSettings};
use hosu_host::Stop;

use crate::args::{Arguments, Command, JobVerb, Output};
use crate::config::{Config, LakeConfig};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::lake;

use crate::Patience;

/// What every verb needs.
pub struct Context {
    /// `hosu.toml`, and what stands above it.
    pub config: Config,
    /// The lake's tables.
    pub catalog: Catalog,
    /// For whom to print.
    pub output: Output,
    /// The variables of the process.
    pub environment: Environment,
    /// Where relative paths of the command line count from.
    pub folder: PathBuf,
    /// Asked when somebody wants the command to end.
    pub stop: Stop,
}

/// Runs a command; its exit code when it did what it was asked for.
pub async fn run(
    arguments: Arguments,
    environment: Environment,
    stop: Stop,
    patience: Patience,
) -> Result<u8, Failure> {
    if let Some(what) = later(&arguments.command) {
        return Err(Failure::not_yet(what));
    }
    let config = Config::load(&arguments, &environment)?;
    if !matches!(arguments.command, Command::Demo(_)) {
        lake::check(&config.lake)?;
    }
    let folder = environment.current_folder().to_owned();
    let output = arguments.output;
    let context = Context { catalog: catalog(&config), config, output, environment, folder, stop };
    let stop = context.stop.clone();
    match arguments.command {
        // These stop by themselves, so that they can put away what they began.
        Command::Ingest(arguments) => {
            if arguments.follow {
                patience.extend(ingest::LAST_COMMIT);
            }
            ingest::run(*arguments, &context).await
        }
        Command::Sql(arguments) if sql::is_interactive(&arguments) => sql::run(arguments, context).await,
        Command::Job(arguments) if matches!(arguments.verb, JobVerb::Run(_)) => {
            job::run(arguments, context).await
        }
        Command::Schedule(arguments) => {
            patience.extend(context.config.jobs.grace);
            schedule::run(arguments, context).await
        }
        other => tokio::select! {
            result = run_other(other, context) => result,
            () = stop.asked() => Err(Failure::interrupted()),
        },
    }
}

async fn run_other(command: Command, context: Context) -> Result<u8, Failure> {
    match command {
        Command::Ingest(arguments) => ingest::run(*arguments, &context).await,
        Command::Sql(arguments) => sql::run(arguments, context).await,
        Command::Doctor => doctor::run(&context).await,
        Command::Demo(arguments) => demo::run(arguments, context).await,
        Command::Job(arguments) => job::run(arguments, context).await,
        Command::Schedule(arguments) => schedule::run(arguments, context).await,
        Command::Maintain(_) | Command::Table(_) => Err(Failure::not_yet("this command")),
    }
}

/// Whether a command is a shell, whose Ctrl-C does not end it.
pub fn is_shell(command: &Command) -> bool {
    matches!(command, Command::Sql(arguments) if sql::is_interactive(arguments))
}

/// The catalog that the configuration names. Nothing is touched yet.
fn catalog(config: &Config) -> Catalog {
    let LakeConfig { name, catalog, warehouse, .. } = config.lake.clone();
    let folder = catalog.parent().unwrap_or(Path::new("/")).to_owned();
    let settings =
        CatalogSettings { name, database: catalog, ..CatalogSettings::in_folder(&folder, warehouse) };
    Catalog::open(lake::host(config), settings)
}

/// The verbs that a later version will have.
fn later(command: &Command) -> Option<&'static str> {
    match command {
        Command::Maintain(_) => Some("`hosu maintain`"),
        Command::Table(_) => Some("`hosu table`"),
        _ => None,
    }
}
