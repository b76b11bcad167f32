//! Names of databases and tables, checked where people type them.
//!
//! A name travels far: it becomes a row of the catalog database, a folder of the warehouse and a word in SQL.
//! What a person types is therefore narrow (letters of any script, digits, `_` and `-`) and folded to lower
//! case once, here. What a catalog has stored may have been written by another engine with other rules, so it
//! is taken as it is ([`TableName::stored`]); it is never typed again.

use std::fmt;
use std::str::FromStr;

/// The database of a table that is named without one.
pub const DEFAULT_DATABASE: &str = "default";

/// The longest name of a database or table, in characters.
pub const NAME_CHARS_MAX: usize = 128;

/// What the name of a rejects table ends with.
pub const REJECTS_SUFFIX: &str = "_rejects";

/// A table's full name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The database (Iceberg: namespace) that the table is in.
    pub database: String,
    /// The table's own name.
    pub table: String,
}

/// Why a text is no name of a table or database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given, or nothing on one side of the dot.
    #[error("`{name}` is no table name: a part of it is empty")]
    Empty {
        /// The text as given.
        name: String,
    },
    /// More than one dot.
    #[error("`{name}` has {dots} dots: a table is named `table` or `database.table`")]
    Dots {
        /// The text as given.
        name: String,
        /// How many dots it has.
        dots: usize,
    },
    /// A character that names cannot have.
    #[error("`{name}` has {character:?}, which names cannot have: use letters, digits, `_` and `-`")]
    Character {
        /// The text as given.
        name: String,
        /// The first such character.
        character: char,
    },
    /// More than [`NAME_CHARS_MAX`] characters in one part.
    #[error("`{start}…` is too long for a name: {chars} characters, at most {chars_max} are allowed")]
    TooLong {
        /// The first characters of the text.
        start: String,
        /// How many characters the part has.
        chars: usize,
        /// How many it may have.
        chars_max: usize,
    },
    /// Events are loaded into a table that holds the rejected records of another.
    #[error("`{name}` is where the records that `{base}` rejects are kept: load into another table")]
    RejectsTarget {
        /// The table as given.
        name: TableName,
        /// The table whose rejects it holds.
        base: String,
    },
}

impl TableName {
    /// Reads `table` or `database.table` as a person writes it, in lower case; [`DEFAULT_DATABASE`] when it has
    /// no database.
    ///
    /// # Errors
    /// A [`NameError`] that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::parse_in(text, DEFAULT_DATABASE)
    }

    /// As [`TableName::parse`], with the database of a name that has none.
    ///
    /// # Errors
    /// A [`NameError`] that says what is wrong with the text.
    pub fn parse_in(text: &str, database: &str) -> Result<Self, NameError> {
        let text = text.trim();
        // Before the dots are counted: `../x` is told about its slash, not about its dots.
        check_characters(text)?;
        match text.split_once('.') {
            None => Ok(Self { database: database.to_owned(), table: part(text, text)? }),
            Some((first, rest)) if !rest.contains('.') => {
                Ok(Self { database: part(first, text)?, table: part(rest, text)? })
            }
            Some(_) => Err(NameError::Dots { name: start_of(text), dots: text.matches('.').count() }),
        }
    }

    /// The name as a catalog has it stored, whatever characters it has: other engines have other rules.
    pub fn stored(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self { database: database.into(), table: table.into() }
    }

    /// The table that keeps the records which this one could not take.
    #[must_use]
    pub fn rejects(&self) -> Self {
        Self { database: self.database.clone(), table: format!("{}{REJECTS_SUFFIX}", self.table) }
    }

    /// Whether the name is one that [`TableName::rejects`] makes.
    pub fn is_rejects(&self) -> bool {
        self.table.strip_suffix(REJECTS_SUFFIX).is_some_and(|base| !base.is_empty())
    }

    /// Whether events may be loaded into a table of this name: its rejects table must have a name too, and it
    /// must not be one itself, because the rejects of `x` would then land among the events of `x_rejects`.
    ///
    /// # Errors
    /// [`NameError::RejectsTarget`] or [`NameError::TooLong`].
    pub fn check_ingest_target(&self) -> Result<(), NameError> {
        if let Some(base) = self.table.strip_suffix(REJECTS_SUFFIX).filter(|base| !base.is_empty()) {
            return Err(NameError::RejectsTarget { name: self.clone(), base: base.to_owned() });
        }
        check_length(&self.table, NAME_CHARS_MAX - REJECTS_SUFFIX.len())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.database, self.table)
    }
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// Reads the name of a database as a person writes it, in lower case.
///
/// # Errors
/// A [`NameError`] that says what is wrong with the text.
pub fn parse_database(text: &str) -> Result<String, NameError> {
    let text = text.trim();
    check_characters(text)?;
    if text.contains('.') && !text.split('.').any(str::is_empty) {
        return Err(NameError::Character { name: start_of(text), character: '.' });
    }
    part(text, text)
}

/// The candidate that a misspelt word most likely meant, for "did you mean": without regard to case, by the
/// fewest inserted, removed, replaced or swapped characters, and none when all are too far away.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    // A third of the word may be wrong; of a very long one nothing is guessed, to keep the cost bounded.
    let distance_max = (word.len() / 3).max(1);
    if word.len() > NAME_CHARS_MAX {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().collect();
            let near_length = word.len().abs_diff(other.len()) <= distance_max;
            let distance = near_length.then(|| edit_distance(&word, &other))?;
            (distance <= distance_max).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn part(text: &str, whole: &str) -> Result<String, NameError> {
    if text.is_empty() || text.chars().all(|c| c == '.') {
        return Err(NameError::Empty { name: start_of(whole) });
    }
    check_length(text, NAME_CHARS_MAX)?;
    Ok(text.to_lowercase())
}

fn check_characters(text: &str) -> Result<(), NameError> {
    let allowed = |c: char| c.is_alphanumeric() || is_mark(c) || matches!(c, '_' | '-' | '.');
    match text.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(NameError::Character { name: start_of(text), character }),
        None => Ok(()),
    }
}

/// Combining marks are parts of letters in many scripts, and lower-casing `İ` makes one.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn check_length(text: &str, chars_max: usize) -> Result<(), NameError> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(NameError::TooLong { start: text.chars().take(20).collect(), chars, chars_max });
    }
    Ok(())
}

/// A name in a message: what a person can recognise, whatever was given.
fn start_of(text: &str) -> String {
    let mut start: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        start.push('…');
    }
    start
}

/// Optimal string alignment: insertions, removals, replacements and swaps of neighbours.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(from != to);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && *from == b[j - 1] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests;
