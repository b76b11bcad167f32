//! What is drawn on a terminal while work goes on: the bar of an ingest, the line of a statement. Nothing is drawn anywhere
//! else, so that logs stay clean.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hosu_collect::{NoProgress, Progress};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

const KNOWN: &str = "{spinner} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left  {msg}";
const UNKNOWN: &str = "{spinner} {bytes}  {bytes_per_sec}  {msg}";

const FINDING: &str = "{spinner} {msg}";

/// What is found faster than a line can be read is not told.
const FOUND_MIN: u64 = 1_000;

const LINE: &str = "{spinner} {wide_msg}";

/// A bar when `on_terminal`, nothing otherwise.
pub fn progress(on_terminal: bool) -> Arc<dyn Progress> {
    if on_terminal {
        Arc::new(Bar { bar: ProgressBar::hidden(), found: 0.into(), rows: 0.into() })
    } else {
        Arc::new(NoProgress)
    }
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    found: AtomicU64,
    rows: AtomicU64,
}

impl Progress for Bar {
    fn found(&self, sources: u64) {
        let found = self.found.fetch_add(sources, Ordering::Relaxed) + sources;
        if found < FOUND_MIN {
            return;
        }
        if self.bar.is_hidden() {
            set_style(&self.bar, FINDING);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_message(format!("listing: {} sources", HumanCount(found)));
        self.bar.tick();
    }

    fn begin(&self, bytes_total: Option<u64>) {
        self.rows.store(0, Ordering::Relaxed);
        let template = if bytes_total.is_some() { KNOWN } else { UNKNOWN };
        set_style(&self.bar, template);
        self.bar.set_message("");
        match bytes_total {
            Some(bytes) => self.bar.set_length(bytes),
            None => self.bar.unset_length(),
        }
        self.bar.reset();
        // Only now, so that the bar never shows itself without figures.
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    fn advance(&self, bytes: u64, rows: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bar.inc(bytes);
        self.bar.set_message(format!("{} rows", HumanCount(rows)));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// One line of words, as wide as the terminal at most; gone when it is dropped.
#[derive(Debug)]
pub struct Line {
    bar: ProgressBar,
}

impl Line {
    /// A line that nobody sees until it says something.
    pub fn new() -> Self {
        let bar = ProgressBar::hidden();
        set_style(&bar, LINE);
        Self { bar }
    }

    /// Says something else.
    pub fn draw(&self, words: String) {
        self.bar.set_message(words);
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.tick();
    }

    /// Writes something else to the terminal, which stays above the line.
    pub fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}
