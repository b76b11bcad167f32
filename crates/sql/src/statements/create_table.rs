//! CREATE TABLE in Athena's form for Iceberg.

use crate::names::Names;
use crate::statements::properties;
use crate::{SqlError, code, hive};
use futures::{StreamExt, TryStreamExt};
use hosu_catalog::{CatalogError, NewTable};
use hosu_dialect::{At, CreateTable, PartitionField};
use hosu_host::{Location, Store};
use hosu_table::name::TableName;
use hosu_table::partition::{self, PartitionTerm};
use hosu_table::paths;
use iceberg::spec::{PartitionSpec, Schema, SortOrder, Transform};
use std::collections::HashMap;
use uuid::Uuid;

/// Makes the table.
pub(crate) async fn create(names: Names<'_>, create: &CreateTable) -> Result<(), SqlError> {
    let name = names.new_table(&create.table).await?;
    let exists = names.catalog.load(&name).await?.is_some();
    if exists && create.if_not_exists {
        return Ok(());
    }
    if exists {
        let error = SqlError::from(CatalogError::TableExists { name });
        return Err(error.at(create.table.table.position));
    }
    let schema = hive::schema(&create.columns)?;
    let spec = spec(&create.partitioned_by, &schema)?;
    let mut properties = properties::read(&create.properties, &HashMap::new())?;
    if let Some(comment) = &create.comment {
        properties.insert(properties::COMMENT.to_owned(), comment.value.clone());
    }
    let uuid = names.catalog.host().ids.uuid();
    let location = location(names, create.location.as_ref(), &name, uuid).await?;
    let new = NewTable { uuid, location, schema, spec, sort_order: SortOrder::unsorted_order(), properties };
    match names.catalog.create_table(name, new, false).await {
        Err(CatalogError::TableExists { .. }) if create.if_not_exists => Ok(()),
        Err(error) => Err(SqlError::from(error).at(create.table.table.position)),
        Ok(_) => Ok(()),
    }
}

fn spec(fields: &[At<PartitionField>], schema: &Schema) -> Result<PartitionSpec, SqlError> {
    let mut terms = Vec::new();
    for field in fields {
        let term = term(&field.value).map_err(|error| error.at(field.position))?;
        terms.push(term);
        // Bound one by one, an error has the place of the term that makes it.
        partition::bind(&terms, schema).map_err(|error| partition_error(&error).at(field.position))?;
    }
    partition::bind(&terms, schema).map_err(|error| partition_error(&error))
}

fn partition_error(error: &partition::PartitionError) -> SqlError {
    let code = match error {
        partition::PartitionError::Column { .. } => code::COLUMN_NOT_FOUND,
        _ => code::INVALID_TABLE_PROPERTY,
    };
    SqlError::new(code, error.to_string())
}

fn term(field: &PartitionField) -> Result<PartitionTerm, SqlError> {
    let column: Vec<&str> = field.column.iter().map(|part| part.value.as_str()).collect();
    let column = column.join(".");
    let Some(written) = &field.transform else {
        return Ok(PartitionTerm { column, transform: Transform::Identity });
    };
    let transform = match (written.value.to_lowercase().as_str(), field.parameter) {
        ("year" | "years", None) => Transform::Year,
        ("month" | "months", None) => Transform::Month,
        ("day" | "days" | "date", None) => Transform::Day,
        ("hour" | "hours" | "date_hour", None) => Transform::Hour,
        ("bucket", Some(buckets)) if buckets > 0 => Transform::Bucket(buckets),
        ("truncate", Some(width)) if width > 0 => Transform::Truncate(width),
        _ => {
            let message = format!(
                "{field} is no partitioning: write year(c), month(c), day(c), hour(c), bucket(16, c), truncate(10, c) or c"
            );
            return Err(SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(written.position));
        }
    };
    Ok(PartitionTerm { column, transform })
}

/// Where the table's files are put. A folder is one table's: upkeep takes what it does not know there for rubbish.
async fn location(
    names: Names<'_>,
    written: Option<&At<String>>,
    name: &TableName,
    uuid: Uuid,
) -> Result<String, SqlError> {
    let Some(written) = written else {
        return Ok(paths::table_location(names.catalog.warehouse().as_str(), name, uuid));
    };
    let refused = |message: String| SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(written.position);
    let location = Location::parse(&written.value).map_err(|error| refused(error.to_string()))?;
    let store = &names.catalog.host().store;
    if location.key().is_empty() {
        return Err(refused(format!("LOCATION {location} is a whole store: name a folder in it")));
    }
    if !is_empty(store, &location).await.map_err(|error| refused(error.to_string()))? {
        return Err(refused(format!("LOCATION {location} is not empty")));
    }
    let mut folder = location.parent();
    while let Some(above) = folder {
        let metadata = above.join(paths::METADATA_FOLDER);
        if holds_table(store, &metadata).await.map_err(|error| refused(error.to_string()))? {
            return Err(refused(format!("LOCATION {location} lies in {above}, which is another table's")));
        }
        folder = above.parent();
    }
    Ok(location.to_string())
}

async fn is_empty(store: &Store, location: &Location) -> Result<bool, hosu_host::StoreError> {
    Ok(store.list(location).try_next().await?.is_none())
}

async fn holds_table(store: &Store, metadata: &Location) -> Result<bool, hosu_host::StoreError> {
    let mut objects = store.list(metadata).take(1_000);
    while let Some((object, _)) = objects.try_next().await? {
        if object.file_name().ends_with(".metadata.json") {
            return Ok(true);
        }
    }
    Ok(false)
}
