//! Whatever the records are: from the row and `_rescued_data` alone they can be made again, under the rule.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, TimestampMicrosecondType};
use hosu_table::json::{JsonKind, JsonValue, Name};
use proptest::prelude::*;

use super::*;
use crate::json::RescuedColumn;

/// A JSON value without what the rule allows to differ.
#[derive(Clone, Debug, PartialEq)]
enum Model {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    Array(Vec<Model>),
    /// All values of each name, in their order. Names in the form of [`name_text`].
    Object(BTreeMap<String, Vec<Model>>),
}

fn model(value: &JsonValue<'_>) -> Model {
    match &value.kind {
        JsonKind::Null => Model::Null,
        JsonKind::Boolean(boolean) => Model::Boolean(*boolean),
        JsonKind::Number => number(value.source),
        JsonKind::Text => match value.text() {
            Some(text) => text_model(&text),
            None => Model::Text(format!("no UTF-8: {}", value.source)),
        },
        JsonKind::Array(elements) => Model::Array(elements.iter().map(|element| model(&element)).collect()),
        JsonKind::Object(members) => {
            let mut names: BTreeMap<String, Vec<Model>> = BTreeMap::new();
            for member in members {
                names.entry(name_text(&member.name)).or_default().push(model(&member.value));
            }
            // Null is absent.
            names.retain(|_, values| *values != [Model::Null]);
            Model::Object(names)
        }
    }
}

fn name_text(name: &Name<'_>) -> String {
    match name {
        Name::Text(text) => format!("text {text}"),
        Name::Unstorable(text) => format!("half {text}"),
    }
}

fn number(source: &str) -> Model {
    let number = Number::read(source).expect(source);
    if number.is_integer() {
        Model::Number(format!("{number:?}"))
    } else {
        double(source.parse().expect(source))
    }
}

fn double(double: f64) -> Model {
    if double.fract() == 0.0 {
        let digits = format!("{double:.0}");
        Model::Number(format!("{:?}", Number::read(&digits).expect("digits")))
    } else {
        Model::Number(format!("{double:?}"))
    }
}

fn text_model(text: &str) -> Model {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) if time.timestamp_subsec_nanos() % 1_000 == 0 => {
            Model::Text(format!("instant {}", time.timestamp_micros()))
        }
        _ => Model::Text(text.to_owned()),
    }
}

/// What a column holds.
fn stored(array: &ArrayRef, row: usize) -> Model {
    if array.is_null(row) {
        return Model::Null;
    }
    match array.data_type() {
        DataType::Boolean => Model::Boolean(array.as_boolean().value(row)),
        DataType::Int64 => number(&array.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Float64 => double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Model::Text(chrono::NaiveDate::from_epoch_days(days).expect("a date").to_string())
        }
        DataType::Timestamp(..) => {
            Model::Text(format!("instant {}", array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::Utf8 => text_model(array.as_string::<i32>().value(row)),
        DataType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            Model::Array((0..elements.len()).map(|at| stored(&elements, at)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields);
            object(columns.map(|(column, field)| (field.name().as_str(), stored(column, row))))
        }
        other => panic!("no column of {other} is inferred"),
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, Model)>) -> Model {
    let present = members.filter(|(_, value)| *value != Model::Null);
    Model::Object(present.map(|(name, value)| (format!("text {name}"), vec![value])).collect())
}

fn row_of(batch: &RecordBatch, row: usize) -> Model {
    let schema = batch.schema();
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.filter(|(_, field)| field.name() != rejects::RESCUED_DATA);
    let mut record = object(columns.map(|(column, field)| (field.name().as_str(), stored(column, row))));
    let rescued = batch.column_by_name(rejects::RESCUED_DATA).expect("the column").as_string::<i32>();
    if rescued.is_valid(row) {
        let rescued: BTreeMap<String, String> = serde_json::from_str(rescued.value(row)).expect("an object");
        overlay(&mut record, &rescued);
    }
    record
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    Element(usize),
}

/// Puts what was rescued back into its place.
fn overlay(record: &mut Model, rescued: &BTreeMap<String, String>) {
    let mut places: BTreeMap<Vec<Step>, BTreeMap<Option<usize>, Model>> = BTreeMap::new();
    for (path, source) in rescued {
        let (steps, nth) = read_path(path);
        let value = model(&parse(source.as_bytes()).expect(source));
        let before = places.entry(steps).or_default().insert(nth, value);
        assert_eq!(before, None, "{path} is there once");
    }
    for (mut steps, values) in places {
        let last = steps.pop().expect("never the record itself");
        let parent = steps.iter().fold(&mut *record, |place, step| inside(place, step));
        match (parent, last) {
            (Model::Array(elements), Step::Element(at)) => {
                assert_eq!(elements[at], Model::Null);
                elements[at] = values.into_values().next().expect("a value");
            }
            (Model::Object(members), Step::Member(name)) => {
                // Numbered from the first: the column has the last, under the column's own spelling.
                if values.contains_key(&Some(1)) {
                    let column = same_but_case(members, &name).expect("the last one has landed");
                    let landed = members.remove(&column).expect("it is there");
                    members.insert(name.clone(), landed);
                }
                let landed = members.remove(&name).unwrap_or_default();
                members.insert(name, values.into_values().chain(landed).collect());
            }
            (parent, last) => panic!("{last:?} in {parent:?}"),
        }
    }
}

fn inside<'m>(place: &'m mut Model, step: &Step) -> &'m mut Model {
    match (place, step) {
        (Model::Array(elements), Step::Element(at)) => &mut elements[*at],
        (Model::Object(members), Step::Member(name)) => {
            let name = if members.contains_key(name) {
                name.clone()
            } else {
                same_but_case(members, name).expect("a struct")
            };
            members.get_mut(&name).and_then(|values| values.last_mut()).expect("a value")
        }
        (place, step) => panic!("{step:?} in {place:?}"),
    }
}

fn same_but_case(members: &BTreeMap<String, Vec<Model>>, name: &str) -> Option<String> {
    members.keys().find(|other| other.to_lowercase() == name.to_lowercase()).cloned()
}

/// The steps of a path, and which of a repeated name's values it means.
fn read_path(path: &str) -> (Vec<Step>, Option<usize>) {
    let mut rest = path.strip_prefix('$').expect("a path");
    let mut steps = Vec::new();
    loop {
        if let Some(quoted) = rest.strip_prefix("['") {
            let mut escaped = false;
            let end = quoted.find(|c| {
                let closes = c == '\'' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            let end = end.expect("a closing quote");
            steps.push(Step::Member(read_quoted(&quoted[..end])));
            rest = quoted[end..].strip_prefix("']").expect("a bracket");
        } else if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']').expect("a bracket");
            steps.push(Step::Element(index.parse().expect("an index")));
            rest = after;
        } else if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[', '#']).unwrap_or(name.len());
            steps.push(Step::Member(format!("text {}", &name[..end])));
            rest = &name[end..];
        } else if let Some(nth) = rest.strip_prefix('#') {
            return (steps, Some(nth.parse().expect("a number")));
        } else {
            assert_eq!(rest, "", "{path}");
            return (steps, None);
        }
    }
}

fn read_quoted(quoted: &str) -> String {
    let json = format!("\"{}\"", quoted.replace("\\'", "'").replace('"', "\\\""));
    let object = format!("{{{json}:0}}");
    let value = parse(object.as_bytes()).expect("a name");
    match &value.kind {
        JsonKind::Object(members) => name_text(&members[0].name),
        _ => unreachable!(),
    }
}

/// Equal, when the names of columns may have another case than those of the record.
fn same(record: &Model, made: &Model) -> bool {
    match (record, made) {
        (Model::Object(a), Model::Object(b)) => {
            let other = |name: &String| {
                let exact = b.get(name);
                exact.or_else(|| {
                    b.iter()
                        .find(|(n, _)| !a.contains_key(*n) && n.to_lowercase() == name.to_lowercase())
                        .map(|(_, v)| v)
                })
            };
            a.len() == b.len()
                && a.iter().all(|(name, values)| {
                    other(name).is_some_and(|made| {
                        values.len() == made.len() && values.iter().zip(made).all(|(a, b)| same(a, b))
                    })
                })
        }
        (Model::Array(a), Model::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1e3",
    "-12.50",
    "0.1",
    "0.30000000000000004",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.5",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "1e22",
    "1e23",
    "1e400",
    "-1E+400",
    "1e-400",
    "0.99999999999999999999999",
];

const TEXTS: [&str; 17] = [
    "",
    "a",
    "12",
    "caf\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\u0000",
    "2024-02-29",
    "2023-02-29",
    "2024-02-29T12:00:00Z",
    "2024-02-29T12:00:00.123456+09:00",
    "2024-02-29T12:00:00.123456789Z",
    "2016-12-31T23:59:60Z",
    "2024-02-29T12:00:00",
    "{}",
    "\\\"\\\\",
    "호수",
];

const NAMES: [&str; 17] = [
    "a",
    "b",
    "A",
    "c",
    "a",
    "b",
    "a.b",
    "c.a",
    "",
    "_rescued_data",
    "_RESCUED_DATA",
    "\\u0061",
    "it's",
    "Ä",
    "ä",
    "\\ud800",
    "\\\\ud800\\n",
];

fn leaf() -> impl Strategy<Value = String> {
    let quoted = |text: &str| format!("\"{text}\"");
    prop_oneof![
        1 => Just("null".to_owned()),
        1 => any::<bool>().prop_map(|boolean| boolean.to_string()),
        2 => prop::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|integer| integer.to_string()),
        1 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|fraction| format!("{fraction:e}")),
        2 => prop::sample::select(&TEXTS[..]).prop_map(quoted),
    ]
}

fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4)
                .prop_map(|elements| format!("[{}]", elements.join(" , "))),
            members(inside),
        ]
    })
}

fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member =
        (prop::sample::select(&NAMES[..]), value).prop_map(|(name, value)| format!("\"{name}\": {value}"));
    prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

pub(super) fn records() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(members(value()), 1..6)
}

fn check_rows(schema: &Schema, records: &[String]) -> Decoded {
    let lines: Vec<&str> = records.iter().map(String::as_str).collect();
    let decoded = decode(schema, &lines);
    assert_eq!((decoded.batch.num_rows(), decoded.rejects.len()), (records.len(), 0));
    for (row, record) in records.iter().enumerate() {
        let expected = model(&parse(record.as_bytes()).expect(record));
        let made = row_of(&decoded.batch, row);
        assert!(same(&expected, &made), "{record}\nexpected {expected:?}\nmade     {made:?}\n{schema}");
    }
    decoded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn records_can_be_made_again(records in records(), sample in 0..6_usize) {
        let mut inference = Inference::new(Limits::default());
        for record in records.iter().take(sample) {
            inference.observe(&parse(record.as_bytes()).expect("JSON"));
        }
        let mut schema = inference.schema().expect("a schema");
        // A table learns new fields in one round.
        let decoded = check_rows(&schema, &records);
        let additions = decoded.unknown.additions(&schema);
        schema = evolve::add_fields(&schema, schema.highest_field_id(), &additions).expect("it grows").schema;
        let decoded = check_rows(&schema, &records);
        prop_assert_eq!(decoded.unknown.additions(&schema), vec![]);
    }

    #[test]
    fn chunks_can_be_decoded_apart(records in records(), cut in 0..6_usize) {
        let schema = schema_of(vec![scalar("c", PrimitiveType::Long)]);
        // Of names that differ only in case the one seen first is the column's, and a chunk does not know the others.
        let apart = |record: &String| {
            let record = record.replace("\"A\"", "\"x\"").replace("Ä", "ö");
            record.replace("_RESCUED_DATA", "y")
        };
        let records: Vec<String> = records.iter().map(apart).collect();
        let lines: Vec<&str> = records.iter().map(String::as_str).collect();
        let (first, second) = lines.split_at(cut.min(lines.len()));
        let whole = decode(&schema, &lines);
        let (mut first, second) = (decode(&schema, first), decode(&schema, second));
        first.unknown.merge(second.unknown);
        first.rescued.merge(second.rescued);
        prop_assert_eq!(first.unknown.additions(&schema), whole.unknown.additions(&schema));
        // The lines of both parts are counted from 1 here.
        let told = |rescued: &Rescues| -> Vec<RescuedColumn> {
            rescued.columns().iter().map(|column| RescuedColumn { place: Place::default(), ..column.clone() }).collect()
        };
        prop_assert_eq!(told(&first.rescued), told(&whole.rescued));
    }

    #[test]
    fn no_line_breaks_the_decoder(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = Decoder::new(&wide_schema()).expect("a decoder");
        decoder.push(&line, Place::default()).expect("room");
        let decoded = decoder.finish().expect("a batch");
        prop_assert!(decoded.batch.num_rows() + decoded.rejects.len() <= 1);
    }
}
