//! Local files as they are from look to look, told apart by device and inode, whatever their names become.
//!
//! A file that was renamed is the same file, and is read on to its end; a new file of the old name is another one. The file
//! itself is held open while it is active, so that what was written before it was renamed or deleted is still read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::entry::Offer;
use super::tracked::{Facts, Kind, Stamp, Tracked};
use crate::error::CollectError;
use crate::request::IngestRequest;
use crate::source::part;

/// Something that somebody should be told.
#[derive(Debug)]
pub(super) enum Note {
    Anew { name: String, byte: u64 },
    Gone { name: String },
    Trouble { error: CollectError, wait: Duration },
}

/// All files.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By identity.
    pub tracked: BTreeMap<String, Tracked>,
    pub notes: Vec<Note>,
}

impl Files {
    /// Takes in which files there are. Blocks.
    pub(super) fn see(&mut self, paths: Vec<(String, PathBuf)>, now: Duration) {
        let mut names: HashMap<String, (String, PathBuf, Stamp)> = HashMap::new();
        for (name, path) in paths {
            // One that is gone again is gone.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            names.entry(part::identity_of(&metadata)).or_insert((name, path, Stamp::of(&metadata)));
        }
        for (identity, (name, path, stamp)) in &names {
            let new = || Tracked::new(name.clone(), path.clone(), identity.clone(), *stamp, now);
            let tracked = self.tracked.entry(identity.clone()).or_insert_with(new);
            tracked.gone_since = None;
            if tracked.name != *name {
                tracked.renamed(name, path);
            }
            tracked.grow(*stamp, now);
        }
        for tracked in self.tracked.values_mut().filter(|tracked| !names.contains_key(&tracked.identity)) {
            tracked.is_gone(now);
        }
    }

    /// Adds files that had a known name before, and have another one in its folder now. Blocks.
    pub(super) fn find_renamed(&mut self, now: Duration) {
        for (folder, wanted) in self.lost() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
                let Some(metadata) = fs::symlink_metadata(&path).ok().filter(Metadata::is_file) else {
                    continue;
                };
                let identity = part::identity_of(&metadata);
                if let (true, Some(name)) = (wanted.contains(&identity), path.to_str()) {
                    let tracked = Tracked::new(
                        name.to_owned(),
                        path.clone(),
                        identity.clone(),
                        Stamp::of(&metadata),
                        now,
                    );
                    self.tracked.entry(identity).or_insert(tracked);
                }
            }
        }
    }

    /// Identities that the ledger knows by the name of a file that is another one now, by folder.
    fn lost(&self) -> BTreeMap<PathBuf, Vec<String>> {
        let mut lost: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
        for tracked in self.tracked.values().filter(|tracked| matches!(tracked.kind, Kind::Unknown)) {
            let rows = tracked.rows.iter().flat_map(|rows| &rows.rows);
            let others = rows.filter_map(|row| row.identity.clone());
            let others = others.filter(|identity| !self.tracked.contains_key(identity));
            let folder = tracked.path.parent().unwrap_or(Path::new("/")).to_owned();
            lost.entry(folder).or_default().extend(others);
        }
        lost.retain(|_, identities| !identities.is_empty());
        lost
    }

    /// What can be taken of all files. Blocks.
    pub(super) fn offers(&mut self, now: Duration, commit_bytes: u64, request: &IngestRequest) -> Vec<Offer> {
        let visible: HashSet<String> = self.tracked.keys().cloned().collect();
        let facts = Facts {
            now,
            commit_bytes,
            given: request.given(),
            on_changed: request.on_changed,
            table: &request.table,
            visible: &visible,
        };
        let (mut offers, mut held) = (Vec::new(), 0);
        let mut given_up = Vec::new();
        for tracked in self.tracked.values_mut() {
            if !tracked.trouble.is_over(now) {
                continue;
            }
            match tracked.offer(&facts, &mut self.notes) {
                Ok(offer) => offers.extend(offer),
                Err(error) => {
                    let (wait, is_news) = tracked.trouble.fails(now, &error.to_string());
                    if is_news {
                        self.notes.push(Note::Trouble { error, wait });
                    }
                }
            }
            tracked.let_go(now, &mut held);
            if tracked.is_done(now) {
                given_up.push(tracked.identity.clone());
            }
        }
        for identity in given_up {
            self.tracked.remove(&identity);
        }
        offers
    }
}
