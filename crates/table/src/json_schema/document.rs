//! The JSON of a schema as a tree that keeps the order of keys: it becomes the order of columns.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::JsonSchemaError;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Boolean(bool),
    Integer,
    Number,
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// The whole schema, in which `$ref` finds its targets.
#[derive(Debug)]
pub(super) struct Document(pub(super) Node);

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, JsonSchemaError> {
        // serde_json refuses what is nested deeper than 128, so recursion over the tree is bounded.
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map(Self)
            .map_err(|error| JsonSchemaError::NotJson { reason: error.to_string() })
    }

    /// What a reference inside the document leads to: `#`, or `#` and a JSON Pointer.
    pub(super) fn find(&self, reference: &str) -> Option<&Node> {
        let pointer = reference.strip_prefix('#')?;
        if pointer.is_empty() {
            return Some(&self.0);
        }
        let mut steps = pointer.strip_prefix('/')?.split('/').map(unescape);
        steps.try_fold(&self.0, |node, step| match node {
            Node::Object(_) => node.get(&step),
            Node::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// A step of a JSON Pointer in a URI's fragment: `%7B` first, then `~1` for `/` and `~0` for `~`.
fn unescape(step: &str) -> String {
    let bytes = step.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = step.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                plain.push(decoded);
                at += 3;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).replace("~1", "/").replace("~0", "~")
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Boolean(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Integer)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Integer)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Node>()? {
            if members.iter().any(|(name, _)| *name == key) {
                return Err(serde::de::Error::custom(format!("`{key}` stands twice in one object")));
            }
            members.push((key, value));
        }
        Ok(Node::Object(members))
    }
}
