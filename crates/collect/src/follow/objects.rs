//! Objects: each is taken as a whole, once. An object never grows; one that was replaced has another ETag.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use hosu_catalog::{LedgerRow, LedgerRule};
use hosu_table::name::TableName;

use super::entry::{Offer, Trouble};
use super::files::Note;
use crate::error::CollectError;
use crate::request::OnChanged;
use crate::source::Source;

/// All objects.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// What the table has: the name and what the store says of the content, in one text.
    known: HashSet<String>,
    /// By name, what it has not.
    pub waiting: BTreeMap<String, Waiting>,
    /// How many there were at the last look.
    pub count: usize,
}

/// One that was not taken yet.
#[derive(Debug)]
pub(super) struct Waiting {
    source: Source,
    since: Duration,
    rule: Option<LedgerRule>,
    pub trouble: Trouble,
}

impl Objects {
    /// Takes in which objects there are.
    pub(super) fn see(&mut self, sources: Vec<Source>, now: Duration) {
        self.count = sources.len();
        let seen: HashSet<String> = sources.iter().map(|source| source.name.clone()).collect();
        // Deleted before it was taken.
        self.waiting.retain(|name, _| seen.contains(name));
        for source in sources {
            if self.known.contains(&key(&source)) {
                continue;
            }
            match self.waiting.get_mut(&source.name) {
                Some(waiting) if waiting.source.etag() == source.etag() => {}
                _ => {
                    let name = source.name.clone();
                    let waiting = Waiting { source, since: now, rule: None, trouble: Trouble::default() };
                    self.waiting.insert(name, waiting);
                }
            }
        }
    }

    /// The names that the ledger is to be asked for.
    pub(super) fn asked(&self, now: Duration) -> Vec<String> {
        let asked =
            self.waiting.values().filter(|waiting| waiting.rule.is_none() && waiting.trouble.is_over(now));
        asked.map(|waiting| waiting.source.name.clone()).collect()
    }

    /// Takes in what the ledger says of those names.
    pub(super) fn learn(
        &mut self,
        names: &[String],
        rows: &[LedgerRow],
        on_changed: OnChanged,
        table: &TableName,
        now: Duration,
    ) -> Vec<Note> {
        let mut by_name: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
        for row in rows {
            by_name.entry(&row.source).or_default().push(row);
        }
        let mut notes = Vec::new();
        for name in names {
            let Some(waiting) = self.waiting.get_mut(name) else { continue };
            let rows = by_name.remove(name.as_str()).unwrap_or_default();
            let etag = waiting.source.etag();
            if rows.iter().any(|row| Some(&row.content) == etag.as_ref()) {
                self.known.insert(key(&waiting.source));
                self.waiting.remove(name);
            } else if rows.is_empty() {
                waiting.rule = Some(LedgerRule::FirstOfSource);
            } else if on_changed == OnChanged::New {
                waiting.rule = Some(LedgerRule::FirstOfContent);
            } else {
                let error = CollectError::SourceChanged { name: name.clone(), table: table.clone() };
                let (wait, is_news) = waiting.trouble.fails(now, &error.to_string());
                if is_news {
                    notes.push(Note::Trouble { error, wait });
                }
            }
        }
        notes
    }

    /// What can be taken.
    pub(super) fn offers(&self, now: Duration) -> Vec<Offer> {
        let ready = self.waiting.values().filter(|waiting| waiting.trouble.is_over(now));
        let offers = ready.filter_map(|waiting| {
            Some(Offer {
                key: waiting.source.name.clone(),
                source: waiting.source.clone(),
                rule: waiting.rule?,
                bytes: waiting.source.size_bytes().unwrap_or_default(),
                since: waiting.since,
            })
        });
        offers.collect()
    }

    /// It was taken.
    pub(super) fn took(&mut self, name: &str) {
        if let Some(waiting) = self.waiting.remove(name) {
            self.known.insert(key(&waiting.source));
        }
    }

    /// Forgets what was read from the ledger, to ask it again.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(waiting) = self.waiting.get_mut(name) {
            waiting.rule = None;
        }
    }

    /// The table is another one.
    pub(super) fn forget_all(&mut self) {
        self.known.clear();
        self.waiting.values_mut().for_each(|waiting| waiting.rule = None);
    }
}

fn key(source: &Source) -> String {
    format!("{}\n{}", source.name, source.etag().unwrap_or_default())
}
