//! INSERT: the rows of a query, made to fit the columns of a table, added in one commit.

mod constant;

use crate::error::{from_change, from_query};
use crate::names::Names;
use crate::{SqlError, code, encode};
use arrow::datatypes::{FieldRef, Schema as ArrowSchema, SchemaRef};
use hosu_change::{Inserted, filled_rows, fits};
use hosu_datafile::WriterSettings;
use hosu_dialect::Insert;
use hosu_query::{Engine, Live, Planned};
use hosu_table::arrow_schema;
use hosu_table::name::nearest;
use std::sync::Arc;

/// Adds the rows. The query that they come from is handed back for its figures.
pub(crate) async fn insert(
    names: Names<'_>,
    engine: &Engine,
    live: &Live,
    settings: WriterSettings,
    insert: &Insert,
) -> Result<(Inserted, Planned), SqlError> {
    let table = names.table(&insert.table).await?;
    let target = Arc::new(arrow_schema::to_arrow(table.schema()));
    let filled = filled_columns(&target, insert)?;
    let query = &insert.query;
    let planned = engine
        .plan_live(names.catalog, names.database, &query.value, live)
        .await
        .map_err(|error| from_query(error, query))?;
    check_types(&target, &filled, &planned).map_err(|error| error.at(query.position))?;
    let rows = planned.stream().map_err(|error| from_query(error, query))?;
    let rows = filled_rows(rows, target, filled);
    let inserted = hosu_change::insert(names.catalog, table, rows, settings)
        .await
        .map_err(|error| from_change(error, query))?;
    Ok((inserted, planned))
}

/// For each column of the query, the column of the table that it fills.
fn filled_columns(target: &SchemaRef, insert: &Insert) -> Result<Vec<usize>, SqlError> {
    if insert.columns.is_empty() {
        return Ok((0..target.fields().len()).collect());
    }
    let mut filled = Vec::new();
    for column in &insert.columns {
        let name = &column.value;
        let lower = name.to_lowercase();
        let Some(at) = target.fields().iter().position(|field| field.name().to_lowercase() == lower) else {
            let near = nearest(name, target.fields().iter().map(|field| field.name().as_str()));
            let message = format!("Insert column name does not exist in target table: {name}");
            return Err(SqlError::new(code::COLUMN_NOT_FOUND, message).nearest(near).at(column.position));
        };
        if filled.contains(&at) {
            let message = format!("Insert column name is specified more than once: {name}");
            return Err(SqlError::new(code::DUPLICATE_COLUMN_NAME, message).at(column.position));
        }
        filled.push(at);
    }
    let missing = |(at, field): &(usize, &FieldRef)| !field.is_nullable() && !filled.contains(at);
    match target.fields().iter().enumerate().find(missing) {
        Some((_, field)) => {
            let message = format!("NULL value not allowed for NOT NULL column: {}", field.name());
            Err(SqlError::new(code::CONSTRAINT_VIOLATION, message).at(insert.table.table.position))
        }
        None => Ok(filled),
    }
}

/// Whether the query's columns are as many as are filled, each of a type that fits.
fn check_types(target: &ArrowSchema, filled: &[usize], planned: &Planned) -> Result<(), SqlError> {
    let schema = planned.schema();
    let wanted: Vec<&FieldRef> = filled.iter().filter_map(|at| target.fields().get(*at)).collect();
    let names = |fields: Vec<&FieldRef>| {
        let types = fields.iter().map(|field| encode::type_name(field.data_type()));
        types.collect::<Vec<_>>().join(", ")
    };
    let differ = |detail: String| {
        let (table, query) = (names(wanted.clone()), names(schema.fields().iter().collect()));
        let message = format!("{detail}. Table: [{table}], Query: [{query}]");
        SqlError::new(code::TYPE_MISMATCH, format!("Insert query has mismatched column types: {message}"))
    };
    if wanted.len() != schema.fields().len() {
        let (has, wants) = (schema.fields().len(), wanted.len());
        return Err(differ(format!("{wants} columns are to be filled, and the query has {has}")));
    }
    for (at, (wanted, given)) in wanted.iter().zip(schema.fields()).enumerate() {
        let constant = constant::is_constant(planned.logical(), at, wanted.data_type());
        if !fits(given.data_type(), wanted.data_type(), constant) {
            let (given, name) = (encode::type_name(given.data_type()), wanted.name());
            let wanted = encode::type_name(wanted.data_type());
            return Err(differ(format!("column '{name}' is {wanted}, and the query gives {given}")));
        }
    }
    Ok(())
}
