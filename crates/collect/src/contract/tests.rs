use hosu_table::json::{Inference, Landing, Limits, parse};
use hosu_table::json_schema;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The reason why a record is rejected by a contract whose columns are the table's.
fn check(schema: &Value, record: &str) -> Result<(), String> {
    let columns = json_schema::parse(&schema.to_string()).expect("columns");
    checked(&Contract::parse(&schema.to_string()).expect("a contract"), &columns, record)
}

fn checked(contract: &Contract, columns: &Schema, record: &str) -> Result<(), String> {
    let checker = contract.for_columns(columns);
    let record = parse(record.as_bytes()).expect("JSON");
    if plain::is_plain(&record, Some(&checker.names)) {
        let copied = instance::of(&record, &checker.names);
        let plain = checker.validators.plain.is_valid(Place::Value(&record));
        assert_eq!(plain, checker.validators.copied.is_valid(&copied), "{copied}");
    }
    checker.check(&record)?;
    let landing = Landing::new(columns).expect("a landing");
    let landed = landing.land(&record, &mut Inference::new(Limits::default())).expect("landed");
    landed.rescued.iter().find_map(|rescued| checker.refuses(rescued)).map_or(Ok(()), Err)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["id", "at"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "mail": {"type": "string", "format": "email", "maxLength": 30},
            "ip": {"type": "string", "format": "ipv4"},
            "kind": {"enum": ["a", "b"]},
            "version": {"const": 2},
            "level": {"type": "integer", "minimum": 0, "exclusiveMaximum": 100},
            "share": {"type": "number", "multipleOf": 0.5},
            "code": {"type": "string", "pattern": "^[a-z]{2}$", "minLength": 2},
            "tags": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"$ref": "#/$defs/tag"}},
            "geo": {"type": "object", "required": ["lat"], "properties": {
                "lat": {"type": "number", "maximum": 90}, "a b": {"type": "integer"}}}
        },
        "$defs": {"tag": {"type": "string", "minLength": 1}}
    })
}

const GOOD: &str = r#""id":"137892f5-3be0-41ed-99a3-4de87b726b69","at":"2026-03-06T00:00:48.130Z""#;

#[test]
fn violations_name_keyword_and_path() {
    for (more, expected) in [
        (r#""level":-1"#, "contract: minimum at $.level: -1 is less than the minimum of 0"),
        (
            r#""level":100"#,
            "contract: exclusiveMaximum at $.level: 100 is greater than or equal to the maximum of 100",
        ),
        (r#""level":"x""#, r#"contract: type at $.level: "x" is not of type "integer""#),
        (r#""level":1.5"#, r#"contract: type at $.level: 1.5 is not of type "integer""#),
        (r#""kind":"c""#, r#"contract: enum at $.kind: "c" is not one of "a" or "b""#),
        (r#""version":3"#, "contract: const at $.version: 2 was expected"),
        (r#""share":0.3"#, "contract: multipleOf at $.share: 0.3 is not a multiple of 0.5"),
        (r#""code":"ABC""#, "contract: pattern at $.code: \"ABC\" does not match \"^[a-z]{2}$\""),
        (r#""day":"2023-02-29""#, r#"contract: format at $.day: "2023-02-29" is not a "date""#),
        (r#""mail":"nobody""#, r#"contract: format at $.mail: "nobody" is not a "email""#),
        (r#""ip":"1.2.3.400""#, r#"contract: format at $.ip: "1.2.3.400" is not a "ipv4""#),
        (r#""tags":[]"#, "contract: minItems at $.tags: the array has less than 1 item"),
        (r#""tags":["a","a"]"#, "contract: uniqueItems at $.tags: the array has non-unique elements"),
        (r#""tags":["a",""]"#, "contract: minLength at $.tags[1]: \"\" is shorter than 1 character"),
        (r#""geo":{"lat":91}"#, "contract: maximum at $.geo.lat: 91 is greater than the maximum of 90"),
        (r#""geo":{}"#, "contract: required at $.geo: \"lat\" is a required property"),
        (r#""geo":{"lat":1,"a b":"x"}"#, r#"contract: type at $.geo['a b']: "x" is not of type "integer""#),
    ] {
        assert_eq!(check(&schema(), &format!("{{{GOOD},{more}}}")), Err(expected.to_owned()));
    }
    assert_eq!(
        check(&schema(), "{}"),
        Err("contract: required at $: \"id\" is a required property".to_owned())
    );
    let all = r#""level":99,"kind":"a","version":2.0,"share":1.5,"code":"ab","day":"2024-02-29","ip":"1.2.3.4","mail":"a@b.cd","tags":["a"],"geo":{"lat":1,"a b":1},"more":{"x":[1]}"#;
    assert_eq!(check(&schema(), &format!("{{{GOOD},{all}}}")), Ok(()));
}

#[test]
fn a_value_that_its_column_cannot_hold_is_a_violation_too() {
    for (more, expected) in [
        (
            r#""level2":9223372036854775808"#,
            "contract: column at $.level2: 9223372036854775808 does not land unchanged in `level2` of type long",
        ),
        (
            r#""big":1e400"#,
            "contract: column at $.big: 1e400 does not land unchanged in `big` of type double",
        ),
        (
            r#""at":"2026-03-06T00:00:48.1234567Z""#,
            "contract: column at $.at: \"2026-03-06T00:00:48.1234567Z\" does not land unchanged in `at` of type timestamptz",
        ),
        (
            r#""tags":[{"n":1},{"n":18446744073709551616}]"#,
            "contract: column at $.tags[1].n: 18446744073709551616 does not land unchanged in `tags.element.n` of type long",
        ),
        (
            r#""text":"\ud800""#,
            "contract: column at $.text: \"\\ud800\" does not land unchanged in `text` of type string",
        ),
        (
            r#""level2":1,"level2":2"#,
            "contract: column at $.level2: 1 does not land unchanged in `level2` of type long",
        ),
    ] {
        let schema = json!({"type": "object", "properties": {
            "level2": {"type": "integer"}, "big": {"type": "number"}, "text": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
            "tags": {"items": {"type": "object", "properties": {"n": {"type": "integer"}}}}}});
        assert_eq!(check(&schema, &format!("{{{more}}}")), Err(expected.to_owned()));
    }
}

#[test]
fn what_the_contract_does_not_name_is_rescued_as_ever() {
    let columns =
        json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}});
    let columns = json_schema::parse(&columns.to_string()).unwrap();
    let contract = Contract::parse(r#"{"properties": {"a": {"minimum": 0}}}"#).unwrap();
    assert_eq!(checked(&contract, &columns, r#"{"b":"text"}"#), Ok(()));
    let found = checked(&contract, &columns, r#"{"a":"text"}"#).unwrap_err();
    assert!(found.starts_with("contract: column at $.a:"), "{found}");
    let all = Contract::parse(r#"{"additionalProperties": {"type": ["integer", "string"]}}"#).unwrap();
    assert!(checked(&all, &columns, r#"{"b":"text"}"#).is_err(), "it says something about every field");
}

#[test]
fn numbers_are_exact_within_64_bits() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 9_007_199_254_740_993_i64}}});
    assert_eq!(check(&schema, r#"{"n":9007199254740993}"#), Ok(()));
    let found = check(&schema, r#"{"n":9007199254740994}"#).unwrap_err();
    assert!(found.starts_with("contract: maximum at $.n:"), "{found}");
    assert!(check(&schema, r#"{"n":1e400}"#).unwrap_err().starts_with("contract: maximum"));
    assert_eq!(check(&schema, r#"{"n":1.0}"#), Ok(()));
    assert_eq!(check(&schema, r#"{"n":-0}"#), Ok(()));
}

#[test]
fn in_draft_4_a_number_is_an_integer_by_how_it_is_written() {
    let schema = json!({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"n": {"type": "integer"}}});
    let contract = Contract::parse(&schema.to_string()).unwrap();
    for (number, is_integer) in
        [("1", true), ("-98249283749234923498293171823948729348", true), ("1.0", false), ("1e2", false)]
    {
        let record = format!("{{\"n\":{number}}}");
        let record = parse(record.as_bytes()).unwrap();
        let copied = contract.validators.copied.is_valid(&instance::value(&record, None));
        assert_eq!(
            (contract.validators.plain.is_valid(Place::Value(&record)), copied),
            (is_integer, is_integer),
            "{number}"
        );
    }
}

#[test]
fn names_in_another_case_are_those_of_their_columns() {
    let schema = json!({"type": "object", "properties": {
        "Level": {"type": "integer", "minimum": 0}, "geo": {"type": "object", "properties": {"Lat": {"type": "number", "maximum": 90}}}}});
    assert!(check(&schema, r#"{"LEVEL":-1}"#).unwrap_err().starts_with("contract: minimum at $.Level:"));
    assert!(
        check(&schema, r#"{"GEO":{"lat":91}}"#).unwrap_err().starts_with("contract: maximum at $.geo.Lat:")
    );
    // The column's own spelling lands, and the other has no place in it.
    let found = check(&schema, r#"{"level":-1,"Level":1}"#).unwrap_err();
    assert!(found.starts_with("contract: column at $.level:"), "{found}");
    // A contract may spell a column as the table does not.
    let contract =
        Contract::parse(r#"{"required": ["level"], "properties": {"level": {"minimum": 0}}}"#).unwrap();
    let columns = json_schema::parse(&schema.to_string()).unwrap();
    for (record, expected) in [
        (r#"{"Level":-1}"#, "contract: minimum at $.level: -1"),
        (r#"{"level":-1}"#, "contract: minimum at $.level: -1"),
        (r#"{"LEVEL":-1}"#, "contract: minimum at $.level: -1"),
        (r#"{"LEVEL":9223372036854775808}"#, "contract: column at $.LEVEL: 9223372036854775808"),
        (r#"{"geo":{}}"#, "contract: required at $"),
    ] {
        let found = checked(&contract, &columns, record).unwrap_err();
        assert!(found.starts_with(expected), "{record}: {found}");
    }
    assert_eq!(checked(&contract, &columns, r#"{"Level":0}"#), Ok(()));
    let found = checked(&contract, &columns, r#"{"Level":-1,"level":5}"#).unwrap_err();
    assert!(found.starts_with("contract: minimum at $.level: -1"), "the table's own spelling lands: {found}");
}

#[test]
fn of_alternatives_the_one_is_told_that_was_meant() {
    let schema = json!({"type": "object", "oneOf": [
        {"properties": {"kind": {"const": "login"}, "n": {"type": "integer"}}},
        {"properties": {"kind": {"const": "sale"}, "amount": {"type": "number", "exclusiveMinimum": 0}}}]});
    let found = check(&schema, r#"{"kind":"sale","amount":0}"#).unwrap_err();
    assert!(found.starts_with("contract: exclusiveMinimum at $.amount: 0 is less"), "{found}");
    let found = check(&schema, r#"{"kind":"none"}"#).unwrap_err();
    assert_eq!(
        found,
        "contract: oneOf at $: the object is not valid under any of the schemas listed in the 'oneOf' keyword"
    );
    assert!(check(&schema, "{}").unwrap_err().contains("valid under more than one"));
}

#[test]
fn what_is_no_contract_is_refused_with_its_place() {
    for (text, expected) in [
        ("{", "no JSON"),
        ("[]", "schema at $: a contract must be a JSON object"),
        ("true", "a contract must be a JSON object"),
        (r#"{"type": "strnig"}"#, "schema at $.type: \"strnig\" is not"),
        (r#"{"type": "object", "type": "object"}"#, "`type` stands twice"),
        (
            r#"{"properties": {"a": {"minimum": "0"}}}"#,
            "schema at $.properties.a.minimum: \"0\" is not of type \"number\"",
        ),
        (r#"{"required": "a"}"#, "schema at $.required:"),
        (r#"{"properties": {"a": 3}}"#, "schema at $.properties.a:"),
        (
            r#"{"$ref": "https://example.com/x.json"}"#,
            "`$ref` leads to `https://example.com/x.json`: only places of the same schema",
        ),
        (
            r#"{"properties": {"a": {"$ref": "other.json#/x"}}}"#,
            "schema at $.properties.a: `$ref` leads to `other.json#/x`",
        ),
        (r##"{"$ref": "#/$defs/none"}"##, "none"),
        (r#"{"$id": "https://example.com/", "$ref": "https://example.com/y"}"#, "example.com/y"),
        (r#"{"pattern": "("}"#, "schema at $.pattern: "),
        (r#"{"pattern": "(a{1000}){1000}"}"#, "schema at $.pattern: "),
        (r#"{"pattern": "a(?=b)"}"#, "schema at $.pattern: "),
        (r#"{"pattern": "^(?!x)"}"#, "or one with look-around or back references"),
        (
            r#"{"$schema": "https://example.com/mine"}"#,
            "schema at $: `$schema` is \"https://example.com/mine\": known are 2020-12, 2019-09 and the drafts 7, 6 and 4",
        ),
        (r#"{"$schema": "http://json-schema.org/draft-03/schema#"}"#, "draft-03/schema#\": known are"),
    ] {
        let error = Contract::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let long = format!("{{\"title\": \"{}\"}}", "x".repeat(1 << 20));
    let error = Contract::parse(&long).unwrap_err().to_string();
    assert_eq!(error, "the schema has 1048589 bytes, and a contract may have 262144");
    let deep = format!("{}true{}", "{\"not\":".repeat(120), "}".repeat(120));
    assert!(Contract::parse(&deep).is_ok());
    let too_deep = format!("{}true{}", "{\"not\":".repeat(5_000), "}".repeat(5_000));
    assert!(Contract::parse(&too_deep).unwrap_err().to_string().contains("recursion limit"));
}

#[test]
fn a_pattern_that_would_explode_matches_in_time() {
    let contract = Contract::parse(r#"{"properties": {"a": {"pattern": "^(a+)+$"}}}"#).unwrap();
    let columns =
        json_schema::parse(r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#).unwrap();
    let record = format!("{{\"a\":\"{}!\"}}", "a".repeat(100_000));
    let found = checked(&contract, &columns, &record).unwrap_err();
    assert!(found.starts_with("contract: pattern at $.a:") && found.len() < 1_000, "{found}");
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    let columns =
        json_schema::parse(r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#).unwrap();
    let tree = r##"{"properties": {"n": {"type": "integer"}, "down": {"$ref": "#"}}}"##;
    let tree = Contract::parse(tree).unwrap();
    let nested = format!("{}{{\"n\":\"x\"}}{}", "{\"down\":".repeat(250), "}".repeat(250));
    let found = checked(&tree, &columns, &nested).unwrap_err();
    assert!(found.starts_with("contract: type at $.down.down"), "{found}");
    for circle in [
        r##"{"$ref": "#"}"##,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
        r##"{"allOf": [{"$ref": "#"}], "properties": {"a": {"type": "string"}}}"##,
    ] {
        if let Ok(contract) = Contract::parse(circle) {
            assert_eq!(checked(&contract, &columns, r#"{"a":"x"}"#), Ok(()), "{circle}");
        }
    }
}

#[test]
fn a_property_that_is_required_beside_another_is_told_so() {
    let columns =
        json_schema::parse(r#"{"type": "object", "properties": {"a": {"type": "integer"}}}"#).unwrap();
    for (schema, expected) in [
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            "contract: dependentRequired at $: \"b\" is a required property",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}}),
            "contract: dependencies at $: \"b\" is a required property",
        ),
        (
            json!({"dependentSchemas": {"a": {"required": ["b"]}}}),
            "contract: required at $: \"b\" is a required property",
        ),
    ] {
        let contract = Contract::parse(&schema.to_string()).unwrap();
        assert_eq!(checked(&contract, &columns, r#"{"a":1}"#), Err(expected.to_owned()));
    }
}

#[test]
fn what_a_reference_by_name_leads_to_is_named_too() {
    let columns = json!({"type": "object", "properties": {
        "o": {"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}}}}});
    let columns = json_schema::parse(&columns.to_string()).unwrap();
    let inside = json!({"properties": {"n": {"type": "integer"}}});
    let with = |name: &str, value: &str| {
        let mut schema = inside.clone();
        schema[name] = json!(value);
        schema
    };
    for (reference, place) in [
        ("#x", with("$anchor", "x")),
        ("inner.json", with("$id", "inner.json")),
        ("https://example.com/inner.json", with("$id", "inner.json")),
        ("inner.json", json!({"$id": "inner.json", "$ref": "#/$defs/e", "$defs": {"e": inside}})),
        ("inner.json#/properties/p", json!({"$id": "inner.json", "properties": {"p": inside}})),
    ] {
        let schema = json!({"$id": "https://example.com/outer", "properties": {"o": {"$ref": reference}}, "$defs": {"d": place}});
        let contract = Contract::parse(&schema.to_string()).unwrap();
        let found = checked(&contract, &columns, r#"{"o":{"n":9223372036854775808}}"#).unwrap_err();
        assert!(found.starts_with("contract: column at $.o.n:"), "{reference}: {found}");
        assert_eq!(checked(&contract, &columns, r#"{"o":{"m":"rescued","n":1}}"#), Ok(()), "{reference}");
    }
    let dynamic =
        json!({"properties": {"o": {"$dynamicRef": "#x"}}, "$defs": {"d": with("$dynamicAnchor", "x")}});
    let contract = Contract::parse(&dynamic.to_string()).unwrap();
    let found = checked(&contract, &columns, r#"{"o":{"n":9223372036854775808}}"#).unwrap_err();
    assert!(found.starts_with("contract: column at $.o.n:"), "{found}");
}

#[test]
fn rejects_are_grouped_by_what_is_the_same() {
    for (reason, group) in [
        ("not JSON: expected a value, found 'x', at byte 3", "not JSON"),
        ("contract: minimum at $.level: -1 is less than the minimum of 0", "contract: minimum at $.level"),
        ("contract: type at $.a[12].b[3]: 1 is not", "contract: type at $.a[*].b[*]"),
        (r"contract: type at $['a: b\''].x: 1 is not", r"contract: type at $['a: b\''].x"),
        ("not an object: the record is null", "not an object"),
    ] {
        assert_eq!(group_of(reason), group, "{reason}");
    }
}

/// Any JSON of few names and values, so that they meet those of the schema.
fn any_json() -> impl Strategy<Value = Value> {
    let numbers =
        [json!(0), json!(-1), json!(1.0), json!(2.5), json!(1e300), json!(u64::MAX), json!(i64::MIN)];
    let scalars =
        [json!(null), json!(true), json!("a"), json!("ab\n\u{d55c}"), json!("2024-02-29"), json!("")];
    let leaf = proptest::sample::select([numbers.to_vec(), scalars.to_vec()].concat());
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = proptest::sample::select(vec!["a", "b", "c", "A", "d e"]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((name, inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// A schema with most keywords, about the names that [`any_json`] has.
fn demanding() -> Value {
    json!({
        "type": "object",
        "minProperties": 1, "maxProperties": 4,
        "propertyNames": {"maxLength": 2},
        "required": ["a"],
        "dependentRequired": {"b": ["a"]},
        "properties": {
            "a": {"anyOf": [{"$ref": "#/$defs/small"}, {"type": ["string", "array", "object", "null"]}]},
            "b": {"oneOf": [{"type": "integer"}, {"const": {"a": 1}}, {"enum": [[0], "a", null]}]},
            "c": {"type": "array", "uniqueItems": true, "contains": {"type": "number"}, "maxItems": 3, "items": {"not": {"const": ""}}}
        },
        "patternProperties": {"^A": {"$ref": "#"}},
        "additionalProperties": {"type": ["string", "object"], "minLength": 1},
        "$defs": {"small": {"type": "number", "minimum": -1, "exclusiveMaximum": 10, "multipleOf": 0.5}}
    })
}

proptest::proptest! {
    #[test]
    fn a_record_as_it_was_read_and_its_copy_are_judged_alike(record in any_json()) {
        let contract = Contract::parse(&demanding().to_string()).unwrap();
        let text = record.to_string();
        let read = parse(text.as_bytes()).unwrap();
        let plain = contract.validators.plain.is_valid(Place::Value(&read));
        proptest::prop_assert_eq!(plain, contract.validators.copied.is_valid(&record), "{}", record);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\":,a-c#/$0-9 ]{0,40}", record in "[{}\\[\\]\":,a-c0-9 ]{0,40}") {
        let contract = Contract::parse(&text).or_else(|_| Contract::parse(r#"{"properties": {"a": {"type": "integer"}}}"#));
        let columns = json_schema::parse(r#"{"properties": {"a": {"type": "string"}}}"#).unwrap();
        if let (Ok(contract), Ok(record)) = (contract, parse(record.as_bytes())) {
            let checker = contract.for_columns(&columns);
            let _ = checker.check(&record);
            if plain::is_plain(&record, Some(&checker.names)) {
                let copied = instance::of(&record, &checker.names);
                let plain = checker.validators.plain.is_valid(Place::Value(&record));
                proptest::prop_assert_eq!(plain, checker.validators.copied.is_valid(&copied), "{}", copied);
            }
        }
    }
}
