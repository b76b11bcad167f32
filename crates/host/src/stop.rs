//! The wish that something ends, without knowing who caught the signal.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks work to stop. Clones are the same request.
///
/// Who is asked puts away what it began and ends; a commit that has begun is finished instead.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// A request that nobody has made yet.
    pub fn new() -> Self {
        Self { asked: Arc::new(watch::Sender::new(false)) }
    }

    /// Makes the request.
    pub fn ask(&self) {
        self.asked.send_replace(true);
    }

    /// Whether it was made.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Returns once it was made.
    pub async fn asked(&self) {
        let mut seen = self.asked.subscribe();
        // The sender lives as long as `self`, so that this ends only when the request is made.
        let _ = seen.wait_for(|asked| *asked).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
