//! What is known of one followed source from look to look.

use std::time::Duration;

use hosu_catalog::{LedgerRow, LedgerRule};

use crate::ingest::Todo;
use crate::source::Source;

/// The first wait after something did not work; it doubles up to [`WAIT_MAX`].
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What did not work, and when it is tried again.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    tries: u32,
    not_before: Duration,
    told: Option<String>,
}

impl Trouble {
    /// It failed now. Gives the wait, and whether that is news.
    pub(super) fn fails(&mut self, now: Duration, error: &str) -> (Duration, bool) {
        let wait = WAIT_FIRST.saturating_mul(1 << self.tries.min(10)).min(WAIT_MAX);
        self.tries += 1;
        self.not_before = now.saturating_add(wait);
        let is_news = self.told.as_deref() != Some(error);
        self.told = Some(error.to_owned());
        (wait, is_news)
    }

    /// Whether it may be tried.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        now >= self.not_before
    }

    /// Whether it failed when it was tried last.
    pub(super) fn is_failing(&self) -> bool {
        self.tries > 0
    }

    /// Whether it failed more than once: by itself it may never work.
    pub(super) fn is_lasting(&self) -> bool {
        self.tries > 1
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Something that can be taken.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// Whose it is: the key of its entry.
    pub key: String,
    pub source: Source,
    pub rule: LedgerRule,
    pub bytes: u64,
    pub since: Duration,
}

impl Offer {
    pub(super) fn todo(&self) -> Todo {
        Todo { source: self.source.clone(), rule: self.rule, content: None }
    }
}

/// The rows that the ledger has of a file, by its name or by its identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Those of its name, and those of its identity under other names.
    pub rows: Vec<LedgerRow>,
}

impl Rows {
    pub(super) fn count(&self) -> u64 {
        self.rows.len() as u64
    }
}
