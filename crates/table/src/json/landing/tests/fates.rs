//! What becomes of that which no column holds: rescued, left out, or asked for a wider column.

use super::*;
use crate::evolve;
use crate::json::Why;

fn land<'a>(schema: &Schema, record: &'a JsonValue<'a>, fate: UnknownFields) -> (Landed<'a>, Inference) {
    let landing = Landing::new(schema).expect("a landing").with_unknown_fields(fate);
    let mut unknown = Inference::new(Limits::default());
    let landed = landing.land(record, &mut unknown).expect("it lands");
    (landed, unknown)
}

fn ignored(landed: &Landed<'_>) -> Vec<String> {
    let texts = landed.ignored.iter().map(|one| format!("{}: {} of {}", one.column, one.values, one.source));
    texts.collect()
}

#[test]
fn unknown_fields_are_left_out_and_counted_and_nothing_else_is() {
    let schema = schema_of("id: long, g: struct<x: long>, l: list<struct<x: long>>");
    let record = br#"{"id":"one","ID":2,"new":{"a":1},"g":{"x":1,"y":[2]},"l":[{"x":1,"z":3},{"z":4}],"_raw":5,"n":null,"n":6}"#;
    let record = parse(record).expect("JSON");
    let (landed, unknown) = land(&schema, &record, UnknownFields::Ignored);
    let rescued: Vec<&str> = landed.rescued.iter().map(|rescued| rescued.path.as_str()).collect();
    assert_eq!(rescued, ["$.id", "$.ID"], "misfits and other spellings are kept");
    assert_eq!(landed.rescued[1].why, Why::Spelling("id".to_owned()));
    assert_eq!(
        ignored(&landed),
        [
            r#"new: 1 of {"a":1}"#,
            "g.y: 1 of [2]",
            "l.element.z: 1 of 3",
            "l.element.z: 1 of 4",
            "_raw: 1 of 5",
            "n: 1 of null",
            "n: 1 of 6"
        ]
    );
    assert!(!unknown.is_empty());
    let (landed, _) = land(&schema, &record, UnknownFields::Rescued);
    assert_eq!((landed.rescued.len(), landed.ignored.len()), (9, 0));
}

#[test]
fn what_is_inside_a_rescued_value_is_not_left_out() {
    let schema = schema_of("g: struct<x: struct<must: long!>>");
    let record = parse(br#"{"g":{"x":{"new":1}}}"#).expect("JSON");
    let (landed, _) = land(&schema, &record, UnknownFields::Ignored);
    assert_eq!((landed.rescued.len(), landed.ignored.len()), (1, 0));
    assert_eq!(landed.rescued[0].source, r#"{"new":1}"#);
}

#[test]
fn a_long_list_of_unknown_fields_is_counted_and_lands() {
    let schema = schema_of("l: list<struct<x: long>>");
    let elements: Vec<String> = (0..5_000).map(|at| format!(r#"{{"x":{at},"a":1,"b":2}}"#)).collect();
    let record = format!(r#"{{"l":[{}]}}"#, elements.join(","));
    let record = parse(record.as_bytes()).expect("JSON");
    let (landed, _) = land(&schema, &record, UnknownFields::Ignored);
    assert!(landed.rescued.is_empty());
    assert!(landed.ignored.len() < 2 * RESCUED_IN_LIST_MAX + 10);
    assert_eq!(landed.ignored.iter().map(|one| one.values).sum::<u64>(), 10_000);
}

#[test]
fn columns_that_are_too_narrow_are_noted_wherever_they_stand() {
    let schema = schema_of(
        "i: int, f: float, l: list<int>, m: map<string, float>, s: struct<i: int, t: string>, must: int!, p: long",
    );
    let record = br#"{"i":2147483648,"f":0.1,"l":[1,4294967296],"m":{"k":0.1},"s":{"i":-2147483649,"t":5},"must":1,"p":1.5}"#;
    let record = parse(record).expect("JSON");
    let (landed, unknown) = land(&schema, &record, UnknownFields::Rescued);
    let narrow: Vec<&str> = landed
        .rescued
        .iter()
        .filter(|rescued| rescued.why == Why::Narrow)
        .map(|rescued| rescued.column.as_str())
        .collect();
    assert_eq!(narrow, ["i", "f", "l.element", "m.value", "s.i"]);
    let (wide, widened) = evolve::widen(&schema, unknown.widenings()).expect("a schema");
    let texts: Vec<String> =
        widened.iter().map(|one| format!("{} {} -> {}", one.column, one.from, one.to)).collect();
    assert_eq!(
        texts,
        [
            "i int -> long",
            "f float -> double",
            "l.element int -> long",
            "m.value float -> double",
            "s.i int -> long"
        ]
    );
    let (landed, unknown) = land(&wide, &record, UnknownFields::Rescued);
    let rescued: Vec<&str> = landed.rescued.iter().map(|rescued| rescued.path.as_str()).collect();
    assert_eq!(rescued, ["$.s.t", "$.p"]);
    assert!(unknown.is_empty());
    assert_eq!(evolve::widen(&wide, unknown.widenings()).expect("the same"), (wide, Vec::new()));
}

#[test]
fn a_column_that_must_have_a_value_is_widened_too() {
    let schema = schema_of("must: int!");
    let record = parse(br#"{"must":2147483648}"#).expect("JSON");
    let mut unknown = Inference::new(Limits::default());
    assert!(Landing::new(&schema).expect("a landing").land(&record, &mut unknown).is_err());
    assert_eq!(unknown.widenings().len(), 1);
}

#[test]
fn values_that_no_wider_column_holds_widen_nothing() {
    let schema = schema_of("i: int, f: float");
    for record in
        [r#"{"i":1.5}"#, r#"{"i":"5"}"#, r#"{"i":9223372036854775808}"#, r#"{"f":1e400}"#, r#"{"f":"x"}"#]
    {
        let parsed = parse(record.as_bytes()).expect("JSON");
        let (landed, unknown) = land(&schema, &parsed, UnknownFields::Rescued);
        assert_eq!((landed.rescued.len(), unknown.widenings().len()), (1, 0), "{record}");
        assert_eq!(landed.rescued[0].why, Why::Unfit, "{record}");
    }
}

#[test]
fn another_spelling_is_told_when_it_lands() {
    let schema = schema_of("userId: long, g: struct<Lat: double>");
    let record = parse(br#"{"USERID":1,"G":{"lat":1}}"#).expect("JSON");
    let (landed, _) = land(&schema, &record, UnknownFields::Rescued);
    let texts: Vec<String> =
        landed.respelled.iter().map(|one| format!("{} as {}", one.column, one.spelled)).collect();
    assert_eq!(texts, ["userId as USERID", "g as G", "g.Lat as g.lat"]);
    assert!(landed.rescued.is_empty());
}
