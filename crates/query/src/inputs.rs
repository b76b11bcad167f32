//! The tables that a statement reads: found in its text, and loaded or given.

use std::sync::Arc;

use datafusion::common::TableReference;
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_table::name::{self, TableName};

use crate::deep::deep_stack;
use crate::engine::{ATHENA_CATALOG, Engine};
use crate::error::{Position, QueryError};
use crate::increment::Increment;
use crate::names::Spelling;
use crate::statement::{QueryText, Tables};
use crate::system::{self, SystemTable};

/// A table that a statement reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRead {
    /// Its name in lower case, with its database.
    pub name: TableName,
    /// Where it is written first.
    pub position: Option<Position>,
}

/// A table to plan a statement over.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name under which the statement reads it, in any case.
    pub name: TableName,
    /// The table as it is to be read. One that was never committed has no rows.
    pub table: Arc<Table>,
    /// Which of its rows are read.
    pub rows: InputRows,
}

/// Which rows of an input a statement reads.
#[derive(Clone, Debug)]
pub enum InputRows {
    /// All.
    All,
    /// These, where the table is the one whose rows the result follows ([`crate::Bound::check_row_wise`]); all where they are only
    /// looked up. Once one input of a statement is read so, rows of inputs that are not bring nothing into the result by themselves.
    Added(Arc<Increment>),
}

impl Engine {
    /// The tables that a query reads, in the order of its text, each once. None is looked up; the names that the statement
    /// itself gives in its WITH are not among them. A table without a database is in `database`.
    ///
    /// # Errors
    /// [`QueryError`] when the text is no query, or names another catalog.
    pub fn tables_of(
        &self,
        catalog: &Catalog,
        database: &str,
        sql: &str,
    ) -> Result<Vec<TableRead>, QueryError> {
        let tables = deep_stack(|| QueryText::parse(sql)?.tables())?;
        let mut reads: Vec<TableRead> = Vec::new();
        for reference in &tables.references {
            let position = tables.position(reference);
            let name = wanted(catalog, database, reference, position)?;
            match reads.iter_mut().find(|read| read.name == name) {
                Some(read) => read.position = earlier(read.position, position),
                None => reads.push(TableRead { name, position }),
            }
        }
        reads.sort_by_key(|read| read.position.map(|place| (place.line, place.column)));
        Ok(reads)
    }
}

fn earlier(one: Option<Position>, other: Option<Position>) -> Option<Position> {
    one.into_iter().chain(other).min_by_key(|place| (place.line, place.column))
}

/// What a statement reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// Tables, each once.
    pub inputs: Vec<Input>,
    /// Tables that no file is of, under their names in the statement.
    pub system: Vec<(TableName, SystemTable)>,
}

impl Reads {
    fn has(&self, name: &TableName) -> bool {
        self.inputs.iter().any(|input| input.name == *name)
            || self.system.iter().any(|(system, _)| system == name)
    }

    /// The names of all columns, and of what is in them.
    pub fn spelling(&self) -> Result<Spelling, QueryError> {
        let mut spelling = Spelling::default();
        self.inputs.iter().for_each(|input| spelling.add(input.table.schema()));
        for (_, table) in &self.system {
            spelling.add(&table.schema()?);
        }
        Ok(spelling)
    }
}

/// The tables of a statement, each loaded once.
pub(crate) async fn load(catalog: &Catalog, database: &str, tables: &Tables) -> Result<Reads, QueryError> {
    let mut reads = Reads::default();
    for reference in &tables.references {
        let place = tables.position(reference);
        let name = wanted(catalog, database, reference, place)?;
        if reads.has(&name) {
            continue;
        }
        match (find_table(catalog, &name).await?, SystemTable::find(&name)) {
            (Some(table), _) => reads.inputs.push(Input { name, table, rows: InputRows::All }),
            (None, Some(table)) => reads.system.push((name, table)),
            (None, None) => return Err(missing(catalog, name, place).await),
        }
    }
    Ok(reads)
}

/// The tables of a statement out of those that are given.
pub(crate) fn given(
    catalog: &Catalog,
    database: &str,
    tables: &Tables,
    inputs: &[Input],
) -> Result<Reads, QueryError> {
    let mut reads = Reads::default();
    for reference in &tables.references {
        let position = tables.position(reference);
        let name = wanted(catalog, database, reference, position)?;
        if reads.has(&name) {
            continue;
        }
        match inputs.iter().find(|input| folded(&input.name) == name) {
            Some(input) => reads.inputs.push(Input { name, ..input.clone() }),
            None => {
                let names: Vec<String> = inputs.iter().map(|input| input.name.to_string()).collect();
                let nearest = name::nearest(&name.to_string(), names.iter().map(String::as_str));
                let nearest = nearest.map(ToOwned::to_owned);
                return Err(QueryError::TableNotFound { name: name.to_string(), nearest, position });
            }
        }
    }
    Ok(reads)
}

/// The table that a reference means, in lower case.
fn wanted(
    catalog: &Catalog,
    database: &str,
    reference: &TableReference,
    position: Option<Position>,
) -> Result<TableName, QueryError> {
    let known = |name: &str| name == ATHENA_CATALOG || name == catalog.name().to_lowercase();
    if let Some(other) = reference.catalog().filter(|name| !known(name)) {
        return Err(QueryError::CatalogNotFound { name: other.to_owned(), position });
    }
    let database = reference.schema().map_or_else(|| database.to_lowercase(), ToOwned::to_owned);
    Ok(TableName::stored(database, reference.table()))
}

fn folded(name: &TableName) -> TableName {
    TableName::stored(name.database.to_lowercase(), name.table.to_lowercase())
}

/// A table by a name in lower case; tables that other engines named may have another case.
///
/// # Errors
/// When the catalog cannot be asked.
pub async fn find_table(catalog: &Catalog, wanted: &TableName) -> Result<Option<Arc<Table>>, CatalogError> {
    if let Some(table) = catalog.load(wanted).await? {
        return Ok(Some(table));
    }
    for database in catalog.databases().await? {
        if database.to_lowercase() != wanted.database {
            continue;
        }
        let tables = catalog.tables(&database).await?;
        if let Some(name) = tables.iter().find(|name| name.table.to_lowercase() == wanted.table) {
            return catalog.load(name).await;
        }
    }
    Ok(None)
}

async fn missing(catalog: &Catalog, wanted: TableName, position: Option<Position>) -> QueryError {
    if wanted.database == system::DATABASE {
        let mut names: Vec<String> = SystemTable::ALL.iter().map(|table| table.name().to_owned()).collect();
        let own = catalog.tables(&wanted.database).await.unwrap_or_default();
        names.extend(own.into_iter().map(|table| table.table));
        let nearest = name::nearest(&wanted.table, names.iter().map(String::as_str)).map(ToOwned::to_owned);
        return QueryError::TableNotFound { name: wanted.to_string(), nearest, position };
    }
    match catalog.tables(&wanted.database).await {
        Ok(tables) => {
            let names = tables.iter().map(|table| table.table.as_str());
            let nearest = name::nearest(&wanted.table, names).map(ToOwned::to_owned);
            QueryError::TableNotFound { name: wanted.to_string(), nearest, position }
        }
        Err(CatalogError::DatabaseNotFound { database, .. }) => {
            QueryError::DatabaseNotFound { name: database, position }
        }
        Err(error) => error.into(),
    }
}
