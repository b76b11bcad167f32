//! What is wrong with a statement. Codes and messages are those of `hosu-sql`, which has Trino's.

use hosu_sql::{SqlError, code};

use super::Failure;

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        let remedy = match &error.cause {
            Some(cause) => Self::from(cause.as_ref()).remedy,
            None => remedy(error.code).map(str::to_owned),
        };
        let failure = Self::new(error.code, error.message).at(error.line.zip(error.column));
        // The message says the nearest name already; people need not read it twice.
        Self { nearest: error.nearest, remedy, ..failure }
    }
}

/// What to do about an error of this code, where more can be said than the message does.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        code::EXCEEDED_LOCAL_MEMORY_LIMIT => "give `query.memory` in hosu.toml more, or ask for less at once",
        code::EXCEEDED_SCAN_LIMIT => {
            "filter on the table's partitions, or give `query.max_scan` in hosu.toml more"
        }
        code::INVALID_FUNCTION_ARGUMENT => "check the arguments; docs/sql.md says how large results may be",
        code::ICEBERG_COMMIT_ERROR => "others changed the table meanwhile: run the statement again",
        code::SYNTAX_ERROR | code::NOT_SUPPORTED => "docs/sql.md has the statements of this version",
        code::TABLE_NOT_FOUND => "`show tables` lists the tables, `show databases` the databases",
        code::SCHEMA_NOT_FOUND => "`show databases` lists the databases",
        code::COLUMN_NOT_FOUND => "`describe TABLE` lists the columns",
        code::GENERIC_INTERNAL_ERROR => "this may be a defect of hosu: please report it with the statement",
        _ => return None,
    })
}
