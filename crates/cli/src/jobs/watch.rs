//! Tells what happens while jobs run: results on standard output, logs and warnings on standard error, and how far the
//! running jobs are on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hosu_catalog::JobRun;
use hosu_host::Clock;
use hosu_query::Live;
use hosu_transform::{Event, RunError, Served, Watch};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::hook::Hook;
use super::log::{Level, Record};
use super::told::run_line;
use crate::args::{LogFormat, Output};
use crate::failure::Failure;
use crate::show::{ProgressLine, words};

/// What is told, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tells {
    /// The log on standard error, of everything; without one only what somebody who waits for it wants to know.
    pub log: Option<LogFormat>,
    /// Whether each result is told to people on standard output.
    pub results: bool,
}

/// Tells what happens. Clones share everything.
#[derive(Clone, Debug)]
pub struct Reporter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tells: Tells,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    hook: Option<Hook>,
    hooks: Mutex<Vec<JoinHandle<()>>>,
    running: Arc<Running>,
    line: Mutex<ProgressLine>,
    trouble: Mutex<Option<String>>,
}

/// The runs that go on, with their start.
type Running = Mutex<BTreeMap<String, (Live, Duration)>>;

impl Reporter {
    /// A reporter; `draws` whether standard error is a terminal on which progress is wanted. Made inside a runtime.
    pub fn new(tells: Tells, draws: bool, on_failure: Option<String>, clock: Arc<dyn Clock>) -> Self {
        let is_quiet = tells.log == Some(LogFormat::Json);
        let running: Arc<Running> = Arc::default();
        let line = if draws { progress(running.clone(), clock.clone()) } else { ProgressLine::none() };
        let shared = Shared {
            tells,
            clock,
            runtime: Handle::current(),
            hook: on_failure.map(|command| Hook { command, is_quiet }),
            hooks: Mutex::default(),
            running,
            line: Mutex::new(line),
            trouble: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes the progress away and waits for the commands that failed runs called.
    pub async fn finish(&self) {
        lock(&self.shared.line).hide();
        let hooks = std::mem::take(&mut *lock(&self.shared.hooks));
        for hook in hooks {
            let _ = hook.await;
        }
    }

    /// Tells that a scheduler has ended.
    pub fn ended(&self, served: &Served) {
        self.shared.tell(&Record::of_end(served));
    }

    /// Tells what no event tells.
    pub fn failed(&self, failure: &Failure) {
        match self.shared.tells.log {
            None => failure.print(Output::Text),
            Some(format) => self.shared.log(format, &Record::of_failure(failure)),
        }
    }
}

impl Watch for Reporter {
    fn event(&self, event: &Event<'_>) {
        self.shared.event(event);
        if let Event::Ended { run, error: Some(error) } = event
            && !matches!(error, RunError::Stopped)
        {
            self.call_hook(run);
        }
    }
}

impl Reporter {
    fn call_hook(&self, run: &JobRun) {
        let Some(hook) = self.shared.hook.clone() else { return };
        let (shared, run) = (self.shared.clone(), run.clone());
        let called = self.shared.runtime.spawn(async move {
            if let Some(complaint) = hook.run(&run, &shared.clock).await {
                shared.tell(&Record::of_hook(&run, complaint));
            }
        });
        let mut hooks = lock(&self.shared.hooks);
        hooks.retain(|hook| !hook.is_finished());
        hooks.push(called);
    }
}

impl Shared {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { run, live } => {
                lock(&self.running).insert(run.job.clone(), ((*live).clone(), self.clock.elapsed()));
            }
            Event::Ended { run, .. } | Event::Retrying { run, .. } => {
                drop(lock(&self.running).remove(&run.job))
            }
            _ => {}
        }
        if self.is_told_already(event) {
            return;
        }
        match event {
            Event::Ended { run, error: None } if self.tells.results => {
                self.aside(|| print(&format!("{}: {}", run.job, run_line(run))));
            }
            Event::Ended { run, error: Some(error) }
                if self.tells.log.is_none() && !matches!(error, RunError::Stopped) =>
            {
                return self.aside(|| Failure::of_run(&run.job, error).print(Output::Text));
            }
            _ => {}
        }
        Record::of(event).iter().for_each(|record| self.tell(record));
    }

    /// Whether the same trouble came just before: it is looked for again and again.
    fn is_told_already(&self, event: &Event<'_>) -> bool {
        let trouble = match event {
            Event::Trouble { error } => Some(error.told()),
            _ => None,
        };
        let before = std::mem::replace(&mut *lock(&self.trouble), trouble.clone());
        trouble.is_some() && before == trouble
    }

    fn tell(&self, record: &Record) {
        match self.tells.log {
            // How a run ended well a person was told as its result.
            None if record.level == Level::Info && record.event != "run_waiting" => {}
            None => self.aside(|| complain(&record.text)),
            Some(format) => self.log(format, record),
        }
    }

    fn log(&self, format: LogFormat, record: &Record) {
        let now_ms = self.clock.now_ms();
        match format {
            LogFormat::Text => complain(&record.line(now_ms)),
            LogFormat::Json => complain(&record.json(now_ms)),
        }
    }

    /// Writes while nothing is drawn.
    fn aside(&self, write: impl FnOnce()) {
        lock(&self.line).aside(write);
    }
}

// Who does not read what is told has no less done.
fn print(line: &str) {
    let _ = io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

fn complain(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn progress(running: Arc<Running>, clock: Arc<dyn Clock>) -> ProgressLine {
    let say = move |now: Duration| {
        let mut text = String::new();
        for (job, (live, started)) in lock(&running).iter() {
            let blank = if text.is_empty() { "" } else { "; " };
            let _ = write!(text, "{blank}{job}: {}", words(&live.stats(), now.saturating_sub(*started)));
        }
        text
    };
    ProgressLine::say(say, clock)
}
