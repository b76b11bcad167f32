//! `hosu job`: checks, lists, plans and runs jobs, and tells what became of them.

mod check;
mod history;
mod list;
mod plan;
mod run;

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::Context;
use crate::args::{JobArguments, JobVerb};
use crate::failure::Failure;

/// Runs the command.
pub async fn run(arguments: JobArguments, context: Context) -> Result<u8, Failure> {
    match arguments.verb {
        JobVerb::Check => check::run(&context).await,
        JobVerb::List(arguments) => list::run(&arguments, &context).await,
        JobVerb::Plan(arguments) => plan::run(&arguments, &context).await,
        JobVerb::Run(arguments) => run::run(arguments, context).await,
        JobVerb::History(arguments) => history::run(arguments, &context).await,
    }
}

/// Prints an object for programs.
fn print_json(object: &Value) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{object}")?)
}

/// Prints a text for people.
fn print_text(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// The name of the job that a file is, or would be.
fn job_of(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
