//! The binary `hosu`: reads the command line, the environment and `hosu.toml`, calls the crates below, prints.

mod args;
mod aws;
mod commands;
mod config;
mod environment;
mod failure;
mod lake;
mod print;
mod progress;
mod show;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Output};
use environment::Environment;
use failure::Failure;
use hosu_collect::Stop;

/// The system's allocator keeps what one thread freed from all others: an ingest of wide rows held twice its limit.
/// `benches/memory.py` measures it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long work that cannot be broken off (a transaction, a file's sync) may go on after Ctrl-C.
const LAST_WORK: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let line: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&line) {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // Nobody is left to tell when stdout is closed.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return ended(Err(error.into()), output_of(&line)),
    };
    let output = arguments.output;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into()), output),
    };
    let stop = Stop::new();
    let command = commands::run(arguments, Environment::of_process(), stop.clone());
    let result = runtime.block_on(until_stopped(command, stop));
    runtime.shutdown_timeout(LAST_WORK);
    ended(result, output)
}

/// Runs a command until it ends. Who asks for the end gets it once the command has put away what it began; who asks twice,
/// or waits in vain, gets it at once: a command that is dropped has committed all or nothing.
async fn until_stopped(
    command: impl Future<Output = Result<u8, Failure>>,
    stop: Stop,
) -> Result<u8, Failure> {
    tokio::pin!(command);
    tokio::select! {
        result = &mut command => return result,
        () = stop_signal() => stop.ask(),
    }
    tokio::select! {
        result = tokio::time::timeout(LAST_WORK, &mut command) => result.unwrap_or_else(|_| Err(Failure::interrupted())),
        () = stop_signal() => Err(Failure::interrupted()),
    }
}

/// Ends when Ctrl-C or SIGTERM comes.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                () = interrupt() => {}
                _ = terminate.recv() => {}
            }
        }
        // Then the signal ends the process the hard way, which a lake survives as well.
        Err(_) => std::future::pending().await,
    }
}

/// Ends at a Ctrl-C that is not for a pager.
async fn interrupt() {
    while tokio::signal::ctrl_c().await.is_ok() {
        if !show::pager_has_terminal() {
            return;
        }
    }
    std::future::pending().await
}

fn ended(result: Result<u8, Failure>, output: Output) -> ExitCode {
    let flushed = std::io::stdout().flush().map_err(Failure::from);
    match result.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print(output);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The wish for JSON on a line that could not be understood.
fn output_of(line: &[OsString]) -> Output {
    let words: Vec<&str> =
        line.iter().map_while(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let wants_json =
        words.contains(&"--output=json") || words.windows(2).any(|pair| matches!(pair, ["--output", "json"]));
    if wants_json { Output::Json } else { Output::Text }
}
