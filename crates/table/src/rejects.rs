//! Where that goes which does not fit: a column for values, a table for whole records.
//!
//! Nothing that was accepted is lost. A value that its column cannot hold unchanged is kept as text in the
//! table's last column, [`RESCUED_DATA`]; a line that is no JSON object goes to the table's rejects table with
//! its bytes and the reason, so that it can be repaired and loaded again.

use std::sync::Arc;

use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, Type};

use crate::evolve::{self, EvolveError};

/// The last column of each table that ingest makes: text, a JSON object from JSONPath to the source text of
/// the values that did not fit, for example `{"$.geo.lat": "1e400", "$.v": "\"text\""}`.
pub const RESCUED_DATA: &str = "_rescued_data";

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
