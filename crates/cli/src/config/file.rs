//! `hosu.toml`: the keys that exist, and where the file is found.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::ConfigError;
use super::size::{Size, SizeText, machine_memory_bytes};

const FILE_NAME: &str = "hosu.toml";

/// What `hosu.toml` says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// `[lake]`.
    #[serde(default)]
    pub lake: LakeSection,
    /// `[s3]`.
    #[serde(default)]
    pub s3: S3Section,
    /// `[ingest]`.
    #[serde(default)]
    pub ingest: IngestSection,
    /// `[query]`.
    #[serde(default)]
    pub query: QuerySection,
    /// `[jobs]`.
    #[serde(default)]
    pub jobs: JobsSection,
    #[serde(skip)]
    path: Option<PathBuf>,
}

/// `[lake]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LakeSection {
    /// The catalog's name in its database.
    pub name: Option<String>,
    /// `sqlite:PATH`.
    pub catalog: Option<String>,
    /// A folder or an URL.
    pub warehouse: Option<String>,
}

/// `[s3]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Section {
    /// The server's URL.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Whether the bucket stands in the path.
    pub path_style: Option<bool>,
    /// How long the server may say nothing.
    pub timeout_seconds: Option<u64>,
    /// For how long a request that fails is repeated.
    pub retry_seconds: Option<u64>,
}

/// `[ingest]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSection {
    /// A size or a share of the machine's memory.
    pub memory: Option<SizeText>,
    /// A size.
    pub target_file_size: Option<SizeText>,
    /// Of zstd.
    pub compression_level: Option<i64>,
    /// A size.
    pub decompressed_max: Option<SizeText>,
    /// A size.
    pub line_max: Option<SizeText>,
}

/// `[query]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySection {
    /// A size or a share of the machine's memory.
    pub memory: Option<SizeText>,
    /// A folder.
    pub spill: Option<PathBuf>,
    /// A size.
    pub max_scan: Option<SizeText>,
    /// US dollars.
    pub price_per_tib: Option<f64>,
}

/// `[jobs]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsSection {
    /// Where the jobs' files are.
    pub folder: Option<PathBuf>,
    /// How many jobs run at a time.
    pub parallel: Option<u64>,
    /// How long a program that works on a job may be silent.
    pub lease: Option<String>,
    /// How long running jobs may go on when a scheduler is to end.
    pub grace: Option<String>,
    /// A command for the shell.
    pub on_failure: Option<String>,
}

impl ConfigFile {
    /// Reads a named file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Reads the nearest file upward; none is no error.
    pub fn find(folder: &Path) -> Result<Self, ConfigError> {
        for folder in folder.ancestors() {
            let path = folder.join(FILE_NAME);
            match fs::read_to_string(&path) {
                Ok(text) => return Self::parse(&path, &text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            }
        }
        Ok(Self::default())
    }

    /// What relative paths in the file count from; `otherwise` where there is no file.
    pub fn folder(&self, otherwise: &Path) -> PathBuf {
        self.path.as_deref().and_then(Path::parent).unwrap_or(otherwise).to_owned()
    }

    /// How an error names a key.
    pub fn place(&self, key: &str) -> String {
        match &self.path {
            Some(path) => format!("`{key}` in {}", path.display()),
            None => format!("`{key}`"),
        }
    }

    /// The error about the value of a key.
    pub fn wrong(&self, key: &str, message: String) -> ConfigError {
        ConfigError::Value { place: self.place(key), message }
    }

    /// A time such as `30s`, or its default.
    pub fn time(
        &self,
        key: &str,
        value: &Option<String>,
        default: Duration,
    ) -> Result<Duration, ConfigError> {
        let Some(text) = value else { return Ok(default) };
        time(text).ok_or_else(|| {
            self.wrong(key, format!("`{text}` is no time: write a number and ms, s, m or h, such as \"30s\""))
        })
    }

    /// The bytes of a size, or of its default. A share is one of the machine's memory, and only memory has one.
    pub fn size(&self, key: &str, value: &Option<SizeText>, default: &str) -> Result<u64, ConfigError> {
        let text = value.clone().unwrap_or_else(|| SizeText::Text(default.to_owned()));
        let size = text.parse().map_err(|message| self.wrong(key, message))?;
        match size {
            Size::Share(_) if !key.ends_with(".memory") => {
                Err(self.wrong(key, "a share makes no sense here: give a size like `128MiB`".to_owned()))
            }
            size => Ok(size.of(machine_memory_bytes())),
        }
    }

    /// A number of seconds; none at all makes no sense.
    pub fn seconds(&self, key: &str, value: Option<u64>) -> Result<Option<Duration>, ConfigError> {
        match value {
            Some(0) => Err(self.wrong(key, "0 seconds are no time to wait".to_owned())),
            value => Ok(value.map(Duration::from_secs)),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut file: Self = toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            ConfigError::Syntax {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                message: error.message().replace('\n', " "),
            }
        })?;
        file.path = Some(path.to_owned());
        Ok(file)
    }
}

/// The longest time that can be set.
const TIME_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// `1500ms`, `30s`, `5m`, `1h`.
pub fn time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let unit_ms = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let time = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit_ms)?);
    (time <= TIME_MAX).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let ms = |text| time(text).map(|time| time.as_millis());
        assert_eq!(
            (ms("1500ms"), ms("30s"), ms("5 m"), ms("1h")),
            (Some(1500), Some(30_000), Some(300_000), Some(3_600_000))
        );
        for text in ["", "30", "s", "-1s", "1.5s", "1d", "99999999999999h", "9000h"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
