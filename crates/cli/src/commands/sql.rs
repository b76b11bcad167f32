//! `hosu sql`: where statements come from, and each run one after the other until the first error.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Read};
use std::path::Path;

use hosu_datafile::WriterSettings;
use hosu_sql::{Session, SqlError, SqlSettings};
use hosu_table::name;

use super::Context;
use crate::args::SqlArguments;
use crate::failure::Failure;
use crate::shell;
use crate::show::{self, Expanded, Manner, Target};

/// Runs the command.
pub async fn run(arguments: SqlArguments, context: Context) -> Result<u8, Failure> {
    let database = name::parse_database(&arguments.database)?;
    let mut manner = Manner::new(arguments.format);
    if arguments.expanded {
        manner.expanded = Expanded::On;
    }
    let mut session = session(&context, database)?;
    let out = arguments.out.as_deref().map(|path| context.folder.join(path));
    let mut out = out.map(|path| create(&path).map(|file| (path, file))).transpose()?;
    if is_interactive(&arguments) {
        return shell::run(session, manner, out, context).await;
    }
    let text = statements(&arguments, &context)?;
    for statement in hosu_dialect::statements(&text) {
        let statement = statement.map_err(|error| Failure::from(SqlError::from(error)).in_text(&text))?;
        let target = out.as_mut().map_or(Target::Screen, |(_, out)| Target::Writer(out));
        show::statement(&mut session, &statement, &text, &manner, target, &context).await?;
    }
    Ok(0)
}

/// Whether statements are typed by a person.
pub fn is_interactive(arguments: &SqlArguments) -> bool {
    arguments.command.is_none() && arguments.file.is_none() && io::stdin().is_terminal()
}

/// A session on the lake of `context`.
pub fn session(context: &Context, database: String) -> Result<Session, Failure> {
    let query = &context.config.query;
    let settings = SqlSettings {
        database,
        memory_bytes: usize::try_from(query.memory_bytes).unwrap_or(usize::MAX),
        spill: query.spill.clone(),
        max_scan_bytes: query.max_scan_bytes,
        writer: writer_settings(context),
        ..SqlSettings::default()
    };
    Ok(Session::new(context.catalog.clone(), settings)?)
}

/// How statements and jobs write their rows.
pub fn writer_settings(context: &Context) -> WriterSettings {
    let (query, ingest) = (&context.config.query, &context.config.ingest);
    WriterSettings {
        target_file_bytes: ingest.target_file_bytes,
        compression_level: ingest.compression_level,
        memory_bytes: usize::try_from(query.memory_bytes / 8).unwrap_or(usize::MAX).min(256 << 20),
        ..WriterSettings::default()
    }
}

fn create(path: &Path) -> Result<BufWriter<fs::File>, Failure> {
    let file = fs::File::create(path).map_err(|error| {
        Failure::new("FILE_UNWRITABLE", format!("cannot write {}: {error}", path.display()))
            .remedy("-o names a file that rows are written to")
    })?;
    Ok(BufWriter::new(file))
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
        _ => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| {
                Failure::new("FILE_UNREADABLE", format!("cannot read standard input: {error}"))
                    .remedy("statements are text in UTF-8, separated by `;`")
            })?;
            Ok(text)
        }
    }
}
