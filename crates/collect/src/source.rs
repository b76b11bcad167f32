//! Finding what is to be read, and saying what each source *is*.
//!
//! A source is a file, an object or a stream, known by one name: the absolute path of the file itself (symbolic
//! links followed, so that `latest.json` is whatever it points to today) or the canonical URL. The same source
//! named twice, by name, folder or glob, counts once. Sources come in the order in which they are named, those of
//! a folder or glob sorted by path, so that the same command reads the same rows in the same order.
//!
//! What a text means: `-` is standard input; what begins with a scheme is an object, a prefix or a glob of objects;
//! a path that exists is that file or folder, whatever characters it has; anything else with `*`, `?`, `[` or `{a,b}`
//! is a glob. In folders and globs, names that begin with `.` or `_` are other programs' notes (`_SUCCESS`, `.crc`)
//! and are left out, and so are sockets, pipes and links to folders: each is reported. A pipe that is named itself
//! is read as a stream.

mod listing;
mod local;
mod own;
pub(crate) mod part;
mod pattern;
mod read;
mod remote;
mod spool;

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use futures::stream::{self, StreamExt, TryStreamExt};
use hosu_host::{Host, Location, ObjectInfo};
use serde::Serialize;

use crate::error::CollectError;
use crate::progress::Progress;

pub use own::Own;
pub use part::{Part, Position};
pub use read::{RawReader, Watch, buffer_bytes, content_hash};
pub(crate) use remote::is_url;
pub use spool::Spool;

/// The name of standard input.
pub const STDIN: &str = "-";

/// What stands before the id of a batch that comes by standard input.
pub const BATCH: &str = "batch:";

/// How many of a request's texts are looked up at the same time.
const SEARCHES_MAX: usize = 16;

/// What can be read from start to end.
#[derive(Clone, Debug)]
pub struct Source {
    /// The absolute path or URL; [`STDIN`] for standard input.
    pub name: String,
    /// Where its bytes come from.
    pub kind: SourceKind,
}

/// Where the bytes of a source come from.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A regular file.
    File {
        /// Its path.
        path: PathBuf,
        /// Its size when it was found.
        size_bytes: u64,
    },
    /// Some bytes of a file.
    Part(Part),
    /// Bytes that come once: standard input, a pipe. They are kept in a scratch file to be read again.
    Stream(Arc<Spool>),
    /// An object of a store.
    Object {
        /// Its place.
        location: Location,
        /// Its facts when it was found.
        info: ObjectInfo,
    },
}

impl Source {
    /// Its size as it is stored, where that is known before it is read.
    pub fn size_bytes(&self) -> Option<u64> {
        match &self.kind {
            SourceKind::File { size_bytes, .. } => Some(*size_bytes),
            SourceKind::Part(part) => Some(part.to_byte.saturating_sub(part.from.byte())),
            SourceKind::Object { info, .. } => Some(info.size_bytes),
            SourceKind::Stream(_) => None,
        }
    }

    /// Whether the ledger may know it: what a stream brings cannot be asked for before it is read.
    pub fn is_stream(&self) -> bool {
        matches!(self.kind, SourceKind::Stream(_))
    }

    /// The bytes of a file that it is, when it is not all of something.
    pub fn part(&self) -> Option<&Part> {
        match &self.kind {
            SourceKind::Part(part) => Some(part),
            _ => None,
        }
    }

    /// Where in what its name names it begins.
    pub fn from_byte(&self) -> u64 {
        self.part().map_or(0, |part| part.from.byte())
    }

    /// Whether it is standard input that was given an id, under which the ledger knows it.
    pub fn is_batch(&self) -> bool {
        self.is_stream() && self.name.starts_with(BATCH)
    }

    /// What the store itself says about the content, where it does: `etag:…`.
    pub fn etag(&self) -> Option<String> {
        match &self.kind {
            SourceKind::Object { info, .. } => info.etag.as_ref().map(|etag| format!("etag:{etag}")),
            _ => None,
        }
    }
}

/// Something in a folder, or that matched a glob, and is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// Its path or URL.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

/// What a request's sources come to.
#[derive(Debug, Default)]
pub struct Found {
    /// The sources, each once.
    pub sources: Vec<Source>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    /// How many sources were passed over because they are not newer than was asked for.
    pub passed_over: u64,
}

/// Which of the sources are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newer {
    /// Those that were written at this time or later, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Those whose name comes behind this one, byte by byte: a URL, an object's key, or a path.
    pub after: Option<After>,
}

/// A name that others come behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Of a store, in the one spelling that names of sources have.
    Url(String),
    /// A key in any store, and a path.
    Name(String),
}

impl From<String> for After {
    fn from(text: String) -> Self {
        if !text.contains("://") {
            return Self::Name(text);
        }
        match Location::parse(&text) {
            // A slash at the end counts: what lies in the folder comes behind it.
            Ok(location) if text.ends_with('/') => Self::Url(format!("{location}/")),
            Ok(location) => Self::Url(location.to_string()),
            Err(_) => Self::Url(text),
        }
    }
}

impl After {
    /// The name as a place below `folder` from which a store can list on: what it leaves out is not wanted. None where that is
    /// not so.
    fn offset(&self, folder: &Location) -> Option<Location> {
        let url = match self {
            Self::Url(url) => url.clone(),
            Self::Name(key) => format!("{}/{key}", folder.root().trim_end_matches('/')),
        };
        let offset = Location::parse(&url).ok()?;
        // A place has no `.` between slashes and no slash at its end. Without the latter it only comes before.
        let is_exact = offset.as_str() == url.strip_suffix('/').unwrap_or(&url);
        (is_exact && offset != *folder && offset.starts_with(folder)).then_some(offset)
    }

    /// Whether nothing below `folder` comes behind the name.
    fn is_behind(&self, folder: &Location) -> bool {
        let (name, below) = match self {
            Self::Url(url) => (url, format!("{folder}/")),
            Self::Name(key) => (key, format!("{}/", folder.key())),
        };
        !folder.key().is_empty() && below < *name && !name.starts_with(&below)
    }
}

impl Newer {
    /// Whether a source is wanted; `after_path` is what a path is compared with. Blocks. Streams are: they have neither time nor
    /// place.
    fn wants(&self, source: &Source, after_path: Option<&str>) -> bool {
        let is_behind = match &source.kind {
            SourceKind::Stream(_) | SourceKind::Part(_) => return true,
            SourceKind::Object { location, .. } => self.after.as_ref().is_none_or(|after| match after {
                After::Url(url) => source.name > *url,
                After::Name(key) => location.key() > key.as_str(),
            }),
            SourceKind::File { .. } => after_path.is_none_or(|after| source.name.as_str() > after),
        };
        is_behind && self.since_ms.is_none_or(|since_ms| is_of(source, since_ms))
    }
}

/// Whether a source was written at a time or later. A file that tells no time is looked at: the ledger knows what was taken.
fn is_of(source: &Source, since_ms: i64) -> bool {
    let modified_ms = match &source.kind {
        SourceKind::Object { info, .. } => Some(info.modified_ms),
        SourceKind::File { path, .. } => local::modified_ms(path),
        SourceKind::Stream(_) | SourceKind::Part(_) => None,
    };
    modified_ms.is_none_or(|modified_ms| modified_ms >= since_ms)
}

/// A path as the names of files are: absolute, its folder's links followed.
fn absolute(folder: &Path, text: &str) -> String {
    let path = folder.join(text);
    let real = path.parent().and_then(|parent| parent.canonicalize().ok());
    let path = match (real, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path,
    };
    path.to_string_lossy().into_owned()
}

impl Found {
    /// Without the sources that are not wanted.
    ///
    /// # Errors
    /// [`CollectError::Stopped`] when the runtime is shutting down.
    pub async fn narrowed(mut self, newer: &Newer, folder: &Path) -> Result<Self, CollectError> {
        if *newer == Newer::default() {
            return Ok(self);
        }
        let (newer, folder) = (newer.clone(), folder.to_owned());
        blocking(move || {
            let before = self.sources.len();
            let after_path = newer.after.as_ref().map(|after| match after {
                After::Url(name) | After::Name(name) => absolute(&folder, name),
            });
            self.sources.retain(|source| newer.wants(source, after_path.as_deref()));
            self.passed_over = (before - self.sources.len()) as u64;
            Ok(self)
        })
        .await
    }

    fn extend(&mut self, more: Self) {
        self.sources.extend(more.sources);
        self.left_out.extend(more.left_out);
    }
}

pub(crate) const HIDDEN: &str = "its name begins with `.` or `_`";
pub(crate) const LINKED_FOLDER: &str = "it is a link to a folder";
pub(crate) const LINKED_NOWHERE: &str = "it is a link that leads nowhere";
pub(crate) const OWN: &str = "it belongs to the lake itself";
pub(crate) const GONE: &str = "it was gone when it was looked at";
pub(crate) const NOT_A_FILE: &str = "it is no regular file";

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The sources as a person names them.
    pub texts: &'a [String],
    /// The folder that relative paths count from.
    pub folder: &'a Path,
    /// The id of what comes by standard input.
    pub batch_id: Option<&'a str>,
    /// A store is not asked for objects that do not come behind this name. It may list them anyway: see [`Found::narrowed`].
    pub after: Option<&'a After>,
    /// What belongs to the lake, and is no source of it.
    pub own: &'a Own,
    /// Told what is found.
    pub progress: &'a Arc<dyn Progress>,
}

/// Finds the sources that are wanted.
///
/// # Errors
/// For the first text that names nothing, or nothing that can be read.
pub async fn find(
    host: &Host,
    wanted: Wanted<'_>,
    stdin: Option<Box<dyn Read + Send>>,
) -> Result<Found, CollectError> {
    let Wanted { texts, batch_id, .. } = wanted;
    let mut stdin = stdin;
    let mut searches: Vec<BoxFuture<'_, Result<Found, CollectError>>> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let before = texts.get(..index).unwrap_or_default();
        searches.push(match text.as_str() {
            STDIN if before.iter().any(|text| text == STDIN) => ready(Ok(Found::default())).boxed(),
            STDIN => ready(standard_input(host, stdin.take(), batch_id)).boxed(),
            text => find_one(host, text, wanted).boxed(),
        });
    }
    let mut searches = stream::iter(searches).buffered(SEARCHES_MAX);
    let mut found = Found::default();
    while let Some(more) = searches.try_next().await? {
        found.extend(more);
    }
    let mut names = HashSet::new();
    found.sources.retain(|source| names.insert(source.name.clone()));
    // What one text leaves out another may name.
    found.left_out.retain(|left_out| !names.contains(&left_out.path));
    found.left_out.sort();
    found.left_out.dedup();
    if found.sources.is_empty() && wanted.after.is_none() { Err(CollectError::NoSources) } else { Ok(found) }
}

async fn find_one(host: &Host, text: &str, wanted: Wanted<'_>) -> Result<Found, CollectError> {
    let progress = wanted.progress.clone();
    if remote::is_url(text) {
        let mut found = remote::find(&host.store, text, wanted.after, progress.as_ref()).await?;
        wanted.own.leave_out(text, &mut found);
        return Ok(found);
    }
    let (host, text, folder) = (host.clone(), text.to_owned(), wanted.folder.to_owned());
    let own = wanted.own.clone();
    blocking(move || {
        let look = local::Look { folder: &folder, own: &own, progress: progress.as_ref() };
        local::find(&host, &text, look)
    })
    .await
}

fn standard_input(
    host: &Host,
    stdin: Option<Box<dyn Read + Send>>,
    batch_id: Option<&str>,
) -> Result<Found, CollectError> {
    let reader = stdin.ok_or_else(|| CollectError::SourceMissing { name: STDIN.to_owned() })?;
    let spool = Arc::new(Spool::new(host.scratch.clone(), move || Ok(reader)));
    let name = batch_id.map_or_else(|| STDIN.to_owned(), |id| format!("{BATCH}{id}"));
    let sources = vec![Source { name, kind: SourceKind::Stream(spool) }];
    Ok(Found { sources, ..Found::default() })
}

/// Runs what blocks away from the threads that must not.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CollectError> + Send + 'static,
) -> Result<T, CollectError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(CollectError::Stopped),
    }
}

/// Whether a name is one that folders and globs leave out.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

/// Whether a text has a character that makes it a glob.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// How globs match, for files and objects alike: `*` and `?` stay within one name, and case matters.
pub(crate) const MATCH: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

#[cfg(test)]
mod tests;
