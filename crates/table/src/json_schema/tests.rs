use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn columns(schema: &Value) -> Vec<String> {
    described(&parse(&schema.to_string()).unwrap_or_else(|error| panic!("{schema}: {error}")))
}

fn described(schema: &Schema) -> Vec<String> {
    let fields = schema.as_struct().fields().iter();
    fields.map(|field| format!("{} {}", field.name, evolve::type_text(&field.field_type))).collect()
}

/// The one column of a schema whose only property is the one given.
fn column(property: &Value) -> String {
    columns(&json!({"type": "object", "properties": {"c": property}})).remove(0)
}

fn error(property: &Value) -> String {
    let schema = json!({"type": "object", "properties": {"c": property}}).to_string();
    match parse(&schema) {
        Ok(schema) => panic!("{property} became {:?}", described(&schema)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn types_become_columns() {
    for (property, expected) in [
        (json!({"type": "string"}), "c string"),
        (json!({"type": "string", "format": "date-time"}), "c timestamptz"),
        (json!({"type": "string", "format": "date"}), "c date"),
        (json!({"type": "string", "format": "uuid"}), "c uuid"),
        (json!({"type": "string", "format": "email", "minLength": 3, "x-owner": "shop"}), "c string"),
        (json!({"type": "integer"}), "c long"),
        (json!({"type": "integer", "format": "int32", "minimum": 0}), "c int"),
        (json!({"type": "number"}), "c double"),
        (json!({"type": "boolean", "default": false}), "c boolean"),
        (json!({"type": ["string", "null"]}), "c string"),
        (json!({"type": ["null", "integer", "number"]}), "c double"),
        (json!({"enum": ["win", "loss", null]}), "c string"),
        (json!({"enum": [1, 2.5]}), "c double"),
        (json!({"const": true}), "c boolean"),
        (json!({"type": "string", "enum": ["a"]}), "c string"),
        (json!({"type": "array", "items": {"type": ["integer", "null"]}}), "c list<long>"),
        (json!({"items": {"items": {"type": "string"}}}), "c list<list<string>>"),
        (json!({"type": "object", "additionalProperties": {"type": "number"}}), "c map<string, double>"),
        (
            json!({"type": "object", "propertyNames": {"pattern": "^a"}, "additionalProperties": {"items": {"type": "string"}}}),
            "c map<string, list<string>>",
        ),
        (
            json!({"properties": {"a": {"type": "integer"}, "z": {"type": "string"}}, "additionalProperties": false, "required": ["z"]}),
            "c struct<a: long, z: string>",
        ),
        (json!({"anyOf": [{"type": "null"}, {"type": "string", "format": "date"}]}), "c date"),
        (json!({"oneOf": [{"type": "integer"}, {"type": "null"}]}), "c long"),
        (json!({"type": "string", "anyOf": [{"format": "date"}, {"pattern": "^$"}]}), "c string"),
        (json!({"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]}), "c string"),
        (json!({"type": "string", "not": {"const": "x"}, "$comment": "no x"}), "c string"),
    ] {
        assert_eq!(column(&property), expected, "{property}");
    }
}

#[test]
fn columns_stand_in_the_order_of_the_text_with_ids_and_comments() {
    let schema = parse(
        r#"{"type": "object", "properties": {
            "zeta": {"type": "string", "description": "the last letter but two"},
            "alpha": {"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "integer"}}},
            "never": false,
            "미드": {"type": "number"}}}"#,
    )
    .expect("a schema");
    assert_eq!(described(&schema), ["zeta string", "alpha struct<b: long, a: long>", "미드 double"]);
    let ids: Vec<i32> = schema.as_struct().fields().iter().map(|field| field.id).collect();
    assert_eq!(ids, [1, 2, 3], "the columns first, then what is inside them");
    assert_eq!(schema.field_by_name("alpha.a").map(|field| field.id), Some(5));
    assert_eq!(
        schema.field_by_name("zeta").and_then(|field| field.doc.clone()).as_deref(),
        Some("the last letter but two")
    );
    assert!(schema.field_id_to_fields().values().all(|field| !field.required));
}

#[test]
fn references_are_followed() {
    let schema = json!({
        "$defs": {
            "id": {"type": "string", "format": "uuid"},
            "a/b~c d": {"type": "integer"},
            "base": {"type": "object", "properties": {"event_id": {"$ref": "#/$defs/id"}}}
        },
        "allOf": [{"$ref": "#/$defs/base"}, {"required": ["event_id"]}],
        "properties": {"n": {"description": "beside a reference", "$ref": "#/$defs/a~1b~0c%20d"}}
    });
    assert_eq!(columns(&schema), ["n long", "event_id uuid"]);
}

#[test]
fn alternatives_of_objects_bring_the_fields_of_all() {
    let schema = json!({"oneOf": [
        {"properties": {"method": {"type": "string"}, "n": {"type": "integer"}, "type": {"const": "login"}}},
        {"properties": {"amount": {"type": "number"}, "n": {"type": "number"}, "type": {"const": "purchase"}}}
    ]});
    assert_eq!(columns(&schema), ["method string", "n double", "type string", "amount double"]);
}

#[test]
fn what_columns_cannot_follow_is_an_error_with_its_place() {
    for (property, expected) in [
        (json!({}), "schema at $.properties.c: `type` is missing"),
        (json!(true), "`type` is missing"),
        (
            json!({"type": "null"}),
            "`type` is missing: nothing says of which type the values are when they are not null",
        ),
        (json!({"type": "text"}), "$.properties.c: `type` `text` is not known"),
        (json!({"type": 3}), "`type` must be a text or a list of texts"),
        (json!({"type": ["string", "integer"]}), "`type` joins string and long in one column"),
        (json!({"enum": ["a", 1]}), "`enum` joins string and long"),
        (json!({"enum": [{"a": 1}]}), "`enum` of lists or objects needs a `type`"),
        (json!({"type": "array"}), "$.properties.c: `items` is missing"),
        (json!({"type": "array", "items": [{"type": "string"}]}), "`items` must be one schema"),
        (json!({"type": "array", "prefixItems": []}), "`prefixItems` is not supported"),
        (json!({"type": "object"}), "$.properties.c: `properties` is missing"),
        (json!({"type": "object", "additionalProperties": true}), "`properties` is missing"),
        (
            json!({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            "`additionalProperties` beside `properties` is not supported",
        ),
        (json!({"patternProperties": {}}), "`patternProperties` is not supported"),
        (json!({"if": {}, "then": {}}), "`if` is not supported"),
        (
            json!({"$ref": "https://example.com/x"}),
            "`$ref` leads to `https://example.com/x`: only places of the same file",
        ),
        (json!({"$ref": "#/$defs/x"}), "`$ref` leads to `#/$defs/x`, which is not there"),
        (json!({"$ref": "#/properties/c"}), "to itself: a column's type has an end"),
        (json!({"properties": {"d": {"$ref": "#"}}}), "to itself"),
        (
            json!({"oneOf": [{"type": "string"}, {"items": {"type": "string"}}]}),
            "`oneOf` joins string and a list",
        ),
        (json!({"anyOf": {}}), "`anyOf` must be a list"),
        (json!("string"), "`schema` must be an object or a boolean"),
        (
            json!({"properties": {"a-b": {"items": {}}}}),
            "schema at $.properties.c.properties['a-b']: `items` is missing",
        ),
        (
            json!({"properties": {"": {"type": "string"}}}),
            "$.properties.c.properties['']: `properties` has an empty name",
        ),
        (
            json!({"properties": {"a": {"type": "string"}, "A": {"type": "string"}}}),
            "`properties` has this name twice",
        ),
    ] {
        let found = error(&property);
        assert!(found.contains(expected), "{property}: {found}");
    }
}

#[test]
fn a_table_needs_an_object_with_columns() {
    for (text, expected) in [
        ("{", "no JSON: EOF while parsing an object at line 1 column 1"),
        ("{\"type\": \"object\", \"type\": \"object\"}", "`type` stands twice"),
        ("{}", "$: `type` must be `object`"),
        ("[]", "$: `schema` must be an object or a boolean"),
        (r#"{"type": "array", "items": {"type": "string"}}"#, "$: `type` must be `object`"),
        (r#"{"type": "object"}"#, "$: `properties` is missing"),
        (
            r#"{"properties": {"_Rescued_Data": {"type": "string"}}}"#,
            "$.properties._Rescued_Data: `properties` cannot have",
        ),
        (
            r#"{"properties": {"a.b": {"type": "string"}, "a": {"properties": {"b": {"type": "string"}}}}}"#,
            "makes no table",
        ),
    ] {
        let found = parse(text).map(|schema| described(&schema)).expect_err(text).to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn references_that_multiply_are_given_up() {
    let mut definitions = serde_json::Map::new();
    for n in 0..60 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        definitions.insert(format!("d{n}"), json!({"properties": {"a": next, "b": next}}));
    }
    definitions.insert("d60".to_owned(), json!({"type": "string"}));
    let schema = json!({"$defs": definitions, "$ref": "#/$defs/d0"});
    let found = parse(&schema.to_string()).expect_err("too large").to_string();
    assert!(found.contains("too large or too deep"), "{found}");
}

#[test]
fn difference_tells_what_a_table_lacks() {
    let wanted = json!({"properties": {
        "Id": {"type": "string"},
        "geo": {"properties": {"city": {"type": "string"}}},
        "items": {"items": {"properties": {"n": {"type": "integer"}}}},
        "m": {"additionalProperties": {"type": "integer"}}}});
    let table = |change: &dyn Fn(&mut Value)| {
        let mut schema = wanted.clone();
        schema["properties"]["more"] = json!({"type": "string"});
        schema["properties"]["geo"]["properties"]["lat"] = json!({"type": "number"});
        change(&mut schema);
        difference(&parse(&wanted.to_string()).expect("wanted"), &parse(&schema.to_string()).expect("table"))
    };
    assert_eq!(table(&|_| ()), None, "more columns are no difference");
    assert_eq!(
        table(&|schema| schema["properties"]["geo"]["properties"]["city"] = json!({"type": "integer"})),
        Some("column `geo.city` is long in the table, not string".to_owned())
    );
    assert_eq!(
        table(&|schema| schema["properties"]["items"] =
            json!({"items": {"properties": {"x": {"type": "integer"}}}})),
        Some("the table has no column `items.element.n`".to_owned())
    );
    assert_eq!(
        table(&|schema| schema["properties"]["m"]["additionalProperties"] = json!({"type": "number"})),
        Some("column `m.value` is double in the table, not long".to_owned())
    );
}

#[test]
fn reports_can_be_loaded_into_a_table_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/ingest-report.schema.json");
    let schema = parse(&std::fs::read_to_string(path).expect("the schema of reports")).expect("a schema");
    let detail = schema.field_by_name("sources_detail.element.compression").expect("a column");
    assert_eq!(*detail.field_type, Type::Primitive(PrimitiveType::String));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\":,a-c#/$0-9 ]{0,40}") {
        let _ = parse(&text);
    }
}
