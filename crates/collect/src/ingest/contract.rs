//! The contract that an ingest works under: the table's own, or the schema that makes the table.

use hosu_catalog::Table;
use hosu_table::json_schema;
use hosu_table::name::TableName;

use super::shape::Shape;
use crate::contract::{CONTRACT_PROPERTY, Contract};
use crate::error::CollectError;

/// The contract that is given with a new table.
pub(super) fn given(table: &TableName, text: &str) -> Result<Contract, CollectError> {
    Contract::parse(text)
        .map_err(|source| CollectError::Contract { table: table.clone(), source: Box::new(source) })
}

/// The contract that a table has.
///
/// # Errors
/// [`CollectError::ContractUnusable`] for one that somebody stored and that is none: without it nothing would be checked.
pub(super) fn of_table(name: &TableName, table: &Table) -> Result<Option<Contract>, CollectError> {
    let text = table.metadata.properties().get(CONTRACT_PROPERTY);
    let unusable = |source| CollectError::ContractUnusable { table: name.clone(), source: Box::new(source) };
    text.map(|text| Contract::parse(text)).transpose().map_err(unusable)
}

/// What a table lacks of a schema that is asked for: it must be its contract.
///
/// # Errors
/// [`CollectError::NoContract`], and for what is no schema.
pub(super) fn difference(asked: &str, shape: &Shape) -> Result<Option<String>, CollectError> {
    let asked_contract = given(&shape.name, asked)?;
    match &shape.contract {
        Some(contract) if contract.is_same(&asked_contract) => Ok(None),
        Some(_) => {
            let columns = json_schema::parse(asked).ok();
            let difference = columns.and_then(|columns| json_schema::difference(&columns, &shape.schema));
            Ok(Some(difference.unwrap_or_else(|| "another contract".to_owned())))
        }
        None => Err(CollectError::NoContract { table: shape.name.clone() }),
    }
}
