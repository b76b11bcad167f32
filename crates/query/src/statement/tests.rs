use super::*;

fn tables(sql: &str) -> Vec<String> {
    let tables = QueryText::parse(sql).unwrap().tables().unwrap();
    tables.references.iter().map(ToString::to_string).collect()
}

#[test]
fn tables_are_found_and_ctes_are_not_tables() {
    assert_eq!(tables("SELECT * FROM A, b.C JOIN \"D\".\"E\" USING (x)"), ["a", "b.c", "d.e"]);
    assert_eq!(tables("WITH X AS (SELECT * FROM t) SELECT * FROM x, T"), ["t"]);
    assert_eq!(
        tables("SELECT (SELECT max(a) FROM u) FROM generate_series(1, 2) g WHERE a IN (SELECT b FROM v)"),
        ["u", "v"]
    );
    assert_eq!(tables("EXPLAIN ANALYZE SELECT * FROM t"), ["t"]);
    assert!(tables("SELECT * FROM UNNEST(make_array(1, 2)) AS T(x)").is_empty());
}

#[test]
fn places_are_those_of_the_first_mention() {
    let tables = QueryText::parse("SELECT *\nFROM other o,\n  Events e, EVENTS").unwrap().tables().unwrap();
    let events = TableReference::bare("events");
    assert_eq!(tables.position(&events), Some(Position { line: 3, column: 3 }));
}

#[test]
fn names_are_respelled_and_keywords_and_texts_are_not() {
    let text =
        QueryText::parse("SELECT COUNT(A) FILTER (WHERE A > 1), 'A', DATE '2020-01-01' D FROM T ORDER BY d")
            .unwrap();
    let spelled = text.spelled(&Spelling::default()).to_string();
    assert_eq!(
        spelled,
        "SELECT count(\"a\") FILTER (WHERE \"a\" > 1), 'A', DATE '2020-01-01' AS \"d\" FROM \"t\" ORDER BY \"d\""
    );
}

#[test]
fn only_one_query_is_taken() {
    assert!(matches!(QueryText::parse("SELECT 1; SELECT 2"), Err(QueryError::Syntax { .. })));
    assert!(matches!(QueryText::parse(""), Err(QueryError::Syntax { .. })));
    assert!(matches!(QueryText::parse("COPY t TO 'x.csv'"), Err(QueryError::Unsupported { .. })));
    assert!(matches!(QueryText::parse("CREATE TABLE t AS SELECT 1"), Err(QueryError::Unsupported { .. })));
    assert!(matches!(QueryText::parse("EXPLAIN DELETE FROM t"), Err(QueryError::Unsupported { .. })));
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(QueryText::parse(&deep).is_err());
}
