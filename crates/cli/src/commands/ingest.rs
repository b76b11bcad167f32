//! `hosu ingest`: sources into a table, and what became of them.

mod audit;
mod columns;
mod contract;
mod follow;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use chrono::{DateTime, NaiveDate};
use hosu_collect::source::{After, Newer};
use hosu_collect::{CollectSettings, Content, Format, IngestRequest, OnChanged, Report, SourceStatus};
use hosu_table::evolution::SchemaEvolution;
use hosu_table::name::TableName;

use super::{Context, doctor};
use crate::allocator;
use crate::args::{IngestArguments, OnChangedArgument, Output};
use crate::config;
use crate::failure::{Exit, Failure};
use crate::print::{human, one_line};
use crate::progress::progress;

use contract::Then;
pub use follow::LAST_COMMIT;

/// The exit code of a run that rejected records under `--fail-on-reject`.
const EXIT_REJECTED: u8 = 3;

/// How many lines of one kind a report shows to people.
const LINES_SHOWN: usize = 10;

/// Runs the command.
pub async fn run(arguments: IngestArguments, context: &Context) -> Result<u8, Failure> {
    if arguments.audit {
        return audit::run(&arguments, context).await;
    }
    if arguments.allow_removed {
        return Err(Failure::usage("--allow-removed is for --audit"));
    }
    if arguments.set_contract && contract::set(&arguments, context).await? == Then::Done {
        return Ok(0);
    }
    allocator::be_thrifty();
    if arguments.follow {
        return follow::run(arguments, context).await;
    }
    let fail_on_reject = arguments.fail_on_reject;
    let report = ingest(request(arguments, context)?, context).await?;
    let text = match context.output {
        Output::Json => serde_json::to_string(&report).map_err(io::Error::from)? + "\n",
        Output::Text => to_text(&report),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(if fail_on_reject && report.rejected > 0 { EXIT_REJECTED } else { 0 })
}

/// Runs a request with a progress bar on a terminal.
pub async fn ingest(request: IngestRequest, context: &Context) -> Result<Report, Failure> {
    if !request.dry_run {
        doctor::check_new_store(context).await?;
    }
    let progress = progress(context.output == Output::Text && io::stderr().is_terminal());
    let stdin: Box<dyn Read + Send> = Box::new(io::stdin());
    Ok(hosu_collect::ingest(&context.catalog, request, progress, Some(stdin)).await?)
}

fn request(arguments: IngestArguments, context: &Context) -> Result<IngestRequest, Failure> {
    let table: TableName = arguments.table.parse()?;
    if let Some(bad) = arguments.sources.iter().find(|source| source.is_empty()) {
        return Err(
            Failure::usage(format!("`{bad}` is no source")).remedy("name a file, a folder, a glob or `-`")
        );
    }
    let batch_id = batch_id(&arguments)?;
    let format = match arguments.format.as_deref().map(Format::parse) {
        None => None,
        Some(Ok(format)) => format,
        Some(Err(error)) => {
            return Err(
                Failure::usage(error.to_string()).remedy("leave --format out to decide by the content")
            );
        }
    };
    let schema = arguments.schema.map(|path| read(&context.folder.join(path))).transpose()?;
    let since_ms = arguments.since.as_deref().map(|text| since_ms(text, context)).transpose()?;
    let newer = Newer { since_ms, after: arguments.after.map(After::from) };
    let settings = settings(context, arguments.decompressed_max.as_deref())?;
    let records_path = records_path(arguments.records_path.as_deref(), format)?;
    Ok(IngestRequest {
        format,
        records_path,
        newer,
        partition_by: arguments.partition_by,
        sort_by: arguments.sort_by,
        schema,
        evolution: arguments.schema_evolution.map(SchemaEvolution::from),
        columns_max: arguments.columns_max.and_then(|columns| usize::try_from(columns).ok()),
        keep_raw: arguments.keep_raw,
        reingest: arguments.reingest,
        batch_id,
        on_changed: match arguments.on_changed {
            OnChangedArgument::Error => OnChanged::Refuse,
            OnChangedArgument::New => OnChanged::New,
            OnChangedArgument::Tail => OnChanged::Tail,
        },
        dry_run: arguments.dry_run,
        settings,
        give_back: allocator::give_back,
        stop: context.stop.clone(),
        ..IngestRequest::new(table, arguments.sources, context.folder.clone())
    })
}

/// The id of a batch, which only standard input can have.
fn batch_id(arguments: &IngestArguments) -> Result<Option<String>, Failure> {
    let Some(id) = &arguments.batch_id else { return Ok(None) };
    if id.is_empty() || !arguments.sources.iter().any(|source| source == "-") {
        return Err(Failure::usage("--batch-id names what comes by standard input")
            .remedy("`producer | hosu ingest TABLE - --batch-id ID`; files are known by their names"));
    }
    Ok(Some(id.clone()))
}

/// A time as `--since` has it, in milliseconds since 1970.
fn since_ms(text: &str, context: &Context) -> Result<i64, Failure> {
    let midnight = |date: NaiveDate| Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
    let instant = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(midnight);
    let ago = || {
        let ago_ms = match text.strip_suffix('d').map(str::parse::<i64>) {
            Some(Ok(days)) if days >= 0 => days.checked_mul(24 * 3_600_000)?,
            _ => i64::try_from(config::time(text)?.as_millis()).ok()?,
        };
        context.catalog.host().clock.now_ms().checked_sub(ago_ms)
    };
    instant().or_else(date).or_else(ago).ok_or_else(|| {
        Failure::usage(format!("--since: `{text}` is no time"))
            .remedy("write it like `2026-11-01`, `2026-11-01T08:00:00Z` or, so long ago, `2h`")
    })
}

fn records_path(text: Option<&str>, format: Option<Format>) -> Result<Vec<String>, Failure> {
    let other = format.filter(|format| !matches!(format.content, Content::Json | Content::Ndjson));
    if let Some(other) = other.filter(|_| text.is_some()) {
        let message = format!("--records-path is a path in JSON, and --format says {other}");
        return Err(Failure::usage(message).remedy("leave one of them out"));
    }
    let names: Vec<String> = text.map_or_else(Vec::new, |text| text.split('.').map(str::to_owned).collect());
    match names.iter().any(String::is_empty) {
        true => Err(Failure::usage(format!("`{}` is no path to records", text.unwrap_or_default())).remedy(
            "name the fields down to the array, with points between them: --records-path detail.items",
        )),
        false => Ok(names),
    }
}

fn settings(context: &Context, decompressed_max: Option<&str>) -> Result<CollectSettings, Failure> {
    let ingest = &context.config.ingest;
    let decompressed_max = match decompressed_max {
        None => ingest.decompressed_bytes_max,
        Some(text) => match config::SizeText::Text(text.to_owned()).parse() {
            Ok(config::Size::Bytes(bytes)) => Some(bytes),
            _ => {
                return Err(Failure::usage(format!("--decompressed-max: `{text}` is no size"))
                    .remedy("write it like `100GB`"));
            }
        },
    };
    Ok(CollectSettings {
        memory_bytes: usize::try_from(ingest.memory_bytes).unwrap_or(usize::MAX),
        target_file_bytes: ingest.target_file_bytes,
        compression_level: ingest.compression_level,
        decompressed_bytes_max: decompressed_max,
        line_bytes_max: usize::try_from(ingest.line_bytes_max).unwrap_or(usize::MAX),
        ..CollectSettings::default()
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure {
        exit: Exit::Failed,
        ..Failure::new("SCHEMA_UNREADABLE", format!("cannot read the schema {}: {error}", path.display()))
            .remedy("--schema names a file with a JSON Schema; schemas/ has examples")
    })
}

/// The report for people.
fn to_text(report: &Report) -> String {
    let mut text = String::new();
    headline(report, &mut text);
    let skipped = report.sources_detail.iter().filter(|source| source.status == SourceStatus::Skipped);
    section(
        &mut text,
        &format!(
            "{} skipped, because the table has it already (--reingest loads it again)",
            sources(report.sources_skipped)
        ),
        skipped.map(|source| source.source.clone()).collect(),
    );
    if report.sources_passed_over > 0 {
        let _ = writeln!(
            text,
            "  {} passed over: not as new as was asked for",
            sources(report.sources_passed_over)
        );
    }
    let empty = report.sources_detail.iter().filter(|source| source.status == SourceStatus::Empty);
    section(&mut text, "without a record", empty.map(|source| source.source.clone()).collect());
    let mut beside = BTreeMap::<&String, u64>::new();
    for (name, count) in report.sources_detail.iter().flat_map(|source| &source.envelope_fields) {
        *beside.entry(name).or_default() += count;
    }
    let beside = beside.into_iter().map(|(name, count)| format!("{name}: {}", human::counted(count, "time")));
    section(&mut text, "beside the records in their envelopes, and not ingested", beside.collect());
    let left_out = report.left_out.iter().map(|left| format!("{}: {}", left.path, left.reason));
    section(&mut text, "left out", left_out.collect());
    columns::tell(report, &mut text);
    text
}

fn headline(report: &Report, text: &mut String) {
    let rows = human::counted(report.rows, "row");
    let from = sources(report.sources);
    let table = &report.table;
    let new = if report.table_created { " (a new table)" } else { "" };
    let _ = if report.sources == 0 {
        writeln!(text, "{table}: nothing new")
    } else if report.dry_run {
        let (files, bytes) =
            (human::counted(report.data_files, "data file"), human::bytes(report.bytes_written));
        writeln!(
            text,
            "{table}{new}: {rows} from {from} would be added in {files} of {bytes}; nothing was written"
        )
    } else {
        let (read, written) = (human::bytes(report.bytes_read), human::bytes(report.bytes_written));
        let (files, time) =
            (human::counted(report.data_files, "data file"), human::elapsed(report.elapsed_ms));
        writeln!(
            text,
            "{table}{new}: {rows} from {from} in {time} ({read} read, {written} written in {files})"
        )
    };
    let framings = framings(report);
    if !framings.is_empty() {
        let _ = writeln!(text, "  read as {framings}");
    }
}

/// What the sources turned out to be: `ndjson (gzip): 2, ndjson (plain): 1`.
fn framings(report: &Report) -> String {
    let mut counts = BTreeMap::<String, u64>::new();
    for source in &report.sources_detail {
        if let (Some(format), Some(compression)) = (&source.format, source.compression) {
            *counts.entry(format!("{format} ({compression})")).or_default() += 1;
        }
    }
    let only = counts.len() == 1;
    let shown =
        counts.into_iter().map(|(name, n)| if only { name } else { format!("{name}: {}", human::count(n)) });
    shown.collect::<Vec<_>>().join(", ")
}

fn sources(number: u64) -> String {
    human::counted(number, "source")
}

fn section(text: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {title}:");
    for line in lines.iter().take(LINES_SHOWN) {
        let _ = writeln!(text, "    {}", one_line(line.clone()));
    }
    more(text, "    ", lines.len(), LINES_SHOWN);
}

/// Says how many are not shown, if any are not.
fn more(text: &mut String, indent: &str, all: usize, shown: usize) {
    if all > shown {
        let _ = writeln!(text, "{indent}… and {} more", human::count((all - shown) as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_came_of_it() {
        let mut report =
            Report { table: "default.events".to_owned(), rows: 1_200, sources: 2, ..Report::default() };
        assert!(to_text(&report).starts_with("default.events: 1,200 rows from 2 sources in 0.00 s ("));
        (report.dry_run, report.table_created, report.data_files) = (true, true, 1);
        assert!(to_text(&report).starts_with(
            "default.events (a new table): 1,200 rows from 2 sources would be added in 1 data file of 0 B; nothing was written"
        ));
    }

    #[test]
    fn nothing_new_is_said_plainly() {
        let mut report =
            Report { table: "default.events".to_owned(), sources_skipped: 1, ..Report::default() };
        for dry_run in [false, true] {
            report.dry_run = dry_run;
            assert!(to_text(&report).starts_with("default.events: nothing new\n"));
        }
    }
}
