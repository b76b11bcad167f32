//! `hosu sql`: statements one after the other until the first error, and their rows in the wanted layout.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use futures::StreamExt;
use hosu_datafile::WriterSettings;
use hosu_sql::{Answer, Session, SqlSettings, Stats, encode};
use hosu_table::name;

use super::Context;
use crate::args::{Output, RowFormat, SqlArguments};
use crate::failure::Failure;
use crate::print::{Answers, Cells, Column, Spool, human, is_numeric, layout};

/// Runs the command.
pub async fn run(arguments: SqlArguments, context: &Context) -> Result<u8, Failure> {
    let database = name::parse_database(&arguments.database)?;
    let text = statements(&arguments, context)?;
    let mut session = session(context, database)?;
    let mut out = BufWriter::new(io::stdout());
    for statement in hosu_dialect::statements(&text) {
        let failed = |error: hosu_sql::SqlError| Failure::from(error).in_text(&text);
        let statement = statement.map_err(|error| failed(error.into()))?;
        let mut answer = session.run(&statement).await.map_err(failed)?;
        match context.output {
            Output::Json => print_json(&mut answer, context, &mut out).await,
            Output::Text => print_rows(&mut answer, arguments.format, &mut out).await,
        }
        .map_err(|failure| failure.in_text(&text))?;
        out.flush()?;
        if context.output == Output::Text {
            let figures = figures(&answer.stats(), !answer.columns().is_empty(), context);
            let _ = writeln!(io::stderr().lock(), "{figures}");
        }
    }
    Ok(0)
}

/// A session on the lake of `context`.
pub fn session(context: &Context, database: String) -> Result<Session, Failure> {
    let (query, ingest) = (&context.config.query, &context.config.ingest);
    let settings = SqlSettings {
        database,
        memory_bytes: usize::try_from(query.memory_bytes).unwrap_or(usize::MAX),
        spill: query.spill.clone(),
        max_scan_bytes: query.max_scan_bytes,
        writer: WriterSettings {
            target_file_bytes: ingest.target_file_bytes,
            compression_level: ingest.compression_level,
            ..WriterSettings::default()
        },
        ..SqlSettings::default()
    };
    Ok(Session::new(context.catalog.clone(), settings)?)
}

/// Prints the rows of an answer as they come.
pub async fn print_rows(answer: &mut Answer, format: RowFormat, out: &mut dyn Write) -> Result<(), Failure> {
    if answer.columns().is_empty() {
        while let Some(batch) = answer.next().await {
            batch?;
        }
        return Ok(());
    }
    let column = |column: &hosu_sql::Column| Column {
        name: column.name.clone(),
        numeric: is_numeric(&column.trino_type),
    };
    let columns: Vec<Column> = answer.columns().iter().map(column).collect();
    let mut layout = layout(format);
    // The header waits for the first rows: a statement that fails at once prints an error only.
    let mut next = answer.next().await.transpose()?;
    layout.begin(&columns, out)?;
    while let Some(batch) = next {
        for row in 0..batch.num_rows() {
            layout.row(&Row { batch: &batch, row }, out)?;
        }
        next = answer.next().await.transpose()?;
    }
    Ok(layout.end(out)?)
}

/// Prints one object; nothing of it if the statement fails on its way.
async fn print_json(answer: &mut Answer, context: &Context, out: &mut dyn Write) -> Result<(), Failure> {
    let columns: Vec<(String, String)> =
        answer.columns().iter().map(|column| (column.name.clone(), column.trino_type.clone())).collect();
    let mut spool = Spool::new(context.catalog.host().scratch.clone());
    let mut object = Answers::default();
    object.begin(&columns, &mut spool)?;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let values: Vec<encode::Json> =
                batch.columns().iter().map(|array| encode::trino_json(array.as_ref(), row)).collect();
            object.row(&values, &mut spool)?;
        }
    }
    let stats = serde_json::to_value(answer.stats()).map_err(io::Error::from)?;
    object.end(&stats, &mut spool)?;
    Ok(spool.release(out)?)
}

struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Cells for Row<'_> {
    fn text(&self, column: usize) -> Option<String> {
        encode::text_cell(self.batch.column(column).as_ref(), self.row)
    }

    fn json(&self, column: usize) -> String {
        encode::natural_json(self.batch.column(column).as_ref(), self.row).to_string()
    }
}

/// One line about what a statement did and cost.
pub fn figures(stats: &Stats, has_rows: bool, context: &Context) -> String {
    let mut parts = Vec::new();
    if has_rows {
        parts.push(human::counted(stats.rows, "row"));
    } else if stats.rows_changed > 0 || stats.snapshot_id.is_some() {
        parts.push(format!("{} added", human::counted(stats.rows_changed, "row")));
    } else {
        parts.push("done".to_owned());
    }
    parts.push(human::elapsed(stats.elapsed_ms));
    if stats.files_total > 0 {
        let scanned = human::bytes(stats.bytes_scanned);
        let files =
            format!("{} of {}", human::count(stats.files_read), human::counted(stats.files_total, "file"));
        let price = human::price(stats.bytes_scanned, context.config.query.price_per_tib);
        parts.push(format!("{scanned} scanned ({files}, {price})"));
    }
    format!("({})", parts.join(", "))
}

/// The text of the statements: `-c`, a file, or standard input.
fn statements(arguments: &SqlArguments, context: &Context) -> Result<String, Failure> {
    if let Some(text) = &arguments.command {
        return Ok(text.clone());
    }
    match &arguments.file {
        Some(path) if path != Path::new("-") => {
            let path = context.folder.join(path);
            fs::read_to_string(&path).map_err(|error| {
                Failure::new("FILE_UNREADABLE", format!("cannot read {}: {error}", path.display()))
                    .remedy("-f names a file with SQL statements, separated by `;`")
            })
        }
        None if io::stdin().is_terminal() => {
            Err(Failure::usage("no statement: the interactive shell is not in this version")
                .remedy("give one with -c, a file with -f, or write statements to standard input"))
        }
        _ => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| {
                Failure::new("FILE_UNREADABLE", format!("cannot read standard input: {error}"))
            })?;
            Ok(text)
        }
    }
}
