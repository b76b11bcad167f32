//! One local file from look to look: how it is taken, how far it was, and what of it can be taken now.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::LedgerRule;
use hosu_table::name::TableName;

use super::entry::{Offer, Rows, Trouble};
use super::files::Note;
use crate::error::CollectError;
use crate::frame::{Given, HEAD_BYTES};
use crate::request::OnChanged;
use crate::source::part::{self, Known};
use crate::source::{Part, Position, Source, SourceKind};

/// For so long after it has grown a file is held open.
const HELD_FOR: Duration = Duration::from_secs(600);

/// A file that is gone is given up when it has not grown for so long.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// More files than this are not held open.
const HELD_MAX: usize = 512;

/// A file.
#[derive(Debug)]
pub(super) struct Tracked {
    pub name: String,
    pub path: PathBuf,
    pub identity: String,
    file: Option<Arc<File>>,
    stamp: Stamp,
    /// When it was first looked at as it is.
    grown_at: Duration,
    /// Since when no source's name leads to it any more.
    pub gone_since: Option<Duration>,
    pub kind: Kind,
    /// Whether the ledger is to be asked.
    pub asks: bool,
    /// What it said, until that was looked at.
    pub rows: Option<Rows>,
    /// How many rows it has of the name or identity, and of the identity.
    known_rows: u64,
    own_rows: u64,
    /// Up to here there is no line end behind the position.
    searched_to: u64,
    /// The file as nothing more was to be taken of it.
    checked: Option<Stamp>,
    /// Since when there is something to take.
    since: Option<Duration>,
    pub trouble: Trouble,
}

/// How it is taken.
#[derive(Debug)]
pub(super) enum Kind {
    /// Not known yet.
    Unknown,
    /// Line by line.
    Lines(Box<Position>),
    /// As a whole; the stamp that it was taken with.
    Whole { taken: Option<Stamp> },
}

/// What tells that a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size_bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { size_bytes: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

/// What a file gives by itself.
pub(super) struct Facts<'a> {
    pub now: Duration,
    pub commit_bytes: u64,
    pub given: Given,
    pub on_changed: OnChanged,
    pub table: &'a TableName,
    /// Identities that are other files now.
    pub visible: &'a HashSet<String>,
}

impl Tracked {
    pub(super) fn new(name: String, path: PathBuf, identity: String, stamp: Stamp, now: Duration) -> Self {
        Self {
            name,
            path,
            identity,
            file: None,
            stamp,
            grown_at: now,
            gone_since: None,
            kind: Kind::Unknown,
            asks: true,
            rows: None,
            known_rows: 0,
            own_rows: 0,
            searched_to: 0,
            checked: None,
            since: None,
            trouble: Trouble::default(),
        }
    }

    pub(super) fn renamed(&mut self, name: &str, path: &Path) {
        (self.name, self.path) = (name.to_owned(), path.to_owned());
        // The ledger may know the new name, too.
        self.asks = true;
    }

    pub(super) fn grow(&mut self, stamp: Stamp, now: Duration) {
        if stamp != self.stamp {
            self.stamp = stamp;
            self.grown_at = now;
        }
    }

    /// No name leads to it. What is held can be read further.
    pub(super) fn is_gone(&mut self, now: Duration) {
        self.gone_since.get_or_insert(now);
        if let Some(metadata) = self.file.as_ref().and_then(|file| file.metadata().ok()) {
            self.grow(Stamp::of(&metadata), now);
        }
    }

    /// Forgets what was read from the ledger, to ask it again.
    pub(super) fn forget(&mut self) {
        self.kind = Kind::Unknown;
        self.asks = true;
        self.rows = None;
        self.searched_to = 0;
        self.checked = None;
        self.since = None;
    }

    /// Takes in what the ledger says.
    pub(super) fn learn(&mut self, rows: Rows) {
        self.asks = false;
        let own_rows =
            rows.rows.iter().filter(|row| row.identity.as_ref() == Some(&self.identity)).count() as u64;
        if matches!(self.kind, Kind::Lines(_)) && own_rows != self.own_rows {
            // Somebody else has taken some of it.
            self.forget();
            self.asks = false;
        }
        (self.known_rows, self.own_rows) = (rows.count(), own_rows);
        self.rows = Some(rows);
    }

    /// The ledger got a row of this name and identity.
    pub(super) fn recorded(&mut self, name: &str, identity: &str) {
        let is_own = identity == self.identity;
        if !is_own && name != self.name {
            return;
        }
        self.known_rows += 1;
        self.own_rows += u64::from(is_own);
        self.asks |= self.rows.is_some();
    }

    fn has_waited_gone(&self, now: Duration) -> bool {
        let quiet_for = now.saturating_sub(self.grown_at.max(self.gone_since.unwrap_or(now)));
        self.gone_since.is_some() && quiet_for >= GONE_AFTER
    }

    /// Whether it is gone for good and nothing of it is left to take.
    pub(super) fn is_done(&self, now: Duration) -> bool {
        match self.file {
            None => self.gone_since.is_some(),
            Some(_) => self.has_waited_gone(now) && self.since.is_none(),
        }
    }

    /// Closes a file that has been at rest for long.
    pub(super) fn let_go(&mut self, now: Duration, held: &mut usize) {
        let is_at_rest = now.saturating_sub(self.grown_at) > HELD_FOR || *held >= HELD_MAX;
        if is_at_rest && self.since.is_none() && self.gone_since.is_none() {
            self.file = None;
        }
        *held += usize::from(self.file.is_some());
    }

    fn unreadable(&self, source: io::Error) -> CollectError {
        match source.kind() {
            io::ErrorKind::NotFound => CollectError::SourceMissing { name: self.name.clone() },
            _ => CollectError::SourceUnreadable { name: self.name.clone(), source },
        }
    }

    /// The file, opened where it is not. None when its name leads to another one meanwhile: the next look tells.
    fn open(&mut self) -> Result<Option<Arc<File>>, CollectError> {
        if let Some(file) = &self.file {
            return Ok(Some(file.clone()));
        }
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| self.unreadable(error))?,
        };
        let metadata = file.metadata().map_err(|error| self.unreadable(error))?;
        if part::identity_of(&metadata) != self.identity {
            return Ok(None);
        }
        let file = Arc::new(file);
        self.file = Some(file.clone());
        Ok(Some(file))
    }

    fn is_up_to_date(&self) -> bool {
        match &self.kind {
            Kind::Unknown => self.stamp.size_bytes == 0,
            Kind::Lines(_) => self.checked == Some(self.stamp) && self.gone_since.is_none(),
            Kind::Whole { taken } => *taken == Some(self.stamp),
        }
    }

    pub(super) fn offer(
        &mut self,
        facts: &Facts<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Offer>, CollectError> {
        if self.asks || self.is_up_to_date() {
            self.since = self.since.filter(|_| self.asks);
            return Ok(None);
        }
        let Some(file) = self.open()? else { return Ok(None) };
        let metadata = file.metadata().map_err(|error| self.unreadable(error))?;
        self.grow(Stamp::of(&metadata), facts.now);
        if matches!(self.kind, Kind::Unknown) {
            self.resolve(&file, facts, notes)?;
        }
        let offered = match &self.kind {
            Kind::Unknown => None,
            Kind::Lines(_) => self.lines(&file, facts, notes)?,
            Kind::Whole { .. } => self.whole(&file, facts)?,
        };
        let Some((from, to_byte, may_grow)) = offered else {
            self.since = None;
            self.checked = Some(self.stamp);
            return Ok(None);
        };
        self.checked = None;
        let since = *self.since.get_or_insert(facts.now);
        let bytes = to_byte - from.byte();
        let identity = Some(self.identity.clone());
        let kind = SourceKind::Part(Part { file, from, to_byte, identity, may_grow });
        let source = Source { name: self.name.clone(), kind };
        let rule = LedgerRule::NothingSince { rows: self.known_rows };
        Ok(Some(Offer { key: self.identity.clone(), source, rule, bytes, since }))
    }

    /// Finds out how the file is taken, and how far it was.
    fn resolve(&mut self, file: &File, facts: &Facts<'_>, notes: &mut Vec<Note>) -> Result<(), CollectError> {
        let Some(rows) = self.rows.take() else { return Ok(()) };
        let unreadable = |error| self.unreadable(error);
        let size_bytes = self.stamp.size_bytes;
        if !part::is_plain_lines(file, &self.name, &facts.given).map_err(unreadable)? {
            self.kind = Kind::Whole { taken: None };
            self.rows = Some(rows);
            return Ok(());
        }
        let has_line =
            part::first_line_end(file, 0, size_bytes.min(HEAD_BYTES as u64)).map_err(unreadable)?.is_some();
        if !has_line && size_bytes < HEAD_BYTES as u64 && rows.rows.is_empty() {
            // Too little to tell what it is.
            self.rows = Some(rows);
            return Ok(());
        }
        let known = self.candidates(&rows, facts.visible);
        let from = part::furthest(file, size_bytes, &known).map_err(unreadable)?;
        if from.is_none() && rows.rows.iter().any(|row| self.is_mine(row.identity.as_deref())) {
            let byte = rows.rows.iter().map(|row| row.size_bytes).max().unwrap_or_default();
            notes.push(Note::Anew { name: self.name.clone(), byte });
        }
        let from = from.unwrap_or_else(Position::start);
        if from.is_inside_line(file).map_err(unreadable)? {
            self.rows = Some(rows);
            let (name, table, byte) = (self.name.clone(), facts.table.clone(), from.byte());
            return Err(CollectError::LineWentOn { name, table, byte });
        }
        self.kind = Kind::Lines(Box::new(from));
        self.searched_to = 0;
        Ok(())
    }

    fn is_mine(&self, identity: Option<&str>) -> bool {
        identity.is_none_or(|identity| identity == self.identity)
    }

    /// How far the file may have been taken. A file that was there under its name before may be the same one, copied anew with what
    /// was added; but then it begins with all that was taken of that, and that is no other file now. Less would be an accident.
    fn candidates(&self, rows: &Rows, visible: &HashSet<String>) -> Vec<Known> {
        let mut others: HashMap<&str, Known> = HashMap::new();
        let mut known = Vec::new();
        for row in &rows.rows {
            let place = Known { size_bytes: row.size_bytes, content: row.content.clone() };
            match row.identity.as_deref().filter(|identity| *identity != self.identity) {
                None => known.push(place),
                Some(other) if visible.contains(other) => {}
                Some(other) => drop(others.insert(other, place)),
            }
        }
        known.extend(others.into_values());
        known
    }

    /// Whole lines behind the position.
    fn lines(
        &mut self,
        file: &File,
        facts: &Facts<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<Option<(Box<Position>, u64, bool)>, CollectError> {
        let Kind::Lines(position) = &mut self.kind else { return Ok(None) };
        let name = &self.name;
        let unreadable = |source| CollectError::SourceUnreadable { name: name.clone(), source };
        let size_bytes = self.stamp.size_bytes;
        if size_bytes < position.byte() || !position.is_in(file).map_err(unreadable)? {
            notes.push(Note::Anew { name: name.clone(), byte: position.byte() });
            **position = Position::start();
            self.searched_to = 0;
        }
        let (from, position) = (position.byte(), position.clone());
        let cap = from.saturating_add(facts.commit_bytes.max(1));
        let end = if size_bytes > cap {
            match part::last_line_end(file, from, cap).map_err(unreadable)? {
                Some(end) => Some(end),
                None => part::first_line_end(file, cap, size_bytes).map_err(unreadable)?,
            }
        } else {
            part::last_line_end(file, from.max(self.searched_to), size_bytes).map_err(unreadable)?
        };
        if let Some(end) = end {
            return Ok(Some((position, end, true)));
        }
        self.searched_to = size_bytes;
        if size_bytes > from && self.has_waited_gone(facts.now) {
            // Nobody can end the line any more but who still writes to a file without a name.
            notes.push(Note::Gone { name: self.name.clone() });
            return Ok(Some((position, size_bytes, true)));
        }
        Ok(None)
    }

    /// All of the file, once it is complete.
    fn whole(
        &mut self,
        file: &File,
        facts: &Facts<'_>,
    ) -> Result<Option<(Box<Position>, u64, bool)>, CollectError> {
        // It was changed since it was looked at last, or that was just now.
        if self.grown_at >= facts.now {
            return Ok(None);
        }
        if let Some(rows) = self.rows.take() {
            if self.is_known_whole(file, &rows).map_err(|error| self.unreadable(error))? {
                self.kind = Kind::Whole { taken: Some(self.stamp) };
                return Ok(None);
            }
            let is_changed = rows.rows.iter().any(|row| self.is_mine(row.identity.as_deref()));
            if is_changed && facts.on_changed != OnChanged::New {
                self.rows = Some(rows);
                let (name, table) = (self.name.clone(), facts.table.clone());
                return Err(CollectError::SourceChanged { name, table });
            }
        }
        Ok(Some((Box::new(Position::start()), self.stamp.size_bytes, false)))
    }

    /// Whether the ledger has all of the file, under whatever name.
    fn is_known_whole(&self, file: &File, rows: &Rows) -> io::Result<bool> {
        let size_bytes = self.stamp.size_bytes;
        let places = rows.rows.iter().filter(|row| row.size_bytes == size_bytes);
        let places = places.map(|row| Known { size_bytes, content: row.content.clone() });
        let places: Vec<Known> = places.collect();
        Ok(!places.is_empty() && part::furthest(file, size_bytes, &places)?.is_some())
    }

    /// It was taken up to here.
    pub(super) fn took(&mut self, end: Box<Position>) {
        match &mut self.kind {
            Kind::Whole { taken } => *taken = Some(self.stamp),
            kind => *kind = Kind::Lines(end),
        }
        self.since = None;
        self.searched_to = 0;
        self.checked = None;
        self.trouble.clear();
    }

    /// Whether a file that is taken as a whole has still to be looked at again.
    pub(super) fn is_settling(&self, now: Duration) -> bool {
        match &self.kind {
            Kind::Whole { .. } => !self.is_up_to_date() && self.grown_at >= now,
            _ => false,
        }
    }
}
