//! The short way and the plain one make the same of any line, or the short one leaves it.

use hosu_table::json::list_places_max;
use proptest::prelude::*;

use super::round_trip::records;
use super::*;
use crate::contract::Contract;

/// All that can be seen of lines that were decoded.
fn decoded(
    schema: &Schema,
    lines: &[Vec<u8>],
    plainly: bool,
    contract: Option<&Contract>,
) -> (usize, Decoded) {
    let decoder = if plainly { Decoder::plain(schema) } else { Decoder::new(schema) };
    let mut decoder = held_to(decoder.expect("a decoder"), schema, contract);
    for (line, number) in lines.iter().zip(1..) {
        decoder.push(line, Place { byte_offset: number * 1_000, line_number: number }).expect("room");
    }
    (decoder.bytes_estimated(), decoder.finish().expect("a batch"))
}

fn held_to(decoder: Decoder, schema: &Schema, contract: Option<&Contract>) -> Decoder {
    let checker = contract.map(|contract| Arc::new(contract.for_columns(schema)));
    checker.into_iter().fold(decoder, |decoder, checker| decoder.checked_by(checker, schema))
}

fn check(schema: &Schema, lines: &[Vec<u8>]) {
    check_with(schema, lines, None);
}

fn check_with(schema: &Schema, lines: &[Vec<u8>], contract: Option<&Contract>) {
    let (plain_bytes, plain) = decoded(schema, lines, true, contract);
    let (bytes, short) = decoded(schema, lines, false, contract);
    let text = || lines.iter().map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>();
    for (short, plain) in short.batch.columns().iter().zip(plain.batch.columns()) {
        short.to_data().validate_full().expect("a sound array");
        assert_eq!(short, plain, "{}", text());
    }
    assert_eq!(short.batch.schema(), plain.batch.schema());
    assert_eq!(short.batch.num_rows(), plain.batch.num_rows());
    assert_eq!(short.rejects, plain.rejects);
    assert_eq!(short.rescued.total(), plain.rescued.total());
    assert_eq!(short.rescued.columns(), plain.rescued.columns());
    assert_eq!(short.unknown.additions(schema), plain.unknown.additions(schema));
    assert_eq!(bytes, plain_bytes, "{}", text());
}

/// How many of the lines take the short way.
fn short_rows(schema: &Schema, lines: &[&str]) -> usize {
    let mut decoder = Decoder::new(schema).expect("a decoder");
    lines.iter().filter(|line| decoder.put_direct(line.as_bytes())).count()
}

/// The columns of [`wide_schema`] with values of which most fit.
const VALUES: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false", "null", "tru", "1"]),
    ("int", &["0", "-12", "2147483647", "2147483648", "1e3"]),
    (
        "long",
        &[
            "0",
            "-0",
            "12",
            "999999999999999999",
            "9223372036854775807",
            "9223372036854775808",
            "1.0",
            "01",
            "-",
        ],
    ),
    ("float", &["0.5", "0.1", "1"]),
    (
        "double",
        &[
            "0.1",
            "-0.0",
            "123456789012345.5",
            "9007199254740993",
            "1e22",
            "1e400",
            "3",
            "1.",
            "0.30000000000000004",
        ],
    ),
    ("decimal", &["\"12.5\"", "12.5", "12.345"]),
    ("date", &["\"2024-02-29\"", "\"2023-02-29\""]),
    ("time", &["\"12:30:00.5\"", "\"25:00:00\""]),
    ("timestamp", &["\"2024-02-29T12:00:00\"", "\"2024-02-29T12:00:00Z\""]),
    (
        "timestamptz",
        &[
            "\"2024-02-29T12:00:00Z\"",
            "\"2024-02-29T12:00:00.123Z\"",
            "\"2024-02-29T12:00:00+09:00\"",
            "\"2024-02-30T12:00:00Z\"",
            "\"x\"",
            "\"2024\\u002d02-29T12:00:00Z\"",
        ],
    ),
    ("timestamptz_ns", &["\"2024-02-29T12:00:00.123456789Z\""]),
    (
        "string",
        &[
            "\"\"",
            "\"a\"",
            "\"호수\"",
            "\"caf\\u00e9 \\\" \\\\\"",
            "\"\\ud800\"",
            "\"a\tb\"",
            "\"long enough for eight bytes\"",
            "12",
            "\"open",
        ],
    ),
    ("uuid", &["\"00000000-0000-0000-0000-00000000000a\"", "\"A\""]),
    ("binary", &["\"AQID\"", "\"!\""]),
    ("fixed", &["\"AQID\"", "\"AQ==\""]),
    (
        "struct",
        &[
            "{}",
            "{\"x\":1}",
            "{\"x\":1,\"l\":[\"a\",null]}",
            "{\"l\":[],\"x\":null}",
            "{\"y\":1}",
            "{\"x\":1,\"x\":2}",
            "[]",
            "{\"y\":null}",
        ],
    ),
    ("structs", &["[]", "[{\"x\":1},null,{\"l\":[]},{}]", "[{\"x\":\"a\"}]", "[1]", "[{},]", "{}"]),
    ("map", &["{\"k\":{\"x\":1}}", "null"]),
    ("number_map", &["{\"1\":1}", "null"]),
    ("unknown", &["null", "1", "{}"]),
    ("other", &["null"]),
    ("Long", &["null", "1"]),
    ("_rescued_data", &["null", "1"]),
    ("l\\u006fng", &["1"]),
];

/// What a contract may say about a column; of some of it a single place cannot tell.
const RULES: &[&str] = &[
    r#"{"type": "integer"}"#,
    r#"{"type": ["integer", "null"], "minimum": 0, "title": "a"}"#,
    r#"{"type": "string"}"#,
    r#"{"type": ["string", "null"], "maxLength": 5}"#,
    r#"{"type": ["string", "boolean"], "minLength": 1, "maximum": 3}"#,
    r#"{"enum": ["a", 12, null, true, 0.5]}"#,
    r#"{"const": "12.5"}"#,
    r#"{"type": ["number", "null"]}"#,
    r#"{"type": "number", "multipleOf": 0.5}"#,
    r#"{"type": ["boolean", "string"], "format": "date-time"}"#,
    r#"{"anyOf": [{"type": "string", "pattern": "^[a2]"}, {"type": ["null", "object"]}]}"#,
    r#"{"not": {"const": ""}}"#,
    r##"{"$ref": "#/$defs/small"}"##,
    r##"{"$ref": "#/$defs/object", "description": "b"}"##,
    r##"{"type": "array", "items": {"$ref": "#/$defs/object"}}"##,
    r##"{"type": ["array", "null"], "items": {"type": "object", "properties": {"x": {"$ref": "#/$defs/small"}}}}"##,
    r##"{"anyOf": [{"$ref": "#/$defs/small"}, {"type": "string"}]}"##,
    r##"{"$ref": "#/$defs/small", "minimum": 1}"##,
    r#"{"type": "array", "minItems": 1}"#,
    r#"{"type": "object", "minProperties": 1}"#,
    r#"{"type": "object", "properties": {"X": {"type": "integer"}}, "required": ["X"]}"#,
    r#"{"type": "object", "properties": {"x": {}, "z": {"type": "string"}}}"#,
    "{}",
    "true",
    "false",
];

/// A contract about some of the columns of [`wide_schema`].
fn contract() -> impl Strategy<Value = String> {
    let column = (0..VALUES.len(), 0..RULES.len());
    let shape = (any::<u8>(), any::<bool>(), any::<bool>());
    (prop::collection::vec(column, 0..5), shape).prop_map(|(mut columns, (required, closed, draft_7))| {
        // Names that come twice would make it no contract, and one of them is another with an escape.
        columns.retain(|(column, _)| !VALUES[*column].0.contains('\\'));
        columns.sort_by_key(|(column, _)| *column);
        columns.dedup_by_key(|(column, _)| *column);
        let named = columns.iter().map(|(column, rules)| (VALUES[*column].0, RULES[*rules]));
        let properties: Vec<String> = named.map(|(name, rules)| format!("\"{name}\": {rules}")).collect();
        let required = columns.first().filter(|_| required < 64).map(|(column, _)| VALUES[*column].0);
        format!(
            r#"{{"$schema": "{}", "properties": {{{}}}, "required": {:?}, "additionalProperties": {}, "$defs":
                {{"small": {{"type": ["number", "null"], "exclusiveMaximum": 13}}, "object": {{"type": ["object", "null"],
                "properties": {{"x": {{"type": "integer"}}, "l": {{"items": {{"type": "string"}}}}}}, "required": ["x"],
                "additionalProperties": false}}}}}}"#,
            if draft_7 {
                "http://json-schema.org/draft-07/schema#"
            } else {
                "https://json-schema.org/draft/2020-12/schema"
            },
            properties.join(", "),
            required.as_slice(),
            !closed,
        )
    })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let member = (0..VALUES.len(), any::<prop::sample::Index>()).prop_map(|(at, value)| {
        let (name, values) = VALUES[at];
        // The first value of each fits: half of all are such.
        let value = value.index(values.len() * 2);
        (at, format!("\"{name}\""), values.get(value).unwrap_or(&values[0]))
    });
    let shape = (any::<bool>(), any::<bool>(), 0..12_u8, any::<prop::sample::Index>(), any::<u8>());
    (prop::collection::vec(member, 0..8), shape).prop_map(|(mut members, shape)| {
        let (in_order, compact, damage, place, byte) = shape;
        if in_order {
            members.sort_by_key(|(at, _, _)| *at);
            members.dedup_by_key(|(at, _, _)| *at);
        }
        let (colon, comma) = if compact { (":", ",") } else { (" : ", ", ") };
        let members: Vec<String> = members.into_iter().map(|(_, name, value)| name + colon + value).collect();
        let mut line = format!("{{{}}}", members.join(comma)).into_bytes();
        match damage {
            0 => line.truncate(place.index(line.len())),
            1 => {
                let at = place.index(line.len());
                line[at] = byte;
            }
            2 => line.insert(place.index(line.len()), byte),
            _ => {}
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_that_mostly_fit(lines in prop::collection::vec(line(), 1..8)) {
        check(&wide_schema(), &lines);
    }

    #[test]
    fn lines_that_mostly_keep_a_contract(lines in prop::collection::vec(line(), 1..8), contract in contract()) {
        let contract = Contract::parse(&contract).expect("a contract");
        check_with(&wide_schema(), &lines, Some(&contract));
    }

    #[test]
    fn any_records_of_any_schema(records in records(), sample in 0..6_usize) {
        let mut inference = Inference::new(Limits::default());
        for record in records.iter().take(sample) {
            inference.observe(&parse(record.as_bytes()).expect("JSON"));
        }
        let lines: Vec<Vec<u8>> = records.into_iter().map(String::into_bytes).collect();
        check(&inference.schema().expect("a schema"), &lines);
    }

    #[test]
    fn any_bytes(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..4)) {
        check(&wide_schema(), &lines);
    }
}

#[test]
fn usual_lines_take_the_short_way() {
    let lines = [
        r#"{"long":1,"string":"a","struct":{"x":1,"l":["a",null]},"structs":[{"x":1},null,{}]}"#,
        r#"{ "string" : "a\n" , "long" : 9223372036854775807 }"#,
        r#"{"unknown":null,"other":null,"double":1e3,"timestamptz":"2024-02-29T12:00:00+09:00"}"#,
        r#"{"uuid":"00000000-0000-0000-0000-00000000000a","decimal":1.5}"#,
        "{}\r",
    ];
    assert_eq!(short_rows(&wide_schema(), &lines), lines.len());
    let unusual = [
        r#"{"long":1.5}"#,
        r#"{"long":1,"long":1}"#,
        r#"{"long":null,"long":1}"#,
        r#"{"unknown":null,"unknown":null}"#,
        r#"{"unknown":1}"#,
        r#"{"l\u006fng":1}"#,
        r#"{"LONG":1}"#,
        r#"{"_rescued_data":"a"}"#,
        r#"{"struct":{"x":"1"}}"#,
        r#"{"map":{}}"#,
        r#"{"long":1} x"#,
        "[]",
    ];
    assert_eq!(short_rows(&wide_schema(), &unusual), 0);
}

#[test]
fn a_name_that_cannot_stand_in_json_as_it_is_matches_nothing() {
    let schema = schema_of(vec![scalar("a\":1,\"b", PrimitiveType::Long), scalar("b", PrimitiveType::Long)]);
    let lines = [&br#"{"a":1,"b":2}"#[..], br#"{"a\":1,\"b":3}"#].map(<[u8]>::to_vec);
    check(&schema, &lines);
}

#[test]
fn columns_that_must_have_a_value_are_seen() {
    let required = Arc::new(NestedField::required(0, "must", Type::Primitive(PrimitiveType::Long)));
    let inner = struct_of(vec![required.clone(), scalar("may", PrimitiveType::Long)]);
    let schema = schema_of(vec![required, field("inner", inner.clone()), field("list", list_of(inner))]);
    let lines = [
        r#"{"must":1,"inner":{"must":1},"list":[{"must":1,"may":2},null]}"#,
        r#"{"must":null}"#,
        r#"{"inner":{"must":1}}"#,
        r#"{"must":1,"inner":{"may":1}}"#,
        r#"{"must":1,"inner":{"must":null}}"#,
        r#"{"must":1,"list":[{"must":1},{"may":1}]}"#,
        r#"{"must":2}"#,
    ];
    check(&schema, &lines.map(|line| line.as_bytes().to_vec()));
    assert_eq!(short_rows(&schema, &lines), 2);
}

#[test]
fn long_lists_go_the_short_way_up_to_the_limit_of_the_plain_one() {
    let long = format!("{{\"struct\":{{\"l\":[{}null]}}}}", "null,".repeat(70_000));
    assert_eq!(short_rows(&wide_schema(), &[&long]), 1);
    check(&wide_schema(), &[long.into_bytes()]);
    let columns = (0..300).map(|n| scalar(&format!("c{n}"), PrimitiveType::Long)).collect();
    let schema = schema_of(vec![field("rows", list_of(struct_of(columns)))]);
    let line = |rows: usize| format!("{{\"rows\":[{}{{}}]}}", "{},".repeat(rows - 1));
    let fit = (1..10_000).take_while(|rows| rows * 300 <= list_places_max(line(*rows).len())).count();
    assert!(fit > 3_000, "{fit}");
    assert_eq!(short_rows(&schema, &[&line(fit)]), 1);
    assert_eq!(short_rows(&schema, &[&line(fit + 1)]), 0);
    check(&schema, &[fit, fit + 1].map(|rows| format!(" {}\t", line(rows)).into_bytes()));
}

#[test]
fn deep_nesting_is_left_to_the_plain_way() {
    let mut column = Type::Primitive(PrimitiveType::Long);
    for _ in 0..300 {
        column = list_of(column);
    }
    let deep = schema_of(vec![field("deep", column)]);
    for levels in [255, 256, 299] {
        let line = format!("{{\"deep\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        check(&deep, &[line.into_bytes(), b"{}".to_vec()]);
    }
}

/// How many of the lines take the short way under a contract.
fn short_rows_under(contract: &str, lines: &[&str]) -> usize {
    let schema = wide_schema();
    let contract = Contract::parse(contract).expect("a contract");
    check_with(
        &schema,
        &lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>(),
        Some(&contract),
    );
    let mut decoder = held_to(Decoder::new(&schema).expect("a decoder"), &schema, Some(&contract));
    if !decoder.direct_is_held {
        return 0;
    }
    lines.iter().filter(|line| decoder.put_direct(line.as_bytes())).count()
}

#[test]
fn usual_lines_that_keep_a_usual_contract_take_the_short_way() {
    let contract = r##"{"type": "object", "required": ["long", "struct"], "properties": {
        "long": {"type": "integer", "minimum": 0}, "string": {"type": "string", "maxLength": 4},
        "timestamptz": {"type": "string", "format": "date-time"}, "decimal": {"type": "string", "pattern": "^[0-9.]+$"},
        "boolean": {"const": true}, "struct": {"$ref": "#/$defs/inner"},
        "structs": {"type": "array", "items": {"$ref": "#/$defs/inner"}}},
        "$defs": {"inner": {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": false}}}"##;
    let lines = [
        r#"{"long":1,"struct":{"x":1}}"#,
        r#"{"string":"a\u00e9","struct":{},"long":0,"other":null,"double":1.5}"#,
        r#"{"long":1,"struct":{},"structs":[{},{"x":2}],"timestamptz":"2024-02-29T12:00:00Z","decimal":"1.5"}"#,
        r#"{"long":1,"struct":{},"boolean":true}"#,
    ];
    assert_eq!(short_rows_under(contract, &lines), lines.len());
    let unusual = [
        r#"{"long":-1,"struct":{}}"#,
        r#"{"struct":{}}"#,
        r#"{"long":null,"struct":{}}"#,
        r#"{"long":1,"struct":{"l":[]}}"#,
        r#"{"long":1,"struct":{"x":null}}"#,
        r#"{"long":1,"struct":{},"structs":[null]}"#,
        r#"{"long":1,"struct":{},"string":"abcde"}"#,
        r#"{"long":1,"struct":{},"timestamptz":"2024-02-29T12:00:00"}"#,
        r#"{"long":1,"struct":{},"decimal":1.5}"#,
        r#"{"long":1,"struct":{},"boolean":false}"#,
    ];
    assert_eq!(short_rows_under(contract, &unusual), 0);
}

#[test]
fn contracts_about_more_than_single_places_are_for_whole_records() {
    for contract in [
        r#"{"anyOf": [{"required": ["long"]}, {"required": ["string"]}]}"#,
        r#"{"if": {"required": ["long"]}, "then": {"required": ["string"]}}"#,
        r#"{"patternProperties": {"^l": {"type": "integer"}}}"#,
        r#"{"additionalProperties": {"type": "integer"}}"#,
        r#"{"maxProperties": 3}"#,
        r#"{"required": ["nowhere"]}"#,
        r#"{"properties": {"LONG": {"type": "integer"}}}"#,
        r#"{"properties": {"struct": {"const": {"x": 1}}}}"#,
        r#"{"properties": {"structs": {"uniqueItems": true}}}"#,
        r##"{"properties": {"long": {"$ref": "#a"}}, "$defs": {"b": {"$anchor": "a", "type": "integer"}}}"##,
        r##"{"$defs": {"b": {"$id": "b", "type": "integer"}}}"##,
        r#"{"type": "array"}"#,
    ] {
        let lines = [r#"{"long":1,"string":"a"}"#, r#"{"struct":{"x":1}}"#];
        assert_eq!(short_rows_under(contract, &lines), 0, "{contract}");
    }
}
