//! What a JSON Schema says about the types of values, put together from all the places that say something.

use iceberg::spec::PrimitiveType;

use super::JsonSchemaError;
use super::document::{Document, Node};

/// How deep values may be nested, `$ref` followed: as deep as a line of JSON may be, and far from any stack's end.
const DEPTH_MAX: usize = 100;

/// How many places are read before a schema is given up: references can multiply without end.
const PLACES_MAX: usize = 100_000;

/// Keywords that tell types in ways that columns cannot follow.
const UNSUPPORTED: [(&str, &str); 9] = [
    (
        "patternProperties",
        "a map is written with `additionalProperties`, its names narrowed by `propertyNames`",
    ),
    ("prefixItems", "the elements of a list have one type"),
    ("dependentSchemas", "a column's type cannot depend on another's value"),
    ("if", "a column's type cannot depend on a value; write the alternatives as `anyOf`"),
    ("then", "a column's type cannot depend on a value; write the alternatives as `anyOf`"),
    ("else", "a column's type cannot depend on a value; write the alternatives as `anyOf`"),
    ("$dynamicRef", "use `$ref`"),
    ("$recursiveRef", "a column's type has an end"),
    ("dependencies", "a column's type cannot depend on another's value"),
];

/// What is known about the values of one place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing is said.
    Open,
    /// Always null or absent.
    Null,
    Scalar(PrimitiveType),
    List(Box<Shape>),
    Map(Box<Shape>),
    /// An object; without fields when only that is said.
    Struct(Vec<Field>),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) shape: Shape,
    /// Where the schema says it, as a JSONPath.
    pub(super) at: String,
}

/// How two shapes of one place are put together.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    /// Values are of both: `allOf`, `$ref` and what stands beside it.
    Both,
    /// Values are of one of them: `anyOf`, `oneOf`, a list of types.
    Either,
}

/// Reads the shape of one place after the other.
pub(super) struct Reader<'a> {
    document: &'a Document,
    /// The references that are being followed.
    following: Vec<&'a str>,
    depth: usize,
    places: usize,
}

type Read<T> = Result<T, JsonSchemaError>;

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { document, following: Vec::new(), depth: 0, places: 0 }
    }

    pub(super) fn root(&mut self) -> Read<Shape> {
        self.shape(&self.document.0, "$")
    }

    fn shape(&mut self, schema: &'a Node, at: &str) -> Read<Shape> {
        self.places += 1;
        if self.depth >= DEPTH_MAX || self.places > PLACES_MAX {
            return Err(JsonSchemaError::keyword(at, "$ref", "makes the schema too large or too deep"));
        }
        self.depth += 1;
        let shape = match schema {
            Node::Boolean(true) => Ok(Shape::Open),
            Node::Boolean(false) => Ok(Shape::Null),
            Node::Object(_) => self.said(schema, at),
            _ => Err(JsonSchemaError::keyword(at, "schema", "must be an object or a boolean")),
        };
        self.depth -= 1;
        shape
    }

    /// Everything that one schema object says.
    fn said(&mut self, schema: &'a Node, at: &str) -> Read<Shape> {
        for (keyword, reason) in UNSUPPORTED {
            if schema.get(keyword).is_some() {
                return Err(JsonSchemaError::keyword(at, keyword, format!("is not supported: {reason}")));
            }
        }
        let mut shape = self.typed(schema, at)?;
        if shape == Shape::Open {
            shape = values(schema, at)?;
        }
        if let Some(reference) = schema.get("$ref") {
            let target = self.referred(reference, at)?;
            shape = join(shape, target, Join::Both, at, "$ref")?;
        }
        for (keyword, how) in [("allOf", Join::Both), ("anyOf", Join::Either), ("oneOf", Join::Either)] {
            if let Some(parts) = schema.get(keyword) {
                let together = self.parts(parts, how, at, keyword)?;
                shape = join(shape, together, Join::Both, at, keyword)?;
            }
        }
        Ok(shape)
    }

    fn referred(&mut self, reference: &'a Node, at: &str) -> Read<Shape> {
        let refused = |reason: String| Err(JsonSchemaError::keyword(at, "$ref", reason));
        let Node::Text(reference) = reference else {
            return refused("must be a text".to_owned());
        };
        if !reference.starts_with('#') {
            return refused(format!("leads to `{reference}`: only places of the same file can be named"));
        }
        if self.following.contains(&reference.as_str()) {
            return refused(format!("leads from `{reference}` to itself: a column's type has an end"));
        }
        let Some(target) = self.document.find(reference) else {
            return refused(format!("leads to `{reference}`, which is not there"));
        };
        self.following.push(reference);
        let shape = self.shape(target, at);
        self.following.pop();
        shape
    }

    fn parts(&mut self, parts: &'a Node, how: Join, at: &str, keyword: &str) -> Read<Shape> {
        let Node::List(parts) = parts else {
            return Err(JsonSchemaError::keyword(at, keyword, "must be a list of schemas"));
        };
        let mut together: Option<Shape> = None;
        for (index, part) in parts.iter().enumerate() {
            let shape = self.shape(part, &format!("{at}.{keyword}[{index}]"))?;
            together = Some(match together {
                None => shape,
                Some(before) => join(before, shape, how, at, keyword)?,
            });
        }
        Ok(together.unwrap_or(Shape::Open))
    }

    /// What `type` and the keywords that belong to a type say.
    fn typed(&mut self, schema: &'a Node, at: &str) -> Read<Shape> {
        let mut together: Option<Shape> = None;
        for name in type_names(schema, at)? {
            let shape = match name {
                "null" => Shape::Null,
                "boolean" => Shape::Scalar(PrimitiveType::Boolean),
                "integer" => Shape::Scalar(integer(schema)),
                "number" => Shape::Scalar(PrimitiveType::Double),
                "string" => Shape::Scalar(string(schema)),
                "array" => Shape::List(Box::new(self.element(schema, at)?)),
                "object" => self.object(schema, at)?,
                other => {
                    let reason = format!(
                        "`{other}` is not known: a type is null, boolean, integer, number, string, array or object"
                    );
                    return Err(JsonSchemaError::keyword(at, "type", reason));
                }
            };
            together = Some(match together {
                None => shape,
                Some(before) => join(before, shape, Join::Either, at, "type")?,
            });
        }
        Ok(together.unwrap_or(Shape::Open))
    }

    fn element(&mut self, schema: &'a Node, at: &str) -> Read<Shape> {
        match schema.get("items") {
            None => Ok(Shape::Open),
            Some(Node::List(_)) => Err(JsonSchemaError::keyword(
                at,
                "items",
                "must be one schema: the elements of a list have one type",
            )),
            Some(items) => self.shape(items, &format!("{at}.items")),
        }
    }

    fn object(&mut self, schema: &'a Node, at: &str) -> Read<Shape> {
        let fields = self.properties(schema, at)?;
        let Some(additional @ Node::Object(_)) = schema.get("additionalProperties") else {
            return Ok(Shape::Struct(fields));
        };
        let value = self.shape(additional, &format!("{at}.additionalProperties"))?;
        match (value, fields.is_empty()) {
            (Shape::Open, _) => Ok(Shape::Struct(fields)),
            (value, true) => Ok(Shape::Map(Box::new(value))),
            (_, false) => {
                let reason = "beside `properties` is not supported: a column is a struct or a map, not both";
                Err(JsonSchemaError::keyword(at, "additionalProperties", reason))
            }
        }
    }

    fn properties(&mut self, schema: &'a Node, at: &str) -> Read<Vec<Field>> {
        let members = match schema.get("properties") {
            None => return Ok(Vec::new()),
            Some(Node::Object(members)) => members,
            Some(_) => return Err(JsonSchemaError::keyword(at, "properties", "must be an object")),
        };
        let mut fields = Vec::with_capacity(members.len());
        for (name, property) in members {
            // `false` says that there is never such a field.
            if *property == Node::Boolean(false) {
                continue;
            }
            let at = format!("{at}.properties{}", step(name));
            let description = match property.get("description") {
                Some(Node::Text(text)) => Some(text.clone()),
                _ => None,
            };
            let shape = self.shape(property, &at)?;
            fields.push(Field { name: name.clone(), description, shape, at });
        }
        Ok(fields)
    }
}

/// The names in `type`; where there is none, what other keywords make plain.
fn type_names<'a>(schema: &'a Node, at: &str) -> Read<Vec<&'a str>> {
    let wrong = || JsonSchemaError::keyword(at, "type", "must be a text or a list of texts");
    match schema.get("type") {
        Some(Node::Text(name)) => Ok(vec![name]),
        Some(Node::List(names)) if !names.is_empty() => names
            .iter()
            .map(|name| match name {
                Node::Text(name) => Ok(name.as_str()),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
        None => {
            let map = matches!(schema.get("additionalProperties"), Some(Node::Object(_)));
            if map || schema.get("properties").is_some() {
                return Ok(vec!["object"]);
            }
            Ok(schema.get("items").map(|_| "array").into_iter().collect())
        }
    }
}

fn format_of(schema: &Node) -> Option<&str> {
    match schema.get("format") {
        Some(Node::Text(format)) => Some(format),
        _ => None,
    }
}

fn integer(schema: &Node) -> PrimitiveType {
    if format_of(schema) == Some("int32") { PrimitiveType::Int } else { PrimitiveType::Long }
}

fn string(schema: &Node) -> PrimitiveType {
    match format_of(schema) {
        Some("date-time") => PrimitiveType::Timestamptz,
        Some("date") => PrimitiveType::Date,
        Some("uuid") => PrimitiveType::Uuid,
        _ => PrimitiveType::String,
    }
}

/// What `const` and `enum` say by their values.
fn values(schema: &Node, at: &str) -> Read<Shape> {
    let (keyword, values) = match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => ("const", std::slice::from_ref(value)),
        (None, Some(Node::List(values))) => ("enum", values.as_slice()),
        (None, Some(_)) => return Err(JsonSchemaError::keyword(at, "enum", "must be a list")),
        (None, None) => return Ok(Shape::Open),
    };
    let mut together: Option<Shape> = None;
    for value in values {
        let shape = match value {
            Node::Null => Shape::Null,
            Node::Boolean(_) => Shape::Scalar(PrimitiveType::Boolean),
            Node::Integer => Shape::Scalar(PrimitiveType::Long),
            Node::Number => Shape::Scalar(PrimitiveType::Double),
            Node::Text(_) => Shape::Scalar(PrimitiveType::String),
            Node::List(_) | Node::Object(_) => {
                let reason = "of lists or objects needs a `type` beside it";
                return Err(JsonSchemaError::keyword(at, keyword, reason));
            }
        };
        together = Some(match together {
            None => shape,
            Some(before) => join(before, shape, Join::Either, at, keyword)?,
        });
    }
    Ok(together.unwrap_or(Shape::Open))
}

fn join(a: Shape, b: Shape, how: Join, at: &str, keyword: &str) -> Read<Shape> {
    match (a, b) {
        // Of both, what is said counts; of either, one that may be anything leaves nothing said.
        (Shape::Open, other) | (other, Shape::Open) => {
            Ok(if how == Join::Both { other } else { Shape::Open })
        }
        (Shape::Null, other) | (other, Shape::Null) => {
            Ok(if how == Join::Both { Shape::Null } else { other })
        }
        (Shape::Scalar(a), Shape::Scalar(b)) => scalar(&a, &b, how)
            .map(Shape::Scalar)
            .ok_or_else(|| JsonSchemaError::keyword(at, keyword, format!("joins {a} and {b} in one column"))),
        (Shape::List(a), Shape::List(b)) => Ok(Shape::List(Box::new(join(*a, *b, how, at, keyword)?))),
        (Shape::Map(a), Shape::Map(b)) => Ok(Shape::Map(Box::new(join(*a, *b, how, at, keyword)?))),
        (Shape::Struct(fields), map @ Shape::Map(_)) | (map @ Shape::Map(_), Shape::Struct(fields))
            if fields.is_empty() && how == Join::Both =>
        {
            Ok(map)
        }
        (Shape::Struct(a), Shape::Struct(b)) => join_fields(a, b, how, keyword).map(Shape::Struct),
        (a, b) => {
            let reason = format!("joins {} and {} in one column", a.kind(), b.kind());
            Err(JsonSchemaError::keyword(at, keyword, reason))
        }
    }
}

/// The fields of both: an alternative's field is absent in the others, and each column is optional.
fn join_fields(mut fields: Vec<Field>, more: Vec<Field>, how: Join, keyword: &str) -> Read<Vec<Field>> {
    for field in more {
        match fields.iter_mut().find(|existing| existing.name == field.name) {
            None => fields.push(field),
            Some(existing) => {
                let before = std::mem::replace(&mut existing.shape, Shape::Open);
                existing.shape = join(before, field.shape, how, &field.at, keyword)?;
                existing.description = existing.description.take().or(field.description);
            }
        }
    }
    Ok(fields)
}

/// Of both the narrower type, of either the wider one. Texts of a format are texts among others.
fn scalar(a: &PrimitiveType, b: &PrimitiveType, how: Join) -> Option<PrimitiveType> {
    use PrimitiveType::{Date, Double, Int, Long, String, Timestamptz, Uuid};
    let (narrow, wide) = match (a, b) {
        (a, b) if a == b => (a, b),
        (Int, Long | Double) | (Long, Double) | (Date | Timestamptz | Uuid, String) => (a, b),
        (Long | Double, Int) | (Double, Long) | (String, Date | Timestamptz | Uuid) => (b, a),
        (Date | Timestamptz | Uuid, Date | Timestamptz | Uuid) if how == Join::Either => (a, &String),
        _ => return None,
    };
    Some(if how == Join::Both { narrow.clone() } else { wide.clone() })
}

impl Shape {
    fn kind(&self) -> String {
        match self {
            Self::Open => "anything".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Scalar(primitive) => primitive.to_string(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Struct(_) => "an object".to_owned(),
        }
    }
}

/// One step of a JSONPath.
fn step(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain {
        format!(".{name}")
    } else {
        format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}
