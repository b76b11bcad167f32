//! Databases made and dropped, and tables dropped.

use crate::names::Names;
use crate::statements::properties;
use crate::{SqlError, code};
use hosu_catalog::CatalogError;
use hosu_dialect::{CreateDatabase, Ident, TableRef};
use std::collections::HashMap;

/// CREATE DATABASE
pub(crate) async fn create(names: Names<'_>, create: &CreateDatabase) -> Result<(), SqlError> {
    let database = names.new_database(&create.name)?;
    if let Some(location) = &create.location {
        // Half a promise would be worse: an ingest into the database would not know of it.
        let message = "a database has no LOCATION here: its tables are put into the warehouse, or where CREATE TABLE says";
        return Err(SqlError::not_supported(message).at(location.position));
    }
    let mut values: HashMap<String, String> = create
        .properties
        .iter()
        .map(|property| (property.key.value.clone(), property.value.value.clone()))
        .collect();
    if let Some(comment) = &create.comment {
        values.insert(properties::COMMENT.to_owned(), comment.value.clone());
    }
    match names.catalog.create_database(&database, values).await {
        Err(CatalogError::DatabaseExists { .. }) if create.if_not_exists => Ok(()),
        Err(error) => Err(SqlError::from(error).at(create.name.position)),
        Ok(()) => Ok(()),
    }
}

/// DROP DATABASE
pub(crate) async fn drop(
    names: Names<'_>,
    name: &Ident,
    if_exists: bool,
    cascade: bool,
) -> Result<(), SqlError> {
    let database = match names.database(Some(name)).await {
        Err(error) if if_exists && error.code == code::SCHEMA_NOT_FOUND => return Ok(()),
        found => found?,
    };
    if cascade {
        for table in names.catalog.tables(&database).await? {
            match names.catalog.drop_table(&table).await {
                // Somebody else was faster.
                Err(CatalogError::TableNotFound { .. }) => {}
                dropped => dropped?,
            }
        }
    }
    match names.catalog.drop_database(&database).await {
        Err(CatalogError::DatabaseNotFound { .. }) if if_exists => Ok(()),
        Err(error) => Err(SqlError::from(error).at(name.position)),
        Ok(()) => Ok(()),
    }
}

/// DROP TABLE
pub(crate) async fn drop_table(names: Names<'_>, table: &TableRef, if_exists: bool) -> Result<(), SqlError> {
    let missing = |code| matches!(code, code::TABLE_NOT_FOUND | code::SCHEMA_NOT_FOUND);
    let found = match names.table(table).await {
        Err(error) if if_exists && missing(error.code) => return Ok(()),
        found => found?,
    };
    match names.catalog.drop_table(&found.name).await {
        Err(CatalogError::TableNotFound { .. }) if if_exists => Ok(()),
        dropped => Ok(dropped?),
    }
}
