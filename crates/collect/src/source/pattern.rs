//! Patterns of names: what `{a,b}` stands for, and which paths of this machine match.
//!
//! Links to folders are followed where the pattern spells their names out, and nowhere else: one that leads back up would be gone
//! down for ever, and two of them would double the paths at every step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::local::unreadable;
use super::{Found, HIDDEN, LINKED_FOLDER, LeftOut, MATCH, OWN, Own, is_glob, is_hidden};
use crate::error::CollectError;

/// A pattern may stand for so many.
const ALTERNATIVES_MAX: usize = 1_000;

/// So many `{` may stand in a pattern.
const BRACES_MAX: usize = 32;

/// Whether a text stands for several: `{a,b}.json`.
pub(super) fn has_alternatives(text: &str) -> bool {
    braces(text).is_some()
}

/// The patterns that a pattern with `{a,b}` stands for, in order.
pub(super) fn alternatives(text: &str) -> Result<Vec<String>, CollectError> {
    let too_many =
        |reason: &str| CollectError::BadPattern { pattern: text.to_owned(), reason: reason.into() };
    if text.matches('{').count() > BRACES_MAX {
        return Err(too_many("more than 32 `{` are too many"));
    }
    let (mut done, mut left) = (Vec::new(), vec![text.to_owned()]);
    while let Some(text) = left.pop() {
        match braces(&text) {
            None => done.push(text),
            Some((before, inside, behind)) => {
                left.extend(parts(inside).into_iter().rev().map(|part| [before, part, behind].concat()));
            }
        }
        if done.len() + left.len() > ALTERNATIVES_MAX {
            return Err(too_many("it stands for more than 1000 patterns"));
        }
    }
    Ok(done)
}

/// The first braces with a comma in them: what stands before, inside and behind them.
fn braces(text: &str) -> Option<(&str, &str, &str)> {
    let opens = text.match_indices('{').map(|(at, _)| at);
    opens.filter(|at| !in_brackets(text, *at)).find_map(|open| {
        let close = closes(text, open)?;
        let inside = text.get(open + 1..close)?;
        let behind = text.get(close + 1..)?;
        (parts(inside).len() > 1).then_some((text.get(..open)?, inside, behind))
    })
}

fn in_brackets(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('[').is_some_and(|open| !before.get(open..).unwrap_or_default().contains(']'))
        && text.get(at..).unwrap_or_default().contains(']')
}

fn closes(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.get(open..)?.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(open + at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What stands between the commas that are in no braces of their own.
fn parts(inside: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    inside
        .split(|letter| {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        })
        .collect()
}

/// One name of a pattern between slashes.
enum Name {
    Spelled(String),
    Pattern(glob::Pattern),
    /// `**`
    Any,
}

impl Name {
    fn all(pattern: &str) -> Result<Vec<Self>, CollectError> {
        let names = pattern.split('/').filter(|name| !name.is_empty() && *name != ".");
        let name = |name: &str| match name {
            "**" => Ok(Self::Any),
            name if is_glob(name) => glob::Pattern::new(name).map(Self::Pattern).map_err(|error| {
                CollectError::BadPattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() }
            }),
            name => Ok(Self::Spelled(name.to_owned())),
        };
        names.map(name).collect()
    }
}

/// The paths that match a pattern, in order. What is passed over is noted.
pub(super) fn matches(
    pattern: &str,
    folder: &Path,
    own: &Own,
    found: &mut Found,
) -> Result<Vec<PathBuf>, CollectError> {
    let names = Name::all(pattern)?;
    let asks_for_hidden = asks_for_hidden(pattern);
    let mut search = Search { asks_for_hidden, own, matched: Vec::new(), found };
    search.below(if pattern.starts_with('/') { Path::new("/") } else { folder }, &names)?;
    let mut matched = search.matched;
    if pattern.ends_with('/') {
        matched.retain(|path| path.is_dir());
    }
    matched.sort();
    matched.dedup();
    Ok(matched)
}

/// Whether a pattern names something that begins with `.` or `_`.
pub(super) fn asks_for_hidden(pattern: &str) -> bool {
    pattern.split('/').any(|name| is_hidden(name) && name != "." && name != "..")
}

struct Search<'a> {
    asks_for_hidden: bool,
    own: &'a Own,
    matched: Vec<PathBuf>,
    found: &'a mut Found,
}

impl Search<'_> {
    fn below(&mut self, folder: &Path, names: &[Name]) -> Result<(), CollectError> {
        let Some((name, rest)) = names.split_first() else {
            self.matched.push(folder.to_owned());
            return Ok(());
        };
        match name {
            Name::Spelled(name) => {
                let path = folder.join(name);
                match rest.is_empty() {
                    true if fs::symlink_metadata(&path).is_ok() => self.matched.push(path),
                    true => {}
                    false => self.below(&path, rest)?,
                }
            }
            // The folder itself, with all that is in it.
            Name::Any if rest.is_empty() => self.matched.push(folder.to_owned()),
            Name::Any => {
                self.below(folder, rest)?;
                for path in listed(folder)? {
                    if self.is_folder(&path) {
                        self.below(&path, names)?;
                    }
                }
            }
            Name::Pattern(pattern) => {
                for path in listed(folder)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    if !pattern.matches_with(&name, MATCH) {
                        continue;
                    }
                    let is_folder = path.is_dir();
                    match rest.is_empty() {
                        true if !is_folder || self.is_folder(&path) => self.matched.push(path),
                        false if is_folder && self.is_folder(&path) => self.below(&path, rest)?,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a path is a folder that is gone into: no link, not hidden, and not the lake's own.
    fn is_folder(&mut self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let reason = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() && is_hidden(&name) && !self.asks_for_hidden => HIDDEN,
            Ok(metadata) if metadata.is_symlink() && path.is_dir() => LINKED_FOLDER,
            Ok(metadata) if metadata.is_dir() && self.own.has(path) => OWN,
            metadata => return metadata.is_ok_and(|metadata| metadata.is_dir()),
        };
        self.found.left_out.push(LeftOut { path: path.to_string_lossy().into_owned(), reason });
        false
    }
}

/// What is in a folder; nothing when it is none.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, CollectError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    Ok(entries.map_err(|error| unreadable(folder, error))?.into_iter().map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests;
