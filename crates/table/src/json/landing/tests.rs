//! Which value lands in which column, and under which path the others are rescued.

use std::sync::Arc;

use iceberg::spec::{ListType, MapType, NestedField, PrimitiveType, StructType, Type};

use super::*;
use crate::json::{Limits, parse};
use crate::rejects::with_rescued_data;

mod fates;
mod page;

/// Reads a type as `evolve::type_text` writes it; `!` after a type makes it required where null else is allowed.
fn type_of(text: &str) -> Type {
    let inside = |open: &str| text.strip_prefix(open).and_then(|rest| rest.strip_suffix('>'));
    if let Some(element) = inside("list<") {
        return Type::List(ListType::new(field("element", element)));
    }
    if let Some(fields) = inside("struct<") {
        return Type::Struct(StructType::new(fields_of(fields)));
    }
    if let Some(entry) = inside("map<") {
        let [key, value] = split(entry).try_into().expect("key and value");
        let key = Arc::new(NestedField { required: true, ..field("key", &key).as_ref().clone() });
        return Type::Map(MapType::new(key, field("value", &value)));
    }
    Type::Primitive(serde_json::from_str(&format!("{text:?}")).expect(text))
}

fn field(name: &str, column_type: &str) -> Arc<NestedField> {
    let required = column_type.ends_with('!');
    Arc::new(NestedField::new(0, name, type_of(column_type.trim_end_matches('!')), required))
}

fn fields_of(text: &str) -> Vec<Arc<NestedField>> {
    split(text)
        .iter()
        .map(|column| {
            let (name, column_type) = column.split_once(": ").expect("name: type");
            field(name, column_type)
        })
        .collect()
}

/// The parts between commas that stand in no brackets.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("a part").push(character);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn schema_of(columns: &str) -> Schema {
    let schema = crate::evolve::fresh_ids_of(fields_of(columns)).expect("a schema");
    with_rescued_data(&schema).expect("a schema")
}

/// The row as `column: value` without nulls, and what was rescued as `path: source`.
fn landed(columns: &str, record: &str) -> (String, String) {
    let schema = schema_of(columns);
    let landing = Landing::new(&schema).expect("a landing");
    let mut unknown = Inference::new(Limits::default());
    let record = parse(record.as_bytes()).expect(record);
    let landed = landing.land(&record, &mut unknown).expect("it lands");
    let columns = schema.as_struct().fields();
    let row = cells_text(&landed.cells[..columns.len() - 1], columns);
    let rescued: Vec<String> =
        landed.rescued.iter().map(|rescued| format!("{}: {}", rescued.path, rescued.source)).collect();
    (row, rescued.join(" | "))
}

fn cells_text(cells: &[Cell<'_>], fields: &[Arc<NestedField>]) -> String {
    let texts = cells.iter().zip(fields).filter(|(cell, _)| **cell != Cell::Null);
    let texts: Vec<String> = texts
        .map(|(cell, field)| format!("{}: {}", field.name, cell_text(cell, &field.field_type)))
        .collect();
    texts.join(", ")
}

fn cell_text(cell: &Cell<'_>, column_type: &Type) -> String {
    match (cell, column_type) {
        (Cell::Null, _) => "null".to_owned(),
        (Cell::Struct(cells), Type::Struct(fields)) => {
            format!("{{{}}}", cells_text(cells, fields.fields()))
        }
        (Cell::List(cells), Type::List(list)) => {
            let element = &list.element_field.field_type;
            let texts: Vec<String> = cells.iter().map(|cell| cell_text(cell, element)).collect();
            format!("[{}]", texts.join(", "))
        }
        (Cell::Map(entries), Type::Map(map)) => {
            let value_type = &map.value_field.field_type;
            let texts: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    format!(
                        "{} = {}",
                        scalar_text(key, &Type::Primitive(PrimitiveType::String)),
                        cell_text(value, value_type)
                    )
                })
                .collect();
            format!("({})", texts.join(", "))
        }
        (Cell::Scalar(scalar), _) => scalar_text(scalar, column_type),
        (cell, column_type) => panic!("{cell:?} in {column_type}"),
    }
}

fn scalar_text(scalar: &Scalar<'_>, column_type: &Type) -> String {
    match (scalar, column_type) {
        (Scalar::Boolean(value), _) => value.to_string(),
        (Scalar::Int(value), _) => value.to_string(),
        (Scalar::Long(value), _) => value.to_string(),
        (Scalar::Float(value), _) => format!("{value:?}"),
        (Scalar::Double(value), _) => format!("{value:?}"),
        (Scalar::Decimal(value), Type::Primitive(PrimitiveType::Decimal { scale, .. })) => {
            let unit = 10_i128.pow(*scale);
            format!(
                "{}.{:0width$}",
                value / unit,
                value % unit,
                width = usize::try_from(*scale).expect("small")
            )
        }
        (Scalar::Date(days), _) => chrono::NaiveDate::from_epoch_days(*days).expect("a date").to_string(),
        (Scalar::Time(micros), _) => {
            (chrono::NaiveTime::MIN + chrono::Duration::microseconds(*micros)).to_string()
        }
        (Scalar::Timestamp(micros), Type::Primitive(PrimitiveType::Timestamptz)) => {
            let time = chrono::DateTime::from_timestamp_micros(*micros).expect("an instant");
            time.format("%Y-%m-%d %H:%M:%S%.f UTC").to_string()
        }
        (Scalar::Timestamp(micros), _) => {
            let time = chrono::DateTime::from_timestamp_micros(*micros).expect("an instant");
            time.format("%Y-%m-%d %H:%M:%S%.f").to_string()
        }
        (Scalar::Text(text), _) => format!("'{}'", text.escape_debug()),
        (Scalar::Bytes(bytes), _) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        (scalar, column_type) => panic!("{scalar:?} in {column_type}"),
    }
}

fn check(columns: &str, record: &str, row: &str, rescued: &str) {
    assert_eq!(landed(columns, record), (row.to_owned(), rescued.to_owned()), "{record} into {columns}");
}

fn not_landed(columns: &str, record: &str) -> String {
    let landing = Landing::new(&schema_of(columns)).expect("a landing");
    let record = parse(record.as_bytes()).expect(record);
    match landing.land(&record, &mut Inference::new(Limits::default())) {
        Ok(landed) => panic!("{landed:?}"),
        Err(reason) => reason.to_string(),
    }
}

#[test]
fn null_is_absent() {
    check("a: long, g: struct<x: long>", r#"{"a":null,"u":null}"#, "", "");
    check("a: long, g: struct<x: long>", r#"{"g":{"x":null,"u":null}}"#, "g: {}", "");
    check("a: long", "{}", "", "");
    check("l: list<long>", r#"{"l":[1,null]}"#, "l: [1, null]", "");
}

#[test]
fn what_does_not_fit_is_rescued_and_the_rest_lands() {
    check("a: long, b: long", r#"{"a":"x","b":2}"#, "b: 2", r#"$.a: "x""#);
    check("g: struct<x: long, y: long>", r#"{"g":{"x":1.5,"y":2}}"#, "g: {y: 2}", "$.g.x: 1.5");
    check("g: struct<x: long>", r#"{"g":[1, 2]}"#, "", "$.g: [1, 2]");
    check("g: struct<x: long>", r#"{"g":"{}"}"#, "", r#"$.g: "{}""#);
    check("s: string", r#"{"s": {"a" : 1}}"#, "", r#"$.s: {"a" : 1}"#);
    check("l: list<long>", r#"{"l":1}"#, "", "$.l: 1");
    check("l: list<long>", r#"{"l":[1,"x",3,[4]]}"#, "l: [1, null, 3, null]", r#"$.l[1]: "x" | $.l[3]: [4]"#);
    check(
        "items: list<struct<price: double>>",
        r#"{"items":[{"price":1},{"price":"2"},5]}"#,
        "items: [{price: 1.0}, {}, null]",
        r#"$.items[1].price: "2" | $.items[2]: 5"#,
    );
    check(
        "l: list<list<long>>",
        r#"{"l":[[1],["a"],2]}"#,
        "l: [[1], [null], null]",
        r#"$.l[1][0]: "a" | $.l[2]: 2"#,
    );
    check("u: binary", r#"{"u":"\ud800"}"#, "", r#"$.u: "\ud800""#);
}

#[test]
fn empty_objects_and_lists_land_where_there_is_a_type() {
    check(
        "g: struct<x: long>, l: list<long>",
        r#"{"g":{},"l":[],"u":{},"v":[],"w":[null]}"#,
        "g: {}, l: []",
        "$.u: {} | $.v: [] | $.w: [null]",
    );
    check("l: list<long>", r#"{"l":[null]}"#, "l: [null]", "");
}

#[test]
fn fields_without_a_column_are_rescued_and_counted() {
    let schema = schema_of("g: struct<x: long>, l: list<struct<p: long>>, m: map<string, struct<q: long>>");
    let landing = Landing::new(&schema).expect("a landing");
    let mut unknown = Inference::new(Limits::default());
    let record = br#"{"n":1,"g":{"x":1,"y":true},"l":[{"p":1},{"r":"t"}],"m":{"k":{"s":1.5}},"z":null}"#;
    let landed = landing.land(&parse(record).expect("JSON"), &mut unknown).expect("it lands");
    let rescued: Vec<_> = landed
        .rescued
        .iter()
        .map(|r| (r.path.as_str(), r.column.as_str(), r.column_type.is_none()))
        .collect();
    assert_eq!(
        rescued,
        [
            ("$.n", "n", true),
            ("$.g.y", "g.y", true),
            ("$.l[1].r", "l.element.r", true),
            ("$.m.k.s", "m.value.s", true)
        ]
    );
    let additions = unknown.additions(&schema);
    let places: Vec<_> =
        additions.iter().map(|(path, field)| format!("{path}/{} {}", field.name, field.field_type)).collect();
    assert_eq!(places, ["g/y boolean", "l.element/r string", "m.value/s double", "/n long"]);
    let evolved =
        crate::evolve::add_fields(&schema, schema.highest_field_id(), &additions).expect("it grows").schema;
    let mut unknown = Inference::new(Limits::default());
    let landing = Landing::new(&evolved).expect("a landing");
    let landed = landing.land(&parse(record).expect("JSON"), &mut unknown).expect("it lands");
    assert_eq!((landed.rescued.len(), unknown.is_empty()), (0, true));
}

#[test]
fn of_repeated_names_the_last_lands_and_none_is_lost() {
    check("a: long", r#"{"a":1,"a":2}"#, "a: 2", "$.a: 1");
    check("a: long", r#"{"a":1,"b":0,"a":"x","a":3}"#, "a: 3", r#"$.a: 1 | $.b: 0 | $.a#2: "x""#);
    check("a: long", r#"{"a":1,"a":"x"}"#, "", r#"$.a: 1 | $.a#2: "x""#);
    check("a: long", r#"{"a":1,"a":null}"#, "", "$.a: 1 | $.a#2: null");
    check("a: long", r#"{"a":null,"a":1}"#, "a: 1", "$.a: null");
    check("a: long", r#"{"u":1,"u":2}"#, "", "$.u: 1 | $.u#2: 2");
    check("a: long", r#"{"\u0061":1,"a":2}"#, "a: 2", "$.a: 1");
    check("g: struct<x: long>", r#"{"g":{"x":1},"g":{"x":"y"}}"#, "g: {}", r#"$.g: {"x":1} | $.g.x: "y""#);
    check("a: long", r##"{"a":1,"a#2":2,"a":3,"a":4}"##, "a: 4", "$.a: 1 | $['a#2']: 2 | $.a#2: 3");
}

#[test]
fn names_resolve_without_regard_to_case_and_one_lands() {
    check("Id: long", r#"{"ID":1}"#, "Id: 1", "");
    check("Id: long", r#"{"ID":"x"}"#, "", r#"$.ID: "x""#);
    check("id: long", r#"{"Id":1,"ID":2}"#, "id: 1", "$.ID: 2");
    check("id: long", r#"{"Id":1,"id":2}"#, "id: 2", "$.Id: 1");
    check("id: long", r#"{"id":null,"Id":1}"#, "id: 1", "");
    check("id: long", r#"{"id":"x","Id":1}"#, "", r#"$.id: "x" | $.Id: 1"#);
    check("id: long", r#"{"id":1,"id":null,"Id":2}"#, "", "$.id: 1 | $.id#2: null | $.Id: 2");
    check("id: long", r#"{"Id":1,"Id":2}"#, "id: 2", "$.Id#1: 1");
    check("id: long", r#"{"Id":1,"Id":"x"}"#, "", r#"$.Id: 1 | $.Id#2: "x""#);
    check("g: struct<Ä: long>", r#"{"G":{"ä":1}}"#, "g: {Ä: 1}", "");
}

#[test]
fn columns_that_differ_only_in_case_each_get_their_own() {
    let fields = [
        Arc::new(NestedField::optional(1, "Id", Type::Primitive(PrimitiveType::Long))),
        Arc::new(NestedField::optional(2, "id", Type::Primitive(PrimitiveType::Long))),
    ];
    let schema = Schema::builder().with_fields(fields).build().expect("a schema");
    let landing = Landing::new(&schema).expect("a landing");
    let record = parse(br#"{"id":1,"Id":2,"ID":3}"#).expect("JSON");
    let landed = landing.land(&record, &mut Inference::new(Limits::default())).expect("it lands");
    assert_eq!(landed.cells, [Cell::Scalar(Scalar::Long(2)), Cell::Scalar(Scalar::Long(1))]);
    assert_eq!(landed.rescued.len(), 1);
}

#[test]
fn names_that_no_column_can_have_are_rescued_under_their_path() {
    check("a: long", r#"{"":1,"a":2}"#, "a: 2", "$['']: 1");
    check("a: struct<b: long>", r#"{"a":{"b":1},"a.b":2}"#, "a: {b: 1}", "$['a.b']: 2");
    check(
        "a: long",
        r#"{"_rescued_data":"{}","_Rescued_Data":1}"#,
        "",
        r#"$._rescued_data: "{}" | $._Rescued_Data: 1"#,
    );
    check("a: long", r#"{"\ud800":1,"\ud800":2}"#, "", r"$['\ud800']: 1 | $['\ud800']#2: 2");
    check("a.b: long", r#"{"a.b":1}"#, "a.b: 1", "");
}

#[test]
fn maps_take_the_members_of_objects() {
    check("m: map<string, long>", r#"{"m":{"b":1,"B":2,"":3}}"#, "m: ('b' = 1, 'B' = 2, '' = 3)", "");
    check(
        "m: map<string, long>",
        r#"{"m":{"a":"x","n":null}}"#,
        "m: ('a' = null, 'n' = null)",
        r#"$.m.a: "x""#,
    );
    check("m: map<string, long>", r#"{"m":{"a":1,"a":2}}"#, "m: ('a' = 2)", "$.m.a: 1");
    check("m: map<string, long>", r#"{"m":{"\ud800":1}}"#, "m: ()", r"$.m['\ud800']: 1");
    check("m: map<string, long!>", r#"{"m":{"a":1,"b":"x"}}"#, "", r#"$.m: {"a":1,"b":"x"}"#);
    check("m: map<long, long>", r#"{"m":{"1":1}}"#, "", r#"$.m: {"1":1}"#);
}

#[test]
fn what_must_have_a_value_and_has_none_takes_the_whole_with_it() {
    check("l: list<long!>", r#"{"l":[1,2]}"#, "l: [1, 2]", "");
    check("l: list<long!>", r#"{"l":[1,"x"]}"#, "", r#"$.l: [1,"x"]"#);
    check("l: list<long!>", r#"{"l":[1,null]}"#, "", "$.l: [1,null]");
    check("g: struct<x: long!, y: long>", r#"{"g":{"y":1.5}}"#, "", r#"$.g: {"y":1.5}"#);
    check(
        "l: list<struct<x: long!>>",
        r#"{"l":[{"x":1},{"x":"a"}]}"#,
        "l: [{x: 1}, null]",
        r#"$.l[1]: {"x":"a"}"#,
    );
    assert_eq!(not_landed("id: long!", "{}"), "column `id` must have a value: the record has none for it");
    assert_eq!(
        not_landed("id: long!", r#"{"id":null}"#),
        "column `id` must have a value: the record has none for it"
    );
    assert_eq!(not_landed("id: long!", r#"{"id":"x"}"#), "column `id` must have a value: \"x\" is no long");
    assert_eq!(
        not_landed("g: struct<x: long!>!", r#"{"g":{"x":1.5}}"#),
        "column `g.x` must have a value: 1.5 is no long"
    );
}

#[test]
fn only_objects_are_records() {
    for (line, found) in
        [("[]", "an array"), ("1", "a number"), ("\"{}\"", "a text"), ("null", "null"), ("true", "a boolean")]
    {
        assert_eq!(not_landed("a: long", line), format!("not an object: the record is {found}"));
    }
}

#[test]
fn rescued_data_is_a_json_object_in_the_order_of_the_record() {
    let landing = Landing::new(&schema_of("v: long, geo: struct<lat: double>")).expect("a landing");
    let record = parse(br#"{"geo":{"lat":1e400},"v":"text"}"#).expect("JSON");
    let landed = landing.land(&record, &mut Inference::new(Limits::default())).expect("it lands");
    let text = r#"{"$.geo.lat": "1e400", "$.v": "\"text\""}"#;
    assert_eq!(landed.cells.last(), Some(&Cell::Scalar(Scalar::Text(text.into()))));
    assert!(landing.has_rescued_data());
}

#[test]
fn a_column_that_cannot_hold_what_is_rescued_is_refused() {
    for (column_type, required) in [(PrimitiveType::Long, false), (PrimitiveType::String, true)] {
        let column = NestedField::new(1, "_Rescued_Data", Type::Primitive(column_type), required);
        let schema = Schema::builder().with_fields([Arc::new(column)]).build().expect("a schema");
        let error = Landing::new(&schema).expect_err("refused").to_string();
        assert!(error.contains("_Rescued_Data"), "{error}");
    }
}

#[test]
fn a_record_with_too_much_to_rescue_is_none_and_a_struct_is_rescued_as_a_whole() {
    let keys = |count: usize| (0..count).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>().join(",");
    let (row, rescued) = landed("a: long", &format!("{{\"a\":1,{}}}", keys(RESCUED_MAX)));
    assert_eq!((row.as_str(), rescued.matches("$.k").count()), ("a: 1", RESCUED_MAX));
    let line = format!("{{\"a\":1,{}}}", keys(RESCUED_MAX + 1));
    let record = parse(line.as_bytes()).unwrap();
    let landing = Landing::new(&schema_of("a: long")).unwrap();
    let refused = landing.land(&record, &mut Inference::new(Limits::default()));
    assert_eq!(refused.unwrap_err(), NotLanded::TooMuchRescued);
    let inside = format!("{{\"a\":1,\"s\":{{\"x\":1,{}}}}}", keys(RESCUED_MAX + 1));
    let (row, rescued) = landed("a: long, s: struct<x: long>", &inside);
    assert_eq!((row.as_str(), rescued.starts_with("$.s: {\"x\":1,")), ("a: 1", true));
}

#[test]
fn hostile_lists_are_rescued_as_a_whole() {
    let unfit = format!(r#"{{"l":[{}],"a":1}}"#, vec!["\"x\""; 1001].join(","));
    let (row, rescued) = landed("l: list<long>, a: long", &unfit);
    assert_eq!((row.as_str(), rescued.starts_with(r#"$.l: ["x","x""#)), ("a: 1", true));

    let columns: Vec<String> = (0..2_000).map(|at| format!("c{at}: long")).collect();
    let columns = format!("l: list<struct<{}>>", columns.join(", "));
    let (row, _) = landed(&columns, &format!(r#"{{"l":[{}]}}"#, ["{}"; 10].join(",")));
    assert!(row.starts_with("l: [{}"));
    let (row, rescued) = landed(&columns, &format!(r#"{{"l":[{}]}}"#, vec!["{}"; 2_000].join(",")));
    assert_eq!((row.as_str(), rescued.starts_with("$.l: [{},{}")), ("", true));
}
