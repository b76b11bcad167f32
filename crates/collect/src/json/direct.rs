//! The short way: a record straight from its text into the columns, without a tree of values in between.
//!
//! It knows what usually comes: names as the columns are spelled, in the order of the last record, each once, with values
//! that fit. Whatever else comes, be it an error, is not judged here: the answer is `None`, and the record is taken the
//! plain way, by [`hosu_table::json::parse`] and [`hosu_table::json::Landing`]. So there is one place that decides what
//! lands, and this one must agree with it wherever it answers; tests compare the two on any input.

mod plan;

use hosu_table::json::{
    Cell, Cursor, JsonKind, JsonValue, NESTING_MAX, NumberToken, QuotedText, fit, list_places_max,
};
use iceberg::spec::{PrimitiveType, Schema};

use super::arrays::{Bytes, Column, List};
use crate::contract::Rules;
use plan::{Checked, Kind, Member, Object, Place};

/// After a name that was not foreseen, so many columns behind the last are tried before the name is looked up: fields
/// mostly come in the order of the columns, and some are left out.
const COLUMNS_AHEAD: usize = 8;

/// Names without a column are null so often that records with some of them are usual; with more, they are not.
const STRANGERS_MAX: usize = 8;

/// Puts records of one schema into columns.
#[derive(Debug)]
pub(super) struct Direct {
    root: Object,
    /// How many objects there were.
    objects: u64,
}

impl Direct {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { root: Object::of_table(schema), objects: 0 }
    }

    /// The same, which takes only records that keep a contract. None if it is one that asks for more than can be told of
    /// single places.
    pub(super) fn held_to(schema: &Schema, rules: Rules<'_>) -> Option<Self> {
        let mut direct = Self::new(schema);
        let rules = rules.object().filter(|rules| rules.takes_objects)?;
        direct.root.hold_to(&rules)?;
        Some(direct)
    }

    /// Puts a record into a row of the columns. Tells about how many bytes it takes more than a row of nulls; None when
    /// it is to be taken the plain way, and what was put into that row already is to be taken back.
    pub(super) fn put(&mut self, line: &[u8], row: usize, columns: &mut [Column]) -> Option<usize> {
        let objects = self.objects;
        let list_places_left = list_places_max(line.trim_ascii().len());
        let mut walk = Walk { cursor: Cursor::new(line), bytes: 0, list_places_left, depth: 0, objects };
        walk.cursor.skip_white_space();
        let put = walk.object(&mut self.root, columns, row);
        self.objects = walk.objects;
        put?;
        walk.cursor.skip_white_space();
        walk.cursor.is_at_end().then_some(walk.bytes)
    }
}

/// A record on its way.
struct Walk<'a> {
    cursor: Cursor<'a>,
    bytes: usize,
    /// Elements of lists that may still come, counted with the columns inside.
    list_places_left: usize,
    depth: usize,
    objects: u64,
}

/// What a name means.
enum Named<'a> {
    Member(usize),
    /// No column has the name.
    Stranger(&'a [u8]),
}

impl<'a> Walk<'a> {
    fn object(&mut self, plan: &mut Object, columns: &mut [Column], row: usize) -> Option<()> {
        self.open(b'{')?;
        self.objects += 1;
        let object = self.objects;
        let mut strangers = Strangers::default();
        let mut last: Option<usize> = None;
        let mut has_more = !self.cursor.take(b'}');
        while has_more {
            match self.name(plan, last)? {
                Named::Member(at) => {
                    foresee(plan, last, at);
                    last = Some(at);
                    let (member, column) = (plan.members.get_mut(at)?, columns.get_mut(at)?);
                    // A name that comes again.
                    if std::mem::replace(&mut member.seen, object) == object {
                        return None;
                    }
                    self.value(&mut member.place, column, row)?;
                }
                Named::Stranger(name) if !plan.takes_stranger(name) => return None,
                Named::Stranger(name) => {
                    strangers.add(name)?;
                    self.word(b"null")?;
                }
            }
            has_more = self.cursor.has_more(b'}')?;
        }
        self.depth -= 1;
        let has_all =
            plan.required.iter().all(|at| plan.members.get(*at).is_some_and(|member| member.seen == object));
        has_all.then_some(())
    }

    /// Goes into an array or object.
    fn open(&mut self, bracket: u8) -> Option<()> {
        if self.depth == NESTING_MAX || !self.cursor.take(bracket) {
            return None;
        }
        self.depth += 1;
        self.cursor.skip_white_space();
        Some(())
    }

    /// The name of the next member; the cursor is at its value then.
    #[inline]
    fn name(&mut self, plan: &Object, last: Option<usize>) -> Option<Named<'a>> {
        let foreseen = last.map_or(Some(plan.first), |at| Some(plan.members.get(at)?.next))?;
        let eight = self.cursor.eight();
        if let Some(member) = plan.members.get(foreseen)
            && self.is_named(member, eight)
        {
            return Some(Named::Member(foreseen));
        }
        let ahead = last.map_or(0, |at| at + 1);
        let behind = plan.members.get(ahead..).unwrap_or_default().iter().take(COLUMNS_AHEAD);
        for (at, member) in (ahead..).zip(behind) {
            if self.is_named(member, eight) {
                return Some(Named::Member(at));
            }
        }
        let name = self.cursor.text()?;
        if name.has_escapes {
            return None;
        }
        self.cursor.skip_white_space();
        if !self.cursor.take(b':') {
            return None;
        }
        self.cursor.skip_white_space();
        Some(plan.member_of(name.inner).map_or(Named::Stranger(name.inner), Named::Member))
    }

    /// Goes past the name of a member if it is the next; `eight` are the next bytes.
    #[inline]
    fn is_named(&mut self, member: &Member, eight: u64) -> bool {
        let taken = member.key.may_begin(eight) && self.cursor.take_begun(&member.key.bytes);
        if taken {
            self.cursor.skip_white_space();
        }
        taken
    }

    #[inline]
    fn value(&mut self, place: &mut Place, column: &mut Column, row: usize) -> Option<()> {
        if self.cursor.peek() == Some(b'n') {
            self.word(b"null")?;
            column.put_null(row);
            return (!place.required).then_some(());
        }
        match (&mut place.kind, column) {
            (Kind::Text, Column::Text(column)) => self.text(column, row),
            (Kind::Long, column) => self.long(column, row),
            (Kind::Double, column) => self.double(column, row),
            (Kind::Instant(dates), Column::Micros(column)) => {
                let text = match self.cursor.plain_text() {
                    Some(text) => text,
                    None => self.cursor.text().filter(|text| !text.has_escapes)?.inner,
                };
                column.put(row, dates.instant_us(text)?);
                Some(())
            }
            (Kind::Boolean, Column::Boolean(column)) => {
                let value = self.cursor.peek() == Some(b't');
                column.put(row, value);
                self.word(if value { b"true" } else { b"false" })
            }
            (Kind::Object(plan), Column::Struct(column)) => {
                self.object(plan, &mut column.columns, row)?;
                column.put_filled(row);
                Some(())
            }
            (Kind::List(element), Column::List(column)) => self.list(element, column, row),
            (Kind::Scalar(column_type), column) => self.scalar(column_type, column, row),
            (Kind::Checked(checked), column) => self.checked(checked, column, row),
            _ => None,
        }
    }

    #[inline]
    fn text(&mut self, column: &mut Bytes, row: usize) -> Option<()> {
        if let Some(text) = self.cursor.plain_text() {
            column.put(row, text);
            self.bytes += text.len();
            return Some(());
        }
        self.other_text(column, row)
    }

    #[inline(never)]
    fn other_text(&mut self, column: &mut Bytes, row: usize) -> Option<()> {
        let text = self.cursor.text()?;
        if text.has_escapes {
            let text = text_value(&text)?.text()?;
            column.put(row, text.as_bytes());
            self.bytes += text.len();
        } else {
            column.put(row, text.inner);
            self.bytes += text.inner.len();
        }
        Some(())
    }

    #[inline]
    fn long(&mut self, column: &mut Column, row: usize) -> Option<()> {
        let number = self.cursor.number()?;
        match (number.to_i64(), column) {
            (Some(long), Column::Long(column)) => column.put(row, long),
            (_, column) => self.fit(&PrimitiveType::Long, &number_value(&number)?, column, row)?,
        }
        Some(())
    }

    #[inline]
    fn double(&mut self, column: &mut Column, row: usize) -> Option<()> {
        let number = self.cursor.number()?;
        match (number.to_f64(), column) {
            (Some(double), Column::Double(column)) => column.put(row, double),
            (_, column) => self.fit(&PrimitiveType::Double, &number_value(&number)?, column, row)?,
        }
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.cursor.take_all(word).then_some(())
    }

    fn list(&mut self, element: &mut Place, column: &mut List, row: usize) -> Option<()> {
        self.open(b'[')?;
        let start = column.start();
        let mut end = start;
        let mut has_more = !self.cursor.take(b']');
        while has_more {
            self.list_places_left = self.list_places_left.checked_sub(element.columns)?;
            self.value(element, &mut column.values, end)?;
            end += 1;
            has_more = self.cursor.has_more(b']')?;
        }
        self.depth -= 1;
        self.bytes += (end - start) * column.values.null_bytes();
        column.put_filled(row, end);
        Some(())
    }

    fn scalar(&mut self, column_type: &PrimitiveType, column: &mut Column, row: usize) -> Option<()> {
        let value = match self.cursor.peek()? {
            b'"' => text_value(&self.cursor.text()?)?,
            _ => number_value(&self.cursor.number()?)?,
        };
        self.fit(column_type, &value, column, row)
    }

    #[inline(never)]
    fn checked(&mut self, checked: &mut Checked, column: &mut Column, row: usize) -> Option<()> {
        let mut ahead = self.cursor.clone();
        let rules = &checked.rules;
        let is_kept = match ahead.peek()? {
            b'"' => rules.takes_text(|| Some(ahead.text()?.source)),
            b't' => rules.takes_boolean(true),
            b'f' => rules.takes_boolean(false),
            _ => rules.takes_number(&ahead.number()?),
        };
        if is_kept { self.value(&mut checked.place, column, row) } else { None }
    }

    /// A value in a spelling that is not the usual one.
    fn fit(
        &mut self,
        column_type: &PrimitiveType,
        value: &JsonValue<'_>,
        column: &mut Column,
        row: usize,
    ) -> Option<()> {
        let scalar = fit(column_type, value)?;
        self.bytes += column.put(row, &Cell::Scalar(scalar)).saturating_sub(column.null_bytes());
        Some(())
    }
}

/// Remembers that a member came after another.
#[inline]
fn foresee(plan: &mut Object, last: Option<usize>, at: usize) {
    match last {
        None => plan.first = at,
        Some(last) => {
            if let Some(member) = plan.members.get_mut(last) {
                member.next = at;
            }
        }
    }
}

fn text_value<'a>(text: &QuotedText<'a>) -> Option<JsonValue<'a>> {
    Some(JsonValue { source: std::str::from_utf8(text.source).ok()?, kind: JsonKind::Text })
}

fn number_value<'a>(number: &NumberToken<'a>) -> Option<JsonValue<'a>> {
    Some(JsonValue { source: std::str::from_utf8(number.source).ok()?, kind: JsonKind::Number })
}

/// The names in one object that no column has. What has no column is nothing when it is null, but only once: values of
/// a repeated name are kept.
#[derive(Default)]
struct Strangers<'a> {
    names: [&'a [u8]; STRANGERS_MAX],
    count: usize,
}

impl<'a> Strangers<'a> {
    fn add(&mut self, name: &'a [u8]) -> Option<()> {
        let seen = self.names.get(..self.count)?;
        if seen.contains(&name) {
            return None;
        }
        *self.names.get_mut(self.count)? = name;
        self.count += 1;
        Some(())
    }
}
