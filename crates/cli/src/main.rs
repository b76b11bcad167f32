//! The binary `hosu`: reads the command line, the environment and `hosu.toml`, calls the crates below, prints.

mod allocator;
mod args;
mod aws;
mod commands;
mod config;
mod environment;
mod failure;
mod jobs;
mod lake;
mod print;
mod progress;
mod shell;
mod show;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Output};
use environment::Environment;
use failure::Failure;
use hosu_host::Stop;
use tokio::sync::oneshot;

/// How long work that cannot be broken off (a transaction, a file's sync) may go on after Ctrl-C.
const LAST_WORK: Duration = Duration::from_secs(10);

/// The same of SQL: some operators of a query never look up from their work, and what they make is of no use any more.
/// A transaction that is cut off is none.
const LAST_WORK_OF_SQL: Duration = Duration::from_millis(500);
/// The stack of each thread: answers are read, and plans put away, by recursion. Memory is used of it only as deep as needed.
const STACK_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !hosu_collect::parquet::is_guarded() {
            tell(panic);
        }
    }));
    // The first thread's stack is as large as the shell that started it says.
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // What it panicked with is on stderr.
        Ok(Err(_)) => ExitCode::from(101),
        Err(_) => run(),
    }
}

fn run() -> ExitCode {
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
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()
        {
            Ok(runtime) => runtime,
            Err(error) => return ended(Err(error.into()), output),
        };
    let stop = Stop::new();
    let ends_by = if commands::is_shell(&arguments.command) { Signals::Terminate } else { Signals::All };
    let last_work = match arguments.command {
        args::Command::Sql(_) | args::Command::Job(_) | args::Command::Schedule(_) => LAST_WORK_OF_SQL,
        _ => LAST_WORK,
    };
    let patience = Patience::default();
    let command = commands::run(arguments, Environment::of_process(), stop.clone(), patience.clone());
    let result = runtime.block_on(until_stopped(command, stop, wishes(ends_by, patience)));
    runtime.shutdown_timeout(last_work);
    ended(result, output)
}

/// Runs a command until it ends. Who asks for the end gets it once the command has put away what it began; who asks twice,
/// or waits in vain, gets it at once: a command that is dropped has committed all or nothing.
async fn until_stopped(
    command: impl Future<Output = Result<u8, Failure>>,
    stop: Stop,
    wishes: Wishes,
) -> Result<u8, Failure> {
    tokio::pin!(command);
    tokio::select! {
        result = &mut command => return result,
        Ok(()) = wishes.to_stop => stop.ask(),
    }
    tokio::select! {
        result = &mut command => result,
        Ok(()) = wishes.to_end => Err(Failure::interrupted()),
    }
}

/// How much longer than others a command may go on after the first signal. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    extra_ms: Arc<AtomicU64>,
}

impl Patience {
    /// So much longer.
    pub fn extend(&self, extra: Duration) {
        self.extra_ms.store(u64::try_from(extra.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn ends_after(&self) -> Duration {
        LAST_WORK.saturating_add(Duration::from_millis(self.extra_ms.load(Ordering::Relaxed)))
    }
}

/// What is wished by signals.
struct Wishes {
    /// Comes with the first one.
    to_stop: oneshot::Receiver<()>,
    /// Comes with the second one, or when the command had its time.
    to_end: oneshot::Receiver<()>,
}

/// Waits for signals on a thread and a runtime of their own: a query may keep every thread of the other one busy, some of its
/// operators without a pause.
fn wishes(ends_by: Signals, patience: Patience) -> Wishes {
    let (stop, to_stop) = oneshot::channel();
    let (end, to_end) = oneshot::channel();
    let wait = async move {
        stop_signal(ends_by).await;
        let _ = stop.send(());
        let _ = tokio::time::timeout(patience.ends_after(), stop_signal(ends_by)).await;
        let _ = end.send(());
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    // Without it a signal ends the process the hard way, which a lake survives as well.
    let _ = thread.spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(wait);
        }
    });
    Wishes { to_stop, to_end }
}

/// Which signals ask for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signals {
    /// Ctrl-C and SIGTERM.
    All,
    /// SIGTERM: Ctrl-C is the shell's own.
    Terminate,
}

/// Ends when such a signal comes.
async fn stop_signal(ends_by: Signals) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                () = interrupt(), if ends_by == Signals::All => {}
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
