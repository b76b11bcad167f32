//! One verb, one file: make a request of the flags, call one function, print its report.

mod doctor;

use std::path::{Path, PathBuf};

use hosu_catalog::{Catalog, CatalogSettings};

use crate::args::{Arguments, Command, Output};
use crate::config::{Config, LakeConfig};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::lake;

/// What every verb needs.
struct Context {
    config: Config,
    catalog: Catalog,
    output: Output,
    /// Where relative paths of the command line count from.
    #[allow(dead_code, reason = "used by verbs that come next")]
    folder: PathBuf,
}

/// Runs a command; its exit code when it did what it was asked for.
pub async fn run(arguments: Arguments, environment: Environment) -> Result<u8, Failure> {
    if let Some(what) = later(&arguments.command) {
        return Err(Failure::not_yet(what));
    }
    let config = Config::load(&arguments, &environment)?;
    if !matches!(arguments.command, Command::Demo(_)) {
        lake::check(&config.lake)?;
    }
    let folder = environment.current_folder().to_owned();
    let context = Context { catalog: catalog(&config), config, output: arguments.output, folder };
    match arguments.command {
        Command::Doctor => doctor::run(&context).await,
        _ => Err(Failure::not_yet("this command")),
    }
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
        Command::Job(_) => Some("`hosu job`"),
        Command::Schedule(_) => Some("`hosu schedule`"),
        Command::Maintain(_) => Some("`hosu maintain`"),
        Command::Table(_) => Some("`hosu table`"),
        Command::Ingest(_) | Command::Sql(_) | Command::Doctor | Command::Demo(_) => None,
    }
}
