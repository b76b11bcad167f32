//! Which columns a sample of records needs, and which fields an existing table lacks.
//!
//! Every path of the sample is counted by the kinds of its values; the type of most values wins and the others
//! are rescued when the rows land. What is kept is bounded, however many names the records invent: beyond the
//! limits a field gets no column, and its values are rescued.
//!
//! Of the columns that are there, those are remembered that a value would fit into if they were wider.
//!
//! Paths are numbered as they appear, so the inferences of several chunks, merged in the order of the chunks, come
//! to the same schema as one over all of them, within the limits.

use std::collections::{BTreeMap, HashMap};

use iceberg::spec::{NestedFieldRef, PrimitiveType, Schema};

use super::members::{Entry, entries, fold};
use super::parse::parse;
use super::value::{JsonKind, JsonValue};
use crate::evolve::{self, EvolveError, ParentPath};
use crate::rejects::{is_reserved, with_rescued_data};

mod counts;
mod direct;
mod types;

use counts::{Counts, Seen};

/// How much an inference keeps, and how much of it becomes columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most columns that a table gets, those inside structs and lists counted, structs and lists not.
    pub leaf_columns_max: usize,
    /// How deep structs and lists may stand in each other.
    pub depth_max: usize,
    /// How many different paths are counted.
    pub paths_max: usize,
    /// The longest name of a column, in bytes.
    pub name_bytes_max: usize,
}

impl Limits {
    /// The usual ones, for tables of up to so many columns.
    pub fn of_columns(leaf_columns_max: usize) -> Self {
        let usual = Self::default();
        let paths_max = usual.paths_max.max(leaf_columns_max.saturating_mul(4));
        Self { leaf_columns_max, paths_max, ..usual }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { leaf_columns_max: 1_000, depth_max: 32, paths_max: 10_000, name_bytes_max: 255 }
    }
}

/// What was seen in a sample of records.
#[derive(Clone, Debug)]
pub struct Inference {
    limits: Limits,
    /// The record itself first, then each path as it appeared.
    nodes: Vec<Node>,
    /// Columns by their field id, with the type that they would need.
    widenings: BTreeMap<i32, PrimitiveType>,
    scratch: direct::Scratch,
}

/// One path, with the values that were seen there.
#[derive(Clone, Debug)]
struct Node {
    parent: usize,
    step: Step,
    depth: usize,
    counts: Counts,
    /// The members in the order of their appearance.
    members: Vec<usize>,
    member_by_folded_name: HashMap<String, usize>,
    /// Which of its parent's members this is,
    position: usize,
    /// and which of its own is likely to be seen next.
    expected: usize,
    /// The number of the object in which it was seen last.
    object: u64,
    /// What is inside a list, or a map's values.
    inside: Option<usize>,
}

/// A step down a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To a field of a struct, named as it appeared first.
    Member(String),
    /// To a list's elements or a map's values.
    Inside,
}

impl Node {
    fn new(parent: usize, step: Step, depth: usize) -> Self {
        Self {
            parent,
            step,
            depth,
            counts: Counts::default(),
            members: Vec::new(),
            member_by_folded_name: HashMap::new(),
            position: 0,
            expected: 0,
            object: 0,
            inside: None,
        }
    }

    fn name(&self) -> &str {
        match &self.step {
            Step::Member(name) => name,
            Step::Inside => "element",
        }
    }

    /// The path of the member with this name, in whatever case.
    fn member_named(&self, name: &str) -> Option<usize> {
        self.member_by_folded_name.get(fold(name).as_ref()).copied()
    }
}

const ROOT: usize = 0;

impl Inference {
    /// Nothing seen yet.
    pub fn new(limits: Limits) -> Self {
        let nodes = vec![Node::new(ROOT, Step::Inside, 0)];
        Self { limits, nodes, widenings: BTreeMap::new(), scratch: direct::Scratch::default() }
    }

    /// Counts the record in a line; what is no record counts for nothing.
    pub fn observe_line(&mut self, line: &[u8]) {
        if direct::observe(self, line).is_none()
            && let Ok(record) = parse(line)
        {
            self.observe(&record);
        }
    }

    /// Counts one record; anything but an object is no record and counts for nothing.
    pub fn observe(&mut self, record: &JsonValue<'_>) {
        if let JsonKind::Object(members) = &record.kind {
            self.observe_entries(ROOT, &entries(members));
        }
    }

    /// Counts members of an object that stands at a place of a schema.
    pub(super) fn observe_at(&mut self, place: &[Step], entries: &[Entry<'_, '_>]) {
        let mut node = Some(ROOT);
        for step in place {
            node = node.and_then(|above| self.child(above, step));
        }
        if let Some(node) = node {
            self.observe_entries(node, entries);
        }
    }

    /// Remembers that a value would fit into a column if it had this type.
    pub(super) fn note_widening(&mut self, id: i32, wider: PrimitiveType) {
        self.widenings.insert(id, wider);
    }

    /// The columns of the table, by their field ids, that would hold more of the values if they had these types.
    pub fn widenings(&self) -> &BTreeMap<i32, PrimitiveType> {
        &self.widenings
    }

    /// Forgets all fields, but not the columns that should be wider.
    pub fn forget_fields(&mut self) {
        *self = Self { widenings: std::mem::take(&mut self.widenings), ..Self::new(self.limits) };
    }

    /// Adds what another inference saw after this one.
    pub fn merge(&mut self, other: Self) {
        self.widenings.extend(other.widenings);
        // A path's parent has the lower number, so its place here is known when the path's turn comes.
        let mut places: Vec<Option<usize>> = Vec::with_capacity(other.nodes.len());
        for (at, node) in other.nodes.into_iter().enumerate() {
            let place = match places.get(node.parent) {
                Some(parent) if at != ROOT => parent.and_then(|parent| self.child(parent, &node.step)),
                _ => Some(ROOT),
            };
            if let Some(node_here) = place.and_then(|place| self.nodes.get_mut(place)) {
                node_here.counts.merge(&node.counts);
            }
            places.push(place);
        }
    }

    /// Whether no field was seen, and no value that a wider column would hold.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1 && self.widenings.is_empty()
    }

    /// The schema of a new table for these records: columns in the order of their appearance, `_rescued_data` last,
    /// fresh ids.
    ///
    /// # Errors
    /// [`EvolveError`] when the columns cannot be a table's.
    pub fn schema(&self) -> Result<Schema, EvolveError> {
        let empty = Schema::builder().build().map_err(evolve::schema_error)?;
        let columns = self.additions(&empty).into_iter().map(|(_, column)| column).collect();
        with_rescued_data(&evolve::fresh_ids_of(columns)?)
    }

    /// The fields that were seen and that a schema lacks, for [`evolve::add_fields`]. Fields that it has stay as
    /// they are, whatever was seen in them.
    pub fn additions(&self, base: &Schema) -> Vec<(ParentPath, NestedFieldRef)> {
        types::additions(self, base)
    }

    /// How many of the fields that a schema lacks get no column because it may not have more, those inside structs and
    /// lists counted.
    pub fn beyond_limit(&self, base: &Schema) -> usize {
        types::beyond_limit(self, base)
    }

    fn observe_entries(&mut self, node: usize, entries: &[Entry<'_, '_>]) {
        // Names that differ only in case count all: which of them lands depends on how the column is spelled, and a
        // chunk does not know that.
        for entry in entries {
            let Some(name) = entry.name.text() else { continue };
            if entry.value.is_null() || !self.can_be_column(node, name) {
                continue;
            }
            if let Some(child) = self.member(node, name) {
                self.observe_value(child, entry.value);
            }
        }
    }

    fn observe_value(&mut self, node: usize, value: &JsonValue<'_>) {
        if let (Some(node), Some(seen)) = (self.nodes.get_mut(node), Seen::of(value)) {
            node.counts.add(seen);
        }
        match &value.kind {
            JsonKind::Object(members) => self.observe_entries(node, &entries(members)),
            JsonKind::Array(elements) => {
                for element in elements.iter().filter(|element| !element.is_null()) {
                    if let Some(inside) = self.child(node, &Step::Inside) {
                        self.observe_value(inside, &element);
                    }
                }
            }
            _ => {}
        }
    }

    fn can_be_column(&self, parent: usize, name: &str) -> bool {
        !name.is_empty() && name.len() <= self.limits.name_bytes_max && !(parent == ROOT && is_reserved(name))
    }

    /// The path of a member. Mostly it is the one that came after the last the time before.
    fn member(&mut self, parent: usize, name: &str) -> Option<usize> {
        let above = self.nodes.get(parent)?;
        let expected = above.members.get(above.expected).copied();
        let is_expected = expected.and_then(|at| self.nodes.get(at)).is_some_and(|node| node.name() == name);
        let found = match expected.filter(|_| is_expected) {
            Some(expected) => expected,
            None => self.child(parent, &Step::Member(name.to_owned()))?,
        };
        let position = self.nodes.get(found)?.position;
        self.nodes.get_mut(parent)?.expected = position + 1;
        Some(found)
    }

    /// The path one step below another, made if it is new and within the limits.
    fn child(&mut self, parent: usize, step: &Step) -> Option<usize> {
        let at = self.nodes.len();
        let above = self.nodes.get_mut(parent)?;
        let depth = above.depth + 1;
        let known = match step {
            Step::Member(name) => above.member_named(name),
            Step::Inside => above.inside,
        };
        if known.is_some() || depth > self.limits.depth_max || at > self.limits.paths_max {
            return known;
        }
        let position = above.members.len();
        match step {
            Step::Member(name) => {
                above.members.push(at);
                above.member_by_folded_name.insert(fold(name).into_owned(), at);
            }
            Step::Inside => above.inside = Some(at),
        }
        self.nodes.push(Node { position, ..Node::new(parent, step.clone(), depth) });
        Some(at)
    }
}

#[cfg(test)]
mod tests;
