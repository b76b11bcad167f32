//! What a contract says about each place of a record, where that can be told place by place.
//!
//! Most contracts name types, required members and limits of single values. A record can be held to such a one while it
//! is read, without a tree of its values (`json::direct`). Whatever else a contract has, be it alternatives of objects or
//! names by pattern, the answer here is `None`, and whole records are checked. So the validator decides what a contract
//! means, here about single values and there about records, and tests compare the two.

use hosu_table::json::{JsonKind, JsonValue, NumberToken};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};

use super::compiled_as;
use super::named::{percent_decoded, subschemas};
use super::plain::{Place, Plain};

/// So many references are followed from one to the next.
const REFERENCES_MAX: usize = 8;

/// Keywords that say nothing about a value.
const REMARKS: [&str; 11] = [
    "$comment",
    "$defs",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Keywords about texts alone, and about numbers alone.
const OF_TEXTS: [&str; 6] =
    ["contentEncoding", "contentMediaType", "format", "maxLength", "minLength", "pattern"];
const OF_NUMBERS: [&str; 5] = ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];

/// Keywords that make a schema depend on where it stands.
const OF_PLACE: [&str; 8] =
    ["$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$ref", "id"];

/// A schema, and the one that it is a part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    root: &'a Value,
    draft: Draft,
    at: &'a Value,
}

/// What is said about objects.
#[derive(Debug)]
pub(crate) struct ObjectRules<'a> {
    /// Whether null may stand for the object.
    pub(crate) takes_null: bool,
    /// Whether an object may stand there at all.
    pub(crate) takes_objects: bool,
    /// Whether names that are not among its properties may come.
    pub(crate) is_open: bool,
    /// The names that must be there.
    pub(crate) required: Vec<&'a str>,
    properties: Option<&'a Map<String, Value>>,
    of: Rules<'a>,
}

/// What is said about lists.
#[derive(Debug)]
pub(crate) struct ListRules<'a> {
    /// Whether null may stand for the list.
    pub(crate) takes_null: bool,
    /// Whether a list may stand there at all.
    pub(crate) takes_lists: bool,
    /// What is said about its elements.
    pub(crate) elements: Option<Rules<'a>>,
}

/// What is said about texts, numbers, booleans and null.
#[derive(Debug)]
pub(crate) struct ScalarRules {
    /// Whether null may stand there.
    pub(crate) takes_null: bool,
    takes_false: bool,
    takes_true: bool,
    numbers: Judge,
    texts: Judge,
    validator: Validator<Plain>,
}

/// Which values of a kind are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judge {
    All,
    None,
    Integers,
    /// Those that the validator takes.
    Some,
}

impl<'a> Rules<'a> {
    /// A whole contract. None if parts of it have names of their own: what a reference means depends on them.
    pub(super) fn of(root: &'a Value, draft: Draft) -> Option<Self> {
        let mut waiting: Vec<&Value> = subschemas(root).collect();
        while let Some(node) = waiting.pop() {
            if ["$id", "id"].iter().any(|key| node.get(key).is_some_and(Value::is_string)) {
                return None;
            }
            waiting.extend(subschemas(node));
        }
        Some(Self { root, draft, at: root })
    }

    /// What it says if an object is to stand there.
    pub(crate) fn object(self) -> Option<ObjectRules<'a>> {
        let of = self.followed()?;
        let node = match of.at {
            Value::Bool(all) => {
                let (takes_null, takes_objects, is_open) = (*all, *all, true);
                let (required, properties) = (Vec::new(), None);
                return Some(ObjectRules { takes_null, takes_objects, is_open, required, properties, of });
            }
            node => node.as_object()?,
        };
        let is_known = |key: &str| ["properties", "required", "additionalProperties"].contains(&key);
        if !of.has_only(node, is_known) {
            return None;
        }
        let required = node.get("required").map_or(Some(Vec::new()), |names| {
            names.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        })?;
        let is_open = node.get("additionalProperties").map_or(Some(true), Value::as_bool)?;
        let properties = match node.get("properties") {
            Some(properties) => Some(properties.as_object()?),
            None => None,
        };
        let (takes_null, takes_objects) = (has_type(node, "null"), has_type(node, "object"));
        Some(ObjectRules { takes_null, takes_objects, is_open, required, properties, of })
    }

    /// What it says if a list is to stand there.
    pub(crate) fn list(self) -> Option<ListRules<'a>> {
        let of = self.followed()?;
        let node = match of.at {
            Value::Bool(all) => {
                return Some(ListRules { takes_null: *all, takes_lists: *all, elements: None });
            }
            node => node.as_object()?,
        };
        if !of.has_only(node, |key| key == "items") {
            return None;
        }
        let elements = match node.get("items") {
            // One schema for each place.
            Some(Value::Array(_)) => return None,
            Some(at) => Some(Self { at, ..of }),
            None => None,
        };
        Some(ListRules { takes_null: has_type(node, "null"), takes_lists: has_type(node, "array"), elements })
    }

    /// What it says if a single value is to stand there.
    pub(crate) fn scalar(self) -> Option<ScalarRules> {
        let of = self.followed()?;
        if depends_on_place(of.at) {
            return None;
        }
        let (numbers, texts) = match of.at {
            Value::Bool(true) => (Judge::All, Judge::All),
            Value::Bool(false) => (Judge::None, Judge::None),
            node => (judge_of_numbers(node.as_object()?), judge_of_texts(node.as_object()?)),
        };
        let validator = compiled_as::<Plain>(of.at, of.draft).ok()?;
        let takes = |kind, source| validator.is_valid(Place::Value(&JsonValue { source, kind }));
        Some(ScalarRules {
            takes_null: takes(JsonKind::Null, "null"),
            takes_false: takes(JsonKind::Boolean(false), "false"),
            takes_true: takes(JsonKind::Boolean(true), "true"),
            numbers,
            texts,
            validator,
        })
    }

    /// Where references lead, as far as nothing stands beside them.
    fn followed(self) -> Option<Self> {
        let mut at = self.at;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = at.get("$ref") else { return Some(Self { at, ..self }) };
            if !at.as_object()?.keys().all(|key| key == "$ref" || REMARKS.contains(&key.as_str())) {
                return None;
            }
            let pointer = percent_decoded(reference.as_str()?.strip_prefix('#')?);
            at = self.root.pointer(&pointer)?;
        }
        None
    }

    /// Whether a schema has no keywords but remarks, the type, those of single values and known ones.
    fn has_only(&self, node: &Map<String, Value>, is_known: impl Fn(&str) -> bool) -> bool {
        let is_root = std::ptr::eq(self.at, self.root);
        node.keys().all(|key| {
            let key = key.as_str();
            let of_others = REMARKS.contains(&key) || OF_TEXTS.contains(&key) || OF_NUMBERS.contains(&key);
            key == "type" || of_others || is_known(key) || (key == "$id" && is_root)
        })
    }
}

impl<'a> ObjectRules<'a> {
    /// What it says about a member that it names.
    pub(crate) fn member(&self, name: &str) -> Option<Rules<'a>> {
        Some(Rules { at: self.properties?.get(name)?, ..self.of })
    }

    /// The members that it names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.properties.into_iter().flat_map(|properties| properties.keys()).map(String::as_str)
    }
}

impl ScalarRules {
    pub(crate) fn takes_boolean(&self, value: bool) -> bool {
        if value { self.takes_true } else { self.takes_false }
    }

    pub(crate) fn takes_all_booleans(&self) -> bool {
        self.takes_true && self.takes_false
    }

    pub(crate) fn takes_all_numbers(&self) -> bool {
        self.numbers == Judge::All
    }

    pub(crate) fn takes_all_texts(&self) -> bool {
        self.texts == Judge::All
    }

    /// Whether it takes a number. An integer in an unusual spelling may be refused.
    pub(crate) fn takes_number(&self, number: &NumberToken<'_>) -> bool {
        match self.numbers {
            Judge::All => true,
            Judge::None => false,
            Judge::Integers => number.to_i64().is_some(),
            Judge::Some => {
                std::str::from_utf8(number.source).is_ok_and(|source| self.takes(source, JsonKind::Number))
            }
        }
    }

    /// Whether it takes a text, which is asked for if it matters.
    pub(crate) fn takes_text<'t>(&self, source: impl FnOnce() -> Option<&'t [u8]>) -> bool {
        match self.texts {
            Judge::All => true,
            Judge::None | Judge::Integers => false,
            Judge::Some => {
                let source = source().and_then(|source| std::str::from_utf8(source).ok());
                source.is_some_and(|source| self.takes(source, JsonKind::Text))
            }
        }
    }

    fn takes(&self, source: &str, kind: JsonKind<'_>) -> bool {
        let value = JsonValue { source, kind };
        // Half a surrogate pair is no text.
        let is_whole = !matches!(value.kind, JsonKind::Text) || value.text().is_some();
        is_whole && self.validator.is_valid(Place::Value(&value))
    }
}

fn depends_on_place(node: &Value) -> bool {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        if node.as_object().is_some_and(|members| OF_PLACE.iter().any(|key| members.contains_key(*key))) {
            return true;
        }
        waiting.extend(subschemas(node));
    }
    false
}

/// Whether the keyword `type` lets a type pass.
fn has_type(node: &Map<String, Value>, name: &str) -> bool {
    match node.get("type") {
        None => true,
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        Some(one) => one == name,
    }
}

fn judge_of_numbers(members: &Map<String, Value>) -> Judge {
    match (has_type(members, "number"), has_type(members, "integer")) {
        (false, false) => Judge::None,
        _ if !decides_by_type(members, &OF_TEXTS) => Judge::Some,
        (true, _) => Judge::All,
        (false, true) => Judge::Integers,
    }
}

fn judge_of_texts(members: &Map<String, Value>) -> Judge {
    match has_type(members, "string") {
        false => Judge::None,
        true if decides_by_type(members, &OF_NUMBERS) => Judge::All,
        true => Judge::Some,
    }
}

/// Whether there are no keywords but the type, remarks and those of others.
fn decides_by_type(members: &Map<String, Value>, of_others: &[&str]) -> bool {
    members
        .keys()
        .all(|key| key == "type" || REMARKS.contains(&key.as_str()) || of_others.contains(&key.as_str()))
}
