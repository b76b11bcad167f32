//! What a run reports about values that found no column, and what it asks the table to add.
//!
//! Both are bounded and can be merged, so that chunks may be decoded apart and summed up in their order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hosu_table::evolve::ParentPath;
use hosu_table::json::{Ignored, Inference, Landed, NotLanded, Rescued, Why};
use hosu_table::rejects::{is_rescued_data, rescued_data_field};
use iceberg::spec::{NestedFieldRef, PrimitiveType, Schema};

use super::decoder::Place;

/// Of so many columns the rescued values are told one by one; records may invent any number of names.
const COLUMNS_MAX: usize = 1_000;

const EXAMPLE_CHARS_MAX: usize = 200;

/// The rescued values of one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RescuedColumn {
    /// The column's full name (`geo.lat`, `items.element.price`), also of a field that has none.
    pub column: String,
    /// The column's type; none when there is no such column.
    pub column_type: Option<String>,
    /// How many values were rescued.
    pub values: u64,
    /// The start of the first of them, as it stood.
    pub example: String,
    /// Its path in `_rescued_data`, or what the paths of all have in common at their start,
    pub path: String,
    /// and whether all have the same.
    pub is_one_path: bool,
    /// The record of the first,
    pub place: Place,
    /// and the source that it is in, once that is known.
    pub source: Option<Arc<str>>,
}

impl RescuedColumn {
    /// Counts values of the same column that came later.
    fn add(&mut self, values: u64, path: &str, is_one_path: bool) {
        self.values += values;
        let is_same = is_one_path && self.path == path;
        if !is_same && (self.is_one_path || !path.starts_with(&self.path)) {
            let common = self.path.char_indices().zip(path.chars()).take_while(|((_, a), b)| a == b);
            let end = common.last().map_or(0, |((at, character), _)| at + character.len_utf8());
            self.path.truncate(end);
        }
        self.is_one_path &= is_same;
    }
}

/// The rescued values of many rows, per column in the order of their appearance.
#[derive(Clone, Debug, Default)]
pub struct Rescues {
    columns: Vec<RescuedColumn>,
    by_name: HashMap<String, usize>,
    total: u64,
}

impl Rescues {
    /// How many values were rescued in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The columns that values were rescued of, the first thousand of them.
    pub fn columns(&self) -> &[RescuedColumn] {
        &self.columns
    }

    /// Adds what was rescued after this.
    pub fn merge(&mut self, other: Self) {
        self.total += other.total;
        for column in other.columns {
            self.add_column(column);
        }
    }

    /// Says which source the records are in that were added without one.
    pub fn name_source(&mut self, source: &str) {
        let mut name: Option<Arc<str>> = None;
        for column in self.columns.iter_mut().filter(|column| column.source.is_none()) {
            column.source = Some(name.get_or_insert_with(|| Arc::from(source)).clone());
        }
    }

    pub(super) fn add(&mut self, rescued: &Rescued<'_>, place: Place) {
        self.total += 1;
        if let Some(known) = self.known(&rescued.column) {
            return known.add(1, &rescued.path, true);
        }
        self.add_column(RescuedColumn {
            column: rescued.column.clone(),
            column_type: rescued.column_type.clone(),
            values: 1,
            example: example(rescued.source),
            path: rescued.path.clone(),
            is_one_path: true,
            place,
            source: None,
        });
    }

    pub(super) fn add_ignored(&mut self, ignored: &Ignored<'_>, place: Place) {
        self.total += ignored.values;
        if let Some(known) = self.known(&ignored.column) {
            known.values += ignored.values;
            return;
        }
        self.add_column(RescuedColumn {
            column: ignored.column.clone(),
            values: ignored.values,
            example: example(ignored.source),
            place,
            ..RescuedColumn::default()
        });
    }

    fn known(&mut self, column: &str) -> Option<&mut RescuedColumn> {
        self.by_name.get(column).and_then(|at| self.columns.get_mut(*at))
    }

    fn add_column(&mut self, column: RescuedColumn) {
        if let Some(known) = self.known(&column.column) {
            return known.add(column.values, &column.path, column.is_one_path);
        }
        if self.by_name.len() < COLUMNS_MAX {
            self.by_name.insert(column.column.clone(), self.columns.len());
            self.columns.push(column);
        }
    }
}

fn example(source: &str) -> String {
    source.chars().take(EXAMPLE_CHARS_MAX).collect()
}

/// What is told of rows beside what was rescued of them.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The values that were left out, per field.
    pub ignored: Rescues,
    /// The names that found a column that is spelled differently.
    pub spellings: Spellings,
    /// The first value that found no column that holds it.
    pub misfit: Option<Misfit>,
}

/// Names that are not spelled as their column, with how many values landed and how many were rescued, because another
/// spelling had the column in the same object. Bounded as [`Rescues`] are.
#[derive(Clone, Debug, Default)]
pub struct Spellings(BTreeMap<(String, String), (u64, u64)>);

/// A value that found no column that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Why, as a sentence.
    pub reason: String,
    /// The record.
    pub place: Place,
}

impl Notes {
    pub(super) fn note_landed(&mut self, landed: &Landed<'_>, place: Place) {
        for ignored in &landed.ignored {
            self.ignored.add_ignored(ignored, place);
        }
        for respelled in &landed.respelled {
            self.spellings.add(&respelled.column, &respelled.spelled, (1, 0));
        }
        for rescued in &landed.rescued {
            if let Why::Spelling(column) = &rescued.why {
                self.spellings.add(column, &rescued.column, (0, 1));
            }
        }
        if let (None, Some(rescued)) = (&self.misfit, landed.rescued.first()) {
            self.misfit = Some(Misfit { reason: reason_of(rescued), place });
        }
    }

    pub(super) fn note_not_landed(&mut self, reason: &NotLanded, place: Place) {
        if self.misfit.is_none() && !matches!(reason, NotLanded::NotAnObject { .. }) {
            self.misfit = Some(Misfit { reason: reason.to_string(), place });
        }
    }

    /// Adds what was noted after this.
    pub fn merge(&mut self, other: Self) {
        self.ignored.merge(other.ignored);
        for ((column, spelled), counts) in &other.spellings.0 {
            self.spellings.add(column, spelled, *counts);
        }
        self.misfit = self.misfit.take().or(other.misfit);
    }
}

impl Spellings {
    fn add(&mut self, column: &str, spelled: &str, (landed, rescued): (u64, u64)) {
        let key = (column.to_owned(), spelled.to_owned());
        if self.0.len() < COLUMNS_MAX || self.0.contains_key(&key) {
            let counts = self.0.entry(key).or_default();
            *counts = (counts.0 + landed, counts.1 + rescued);
        }
    }

    /// Column, spelling, how many values landed and how many were rescued; by column.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u64, u64)> {
        self.0
            .iter()
            .map(|((column, spelled), counts)| (column.as_str(), spelled.as_str(), counts.0, counts.1))
    }
}

fn reason_of(rescued: &Rescued<'_>) -> String {
    let Rescued { path, column, .. } = rescued;
    let value = example(rescued.source);
    match (&rescued.why, &rescued.column_type) {
        (Why::Spelling(named), _) => format!("`{column}` is another spelling of column `{named}`"),
        (Why::Unfit | Why::Narrow, Some(column_type)) => {
            format!("column `{column}` is {column_type}, and {value} at {path} does not fit")
        }
        _ => format!("field `{column}` is new: {value} at {path}"),
    }
}

/// What the rows had and the table lacks.
#[derive(Clone, Debug)]
pub struct Unknown {
    pub(super) fields: Inference,
    /// Whether anything was rescued that `_rescued_data` does not hold, because the table lacks it,
    homeless: bool,
    /// and whether some of that will need it whatever fields are added.
    homeless_whatever_is_added: bool,
}

impl Unknown {
    pub(super) fn new(fields: Inference) -> Self {
        Self { fields, homeless: false, homeless_whatever_is_added: false }
    }

    pub(super) fn note_rescued(&mut self, rescued: &Rescued<'_>, has_rescued_data: bool) {
        if !has_rescued_data {
            self.homeless = true;
            self.homeless_whatever_is_added |= rescued.column_type.is_some() && rescued.why != Why::Narrow;
        }
    }

    /// The fields to add to the schema that the rows were decoded for, by `hosu_table::evolve::add_fields`: those
    /// that it lacks, and `_rescued_data` when a value needs it. Empty when each row landed as it should.
    ///
    /// Rows decoded for the grown schema can ask for more (`_rescued_data`, when a new field could not hold all
    /// of its values), but never without end: each round adds a field, and fields are limited.
    pub fn additions(&self, base: &Schema) -> Vec<(ParentPath, NestedFieldRef)> {
        let mut additions = self.new_fields(base);
        additions.extend(self.rescued_data(base, !additions.is_empty()));
        additions
    }

    /// The fields alone that the schema lacks.
    pub fn new_fields(&self, base: &Schema) -> Vec<(ParentPath, NestedFieldRef)> {
        self.fields.additions(base)
    }

    /// `_rescued_data`, when a value needs it and the schema lacks it. If the schema `changes` otherwise, that may give
    /// some values a place.
    pub fn rescued_data(&self, base: &Schema, changes: bool) -> Option<(ParentPath, NestedFieldRef)> {
        let has_rescued_data = base.as_struct().fields().iter().any(|field| is_rescued_data(&field.name));
        let needed = self.homeless_whatever_is_added || (self.homeless && !changes);
        (needed && !has_rescued_data).then(|| (ParentPath::root(), rescued_data_field(0)))
    }

    /// Asks for no field more, but only for wider columns: who made the rows says which fields they have.
    pub fn forget_fields(&mut self) {
        self.fields.forget_fields();
    }

    /// The columns, by their field ids, that would hold more values if they had these types.
    pub fn widenings(&self) -> &BTreeMap<i32, PrimitiveType> {
        self.fields.widenings()
    }

    /// How many fields get no column because the table may not have more.
    pub fn beyond_limit(&self, base: &Schema) -> usize {
        self.fields.beyond_limit(base)
    }

    /// Adds what was seen after that which is known, if anything is.
    pub fn merge_into(known: &mut Option<Self>, other: Self) {
        match known {
            Some(known) => known.merge(other),
            none => *none = Some(other),
        }
    }

    /// Adds what was seen after this.
    pub fn merge(&mut self, other: Self) {
        self.fields.merge(other.fields);
        self.homeless |= other.homeless;
        self.homeless_whatever_is_added |= other.homeless_whatever_is_added;
    }
}
