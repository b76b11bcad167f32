//! Where that goes which does not fit: a column for values, a table for whole records.
//!
//! Nothing that was accepted is lost. A value that its column cannot hold unchanged is kept as text in the
//! table's last column, [`RESCUED_DATA`]; a line that is no JSON object goes to the table's rejects table with
//! its bytes and the reason, so that it can be repaired and loaded again. And a table may keep each record as it
//! was read, in its column [`RAW`].

use std::sync::Arc;

use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, Type};

use crate::evolve::{self, EvolveError};

/// The last column of each table that ingest makes: text, a JSON object from JSONPath to the source text of
/// the values that did not fit, for example `{"$.geo.lat": "1e400", "$.v": "\"text\""}`.
pub const RESCUED_DATA: &str = "_rescued_data";

/// The column of each record's bytes as they were read, in tables that keep them: binary, the last but
/// [`RESCUED_DATA`]. A table that has it gets it filled by each ingest.
pub const RAW: &str = "_raw";

/// The record as it was read, without its line end.
pub const RECORD: &str = "record";
/// Why the record was rejected.
pub const REASON: &str = "reason";
/// The path or URL that the record came from.
pub const SOURCE: &str = "source";
/// Where the record starts in its (decompressed) source, in bytes from 0.
pub const BYTE_OFFSET: &str = "byte_offset";
/// The record's line in its source, from 1.
pub const LINE_NUMBER: &str = "line_number";
/// When the record was rejected.
pub const INGESTED_AT: &str = "ingested_at";

/// The columns of a rejects table.
pub fn rejects_schema() -> Schema {
    let fields = [
        (RECORD, PrimitiveType::Binary, "the record as it was read"),
        (REASON, PrimitiveType::String, "why it was rejected"),
        (SOURCE, PrimitiveType::String, "path or URL that it came from"),
        (BYTE_OFFSET, PrimitiveType::Long, "where it starts in its source, from 0"),
        (LINE_NUMBER, PrimitiveType::Long, "its line in the source, from 1"),
        (INGESTED_AT, PrimitiveType::Timestamptz, "when it was rejected"),
    ];
    let fields = fields.into_iter().enumerate().map(|(at, (name, column_type, doc))| {
        let id = i32::try_from(at).unwrap_or(i32::MAX).saturating_add(1);
        Arc::new(NestedField::optional(id, name, Type::Primitive(column_type)).with_doc(doc))
    });
    // Six different names with six different ids: there is nothing that the builder could refuse.
    Schema::builder().with_fields(fields).build().unwrap_or_else(|_| unreachable!())
}

/// The field of [`RESCUED_DATA`] with the id given.
pub fn rescued_data_field(id: i32) -> NestedFieldRef {
    let field = NestedField::optional(id, RESCUED_DATA, Type::Primitive(PrimitiveType::String));
    Arc::new(field.with_doc("values that did not fit their column: JSON object from path to source text"))
}

/// Whether a column is [`RESCUED_DATA`], in whatever case it is written.
pub fn is_rescued_data(name: &str) -> bool {
    name.eq_ignore_ascii_case(RESCUED_DATA)
}

/// The field of [`RAW`] with the id given.
pub fn raw_field(id: i32) -> NestedFieldRef {
    let field = NestedField::optional(id, RAW, Type::Primitive(PrimitiveType::Binary));
    Arc::new(field.with_doc("the record as it was read, without its line end"))
}

/// Whether a name is that of [`RAW`], in whatever case it is written.
pub fn is_raw(name: &str) -> bool {
    name.eq_ignore_ascii_case(RAW)
}

/// Which column of a table keeps each record's bytes. A column of that name and another type is one like any other.
pub fn raw_column(schema: &Schema) -> Option<usize> {
    let is_raw_column = |field: &NestedFieldRef| {
        is_raw(&field.name) && !field.required && *field.field_type == Type::Primitive(PrimitiveType::Binary)
    };
    schema.as_struct().fields().iter().position(is_raw_column)
}

/// Whether no field of a record gets a column of this name: the table itself uses it.
pub fn is_reserved(name: &str) -> bool {
    is_rescued_data(name) || is_raw(name)
}

/// Where a new column of a name stands among those that a table has: before the table's own ones at the end.
pub(crate) fn position_of_new(fields: &[NestedFieldRef], name: &str) -> usize {
    let rank = |name: &str| u8::from(is_reserved(name)) + u8::from(is_rescued_data(name));
    let own = fields.iter().rev().take_while(|field| rank(&field.name) > rank(name)).count();
    fields.len() - own
}

/// The schema of a *new* table with [`RESCUED_DATA`] as its last column, and fresh ids throughout
/// ([`evolve::fresh_ids`]). A schema that has it already keeps it, moved to the end. A table that exists
/// gets it by [`evolve::add_fields`].
///
/// # Errors
/// [`EvolveError`] when the schema cannot be a table's.
pub fn with_rescued_data(schema: &Schema) -> Result<Schema, EvolveError> {
    let fields = schema.as_struct().fields();
    let others = fields.iter().filter(|field| !is_rescued_data(&field.name));
    let fields = others.cloned().chain([rescued_data_field(schema.highest_field_id().saturating_add(1))]);
    evolve::fresh_ids_of(fields.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_keep_what_is_needed_to_repair_and_load_again() {
        let schema = rejects_schema();
        let columns: Vec<_> = schema
            .as_struct()
            .fields()
            .iter()
            .map(|f| format!("{} {} {}", f.id, f.name, f.field_type))
            .collect();
        assert_eq!(
            columns,
            [
                "1 record binary",
                "2 reason string",
                "3 source string",
                "4 byte_offset long",
                "5 line_number long",
                "6 ingested_at timestamptz"
            ]
        );
        assert!(schema.as_struct().fields().iter().all(|f| !f.required));
    }

    #[test]
    fn the_raw_record_stands_before_rescued_data() {
        let leaf = |id, name: &str, column_type| {
            Arc::new(NestedField::optional(id, name, Type::Primitive(column_type)))
        };
        let schema =
            Schema::builder().with_fields([leaf(1, "id", PrimitiveType::Long)]).build().expect("a schema");
        let schema = with_rescued_data(&schema).expect("rescued data");
        let raw = evolve::add_fields(&schema, 2, &[(evolve::ParentPath::root(), raw_field(0))]);
        let raw = raw.expect("raw").schema;
        let names = |schema: &Schema| -> Vec<String> {
            schema.as_struct().fields().iter().map(|field| field.name.clone()).collect()
        };
        assert_eq!(names(&raw), ["id", RAW, RESCUED_DATA]);
        assert_eq!((raw_column(&raw), raw_column(&schema)), (Some(1), None));
        let grown =
            evolve::add_fields(&raw, 3, &[(evolve::ParentPath::root(), leaf(0, "b", PrimitiveType::Long))]);
        assert_eq!(names(&grown.expect("grown").schema), ["id", "b", RAW, RESCUED_DATA]);

        let other = [leaf(1, "_RAW", PrimitiveType::String), leaf(2, "id", PrimitiveType::Long)];
        let other = Schema::builder().with_fields(other).build().expect("a schema");
        assert_eq!(raw_column(&other), None, "a text is a column like any other");
        let grown =
            evolve::add_fields(&other, 2, &[(evolve::ParentPath::root(), leaf(0, "b", PrimitiveType::Long))]);
        assert_eq!(names(&grown.expect("grown").schema), ["_RAW", "id", "b"]);
    }

    #[test]
    fn rescued_data_is_the_last_column_and_there_once() {
        let nested = Type::Struct(iceberg::spec::StructType::new(vec![Arc::new(NestedField::optional(
            2,
            "city",
            Type::Primitive(PrimitiveType::String),
        ))]));
        let schema = Schema::builder()
            .with_fields([Arc::new(NestedField::optional(1, "geo", nested))])
            .build()
            .expect("a schema");
        let once = with_rescued_data(&schema).expect("rescued data");
        let names: Vec<_> = once.as_struct().fields().iter().map(|f| (f.id, f.name.as_str())).collect();
        assert_eq!(
            names,
            [(1, "geo"), (2, RESCUED_DATA)],
            "top-level ids come first, as Iceberg assigns them"
        );
        assert_eq!(with_rescued_data(&once).expect("again"), once);
        assert!(is_rescued_data("_RESCUED_data"));
    }
}
