//! The configuration: flags, then the environment, then `hosu.toml`, then defaults, put together into one value.

mod file;
mod size;

pub use file::time;
pub use size::{Size, SizeText};

use std::path::{Path, PathBuf};
use std::time::Duration;

use hosu_collect::{LINE_BYTES_MAX, memory_bytes_min};
use hosu_host::{Location, LocationError, S3Settings};

use crate::args::Arguments;
use crate::aws;
use crate::environment::{self as env, Environment};

use file::{ConfigFile, QuerySection};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the lake is.
    pub lake: LakeConfig,
    /// How S3 is reached.
    pub s3: S3Settings,
    /// For how long a request that fails is repeated.
    pub s3_retry: Option<Duration>,
    /// `[ingest]`.
    pub ingest: IngestConfig,
    /// `[query]`.
    pub query: QueryConfig,
    /// `[jobs]`.
    pub jobs: JobsConfig,
}

/// `[lake]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LakeConfig {
    /// The `catalog_name` in the database.
    pub name: String,
    /// The SQLite file.
    pub catalog: PathBuf,
    /// Where tables are put.
    pub warehouse: Location,
    /// The folder that holds both, where they were named by one folder.
    pub folder: Option<PathBuf>,
}

/// `[ingest]`.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestConfig {
    /// What ingest may use.
    pub memory_bytes: u64,
    /// At which size a data file is closed; the table's property wins.
    pub target_file_bytes: u64,
    /// Of zstd.
    pub compression_level: i32,
    /// How long the text of a compressed source may be, if that was set.
    pub decompressed_bytes_max: Option<u64>,
    /// The longest line or record; a longer one is rejected.
    pub line_bytes_max: u64,
}

/// `[query]`.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryConfig {
    /// What a statement may use before it spills.
    pub memory_bytes: u64,
    /// Where it spills to; the system's temporary folder otherwise.
    pub spill: Option<PathBuf>,
    /// A statement that would read more is refused.
    pub max_scan_bytes: Option<u64>,
    /// US dollars.
    pub price_per_tib: f64,
}

/// `[jobs]`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobsConfig {
    /// Where the jobs' files are.
    pub folder: PathBuf,
    /// How many jobs run at a time.
    pub parallel: usize,
    /// How long a program that works on a job may be silent before another one may take over.
    pub lease: Duration,
    /// How long running jobs may go on when a scheduler is to end.
    pub grace: Duration,
    /// What the shell runs when a run failed.
    pub on_failure: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A named file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key that does not exist.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser found.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{place}: {message}")]
    Value {
        /// The key and its file, or the variable.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A catalog that this version cannot open.
    #[error("{place}: `{text}` is a catalog of a kind that is not in this version")]
    CatalogKind {
        /// The key and its file, or the variable.
        place: String,
        /// As it was written, without what may be a password.
        text: String,
    },
}

const LAKE_FOLDER: &str = "lake";
const CATALOG_FILE: &str = "catalog.db";
const WAREHOUSE_FOLDER: &str = "warehouse";
const JOBS_FOLDER: &str = "jobs";

/// More jobs at a time are set by hand: they share the memory of all queries.
const PARALLEL_DEFAULT_MAX: usize = 4;
const PARALLEL_MAX: usize = 256;
const LEASE_DEFAULT: Duration = Duration::from_secs(30);
/// A shorter one would be lost to a slow disk.
const LEASE_MIN: Duration = Duration::from_secs(1);
const GRACE_DEFAULT: Duration = Duration::from_secs(60);

impl Config {
    /// Reads the configuration for a command.
    ///
    /// # Errors
    /// The file cannot be read, is no configuration, or a value makes no sense.
    pub fn load(arguments: &Arguments, environment: &Environment) -> Result<Self, ConfigError> {
        let current = environment.current_folder();
        let named = arguments.config.clone().or_else(|| environment.get(env::HOSU_CONFIG).map(PathBuf::from));
        let file = match named {
            Some(path) => ConfigFile::read(&absolute(current, &path))?,
            None => ConfigFile::find(current)?,
        };
        let aws = aws::read(environment);
        let s3 = S3Settings {
            endpoint: aws.endpoint.or_else(|| file.s3.endpoint.clone()),
            region: match environment.first(&[env::AWS_REGION, env::AWS_DEFAULT_REGION]) {
                Some(_) => None,
                None => file.s3.region.clone(),
            },
            path_style: file.s3.path_style,
            pairs: aws.pairs,
            trouble: aws.trouble,
            silence: file.seconds("s3.timeout_seconds", file.s3.timeout_seconds)?,
            certificates: aws.certificates,
        };
        let s3_retry = file.seconds("s3.retry_seconds", file.s3.retry_seconds)?;
        Ok(Self {
            lake: lake(arguments, environment, &file)?,
            s3,
            s3_retry,
            ingest: ingest(&file)?,
            query: query(&file.query, &file)?,
            jobs: jobs(arguments, current, &file)?,
        })
    }
}

/// A value and the place that it was read from.
struct Found {
    text: String,
    base: PathBuf,
    place: String,
}

fn lake(
    arguments: &Arguments,
    environment: &Environment,
    file: &ConfigFile,
) -> Result<LakeConfig, ConfigError> {
    let current = environment.current_folder();
    let name = file.lake.name.clone().unwrap_or_else(|| "hosu".to_owned());
    if name.is_empty() {
        return Err(file.wrong("lake.name", "it is empty".to_owned()));
    }
    let in_folder = |folder: PathBuf| -> Result<LakeConfig, ConfigError> {
        let place = "the lake's folder".to_owned();
        let warehouse = location(&folder.join(WAREHOUSE_FOLDER), place)?;
        Ok(LakeConfig {
            name: name.clone(),
            catalog: folder.join(CATALOG_FILE),
            warehouse,
            folder: Some(folder),
        })
    };
    if let Some(folder) = &arguments.lake {
        return in_folder(absolute(current, folder));
    }
    let mut lake = match environment.get(env::HOSU_LAKE) {
        Some(folder) => in_folder(absolute(current, Path::new(folder)))?,
        None => in_folder(absolute(&file.folder(current), Path::new(LAKE_FOLDER)))?,
    };
    let find = |variable: &str, key: &str, in_file: &Option<String>| {
        let set = environment.get(variable).map(|text| (text, current.to_owned(), variable.to_owned()));
        let in_file = in_file.as_deref().filter(|_| environment.get(env::HOSU_LAKE).is_none());
        let found = set.or_else(|| in_file.map(|text| (text, file.folder(current), file.place(key))));
        found.map(|(text, base, place)| Found { text: text.to_owned(), base, place })
    };
    if let Some(found) = find(env::HOSU_CATALOG, "lake.catalog", &file.lake.catalog) {
        lake.catalog = catalog_path(found)?;
        lake.folder = None;
    }
    if let Some(found) = find(env::HOSU_WAREHOUSE, "lake.warehouse", &file.lake.warehouse) {
        lake.warehouse = warehouse_location(found)?;
        lake.folder = None;
    }
    Ok(lake)
}

/// `sqlite:PATH`, or a path alone.
fn catalog_path(found: Found) -> Result<PathBuf, ConfigError> {
    let (scheme, path) = match found.text.split_once(':') {
        Some((scheme, path)) if !scheme.contains('/') => (scheme.to_ascii_lowercase(), path),
        _ => ("sqlite".to_owned(), found.text.as_str()),
    };
    if scheme != "sqlite" {
        // What follows may hold a password.
        return Err(ConfigError::CatalogKind { place: found.place, text: format!("{scheme}:") });
    }
    let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
    if path.is_empty() || path.ends_with('/') {
        return Err(ConfigError::Value { place: found.place, message: "it names no file".to_owned() });
    }
    Ok(absolute(&found.base, Path::new(path)))
}

fn warehouse_location(found: Found) -> Result<Location, ConfigError> {
    let is_url =
        found.text.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/') && !scheme.is_empty());
    if is_url {
        return Location::parse(&found.text).map_err(|error| wrong_location(found.place, error));
    }
    location(&absolute(&found.base, Path::new(&found.text)), found.place)
}

fn location(path: &Path, place: String) -> Result<Location, ConfigError> {
    let text = path.to_str().ok_or_else(|| {
        let message = format!("`{}` is not UTF-8", path.display());
        ConfigError::Value { place: place.clone(), message }
    })?;
    Location::parse(text).map_err(|error| wrong_location(place, error))
}

fn wrong_location(place: String, error: LocationError) -> ConfigError {
    ConfigError::Value { place, message: error.to_string() }
}

fn ingest(file: &ConfigFile) -> Result<IngestConfig, ConfigError> {
    let level = file.ingest.compression_level.unwrap_or(1);
    let compression_level =
        i32::try_from(level).ok().filter(|level| (1..=22).contains(level)).ok_or_else(|| {
            file.wrong("ingest.compression_level", format!("{level} is not one of zstd's levels, 1 to 22"))
        })?;
    let memory_bytes = file.size("ingest.memory", &file.ingest.memory, "512MiB")?;
    let line_bytes_max = file.size("ingest.line_max", &file.ingest.line_max, "16MiB")?;
    if !LINE_BYTES_MAX.contains(&line_bytes_max) {
        let (least, most) = (LINE_BYTES_MAX.start() >> 10, LINE_BYTES_MAX.end() >> 20);
        return Err(file.wrong("ingest.line_max", format!("it may be from {least}KiB to {most}MiB")));
    }
    let least = memory_bytes_min(line_bytes_max);
    if memory_bytes < least {
        let least = format!(
            "{}MiB is the least that ingest can work with where a line may have {} MiB (`ingest.line_max`)",
            least.div_ceil(1 << 20),
            line_bytes_max.div_ceil(1 << 20)
        );
        return Err(file.wrong("ingest.memory", least));
    }
    let target_file_bytes = file.size("ingest.target_file_size", &file.ingest.target_file_size, "128MiB")?;
    if target_file_bytes == 0 {
        return Err(file.wrong("ingest.target_file_size", "a data file cannot be empty".to_owned()));
    }
    let decompressed_bytes_max = match &file.ingest.decompressed_max {
        None => None,
        some => Some(file.size("ingest.decompressed_max", some, "")?),
    };
    Ok(IngestConfig {
        memory_bytes,
        target_file_bytes,
        compression_level,
        decompressed_bytes_max,
        line_bytes_max,
    })
}

fn query(section: &QuerySection, file: &ConfigFile) -> Result<QueryConfig, ConfigError> {
    let price_per_tib = section.price_per_tib.unwrap_or(5.0);
    if !price_per_tib.is_finite() || price_per_tib < 0.0 {
        return Err(file.wrong("query.price_per_tib", format!("{price_per_tib} is no price")));
    }
    let max_scan_bytes = match &section.max_scan {
        None => None,
        some => Some(file.size("query.max_scan", some, "")?),
    };
    let base = file.folder(Path::new("/"));
    Ok(QueryConfig {
        memory_bytes: file.size("query.memory", &section.memory, "70%")?,
        spill: section.spill.as_ref().map(|folder| absolute(&base, folder)),
        max_scan_bytes,
        price_per_tib,
    })
}

fn jobs(arguments: &Arguments, current: &Path, file: &ConfigFile) -> Result<JobsConfig, ConfigError> {
    let section = &file.jobs;
    let folder = match arguments.command.jobs() {
        Some(folder) => absolute(current, folder),
        None => absolute(&file.folder(current), section.folder.as_deref().unwrap_or(Path::new(JOBS_FOLDER))),
    };
    let parallel = match section.parallel {
        Some(parallel) => {
            usize::try_from(parallel).ok().filter(|parallel| (1..=PARALLEL_MAX).contains(parallel))
        }
        None => Some(
            std::thread::available_parallelism().map_or(1, |cores| cores.get()).min(PARALLEL_DEFAULT_MAX),
        ),
    };
    let parallel = parallel
        .ok_or_else(|| file.wrong("jobs.parallel", format!("a number from 1 to {PARALLEL_MAX} is needed")))?;
    let lease = file.time("jobs.lease", &section.lease, LEASE_DEFAULT)?;
    if lease < LEASE_MIN {
        return Err(file.wrong("jobs.lease", format!("{} s is the least", LEASE_MIN.as_secs())));
    }
    let grace = file.time("jobs.grace", &section.grace, GRACE_DEFAULT)?;
    let on_failure = section.on_failure.clone().filter(|command| !command.trim().is_empty());
    Ok(JobsConfig { folder, parallel, lease, grace, on_failure })
}

/// `path` counted from `base`, without `.` and `..`. A `..` after a link leads where the file system would lead.
fn absolute(base: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                whole = whole.canonicalize().unwrap_or(whole);
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

#[cfg(test)]
mod tests;
