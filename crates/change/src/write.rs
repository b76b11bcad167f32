//! Rows of a statement to data files that nobody sees yet.

use std::sync::Arc;

use arrow::datatypes::SchemaRef as ArrowSchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use hosu_catalog::{Catalog, NewTable, Table};
use hosu_datafile::{DataFileWriter, WriteTarget, WriterSettings, Written};
use hosu_host::{Location, LocationError};
use hosu_query::run_error;
use hosu_table::arrow_schema;
use hosu_table::name::TableName;
use hosu_table::properties::TableProperties;
use iceberg::spec::Schema;
use uuid::Uuid;

use crate::error::ChangeError;
use crate::fit;

/// The table that rows are written for.
#[derive(Clone, Debug)]
pub enum Target {
    /// One that the commit makes.
    New {
        /// Its name.
        name: TableName,
        /// What it will be.
        new: Box<NewTable>,
    },
    /// One that is there.
    Existing {
        /// As it was when the change was planned.
        table: Arc<Table>,
        /// Its columns after the commit, where they change with it.
        schema: Option<Box<Schema>>,
    },
}

impl Target {
    /// Its name.
    pub fn name(&self) -> &TableName {
        match self {
            Self::New { name, .. } => name,
            Self::Existing { table, .. } => &table.name,
        }
    }

    /// Its identity.
    pub fn uuid(&self) -> Uuid {
        match self {
            Self::New { new, .. } => new.uuid,
            Self::Existing { table, .. } => table.uuid(),
        }
    }

    /// The columns of the rows.
    pub fn schema(&self) -> &Schema {
        match self {
            Self::New { new, .. } => &new.schema,
            Self::Existing { table, schema } => schema.as_deref().unwrap_or_else(|| table.schema()),
        }
    }

    /// The partition spec of the rows.
    pub fn spec_id(&self) -> i32 {
        match self {
            Self::New { new, .. } => new.spec.spec_id(),
            Self::Existing { table, .. } => table.metadata.default_partition_spec_id(),
        }
    }

    fn write_target(&self) -> Result<WriteTarget, LocationError> {
        let schema = Arc::new(self.schema().clone());
        Ok(match self {
            Self::New { new, .. } => WriteTarget {
                schema,
                spec: Arc::new(new.spec.clone()),
                sort_order: Arc::new(new.sort_order.clone()),
                location: Location::parse(&new.location)?,
                properties: TableProperties::from(&new.properties),
            },
            Self::Existing { table, .. } => WriteTarget {
                schema,
                spec: table.metadata.default_partition_spec().clone(),
                sort_order: table.metadata.default_sort_order().clone(),
                location: table.location.clone(),
                properties: table.properties(),
            },
        })
    }
}

/// Writes rows to data files that are durable and belong to no table yet: [`crate::commit`] makes them part of the target, or
/// [`hosu_datafile::discard`] deletes them.
///
/// The rows have the columns of the target in their order, of the types of
/// [`hosu_table::arrow_schema::to_arrow`]; their names do not matter.
///
/// # Errors
/// [`ChangeError`]. What was written is deleted then.
pub async fn write(
    catalog: &Catalog,
    target: &Target,
    rows: SendableRecordBatchStream,
    settings: WriterSettings,
    operation: Uuid,
) -> Result<Written, ChangeError> {
    let place = |source| ChangeError::Location { table: target.name().clone(), source };
    let mut writer =
        DataFileWriter::new(catalog.host(), target.write_target().map_err(place)?, settings, operation)?;
    if let Err(error) = write_all(target, &mut writer, rows).await {
        writer.abort().await;
        return Err(error);
    }
    Ok(writer.finish().await?)
}

async fn write_all(
    target: &Target,
    writer: &mut DataFileWriter,
    mut rows: SendableRecordBatchStream,
) -> Result<(), ChangeError> {
    let schema: ArrowSchemaRef = Arc::new(arrow_schema::to_arrow(target.schema()));
    while let Some(batch) = rows.next().await {
        let batch = fit::batch(target.name(), &schema, &batch.map_err(run_error)?)?;
        writer.write(batch).await?;
    }
    Ok(())
}
