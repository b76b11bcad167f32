//! One record into the columns of a schema: what fits lands, the rest is rescued under its path.
//!
//! A value that its place cannot hold is rescued there and the place is null. Where null is not allowed (tables
//! made by others have such columns), the next place above is rescued as a whole; when that is the record, it
//! does not land at all.

use iceberg::spec::Schema;

use super::fit::{Scalar, fit};
use super::inference::Inference;
use super::members::{Entry, claims, entries};
use super::path::Path;
use super::rescued::{Rescued, full_name, rescued_text};
use super::value::{JsonKind, JsonValue, Member};

mod plan;

pub use plan::LandingError;
use plan::{Column, Kind, Struct};

/// Of one list, at most so many values are rescued one by one; beyond, the list is rescued as a whole. Paths are
/// longer than values, and a hostile record must not fill the memory with them.
const RESCUED_IN_LIST_MAX: usize = 1_000;

/// A record may fill so many places of columns, and [`PLACES_PER_BYTE`] more for each of its bytes; a list that needs
/// more is rescued as a whole. `[{},{},{}]` would else become thousands of times its size in a wide table.
const PLACES_MIN: usize = 1 << 20;
const PLACES_PER_BYTE: usize = 16;

/// What of a record goes where, prepared for one schema.
#[derive(Clone, Debug)]
pub struct Landing {
    root: Struct,
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
        Ok(Self { root: Struct::of_table(schema)? })
    }

    /// Whether the schema has a column for what is rescued; without one it is only reported.
    pub fn has_rescued_data(&self) -> bool {
        self.root.rescued_data.is_some()
    }

    /// Puts a record into the columns. Fields that the schema lacks are counted in `unknown` as well as rescued.
    ///
    /// # Errors
    /// [`NotLanded`] when the record is no object, or has no value for a column that must have one.
    pub fn land<'a>(&self, record: &JsonValue<'a>, unknown: &mut Inference) -> Result<Landed<'a>, NotLanded> {
        let JsonKind::Object(members) = &record.kind else {
            return Err(NotLanded::NotAnObject { found: record.kind_text() });
        };
        let places_left = PLACES_MIN.saturating_add(record.source.len().saturating_mul(PLACES_PER_BYTE));
        let mut walk = Walk { unknown, rescued: Vec::new(), places_left };
        let mut cells = walk.members(&self.root, members, &Path::ROOT)?;
        let mut rescued = walk.rescued;
        // All are slices of one line: where they start is their order.
        rescued.sort_by_key(|rescued| rescued.source.as_ptr());
        if let Some(cell) = self.root.rescued_data.and_then(|column| cells.get_mut(column)) {
            *cell = rescued_text(&rescued).map_or(Cell::Null, |text| Cell::Scalar(Scalar::Text(text.into())));
        }
        Ok(Landed { cells, rescued })
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
    rescued: Vec<Rescued<'a>>,
    places_left: usize,
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
                    let cell = self.entry(&entry, exact, column, &here)?;
                    if let Some(slot) = cells.get_mut(position) {
                        *slot = cell;
                    }
                }
                None => {
                    self.outcast(&entry, &plan.full_name, &here);
                    if named.is_none() && !entry.value.is_null() && !plan.is_reserved(entry.name) {
                        unknown.push(entry);
                    }
                }
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
            self.repeated(entry, landed, exact, &column.full_name, Some(&column.type_text), path);
        } else if cell.is_none() {
            self.rescue(path.to_text(), entry.value, &column.full_name, Some(&column.type_text));
        }
        Ok(cell.unwrap_or(Cell::Null))
    }

    /// A member that has no column, all its values.
    fn outcast(&mut self, entry: &Entry<'_, 'a>, parent: &str, path: &Path<'_>) {
        if entry.is_repeated() {
            self.repeated(entry, false, true, &full_name(parent, entry.name), None, path);
        } else if !entry.value.is_null() {
            self.rescue(path.to_text(), entry.value, &full_name(parent, entry.name), None);
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
        column: &str,
        column_type: Option<&str>,
        path: &Path<'_>,
    ) {
        let last = (!landed).then_some(entry.value);
        for (at, value) in entry.earlier.iter().copied().chain(last).enumerate() {
            let plain = at == 0 && (exact || !landed);
            let path = if plain { path.to_text() } else { format!("{}#{}", path.to_text(), at + 1) };
            self.rescue(path, value, column, column_type);
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
        let mark = self.rescued.len();
        let unfit = match self.value(&column.kind, value, path) {
            Ok(cell) => return Ok(Some(cell)),
            Err(unfit) => unfit,
        };
        // What was rescued inside is a part of the whole that is rescued now.
        self.rescued.truncate(mark);
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
        elements: &[JsonValue<'a>],
        path: &Path<'_>,
    ) -> Result<Cell<'a>, Unfit> {
        let places = elements.len().saturating_mul(element.places);
        self.places_left = self.places_left.checked_sub(places).ok_or(Unfit::Value)?;
        let mark = self.rescued.len();
        let mut too_many = false;
        let mut cells = Vec::with_capacity(elements.len());
        for (at, value) in elements.iter().enumerate() {
            let here = path.element(at);
            let cell = self.place(element, value, &here)?;
            if cell.is_none() {
                self.rescue(here.to_text(), value, &element.full_name, Some(&element.type_text));
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
                None => self.outcast(&entry, &column.full_name, &here),
            }
        }
        Ok(Cell::Map(cells))
    }

    fn rescue(&mut self, path: String, value: &JsonValue<'a>, column: &str, column_type: Option<&str>) {
        self.rescued.push(Rescued {
            path,
            source: value.source,
            column: column.to_owned(),
            column_type: column_type.map(str::to_owned),
        });
    }
}

#[cfg(test)]
mod tests;
