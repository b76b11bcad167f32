//! The one way in which a text fails to be a statement.

use crate::Position;

/// A text that is none of Athena's statements: Trino's `SYNTAX_ERROR`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}:{}: {message}", position.line, position.column)]
pub struct ParseError {
    /// What was found and what was expected, as Trino words it.
    pub message: String,
    /// Where.
    pub position: Position,
}

impl ParseError {
    pub(crate) fn new(message: impl Into<String>, position: Position) -> Self {
        Self { message: message.into(), position }
    }
}
