//! `hosu ingest --audit`: what the audit of a table has found, for people and for programs.

use std::fmt::Write as _;
use std::io::{self, Write};

use hosu_collect::{Audit, OtherWriter};
use hosu_table::name::TableName;

use super::{Context, LINES_SHOWN, more};
use crate::args::{IngestArguments, Output};
use crate::failure::Failure;
use crate::print::{human, one_line};

/// The exit code when something was found.
const EXIT_FOUND: u8 = 1;

/// So many findings are shown to people.
const FINDINGS_SHOWN: usize = 100;

/// Runs the command.
pub async fn run(arguments: &IngestArguments, context: &Context) -> Result<u8, Failure> {
    let table: TableName = arguments.table.parse()?;
    let auditing = hosu_collect::audit(&context.catalog, &table, arguments.allow_removed);
    let audit = tokio::select! {
        audit = auditing => audit?,
        () = context.stop.asked() => return Err(Failure::interrupted()),
    };
    let text = match context.output {
        Output::Json => serde_json::to_string(&audit).map_err(io::Error::from)? + "\n",
        Output::Text => to_text(&audit),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(if audit.findings_count == 0 { 0 } else { EXIT_FOUND })
}

/// The audit for people.
fn to_text(audit: &Audit) -> String {
    let mut text = String::new();
    let table = &audit.table;
    let (rows, files) = (human::counted(audit.rows, "row"), human::counted(audit.data_files, "data file"));
    let _ = writeln!(text, "{table}: {rows} counted in {files}");
    let (sources, rows) =
        (human::counted(audit.sources, "source"), human::counted(audit.rows_ingested, "row"));
    let rejected = human::counted(audit.rejected, "reject");
    let status = audit.sources_by_status.iter();
    let status = status.map(|(status, sources)| format!("{status}: {}", human::count(*sources)));
    let status = status.collect::<Vec<_>>().join(", ");
    let _ = write!(text, "  ledger: {sources}, {rows}, {rejected}");
    let _ = if status.is_empty() { writeln!(text) } else { writeln!(text, " ({status})") };
    others(audit, &mut text);
    for again in audit.repeated.iter().take(LINES_SHOWN) {
        let times = human::count(again.times);
        let rows = human::counted(again.rows, "row");
        let _ =
            writeln!(text, "  ingested {times} times, {rows} each: {}", one_line(again.sources.join(", ")));
    }
    more(&mut text, "  ", audit.repeated.len(), LINES_SHOWN);
    for removal in audit.removed.iter().take(LINES_SHOWN) {
        let (id, by) = (&removal.snapshot_id, &removal.writer);
        let operation = &removal.operation;
        let (removed, added) =
            (human::counted(removal.rows_removed, "row"), human::count(removal.rows_added));
        let _ = writeln!(text, "  {operation} by {by}, snapshot {id}: {removed} taken out, {added} put in");
    }
    more(&mut text, "  ", audit.removed.len(), LINES_SHOWN);
    for finding in audit.findings.iter().take(FINDINGS_SHOWN) {
        let _ = writeln!(
            text,
            "FOUND {}: {} [{}]",
            finding.table,
            one_line(finding.message.clone()),
            finding.kind
        );
        if let Some(path) = &finding.path {
            let _ = writeln!(text, "      {}", one_line(path.clone()));
        }
    }
    let found = usize::try_from(audit.findings_count).unwrap_or(usize::MAX);
    more(&mut text, "  ", found, FINDINGS_SHOWN);
    let _ = match found {
        0 => writeln!(text, "{table}: everything that was ingested is accounted for"),
        _ => writeln!(text, "{table}: {}", human::counted(audit.findings_count, "finding")),
    };
    text
}

/// Snapshots of others, summed up by who made them.
fn others(audit: &Audit, text: &mut String) {
    let mut writers: Vec<(&str, &str)> = Vec::new();
    for other in &audit.others {
        let writer = (other.table.as_str(), other.writer.as_str());
        if !writers.contains(&writer) {
            writers.push(writer);
        }
    }
    for (table, writer) in writers.iter().take(LINES_SHOWN) {
        let of = |other: &&OtherWriter| other.writer == *writer && other.table == *table;
        let all = || audit.others.iter().filter(of);
        let snapshots = human::counted(all().count() as u64, "snapshot");
        let rows = human::counted(all().map(|other| other.rows_added).sum(), "row");
        let _ = writeln!(text, "  not ingested: {rows} in {snapshots} of {table} by {writer}");
    }
    more(text, "  ", writers.len(), LINES_SHOWN);
}
