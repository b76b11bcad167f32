//! Time as a value: the real clock, and one that stands still until a test or a simulation moves it.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;

/// What time it is, and how to wait.
pub trait Clock: Debug + Send + Sync {
    /// The time of day in milliseconds since 1970 in UTC. It may step back when somebody sets the machine's clock.
    fn now_ms(&self) -> i64;

    /// The time since some fixed start. It never steps back: the one to measure durations with.
    fn elapsed(&self) -> Duration;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

/// A clock that moves only when it is told to, or when somebody sleeps on it: a sleep is over at once and has moved
/// the clock. Clones share their time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    start_ms: i64,
    elapsed_us: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at `start_ms` milliseconds since 1970.
    pub fn at_ms(start_ms: i64) -> Self {
        Self { start_ms, elapsed_us: Arc::default() }
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.elapsed_us.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(elapsed_ms)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.elapsed_us.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        async move {
            clock.advance(duration);
            // Who sleeps lets others run, as with a real clock.
            tokio::task::yield_now().await;
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_moves_the_manual_clock_of_every_clone() {
        let clock = ManualClock::at_ms(1_000);
        let other = clock.clone();
        clock.sleep(Duration::from_millis(250)).await;
        other.advance(Duration::from_secs(1));
        assert_eq!(clock.now_ms(), 2_250);
        assert_eq!(other.elapsed(), Duration::from_millis(1_250));
    }

    #[tokio::test]
    async fn the_system_clock_moves_by_itself() {
        let clock = SystemClock::new();
        let before = clock.elapsed();
        clock.sleep(Duration::from_millis(2)).await;
        assert!(clock.elapsed() >= before + Duration::from_millis(2));
        assert!(clock.now_ms() > 1_700_000_000_000);
    }
}
