//! What is wrong with a statement. Codes and messages are those of `hosu-sql`, which has Trino's.

use hosu_sql::SqlError;

use super::Failure;

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        let position = error.line.zip(error.column);
        Self { position, ..Self::new(error.code, error.message) }
    }
}
