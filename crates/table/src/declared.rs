//! Fields of sources that say what is in them, and which of these a table lacks.
//!
//! JSON says what a field is by its values; a Parquet file has a schema. Its fields become columns of the types that it
//! names, also where all values are null, within the same limits and by the same rules for names.

use std::collections::HashSet;
use std::sync::Arc;

use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, Schema, StructType, Type};

use crate::evolve::{self, ParentPath};
use crate::json::Limits;
use crate::rejects::is_reserved;

/// What a schema lacks of what was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Fields to add by [`evolve::add_fields`].
    pub additions: Vec<(ParentPath, NestedFieldRef)>,
    /// How many leaves more there would be if the table could have more.
    pub beyond_limit: usize,
}

/// What a schema lacks of these fields. Those that it has stay as they are, whatever was declared of them.
pub fn missing(base: &Schema, declared: &[NestedFieldRef], limits: Limits) -> Missing {
    let room = limits.leaf_columns_max.saturating_sub(leaves_of(base));
    let mut search = Search { limits, room, found: Missing::default() };
    search.fields(base.as_struct().fields(), declared, &ParentPath::root(), 1);
    search.found
}

/// How many columns a schema has, those inside others counted, the table's own ones not.
pub(crate) fn leaves_of(schema: &Schema) -> usize {
    let fields = schema.as_struct().fields().iter().filter(|field| !is_reserved(&field.name));
    fields.map(|field| leaves_of_type(&field.field_type)).sum()
}

fn leaves_of_type(column_type: &Type) -> usize {
    match column_type {
        Type::Primitive(_) => 1,
        Type::Struct(inside) => inside.fields().iter().map(|field| leaves_of_type(&field.field_type)).sum(),
        Type::List(list) => leaves_of_type(&list.element_field.field_type),
        Type::Map(map) => {
            leaves_of_type(&map.key_field.field_type) + leaves_of_type(&map.value_field.field_type)
        }
    }
}

struct Search {
    limits: Limits,
    room: usize,
    found: Missing,
}

impl Search {
    fn fields(
        &mut self,
        base: &[NestedFieldRef],
        declared: &[NestedFieldRef],
        parent: &ParentPath,
        depth: usize,
    ) {
        let mut names = HashSet::new();
        for field in declared {
            if !names.insert(field.name.to_lowercase()) {
                continue;
            }
            match evolve::find(base, &field.name) {
                Some((_, known)) => {
                    let path = parent.child(known.name.clone());
                    self.inside(&known.field_type, &field.field_type, &path, depth + 1);
                }
                None => self.lacks(field, parent, depth),
            }
        }
    }

    fn inside(&mut self, base: &Type, declared: &Type, path: &ParentPath, depth: usize) {
        match (base, declared) {
            (Type::Struct(base), Type::Struct(declared)) => {
                self.fields(base.fields(), declared.fields(), path, depth);
            }
            (Type::List(base), Type::List(declared)) => {
                let (base, declared) = (&base.element_field, &declared.element_field);
                self.inside(&base.field_type, &declared.field_type, &path.child("element"), depth + 1);
            }
            (Type::Map(base), Type::Map(declared)) => {
                let (base, declared) = (&base.value_field, &declared.value_field);
                self.inside(&base.field_type, &declared.field_type, &path.child("value"), depth + 1);
            }
            _ => {}
        }
    }

    fn lacks(&mut self, field: &NestedFieldRef, parent: &ParentPath, depth: usize) {
        let is_top = *parent == ParentPath::root();
        let Some(field) = self.allowed(field, depth).filter(|field| !(is_top && is_reserved(&field.name)))
        else {
            return;
        };
        let leaves = leaves_of_type(&field.field_type);
        match self.room.checked_sub(leaves) {
            Some(room) => {
                self.room = room;
                self.found.additions.push((parent.clone(), field));
            }
            None => self.found.beyond_limit += leaves,
        }
    }

    /// The field with what of it can be a column.
    fn allowed(&self, field: &NestedFieldRef, depth: usize) -> Option<NestedFieldRef> {
        let is_name = !field.name.is_empty() && field.name.len() <= self.limits.name_bytes_max;
        if !is_name || depth > self.limits.depth_max {
            return None;
        }
        let inside = |field| self.allowed(field, depth + 1);
        let field_type = match field.field_type.as_ref() {
            Type::Primitive(primitive) => Type::Primitive(primitive.clone()),
            Type::Struct(fields) => {
                let mut names = HashSet::new();
                let fields = fields.fields().iter().filter(|field| names.insert(field.name.to_lowercase()));
                let fields: Vec<NestedFieldRef> = fields.filter_map(inside).collect();
                if fields.is_empty() {
                    return None;
                }
                Type::Struct(StructType::new(fields))
            }
            Type::List(list) => Type::List(ListType::new(inside(&list.element_field)?)),
            Type::Map(map) => Type::Map(MapType::new(inside(&map.key_field)?, inside(&map.value_field)?)),
        };
        Some(Arc::new(NestedField { field_type: Box::new(field_type), ..NestedField::clone(field) }))
    }
}

#[cfg(test)]
mod tests {
    use iceberg::spec::PrimitiveType;

    use super::*;

    fn leaf(name: &str, column_type: PrimitiveType) -> NestedFieldRef {
        Arc::new(NestedField::optional(0, name, Type::Primitive(column_type)))
    }

    fn group(name: &str, fields: Vec<NestedFieldRef>) -> NestedFieldRef {
        Arc::new(NestedField::optional(0, name, Type::Struct(StructType::new(fields))))
    }

    fn list(name: &str, element: &NestedFieldRef) -> NestedFieldRef {
        let element = NestedField::list_element(0, element.field_type.as_ref().clone(), false);
        Arc::new(NestedField::optional(0, name, Type::List(ListType::new(Arc::new(element)))))
    }

    fn found(base: Vec<NestedFieldRef>, declared: &[NestedFieldRef], limits: Limits) -> (Vec<String>, usize) {
        let base = evolve::fresh_ids_of(base).expect("a schema");
        let missing = missing(&base, declared, limits);
        let text = |(parent, field): &(ParentPath, NestedFieldRef)| {
            format!("{}: {}", parent.child(field.name.clone()), evolve::type_text(&field.field_type))
        };
        (missing.additions.iter().map(text).collect(), missing.beyond_limit)
    }

    #[test]
    fn what_is_there_stays_and_the_rest_is_added_at_its_place() {
        use PrimitiveType::{Date, Int, Long, String};
        let base =
            vec![leaf("Id", Long), group("geo", vec![leaf("lat", Int)]), list("tags", &leaf("", String))];
        let declared = [
            leaf("id", Int),
            leaf("day", Date),
            group("GEO", vec![leaf("LAT", Date), leaf("city", String)]),
            list("tags", &group("", vec![leaf("a", Int)])),
            group("empty", vec![leaf("", Int)]),
            leaf("day", Int),
            leaf("_rescued_data", String),
            leaf(&"x".repeat(256), Int),
        ];
        let expected = vec!["day: date".to_owned(), "geo.city: string".to_owned()];
        assert_eq!(found(base, &declared, Limits::default()), (expected, 0));
    }

    #[test]
    fn a_table_gets_as_many_columns_as_it_may_have() {
        let number = |name| leaf(name, PrimitiveType::Int);
        let declared = [number("b"), group("c", vec![number("x"), number("y")]), number("d")];
        let (additions, beyond) = found(vec![number("a")], &declared, Limits::of_columns(3));
        assert_eq!((additions, beyond), (vec!["b: int".to_owned(), "d: int".to_owned()], 2));
    }
}
