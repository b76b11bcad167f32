//! Which member of an object a column gets: the last of repeated names, and one of names that differ in case.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use super::value::{JsonValue, Member, Name};

/// A name of an object with all its values.
pub(super) struct Entry<'v, 'a> {
    pub(super) name: &'v Name<'a>,
    /// The last value, the one that counts.
    pub(super) value: &'v JsonValue<'a>,
    /// The values before the last, as they stand.
    pub(super) earlier: Vec<&'v JsonValue<'a>>,
}

impl Entry<'_, '_> {
    pub(super) fn is_repeated(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// Null is absent: another name that differs in case may have the column then. Not so when the name is
    /// repeated, or nobody could tell later which of the names the column's value had.
    fn claims_column(&self) -> bool {
        !self.value.is_null() || self.is_repeated()
    }
}

/// Up to so many members, comparing each with all before it is faster than hashing.
const FEW: usize = 32;

/// The names of an object in the order of their first appearance.
pub(super) fn entries<'v, 'a>(members: &'v [Member<'a>]) -> Vec<Entry<'v, 'a>> {
    let mut entries: Vec<Entry<'v, 'a>> = Vec::with_capacity(members.len());
    if members.len() <= FEW {
        for Member { name, value } in members {
            match entries.iter_mut().find(|entry| entry.name == name) {
                Some(entry) => entry.earlier.push(std::mem::replace(&mut entry.value, value)),
                None => entries.push(Entry { name, value, earlier: Vec::new() }),
            }
        }
        return entries;
    }
    let mut places: HashMap<&Name<'a>, usize> = HashMap::with_capacity(members.len());
    for Member { name, value } in members {
        match places.get(name).and_then(|at| entries.get_mut(*at)) {
            Some(entry) => entry.earlier.push(std::mem::replace(&mut entry.value, value)),
            None => {
                places.insert(name, entries.len());
                entries.push(Entry { name, value, earlier: Vec::new() });
            }
        }
    }
    entries
}

/// Which entry each column gets, of those that name it: the one spelled as the column is, else the first.
/// `column_of` tells the column of a name, and whether it is spelled so.
pub(super) fn claims<C: Hash + Eq>(
    entries: &[Entry<'_, '_>],
    column_of: impl Fn(&Name<'_>) -> Option<(C, bool)>,
) -> HashMap<C, usize> {
    let mut winners: HashMap<C, (usize, bool)> = HashMap::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.claims_column()) {
        let Some((column, exact)) = column_of(entry.name) else { continue };
        let winner = winners.entry(column).or_insert((at, exact));
        if exact && !winner.1 {
            *winner = (at, exact);
        }
    }
    winners.into_iter().map(|(column, (at, _))| (column, at)).collect()
}

/// A name without regard to case.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}
