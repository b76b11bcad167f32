//! One verb, one file: make a request of the flags, call one function, print its report.

use crate::args::{Arguments, Command};
use crate::config::Config;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::lake;

/// Runs a command; its exit code when it did what it was asked for.
pub async fn run(arguments: Arguments, environment: Environment) -> Result<u8, Failure> {
    if let Some(what) = later(&arguments.command) {
        return Err(Failure::not_yet(what));
    }
    let config = Config::load(&arguments, &environment)?;
    lake::check(&config.lake)?;
    let _host = lake::host(&config);
    Err(Failure::not_yet("this command"))
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
