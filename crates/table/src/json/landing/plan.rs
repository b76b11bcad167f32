//! A schema as records are put into it: columns by name, and for each what it holds.

use std::collections::HashMap;

use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, Type};

use crate::evolve::type_text;
use crate::json::inference::Step;
use crate::json::members::fold;
use crate::json::value::Name;
use crate::rejects::{is_rescued_data, is_reserved, raw_column};

/// A table that records cannot be put into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LandingError {
    /// `_rescued_data` is something else in this table.
    #[error(
        "column `{column}` is {column_type}, and must be an optional string to hold what fits nowhere else"
    )]
    RescuedData {
        /// The column's name.
        column: String,
        /// What it is.
        column_type: String,
    },
}

/// The fields of a struct, or the columns of the table.
#[derive(Clone, Debug)]
pub(super) struct Struct {
    pub(super) columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    by_folded_name: HashMap<String, usize>,
    pub(super) full_name: String,
    /// The way here from the top.
    pub(super) steps: Vec<Step>,
    /// The table's column for what is rescued. No member of a record gets it,
    pub(super) rescued_data: Option<usize>,
    /// nor the one for the record as it was read.
    raw: Option<usize>,
}

/// A column, or what is inside one.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its field id.
    pub(super) id: i32,
    pub(super) full_name: String,
    /// Its type in a message.
    pub(super) type_text: String,
    pub(super) required: bool,
    pub(super) kind: Kind,
    /// How many places one value fills, at the least.
    pub(super) places: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(PrimitiveType),
    Struct(Struct),
    List(Box<Column>),
    /// A map from texts to values.
    Map(Box<Column>),
    /// What no JSON value is.
    Nothing,
}

impl Struct {
    pub(super) fn of_table(schema: &Schema) -> Result<Self, LandingError> {
        let fields = schema.as_struct().fields();
        let mut root = Self::new(fields, String::new(), Vec::new());
        root.rescued_data = fields.iter().position(|field| is_rescued_data(&field.name));
        root.raw = raw_column(schema);
        match root.rescued_data.and_then(|at| fields.get(at)) {
            Some(field) if field.required || *field.field_type != Type::Primitive(PrimitiveType::String) => {
                let required = if field.required { "required " } else { "" };
                Err(LandingError::RescuedData {
                    column: field.name.clone(),
                    column_type: format!("{required}{}", type_text(&field.field_type)),
                })
            }
            _ => Ok(root),
        }
    }

    fn new(fields: &[NestedFieldRef], full_name: String, steps: Vec<Step>) -> Self {
        let column = |field: &NestedFieldRef| {
            let separator = if full_name.is_empty() { "" } else { "." };
            let step = Step::Member(field.name.clone());
            let steps = steps.iter().cloned().chain([step]).collect();
            Column::new(field, format!("{full_name}{separator}{}", field.name), steps)
        };
        let columns = fields.iter().map(column).collect();
        let mut by_name = HashMap::new();
        let mut by_folded_name = HashMap::new();
        for (at, field) in fields.iter().enumerate() {
            by_name.insert(field.name.clone(), at);
            by_folded_name.entry(fold(&field.name).into_owned()).or_insert(at);
        }
        Self { columns, by_name, by_folded_name, full_name, steps, rescued_data: None, raw: None }
    }

    /// The column of a name, and whether it is spelled so.
    pub(super) fn column_of(&self, name: &str) -> Option<(usize, bool)> {
        let exact = self.by_name.get(name).map(|at| (*at, true));
        let column = exact.or_else(|| Some((*self.by_folded_name.get(fold(name).as_ref())?, false)));
        column.filter(|(at, _)| Some(*at) != self.rescued_data && Some(*at) != self.raw)
    }

    /// Whether a member has a name that only the table itself may use.
    pub(super) fn is_reserved(&self, name: &Name<'_>) -> bool {
        self.steps.is_empty() && name.text().is_some_and(is_reserved)
    }
}

impl Column {
    fn new(field: &NestedField, full_name: String, steps: Vec<Step>) -> Self {
        let inside = |field: &NestedField| {
            let steps = steps.iter().cloned().chain([Step::Inside]).collect();
            Box::new(Self::new(field, format!("{full_name}.{}", field.name), steps))
        };
        let kind = match field.field_type.as_ref() {
            Type::Primitive(primitive) => Kind::Scalar(primitive.clone()),
            Type::Struct(fields) => {
                Kind::Struct(Struct::new(fields.fields(), full_name.clone(), steps.clone()))
            }
            Type::List(list) => Kind::List(inside(&list.element_field)),
            Type::Map(map) if *map.key_field.field_type == Type::Primitive(PrimitiveType::String) => {
                Kind::Map(inside(&map.value_field))
            }
            Type::Map(_) => Kind::Nothing,
        };
        let places = match &kind {
            Kind::Struct(inside) => inside.columns.iter().map(|column| column.places).sum(),
            _ => 1,
        };
        let type_text = type_text(&field.field_type);
        Self { id: field.id, full_name, type_text, required: field.required, kind, places }
    }
}
