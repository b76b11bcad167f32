//! A record as the validator takes it: the names and values that land.

use std::collections::HashMap;

use hosu_table::json::{JsonKind, JsonValue, Member, Name};
use iceberg::spec::{NestedFieldRef, Schema, Type};
use serde_json::{Map, Number, Value};

/// The names of columns in one object, which a record may write in another case.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What is inside each column, by its name in the contract.
    columns: HashMap<String, Names>,
    /// The column's name in the contract and in the table, by the name in lower case.
    by_lower: HashMap<String, (String, String)>,
    /// Whether contract and table spell one of them differently.
    differs: bool,
    /// What is inside the values of a map, whatever their names.
    values: Option<Box<Names>>,
}

impl Names {
    /// Those of a table; a contract may spell columns differently, by their full names.
    pub fn of(schema: &Schema, spelled: &HashMap<String, String>) -> Self {
        Self::of_fields(schema.as_struct().fields(), "", spelled)
    }

    fn of_fields(fields: &[NestedFieldRef], parent: &str, spelled: &HashMap<String, String>) -> Self {
        let mut names = Self::default();
        for field in fields {
            let full =
                if parent.is_empty() { field.name.clone() } else { format!("{parent}.{}", field.name) };
            let name = spelled.get(&full).unwrap_or(&field.name).clone();
            names.differs |= name != field.name;
            names.columns.insert(name.clone(), Self::of_type(&field.field_type, &full, spelled));
            names.by_lower.entry(field.name.to_lowercase()).or_insert((name, field.name.clone()));
        }
        names
    }

    /// Lists have the names of their elements.
    fn of_type(column_type: &Type, name: &str, spelled: &HashMap<String, String>) -> Self {
        match column_type {
            Type::Primitive(_) => Self::default(),
            Type::Struct(fields) => Self::of_fields(fields.fields(), name, spelled),
            Type::List(list) => {
                Self::of_type(&list.element_field.field_type, &format!("{name}.element"), spelled)
            }
            Type::Map(map) => {
                let values = Self::of_type(&map.value_field.field_type, &format!("{name}.value"), spelled);
                Self { values: Some(Box::new(values)), ..Self::default() }
            }
        }
    }

    pub(super) fn inside(&self, name: &str) -> Option<&Self> {
        self.columns.get(name).or(self.values.as_deref())
    }

    /// The column that a name finds, as contract and table spell it, unless the name and both are the same.
    pub(super) fn other_spelling(&self, name: &str) -> Option<&(String, String)> {
        if self.columns.is_empty() || (self.columns.contains_key(name) && !self.differs) {
            return None;
        }
        let found = self.by_lower.get(&name.to_lowercase());
        found.filter(|(column, own)| column != name || own != name)
    }
}

/// The record, with the names of columns as the table spells them.
pub(super) fn of(record: &JsonValue<'_>, names: &Names) -> Value {
    value(record, Some(names))
}

/// The same of a part of a record.
pub(super) fn value(from: &JsonValue<'_>, names: Option<&Names>) -> Value {
    match &from.kind {
        JsonKind::Null => Value::Null,
        JsonKind::Boolean(value) => Value::Bool(*value),
        JsonKind::Number => Value::Number(number(from.source)),
        // Half a surrogate pair is in no text of Rust's; no column takes such a text either.
        JsonKind::Text => Value::String(
            from.text().map_or_else(|| from.source.trim_matches('"').to_owned(), |text| text.into_owned()),
        ),
        JsonKind::Array(elements) => {
            // As much as is needed, and not what a list of unknown length grows to: there may be millions.
            let mut values = Vec::with_capacity(elements.len());
            values.extend(elements.iter().map(|element| value(&element, names)));
            Value::Array(values)
        }
        JsonKind::Object(members) => object(members, names),
    }
}

fn object(members: &[Member<'_>], names: Option<&Names>) -> Value {
    let mut object = Map::new();
    // Columns that were found by another name than the contract's, and by which.
    let mut found: Vec<(&str, &str)> = Vec::new();
    for member in members {
        let name = match &member.name {
            Name::Text(text) => text.as_ref(),
            Name::Unstorable(text) => text.as_str(),
        };
        let key = match names.and_then(|names| names.other_spelling(name)) {
            None => name,
            // Of several spellings of a column its own one lands, or else the first.
            Some((column, own)) => {
                let by = found.iter_mut().find(|(of, _)| of == column);
                match by {
                    Some((_, by)) if *by == name || name == own => {
                        *by = name;
                        column
                    }
                    None if !object.contains_key(column) => {
                        found.push((column, name));
                        column
                    }
                    // What does not land cannot stand under the name of what does.
                    _ if name == column => continue,
                    _ => name,
                }
            }
        };
        let inside = names.and_then(|names| names.inside(key));
        object.insert(key.to_owned(), value(&member.value, inside));
    }
    Value::Object(object)
}

/// Exact within 64 bits. Beyond the range of a double the largest double stands for the number: it is on the same side of every
/// limit.
pub(super) fn number(source: &str) -> Number {
    if let Ok(integer) = source.parse::<i64>() {
        return integer.into();
    }
    if let Ok(integer) = source.parse::<u64>() {
        return integer.into();
    }
    let double = source.parse::<f64>().unwrap_or_default().clamp(f64::MIN, f64::MAX);
    Number::from_f64(double).unwrap_or_else(|| 0.into())
}
