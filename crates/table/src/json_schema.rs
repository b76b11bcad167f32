//! The columns of a table from a JSON Schema (2020-12), so that a contract about events makes their table too.
//!
//! A JSON Schema says which values are valid; a table needs to know of which type each value is. What tells types
//! is read: `type`, `properties`, `items`, `additionalProperties`, `format`, `enum`, `const`, `$ref`, `allOf`,
//! `anyOf`, `oneOf`. What only narrows values (`minLength`, `required`, `pattern`, …) and what is only told to
//! people makes no column, and each column is optional: whether records satisfy the schema is checked where they are
//! read. What would tell
//! types in a way that columns cannot follow is an error with its place.
//!
//! | JSON Schema | column |
//! |---|---|
//! | `boolean` | `boolean` |
//! | `integer` | `long`; `int` with `"format": "int32"` |
//! | `number` | `double` |
//! | `string` | `string`; `timestamptz`, `date`, `uuid` with `"format": "date-time"`, `"date"`, `"uuid"` |
//! | `array` with `items` | `list` |
//! | `object` with `properties` | `struct` |
//! | `object` with `additionalProperties` of one type | `map` from text |
//! | one of these and `null` | the same: every column is optional |
//! | alternatives of objects (`oneOf`, `anyOf`) | a `struct` with the fields of all |

mod document;
mod shape;

use std::collections::HashSet;
use std::sync::Arc;

use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Type,
};

use crate::evolve;
use crate::rejects::is_rescued_data;
use document::Document;
use shape::{Reader, Shape};

/// Why a text makes no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonSchemaError {
    /// The text is no JSON.
    #[error("the schema is no JSON: {reason}")]
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// A part of the schema tells no column.
    #[error("schema at {path}: `{keyword}` {reason}")]
    Keyword {
        /// The part, as a JSONPath.
        path: String,
        /// The keyword that is wrong or missing.
        keyword: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The columns together are no table's.
    #[error("the schema makes no table: {reason}")]
    Columns {
        /// What the rules of tables say.
        reason: String,
    },
}

impl JsonSchemaError {
    fn keyword(path: &str, keyword: &str, reason: impl Into<String>) -> Self {
        Self::Keyword { path: path.to_owned(), keyword: keyword.to_owned(), reason: reason.into() }
    }
}

/// Reads a JSON Schema and makes the schema of a new table of it, its columns in the order of the text and its ids
/// as [`evolve::fresh_ids`] counts them. A `description` becomes the column's comment.
///
/// # Errors
/// [`JsonSchemaError`] for a text that is no JSON, a keyword that columns cannot follow, a place that tells no type,
/// and names that no table can have.
pub fn parse(text: &str) -> Result<Schema, JsonSchemaError> {
    let document = Document::parse(text)?;
    let shape = Reader::new(&document).root()?;
    let Shape::Struct(fields) = &shape else {
        return Err(JsonSchemaError::keyword("$", "type", "must be `object`: a table's rows are objects"));
    };
    if let Some(field) = fields.iter().find(|field| is_rescued_data(&field.name)) {
        let reason = format!("cannot have `{}`: the table keeps values there that do not fit", field.name);
        return Err(JsonSchemaError::keyword(&field.at, "properties", reason));
    }
    let Type::Struct(columns) = column_type(&shape, "$")? else {
        return Err(JsonSchemaError::Columns { reason: "it has no columns".to_owned() });
    };
    evolve::fresh_ids_of(columns.fields().to_vec())
        .map_err(|error| JsonSchemaError::Columns { reason: error.to_string() })
}

/// Checks that a text is JSON in which no name stands twice in one object.
///
/// # Errors
/// [`JsonSchemaError::NotJson`].
pub fn check_json(text: &str) -> Result<(), JsonSchemaError> {
    Document::parse(text).map(drop)
}

/// What of a schema that was asked for an existing table has not; `None` when it has everything. Names are compared
/// without regard to case. Columns that the table has beyond do not count: events may have brought them since.
pub fn difference(wanted: &Schema, existing: &Schema) -> Option<String> {
    fields_difference(wanted.as_struct().fields(), existing.as_struct().fields(), "")
}

fn fields_difference(wanted: &[NestedFieldRef], existing: &[NestedFieldRef], parent: &str) -> Option<String> {
    wanted.iter().find_map(|field| {
        let name = if parent.is_empty() { field.name.clone() } else { format!("{parent}.{}", field.name) };
        match evolve::find(existing, &field.name) {
            None => Some(format!("the table has no column `{name}`")),
            Some((_, found)) => type_difference(&field.field_type, &found.field_type, &name),
        }
    })
}

fn type_difference(wanted: &Type, existing: &Type, name: &str) -> Option<String> {
    match (wanted, existing) {
        (Type::Struct(wanted), Type::Struct(existing)) => {
            fields_difference(wanted.fields(), existing.fields(), name)
        }
        (Type::List(wanted), Type::List(existing)) => type_difference(
            &wanted.element_field.field_type,
            &existing.element_field.field_type,
            &format!("{name}.element"),
        ),
        (Type::Map(wanted), Type::Map(existing)) => {
            let key = type_difference(
                &wanted.key_field.field_type,
                &existing.key_field.field_type,
                &format!("{name}.key"),
            );
            key.or_else(|| {
                let (wanted, existing) = (&wanted.value_field.field_type, &existing.value_field.field_type);
                type_difference(wanted, existing, &format!("{name}.value"))
            })
        }
        (wanted, existing) if wanted == existing => None,
        (wanted, existing) => Some(format!(
            "column `{name}` is {} in the table, not {}",
            evolve::type_text(existing),
            evolve::type_text(wanted)
        )),
    }
}

/// The type of a column; ids are given once all columns are known.
fn column_type(shape: &Shape, at: &str) -> Result<Type, JsonSchemaError> {
    let missing = |keyword: &str, reason: &str| {
        Err(JsonSchemaError::keyword(at, keyword, format!("is missing: {reason}")))
    };
    match shape {
        Shape::Open => missing("type", "nothing says of which type the values are"),
        Shape::Null => missing("type", "nothing says of which type the values are when they are not null"),
        Shape::Scalar(primitive) => Ok(Type::Primitive(primitive.clone())),
        Shape::List(element) => {
            if matches!(**element, Shape::Open) {
                return missing("items", "nothing says of which type the elements are");
            }
            let element = column_type(element, &format!("{at}.items"))?;
            Ok(Type::List(ListType::new(Arc::new(NestedField::list_element(0, element, false)))))
        }
        Shape::Map(value) => {
            let value = column_type(value, &format!("{at}.additionalProperties"))?;
            let key = NestedField::map_key_element(0, Type::Primitive(PrimitiveType::String));
            Ok(Type::Map(MapType::new(
                Arc::new(key),
                Arc::new(NestedField::map_value_element(0, value, false)),
            )))
        }
        Shape::Struct(fields) if fields.is_empty() => missing("properties", "an object needs fields"),
        Shape::Struct(fields) => {
            let mut names = HashSet::new();
            let columns: Result<Vec<NestedFieldRef>, JsonSchemaError> = fields
                .iter()
                .map(|field| {
                    if field.name.is_empty() {
                        return Err(JsonSchemaError::keyword(&field.at, "properties", "has an empty name"));
                    }
                    if !names.insert(field.name.to_lowercase()) {
                        let reason = "has this name twice: columns differ in more than case";
                        return Err(JsonSchemaError::keyword(&field.at, "properties", reason));
                    }
                    let mut column =
                        NestedField::optional(0, &field.name, column_type(&field.shape, &field.at)?);
                    column.doc.clone_from(&field.description);
                    Ok(Arc::new(column))
                })
                .collect();
            Ok(Type::Struct(StructType::new(columns?)))
        }
    }
}

#[cfg(test)]
mod tests;
