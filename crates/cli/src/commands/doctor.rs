//! `hosu doctor`: is every file where the catalog says, and does it hold what the catalog says? And can the store do what a
//! lake needs? No table is changed.

mod store;
mod table;

use std::fmt::Write as _;
use std::io::{self, Write};

use futures::StreamExt;
use hosu_catalog::CatalogError;
use serde::Serialize;

use super::Context;
use crate::args::Output;
use crate::failure::Failure;
use crate::print::human;

pub use store::{StoreHealth, check_new as check_new_store};
pub use table::TableHealth;

/// The exit code when something was found.
const EXIT_FOUND: u8 = 1;

/// What the doctor saw: the object that `--output json` prints. Names of fields are stable.
#[derive(Debug, Default, Serialize)]
pub struct Examination {
    /// What the warehouse's store can do; none for a folder.
    pub store: Option<StoreHealth>,
    /// Each table that could be looked at.
    pub tables: Vec<TableHealth>,
    /// What is wrong; empty when the lake is sound.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table that it concerns; none for the catalog itself.
    pub table: Option<String>,
    /// Its kind, in snake case: `file_missing`, `file_size`, `row_count`, …
    pub kind: &'static str,
    /// The file that it concerns.
    pub path: Option<String>,
    /// What was expected and what was found.
    pub message: String,
}

impl Finding {
    fn of_catalog(kind: &'static str, path: Option<String>, message: impl Into<String>) -> Self {
        Self { table: None, kind, path, message: message.into() }
    }
}

/// Runs the command.
pub async fn run(context: &Context) -> Result<u8, Failure> {
    let clock = context.catalog.host().clock.clone();
    let started = clock.elapsed();
    let mut examination = examine(context).await?;
    let elapsed = clock.elapsed().saturating_sub(started);
    examination.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let text = match context.output {
        Output::Json => serde_json::to_string(&examination).map_err(io::Error::from)? + "\n",
        Output::Text => to_text(&examination),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(if examination.findings.is_empty() { 0 } else { EXIT_FOUND })
}

async fn examine(context: &Context) -> Result<Examination, Failure> {
    let catalog = &context.catalog;
    let database = context.config.lake.catalog.display().to_string();
    let (store, findings) = store::examine(context).await?.unzip();
    let mut examination =
        Examination { store, findings: findings.unwrap_or_default(), ..Examination::default() };
    if !context.config.lake.catalog.exists() {
        examination.findings.extend(lost_catalog(context, &database).await?);
        return Ok(examination);
    }
    for problem in catalog.database_problems().await? {
        examination.findings.push(Finding::of_catalog("catalog_damaged", Some(database.clone()), problem));
    }
    for name in catalog.databases().await? {
        let tables = match catalog.tables(&name).await {
            Ok(tables) => tables,
            // `default` is always listed, even where nothing made it.
            Err(CatalogError::DatabaseNotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for table in tables {
            let (health, findings) = table::examine(catalog, &table).await;
            examination.tables.extend(health);
            examination.findings.extend(findings);
        }
    }
    Ok(examination)
}

/// No catalog is an empty lake, unless there are tables that nothing points to.
async fn lost_catalog(context: &Context, database: &str) -> Result<Option<Finding>, Failure> {
    let mut objects = context.catalog.host().store.list(&context.config.lake.warehouse);
    while let Some(object) = objects.next().await {
        let (location, _) = object?;
        if location.file_name().ends_with(".metadata.json") {
            let message =
                format!("the catalog is missing, and there are tables in {}", context.config.lake.warehouse);
            return Ok(Some(Finding::of_catalog("catalog_missing", Some(database.to_owned()), message)));
        }
    }
    Ok(None)
}

/// The examination for people.
fn to_text(examination: &Examination) -> String {
    let mut text = examination.store.as_ref().map(store::to_text).unwrap_or_default();
    for table in &examination.tables {
        let files = human::counted(table.data_files, "data file");
        let snapshots = human::counted(table.snapshots, "snapshot");
        let (rows, bytes) = (human::counted(table.rows, "row"), human::bytes(table.bytes));
        let _ = write!(text, "{}: {rows}, {snapshots}, {files} ({bytes})", table.table);
        if table.orphan_files > 0 {
            let orphans = human::counted(table.orphan_files, "file");
            let _ = write!(text, "; {orphans} ({}) that no snapshot needs", human::bytes(table.orphan_bytes));
        }
        text.push('\n');
    }
    for finding in &examination.findings {
        let table = finding.table.as_deref().unwrap_or(if finding.kind == "store_lacks" {
            "store"
        } else {
            "catalog"
        });
        let _ = writeln!(text, "FOUND {table}: {} [{}]", finding.message, finding.kind);
        if let Some(path) = &finding.path {
            let _ = writeln!(text, "      {path}");
        }
    }
    let tables = human::counted(examination.tables.len() as u64, "table");
    let _ = match examination.findings.len() {
        0 => writeln!(text, "{tables}: everything is where it should be"),
        found => writeln!(text, "{tables}: {}", human::counted(found as u64, "finding")),
    };
    text
}
