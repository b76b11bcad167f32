//! A job as it stands in its file: `jobs/<name>.sql`, TOML in a leading comment, then one SELECT.
//!
//! All that can be told from the file alone is checked here, and each complaint names the file and the line. What needs the
//! tables (do the columns exist, does the target fit) is somebody else's.

mod front_matter;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use hosu_query::NotRowWise;
use hosu_table::arrow_schema::ArrowSchemaError;
use hosu_table::name::{NameError, TableName};
use hosu_table::partition::PartitionError;

use crate::graph::GraphFault;
use crate::schedule::{Schedule, ScheduleError};

/// The most runs that follow a failed one.
const RETRIES_MAX: u32 = 100;

/// The ending of a job's file.
const EXTENSION: &str = "sql";

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The file's name without its ending.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The table that it fills.
    pub target: TableName,
    /// What a run does to the target.
    pub mode: Mode,
    /// When it is due; none for a job that is run by hand.
    pub schedule: Option<Schedule>,
    /// Whose clocks a cron line means.
    pub zone: Tz,
    /// The partition terms of a target that is made, as they were written, each with its line.
    pub partition_by: Vec<(usize, String)>,
    /// What must hold for the new rows, as SQL, each with its line.
    pub tests: Vec<(usize, String)>,
    /// How often a failed run is tried again.
    pub retries: u32,
    /// How long a run may take.
    pub timeout: Option<Duration>,
    /// Which of the slots that passed while nobody looked are run.
    pub catch_up: CatchUp,
    /// The whole file. The comment is one in SQL too, so places in this text are places in the file.
    pub text: String,
}

/// What a run does to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The rows of the input's new snapshots are added.
    Append,
    /// All rows are replaced.
    Full,
}

impl Mode {
    /// As it stands in a job's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Full => "full",
        }
    }
}

/// Which of several slots that are due at once are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Each, one after the other.
    All,
    /// The last.
    #[default]
    Last,
    /// None: the next slot is waited for.
    None,
}

/// What is wrong with a job's file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}, line {line}: {fault}", path.display())]
pub struct JobError {
    /// The file.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub fault: JobFault,
}

/// What can be wrong with a job's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFault {
    /// A file whose name names no job.
    #[error("`{name}` is no name of a job: use letters, digits, `_` and `-`, and the ending .sql")]
    Name {
        /// The file's name.
        name: String,
    },
    /// A file that is there and cannot be read.
    #[error("it cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// Bytes that are no text.
    #[error("it is no UTF-8 text")]
    NotUtf8,
    /// No comment that says what the job is.
    #[error("it does not begin with `/* hosu:job`, under which its target and mode stand")]
    NoFrontMatter,
    /// A comment that does not end.
    #[error("the comment that begins here is not closed: `*/` is missing")]
    Unclosed,
    /// A cron line such as `*/5 * * * *`, which ends the comment that it stands in.
    #[error("`*/` ends the comment in the middle of this text: write 0/5 instead of */5, or `every 5m`")]
    ClosedInside,
    /// Not TOML, or not what a job has.
    #[error("{message}")]
    Toml {
        /// What the parser says.
        message: String,
    },
    /// The target is no table's name.
    #[error("`target`: {0}")]
    Target(NameError),
    /// The schedule is none.
    #[error("`schedule`: {0}")]
    Schedule(ScheduleError),
    /// No time zone has this name.
    #[error("`timezone`: `{text}` is not known{}", nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Zone {
        /// What was written.
        text: String,
        /// The most similar name.
        nearest: Option<&'static str>,
    },
    /// A timeout that is none.
    #[error("`timeout`: `{text}` is no time: write a number and s, m, h or d, such as \"30m\"")]
    Timeout {
        /// What was written.
        text: String,
    },
    /// Too many retries.
    #[error("`retries`: {retries} is more than {max}")]
    Retries {
        /// What was written.
        retries: u32,
        /// The most.
        max: u32,
    },
    /// A file with no SELECT, or with more than one statement.
    #[error("a job is one SELECT behind its comment, and nothing else")]
    NotOneSelect,
    /// A SELECT that cannot be planned.
    #[error("{message}")]
    Sql {
        /// Why.
        message: String,
    },
    /// What keeps the job from its place among the others.
    #[error(transparent)]
    Graph(GraphFault),
    /// A SELECT that cannot be run over new rows alone.
    #[error(transparent)]
    NotRowWise(NotRowWise),
    /// A column that would have no name in a table.
    #[error("column {place} of the SELECT has no name: give it one, with `AS`")]
    ColumnWithoutName {
        /// From 1.
        place: usize,
    },
    /// Two columns of one name.
    #[error("the SELECT gives two columns `{name}`: give one of them another name, with `AS`")]
    ColumnTwice {
        /// The name.
        name: String,
    },
    /// Columns that no table can have.
    #[error(transparent)]
    Columns(ArrowSchemaError),
    /// The target is there and has other columns.
    #[error(
        "the SELECT does not fit {target}: {detail}; `hosu job run --full` gives it the columns of the SELECT"
    )]
    TargetColumns {
        /// The target.
        target: TableName,
        /// What differs.
        detail: String,
    },
    /// The target is there and is parted in another way.
    #[error("`partition_by`: {target} is there, and it is {}", if is.is_empty() { "not partitioned".to_owned() } else { format!("partitioned by {is}") })]
    TargetPartitions {
        /// The target.
        target: TableName,
        /// How it is parted.
        is: String,
    },
    /// Partition terms that do not fit the columns.
    #[error("`partition_by`: {0}")]
    Partition(PartitionError),
    /// A test that cannot be asked.
    #[error("`tests`: `{text}`: {message}")]
    Test {
        /// The test.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// A test or partition term without text.
    #[error("`{key}` has an empty entry")]
    EmptyEntry {
        /// The key.
        key: &'static str,
    },
}

impl Job {
    /// Reads a job from its file's bytes.
    ///
    /// # Errors
    /// [`JobError`] with the first thing that is wrong.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, JobError> {
        let at = |line, fault| JobError { path: path.to_owned(), line, fault };
        let name = name_of(path).map_err(|fault| at(1, fault))?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            at(1 + good.iter().filter(|byte| **byte == b'\n').count(), JobFault::NotUtf8)
        })?;
        front_matter::read(text, name, path).map_err(|(line, fault)| at(line, fault))
    }
}

fn name_of(path: &Path) -> Result<String, JobFault> {
    let wrong = || JobFault::Name {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or_else(wrong)?;
    let is_name = !stem.is_empty() && stem.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let is_sql = path.extension().is_some_and(|extension| extension == EXTENSION);
    if is_name && is_sql { Ok(stem.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
