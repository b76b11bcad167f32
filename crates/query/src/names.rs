//! One spelling for each name of a statement, so that names are found in any case.
//!
//! DataFusion compares names as they are written. So each statement gets one spelling for each path (`userId`,
//! `device.osName`) that columns of its tables have in several, the first one, and everything is written in it: the
//! columns that DataFusion sees (they are found in files by id, whatever they are called) and the names in the text.
//! A word that no column has is in lower case.
//!
//! Where a name in the text is a field of something that has no path (of an element of UNNEST, say), its spelling is
//! that of the first field with such a name. That may be the wrong one (`arn` in one struct, `ARN` in another); then the
//! statement is planned once more with one spelling for each name, wherever it stands ([`Spelling::everywhere`]).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Fields, Schema as ArrowSchema};
use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, Schema, SchemaRef, StructType, Type};

/// The spelling of a statement's names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spelling {
    by_folded_name: HashMap<String, String>,
    /// By full name, without what stands for elements and values.
    by_folded_path: HashMap<String, String>,
    has_several: bool,
    everywhere: bool,
}

impl Spelling {
    /// Adds the names of a table's columns and of all that is inside of them.
    pub fn add(&mut self, schema: &Schema) {
        self.add_fields("", schema.as_struct().fields());
    }

    /// Adds the names of a schema as Arrow has it.
    pub fn add_arrow(&mut self, schema: &ArrowSchema) {
        self.add_arrow_fields("", schema.fields());
    }

    /// The same names, each in one spelling wherever it stands; none if that makes no difference.
    pub fn everywhere(&self) -> Option<Self> {
        (self.has_several && !self.everywhere).then(|| Self { everywhere: true, ..self.clone() })
    }

    fn add_fields(&mut self, parent: &str, fields: &[NestedFieldRef]) {
        for field in fields {
            self.add_name(parent, &field.name);
        }
        for field in fields {
            self.add_type(&below(parent, &field.name), &field.field_type);
        }
    }

    fn add_arrow_fields(&mut self, parent: &str, fields: &Fields) {
        for field in fields {
            self.add_name(parent, field.name());
        }
        for field in fields {
            self.add_arrow_type(&below(parent, field.name()), field.data_type());
        }
    }

    fn add_arrow_type(&mut self, path: &str, column_type: &DataType) {
        match column_type {
            DataType::Struct(fields) => self.add_arrow_fields(path, fields),
            DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
                self.add_arrow_type(path, element.data_type());
            }
            DataType::Map(entry, _) => {
                let DataType::Struct(fields) = entry.data_type() else { return };
                fields.iter().for_each(|field| self.add_arrow_type(path, field.data_type()));
            }
            _ => {}
        }
    }

    fn add_name(&mut self, parent: &str, name: &str) {
        let first = self.by_folded_name.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
        self.has_several |= *first != name;
        self.by_folded_path.entry(below(parent, name)).or_insert_with(|| name.to_owned());
    }

    fn add_type(&mut self, path: &str, column_type: &Type) {
        match column_type {
            Type::Primitive(_) => {}
            Type::Struct(inside) => self.add_fields(path, inside.fields()),
            Type::List(list) => self.add_type(path, &list.element_field.field_type),
            Type::Map(map) => {
                self.add_type(path, &map.key_field.field_type);
                self.add_type(path, &map.value_field.field_type);
            }
        }
    }

    /// A name that stands alone, in the statement's spelling: a column's, else a field's.
    pub fn of(&self, name: &str) -> String {
        let folded = name.to_lowercase();
        let column = (!self.everywhere).then(|| self.by_folded_path.get(&folded)).flatten();
        column.or_else(|| self.by_folded_name.get(&folded)).cloned().unwrap_or(folded)
    }

    /// Names with dots between them, in the statement's spelling: a column after what qualifies it, and the fields
    /// inside of it. With `t.device.os`, `device.os` is the path if there is a column `device`.
    pub fn of_path(&self, names: &[&str]) -> Vec<String> {
        let is_column = |at: &usize| names.get(*at).is_some_and(|name| self.by_path(&[*name]).is_some());
        let start = (0..names.len())
            .find(|at| is_column(at) && names.get(*at..at + 2).is_none_or(|two| self.by_path(two).is_some()));
        let spelled = names.iter().enumerate().map(|(at, name)| {
            let path = start.and_then(|start| names.get(start..=at));
            path.and_then(|path| self.by_path(path)).cloned().unwrap_or_else(|| self.of(name))
        });
        spelled.collect()
    }

    fn by_path(&self, names: &[&str]) -> Option<&String> {
        let path = names.iter().fold(String::new(), |parent, name| below(&parent, name));
        if self.everywhere { None } else { self.by_folded_path.get(&path) }
    }

    /// The same schema with its names in the statement's spelling.
    pub fn schema(&self, schema: &SchemaRef) -> SchemaRef {
        let fields = self.fields("", schema.as_struct().fields());
        let respelled = Schema::builder().with_schema_id(schema.schema_id()).with_fields(fields).build();
        respelled.map_or_else(|_| schema.clone(), Arc::new)
    }

    fn fields(&self, parent: &str, fields: &[NestedFieldRef]) -> Vec<NestedFieldRef> {
        let folded: Vec<String> = fields.iter().map(|field| field.name.to_lowercase()).collect();
        let mut seen = HashSet::new();
        let twice: HashSet<&String> = folded.iter().filter(|name| !seen.insert(*name)).collect();
        let fields = fields.iter().zip(&folded).map(|(field, folded)| {
            let path = below(parent, folded);
            let of_path = (!self.everywhere).then(|| self.by_folded_path.get(&path)).flatten();
            // Two columns that differ only in case (others write such tables) keep the names that they have.
            let name = match of_path {
                _ if twice.contains(folded) => field.name.clone(),
                Some(name) => name.clone(),
                None => self.of(folded),
            };
            Arc::new(self.field(&path, field, name))
        });
        fields.collect()
    }

    fn field(&self, path: &str, field: &NestedField, name: String) -> NestedField {
        let field_type = Box::new(self.field_type(path, &field.field_type));
        NestedField { name, field_type, ..field.clone() }
    }

    fn field_type(&self, path: &str, column_type: &Type) -> Type {
        let inside = |field: &NestedFieldRef| Arc::new(self.field(path, field, field.name.clone()));
        match column_type {
            Type::Primitive(primitive) => Type::Primitive(primitive.clone()),
            Type::Struct(fields) => Type::Struct(StructType::new(self.fields(path, fields.fields()))),
            Type::List(list) => Type::List(ListType::new(inside(&list.element_field))),
            Type::Map(map) => Type::Map(MapType::new(inside(&map.key_field), inside(&map.value_field))),
        }
    }
}

/// A path one name longer, without regard to case. What separates names is in no name.
fn below(parent: &str, name: &str) -> String {
    let name = name.to_lowercase();
    if parent.is_empty() { name } else { format!("{parent}\0{name}") }
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
        assert_eq!(spelling.of("OSname"), "OSNAME", "a column before a field");
        assert_eq!(spelling.of("Other"), "other");
        assert_eq!(names(&spelling.schema(&second)), ["userId", "OSNAME"]);
        assert_eq!(names(&spelling.schema(&first)), ["userId", "Device"]);
        let everywhere = spelling.everywhere().unwrap();
        assert_eq!(everywhere.of("OSname"), "osName");
        assert_eq!(names(&everywhere.schema(&second)), ["userId", "osName"]);
    }

    #[test]
    fn fields_of_different_structs_have_their_own_spelling() {
        let record = |id, name: &str, inside| {
            let inside = Type::Struct(StructType::new(vec![inside]));
            Arc::new(NestedField::optional(id, name, inside))
        };
        let list = ListType::new(Arc::new(NestedField::list_element(
            3,
            Type::Struct(StructType::new(vec![column(4, "ARN")])),
            false,
        )));
        let resources = Arc::new(NestedField::optional(2, "Resources", Type::List(list)));
        let table = schema(vec![record(1, "user", column(5, "arn")), resources]);
        let mut spelling = Spelling::default();
        spelling.add(&table);
        assert_eq!(spelling.schema(&table), table);
        assert_eq!(spelling.of_path(&["t", "RESOURCES", "arn"]), ["t", "Resources", "ARN"]);
        assert_eq!(spelling.of_path(&["USER", "ARN"]), ["user", "arn"]);
        assert_eq!(spelling.of_path(&["element", "ARN"]), ["element", "arn"]);
        let everywhere = spelling.everywhere().unwrap();
        assert_eq!(everywhere.of_path(&["resources", "ARN"]), ["Resources", "arn"]);
        assert!(everywhere.everywhere().is_none());
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
