use super::{SqlError, code, from_change, from_query, place::find_name};
use hosu_catalog::CatalogError;
use hosu_change::ChangeError;
use hosu_dialect::{At, Position};
use hosu_query::QueryError;

fn told(error: QueryError, text: &str) -> SqlError {
    from_query(error, &At::new(text.to_owned(), Position { offset: 20, line: 3, column: 5 }))
}

#[test]
fn names_are_found_outside_of_texts_and_comments() {
    assert_eq!(find_name("SELECT 'abc', xabc /* abc */, -- abc\n  \"Abc\"", "abc"), Some((2, 3)));
    assert_eq!(find_name("SELECT t.abc FROM t", "abc"), Some((1, 10)));
    assert_eq!(find_name("SELECT 한글, abc", "abc"), Some((1, 12)));
    assert_eq!(find_name("SELECT 'open", "open"), None);
    assert_eq!(find_name("", ""), None);
}

#[test]
fn a_missing_column_is_named_placed_and_corrected() {
    let error = QueryError::ColumnNotFound {
        name: "t.contry".into(),
        nearest: Some("country".into()),
        position: None,
    };
    let error = told(error, "SELECT contry FROM t");
    assert_eq!(error.code, code::COLUMN_NOT_FOUND);
    assert_eq!(error.nearest.as_deref(), Some("country"));
    assert_eq!(error.to_string(), "line 3:12: Column 't.contry' cannot be resolved; did you mean 'country'?");
}

#[test]
fn a_place_in_a_later_line_counts_from_its_start() {
    let position = Some(hosu_query::Position { line: 2, column: 6 });
    let error = QueryError::TableNotFound { name: "default.evnts".into(), nearest: None, position };
    let error = told(error, "SELECT *\nFROM evnts");
    assert_eq!((error.code, error.line, error.column), (code::TABLE_NOT_FOUND, Some(4), Some(6)));
    assert_eq!(error.message, "Table 'default.evnts' does not exist");
}

#[test]
fn faults_of_values_have_trinos_codes() {
    let failed = |message: &str| told(QueryError::Failed { message: message.into() }, "SELECT 1").code;
    assert_eq!(failed("Divide by zero error"), code::DIVISION_BY_ZERO);
    assert_eq!(failed("Overflow happened on: 1 + 2"), code::NUMERIC_VALUE_OUT_OF_RANGE);
    assert_eq!(failed("Cannot cast string 'x' to value of Int64 type"), code::INVALID_CAST_ARGUMENT);
    assert_eq!(failed("Can't cast value 300 to type Int8"), code::NUMERIC_VALUE_OUT_OF_RANGE);
    assert_eq!(failed("something else"), code::GENERIC_USER_ERROR);
}

#[test]
fn what_planning_refuses_is_told_apart() {
    let invalid = |message: &str| {
        told(QueryError::Invalid { message: message.into(), position: None }, "SELECT sum(x)").code
    };
    assert_eq!(
        invalid("Failed to coerce arguments to satisfy a call to 'sum' function: .."),
        code::FUNCTION_NOT_FOUND
    );
    assert_eq!(
        invalid("Cannot coerce arithmetic expression Utf8 + Int64 to valid types"),
        code::TYPE_MISMATCH
    );
    assert_eq!(invalid("column \"x\" must appear in the GROUP BY clause"), code::EXPRESSION_NOT_AGGREGATE);
    assert_eq!(invalid("Divide by zero"), code::DIVISION_BY_ZERO);
}

#[test]
fn a_change_that_fails_says_why() {
    let query = At::from("SELECT 1");
    let error = ChangeError::Catalog(CatalogError::DatabaseNotEmpty { database: "d".into() });
    let error = from_change(error, &query);
    assert_eq!(error.code, code::SCHEMA_NOT_EMPTY);
    assert!(error.cause.is_some());
    let memory = ChangeError::Query(QueryError::Memory { message: "32 MB".into() });
    assert_eq!(from_change(memory, &query).code, code::EXCEEDED_LOCAL_MEMORY_LIMIT);
}
