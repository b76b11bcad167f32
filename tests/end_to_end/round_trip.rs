//! JSON in, SQL out: what SELECT prints, with `_rescued_data` laid over it, are the events that went in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Place;
use super::dice::Dice;

/// The events of a table as SELECT prints them, by the text of their field `key`.
fn selected(place: &Place, table: &str, key: &str) -> BTreeMap<String, Value> {
    let statement = format!("select * from {table}");
    let run = place.hosu(&["sql", "--format", "ndjson", "-c", &statement]).ok();
    let rows = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    by_key(rows.map(with_rescued), key)
}

fn by_key(events: impl Iterator<Item = Value>, key: &str) -> BTreeMap<String, Value> {
    events.map(|event| (event[key].to_string(), canonical(&event))).collect()
}

/// A row with what was rescued put back to its place.
fn with_rescued(mut row: Value) -> Value {
    let rescued = row.as_object_mut().unwrap().remove("_rescued_data").unwrap_or_default();
    if let Some(text) = rescued.as_str() {
        let rescued: Map<String, Value> = serde_json::from_str(text).unwrap();
        for (path, source) in rescued {
            *at(&mut row, &path) = serde_json::from_str(source.as_str().unwrap()).unwrap();
        }
    }
    row
}

/// The place of a path such as `$.geo.lat` or `$.items[2]`; objects on the way are made.
fn at<'a>(row: &'a mut Value, path: &str) -> &'a mut Value {
    let steps = path.strip_prefix('$').unwrap().replace('[', ".").replace(']', "");
    steps.split('.').skip(1).fold(row, |value, step| match value {
        Value::Array(elements) => &mut elements[step.parse::<usize>().unwrap()],
        value => {
            if value.is_null() {
                *value = json!({});
            }
            value.as_object_mut().unwrap().entry(step).or_insert(Value::Null)
        }
    })
}

/// A value without what the rule of docs/unchanged.md allows to differ: null and absent, the spelling of a number, and
/// zeros at the end of a second's fraction.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), canonical(value)));
            let present: Map<_, _> = members.filter(|(_, value)| !value.is_null()).collect();
            // A struct whose fields are all NULL and an object without members are both nothing.
            if present.is_empty() { Value::Null } else { Value::Object(present) }
        }
        Value::Array(elements) => elements.iter().map(canonical).collect(),
        Value::Number(number) => {
            let double = number.as_f64().unwrap();
            let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            // An integer that a double holds exactly may be spelled as one.
            if integer.is_some_and(|integer| double as i128 != integer) {
                value.clone()
            } else {
                json!(double)
            }
        }
        Value::String(text) => json!(without_trailing_zeros(text)),
        other => other.clone(),
    }
}

fn without_trailing_zeros(text: &str) -> String {
    let is_time = text.len() > 20 && text.as_bytes()[10] == b'T' && text.as_bytes()[19] == b'.';
    match text.strip_suffix('Z').filter(|_| is_time) {
        Some(time) => format!("{}Z", time.trim_end_matches('0').trim_end_matches('.')),
        None => text.to_owned(),
    }
}

#[track_caller]
fn assert_round_trip(place: &Place, table: &str, events: &str, key: &str) {
    let went_in = by_key(events.lines().map(|line| serde_json::from_str(line).unwrap()), key);
    let came_out = selected(place, table, key);
    assert_eq!(went_in.len(), events.lines().count(), "`{key}` tells events apart");
    assert_eq!(came_out.len(), went_in.len());
    for (id, event) in &went_in {
        assert_eq!(came_out.get(id), Some(event), "{id}");
    }
}

#[test]
fn sample_events_come_back_as_they_were() {
    let place = Place::new();
    let sample = |name: &str| format!("{}/../../sample-data/{name}", env!("CARGO_MANIFEST_DIR"));
    for (table, file, key) in
        [("game", "game-events.ndjson", "event_id"), ("audit", "cloudtrail.ndjson", "eventID")]
    {
        place.ingest(&[table, &sample(file)]);
        assert_round_trip(&place, table, &std::fs::read_to_string(sample(file)).unwrap(), key);
    }
}

#[test]
fn events_of_any_shape_come_back_as_they_were() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let place = Place::new();
        let mut all = String::new();
        // The second file meets a table that exists and may lack fields.
        for file in ["first.ndjson", "second.ndjson"] {
            let ids = all.lines().count()..all.lines().count() + 150;
            let events: String = ids.map(|id| format!("{}\n", dice.event(id))).collect();
            place.write(file, &events);
            let report = place.ingest(&["t", file]);
            assert_eq!((&report["rows"], &report["rejected"]), (&json!(150), &json!(0)), "seed {seed}");
            all.push_str(&events);
        }
        assert_round_trip(&place, "t", &all, "id");
    }
}
