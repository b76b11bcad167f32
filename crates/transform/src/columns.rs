//! The columns of a target whose rows are all made anew by another SELECT.

use hosu_catalog::Table;
use hosu_change::fits;
use hosu_table::arrow_schema::to_arrow_type;
use hosu_table::evolve::{ParentPath, add_fields};
use iceberg::spec::{NestedFieldRef, Schema, Transform};

use crate::job::JobFault;

/// The schema that a table gets when it is to have the columns of `wanted` and no others. A column that is there and has a type
/// into which the wanted one fits stays as it is; others get ids that no column ever had.
///
/// # Errors
/// [`JobFault::TargetColumns`] when the table is parted or sorted by a column that would go.
pub(crate) fn replaced(table: &Table, wanted: &Schema) -> Result<Schema, JobFault> {
    let refused = |detail: String| JobFault::TargetColumns { target: table.name.clone(), detail };
    let stays = |field: &NestedFieldRef| {
        let name = field.name.to_lowercase();
        let same = wanted.as_struct().fields().iter().find(|other| other.name.to_lowercase() == name);
        same.is_some_and(|other| {
            fits(&to_arrow_type(&other.field_type), &to_arrow_type(&field.field_type), false)
        })
    };
    let (kept, gone): (Vec<_>, Vec<_>) = table.schema().as_struct().fields().iter().cloned().partition(stays);
    if let Some(needed) = gone.iter().find(|field| is_needed(table, field)) {
        let name = &needed.name;
        return Err(refused(format!(
            "the table is parted or sorted by `{name}`, which the SELECT does not give"
        )));
    }
    let kept_names: Vec<String> = kept.iter().map(|field| field.name.to_lowercase()).collect();
    let base = Schema::builder()
        .with_schema_id(table.schema().schema_id())
        .with_fields(kept)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let new: Vec<_> = wanted
        .as_struct()
        .fields()
        .iter()
        .filter(|field| !kept_names.contains(&field.name.to_lowercase()))
        .map(|field| (ParentPath::root(), field.clone()))
        .collect();
    let evolved = add_fields(&base, table.metadata.last_column_id(), &new);
    Ok(evolved.map_err(|error| refused(error.to_string()))?.schema)
}

/// Whether the table is parted or sorted by a column, or by what is inside it.
fn is_needed(table: &Table, field: &NestedFieldRef) -> bool {
    let spec = table.metadata.default_partition_spec();
    let sorted = table.metadata.default_sort_order();
    let sources = spec.fields().iter().map(|field| (field.source_id, field.transform));
    let sources = sources.chain(sorted.fields.iter().map(|field| (field.source_id, field.transform)));
    let mut needed = sources.filter(|(_, transform)| *transform != Transform::Void);
    needed.any(|(source_id, _)| {
        let name = table.schema().name_by_field_id(source_id).unwrap_or_default();
        let first = name.split('.').next().unwrap_or_default();
        name == field.name || first == field.name
    })
}
