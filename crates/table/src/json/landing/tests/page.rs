//! The examples of docs/unchanged.md are true.

use super::*;
use crate::evolve::type_text;

const PAGE: &str = include_str!("../../../../../../docs/unchanged.md");

/// The rows of the table below a heading, their cells without the marks of code.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| {
        let inner = line.trim_matches('|');
        inner.split(" | ").map(|cell| cell.trim().trim_matches('`').trim().to_owned()).collect()
    };
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(rows.len() > 5, "{heading} has {} rows", rows.len());
    rows
}

#[test]
fn single_values() {
    for row in rows("Single values") {
        let [column, value, lands] = row.try_into().expect("three cells");
        let (row, rescued) = landed(&format!("v: {column}"), &format!(r#"{{"v":{value}}}"#));
        let found = match row.strip_prefix("v: ") {
            Some(text) => text.to_owned(),
            None => "rescued".to_owned(),
        };
        assert_eq!(found, lands, "{value} in {column}");
        let expected = if lands == "rescued" { format!("$.v: {value}") } else { String::new() };
        assert_eq!(rescued, expected, "{value} in {column}");
    }
}

#[test]
fn whole_records() {
    for row in rows("Whole records") {
        let [columns, record, lands, rescued] = row.try_into().expect("four cells");
        let found = landed(&columns, &record);
        assert_eq!(found, (lands, rescued.replace(" ; ", " | ")), "{record} in {columns}");
    }
}

#[test]
fn wider_columns() {
    for row in rows("Wider columns") {
        let [column, value, then] = row.try_into().expect("three cells");
        let schema = schema_of(&format!("v: {column}"));
        let mut unknown = Inference::new(Limits::default());
        let record = format!(r#"{{"v":{value}}}"#);
        let record = parse(record.as_bytes()).expect("JSON");
        Landing::new(&schema).expect("a landing").land(&record, &mut unknown).expect("it lands");
        let (schema, _) = crate::evolve::widen(&schema, unknown.widenings()).expect("a schema");
        let found = schema.field_by_name("v").map(|field| type_text(&field.field_type));
        assert_eq!(found, Some(then), "{value} in {column}");
    }
}

#[test]
fn new_columns() {
    for row in rows("New columns") {
        let [values, column] = row.try_into().expect("two cells");
        let mut inference = Inference::new(Limits::default());
        for value in values.split(" ; ") {
            inference.observe(&parse(format!(r#"{{"v":{value}}}"#).as_bytes()).expect("JSON"));
        }
        let schema = inference.schema().expect("a schema");
        let found = schema.field_by_name("v").map_or("none".to_owned(), |field| type_text(&field.field_type));
        assert_eq!(found, column, "{values}");
    }
}
