//! One spelling for each place: engines write `file:/a`, `file:///a`, `/a`, `s3a://b/k` and `s3://b/k` for the same
//! object, and a lake that compares them as texts would take one file for two.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;

use object_store::path::Path;

/// An absolute place: `file:///folder/file`, `s3://bucket/key` or `memory:///key`.
///
/// The text is taken as it stands, never percent-decoded: an Iceberg location is a raw string. It has no empty, `.`
/// or `..` segment and no slash at its end.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    text: String,
    root_len: usize,
}

/// Why a text is no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a location: {reason}")]
pub struct LocationError {
    /// The text as it was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

const FILE: &str = "file://";
const MEMORY: &str = "memory://";
const S3: &str = "s3://";

impl Location {
    /// Reads a location in any of the spellings `/abs`, `file:/abs`, `file:///abs`, `s3://`, `s3a://`, `s3n://`,
    /// `memory:///`. A relative path, an unknown scheme, a `..` segment and a control character are errors.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let fail = |reason: &str| LocationError { text: text.to_owned(), reason: reason.to_owned() };
        let (root, key) = split_root(text).map_err(|reason| fail(&reason))?;
        let mut location = Self { root_len: root.len(), text: root };
        let is_s3 = location.text.starts_with(S3);
        let key = key.strip_prefix('/').unwrap_or(key);
        let key = key.strip_suffix('/').unwrap_or(key);
        for segment in key.split('/').filter(|_| !key.is_empty()) {
            match segment {
                ".." => return Err(fail("a `..` segment could leave the folder that was meant")),
                "" if is_s3 => return Err(fail("keys with an empty segment (`//`) are not supported")),
                "" | "." => continue,
                _ if segment.chars().any(|c| c.is_ascii_control()) => {
                    return Err(fail("it holds a control character"));
                }
                _ => location.push(segment),
            }
        }
        if location.key().is_empty() {
            location.end_root();
        }
        Ok(location)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The place `relative` below this one. Empty, `.` and `..` segments are left out, so that the result is never
    /// outside of this location.
    pub fn join(&self, relative: &str) -> Self {
        let mut joined = self.clone();
        for segment in relative.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")) {
            joined.push(segment);
        }
        joined
    }

    /// Which store holds it: `file://`, `memory://` or `s3://bucket`.
    pub fn root(&self) -> &str {
        self.text.get(..self.root_len).unwrap_or_default()
    }

    /// What follows the root, without a slash at its start; empty for the root itself.
    pub fn key(&self) -> &str {
        self.text.get(self.root_len..).unwrap_or_default().trim_start_matches('/')
    }

    /// The local path, where it is one.
    pub fn local_path(&self) -> Option<PathBuf> {
        (self.root() == FILE).then(|| PathBuf::from(format!("/{}", self.key())))
    }

    /// The last segment; empty for the root.
    pub fn file_name(&self) -> &str {
        self.key().rsplit('/').next().unwrap_or_default()
    }

    /// The folder it lies in; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let key = self.key();
        if key.is_empty() {
            return None;
        }
        let mut parent = Self { text: self.root().to_owned(), root_len: self.root_len };
        match key.rsplit_once('/') {
            Some((folder, _)) => parent.push(folder),
            None => parent.end_root(),
        }
        Some(parent)
    }

    /// Whether it is `folder` or lies below it, by whole segments: `/a/bc` does not start with `/a/b`.
    pub fn starts_with(&self, folder: &Location) -> bool {
        if self.root() != folder.root() {
            return false;
        }
        match self.key().strip_prefix(folder.key()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/') || folder.key().is_empty(),
            None => false,
        }
    }

    /// The key as object_store spells it. It fails only for a joined segment with a control character in it.
    pub fn object_path(&self) -> Result<Path, LocationError> {
        Path::parse(self.key())
            .map_err(|error| LocationError { text: self.text.clone(), reason: error.to_string() })
    }

    /// The location of `path` in the store behind `root` (see [`Location::root`]).
    pub fn from_object_path(root: &str, path: &Path) -> Self {
        let mut location = Self { text: root.to_owned(), root_len: root.len() };
        match path.as_ref() {
            "" => location.end_root(),
            key => location.push(key),
        }
        location
    }

    fn push(&mut self, segment: &str) {
        if !self.text.get(self.root_len..).unwrap_or_default().ends_with('/') {
            self.text.push('/');
        }
        self.text.push_str(segment);
    }

    /// `file:///` and `memory:///` are the roots' own spelling; a bucket's is `s3://bucket`.
    fn end_root(&mut self) {
        if !self.text.starts_with(S3) {
            self.text.push('/');
        }
    }
}

/// Splits a spelling into its canonical root and the rest.
fn split_root(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('/') {
        return Ok((FILE.to_owned(), text));
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err("it is a relative path".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => Ok((FILE.to_owned(), local_rest(rest)?)),
        "memory" => Ok((MEMORY.to_owned(), local_rest(rest)?)),
        "s3" | "s3a" | "s3n" => {
            let rest = rest.strip_prefix("//").ok_or("it names no bucket")?;
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            match bucket {
                "" => Err("it names no bucket".to_owned()),
                _ if bucket.chars().all(is_name) => Ok((format!("{S3}{bucket}"), key)),
                _ => Err("a bucket's name has letters, digits, `-`, `.` and `_` only".to_owned()),
            }
        }
        other if other.contains('/') => Err("it is a relative path".to_owned()),
        other => Err(format!("the scheme `{other}` is not one of file, s3, s3a, s3n, memory")),
    }
}

/// `/abs`, `///abs` and `//localhost/abs` after `file:` are the same; another host is not this machine.
fn local_rest(rest: &str) -> Result<&str, String> {
    let path = match rest.strip_prefix("//") {
        Some(with_host) => with_host.strip_prefix("localhost").unwrap_or(with_host),
        None => rest,
    };
    if path.starts_with('/') { Ok(path) } else { Err("it is a relative path or on another host".to_owned()) }
}

impl Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
