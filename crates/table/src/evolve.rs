//! How a table's schema grows: fields added anywhere, types widened, and every id kept.
//!
//! Data files name their columns by field id, so an id means one column for ever: a new field takes a number
//! that no field ever had, and an old one keeps its own wherever it stands. Only the steps that Iceberg allows
//! are taken (<https://iceberg.apache.org/spec/#schema-evolution>), so that files written before remain true:
//! a field is added as optional, and `int` becomes `long`, `float` `double`, a decimal a wider one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Type,
};

use crate::rejects::position_of_new;

/// The place that a field is added to: the names from the top to its parent, empty for the table itself.
/// As in Iceberg's full names, `element` stands for what is in a list, `value` for a map's values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParentPath(pub Vec<String>);

impl ParentPath {
    /// The table itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place below this one.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }
}

impl fmt::Display for ParentPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}

/// What a schema has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evolved {
    /// The schema with all additions; its `schema_id` is still the base's, the commit gives the new one.
    pub schema: Schema,
    /// The highest id that any field of the table ever had.
    pub last_column_id: i32,
    /// Whether anything differs from the base.
    pub changed: bool,
}

/// Why a schema cannot become what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    /// There is nothing at the parent's path, or nothing that has fields.
    #[error("no field can be added at `{path}`: {found}")]
    Parent {
        /// The path as given.
        path: ParentPath,
        /// What is there instead.
        found: String,
    },
    /// The column is there with a type that the wanted one does not fit into.
    #[error("column `{column}` is {existing} and cannot become {wanted}")]
    Conflict {
        /// The column's full name.
        column: String,
        /// Its type now.
        existing: String,
        /// The type that was asked for.
        wanted: String,
    },
    /// No more ids.
    #[error("the table has had so many columns that no field id is left")]
    OutOfIds,
    /// The names together are not a schema, for example a column `a.b` beside `a` that has a field `b`.
    #[error("not a schema: {reason}")]
    Schema {
        /// What the specification's rules say.
        reason: String,
    },
}

/// Adds fields to a schema, each at its place with fresh ids; new columns of the table stand before
/// [`crate::rejects::RAW`] and [`crate::rejects::RESCUED_DATA`].
///
/// A field that is there already (without regard to case) is left as it is when everything of the wanted type
/// fits into it, widened when Iceberg allows that, and merged when both are structs, lists or maps; so the same
/// additions again change nothing. What is added is optional: rows written before have no value for it.
///
/// # Errors
/// [`EvolveError`]; nothing is changed then.
pub fn add_fields(
    base: &Schema,
    last_column_id: i32,
    additions: &[(ParentPath, NestedFieldRef)],
) -> Result<Evolved, EvolveError> {
    let mut ids = Ids { last: last_column_id.max(base.highest_field_id()) };
    let mut fields = base.as_struct().fields().to_vec();
    for (path, field) in additions {
        let mut place = Place { path, depth: 0, ids: &mut ids };
        fields = place.add_to_struct(&fields, field)?;
    }
    let changed = fields != base.as_struct().fields();
    let schema = Schema::builder()
        .with_fields(fields)
        .with_schema_id(base.schema_id())
        .with_identifier_field_ids(base.identifier_field_ids())
        .build()
        .map_err(schema_error)?;
    Ok(Evolved { schema, last_column_id: ids.last, changed })
}

/// A column that became wider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widened {
    /// Its full name.
    pub column: String,
    /// Its type before.
    pub from: PrimitiveType,
    /// Its type after.
    pub to: PrimitiveType,
}

/// Gives columns, by their field ids, wider types, wherever they stand. What Iceberg does not allow is passed over; which
/// columns may not change because partitions were made of them, a schema does not tell.
///
/// # Errors
/// [`EvolveError::Schema`], which would be a mistake of this program.
pub fn widen(
    base: &Schema,
    widenings: &BTreeMap<i32, PrimitiveType>,
) -> Result<(Schema, Vec<Widened>), EvolveError> {
    let mut done = Vec::new();
    let fields = widen_fields(base.as_struct().fields(), widenings, "", &mut done);
    let schema = Schema::builder()
        .with_fields(fields)
        .with_schema_id(base.schema_id())
        .with_identifier_field_ids(base.identifier_field_ids())
        .build()
        .map_err(schema_error)?;
    Ok((schema, done))
}

fn widen_fields(
    fields: &[NestedFieldRef],
    widenings: &BTreeMap<i32, PrimitiveType>,
    parent: &str,
    done: &mut Vec<Widened>,
) -> Vec<NestedFieldRef> {
    fields.iter().map(|field| widen_field(field, widenings, parent, done)).collect()
}

fn widen_field(
    field: &NestedFieldRef,
    widenings: &BTreeMap<i32, PrimitiveType>,
    parent: &str,
    done: &mut Vec<Widened>,
) -> NestedFieldRef {
    let column = full_name(parent, &field.name);
    let mut inside = |field: &NestedFieldRef| widen_field(field, widenings, &column, done);
    let widened_type = match field.field_type.as_ref() {
        Type::Struct(fields) => Type::Struct(StructType::new(fields.fields().iter().map(inside).collect())),
        Type::List(list) => Type::List(ListType::new(inside(&list.element_field))),
        Type::Map(map) => Type::Map(MapType::new(map.key_field.clone(), inside(&map.value_field))),
        Type::Primitive(from) => match widenings.get(&field.id) {
            Some(to) if to != from && widened(from, to).as_ref() == Some(to) => {
                done.push(Widened { column, from: from.clone(), to: to.clone() });
                Type::Primitive(to.clone())
            }
            _ => return field.clone(),
        },
    };
    Arc::new(with_type(field, widened_type))
}

/// The same schema for a *new* table, its ids counted from 1 in the order in which Iceberg's metadata builders
/// assign them: all fields of a struct first, then what is inside each.
///
/// A new table's files are written before its metadata is made, so both must come to the same ids; each
/// function here that makes a schema gives it in this order already.
///
/// # Errors
/// [`EvolveError::Schema`] when the schema cannot be a table's.
pub fn fresh_ids(schema: &Schema) -> Result<Schema, EvolveError> {
    fresh_ids_of(schema.as_struct().fields().to_vec())
}

/// As [`fresh_ids`], for the columns of a table.
///
/// # Errors
/// [`EvolveError::Schema`] when they cannot be a table's, for example two of the same name.
pub fn fresh_ids_of(columns: Vec<NestedFieldRef>) -> Result<Schema, EvolveError> {
    let fields = Ids { last: 0 }.renumber_fields(&columns)?;
    Schema::builder().with_fields(fields).build().map_err(schema_error)
}

/// The primitive type that holds each value of both unchanged, if Iceberg allows a column of either to become
/// it: `int` and `long`, `float` and `double`, decimals of one scale.
pub fn widened(a: &PrimitiveType, b: &PrimitiveType) -> Option<PrimitiveType> {
    use PrimitiveType::{Decimal, Double, Float, Int, Long};
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (Int, Long) | (Long, Int) => Some(Long),
        (Float, Double) | (Double, Float) => Some(Double),
        (Decimal { precision: a, scale }, Decimal { precision: b, scale: other }) if scale == other => {
            Some(Decimal { precision: *a.max(b), scale: *scale })
        }
        _ => None,
    }
}

/// A type as a person reads it, with all that is inside it: `struct<city: string, at: list<double>>`.
pub fn type_text(column_type: &Type) -> String {
    match column_type {
        Type::Primitive(primitive) => primitive.to_string(),
        Type::List(list) => format!("list<{}>", type_text(&list.element_field.field_type)),
        Type::Map(map) => {
            format!(
                "map<{}, {}>",
                type_text(&map.key_field.field_type),
                type_text(&map.value_field.field_type)
            )
        }
        Type::Struct(fields) => {
            let texts: Vec<String> =
                fields.fields().iter().map(|f| format!("{}: {}", f.name, type_text(&f.field_type))).collect();
            format!("struct<{}>", texts.join(", "))
        }
    }
}

/// The field of that name: as written, else without regard to case.
pub(crate) fn find<'a>(fields: &'a [NestedFieldRef], name: &str) -> Option<(usize, &'a NestedFieldRef)> {
    let position = fields.iter().position(|field| field.name == name).or_else(|| {
        let lower = name.to_lowercase();
        fields.iter().position(|field| field.name.to_lowercase() == lower)
    })?;
    fields.get(position).map(|field| (position, field))
}

struct Ids {
    last: i32,
}

impl Ids {
    fn fresh(&mut self) -> Result<i32, EvolveError> {
        self.last = self.last.checked_add(1).ok_or(EvolveError::OutOfIds)?;
        Ok(self.last)
    }

    fn renumber_fields(&mut self, fields: &[NestedFieldRef]) -> Result<Vec<NestedFieldRef>, EvolveError> {
        let numbered: Result<Vec<NestedField>, EvolveError> = fields
            .iter()
            .map(|field| Ok(NestedField { id: self.fresh()?, ..field.as_ref().clone() }))
            .collect();
        let with_inside = numbered?.into_iter().map(|field| {
            let inside = self.renumber_type(&field.field_type)?;
            Ok(Arc::new(with_type(&field, inside)))
        });
        with_inside.collect()
    }

    fn renumber_field(&mut self, field: &NestedFieldRef) -> Result<NestedFieldRef, EvolveError> {
        let id = self.fresh()?;
        let inside = self.renumber_type(&field.field_type)?;
        Ok(Arc::new(NestedField { id, ..with_type(field, inside) }))
    }

    fn renumber_type(&mut self, column_type: &Type) -> Result<Type, EvolveError> {
        Ok(match column_type {
            Type::Primitive(primitive) => Type::Primitive(primitive.clone()),
            Type::Struct(fields) => Type::Struct(StructType::new(self.renumber_fields(fields.fields())?)),
            Type::List(list) => Type::List(ListType::new(self.renumber_field(&list.element_field)?)),
            Type::Map(map) => {
                let key = self.renumber_field(&map.key_field)?;
                Type::Map(MapType::new(key, self.renumber_field(&map.value_field)?))
            }
        })
    }
}

/// One addition on its way down to its parent.
struct Place<'a> {
    path: &'a ParentPath,
    depth: usize,
    ids: &'a mut Ids,
}

impl Place<'_> {
    fn add_to_struct(
        &mut self,
        fields: &[NestedFieldRef],
        addition: &NestedFieldRef,
    ) -> Result<Vec<NestedFieldRef>, EvolveError> {
        let mut fields = fields.to_vec();
        let Some(name) = self.path.0.get(self.depth) else {
            let top_level = self.depth == 0;
            add_or_merge(&mut fields, addition, top_level, &self.path.to_string(), self.ids)?;
            return Ok(fields);
        };
        let (position, parent) =
            find(&fields, name).ok_or_else(|| self.no_parent("there is no such field"))?;
        let parent = parent.clone();
        self.depth += 1;
        let inside = self.add_to_type(&parent.field_type, addition)?;
        if let Some(slot) = fields.get_mut(position) {
            *slot = Arc::new(with_type(&parent, inside));
        }
        Ok(fields)
    }

    fn add_to_type(&mut self, parent: &Type, addition: &NestedFieldRef) -> Result<Type, EvolveError> {
        let step = self.path.0.get(self.depth).map(String::as_str);
        match (parent, step) {
            (Type::Struct(inside), _) => {
                Ok(Type::Struct(StructType::new(self.add_to_struct(inside.fields(), addition)?)))
            }
            (Type::List(list), Some("element")) => {
                self.depth += 1;
                let inside = self.add_to_type(&list.element_field.field_type, addition)?;
                Ok(Type::List(ListType::new(Arc::new(with_type(&list.element_field, inside)))))
            }
            (Type::Map(map), Some("value")) => {
                self.depth += 1;
                let inside = self.add_to_type(&map.value_field.field_type, addition)?;
                let value = Arc::new(with_type(&map.value_field, inside));
                Ok(Type::Map(MapType::new(map.key_field.clone(), value)))
            }
            (other, _) => Err(self.no_parent(&format!("it is {}", type_text(other)))),
        }
    }

    fn no_parent(&self, found: &str) -> EvolveError {
        EvolveError::Parent { path: self.path.clone(), found: found.to_owned() }
    }
}

fn add_or_merge(
    fields: &mut Vec<NestedFieldRef>,
    addition: &NestedFieldRef,
    top_level: bool,
    parent: &str,
    ids: &mut Ids,
) -> Result<(), EvolveError> {
    if let Some((position, existing)) = find(fields, &addition.name) {
        let column = full_name(parent, &existing.name);
        let merged = merge_types(&existing.field_type, &addition.field_type, &column, ids)?;
        let merged = Arc::new(with_type(existing, merged));
        if let Some(slot) = fields.get_mut(position) {
            *slot = merged;
        }
        return Ok(());
    }
    let numbered = ids.renumber_field(addition)?;
    let added = Arc::new(NestedField { required: false, ..numbered.as_ref().clone() });
    let position = if top_level { position_of_new(fields, &added.name) } else { fields.len() };
    fields.insert(position, added);
    Ok(())
}

fn merge_types(existing: &Type, wanted: &Type, column: &str, ids: &mut Ids) -> Result<Type, EvolveError> {
    let conflict = || EvolveError::Conflict {
        column: column.to_owned(),
        existing: type_text(existing),
        wanted: type_text(wanted),
    };
    match (existing, wanted) {
        (Type::Primitive(a), Type::Primitive(b)) => widened(a, b).map(Type::Primitive).ok_or_else(conflict),
        (Type::Struct(a), Type::Struct(b)) => {
            let mut fields = a.fields().to_vec();
            for field in b.fields() {
                add_or_merge(&mut fields, field, false, column, ids)?;
            }
            Ok(Type::Struct(StructType::new(fields)))
        }
        (Type::List(a), Type::List(b)) => {
            let (a, b) = (&a.element_field, &b.element_field);
            let element = merge_types(&a.field_type, &b.field_type, &full_name(column, "element"), ids)?;
            Ok(Type::List(ListType::new(Arc::new(with_type(a, element)))))
        }
        (Type::Map(a), Type::Map(b)) => {
            // The type of a map's keys cannot change: what is equal is kept, with the ids that it has.
            if type_text(&a.key_field.field_type) != type_text(&b.key_field.field_type) {
                return Err(conflict());
            }
            let (value, other) = (&a.value_field, &b.value_field);
            let merged = merge_types(&value.field_type, &other.field_type, &full_name(column, "value"), ids)?;
            Ok(Type::Map(MapType::new(a.key_field.clone(), Arc::new(with_type(value, merged)))))
        }
        _ => Err(conflict()),
    }
}

fn with_type(field: &NestedField, field_type: Type) -> NestedField {
    NestedField { field_type: Box::new(field_type), ..field.clone() }
}

fn full_name(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

pub(crate) fn schema_error(error: iceberg::Error) -> EvolveError {
    EvolveError::Schema { reason: error.message().to_owned() }
}
