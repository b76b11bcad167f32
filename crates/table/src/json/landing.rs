//! One record into the columns of a schema: what fits lands, the rest is rescued under its path.
//!
//! A value that its place cannot hold is rescued there and the place is null. Where null is not allowed (tables
//! made by others have such columns), the next place above is rescued as a whole; when that is the record, it
//! does not land at all.

use std::collections::HashMap;

use iceberg::spec::{PrimitiveType, Schema};

use super::elements::Elements;
use super::fit::{Scalar, fit};
use super::inference::Inference;
use super::members::{Entry, claims, entries};
use super::path::Path;
use super::rescued::{Ignored, Rescued, Respelled, Why, full_name, rescued_text};
use super::value::{JsonKind, JsonValue, Member};

mod plan;

pub use plan::LandingError;
use plan::{Column, Kind, Struct};

/// Of one list, at most so many values are rescued one by one; beyond, the list is rescued as a whole. Paths are
/// longer than values, and a hostile record must not fill the memory with them.
const RESCUED_IN_LIST_MAX: usize = 1_000;

/// Of one record, at most so many values are rescued: each takes some hundred bytes beside its own. A struct with more is rescued as
/// a whole, and a record with more does not land.
const RESCUED_MAX: usize = 250_000;

/// A record may fill so many places of columns, and [`PLACES_PER_BYTE`] more for each of its bytes; a list that needs
/// more is rescued as a whole. `[{},{},{}]` would else become thousands of times its size in a wide table. And never more than
/// [`PLACES_MAX`], which take a quarter of a gigabyte: as many as a list of digits has in 16 MiB.
const PLACES_MIN: usize = 1 << 20;
const PLACES_PER_BYTE: usize = 16;
const PLACES_MAX: usize = 8 << 20;

/// How many places the lists of a record of so many bytes may fill.
pub fn list_places_max(record_bytes: usize) -> usize {
    PLACES_MIN.saturating_add(record_bytes.saturating_mul(PLACES_PER_BYTE)).min(PLACES_MAX)
}

/// What becomes of fields that the schema lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are rescued.
    #[default]
    Rescued,
    /// They are left out, and counted.
    Ignored,
}

/// What of a record goes where, prepared for one schema.
#[derive(Clone, Debug)]
pub struct Landing {
    root: Struct,
    unknown_fields: UnknownFields,
}

/// What a column holds in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A single value.
    Scalar(Scalar<'a>),
    /// The fields of a struct, in the order of the schema.
    Struct(Vec<Cell<'a>>),
    /// The elements of a list.
    List(Vec<Cell<'a>>),
    /// The entries of a map.
    Map(Vec<(Scalar<'a>, Cell<'a>)>),
}

/// A record as it lands.
#[derive(Clone, Debug, PartialEq)]
pub struct Landed<'a> {
    /// The columns of the schema, in its order; `_rescued_data` with what was rescued.
    pub cells: Vec<Cell<'a>>,
    /// What was rescued, in the order of the record.
    pub rescued: Vec<Rescued<'a>>,
    /// What was left out.
    pub ignored: Vec<Ignored<'a>>,
    /// What landed in columns that are spelled differently.
    pub respelled: Vec<Respelled>,
}

/// Why a record cannot land.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLanded {
    /// It is JSON, but no object.
    #[error("not an object: the record is {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// More of its values fit no column than are rescued of a record.
    #[error("too much to rescue: more than {RESCUED_MAX} of its values fit no column")]
    TooMuchRescued,
    /// A column that must have a value has none.
    #[error("column `{column}` must have a value: the record has none for it")]
    Missing {
        /// The column's full name.
        column: String,
    },
    /// A column that must have a value cannot hold the one given.
    #[error("column `{column}` must have a value: {value} is no {column_type}")]
    Unfit {
        /// The column's full name.
        column: String,
        /// The column's type.
        column_type: String,
        /// The start of the value's source text.
        value: String,
    },
}

impl Landing {
    /// Prepares for the rows of a schema.
    ///
    /// # Errors
    /// [`LandingError`] when the table has a column `_rescued_data` that cannot hold what is rescued.
    pub fn new(schema: &Schema) -> Result<Self, LandingError> {
        Ok(Self { root: Struct::of_table(schema)?, unknown_fields: UnknownFields::default() })
    }

    /// The same, with another fate of fields that the schema lacks.
    #[must_use]
    pub fn with_unknown_fields(self, unknown_fields: UnknownFields) -> Self {
        Self { unknown_fields, ..self }
    }

    /// Whether the schema has a column for what is rescued; without one it is only reported.
    pub fn has_rescued_data(&self) -> bool {
        self.root.rescued_data.is_some()
    }

    /// Puts a record into the columns. Fields that the schema lacks, and columns that are too narrow, are noted in
    /// `unknown` as well.
    ///
    /// # Errors
    /// [`NotLanded`] when the record is no object, or has no value for a column that must have one.
    pub fn land<'a>(&self, record: &JsonValue<'a>, unknown: &mut Inference) -> Result<Landed<'a>, NotLanded> {
        let JsonKind::Object(members) = &record.kind else {
            return Err(NotLanded::NotAnObject { found: record.kind_text() });
        };
        let mut walk = Walk {
            unknown,
            ignores: self.unknown_fields == UnknownFields::Ignored,
            rescued: Vec::new(),
            ignored: Vec::new(),
            respelled: Vec::new(),
            places_left: list_places_max(record.source.len()),
        };
        let mut cells = walk.members(&self.root, members, &Path::ROOT)?;
        let Walk { mut rescued, ignored, respelled, .. } = walk;
        // All are slices of one line: where they start is their order.
        rescued.sort_by_key(|rescued| rescued.source.as_ptr());
        if let Some(cell) = self.root.rescued_data.and_then(|column| cells.get_mut(column)) {
            *cell = rescued_text(&rescued).map_or(Cell::Null, |text| Cell::Scalar(Scalar::Text(text.into())));
        }
        Ok(Landed { cells, rescued, ignored, respelled })
    }
}

/// Why a value does not land at its place.
enum Unfit {
    /// It is another kind of value than the place holds.
    Value,
    /// Inside it, a place that must have a value has none.
    Inside(NotLanded),
}

impl From<NotLanded> for Unfit {
    fn from(reason: NotLanded) -> Self {
        Self::Inside(reason)
    }
}

struct Walk<'a, 'u> {
    unknown: &'u mut Inference,
    /// Whether fields without a column are left out.
    ignores: bool,
    rescued: Vec<Rescued<'a>>,
    ignored: Vec<Ignored<'a>>,
    respelled: Vec<Respelled>,
    places_left: usize,
}

/// What is known of a value that no column holds.
#[derive(Clone, Copy)]
struct Homeless<'h> {
    /// The full name of its column, or of the one that is missing.
    column: &'h str,
    column_type: Option<&'h str>,
    why: &'h Why,
}

impl<'h> Homeless<'h> {
    fn unfit(column: &'h Column, why: &'h Why) -> Self {
        Self { column: &column.full_name, column_type: Some(&column.type_text), why }
    }
}

impl<'a> Walk<'a, '_> {
    fn members(
        &mut self,
        plan: &Struct,
        members: &[Member<'a>],
        path: &Path<'_>,
    ) -> Result<Vec<Cell<'a>>, NotLanded> {
        let entries = entries(members);
        let winners = claims(&entries, |name| plan.column_of(name.text()?));
        let mut cells = vec![Cell::Null; plan.columns.len()];
        let mut unknown = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            let here = path.member(entry.name);
            let named = entry.name.text().and_then(|name| plan.column_of(name));
            let won = named.filter(|(column, _)| winners.get(column) == Some(&at));
            match won.and_then(|(column, exact)| Some((column, exact, plan.columns.get(column)?))) {
                Some((position, exact, column)) => {
                    if !exact {
                        let (column, spelled) =
                            (column.full_name.clone(), full_name(&plan.full_name, entry.name));
                        self.respelled.push(Respelled { column, spelled });
                    }
                    let cell = self.entry(&entry, exact, column, &here)?;
                    if let Some(slot) = cells.get_mut(position) {
                        *slot = cell;
                    }
                }
                None => {
                    let winner = named.and_then(|(column, _)| plan.columns.get(column));
                    let why = match winner {
                        Some(winner) => Why::Spelling(winner.full_name.clone()),
                        None => Why::NoColumn,
                    };
                    self.outcast(&entry, &plan.full_name, &why, &here);
                    if named.is_none() && !entry.value.is_null() && !plan.is_reserved(entry.name) {
                        unknown.push(entry);
                    }
                }
            }
            if self.rescued.len().max(self.ignored.len()) > RESCUED_MAX {
                return Err(NotLanded::TooMuchRescued);
            }
        }
        if !unknown.is_empty() {
            self.unknown.observe_at(&plan.steps, &unknown);
        }
        for (cell, column) in cells.iter().zip(&plan.columns) {
            if column.required && *cell == Cell::Null {
                return Err(NotLanded::Missing { column: column.full_name.clone() });
            }
        }
        Ok(cells)
    }

    /// A member that has a column. Of repeated names the last value lands, and the earlier ones are rescued.
    fn entry(
        &mut self,
        entry: &Entry<'_, 'a>,
        exact: bool,
        column: &Column,
        path: &Path<'_>,
    ) -> Result<Cell<'a>, NotLanded> {
        let cell = self.place(column, entry.value, path)?;
        let landed = cell.as_ref().is_some_and(|cell| *cell != Cell::Null);
        if landed || entry.is_repeated() {
            self.repeated(entry, landed, exact, Homeless::unfit(column, &Why::Unfit), path);
        } else if cell.is_none() {
            let why = why_unfit(column, entry.value);
            self.rescue(path.to_text(), entry.value, Homeless::unfit(column, &why));
        }
        Ok(cell.unwrap_or(Cell::Null))
    }

    /// A member that has no column, all its values.
    fn outcast(&mut self, entry: &Entry<'_, 'a>, parent: &str, why: &Why, path: &Path<'_>) {
        let column = full_name(parent, entry.name);
        let homeless = Homeless { column: &column, column_type: None, why };
        if entry.is_repeated() {
            self.repeated(entry, false, true, homeless, path);
        } else if !entry.value.is_null() {
            self.rescue(path.to_text(), entry.value, homeless);
        }
    }

    /// Rescues the values of a repeated name. Each path is there once: the first is the plain path, the others
    /// are numbered. A last value that did not land is among them, also when it is null, so that the value in the
    /// column, if there is one, is always the last of the name. When the name is not spelled as its column, the
    /// first is numbered too: the plain path would be that of a second name.
    fn repeated(
        &mut self,
        entry: &Entry<'_, 'a>,
        landed: bool,
        exact: bool,
        homeless: Homeless<'_>,
        path: &Path<'_>,
    ) {
        let last = (!landed).then_some(entry.value);
        for (at, value) in entry.earlier.iter().copied().chain(last).enumerate() {
            let plain = at == 0 && (exact || !landed);
            let path = if plain { path.to_text() } else { format!("{}#{}", path.to_text(), at + 1) };
            self.rescue(path, value, homeless);
        }
    }

    /// What a place holds; None when the value is to be rescued there.
    fn place(
        &mut self,
        column: &Column,
        value: &JsonValue<'a>,
        path: &Path<'_>,
    ) -> Result<Option<Cell<'a>>, NotLanded> {
        if value.is_null() {
            return if column.required {
                Err(NotLanded::Missing { column: column.full_name.clone() })
            } else {
                Ok(Some(Cell::Null))
            };
        }
        let (rescued, ignored) = (self.rescued.len(), self.ignored.len());
        let unfit = match self.value(&column.kind, value, path) {
            Ok(cell) => return Ok(Some(cell)),
            Err(unfit) => unfit,
        };
        if let Some(wider) = wider(column, value) {
            self.unknown.note_widening(column.id, wider);
        }
        // What was rescued or left out inside is a part of the whole that is rescued now.
        self.rescued.truncate(rescued);
        self.ignored.truncate(ignored);
        match unfit {
            _ if !column.required => Ok(None),
            Unfit::Inside(reason) => Err(reason),
            Unfit::Value => Err(NotLanded::Unfit {
                column: column.full_name.clone(),
                column_type: column.type_text.clone(),
                value: value.source.chars().take(100).collect(),
            }),
        }
    }

    fn value(&mut self, kind: &Kind, value: &JsonValue<'a>, path: &Path<'_>) -> Result<Cell<'a>, Unfit> {
        match (kind, &value.kind) {
            (Kind::Scalar(scalar), _) => fit(scalar, value).map(Cell::Scalar).ok_or(Unfit::Value),
            (Kind::Struct(plan), JsonKind::Object(members)) => {
                Ok(Cell::Struct(self.members(plan, members, path)?))
            }
            (Kind::List(element), JsonKind::Array(elements)) => self.list(element, elements, path),
            (Kind::Map(column), JsonKind::Object(members)) => self.map(column, members, path),
            _ => Err(Unfit::Value),
        }
    }

    fn list(
        &mut self,
        element: &Column,
        elements: &Elements<'a>,
        path: &Path<'_>,
    ) -> Result<Cell<'a>, Unfit> {
        let places = elements.len().saturating_mul(element.places);
        self.places_left = self.places_left.checked_sub(places).ok_or(Unfit::Value)?;
        let (mark, ignored) = (self.rescued.len(), self.ignored.len());
        let mut too_many = false;
        let mut cells = Vec::with_capacity(elements.len());
        for (at, value) in elements.iter().enumerate() {
            let here = path.element(at);
            let cell = self.place(element, &value, &here)?;
            if cell.is_none() {
                let why = why_unfit(element, &value);
                self.rescue(here.to_text(), &value, Homeless::unfit(element, &why));
            }
            if self.ignored.len() - ignored > RESCUED_IN_LIST_MAX {
                self.sum_up_ignored(ignored);
            }
            cells.push(cell.unwrap_or(Cell::Null));
            // The rest is still walked, for the fields in it that no column has yet.
            if self.rescued.len() - mark > RESCUED_IN_LIST_MAX {
                too_many = true;
                self.rescued.truncate(mark);
            }
        }
        if too_many { Err(Unfit::Value) } else { Ok(Cell::List(cells)) }
    }

    fn map(&mut self, column: &Column, members: &[Member<'a>], path: &Path<'_>) -> Result<Cell<'a>, Unfit> {
        let mut cells = Vec::with_capacity(members.len());
        for entry in entries(members) {
            let here = path.member(entry.name);
            match entry.name.text() {
                Some(key) => {
                    let cell = self.entry(&entry, true, column, &here)?;
                    cells.push((Scalar::Text(key.to_owned().into()), cell));
                }
                None => self.outcast(&entry, &column.full_name, &Why::Unfit, &here),
            }
        }
        Ok(Cell::Map(cells))
    }

    fn rescue(&mut self, path: String, value: &JsonValue<'a>, homeless: Homeless<'_>) {
        let (source, column) = (value.source, homeless.column.to_owned());
        if self.ignores && *homeless.why == Why::NoColumn {
            self.ignored.push(Ignored { column, values: 1, source });
            return;
        }
        let column_type = homeless.column_type.map(str::to_owned);
        self.rescued.push(Rescued { path, source, column, column_type, why: homeless.why.clone() });
    }

    /// Counts what was left out since a mark by column: of a long list it would be as much as the list.
    fn sum_up_ignored(&mut self, mark: usize) {
        let mut places: HashMap<String, usize> = HashMap::new();
        for one in self.ignored.split_off(mark) {
            match places.get(&one.column).and_then(|at| self.ignored.get_mut(*at)) {
                Some(known) => known.values += one.values,
                None => {
                    places.insert(one.column.clone(), self.ignored.len());
                    self.ignored.push(one);
                }
            }
        }
    }
}

/// The type that a column would need to hold a value which it cannot hold as it is.
fn wider(column: &Column, value: &JsonValue<'_>) -> Option<PrimitiveType> {
    let wider = match column.kind {
        Kind::Scalar(PrimitiveType::Int) => PrimitiveType::Long,
        Kind::Scalar(PrimitiveType::Float) => PrimitiveType::Double,
        _ => return None,
    };
    fit(&wider, value).map(|_| wider)
}

fn why_unfit(column: &Column, value: &JsonValue<'_>) -> Why {
    if wider(column, value).is_some() { Why::Narrow } else { Why::Unfit }
}

#[cfg(test)]
mod tests;
