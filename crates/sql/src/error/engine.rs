//! The engine's errors to Trino's codes. Some of them the engine tells by their words only, so its words are looked at here,
//! and nowhere else; what is not recognised is `GENERIC_USER_ERROR`.

use super::{SqlError, code, place};
use hosu_catalog::CatalogError;
use hosu_change::ChangeError;
use hosu_datafile::DataFileError;
use hosu_dialect::At;
use hosu_query::QueryError;

/// An error of planning or running a query, at its place in the whole text.
pub fn from_query(error: QueryError, query: &At<String>) -> SqlError {
    let place = error.position().map(|place| (narrow(place.line), narrow(place.column)));
    let name = name_at_fault(&error);
    let place = place.or_else(|| place::find_name(&query.value, &name?));
    // What the parser misses without a place, it misses at the end.
    let at_end = matches!(error, QueryError::Syntax { .. }) && place.is_none();
    let error = told(error);
    if at_end {
        return error.at(query.position.after(&query.value));
    }
    match place {
        Some((line, column)) => error.at_place(Some(query.position.within(line, column))),
        None => error,
    }
}

/// An error of adding the rows of a query to a table.
pub(crate) fn from_change(error: ChangeError, query: &At<String>) -> SqlError {
    match error {
        ChangeError::Query(error) => from_query(error, query),
        ChangeError::Catalog(error) => error.into(),
        ChangeError::Columns { .. } => SqlError::new(code::TYPE_MISMATCH, error.to_string()),
        ChangeError::Null { column, .. } => {
            let message = format!("NULL value not allowed for NOT NULL column: {column}");
            SqlError::new(code::CONSTRAINT_VIOLATION, message)
        }
        ChangeError::Location { .. } => {
            SqlError::new(code::ICEBERG_INVALID_METADATA, super::catalog::chain(&error))
        }
        ChangeError::DataFile(DataFileError::Store(error)) => CatalogError::Store(error).into(),
        ChangeError::DataFile(error) => {
            SqlError::new(code::ICEBERG_FILESYSTEM_ERROR, super::catalog::chain(&error))
        }
    }
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The name to look for in the query when the engine does not say where it is.
fn name_at_fault(error: &QueryError) -> Option<String> {
    let name = match error {
        QueryError::CatalogNotFound { name, .. }
        | QueryError::DatabaseNotFound { name, .. }
        | QueryError::TableNotFound { name, .. }
        | QueryError::ColumnNotFound { name, .. }
        | QueryError::ColumnAmbiguous { name, .. }
        | QueryError::FunctionNotFound { name, .. } => name,
        QueryError::Invalid { message, .. } => function_of(message)?,
        _ => return None,
    };
    name.rsplit('.').next().map(str::to_owned)
}

fn told(error: QueryError) -> SqlError {
    match error {
        QueryError::Syntax { message, .. } => SqlError::new(code::SYNTAX_ERROR, message),
        QueryError::Unsupported { .. } => SqlError::not_supported(error.to_string()),
        QueryError::CatalogNotFound { name, .. } => {
            SqlError::new(code::CATALOG_NOT_FOUND, format!("Catalog '{name}' does not exist"))
        }
        QueryError::DatabaseNotFound { name, .. } => {
            SqlError::new(code::SCHEMA_NOT_FOUND, format!("Database '{name}' does not exist"))
        }
        QueryError::TableNotFound { name, nearest, .. } => {
            SqlError::new(code::TABLE_NOT_FOUND, format!("Table '{name}' does not exist")).nearest(nearest)
        }
        QueryError::ColumnNotFound { name, nearest, .. } => {
            SqlError::new(code::COLUMN_NOT_FOUND, format!("Column '{name}' cannot be resolved"))
                .nearest(nearest)
        }
        QueryError::ColumnAmbiguous { name, .. } => {
            SqlError::new(code::AMBIGUOUS_NAME, format!("Column '{name}' is ambiguous"))
        }
        QueryError::FunctionNotFound { name, nearest, .. } => {
            SqlError::new(code::FUNCTION_NOT_FOUND, format!("Function '{name}' not registered"))
                .nearest(nearest)
        }
        QueryError::Invalid { message, .. } => of_plan(&message),
        QueryError::Failed { message } => of_run(&message),
        QueryError::TableUnreadable { .. } => SqlError::not_supported(error.to_string()),
        QueryError::NotRowWise(_) => SqlError::not_supported(error.to_string()),
        QueryError::ScanTooLarge { .. } => SqlError::new(code::EXCEEDED_SCAN_LIMIT, error.to_string()),
        QueryError::Memory { .. } => SqlError::new(code::EXCEEDED_LOCAL_MEMORY_LIMIT, error.to_string()),
        QueryError::ValueTooLarge { .. } => SqlError::new(code::INVALID_FUNCTION_ARGUMENT, error.to_string()),
        QueryError::Store { message } => SqlError::new(code::ICEBERG_FILESYSTEM_ERROR, message),
        QueryError::Catalog(error) => error.into(),
    }
}

/// What planning refuses, by its words.
fn of_plan(message: &str) -> SqlError {
    let message = clean(message);
    let code = if function_of(message).is_some() {
        // Its name is known, its form for these arguments is not: Trino tells both alike.
        code::FUNCTION_NOT_FOUND
    } else if contains_any(message, &["must appear in the GROUP BY", "must be part of an aggregate"]) {
        code::EXPRESSION_NOT_AGGREGATE
    } else if contains_any(
        message,
        &[
            "coerce",
            "to valid types",
            "Cannot infer common",
            "Inconsistent data length across values",
            "incompatible",
            "must be boolean",
            "boolean type",
            "different types",
        ],
    ) {
        code::TYPE_MISMATCH
    } else if contains_any(message, &["regex parse error", "ranularity"]) {
        code::INVALID_FUNCTION_ARGUMENT
    } else if contains_any(message, &["unique expression names", "duplicate", "Duplicate"]) {
        code::DUPLICATE_COLUMN_NAME
    } else if contains_any(message, &["not supported", "nsupported", "not implemented"]) {
        code::NOT_SUPPORTED
    } else {
        // A constant is computed while planning: what can go wrong while running can go wrong here.
        return of_run(message);
    };
    SqlError::new(code, message)
}

/// The function that has no form for its arguments.
fn function_of(message: &str) -> Option<&str> {
    between(message, "given name and argument types '", "(")
        .or_else(|| between(message, "satisfy a call to '", "'"))
        .or_else(|| between(message, "Function '", "' failed to match any signature"))
        .or_else(|| between(message, "Function '", "' user-defined coercion failed"))
}

/// What went wrong with a value, by the words.
fn of_run(message: &str) -> SqlError {
    let message = clean(message);
    let code = if contains_any(message, &["ivide by zero", "ivision by zero"]) {
        return SqlError::new(code::DIVISION_BY_ZERO, "Division by zero");
    } else if message.contains("returned more than one row") {
        code::SUBQUERY_MULTIPLE_ROWS
    } else if contains_any(message, &["verflow", "out of range", "too large to store", "Can't cast value"]) {
        code::NUMERIC_VALUE_OUT_OF_RANGE
    } else if contains_any(
        message,
        &["rror parsing", "annot cast", "annot parse", "Cast error", "not have the same length"],
    ) {
        code::INVALID_CAST_ARGUMENT
    } else if message.contains("regex parse error") {
        code::INVALID_FUNCTION_ARGUMENT
    } else {
        code::GENERIC_USER_ERROR
    };
    SqlError::new(code, message)
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(between, _)| between)
}

fn contains_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// A message without the engine's back trace, and without its request to report a bug that may be none.
fn clean(message: &str) -> &str {
    let message = message.split("\n\nbacktrace: ").next().unwrap_or_default();
    message.split("\nThis issue was likely caused by").next().unwrap_or_default().trim()
}
