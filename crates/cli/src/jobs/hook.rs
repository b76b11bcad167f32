//! The command that a failed run calls.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::JobRun;
use hosu_host::Clock;

/// How long a command may take before it is ended.
const TIME_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest text that is handed over: the room for variables is limited.
const ERROR_BYTES_MAX: usize = 16 << 10;

/// A command for `sh -c`.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The command.
    pub command: String,
    /// Whether what it prints is kept from standard error.
    pub is_quiet: bool,
}

impl Hook {
    /// Runs the command for a failed run until it ends; what went wrong with that.
    pub async fn run(&self, run: &JobRun, clock: &Arc<dyn Clock>) -> Option<String> {
        let mut child = match self.start(run) {
            Ok(child) => child,
            Err(error) => return Some(format!("`on_failure` cannot be run: {error}")),
        };
        let started = clock.elapsed();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return complaint(status),
                Ok(None) if clock.elapsed().saturating_sub(started) > TIME_MAX => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Some(format!("`on_failure` was ended after {} s", TIME_MAX.as_secs()));
                }
                Ok(None) => clock.sleep(LOOK_EVERY).await,
                Err(error) => return Some(format!("`on_failure` cannot be waited for: {error}")),
            }
        }
    }

    fn start(&self, run: &JobRun) -> io::Result<Child> {
        let output = || if self.is_quiet { Stdio::null() } else { Stdio::from(io::stderr()) };
        Command::new("sh")
            .arg("-c")
            .arg(&self.command)
            .env("HOSU_JOB", &run.job)
            .env("HOSU_RUN_ID", run.run_id.to_string())
            .env("HOSU_TARGET", run.target.to_string())
            .env("HOSU_ERROR", handed_over(run.error.as_deref().unwrap_or_default()))
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
    }
}

fn complaint(status: ExitStatus) -> Option<String> {
    (!status.success()).then(|| format!("`on_failure` failed: {status}"))
}

/// A text as a variable can hold it.
fn handed_over(error: &str) -> String {
    let mut end = error.len().min(ERROR_BYTES_MAX);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    error.get(..end).unwrap_or_default().replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use hosu_catalog::JobRun;
    use hosu_host::SystemClock;

    use super::super::told::tests::run;
    use super::*;

    async fn complaint_of(command: &str) -> Option<String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let run = JobRun { error: Some("no \"rows\"\0".to_owned()), ..run() };
        Hook { command: command.to_owned(), is_quiet: true }.run(&run, &clock).await
    }

    #[tokio::test]
    async fn the_command_knows_what_failed() {
        let command = "test \"$HOSU_JOB $HOSU_TARGET $HOSU_ERROR\" = 'logins curated.logins no \"rows\" ' \
                       && test ${#HOSU_RUN_ID} = 36";
        assert_eq!(complaint_of(command).await, None);
    }

    #[tokio::test]
    async fn its_failure_is_told() {
        assert!(complaint_of("exit 3").await.is_some_and(|told| told.contains('3')));
    }

    #[test]
    fn a_long_error_is_cut_between_letters() {
        assert_eq!(handed_over(&"호".repeat(ERROR_BYTES_MAX)).len(), ERROR_BYTES_MAX / 3 * 3);
        assert_eq!(handed_over("x"), "x");
    }
}
