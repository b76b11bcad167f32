//! Which columns a sample makes, and in which order.

use super::*;
use crate::evolve::{add_fields, type_text};
use crate::json::parse;
use iceberg::spec::{NestedField, PrimitiveType, StructType, Type};
use std::sync::Arc;

fn observed(records: &[&str], limits: Limits) -> Inference {
    let mut inference = Inference::new(limits);
    for record in records {
        inference.observe(&parse(record.as_bytes()).expect(record));
    }
    inference
}

/// What was seen at each path.
fn counted(inference: &Inference) -> Vec<(usize, Step, Counts)> {
    inference.nodes.iter().map(|node| (node.parent, node.step.clone(), node.counts.clone())).collect()
}

fn columns_of(schema: &Schema) -> Vec<String> {
    schema.as_struct().fields().iter().map(|f| format!("{} {}", f.name, type_text(&f.field_type))).collect()
}

/// The columns of a new table, without the last.
fn inferred(records: &[&str]) -> Vec<String> {
    let schema = observed(records, Limits::default()).schema().expect("a schema");
    let mut columns = columns_of(&schema);
    assert_eq!(columns.pop().as_deref(), Some("_rescued_data string"));
    columns
}

/// The type of the field `v` of records that have these values.
fn type_of(values: &[&str]) -> String {
    let records: Vec<String> = values.iter().map(|value| format!(r#"{{"v":{value}}}"#)).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    match inferred(&records).as_slice() {
        [] => "none".to_owned(),
        [column] => column["v ".len()..].to_owned(),
        columns => panic!("{columns:?}"),
    }
}

#[test]
fn values_of_one_kind_make_its_column() {
    assert_eq!(type_of(&["true", "null"]), "boolean");
    assert_eq!(type_of(&["1", "-2"]), "long");
    assert_eq!(type_of(&["1.5"]), "double");
    assert_eq!(type_of(&["1.0"]), "double", "spelled as a fraction");
    assert_eq!(type_of(&[r#""a""#]), "string");
    assert_eq!(type_of(&[r#"{"a":1}"#]), "struct<a: long>");
    assert_eq!(type_of(&["[1,2]", "[]"]), "list<long>");
    assert_eq!(type_of(&["[[1],[null]]"]), "list<list<long>>");
    assert_eq!(type_of(&[r#"[{"a":1},{"b":"x"}]"#]), "list<struct<a: long, b: string>>");
}

#[test]
fn what_has_no_type_yet_makes_no_column() {
    for values in [
        vec!["null"],
        vec!["{}"],
        vec!["[]"],
        vec!["[null]"],
        vec!["[[]]"],
        vec![r#"{"a":{}}"#],
        vec!["[{}]"],
        vec![r#"{"a":null}"#],
        vec!["1e400"],
        vec!["18446744073709551616"],
        vec![r#""\ud800""#],
    ] {
        assert_eq!(type_of(&values), "none", "{values:?}");
    }
    assert_eq!(type_of(&["{}", "{}", "1"]), "long", "of two kinds one is known");
}

#[test]
fn the_type_of_most_values_wins() {
    assert_eq!(type_of(&["1", r#""a""#, r#""b""#]), "string");
    assert_eq!(type_of(&["1", "2", r#""b""#]), "long");
    assert_eq!(type_of(&["1", r#"{"a":1}"#, r#"{"a":1}"#]), "struct<a: long>");
    assert_eq!(type_of(&["[1]", r#""a""#, r#""b""#]), "string");
    assert_eq!(type_of(&[r#"[1,"a","b"]"#]), "list<string>");
    assert_eq!(type_of(&["true", "1"]), "boolean", "of two that are equally many the first");
}

#[test]
fn integers_and_fractions_are_doubles_when_every_integer_survives() {
    assert_eq!(type_of(&["1", "1.5"]), "double");
    assert_eq!(type_of(&["9007199254740992", "0.5"]), "double");
    assert_eq!(type_of(&["-9007199254740993", "1", "0.5"]), "long");
    assert_eq!(type_of(&["9007199254740993", "0.5", "0.25"]), "double");
    assert_eq!(type_of(&["1", "1.5", r#""a""#, r#""b""#, r#""c""#]), "string");
    assert_eq!(type_of(&["1", "2.5", "3", r#""a""#, r#""b""#]), "double", "numbers count together");
}

#[test]
fn texts_that_are_all_times_or_all_dates() {
    let (zoned, local) = (r#""2024-02-29T12:00:00Z""#, r#""2024-02-29T12:00:00""#);
    assert_eq!(type_of(&[zoned, r#""2024-02-29t12:00:00.5+09:00""#]), "timestamptz");
    assert_eq!(type_of(&[zoned, zoned, zoned, r#""n/a""#]), "string");
    assert_eq!(type_of(&[local]), "string");
    assert_eq!(type_of(&[r#""2024-02-29""#, r#""2024-03-01""#]), "date");
    assert_eq!(type_of(&[r#""2024-02-30""#]), "string");
    assert_eq!(type_of(&[r#""2024-02-29""#, zoned]), "string");
    let nanos = r#""2024-02-29T12:00:00.123456789Z""#;
    assert_eq!(type_of(&[zoned, zoned, nanos]), "timestamptz");
    assert_eq!(type_of(&[nanos, nanos, zoned]), "string", "most would lose digits");
}

#[test]
fn columns_stand_as_they_appeared_and_rescued_data_last() {
    assert_eq!(inferred(&[r#"{"b":1,"x":null}"#, r#"{"a":1,"b":2,"x":3}"#]), ["b long", "a long", "x long"]);
    let schema = observed(&[r#"{"g":{"y":1,"x":2},"l":[1]}"#], Limits::default()).schema().expect("a schema");
    let ids: Vec<i32> = schema.as_struct().fields().iter().map(|f| f.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(schema.field_by_name("g.y").map(|f| f.id), Some(4));
    assert_eq!(inferred(&["[1]", "1", "{}"]), [""; 0]);
}

#[test]
fn names_that_a_column_cannot_have_make_none() {
    assert_eq!(inferred(&[r#"{"":1,"_rescued_data":1,"_Rescued_Data":1,"\ud800":1,"a":1}"#]), ["a long"]);
    assert_eq!(inferred(&[r#"{"g":{"_rescued_data":1}}"#]), ["g struct<_rescued_data: long>"]);
    assert_eq!(inferred(&[&format!(r#"{{"{}":1}}"#, "n".repeat(256))]), [""; 0]);
}

#[test]
fn names_that_differ_only_in_case_are_one_column() {
    assert_eq!(inferred(&[r#"{"Id":1}"#, r#"{"id":2}"#, r#"{"ID":"x"}"#]), ["Id long"]);
    assert_eq!(
        inferred(&[r#"{"Id":1,"id":"x"}"#, r#"{"id":"x","Id":1}"#]),
        ["Id long"],
        "one of the two lands"
    );
    assert_eq!(inferred(&[r#"{"a":"x","a":1}"#]), ["a long"], "the last of repeated names lands");
    assert_eq!(inferred(&[r#"{"Ä":1,"ä":"x"}"#]), ["Ä long"]);
}

#[test]
fn a_dotted_name_yields_to_the_field_that_it_would_hide() {
    assert_eq!(inferred(&[r#"{"a.b":1}"#]), ["a.b long"]);
    assert_eq!(inferred(&[r#"{"a.b":1,"a":{"b":"x","c":1}}"#]), ["a struct<b: string, c: long>"]);
    assert_eq!(inferred(&[r#"{"a":{"b":"x"},"A.B":1,"a.c":1}"#]), ["a struct<b: string>", "a.c long"]);
    assert_eq!(inferred(&[r#"{"l.element":1,"l":[1]}"#]), ["l list<long>"]);
    assert_eq!(inferred(&[r#"{"x":{"a.b":1,"a":{"b":1}}}"#]), ["x struct<a: struct<b: long>>"]);
    assert_eq!(inferred(&[r#"{"a.b":{"c":1},"a":{"b.c":1}}"#]), ["a.b struct<c: long>"]);
}

#[test]
fn columns_and_depth_are_limited() {
    let two = Limits { leaf_columns_max: 2, ..Limits::default() };
    let schema = observed(&[r#"{"a":{"x":1},"b":null}"#, r#"{"c":[1],"b":1,"a":{"y":1}}"#], two).schema();
    assert_eq!(
        columns_of(&schema.expect("a schema")),
        ["a struct<x: long>", "c list<long>", "_rescued_data string"]
    );

    let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
    assert_eq!(inferred(&[&deep, r#"{"b":1}"#]), ["b long"]);

    let mut inference = Inference::new(Limits { paths_max: 100, ..Limits::default() });
    for at in 0..1000 {
        let record = format!(r#"{{"n{at}":1}}"#);
        inference.observe(&parse(record.as_bytes()).expect("JSON"));
    }
    assert_eq!(inference.nodes.len(), 101);
    assert_eq!(inference.schema().expect("a schema").as_struct().fields().len(), 101);
}

#[test]
fn merged_chunks_make_the_schema_of_the_whole() {
    let records = [
        r#"{"b":1,"g":{"x":1}}"#,
        r#"{"a":"2024-02-29","b":1.5}"#,
        r#"{"A":"2024-02-29","g":{"y":[{"z":1}]}}"#,
        r#"{"c":true,"g":{"y":[{"z":"t"},{"z":"t"}]}}"#,
        r#"{"g":5,"a":"x"}"#,
    ];
    let whole = observed(&records, Limits::default()).schema().expect("a schema");
    for cut in 0..=records.len() {
        let (first, second) = records.split_at(cut);
        let mut merged = observed(first, Limits::default());
        merged.merge(observed(second, Limits::default()));
        assert_eq!(merged.schema().expect("a schema"), whole, "cut at {cut}");
    }
    let columns = ["b double", "g struct<x: long, y: list<struct<z: string>>>", "a string", "c boolean"];
    assert_eq!(inferred(&records), columns);
}

#[test]
fn additions_are_what_a_schema_lacks() {
    let base = observed(&[r#"{"id":1,"g":{"x":1},"l":[{"p":1}],"s":"x"}"#], Limits::default())
        .schema()
        .expect("a schema");
    let seen = observed(
        &[r#"{"ID":2,"g":{"X":1,"y":"t"},"l":[{"p":1,"q":1.5}],"s":{"inside":1},"new":{"a":1}}"#],
        Limits::default(),
    );
    let additions = seen.additions(&base);
    let texts: Vec<String> = additions
        .iter()
        .map(|(path, field)| format!("{path}/{} {}", field.name, type_text(&field.field_type)))
        .collect();
    assert_eq!(texts, ["g/y string", "l.element/q double", "/new struct<a: long>"]);

    let evolved = add_fields(&base, base.highest_field_id(), &additions).expect("evolved").schema;
    assert_eq!(
        columns_of(&evolved),
        [
            "id long",
            "g struct<x: long, y: string>",
            "l list<struct<p: long, q: double>>",
            "s string",
            "new struct<a: long>",
            "_rescued_data string"
        ]
    );
    assert_eq!(seen.additions(&evolved), []);
}

#[test]
fn names_that_differ_in_case_make_one_column_however_the_records_are_cut() {
    let records = ["{}", r#"{"a":[]}"#, "{}", "{}", r#"{"A":false,"a":0}"#];
    let whole = observed(&records, Limits::default()).schema().expect("a schema");
    assert_eq!(columns_of(&whole), ["a boolean", "_rescued_data string"]);
    for cut in 0..=records.len() {
        let (first, second) = records.split_at(cut);
        let mut merged = observed(first, Limits::default());
        merged.merge(observed(second, Limits::default()));
        assert_eq!(merged.schema().expect("a schema"), whole, "cut at {cut}");
    }
}

#[test]
fn additions_respect_names_and_limits_of_the_table() {
    let leaf =
        |id, name: &str| Arc::new(NestedField::optional(id, name, Type::Primitive(PrimitiveType::Long)));
    let a = StructType::new(vec![leaf(3, "c")]);
    let base = Schema::builder()
        .with_fields([leaf(1, "a.b"), Arc::new(NestedField::optional(2, "a", Type::Struct(a)))])
        .build()
        .expect("a schema");
    let seen = observed(&[r#"{"a":{"b":1,"d":1}}"#], Limits::default());
    let additions = seen.additions(&base);
    assert_eq!(additions.len(), 1, "`a.b` is taken");
    assert!(add_fields(&base, 3, &additions).is_ok());

    let full = observed(&[r#"{"x":1,"y":1}"#], Limits { leaf_columns_max: 3, ..Limits::default() });
    assert_eq!(full.additions(&base).len(), 1);
    assert_eq!(full.beyond_limit(&base), 1);
    assert_eq!(observed(&[r#"{"x":1,"y":1}"#], Limits::default()).beyond_limit(&base), 0);
    let with_rescued = with_rescued_data(&base).expect("a schema");
    assert_eq!(full.beyond_limit(&with_rescued), 1, "the table's own columns do not count");
}

#[test]
fn the_short_way_counts_what_the_plain_way_counts() {
    let lines = [
        r#"{"a":1,"b":"x","c":{"d":[1.5,null,true],"e":null},"never":null}"#,
        r#" { "a" : 9007199254740993 , "b" : "2026-01-02" , "c" : { "d" : [ ] , "e" : "2026-01-02T03:04:05Z" } } "#,
        r#"{"b":"2026-01-02T03:04:05.0000000001Z","a":-0.0,"c":{"e":"\u00e9","d":[[]]},"never":null,"never":null}"#,
        r#"{"b":"\ud800","a":1e400,"c":null}"#,
        r#"{"a":1,"a":null}"#,
        r#"{"a":null,"a":"last"}"#,
        r#"{"A":1,"a":"other"}"#,
        r#"{"a":"cut"#,
        r#"{"a":true,}"#,
        r#"{"a":true} {"a":true}"#,
        r#"{"a":01}"#,
        "{\"a\":\"\u{1}\"}",
        r#"{"\u0061":[2],"c":{"d":[{"x":1},{"x":"y","z":2}]},"never":1}"#,
        r#"{"c":{"d":[{"x":1,"x":2},{"z":null}]},"b":"서울","é":[[1],[2,[3]]]}"#,
        r#"[1]"#,
        "",
        r#"{"é":[[1],[2,[3]]],"a":123456789012345678901,"b":"9"}"#,
        r#"{"_rescued_data":"x","a":nul}"#,
        r#"{}"#,
    ];
    // Each line as the first, and after all others, when its fields are known.
    for round in 0..lines.len() {
        let mut short = Inference::new(Limits::default());
        let mut plain = Inference::new(Limits::default());
        let (before, behind) = lines.split_at(round);
        for line in behind.iter().chain(before).chain(&lines) {
            short.observe_line(line.as_bytes());
            if let Ok(record) = parse(line.as_bytes()) {
                plain.observe(&record);
            }
            assert_eq!(counted(&short), counted(&plain), "after {line}");
        }
    }
}

#[test]
fn records_of_known_fields_go_the_short_way() {
    let mut inference = observed(&[r#"{"a":1,"b":{"c":["x"]}}"#], Limits::default());
    for line in [r#"{"a":2,"b":{"c":["y","z"]}}"#, r#"{"b":{"c":[]},"a":"t"}"#, r#"{"a":null,"new":null}"#] {
        assert_eq!(direct::observe(&mut inference, line.as_bytes()), Some(()), "{line}");
    }
    for line in [r#"{"new":1}"#, r#"{"a":1,"a":2}"#, r#"{"A":1}"#, r#"{"a":1"#] {
        assert_eq!(direct::observe(&mut inference, line.as_bytes()), None, "{line}");
    }
}
