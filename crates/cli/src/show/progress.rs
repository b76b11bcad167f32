//! The line that tells how far a statement is, once it takes longer than a second. It is drawn by a thread of its own, which
//! has time when the query has none, and it is gone when its owner is dropped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hosu_host::Clock;
use hosu_sql::{Live, ScanStats};

use crate::print::human;
use crate::progress::Line;

/// Who waits for less does not wonder.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// What is guessed of less is guessed badly.
const GUESS_AFTER: f64 = 0.02;

/// The line of one statement, or of several jobs.
#[derive(Debug)]
pub struct ProgressLine {
    /// Dropped to end the thread.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    line: Option<Arc<Line>>,
}

impl ProgressLine {
    /// Nothing is drawn.
    pub fn none() -> Self {
        Self { alive: None, thread: None, line: None }
    }

    /// Draws how far a statement is on the terminal behind stderr, from one second on.
    pub fn start(live: Live, clock: Arc<dyn Clock>) -> Self {
        let started = clock.elapsed();
        Self::say(move |now| words(&live.stats(), now.saturating_sub(started)), clock)
    }

    /// Draws what `words` says at each time by the clock's [`Clock::elapsed`], from one second on.
    pub fn say(words: impl Fn(Duration) -> String + Send + 'static, clock: Arc<dyn Clock>) -> Self {
        let (alive, told) = channel();
        let line = Arc::new(Line::new());
        let drawn = line.clone();
        let thread = std::thread::Builder::new().name("progress".to_owned());
        // Without a thread there is no line, and that is all.
        let thread = thread.spawn(move || draw(&drawn, words, clock.as_ref(), &told)).ok();
        Self { alive: Some(alive), thread, line: Some(line) }
    }

    /// Writes something else to the terminal, which stays above the line.
    pub fn aside(&self, write: impl FnOnce()) {
        match &self.line {
            Some(line) => line.aside(write),
            None => write(),
        }
    }

    /// Takes the line away for good.
    pub fn hide(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.line = None;
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.hide();
    }
}

fn draw(line: &Line, words: impl Fn(Duration) -> String, clock: &dyn Clock, told: &Receiver<()>) {
    let goes_on = |time: Duration| matches!(told.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    if !goes_on(PATIENCE) {
        return;
    }
    loop {
        line.draw(words(clock.elapsed()));
        if !goes_on(DRAW_EVERY) {
            return;
        }
    }
}

/// How far a statement is, the most important first: a narrow terminal shows only that.
pub fn words(scan: &ScanStats, elapsed: Duration) -> String {
    let seconds = format!("{} s", elapsed.as_secs());
    if scan.files_planned == 0 {
        return seconds;
    }
    let files =
        format!("{} of {}", human::count(scan.files_done), human::counted(scan.files_planned, "file"));
    let mut parts = vec![files];
    parts.push(human::counted(scan.rows_scanned, "row"));
    parts.push(human::bytes(scan.bytes_scanned));
    parts.push(seconds);
    parts.extend(left(scan, elapsed).map(|left| format!("about {} s left", left.as_secs().max(1))));
    parts.join(", ")
}

/// How long the rest will take, if it goes on like this.
fn left(scan: &ScanStats, elapsed: Duration) -> Option<Duration> {
    let done = scan.bytes_done as f64 / scan.bytes_planned.max(1) as f64;
    let guess = (GUESS_AFTER..1.0).contains(&done);
    guess.then(|| elapsed.mul_f64((1.0 - done) / done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_is_done_and_what_is_left() {
        let mut scan = ScanStats::default();
        let at = Duration::from_secs;
        assert_eq!(words(&scan, at(3)), "3 s", "nothing is planned yet, or nothing is read");
        scan = ScanStats { files_planned: 30, bytes_planned: 1000, ..scan };
        assert_eq!(words(&scan, at(3)), "0 of 30 files, 0 rows, 0 B, 3 s");
        scan = ScanStats {
            files_done: 12,
            bytes_done: 250,
            rows_scanned: 1_234_567,
            bytes_scanned: 2048,
            ..scan
        };
        assert_eq!(words(&scan, at(3)), "12 of 30 files, 1,234,567 rows, 2.0 KiB, 3 s, about 9 s left");
        scan = ScanStats { files_done: 30, bytes_done: 1000, ..scan };
        assert_eq!(words(&scan, at(3)), "30 of 30 files, 1,234,567 rows, 2.0 KiB, 3 s");
    }
}
