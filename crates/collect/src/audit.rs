//! Is everything that was ever ingested in the table, once, and is nothing else there without a name?
//!
//! Three records are held against each other that were made apart: the ledger in the catalog's database, the snapshots and
//! manifests in the store, and the data files, whose rows are counted in themselves. [`history`] reads what is there,
//! [`judge`] compares. Nothing is changed.

mod groups;
mod history;
mod judge;
mod removals;
mod report;

use hosu_catalog::{Catalog, CatalogError, JobRuns};
use hosu_table::name::TableName;

use history::History;
use judge::Facts;

pub use report::{Audit, AuditFinding, OtherWriter, Removal, Repeated};

/// Audits a table and its rejects. With `allow_removed`, rows that a later snapshot took out are told and are no findings.
///
/// # Errors
/// When there is no such table, or its metadata or manifests cannot be read.
pub async fn audit(catalog: &Catalog, name: &TableName, allow_removed: bool) -> Result<Audit, CatalogError> {
    let clock = catalog.host().clock.clone();
    let started = clock.elapsed();
    // The ledger first: what is committed while the table is read would look as if it were missing otherwise.
    let table = catalog.require(name).await?;
    let ledger = catalog.ledger(table.uuid(), None).await?;
    let table = catalog.require(name).await?;
    let runs = catalog.job_runs(JobRuns::default()).await?;
    let history = History::read(catalog, &table).await?;
    let rejects = match catalog.load(&name.rejects()).await? {
        Some(table) => {
            let history = History::read(catalog, &table).await?;
            Some((table, history))
        }
        None => None,
    };
    let facts = Facts {
        table: &table,
        history: &history,
        rejects: rejects.as_ref().map(|(table, history)| (table.as_ref(), history)),
        ledger: &ledger,
        runs: &runs,
        allow_removed,
    };
    let mut audit = judge::judge(&facts);
    let elapsed = clock.elapsed().saturating_sub(started);
    audit.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Ok(audit)
}

/// So many things, in words.
fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
