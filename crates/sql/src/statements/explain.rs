//! EXPLAIN: how a query would be run, or with ANALYZE how it was.

use crate::error::from_query;
use crate::names::Names;
use crate::statements::show::Texts;
use crate::{SqlError, code};
use datafusion::physical_plan::displayable;
use futures::StreamExt;
use hosu_dialect::{At, Explain, Statement};
use hosu_query::{Engine, Live, Planned, run_error};

/// What to tell.
enum Kind {
    /// What is computed.
    Logical,
    /// How.
    Physical,
    /// Whether the statement is valid.
    Validate,
}

/// Plans the statement's query, and runs it for ANALYZE. What is inserted is not: only its query is explained.
pub(crate) async fn explain(
    names: Names<'_>,
    engine: &Engine,
    live: &Live,
    explain: &Explain,
) -> Result<(Texts, Planned), SqlError> {
    let kind = kind(explain)?;
    let query = query_of(explain)?;
    let planned = engine
        .plan_live(names.catalog, names.database, &query.value, live)
        .await
        .map_err(|error| from_query(error, query))?;
    if explain.analyze {
        let mut rows = planned.stream().map_err(|error| from_query(error, query))?;
        while let Some(batch) = rows.next().await {
            batch.map_err(|error| from_query(run_error(error), query))?;
        }
    }
    let text = match kind {
        Kind::Validate => return Ok((lines(&["Valid"], "true"), planned)),
        Kind::Logical => planned.logical().display_indent().to_string(),
        Kind::Physical if explain.analyze => {
            let plan = datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(
                planned.physical().as_ref(),
            );
            format!("{}\n{}", plan.indent(explain.verbose), figures(&planned))
        }
        Kind::Physical => displayable(planned.physical().as_ref()).indent(explain.verbose).to_string(),
    };
    Ok((lines(&["Query Plan"], &text), planned))
}

fn lines(column: &'static [&'static str; 1], text: &str) -> Texts {
    let rows = text.trim_end().lines().map(|line| vec![Some(line.to_owned())]);
    Texts { columns: column, rows: rows.collect() }
}

fn figures(planned: &Planned) -> String {
    let stats = planned.stats();
    format!(
        "Files: {} of {} read\nRow groups: {} of {} read\nRows scanned: {}\nBytes scanned: {}",
        stats.files_read,
        stats.files_total,
        stats.row_groups_read,
        stats.row_groups_total,
        stats.rows_scanned,
        stats.bytes_scanned
    )
}

fn query_of(explain: &Explain) -> Result<&At<String>, SqlError> {
    match &explain.statement.value {
        Statement::Query(query) => Ok(query),
        Statement::Insert(insert) if !explain.analyze => Ok(&insert.query),
        Statement::Insert(_) => {
            Err(SqlError::not_supported("EXPLAIN ANALYZE of INSERT: it would insert the rows"))
        }
        Statement::NotYet { what, .. } => {
            Err(SqlError::not_supported(format!("{what} is not supported yet")))
        }
        _ => Err(SqlError::not_supported("EXPLAIN of a statement that is not a query")),
    }
    .map_err(|error| error.at(explain.statement.position))
}

/// Athena's options: the format is text, the type one of four.
fn kind(explain: &Explain) -> Result<Kind, SqlError> {
    let mut kind = Kind::Physical;
    for (option, value) in &explain.options {
        let written = (option.value.to_uppercase(), value.value.to_uppercase());
        kind = match (written.0.as_str(), written.1.as_str()) {
            ("FORMAT", "TEXT") => kind,
            ("TYPE", "LOGICAL") if !explain.analyze => Kind::Logical,
            ("TYPE", "DISTRIBUTED") => Kind::Physical,
            ("TYPE", "VALIDATE") if !explain.analyze => Kind::Validate,
            ("FORMAT", "JSON" | "GRAPHVIZ") | ("TYPE", _) => {
                let message = format!("EXPLAIN ({} {}) is not supported", written.0, written.1);
                return Err(SqlError::new(code::NOT_SUPPORTED, message).at(option.position));
            }
            _ => {
                let message = format!("EXPLAIN has no option {} {}", option.value, value.value);
                return Err(SqlError::new(code::SYNTAX_ERROR, message).at(option.position));
            }
        };
    }
    Ok(kind)
}
