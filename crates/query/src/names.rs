//! One spelling for each name of a statement, so that names are found in any case.
//!
//! DataFusion compares names as they are written. So each statement gets one spelling for all names that differ
//! only in case, the first one that a column of its tables has, and everything is written in it: the columns
//! that DataFusion sees (they are found in files by id, whatever they are called) and the names in the text.
//! A word that no column has is in lower case.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, Schema, SchemaRef, StructType, Type};

/// The spelling of a statement's names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spelling {
    by_folded: HashMap<String, String>,
}

impl Spelling {
    /// Adds the names of a table's columns and of all that is inside of them.
    pub fn add(&mut self, schema: &Schema) {
        self.add_fields(schema.as_struct().fields());
    }

    fn add_fields(&mut self, fields: &[NestedFieldRef]) {
        for field in fields {
            self.by_folded.entry(field.name.to_lowercase()).or_insert_with(|| field.name.clone());
        }
        for field in fields {
            self.add_type(&field.field_type);
        }
    }

    fn add_type(&mut self, column_type: &Type) {
        match column_type {
            Type::Primitive(_) => {}
            Type::Struct(inside) => self.add_fields(inside.fields()),
            Type::List(list) => self.add_type(&list.element_field.field_type),
            Type::Map(map) => {
                self.add_type(&map.key_field.field_type);
                self.add_type(&map.value_field.field_type);
            }
        }
    }

    /// A name in the statement's spelling.
    pub fn of(&self, name: &str) -> String {
        let folded = name.to_lowercase();
        self.by_folded.get(&folded).cloned().unwrap_or(folded)
    }

    /// The same schema with its names in the statement's spelling.
    pub fn schema(&self, schema: &SchemaRef) -> SchemaRef {
        let fields = self.fields(schema.as_struct().fields());
        let respelled = Schema::builder().with_schema_id(schema.schema_id()).with_fields(fields).build();
        respelled.map_or_else(|_| schema.clone(), Arc::new)
    }

    fn fields(&self, fields: &[NestedFieldRef]) -> Vec<NestedFieldRef> {
        let folded: Vec<String> = fields.iter().map(|field| field.name.to_lowercase()).collect();
        let mut seen = HashSet::new();
        let twice: HashSet<&String> = folded.iter().filter(|name| !seen.insert(*name)).collect();
        let fields = fields.iter().zip(&folded).map(|(field, folded)| {
            // Two columns that differ only in case (others write such tables) keep the names that they have.
            let name = if twice.contains(folded) { field.name.clone() } else { self.of(folded) };
            Arc::new(self.field(field, name))
        });
        fields.collect()
    }

    fn field(&self, field: &NestedField, name: String) -> NestedField {
        let field_type = Box::new(self.field_type(&field.field_type));
        NestedField { name, field_type, ..field.clone() }
    }

    fn field_type(&self, column_type: &Type) -> Type {
        let inside = |field: &NestedFieldRef| Arc::new(self.field(field, field.name.clone()));
        match column_type {
            Type::Primitive(primitive) => Type::Primitive(primitive.clone()),
            Type::Struct(fields) => Type::Struct(StructType::new(self.fields(fields.fields()))),
            Type::List(list) => Type::List(ListType::new(inside(&list.element_field))),
            Type::Map(map) => Type::Map(MapType::new(inside(&map.key_field), inside(&map.value_field))),
        }
    }
}

#[cfg(test)]
mod tests {
    use iceberg::spec::PrimitiveType;

    use super::*;

    fn column(id: i32, name: &str) -> NestedFieldRef {
        Arc::new(NestedField::optional(id, name, Type::Primitive(PrimitiveType::Long)))
    }

    fn schema(fields: Vec<NestedFieldRef>) -> SchemaRef {
        Arc::new(Schema::builder().with_fields(fields).build().unwrap())
    }

    fn names(schema: &Schema) -> Vec<&str> {
        schema.as_struct().fields().iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn the_first_spelling_is_everyones() {
        let inside = Type::Struct(StructType::new(vec![column(4, "osName")]));
        let first = schema(vec![column(1, "userId"), Arc::new(NestedField::optional(3, "Device", inside))]);
        let second = schema(vec![column(1, "USERID"), column(2, "OSNAME")]);
        let mut spelling = Spelling::default();
        spelling.add(&first);
        spelling.add(&second);
        assert_eq!(spelling.of("UserID"), "userId");
        assert_eq!(spelling.of("OSname"), "osName");
        assert_eq!(spelling.of("Other"), "other");
        assert_eq!(names(&spelling.schema(&second)), ["userId", "osName"]);
        assert_eq!(names(&spelling.schema(&first)), ["userId", "Device"]);
    }

    #[test]
    fn columns_that_differ_only_in_case_stay_apart() {
        let both = schema(vec![column(1, "A"), column(2, "a"), column(3, "B")]);
        let mut spelling = Spelling::default();
        spelling.add(&schema(vec![column(1, "b")]));
        spelling.add(&both);
        assert_eq!(names(&spelling.schema(&both)), ["A", "a", "b"]);
    }
}
