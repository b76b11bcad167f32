//! What the store of the warehouse can do, in words: found out by writing, reading and removing objects in a folder of its own.

use std::fmt::Write as _;

use hosu_host::{Capability, Found};
use serde::Serialize;

use super::{Context, Finding};
use crate::failure::Failure;

/// The store of S3 that holds the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// The warehouse.
    pub warehouse: String,
    /// What was tried.
    pub capabilities: Vec<CapabilityHealth>,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CapabilityHealth {
    /// Its name: `put`, `get`, `range_get`, …
    pub name: &'static str,
    /// `yes`, `denied` or `no`.
    pub works: &'static str,
    /// What follows from that, and what the store said; null when it works.
    pub message: Option<String>,
}

/// Probes the store. What these credentials may not do is told; what the store cannot do and a lake needs is a finding.
/// None for a folder.
pub async fn examine(context: &Context) -> Result<Option<(StoreHealth, Vec<Finding>)>, Failure> {
    let warehouse = &context.config.lake.warehouse;
    if !warehouse.root().starts_with("s3://") {
        return Ok(None);
    }
    let host = context.catalog.host();
    let found = host.store.probe(warehouse, host.ids.uuid()).await?;
    let lacking = found.iter().filter(|(capability, found)| {
        matches!(found, Found::Lacks(_)) && (capability.is_needed() || *capability == Capability::Delete)
    });
    let findings = lacking.map(|(capability, found)| {
        let message = message(*capability, found).unwrap_or_default();
        Finding::of_catalog("store_lacks", Some(warehouse.to_string()), message)
    });
    let findings = findings.collect();
    let capabilities = found.iter().map(|(capability, found)| CapabilityHealth {
        name: capability.name(),
        works: match found {
            Found::Works => "yes",
            Found::Denied(_) => "denied",
            Found::Lacks(_) => "no",
        },
        message: message(*capability, found),
    });
    let health = StoreHealth { warehouse: warehouse.to_string(), capabilities: capabilities.collect() };
    Ok(Some((health, findings)))
}

/// Makes sure that the store can do what a new lake in it needs, before anything is put there.
///
/// # Errors
/// It cannot, or these credentials may not.
pub async fn check_new(context: &Context) -> Result<(), Failure> {
    let (warehouse, catalog) = (&context.config.lake.warehouse, &context.config.lake.catalog);
    if catalog.exists() || !warehouse.root().starts_with("s3://") {
        return Ok(());
    }
    let host = context.catalog.host();
    for (capability, found) in host.store.probe(warehouse, host.ids.uuid()).await? {
        let failure = match &found {
            Found::Denied(_) => Failure::new("ACCESS_DENIED", "").remedy(
                "give these credentials the rights to get, put, list and delete objects in the warehouse",
            ),
            _ => Failure::new("S3_NOT_SUPPORTED", "").remedy("take another store for the warehouse"),
        };
        if let Some(message) = message(capability, &found).filter(|_| capability.is_needed()) {
            return Err(Failure { message: format!("{warehouse} cannot hold a lake: {message}"), ..failure });
        }
    }
    Ok(())
}

fn message(capability: Capability, found: &Found) -> Option<String> {
    match found {
        Found::Works => None,
        Found::Denied(words) => {
            Some(format!("these credentials may not: {} ({words})", capability.without()))
        }
        Found::Lacks(words) => Some(format!("{} ({words})", capability.without())),
    }
}

/// The store for people: one line of what works, and one for each thing that does not.
pub fn to_text(store: &StoreHealth) -> String {
    let working: Vec<&str> =
        store.capabilities.iter().filter(|found| found.message.is_none()).map(|found| found.name).collect();
    let mut text = format!("store {}: {}\n", store.warehouse, working.join(", "));
    for found in &store.capabilities {
        if let Some(message) = &found.message {
            let _ = writeln!(text, "      {}: {message}", found.name);
        }
    }
    text
}
