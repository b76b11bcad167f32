//! The command line: what can be asked, and help that teaches by examples.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use hosu_table::evolution::SchemaEvolution;

/// A data lake in one binary: JSON events in, Apache Iceberg tables, SQL out.
#[derive(Debug, Parser)]
#[command(name = "hosu", version, max_term_width = 110, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// The folder of the lake: DIR/catalog.db and DIR/warehouse [default: ./lake, or as hosu.toml says]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub lake: Option<PathBuf>,
    /// The configuration [default: the nearest hosu.toml upward from the current folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// For whom to print: people, or programs
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Everywhere")]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// For whom results and errors are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object with documented names.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load JSON events into a table, each exactly once
    #[command(after_help = INGEST_EXAMPLES)]
    Ingest(Box<IngestArguments>),
    /// Run SQL statements in Athena's dialect, or open a shell for them
    #[command(after_help = SQL_EXAMPLES)]
    Sql(SqlArguments),
    /// Check, plan and run transform jobs: SQL files that fill tables
    #[command(after_help = JOB_EXAMPLES)]
    Job(JobArguments),
    /// Run transform jobs when they are due, until stopped
    #[command(after_help = SCHEDULE_EXAMPLES)]
    Schedule(ScheduleArguments),
    /// Check that every file of every table is there and holds what the catalog says
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor,
    /// Load sample data into a throw-away lake, answer three questions, run a job
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoArguments),
    /// Compact tables, expire snapshots, remove orphans
    #[command(hide = true)]
    Maintain(NotYetArguments),
    /// Adopt and relocate tables
    #[command(hide = true)]
    Table(NotYetArguments),
}

/// `hosu ingest`.
#[derive(Debug, Args)]
pub struct IngestArguments {
    /// `table` or `database.table`; made on first use
    pub table: String,
    /// Files, folders, globs, s3:// URLs, or `-` for standard input
    #[arg(required_unless_present_any = ["audit", "set_contract"], value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Load nothing: check that all that was ever ingested is in the table, once; exit code 1 when it is not
    #[arg(long, conflicts_with_all = ["sources", "set_contract", "format", "partition_by", "sort_by", "schema", "reingest", "dry_run"])]
    pub audit: bool,
    /// With --audit: rows that somebody deleted or replaced later are told, and are no finding
    #[arg(long)]
    pub allow_removed: bool,
    /// What the sources hold: ndjson, json, csv, tsv, also with .gz, .zst or .bz2, or parquet [default: auto, by content and name]
    #[arg(long)]
    pub format: Option<String>,

    /// The longest text of a compressed source: 100GB [default: 10GiB or 200 times what is stored, whichever is more]
    #[arg(long, value_name = "SIZE", conflicts_with = "audit")]
    pub decompressed_max: Option<String>,
    /// Where the records are in envelopes: the names down to their array, for example Records or detail.items
    #[arg(long, value_name = "PATH")]
    pub records_path: Option<String>,
    /// Partitions of a new table: 'day(event_time), bucket(16, user_id), country'
    #[arg(long, value_name = "TERMS")]
    pub partition_by: Option<String>,
    /// Order of rows in the files of a new table: 'event_time desc, user_id'
    #[arg(long, value_name = "TERMS")]
    pub sort_by: Option<String>,
    /// A JSON Schema: columns and contract of a new table. Records that violate it are rejected
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// With --schema: make it the contract of a table that exists, before sources are loaded, if any are named
    #[arg(long, requires = "schema", conflicts_with = "dry_run")]
    pub set_contract: bool,
    /// What becomes of new fields and misfits [default: add-columns, or as the table's property
    /// `hosu.schema-evolution` says]
    #[arg(long, value_enum, value_name = "MODE")]
    pub schema_evolution: Option<SchemaEvolutionArgument>,
    /// Up to how many columns the table grows; fields beyond are rescued [default: 1000, or as the table's property
    /// `hosu.columns-max` says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub columns_max: Option<u32>,
    /// Keep each record as it was read, in a column `_raw`; the table remembers it
    #[arg(long)]
    pub keep_raw: bool,
    /// Load the sources even if the table has them already
    #[arg(long)]
    pub reingest: bool,
    /// A source that was ingested before and has other content now
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub on_changed: OnChangedArgument,
    /// Only files and objects that were written then or later: 2026-11-01, 2026-11-01T08:00:00Z, or so long ago: 2h, 3d
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    pub since: Option<String>,
    /// Only files and objects whose name comes behind this one: a path, an object's key or its URL
    #[arg(long, value_name = "NAME", conflicts_with = "follow")]
    pub after: Option<String>,
    /// An id for what comes by standard input: the same id again is skipped
    #[arg(long, value_name = "ID")]
    pub batch_id: Option<String>,
    /// Go on: take what is added to the files, and files and objects that appear, until stopped
    #[arg(long, conflicts_with_all = ["dry_run", "reingest", "batch_id", "fail_on_reject"])]
    pub follow: bool,
    /// How to follow.
    #[command(flatten)]
    pub following: FollowArguments,
    /// Tell what would happen and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Exit with 3 when a record was rejected
    #[arg(long)]
    pub fail_on_reject: bool,
}

/// What becomes of new fields and misfits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaEvolutionArgument {
    /// New fields become columns, columns become wider; the rest is kept in `_rescued_data`.
    AddColumns,
    /// The schema stays; new fields and misfits are kept in `_rescued_data`.
    Rescue,
    /// The schema stays; new fields are left out and counted, misfits are kept.
    Ignore,
    /// The first new field or misfit is an error.
    Fail,
}

impl From<SchemaEvolutionArgument> for SchemaEvolution {
    fn from(argument: SchemaEvolutionArgument) -> Self {
        match argument {
            SchemaEvolutionArgument::AddColumns => Self::AddColumns,
            SchemaEvolutionArgument::Rescue => Self::Rescue,
            SchemaEvolutionArgument::Ignore => Self::Ignore,
            SchemaEvolutionArgument::Fail => Self::Fail,
        }
    }
}

/// `hosu ingest --follow`.
#[derive(Debug, Args)]
pub struct FollowArguments {
    /// With --follow: end as soon as there is nothing more to take; exit code 1 when a source could not be taken
    #[arg(long, requires = "follow")]
    pub until_idle: bool,
    /// With --follow: commit when so much waits
    #[arg(long, requires = "follow", value_name = "SIZE", default_value = "128MiB")]
    pub commit_bytes: String,
    /// With --follow: commit when something has waited for so long
    #[arg(long, requires = "follow", value_name = "TIME", default_value = "60s")]
    pub commit_age: String,
    /// With --follow: how often objects are listed, and files are looked at even if the system tells of no change
    #[arg(long, requires = "follow", value_name = "TIME", default_value = "10s")]
    pub look_every: String,
    /// With --follow: how to tell on standard error what happens: one line, or one JSON object, an event
    #[arg(long, requires = "follow", value_enum, value_name = "FORMAT", default_value_t)]
    pub log: LogFormat,
}

/// What to do with a changed source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnChangedArgument {
    /// Refuse it: its old content is in the table.
    #[default]
    Error,
    /// Load it as if it were new.
    New,
    /// Load what was added to it, if its beginning is the same.
    Tail,
}

/// `hosu sql`.
#[derive(Debug, Args)]
pub struct SqlArguments {
    /// Statements, separated by `;`
    #[arg(short = 'c', long, value_name = "SQL", conflicts_with = "file")]
    pub command: Option<String>,
    /// A file of statements; `-` reads standard input. Without -c and -f a terminal gets a shell
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The database of tables that are named without one
    #[arg(long, value_name = "DB", default_value = "default")]
    pub database: String,
    /// How to print rows
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
    /// One line a value in tables; on a terminal wide rows get it anyway
    #[arg(short = 'x', long)]
    pub expanded: bool,
    /// Write rows into a file, not to standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How rows are printed for people and other programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// Aligned columns.
    #[default]
    Table,
    /// Comma-separated, quoted as RFC 4180.
    Csv,
    /// Tab-separated, NULL as \N.
    Tsv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// A Markdown table.
    Markdown,
    /// One line a value.
    Vertical,
}

/// `hosu demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Keep the lake, and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// `hosu job`.
#[derive(Debug, Args)]
pub struct JobArguments {
    /// The folder of the jobs [default: as `jobs.folder` in hosu.toml says, else ./jobs]
    #[arg(long, global = true, value_name = "DIR")]
    pub jobs: Option<PathBuf>,
    /// What to do with them.
    #[command(subcommand)]
    pub verb: JobVerb,
}

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum JobVerb {
    /// Check all jobs against the tables and each other; nothing is run
    Check,
    /// List the jobs with their last run, their next run, and what of their inputs was not taken yet
    List(JobListArguments),
    /// Tell what a run would read and write, before it does
    Plan(JobPlanArguments),
    /// Run jobs, each after those that fill its inputs
    Run(JobRunArguments),
    /// Tell which runs there were, the newest first
    History(JobHistoryArguments),
}

/// `hosu job list`.
#[derive(Debug, Args)]
pub struct JobListArguments {
    /// Draw which job fills what another reads
    #[arg(long)]
    pub graph: bool,
}

/// `hosu job plan`.
#[derive(Debug, Args)]
pub struct JobPlanArguments {
    /// The job: its file's name without .sql
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Of a run that makes all rows anew
    #[arg(long)]
    pub full: bool,
}

/// `hosu job run`.
#[derive(Debug, Args)]
pub struct JobRunArguments {
    /// The jobs: their files' names without .sql
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// All jobs
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Also the jobs that fill what these read, and so on
    #[arg(long, conflicts_with = "all")]
    pub upstream: bool,
    /// Also the jobs that read what these fill, and so on
    #[arg(long, conflicts_with = "all")]
    pub downstream: bool,
    /// Make all rows of the targets anew, whatever is new in the inputs
    #[arg(long)]
    pub full: bool,
    /// Tell on standard error what happens: `json` is one object a line [default: warnings as text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log: Option<LogFormat>,
}

/// `hosu job history`.
#[derive(Debug, Args)]
pub struct JobHistoryArguments {
    /// Only runs of this job, whether it is still there or not
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How many runs at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
}

/// `hosu schedule`.
#[derive(Debug, Args)]
pub struct ScheduleArguments {
    /// The folder of the jobs [default: as `jobs.folder` in hosu.toml says, else ./jobs]
    #[arg(long, value_name = "DIR")]
    pub jobs: Option<PathBuf>,
    /// End as soon as nothing is due; exit code 1 when a run failed or a job has a fault
    #[arg(long)]
    pub until_idle: bool,
    /// How to tell on standard error what happens: one line, or one JSON object, an event
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub log: LogFormat,
}

/// How it is told what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Command {
    /// The folder of jobs that was named.
    pub fn jobs(&self) -> Option<&Path> {
        match self {
            Self::Job(arguments) => arguments.jobs.as_deref(),
            Self::Schedule(arguments) => arguments.jobs.as_deref(),
            _ => None,
        }
    }
}

/// Whatever is written after a verb that this version does not have.
#[derive(Debug, Args)]
pub struct NotYetArguments {
    /// The rest of the line.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  hosu demo                                                  see it work, in a throw-away lake
  hosu ingest events logs/*.json.gz                          JSON events into the table `events`
  hosu sql -c \"select type, count(*) from events group by type\"
  hosu sql -c \"show tables\" --format csv
  hosu job run --all                                         run the SQL jobs in ./jobs
  hosu doctor                                                is every file where it should be?

The lake is a folder, ./lake by default; the first write makes it. `hosu COMMAND --help` has more examples.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejected records under --fail-on-reject.";

const INGEST_EXAMPLES: &str = "\
Examples:
  hosu ingest events events.ndjson                           a file; the table is made of what is in it
  hosu ingest events events.ndjson                           again: skipped, nothing is doubled
  hosu ingest game.events logs/ 'more/**/*.json.gz'          a folder and a glob, into database `game`
  curl -s https://example.com/events | hosu ingest events -  standard input
  hosu ingest events logs/ --partition-by 'day(event_time), bucket(16, user_id)' --sort-by event_time
  hosu ingest events logs/ --dry-run                         what would happen?
  hosu ingest events logs/ --schema-evolution rescue         no new columns: keep new fields in `_rescued_data`
  hosu ingest events logs/ --keep-raw                        and each record as it was, in the column `_raw`
  hosu ingest events --schema event.schema.json --set-contract   from here on, what violates it is rejected
  hosu ingest --audit events                                 is all of it there, once?
  hosu ingest events events.ndjson --on-changed tail         the file has grown: take what was added
  hosu ingest events 'logs/*.log' --follow                   what is added, until Ctrl-C; --until-idle for cron

JSON in lines, arrays or envelopes, CSV, TSV or Parquet; plain, gzip, zstd or bzip2: the content tells. Values that do
not fit their column are kept in `_rescued_data`, records that are no JSON object in the table `TABLE_rejects`. One
command is one commit: all of it, or nothing.";

const SQL_EXAMPLES: &str = "\
Examples:
  hosu sql                                                   a shell, with history and completion; \\? lists its commands
  hosu sql -c \"select * from events limit 10\"
  hosu sql -c \"select count(*) n from events\" --format csv
  hosu sql -f report.sql --output json                       one JSON object a statement
  echo \"show tables\" | hosu sql
  hosu sql -c \"create table daily (day date, players bigint) partitioned by (month(day))
               tblproperties ('table_type'='ICEBERG')\"
  hosu sql -c \"insert into daily select date '2026-03-06', 7\"
  hosu sql -c \"explain select * from events where type = 'login'\"

Statements run one after the other until the first error. Every statement runs in UTC.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  hosu doctor                                                exit code 1 when something is missing or differs
  hosu doctor --output json                                  the findings for a program
  hosu doctor --lake /srv/lake";

const JOB_EXAMPLES: &str = "\
Examples:
  hosu job check                                             exit code 1 when a file has a fault
  hosu job list --graph                                      which job fills what another reads
  hosu job plan logins                                       what would a run read and write?
  hosu job run logins                                        run it; again: nothing new
  hosu job run daily --upstream                              and before it what fills its inputs
  hosu job run logins --full                                 make all its rows anew
  hosu job history logins --output json

A job is a file jobs/NAME.sql: a comment that says what it fills and when, then one SELECT.
docs/jobs.md has all of it.";

const SCHEDULE_EXAMPLES: &str = "\
Examples:
  hosu schedule                                              until Ctrl-C or SIGTERM
  hosu schedule --until-idle                                 what is due, then end: for cron and CI
  hosu schedule --log json 2>> jobs.log                      one JSON object an event

Files that are added, changed or removed in the folder are taken up. A second scheduler on the same
lake stands by, and takes over when the first is gone. SIGTERM lets running jobs finish; a second
one ends them at once.";

const DEMO_EXAMPLES: &str = "\
Examples:
  hosu demo
  hosu demo --keep                                           and then go on in that lake";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_verb() {
        for line in ["hosu --lake a --output json doctor", "hosu doctor --lake a --output json"] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert_eq!((arguments.lake, arguments.output), (Some(PathBuf::from("a")), Output::Json));
        }
    }

    #[test]
    fn verbs_of_later_versions_take_any_words() {
        let line = "hosu maintain events --older-than 7d";
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        assert!(matches!(arguments.command, Command::Maintain(_)));
    }

    #[test]
    fn every_verb_that_is_shown_teaches_by_examples() {
        for verb in Arguments::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains(&format!("hosu {}", verb.get_name())), "{}", verb.get_name());
        }
    }
}
