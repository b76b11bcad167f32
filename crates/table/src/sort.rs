//! In which order a table's rows stand in its files: the text that people write, and Iceberg's sort order.
//!
//! `event_time desc, user_id nulls last` is [`parse`]d without a table, [`bind`] finds its columns in one, and
//! [`to_text`] says in the same words what a table has.

use iceberg::spec::{NullOrder, Schema, SortDirection, SortField, SortOrder, Transform};

use crate::terms::{self, Scanner, Term, TermError};

/// Why a text is no sort order, or not one of a table.
pub type SortError = TermError;

/// One field of a sort order, not yet bound to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortTerm {
    /// The column's full name, as it was written.
    pub column: String,
    /// What is made of the column's value before it is compared.
    pub transform: Transform,
    /// Smallest or largest first.
    pub direction: SortDirection,
    /// Where rows without a value stand.
    pub null_order: NullOrder,
}

/// Reads `event_time desc, bucket(16, user_id), name nulls last`: the terms of [`crate::partition::parse`], each
/// with `asc` (the default) or `desc`, and `nulls first` (the default of `asc`) or `nulls last` (that of `desc`).
///
/// # Errors
/// [`SortError::Syntax`] or [`SortError::Transform`]. No term at all is an error too.
pub fn parse(text: &str) -> Result<Vec<SortTerm>, SortError> {
    Scanner::new(text).list(|scanner, Term { column, transform }| {
        let (direction, null_order) = order(scanner)?;
        Ok(SortTerm { column, transform, direction, null_order })
    })
}

/// The order of a new table: id 1, or Iceberg's unsorted order 0 when there is no term.
///
/// # Errors
/// [`SortError`] for a column that the schema lacks, has in a list or map, or has with a type that the transform
/// cannot take, and for a column that is sorted by twice in the same way.
pub fn bind(terms: &[SortTerm], schema: &Schema) -> Result<SortOrder, SortError> {
    if terms.is_empty() {
        return Ok(SortOrder::unsorted_order());
    }
    let mut builder = SortOrder::builder();
    builder.with_order_id(1);
    let mut seen: Vec<(SortField, String)> = Vec::new();
    for term in terms {
        let source = term.term().resolve(schema)?;
        let field = term.field(source.id);
        let text = field_text(&field, &source.name);
        let repeats = |other: &SortField| (other.source_id, other.transform) == (source.id, term.transform);
        if let Some((_, earlier)) = seen.iter().find(|(other, _)| repeats(other)) {
            return Err(SortError::Duplicate { term: text, earlier: earlier.clone() });
        }
        builder.with_sort_field(field.clone());
        seen.push((field, text));
    }
    builder.build(schema).map_err(|error| SortError::Refused { reason: error.message().to_owned() })
}

/// Whether the terms say what the order does: the same fields in the same order and directions.
pub fn same(terms: &[SortTerm], order: &SortOrder, schema: &Schema) -> bool {
    let wanted: Result<Vec<SortField>, SortError> =
        terms.iter().map(|term| Ok(term.field(term.term().resolve(schema)?.id))).collect();
    wanted.is_ok_and(|wanted| wanted == order.fields)
}

/// The order as [`parse`] reads it, what is the default left out; empty for an unsorted table.
pub fn to_text(order: &SortOrder, schema: &Schema) -> String {
    let texts: Vec<String> = order
        .fields
        .iter()
        .map(|field| field_text(field, &terms::column_name(schema, field.source_id)))
        .collect();
    texts.join(", ")
}

impl SortTerm {
    fn term(&self) -> Term {
        Term { column: self.column.clone(), transform: self.transform }
    }

    fn field(&self, source_id: i32) -> SortField {
        SortField {
            source_id,
            transform: self.transform,
            direction: self.direction,
            null_order: self.null_order,
        }
    }
}

/// Reads `[asc|desc] [nulls first|last]`.
fn order(scanner: &mut Scanner<'_>) -> Result<(SortDirection, NullOrder), SortError> {
    let mut word = scanner.keyword()?;
    let direction = match word.as_deref() {
        Some("desc") => SortDirection::Descending,
        _ => SortDirection::Ascending,
    };
    if matches!(word.as_deref(), Some("asc" | "desc")) {
        word = scanner.keyword()?;
    }
    match word.as_deref() {
        None => return Ok((direction, default_null_order(direction))),
        Some("nulls") => {}
        Some(_) => {
            return Err(scanner.error("`asc`, `desc`, `nulls first` or `nulls last` is expected before"));
        }
    }
    match scanner.keyword()?.as_deref() {
        Some("first") => Ok((direction, NullOrder::First)),
        Some("last") => Ok((direction, NullOrder::Last)),
        _ => Err(scanner.error("`nulls first` or `nulls last` is expected")),
    }
}

fn default_null_order(direction: SortDirection) -> NullOrder {
    match direction {
        SortDirection::Ascending => NullOrder::First,
        SortDirection::Descending => NullOrder::Last,
    }
}

fn field_text(field: &SortField, column: &str) -> String {
    let mut text = terms::term_text(field.transform, column);
    if field.direction == SortDirection::Descending {
        text.push_str(" desc");
    }
    if field.null_order != default_null_order(field.direction) {
        text.push_str(match field.null_order {
            NullOrder::First => " nulls first",
            NullOrder::Last => " nulls last",
        });
    }
    text
}

#[cfg(test)]
mod tests;
