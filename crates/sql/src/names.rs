//! Names in a statement to what the catalog has, whatever their case.

use crate::{SqlError, code};
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_dialect::{Ident, TableRef};
use hosu_query::system::{self, SystemTable};
use hosu_table::name::{self, TableName};
use std::sync::Arc;

/// Athena's own name of its catalog: statements that come from there name it.
const ATHENA_CATALOG: &str = "awsdatacatalog";

/// Finds names for one statement.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) catalog: &'a Catalog,
    /// The session's database.
    pub(crate) database: &'a str,
}

impl Names<'_> {
    /// A database as the catalog has it stored.
    pub(crate) async fn database(&self, name: Option<&Ident>) -> Result<String, SqlError> {
        let wanted = name.map_or(self.database, |name| name.value.as_str());
        let found = self.stored_database(wanted).await?;
        found.map_err(|error| name.map_or(error.clone(), |name| error.at(name.position)))
    }

    async fn stored_database(&self, wanted: &str) -> Result<Result<String, SqlError>, SqlError> {
        let databases = self.catalog.databases().await?;
        let exact = databases.iter().find(|database| *database == wanted);
        let found =
            exact.or_else(|| databases.iter().find(|name| name.to_lowercase() == wanted.to_lowercase()));
        Ok(found.cloned().ok_or_else(|| {
            let nearest = name::nearest(wanted, databases.iter().map(String::as_str)).map(str::to_owned);
            CatalogError::DatabaseNotFound { database: wanted.to_owned(), nearest }.into()
        }))
    }

    /// A table that exists.
    pub(crate) async fn table(&self, table: &TableRef) -> Result<Arc<Table>, SqlError> {
        if let Some(system) = self.system_table(table).await? {
            let message = format!("{}.{} has no files: it can only be read", system::DATABASE, system.name());
            return Err(SqlError::not_supported(message).at(table.table.position));
        }
        let database = self.database(table.database.as_ref()).await?;
        let written = &table.table.value;
        let lower = written.to_lowercase();
        for spelling in [written, &lower] {
            if let Some(table) = self.catalog.load(&TableName::stored(&database, spelling)).await? {
                return Ok(table);
            }
        }
        let tables = self.catalog.tables(&database).await?;
        if let Some(name) = tables.iter().find(|name| name.table.to_lowercase() == lower) {
            return Ok(self.catalog.require(name).await?);
        }
        let near = name::nearest(&lower, tables.iter().map(|name| name.table.as_str()));
        let message = format!("Table '{database}.{written}' does not exist");
        let near = near.map(|near| format!("{database}.{near}"));
        Err(SqlError::new(code::TABLE_NOT_FOUND, message).nearest(near).at(table.table.position))
    }

    /// A table of the database `system` that no file is of; none where the lake has a table of its own with that name.
    pub(crate) async fn system_table(&self, table: &TableRef) -> Result<Option<SystemTable>, SqlError> {
        self.check_catalog(table)?;
        let database = table.database.as_ref().map_or(self.database, |database| &database.value);
        let name = TableName::stored(database.to_lowercase(), table.table.value.to_lowercase());
        let Some(found) = SystemTable::find(&name) else { return Ok(None) };
        Ok(self.catalog.load(&name).await?.is_none().then_some(found))
    }

    /// The name of a table to make, in a database that exists.
    pub(crate) async fn new_table(&self, table: &TableRef) -> Result<TableName, SqlError> {
        self.check_catalog(table)?;
        let written = table.table.value.as_str();
        let refused = |message: String| SqlError::new(code::INVALID_ARGUMENTS, message);
        let name = match TableName::parse_in(written, self.database) {
            // Quoted, a name may have a dot.
            Ok(_) if written.contains('.') => Err(refused(format!("table name `{written}` has a dot"))),
            name => name.map_err(|error| refused(error.to_string())),
        };
        let name = name.map_err(|error| error.at(table.table.position))?;
        Ok(TableName { database: self.database(table.database.as_ref()).await?, ..name })
    }

    /// The name of a database to make.
    pub(crate) fn new_database(&self, database: &Ident) -> Result<String, SqlError> {
        name::parse_database(&database.value)
            .map_err(|error| SqlError::new(code::INVALID_ARGUMENTS, error.to_string()).at(database.position))
    }

    fn check_catalog(&self, table: &TableRef) -> Result<(), SqlError> {
        let Some(catalog) = &table.catalog else { return Ok(()) };
        let written = catalog.value.to_lowercase();
        if written == ATHENA_CATALOG || written == self.catalog.name().to_lowercase() {
            return Ok(());
        }
        let message = format!("Catalog '{}' does not exist", catalog.value);
        let error = SqlError::new(code::CATALOG_NOT_FOUND, message).nearest(Some(self.catalog.name()));
        Err(error.at(catalog.position))
    }
}
