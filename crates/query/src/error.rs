//! What can go wrong with a query, told with the place in its text where that is known.

use std::fmt;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError, Spans};
use hosu_catalog::CatalogError;
use hosu_table::name;

use crate::bound::NotRowWise;

/// A place in the text of a statement; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The character in the line.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// An error of a query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is no SQL.
    #[error("{message}")]
    Syntax {
        /// What was expected, what was found.
        message: String,
        /// Where.
        position: Option<Position>,
    },
    /// SQL that is not done here.
    #[error("{what} is not supported")]
    Unsupported {
        /// The statement or its part.
        what: String,
        /// Where.
        position: Option<Position>,
    },
    /// No such catalog.
    #[error("there is no catalog {name}")]
    CatalogNotFound {
        /// The name as it was looked for.
        name: String,
        /// Where it is written.
        position: Option<Position>,
    },
    /// No such database.
    #[error("there is no database {name}")]
    DatabaseNotFound {
        /// The name as it was looked for.
        name: String,
        /// Where it is written.
        position: Option<Position>,
    },
    /// No such table.
    #[error("there is no table {name}{}", did_you_mean(nearest))]
    TableNotFound {
        /// The name as it was looked for.
        name: String,
        /// The table that was most likely meant.
        nearest: Option<String>,
        /// Where it is written.
        position: Option<Position>,
    },
    /// No such column, or field of a struct.
    #[error("there is no column {name}{}", did_you_mean(nearest))]
    ColumnNotFound {
        /// The name as it was looked for.
        name: String,
        /// The column that was most likely meant.
        nearest: Option<String>,
        /// Where it is written.
        position: Option<Position>,
    },
    /// More than one table has such a column.
    #[error("column {name} is ambiguous: write the table in front of it")]
    ColumnAmbiguous {
        /// The name.
        name: String,
        /// Where it is written.
        position: Option<Position>,
    },
    /// No such function.
    #[error("there is no function {name}{}", did_you_mean(nearest))]
    FunctionNotFound {
        /// The name.
        name: String,
        /// The function that was most likely meant.
        nearest: Option<String>,
        /// Where it is written.
        position: Option<Position>,
    },
    /// The statement makes no sense: types that do not fit, a column that is not grouped.
    #[error("{message}")]
    Invalid {
        /// Why.
        message: String,
        /// Where.
        position: Option<Position>,
    },
    /// A table that is there but cannot be read.
    #[error("table {table} cannot be read: {reason}")]
    TableUnreadable {
        /// The table.
        table: String,
        /// Why.
        reason: String,
    },
    /// The statement was to be computed from new rows, and cannot be.
    #[error(transparent)]
    NotRowWise(#[from] NotRowWise),
    /// The statement would read more than is allowed.
    #[error("the statement would read up to {bytes} bytes, and {bytes_max} are allowed")]
    ScanTooLarge {
        /// What it would read.
        bytes: u64,
        /// What it may.
        bytes_max: u64,
    },
    /// The memory that queries may use is not enough, even with spilling.
    #[error("not enough memory: {message}")]
    Memory {
        /// Who wanted how much.
        message: String,
    },
    /// A function would make more than it may.
    #[error("{function} would make {what} of {bytes} bytes, and {bytes_max} are allowed")]
    ValueTooLarge {
        /// The function.
        function: String,
        /// What would be so large.
        what: &'static str,
        /// What it would have.
        bytes: u64,
        /// What it may.
        bytes_max: u64,
    },
    /// A file could not be read.
    #[error("{message}")]
    Store {
        /// Which, and why.
        message: String,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It failed while it ran: a division by zero, a cast of what does not fit.
    #[error("{message}")]
    Failed {
        /// Why.
        message: String,
    },
}

impl QueryError {
    /// Where in the statement it is.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { position, .. }
            | Self::Unsupported { position, .. }
            | Self::CatalogNotFound { position, .. }
            | Self::DatabaseNotFound { position, .. }
            | Self::TableNotFound { position, .. }
            | Self::ColumnNotFound { position, .. }
            | Self::ColumnAmbiguous { position, .. }
            | Self::FunctionNotFound { position, .. }
            | Self::Invalid { position, .. } => *position,
            _ => None,
        }
    }

    /// The same error at this place, if it does not know its own.
    fn at(mut self, place: Option<Position>) -> Self {
        match &mut self {
            Self::Syntax { position, .. }
            | Self::Unsupported { position, .. }
            | Self::ColumnNotFound { position, .. }
            | Self::ColumnAmbiguous { position, .. }
            | Self::FunctionNotFound { position, .. }
            | Self::Invalid { position, .. } => *position = position.or(place),
            _ => {}
        }
        self
    }
}

/// From an error that comes while a statement is planned.
pub(crate) fn plan_error(error: DataFusionError) -> QueryError {
    translate(error, Phase::Plan)
}

/// From an error that comes out of a result's stream.
pub fn run_error(error: DataFusionError) -> QueryError {
    translate(error, Phase::Run)
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Plan,
    Run,
}

fn translate(error: DataFusionError, phase: Phase) -> QueryError {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let place = diagnostic.span.and_then(|span| position(span.start.line, span.start.column));
            translate(*inner, phase).at(place)
        }
        DataFusionError::Context(_, inner) => translate(*inner, phase),
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => translate(first, phase),
            None => QueryError::Failed { message: "several errors".to_owned() },
        },
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(error) => translate(error, phase),
            Err(shared) => plain(shared.message().into_owned(), phase),
        },
        DataFusionError::External(error) => match error.downcast::<QueryError>() {
            Ok(error) => *error,
            Err(error) => external(error, phase),
        },
        DataFusionError::ArrowError(error, _) => arrow(*error, phase),
        DataFusionError::SQL(error, _) => syntax(&error.to_string()),
        DataFusionError::SchemaError(error, _) => schema(*error),
        DataFusionError::NotImplemented(what) => QueryError::Unsupported { what, position: None },
        DataFusionError::ResourcesExhausted(message) => QueryError::Memory { message },
        DataFusionError::ObjectStore(error) => store(error.as_ref()),
        DataFusionError::ParquetError(error) => store(error.as_ref()),
        DataFusionError::IoError(error) => QueryError::Store { message: error.to_string() },
        DataFusionError::Plan(message) => plan(message),
        DataFusionError::Execution(message) => plain(message, phase),
        other => plain(other.strip_backtrace(), phase),
    }
}

fn store(error: &(dyn std::error::Error + 'static)) -> QueryError {
    match hosu_host::StoreError::of_s3(error) {
        Some(told) => QueryError::Catalog(CatalogError::Store(told)),
        None => QueryError::Store { message: error.to_string() },
    }
}

fn external(error: Box<dyn std::error::Error + Send + Sync>, phase: Phase) -> QueryError {
    match error.downcast::<DataFusionError>() {
        Ok(error) => translate(*error, phase),
        Err(error) => plain(error.to_string(), phase),
    }
}

fn arrow(error: ArrowError, phase: Phase) -> QueryError {
    match error {
        ArrowError::ExternalError(error) => external(error, phase),
        ArrowError::DivideByZero => QueryError::Failed { message: "division by zero".to_owned() },
        ArrowError::ComputeError(message)
        | ArrowError::CastError(message)
        | ArrowError::ParseError(message)
        | ArrowError::ArithmeticOverflow(message)
        | ArrowError::InvalidArgumentError(message) => plain(message, phase),
        other => plain(other.to_string(), phase),
    }
}

fn plain(message: String, phase: Phase) -> QueryError {
    match phase {
        Phase::Plan => QueryError::Invalid { message, position: None },
        Phase::Run => QueryError::Failed { message },
    }
}

/// DataFusion says in words what it has no variant for.
fn plan(message: String) -> QueryError {
    if let Some(rest) = message.strip_prefix("Invalid function '") {
        let (name, rest) = rest.split_once('\'').unwrap_or((rest, ""));
        let nearest = rest.split_once("Did you mean '").and_then(|(_, rest)| rest.split_once('\''));
        let nearest = nearest.map(|(nearest, _)| nearest.to_owned());
        return QueryError::FunctionNotFound { name: name.to_owned(), nearest, position: None };
    }
    if let Some(rest) = message.strip_prefix("Field ")
        && let Some((name, _)) = rest.split_once(" not found in struct")
    {
        return QueryError::ColumnNotFound { name: name.to_owned(), nearest: None, position: None };
    }
    QueryError::Invalid { message, position: None }
}

fn schema(error: SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names = valid_fields.iter().map(|column| column.name.as_str());
            let nearest = name::nearest(&field.name, names).map(ToOwned::to_owned);
            QueryError::ColumnNotFound { name: field.flat_name(), nearest, position: first(&field.spans) }
        }
        SchemaError::AmbiguousReference { field } => {
            QueryError::ColumnAmbiguous { name: field.flat_name(), position: first(&field.spans) }
        }
        other => QueryError::Invalid { message: other.to_string(), position: None },
    }
}

fn first(spans: &Spans) -> Option<Position> {
    spans.first().and_then(|span| position(span.start.line, span.start.column))
}

fn position(line: u64, column: u64) -> Option<Position> {
    (line > 0).then_some(Position { line, column })
}

/// The parser writes the place at the end of its message.
fn syntax(text: &str) -> QueryError {
    let text = text.trim_start_matches("sql parser error: ");
    let (message, place) = match text.rsplit_once(" at Line: ") {
        Some((message, place)) => (message, place.split_once(", Column: ")),
        None => (text, None),
    };
    let place = place.and_then(|(line, column)| {
        let column: String = column.chars().take_while(char::is_ascii_digit).collect();
        position(line.parse().ok()?, column.parse().ok()?)
    });
    QueryError::Syntax { message: message.to_owned(), position: place }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_error_tells_its_place_apart() {
        let error = syntax("sql parser error: Expected: an expression, found: EOF at Line: 3, Column: 14");
        assert_eq!(error.to_string(), "Expected: an expression, found: EOF");
        assert_eq!(error.position(), Some(Position { line: 3, column: 14 }));
        assert_eq!(syntax("sql parser error: recursion limit exceeded").position(), None);
    }

    #[test]
    fn a_missing_function_is_named() {
        let error = plan("Invalid function 'sume'.\nDid you mean 'sum'?".to_owned());
        assert_eq!(error.to_string(), "there is no function sume; did you mean sum?");
    }

    #[test]
    fn an_error_of_ours_comes_through_datafusion_unchanged() {
        let ours = QueryError::TableUnreadable { table: "default.t".into(), reason: "why".into() };
        let wrapped = DataFusionError::External(Box::new(ours)).context("somewhere");
        let arrow = ArrowError::ExternalError(Box::new(wrapped));
        let back = run_error(DataFusionError::ArrowError(Box::new(arrow), None));
        assert!(matches!(back, QueryError::TableUnreadable { .. }), "{back:?}");
    }
}
