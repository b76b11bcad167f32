//! What a source can be, and how a person says it: the content and how that is compressed.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How a source is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, one member or several.
    Gzip,
    /// Zstandard, one frame or several.
    Zstd,
    /// Bzip2, one stream or several.
    Bzip2,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        })
    }
}

impl Compression {
    /// What stands behind the name of a format: `.gz`.
    fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Bzip2 => ".bz2",
        }
    }

    /// A name without the suffix of a compression, and which one that was.
    pub(super) fn of_name(name: &str) -> (&str, Self) {
        let suffixed = [Self::Gzip, Self::Zstd, Self::Bzip2].into_iter();
        suffixed
            .filter_map(|compression| Some((name.strip_suffix(compression.suffix())?, compression)))
            .next()
            .unwrap_or((name, Self::None))
    }
}

/// What a source is, as a person says it with `--format`: `ndjson`, `ndjson.gz`, `csv.zst`…
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// What is in it.
    pub content: Content,
    /// How that is compressed.
    pub compression: Compression,
}

/// How records stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// One JSON object a line.
    Ndjson,
    /// Records in arrays, one after another, or in envelopes.
    Json,
    /// Fields with commas between them, a header first (RFC 4180).
    Csv,
    /// The same with tabs.
    Tsv,
    /// Parquet, which is no text.
    Parquet,
}

/// Each content by its names; the first is its own.
const CONTENTS: &[(Content, &[&str])] = &[
    (Content::Ndjson, &["ndjson", "jsonl"]),
    (Content::Json, &["json"]),
    (Content::Csv, &["csv"]),
    (Content::Tsv, &["tsv"]),
    (Content::Parquet, &["parquet"]),
];

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = CONTENTS.iter().find(|(content, _)| content == self).map(|(_, names)| *names);
        f.write_str(names.and_then(|names| names.first().copied()).unwrap_or_default())
    }
}

impl Content {
    /// What a source of this name is said to be: `visits.csv`, `visits.tsv.gz`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (name, _) = Compression::of_name(&lower);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            _ => None,
        }
    }
}

/// A format that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no format: `auto` is, or {contents}, also with .gz, .zst or .bz2", contents = known_contents())]
pub struct FormatError {
    /// The text as it was given.
    pub text: String,
}

fn known_contents() -> String {
    CONTENTS.iter().map(|(content, _)| format!("`{content}`")).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// Reads the text of `--format`; none for `auto`, which looks at the content.
    ///
    /// # Errors
    /// [`FormatError`] for a format that is not known.
    pub fn parse(text: &str) -> Result<Option<Self>, FormatError> {
        if text.eq_ignore_ascii_case("auto") { Ok(None) } else { text.parse().map(Some) }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let lower = text.to_ascii_lowercase();
        let (name, compression) = Compression::of_name(&lower);
        let known = CONTENTS.iter().find(|(_, names)| names.contains(&name));
        let (content, _) = known.ok_or_else(|| FormatError { text: text.to_owned() })?;
        Ok(Self { content: *content, compression })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.content, self.compression.suffix())
    }
}
