//! The words in which people say how a table is partitioned and sorted: `day(event_time), bucket(16, user_id)`.
//!
//! A term is a column, or one transform of a column. Partition specs and sort orders are written with the same
//! terms, so that they are read, resolved against a schema and printed here once. A column is named by its full
//! name (`geo.country`), in any case; what a plain word cannot say stands in quotes or backticks.

use std::iter::Peekable;
use std::str::CharIndices;

use iceberg::spec::{NestedFieldRef, Schema, Transform, Type};

use crate::evolve;
use crate::name::nearest;

/// What a transform can be called; the plural forms are Spark's.
const TRANSFORMS: [&str; 11] =
    ["identity", "bucket", "truncate", "year", "month", "day", "hour", "years", "months", "days", "hours"];

/// The most buckets and the widest truncation: other engines keep the number in a signed `int`.
const NUMBER_MAX: u32 = i32::MAX as u32;

/// Why a text is no list of terms, or the terms do not go with a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// The text cannot be read.
    #[error("cannot read `{text}` at character {at}: {reason}")]
    Syntax {
        /// The whole text.
        text: String,
        /// Where reading stopped, in characters from 1.
        at: usize,
        /// What was expected there.
        reason: String,
    },
    /// There is no such transform.
    #[error(
        "there is no transform `{name}`{}; there are year, month, day, hour, bucket(N, column), \
         truncate(N, column), and a column by itself",
        did_you_mean(.nearest.as_deref())
    )]
    Transform {
        /// The name as given.
        name: String,
        /// The transform that was likely meant.
        nearest: Option<String>,
    },
    /// The table has no such column.
    #[error("there is no column `{column}`{}", did_you_mean(.nearest.as_deref()))]
    Column {
        /// The name as given.
        column: String,
        /// The column that was likely meant.
        nearest: Option<String>,
    },
    /// The column is in a list or a map, so that a row has not one value of it.
    #[error("`{column}` is inside a list or a map: a row has not one value of it")]
    Inside {
        /// The column's full name.
        column: String,
    },
    /// The transform has no meaning for the column's type.
    #[error("`{term}` has no meaning: `{column}` is {column_type}, and {needs}")]
    Type {
        /// The term.
        term: String,
        /// The column's full name.
        column: String,
        /// Its type.
        column_type: String,
        /// What the transform takes.
        needs: &'static str,
    },
    /// Two terms say the same.
    #[error("`{term}` repeats `{earlier}`")]
    Duplicate {
        /// The later term.
        term: String,
        /// The earlier one.
        earlier: String,
    },
    /// The specification does not allow it.
    #[error("not allowed by Iceberg: {reason}")]
    Refused {
        /// What the specification's rules say.
        reason: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}

/// A column or a transform of one, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) column: String,
    pub(crate) transform: Transform,
}

/// A term's column, found.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) id: i32,
    /// The full name, as the schema has it.
    pub(crate) name: String,
}

impl Term {
    /// Finds the column and checks that the transform can be applied to it.
    pub(crate) fn resolve(&self, schema: &Schema) -> Result<Source, TermError> {
        let (name, field) = find_column(&self.column, schema)?;
        if !field.field_type.is_primitive() || self.transform.result_type(&field.field_type).is_err() {
            return Err(TermError::Type {
                term: term_text(self.transform, &name),
                column_type: evolve::type_text(&field.field_type),
                column: name,
                needs: needs(self.transform),
            });
        }
        Ok(Source { id: field.id, name })
    }
}

/// A term as it is written: `bucket(16, user_id)`.
pub(crate) fn term_text(transform: Transform, column: &str) -> String {
    let column = column_text(column);
    match transform {
        Transform::Identity => column,
        Transform::Bucket(number) => format!("bucket({number}, {column})"),
        Transform::Truncate(number) => format!("truncate({number}, {column})"),
        other => format!("{other}({column})"),
    }
}

/// A column's full name by its id; of a column that was dropped, only the id is left.
pub(crate) fn column_name(schema: &Schema, id: i32) -> String {
    schema.name_by_field_id(id).map_or_else(|| format!("dropped column {id}"), str::to_owned)
}

fn column_text(column: &str) -> String {
    if !column.is_empty() && column.chars().all(is_plain) {
        return column.to_owned();
    }
    format!("\"{}\"", column.replace('"', "\"\""))
}

fn is_plain(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, ',' | '(' | ')' | '"' | '`')
}

fn needs(transform: Transform) -> &'static str {
    match transform {
        Transform::Year | Transform::Month | Transform::Day => "it needs a date or a timestamp",
        Transform::Hour => "it needs a timestamp",
        Transform::Truncate(_) => "it needs text, bytes, whole numbers or decimals",
        Transform::Bucket(_) => "it needs text, bytes, whole numbers, decimals, dates, times or uuids",
        _ => "it needs a single value",
    }
}

fn find_column(column: &str, schema: &Schema) -> Result<(String, NestedFieldRef), TermError> {
    let mut columns = Vec::new();
    collect_columns(schema.as_struct().fields(), "", &mut columns);
    let lower = column.to_lowercase();
    let found = columns
        .iter()
        .position(|(name, _)| name == column)
        .or_else(|| columns.iter().position(|(name, _)| name.to_lowercase() == lower));
    if let Some(found) = found {
        return Ok(columns.swap_remove(found));
    }
    if schema.field_by_name_case_insensitive(column).is_some() {
        return Err(TermError::Inside { column: column.to_owned() });
    }
    let leaves = columns.iter().filter(|(_, field)| field.field_type.is_primitive());
    // `country` where `geo.country` is meant is further from it than any misspelling.
    let by_last_name = leaves.clone().find(|(_, field)| field.name.to_lowercase() == lower);
    let nearest = by_last_name
        .map(|(name, _)| name.as_str())
        .or_else(|| nearest(column, leaves.map(|(name, _)| name.as_str())));
    Err(TermError::Column { column: column.to_owned(), nearest: nearest.map(str::to_owned) })
}

/// All columns of which a row has one value: fields of structs, however deep, but not of lists and maps.
fn collect_columns(fields: &[NestedFieldRef], parent: &str, columns: &mut Vec<(String, NestedFieldRef)>) {
    for field in fields {
        let name = if parent.is_empty() { field.name.clone() } else { format!("{parent}.{}", field.name) };
        columns.push((name.clone(), field.clone()));
        if let Type::Struct(inside) = field.field_type.as_ref() {
            collect_columns(inside.fields(), &name, columns);
        }
    }
}

/// Reads terms from a text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

/// A word, and whether any of it was quoted: quoted words are never transforms, numbers or keywords.
struct Word {
    text: String,
    quoted: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, rest: text.char_indices().peekable() }
    }

    /// Reads terms up to the end of the text; after each, `after` reads what may follow it.
    pub(crate) fn list<T>(
        mut self,
        mut after: impl FnMut(&mut Self, Term) -> Result<T, TermError>,
    ) -> Result<Vec<T>, TermError> {
        let mut terms = Vec::new();
        loop {
            let term = self.term()?;
            terms.push(after(&mut self, term)?);
            match self.peek() {
                None => return Ok(terms),
                Some(',') => self.skip(),
                Some(_) => return Err(self.error("a comma or the end is expected")),
            }
        }
    }

    /// The next word in lower case, if one stands here that is not quoted.
    pub(crate) fn keyword(&mut self) -> Result<Option<String>, TermError> {
        match self.peek() {
            Some(c) if is_plain(c) => Ok(Some(self.word()?.text.to_lowercase())),
            _ => Ok(None),
        }
    }

    pub(crate) fn error(&mut self, reason: &str) -> TermError {
        let byte = self.rest.peek().map_or(self.text.len(), |(byte, _)| *byte);
        let at = self.text.get(..byte).map_or(0, |before| before.chars().count()) + 1;
        TermError::Syntax { text: self.text.to_owned(), at, reason: reason.to_owned() }
    }

    fn term(&mut self) -> Result<Term, TermError> {
        let word = self.word()?;
        if word.quoted || self.peek() != Some('(') {
            return Ok(Term { column: word.text, transform: Transform::Identity });
        }
        let transform = self.transform(&word.text)?;
        let column = self.word()?.text;
        self.expect(')')?;
        Ok(Term { column, transform })
    }

    /// Reads from the parenthesis on to where the column stands.
    fn transform(&mut self, name: &str) -> Result<Transform, TermError> {
        let lower = name.to_lowercase();
        if !TRANSFORMS.contains(&lower.as_str()) {
            let nearest = nearest(&lower, TRANSFORMS).map(str::to_owned);
            return Err(TermError::Transform { name: name.to_owned(), nearest });
        }
        self.expect('(')?;
        Ok(match lower.as_str() {
            "bucket" => Transform::Bucket(self.number(&lower)?),
            "truncate" => Transform::Truncate(self.number(&lower)?),
            "year" | "years" => Transform::Year,
            "month" | "months" => Transform::Month,
            "day" | "days" => Transform::Day,
            "hour" | "hours" => Transform::Hour,
            _ => Transform::Identity,
        })
    }

    fn number(&mut self, transform: &str) -> Result<u32, TermError> {
        let mut before = Self { text: self.text, rest: self.rest.clone() };
        let wanted = format!("a number from 1 to {NUMBER_MAX} stands first: {transform}(16, column)");
        let word = self.word()?;
        let digits = !word.quoted && word.text.chars().all(|c| c.is_ascii_digit());
        let number =
            word.text.parse::<u32>().ok().filter(|number| digits && (1..=NUMBER_MAX).contains(number));
        let Some(number) = number else {
            before.peek();
            return Err(before.error(&wanted));
        };
        self.expect(',')?;
        Ok(number)
    }

    fn word(&mut self) -> Result<Word, TermError> {
        self.peek();
        let mut word = Word { text: String::new(), quoted: false };
        while let Some((_, c)) = self.rest.peek().copied() {
            if matches!(c, '"' | '`') {
                self.quoted(c, &mut word.text)?;
                word.quoted = true;
            } else if is_plain(c) {
                word.text.push(c);
                self.skip();
            } else {
                break;
            }
        }
        if word.text.is_empty() {
            return Err(self.error("a column is expected"));
        }
        Ok(word)
    }

    fn quoted(&mut self, quote: char, text: &mut String) -> Result<(), TermError> {
        self.skip();
        while let Some((_, c)) = self.rest.next() {
            if c != quote {
                text.push(c);
            } else if self.rest.peek().is_some_and(|(_, next)| *next == quote) {
                text.push(c);
                self.skip();
            } else {
                return Ok(());
            }
        }
        Err(self.error("the quote is not closed"))
    }

    fn expect(&mut self, wanted: char) -> Result<(), TermError> {
        if self.peek() == Some(wanted) {
            self.skip();
            return Ok(());
        }
        Err(self.error(&format!("`{wanted}` is expected")))
    }

    /// The next character that is not a space.
    pub(crate) fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, c)| *c)
    }

    fn skip(&mut self) {
        self.rest.next();
    }
}
