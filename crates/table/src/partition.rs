//! How a table's rows are divided into partitions: the text that people write, and Iceberg's partition spec.
//!
//! `day(event_time), bucket(16, user_id)` is [`parse`]d without a table, [`bind`] finds its columns in one, and
//! [`to_text`] says in the same words what a table has, so that both can be compared and shown.

use std::collections::HashSet;
use std::sync::Arc;

use iceberg::spec::{PartitionSpec, Schema, Transform, UnboundPartitionField};

use crate::terms::{self, Scanner, Term, TermError};

/// Why a text is no partitioning, or not one of a table.
pub type PartitionError = TermError;

/// One field of a partitioning, not yet bound to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionTerm {
    /// The column's full name, as it was written.
    pub column: String,
    /// What is made of the column's value.
    pub transform: Transform,
}

/// Reads `day(event_time), bucket(16, user_id), geo.country`: columns by their full names, or transforms of
/// them (`identity`, `bucket(N, …)`, `truncate(N, …)`, `year`, `month`, `day`, `hour`, these also in plural).
///
/// # Errors
/// [`PartitionError::Syntax`] or [`PartitionError::Transform`]. No term at all is an error too.
pub fn parse(text: &str) -> Result<Vec<PartitionTerm>, PartitionError> {
    Scanner::new(text)
        .list(|_, Term { column, transform }: Term| Ok::<_, TermError>(PartitionTerm { column, transform }))
}

/// The spec of a new table: id 0, field ids from 1000, names as Iceberg's own builders give them
/// (`event_time_day`, `user_id_bucket`, `name_trunc`, and the column's own name for its value).
///
/// Where such a name is a column's already, or would be no name in Avro (a nested or a Korean column), a similar
/// one is taken: the names of partition fields are also names in each manifest.
///
/// # Errors
/// [`PartitionError`] for a column that the schema lacks, has in a list or map, or has with a type that the
/// transform cannot take, and for a term that repeats another.
pub fn bind(terms: &[PartitionTerm], schema: &Schema) -> Result<PartitionSpec, PartitionError> {
    let mut builder = PartitionSpec::builder(Arc::new(schema.clone())).with_spec_id(0);
    let mut names = HashSet::new();
    let mut seen: Vec<(i32, String, String)> = Vec::new();
    for term in terms {
        let source = term.term().resolve(schema)?;
        let text = terms::term_text(term.transform, &source.name);
        // Year and day of one column say the same twice: Iceberg calls both "time".
        let kind = term.transform.dedup_name();
        if let Some((_, _, earlier)) = seen.iter().find(|(id, other, _)| (*id, other) == (source.id, &kind)) {
            return Err(PartitionError::Duplicate { term: text, earlier: earlier.clone() });
        }
        let name = free_name(&source.name, term.transform, |name| {
            let own = term.transform == Transform::Identity && name == source.name;
            !names.contains(name) && (own || schema.field_by_name_case_insensitive(name).is_none())
        });
        names.insert(name.clone());
        seen.push((source.id, kind, text));
        let field =
            UnboundPartitionField { source_id: source.id, field_id: None, name, transform: term.transform };
        builder = builder.add_unbound_field(field).map_err(refused)?;
    }
    builder.build().map_err(refused)
}

/// Whether the terms say what the spec does: the same transforms of the same columns in the same order, whatever
/// the partition fields are called. Fields that only old rows have (`void`) do not count.
pub fn same(terms: &[PartitionTerm], spec: &PartitionSpec, schema: &Schema) -> bool {
    let wanted: Result<Vec<(i32, Transform)>, PartitionError> =
        terms.iter().map(|term| Ok((term.term().resolve(schema)?.id, term.transform))).collect();
    let live = spec.fields().iter().filter(|field| field.transform != Transform::Void);
    let found: Vec<(i32, Transform)> = live.map(|field| (field.source_id, field.transform)).collect();
    wanted.is_ok_and(|wanted| wanted == found)
}

/// One term as it is written: `day(event_time)`, the column's name in quotes where it needs them.
pub fn term_text(transform: Transform, column: &str) -> String {
    terms::term_text(transform, column)
}

/// The spec as [`parse`] reads it; empty for a table without partitions.
pub fn to_text(spec: &PartitionSpec, schema: &Schema) -> String {
    let live = spec.fields().iter().filter(|field| field.transform != Transform::Void);
    let texts: Vec<String> = live
        .map(|field| terms::term_text(field.transform, &terms::column_name(schema, field.source_id)))
        .collect();
    texts.join(", ")
}

impl PartitionTerm {
    fn term(&self) -> Term {
        Term { column: self.column.clone(), transform: self.transform }
    }
}

/// The first name that is free: `event_time_day`, else `event_time_day_2`, and so on.
fn free_name(column: &str, transform: Transform, is_free: impl Fn(&str) -> bool) -> String {
    let suffix = match transform {
        Transform::Bucket(_) => "_bucket".to_owned(),
        Transform::Truncate(_) => "_trunc".to_owned(),
        Transform::Identity => String::new(),
        other => format!("_{other}"),
    };
    let name = format!("{}{suffix}", avro_name(column));
    let more = (2_u32..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(more).find(|name| is_free(name)).unwrap_or(name)
}

/// A name in Avro is made of ASCII letters, digits and `_`. Other characters are written as Iceberg's Java
/// library does where it writes manifests; the dot of a nested column becomes `_`, to be readable.
fn avro_name(column: &str) -> String {
    let mut name = String::with_capacity(column.len());
    for (at, c) in column.chars().enumerate() {
        match c {
            '0'..='9' if at == 0 => name.extend(['_', c]),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => name.push(c),
            '.' => name.push('_'),
            other => name.push_str(&format!("_x{:X}", u32::from(other))),
        }
    }
    name
}

fn refused(error: iceberg::Error) -> PartitionError {
    PartitionError::Refused { reason: error.message().to_owned() }
}

#[cfg(test)]
mod tests;
