//! Giving a contract to a table that exists.

use std::collections::HashMap;

use hosu_catalog::{Catalog, CatalogError, Commit, Step, TableChange};
use hosu_table::name::TableName;

use super::{CONTRACT_PROPERTY, Contract};
use crate::error::CollectError;

/// How often a table that others change is read again.
const ATTEMPTS_MAX: u32 = 20;

/// Makes the text of a JSON Schema the contract of a table, and says whether it was not already. Rows that are in the table are
/// left as they are.
///
/// # Errors
/// [`CollectError::Contract`] for what is no contract; whatever keeps the table from being changed.
pub async fn attach_contract(catalog: &Catalog, name: &TableName, text: &str) -> Result<bool, CollectError> {
    let contract = Contract::parse(text)
        .map_err(|source| CollectError::Contract { table: name.clone(), source: Box::new(source) })?;
    let failed = |source| CollectError::Catalog { table: name.clone(), source: Box::new(source) };
    let mut attempt = 1;
    loop {
        let table = catalog.require(name).await.map_err(failed)?;
        let present = table.metadata.properties().get(CONTRACT_PROPERTY).map(|text| Contract::parse(text));
        if present.is_some_and(|present| present.is_ok_and(|present| present.is_same(&contract))) {
            return Ok(false);
        }
        let properties = HashMap::from([(CONTRACT_PROPERTY.to_owned(), contract.text().to_owned())]);
        let change = TableChange::Change { base: table, steps: vec![Step::SetProperties(properties)] };
        match catalog.commit(Commit { tables: vec![change], ..Commit::default() }).await {
            Ok(_) => return Ok(true),
            Err(CatalogError::Conflict { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
            Err(source) => return Err(failed(source)),
        }
    }
}
