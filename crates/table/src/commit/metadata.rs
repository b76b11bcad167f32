//! The metadata that a table has after a commit.
//!
//! The specification's own builder does the work. It asks the machine's clock where a commit adds no snapshot, and refuses
//! time that steps back; so the time is put in here, from what the caller says and never before the last change.

use std::collections::HashMap;

use iceberg::spec::{
    FormatVersion, MAIN_BRANCH, Operation, SchemaRef, Snapshot, Summary, TableMetadata, TableMetadataBuilder,
};

use crate::commit::{NewTable, Step};

/// Steps that give no valid metadata.
#[derive(Debug, thiserror::Error)]
#[error("the table's metadata would not be valid")]
pub struct MetadataError(#[source] Box<Cause>);

impl From<Cause> for MetadataError {
    fn from(cause: Cause) -> Self {
        Self(Box::new(cause))
    }
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Spec(#[from] iceberg::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Other(&'static str),
}

/// The snapshot that a commit adds to the branch `main`.
#[derive(Clone, Debug)]
pub struct NewSnapshot {
    /// Its id, which no other snapshot of the table has.
    pub id: i64,
    /// Where the list of its manifests lies.
    pub manifest_list: String,
    /// What kind of change it is.
    pub operation: Operation,
    /// What [`super::append_summary`] or [`super::overwrite_summary`] says.
    pub summary: HashMap<String, String>,
}

/// The outcome of steps.
#[derive(Clone, Debug)]
pub struct Next {
    /// The metadata to write.
    pub metadata: TableMetadata,
    /// Metadata files that fell out of the log because it has its length.
    pub expired: Vec<String>,
}

/// The metadata of a new table without a snapshot.
///
/// # Errors
/// [`MetadataError`] when the parts do not fit each other.
pub fn first_metadata(new: &NewTable, now_ms: i64) -> Result<TableMetadata, MetadataError> {
    let built = TableMetadataBuilder::new(
        new.schema.clone(),
        new.spec.clone(),
        new.sort_order.clone(),
        new.location.clone(),
        FormatVersion::V2,
        new.properties.clone(),
    )
    .map_err(Cause::from)?
    .assign_uuid(new.uuid)
    .build()
    .map_err(Cause::from)?;
    // Files are written before the metadata is made, so their ids must be the ones given here.
    if built.metadata.current_schema().as_struct() != new.schema.as_struct() {
        return Err(Cause::Other("the ids of a new table's columns are not in Iceberg's order").into());
    }
    at_time(&built.metadata, now_ms)
}

/// The metadata after `steps` on `base`, which was read from `base_location` (none when it was never written).
///
/// # Errors
/// [`MetadataError`] when the steps give no valid table.
pub fn next_metadata(
    base: &TableMetadata,
    base_location: Option<&str>,
    steps: &[Step],
    snapshot: Option<NewSnapshot>,
    now_ms: i64,
) -> Result<Next, MetadataError> {
    let makes_rows = |step: &&Step| matches!(step, Step::Append(_) | Step::Overwrite(_));
    if steps.iter().filter(makes_rows).count() > 1 {
        return Err(Cause::Other("one commit makes one snapshot of a table").into());
    }
    let now_ms = now_ms.max(base.last_updated_ms());
    let mut builder = base.clone().into_builder(base_location.map(str::to_owned));
    for step in steps {
        builder = apply(builder, step)?;
    }
    let has_snapshot = snapshot.is_some();
    if let Some(snapshot) = snapshot {
        let schema_id = match evolves(steps) {
            false => base.current_schema_id(),
            true => current_schema_id(&builder)?,
        };
        builder = builder
            .set_branch_snapshot(snapshot.on(base, schema_id, now_ms), MAIN_BRANCH)
            .map_err(Cause::from)?;
    }
    let built = builder.build().map_err(Cause::from)?;
    let expired = built.expired_metadata_logs.into_iter().map(|entry| entry.metadata_file).collect();
    let metadata = if has_snapshot { built.metadata } else { at_time(&built.metadata, now_ms)? };
    Ok(Next { metadata, expired })
}

/// The columns after `steps` on `base`.
///
/// # Errors
/// [`MetadataError`] when the steps give no valid table.
pub fn schema_after(base: &TableMetadata, steps: &[Step]) -> Result<SchemaRef, MetadataError> {
    if !evolves(steps) {
        return Ok(base.current_schema().clone());
    }
    let next = next_metadata(base, None, steps, None, base.last_updated_ms())?;
    Ok(next.metadata.current_schema().clone())
}

fn evolves(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::EvolveSchema { .. }))
}

fn apply(builder: TableMetadataBuilder, step: &Step) -> Result<TableMetadataBuilder, MetadataError> {
    let builder = match step {
        Step::EvolveSchema { schema, .. } => builder
            .add_schema((**schema).clone())
            .and_then(|builder| builder.set_current_schema(TableMetadataBuilder::LAST_ADDED)),
        Step::SetProperties(properties) => builder.set_properties(properties.clone()),
        Step::RemoveProperties(keys) => builder.remove_properties(keys),
        Step::RequireSnapshot(_) | Step::Append(_) | Step::Overwrite(_) => Ok(builder),
    };
    Ok(builder.map_err(Cause::from)?)
}

/// The builder does not show what it has; a build of a copy does.
fn current_schema_id(builder: &TableMetadataBuilder) -> Result<i32, MetadataError> {
    Ok(builder.clone().build().map_err(Cause::from)?.metadata.current_schema_id())
}

impl NewSnapshot {
    fn on(self, base: &TableMetadata, schema_id: i32, now_ms: i64) -> Snapshot {
        let last_ms = base.history().last().map_or(now_ms, |entry| entry.timestamp_ms);
        Snapshot::builder()
            .with_snapshot_id(self.id)
            .with_parent_snapshot_id(base.current_snapshot_id())
            .with_sequence_number(base.next_sequence_number())
            .with_timestamp_ms(now_ms.max(last_ms))
            .with_manifest_list(self.manifest_list)
            .with_summary(Summary { operation: self.operation, additional_properties: self.summary })
            .with_schema_id(schema_id)
            .build()
    }
}

fn at_time(metadata: &TableMetadata, now_ms: i64) -> Result<TableMetadata, MetadataError> {
    let mut json = serde_json::to_value(metadata).map_err(Cause::from)?;
    json["last-updated-ms"] = now_ms.into();
    Ok(serde_json::from_value(json).map_err(Cause::from)?)
}
