//! The pager: fed while the query runs, quit whenever its reader likes, and gone without a trace when the query is dropped.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hosu_host::Clock;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::AsyncWriteExt;

use super::screen::Pager;

/// How often it is looked whether the reader has quit.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many pagers have the terminal.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Whether Ctrl-C is for a pager: the terminal sends it to every program in front.
pub fn has_terminal() -> bool {
    OPEN.load(Ordering::Relaxed) > 0
}

/// A pager that runs.
pub struct RunningPager {
    child: Child,
    input: Option<tokio::fs::File>,
    clock: Arc<dyn Clock>,
    /// How the terminal was before.
    terminal: Option<Termios>,
    has_ended: bool,
}

impl RunningPager {
    /// Starts a pager.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn start(pager: &Pager, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let terminal = tcgetattr(io::stdout()).ok();
        let mut command = Command::new("sh");
        command.arg("-c").arg(&pager.command).stdin(Stdio::piped());
        if let Some(options) = pager.less {
            command.env("LESS", options);
        }
        OPEN.fetch_add(1, Ordering::Relaxed);
        let started = command.spawn();
        let mut child = started.inspect_err(|_| {
            OPEN.fetch_sub(1, Ordering::Relaxed);
        })?;
        let input =
            child.stdin.take().map(|input| tokio::fs::File::from_std(File::from(OwnedFd::from(input))));
        Ok(Self { child, input, clock, terminal, has_ended: false })
    }

    /// Gives it more to show; false when its reader has quit.
    ///
    /// # Errors
    /// When it cannot be written to for another reason.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Some(input) = &mut self.input else { return Ok(false) };
        let written = match input.write_all(bytes).await {
            Ok(()) => input.flush().await,
            error => error,
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// Ends when the reader has quit.
    pub async fn quit(&mut self) {
        // An error is as good as an end: there is nothing to wait for.
        while matches!(self.child.try_wait(), Ok(None)) {
            self.clock.sleep(LOOK_EVERY).await;
        }
        self.has_ended = true;
    }

    /// Tells it that this is all, and waits until its reader has seen enough.
    pub async fn finish(mut self) {
        self.input = None;
        self.quit().await;
    }
}

impl Drop for RunningPager {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // A pager that was killed leaves the terminal as it liked it.
        if let Some(terminal) = &self.terminal {
            let _ = tcsetattr(io::stdout(), OptionalActions::Now, terminal);
        }
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}
