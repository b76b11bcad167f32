//! `hosu ingest TABLE --schema FILE --set-contract`: a contract for a table that exists.

use std::io::{self, Write};

use hosu_table::name::TableName;
use serde_json::json;

use super::{Context, read};
use crate::args::{IngestArguments, Output};
use crate::failure::Failure;

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The sources that were named are loaded.
    Load,
    /// Nothing: no source was named.
    Done,
}

/// Makes the schema the table's contract. A table that does not exist gets it when it is made.
pub async fn set(arguments: &IngestArguments, context: &Context) -> Result<Then, Failure> {
    let table: TableName = arguments.table.parse()?;
    let path = arguments.schema.clone().unwrap_or_default();
    let text = read(&context.folder.join(&path))?;
    let loads = !arguments.sources.is_empty();
    if loads && context.catalog.load(&table).await?.is_none() {
        return Ok(Then::Load);
    }
    let changed = hosu_collect::attach_contract(&context.catalog, &table, &text).await?;
    if loads {
        return Ok(Then::Load);
    }
    let text = match context.output {
        Output::Json => json!({"table": table.to_string(), "contract_changed": changed}).to_string(),
        Output::Text if changed => format!("{table}: {} is its contract", path.display()),
        Output::Text => format!("{table}: it has this contract already"),
    };
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(Then::Done)
}
