//! A record as the validator takes it, without a copy: the tree that was read is what is checked.
//!
//! That is so for records in which nothing is unusual: each name once, spelled as the contract spells it, all texts whole.
//! Others are copied first (`instance`), and so is what is wrong, for the words that say so.

use std::borrow::Cow;
use std::collections::HashSet;

use hosu_table::json::{JsonKind, JsonValue, Member, Name};
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::{Number, Value};

use super::instance::{self, Names};

/// Names of larger objects are compared by their hashes.
const COMPARED_MAX: usize = 32;

/// Records as trees of what was read.
pub(super) struct Plain;

/// A place in such a tree, or the name of a member.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Value(&'a JsonValue<'a>),
    Name(&'a str),
}

/// Whether a record is checked as it was read.
pub(super) fn is_plain(record: &JsonValue<'_>, names: Option<&Names>) -> bool {
    match &record.kind {
        JsonKind::Null | JsonKind::Boolean(_) | JsonKind::Number => true,
        JsonKind::Text => !record.source.contains('\\') || record.text().is_some(),
        JsonKind::Array(elements) => {
            elements.held().is_some_and(|held| held.iter().all(|element| is_plain(element, names)))
        }
        JsonKind::Object(members) => {
            are_different(members)
                && members.iter().all(|member| {
                    member.name.text().is_some_and(|name| {
                        let inside = names.and_then(|names| names.inside(name));
                        names.is_none_or(|names| names.other_spelling(name).is_none())
                            && is_plain(&member.value, inside)
                    })
                })
        }
    }
}

fn are_different(members: &[Member<'_>]) -> bool {
    if members.len() > COMPARED_MAX {
        let mut seen = HashSet::with_capacity(members.len());
        return members.iter().all(|member| seen.insert(&member.name));
    }
    members.iter().enumerate().all(|(at, member)| {
        !members.get(..at).unwrap_or_default().iter().any(|before| before.name == member.name)
    })
}

fn text<'a>(member: &'a Member<'a>) -> &'a str {
    match &member.name {
        Name::Text(text) => text,
        Name::Unstorable(text) => text,
    }
}

impl Json for Plain {
    type Node<'a> = Place<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    const ACYCLIC: bool = true;
    // Each lookup goes through all members.
    const KEYS_PER_LOOKUP: usize = 1;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Place<'_>) -> T) -> T {
        f(Place::Name(string))
    }
}

impl<'a> Node<'a, Plain> for Place<'a> {
    type Object = &'a [Member<'a>];
    type Array = &'a [JsonValue<'a>];
    type Number = Digits<'a>;

    fn as_object(&self) -> Option<Self::Object> {
        match self {
            Place::Value(JsonValue { kind: JsonKind::Object(members), .. }) => Some(members),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Self::Array> {
        match self {
            Place::Value(JsonValue { kind: JsonKind::Array(elements), .. }) => elements.held(),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Place::Value(value) => value.text(),
            Place::Name(name) => Some(Cow::Borrowed(name)),
        }
    }

    fn as_number(&self) -> Option<Digits<'a>> {
        match self {
            Place::Value(JsonValue { source, kind: JsonKind::Number }) => Some(Digits(source)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Place::Value(JsonValue { kind: JsonKind::Boolean(value), .. }) => Some(*value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.json_type() == JsonType::Null
    }

    fn is_number(&self) -> bool {
        self.json_type() == JsonType::Number
    }

    fn json_type(&self) -> JsonType {
        match self {
            Place::Name(_) => JsonType::String,
            Place::Value(value) => match value.kind {
                JsonKind::Null => JsonType::Null,
                JsonKind::Boolean(_) => JsonType::Boolean,
                JsonKind::Number => JsonType::Number,
                JsonKind::Text => JsonType::String,
                JsonKind::Array(_) => JsonType::Array,
                JsonKind::Object(_) => JsonType::Object,
            },
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (expected, self.as_string()) {
            (Value::String(expected), Some(text)) => *expected == *text,
            (Value::String(_), None) | (_, Some(_)) => false,
            _ => jsonschema_equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Place::Value(value) => instance::value(value, None),
            Place::Name(name) => Value::String((*name).to_owned()),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Place::Value(value) => {
                Some(NodeIdentity::new(std::ptr::from_ref::<JsonValue<'a>>(value) as usize))
            }
            Place::Name(_) => None,
        }
    }
}

/// Equality of JSON: numbers by their value.
fn jsonschema_equal(a: &Value, b: &Value) -> bool {
    <&Value as Node<'_, jsonschema::json::SerdeJson>>::equals_value(&a, b)
}

impl<'a> Object<'a, Plain> for &'a [Member<'a>] {
    type Node = Place<'a>;
    type MemberName = &'a str;
    type MembersIter =
        std::iter::Map<std::slice::Iter<'a, Member<'a>>, fn(&'a Member<'a>) -> (&'a str, Place<'a>)>;

    fn len(&self) -> usize {
        <[Member<'a>]>::len(self)
    }

    fn get(&self, key: &String) -> Option<Place<'a>> {
        self.iter().find(|member| text(member) == key).map(|member| Place::Value(&member.value))
    }

    fn members(&self) -> Self::MembersIter {
        self.iter().map(|member| (text(member), Place::Value(&member.value)))
    }
}

impl<'a> Array<'a, Plain> for &'a [JsonValue<'a>] {
    type Node = Place<'a>;
    type ElementsIter =
        std::iter::Map<std::slice::Iter<'a, JsonValue<'a>>, fn(&'a JsonValue<'a>) -> Place<'a>>;

    fn len(&self) -> usize {
        <[JsonValue<'a>]>::len(self)
    }

    fn elements(&self) -> Self::ElementsIter {
        self.iter().map(Place::Value)
    }
}

/// A number as it was written.
pub(super) struct Digits<'a>(&'a str);

impl JsonNumber for Digits<'_> {
    fn as_u64(&self) -> Option<u64> {
        instance::number(self.0).as_u64()
    }

    fn as_i64(&self) -> Option<i64> {
        instance::number(self.0).as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        instance::number(self.0).as_f64()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(instance::number(self.0).to_string())
    }

    // What is beyond 64 bits is written with an exponent once it is a double.
    fn is_written_as_integer(&self) -> bool {
        JsonNumber::is_written_as_integer(&instance::number(self.0))
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(instance::number(self.0))
    }
}
