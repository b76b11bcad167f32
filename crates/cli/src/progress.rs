//! The bar that an ingest draws on a terminal: bytes, rate, what is left. Nothing is drawn anywhere else, so that logs stay clean.

use std::sync::Arc;

use hosu_collect::{NoProgress, Progress};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

const KNOWN: &str = "{spinner} {bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left  {msg}";
const UNKNOWN: &str = "{spinner} {bytes}  {bytes_per_sec}  {msg}";

/// A bar when `on_terminal`, nothing otherwise.
pub fn progress(on_terminal: bool) -> Arc<dyn Progress> {
    if on_terminal {
        Arc::new(Bar { bar: ProgressBar::no_length(), rows: 0.into() })
    } else {
        Arc::new(NoProgress)
    }
}

struct Bar {
    bar: ProgressBar,
    rows: std::sync::atomic::AtomicU64,
}

impl Progress for Bar {
    fn begin(&self, bytes_total: Option<u64>) {
        self.bar.reset();
        self.rows.store(0, std::sync::atomic::Ordering::Relaxed);
        if let Some(bytes) = bytes_total {
            self.bar.set_length(bytes);
        }
        let template = if bytes_total.is_some() { KNOWN } else { UNKNOWN };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }

    fn advance(&self, bytes: u64, rows: u64) {
        let rows = self.rows.fetch_add(rows, std::sync::atomic::Ordering::Relaxed) + rows;
        self.bar.inc(bytes);
        self.bar.set_message(format!("{} rows", HumanCount(rows)));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
