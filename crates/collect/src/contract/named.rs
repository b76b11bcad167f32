//! Which columns a contract names: their values are checked, and never rescued.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{NestedFieldRef, Schema, Type};
use serde_json::Value;

use super::ContractError;

/// Keywords whose schema, or schemas, are about the same value.
const SAME_PLACE: [&str; 7] = ["allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

/// Keywords that lead to another place.
const REFERENCES: [&str; 2] = ["$ref", "$dynamicRef"];

/// Keywords that name the schema in which they stand.
const NAMES: [&str; 3] = ["$id", "$anchor", "$dynamicAnchor"];

/// Keywords whose values are compared and are no schemas.
const COMPARED: [&str; 4] = ["const", "enum", "default", "examples"];

/// So many subschemas of one place are looked at; references can multiply without end.
const PLACES_MAX: usize = 10_000;

/// What a contract names of a table's columns.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Full names of the columns that it says something about.
    pub columns: HashSet<String>,
    /// How it spells a column, by the column's full name, where the two differ in case.
    pub spelled: HashMap<String, String>,
}

impl Named {
    /// What a schema names of these columns.
    pub fn of(schema: &Value, columns: &Schema) -> Self {
        let mut walk = Walk { root: schema, by_name: named_places(schema), named: Self::default() };
        walk.fields(&[schema], columns.as_struct().fields(), "");
        walk.named
    }
}

/// Refuses references that lead out of the schema.
///
/// # Errors
/// [`ContractError::NotASchema`] with the first of them.
pub(super) fn check_references(schema: &Value) -> Result<(), ContractError> {
    let has_ids = schema.get("$id").is_some();
    let mut waiting = vec![(schema, "$".to_owned())];
    while let Some((node, path)) = waiting.pop() {
        match node {
            Value::Object(members) => {
                for (key, value) in members {
                    let is_reference = REFERENCES.contains(&key.as_str());
                    if let Some(to) = value.as_str().filter(|to| is_reference && !to.starts_with('#'))
                        && !has_ids
                    {
                        let reason = format!(
                            "`{key}` leads to `{to}`: only places of the same schema can be referred to"
                        );
                        return Err(ContractError::NotASchema { path, reason });
                    }
                    if !COMPARED.contains(&key.as_str()) {
                        waiting.push((value, format!("{path}.{key}")));
                    }
                }
            }
            Value::Array(items) => {
                waiting.extend(items.iter().enumerate().map(|(at, item)| (item, format!("{path}[{at}]"))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The schemas inside another that references can lead to by a name, under all that they are called.
fn named_places(schema: &Value) -> HashMap<String, Vec<&Value>> {
    let mut places: HashMap<String, Vec<&Value>> = HashMap::new();
    let mut waiting = vec![schema];
    while let Some(node) = waiting.pop() {
        for (key, to) in NAMES.iter().filter_map(|key| Some((*key, node.get(*key)?.as_str()?))) {
            let name = if key == "$id" { to.to_owned() } else { format!("#{to}") };
            places.entry(name).or_default().push(node);
        }
        waiting.extend(subschemas(node));
    }
    places
}

/// The schemas and lists of schemas inside another.
pub(super) fn subschemas(node: &Value) -> impl Iterator<Item = &Value> {
    let members = node.as_object().into_iter().flatten();
    let members = members.filter(|(key, _)| !COMPARED.contains(&key.as_str())).map(|(_, inside)| inside);
    members.chain(node.as_array().into_iter().flatten())
}

struct Walk<'a> {
    root: &'a Value,
    by_name: HashMap<String, Vec<&'a Value>>,
    named: Named,
}

impl<'a> Walk<'a> {
    fn fields(&mut self, schemas: &[&'a Value], fields: &[NestedFieldRef], parent: &str) {
        let places = self.places(schemas);
        for field in fields {
            let spelled = spelling(&places, &field.name).unwrap_or(&field.name);
            let inside: Vec<&Value> = places.iter().flat_map(|place| of_member(place, spelled)).collect();
            if inside.is_empty() {
                continue;
            }
            let full =
                if parent.is_empty() { field.name.clone() } else { format!("{parent}.{}", field.name) };
            self.column(&inside, &field.field_type, &full);
            if spelled != field.name {
                self.named.spelled.insert(full.clone(), spelled.to_owned());
            }
            self.named.columns.insert(full);
        }
    }

    fn column(&mut self, schemas: &[&'a Value], column_type: &Type, name: &str) {
        let places = self.places(schemas);
        let of_all = |inside: fn(&Value) -> Vec<&Value>| -> Vec<&'a Value> {
            places.iter().flat_map(|place| inside(place)).collect()
        };
        match column_type {
            Type::Primitive(_) => {}
            Type::Struct(fields) => self.fields(schemas, fields.fields(), name),
            Type::List(list) => {
                self.inside(&of_all(of_elements), &list.element_field.field_type, format!("{name}.element"));
            }
            Type::Map(map) => {
                self.inside(&of_all(of_values), &map.value_field.field_type, format!("{name}.value"));
            }
        }
    }

    fn inside(&mut self, schemas: &[&'a Value], column_type: &Type, name: String) {
        if !schemas.is_empty() {
            self.column(schemas, column_type, &name);
            self.named.columns.insert(name);
        }
    }

    /// All subschemas that are about the same value as these.
    fn places(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut places: Vec<&'a Value> = Vec::new();
        let mut seen: HashSet<*const Value> = HashSet::new();
        let mut waiting = schemas.to_vec();
        while let Some(schema) = waiting.pop() {
            if !seen.insert(std::ptr::from_ref(schema)) || seen.len() > PLACES_MAX {
                continue;
            }
            let Value::Object(members) = schema else { continue };
            places.push(schema);
            for keyword in REFERENCES {
                if let Some(to) = members.get(keyword).and_then(Value::as_str) {
                    waiting.extend(self.targets(to));
                }
            }
            for keyword in SAME_PLACE {
                match members.get(keyword) {
                    Some(Value::Array(schemas)) => waiting.extend(schemas),
                    Some(Value::Object(schemas)) if keyword == "dependentSchemas" => {
                        waiting.extend(schemas.values());
                    }
                    Some(schema) => waiting.push(schema),
                    None => {}
                }
            }
        }
        places
    }

    /// Where a reference can lead. Of several places with one name all are meant: a value too many is rejected with its reason,
    /// one too few would be rescued against the contract.
    fn targets(&self, reference: &str) -> Vec<&'a Value> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        // Names are relative to others: what ends as the reference does may be meant, and without a name any.
        let is_meant = |name: &str| !name.starts_with('#') && (name.ends_with(base) || base.ends_with(name));
        let named = self.by_name.iter().filter(|(name, _)| is_meant(name)).flat_map(|(_, to)| to.clone());
        let roots = Some(self.root).filter(|_| base.is_empty()).into_iter().chain(named);
        let pointer = percent_decoded(fragment);
        if pointer.is_empty() || pointer.starts_with('/') {
            return roots.filter_map(|root| root.pointer(&pointer)).collect();
        }
        self.by_name.get(&format!("#{pointer}")).cloned().unwrap_or_default()
    }
}

pub(super) fn percent_decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How the schemas spell a name, if none of them spells it as it is.
fn spelling<'a>(places: &[&'a Value], name: &str) -> Option<&'a str> {
    if places.iter().any(|place| property(place, name).is_some()) {
        return None;
    }
    let lower = name.to_lowercase();
    let properties = places.iter().filter_map(|place| place.get("properties")?.as_object());
    properties.flat_map(|names| names.keys()).find(|found| found.to_lowercase() == lower).map(String::as_str)
}

fn property<'a>(place: &'a Value, name: &str) -> Option<&'a Value> {
    place.get("properties")?.get(name)
}

/// What a schema says about a member. Names by pattern are taken for any name: a value too many is rejected with its reason, one
/// too few would be rescued against the contract.
fn of_member<'a>(place: &'a Value, name: &str) -> Vec<&'a Value> {
    match property(place, name) {
        Some(schema) => vec![schema],
        None => of_others(place).collect(),
    }
}

fn of_others(place: &Value) -> impl Iterator<Item = &Value> {
    let patterns =
        place.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(|p| p.values());
    let others =
        ["additionalProperties", "unevaluatedProperties"].into_iter().filter_map(|key| place.get(key));
    patterns.chain(others.filter(|schema| schema.is_object()))
}

fn of_values(place: &Value) -> Vec<&Value> {
    let properties = place.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.values());
    properties.chain(of_others(place)).collect()
}

fn of_elements(place: &Value) -> Vec<&Value> {
    let single = ["items", "additionalItems", "unevaluatedItems", "contains"].into_iter();
    let single = single.filter_map(|key| place.get(key));
    let first = place.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
    let all = single.flat_map(|items| match items {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    });
    all.chain(first).filter(|schema| schema.is_object()).collect()
}
