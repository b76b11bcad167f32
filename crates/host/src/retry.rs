//! How often and how long to try again: bounded, with jitter, slept through the host's clock.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Cause, cause_of, s3_error};
use crate::ids::Ids;

/// How often a request is tried, and how long to wait between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of tries, the first one included.
    pub attempts_max: u32,
    /// The longest wait before the second try; it doubles with each further one.
    pub wait_first: Duration,
    /// The longest wait before any try, unless the store asks for a longer one.
    pub wait_max: Duration,
    /// No try begins later than this after the first one.
    pub total_max: Duration,
    /// The same, where nobody has ever answered: an address is more often wrong than a server is out of order.
    pub first_contact_max: Duration,
}

impl Default for RetryPolicy {
    /// Eight tries within about 13 seconds of waiting: what outlasts a server's restart but not a person's patience.
    fn default() -> Self {
        Self {
            attempts_max: 8,
            wait_first: Duration::from_millis(100),
            wait_max: Duration::from_secs(10),
            total_max: Duration::from_secs(60),
            first_contact_max: Duration::from_secs(1),
        }
    }
}

impl RetryPolicy {
    /// One try only.
    pub const NEVER: Self = Self {
        attempts_max: 1,
        wait_first: Duration::ZERO,
        wait_max: Duration::ZERO,
        total_max: Duration::ZERO,
        first_contact_max: Duration::ZERO,
    };

    /// The wait before try number `attempt` (the first is 1): anything from half to all of the step, so that clients
    /// that failed together do not come back together.
    fn wait(&self, attempt: u32, random: u64) -> Duration {
        let doublings = attempt.saturating_sub(2).min(20);
        let step = self.wait_first.saturating_mul(1 << doublings).min(self.wait_max);
        let jitter = (random >> 11) as f64 / (1_u64 << 53) as f64;
        step.mul_f64(0.5 + jitter / 2.0)
    }
}

/// Whether an error from the store may go away by itself: the answer was 5xx, 429 or a timeout, or the connection broke.
pub fn is_transient(error: &object_store::Error) -> bool {
    matches!(cause_of(error), Cause::Transient | Cause::Ambiguous)
}

/// A policy with the clock to wait on.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    pub policy: RetryPolicy,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
}

impl Retry {
    /// The tries of one request.
    pub fn start(&self) -> Tries {
        Tries { retry: self.clone(), attempt: 1, started: self.clock.elapsed() }
    }
}

/// Counts the tries of one request.
#[derive(Debug)]
pub(crate) struct Tries {
    retry: Retry,
    attempt: u32,
    started: Duration,
}

impl Tries {
    /// After `error`: waits and returns, or gives the error back because it is final or was the last try's.
    pub async fn after(&mut self, error: object_store::Error) -> object_store::Result<()> {
        match is_transient(&error) {
            true => self.again(error).await,
            false => Err(error),
        }
    }

    /// As [`Tries::after`], for an error that is known to pass for another reason.
    pub async fn again(&mut self, error: object_store::Error) -> object_store::Result<()> {
        if self.attempt >= self.retry.policy.attempts_max {
            return Err(error);
        }
        let policy = &self.retry.policy;
        let wait = policy.wait(self.attempt + 1, self.retry.ids.random_u64());
        let told = s3_error(&error);
        let wait = wait.max(told.and_then(|told| told.retry_after).unwrap_or_default());
        let first_contact = told.is_some_and(|told| told.kind.is_first_contact());
        let limit = if first_contact { policy.first_contact_max } else { policy.total_max };
        let spent = self.retry.clock.elapsed().saturating_sub(self.started);
        if spent + wait > limit {
            return Err(error);
        }
        self.attempt += 1;
        self.retry.clock.sleep(wait).await;
        Ok(())
    }

    /// Counts a try that needs no wait.
    pub fn repeat(&mut self) {
        self.attempt += 1;
    }

    /// Whether this is not the first try, so that an earlier one may have been carried out.
    pub fn is_repeated(&self) -> bool {
        self.attempt > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_up_to_the_cap() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(2, 0), Duration::from_millis(50));
        assert!(policy.wait(2, u64::MAX) <= Duration::from_millis(100));
        assert_eq!(policy.wait(4, 0), Duration::from_millis(200));
        assert_eq!(policy.wait(40, 0), Duration::from_secs(5));
        let longest: Duration = (2..=policy.attempts_max).map(|attempt| policy.wait(attempt, u64::MAX)).sum();
        assert!(longest < Duration::from_secs(13), "{longest:?}");
    }
}
