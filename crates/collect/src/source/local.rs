//! Sources on this machine: files, folders, globs and pipes.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hosu_host::Host;

use super::{
    Found, GONE, HIDDEN, LINKED_FOLDER, LINKED_NOWHERE, LeftOut, NOT_A_FILE, OWN, Own, Source, SourceKind,
    Spool,
};
use super::{is_glob, is_hidden, pattern};
use crate::error::CollectError;
use crate::progress::Progress;

/// Where and how is looked.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// The folder that relative paths count from.
    pub folder: &'a Path,
    pub own: &'a Own,
    pub progress: &'a dyn Progress,
}

/// Finds what one text names. Blocks.
pub(super) fn find(host: &Host, text: &str, look: Look<'_>) -> Result<Found, CollectError> {
    if text.is_empty() {
        return Err(CollectError::SourceMissing { name: String::new() });
    }
    let text = strip_scheme(text);
    let path = look.folder.join(text);
    match fs::metadata(&path) {
        Err(error) if is_absent(&error) && text.contains("://") => {
            let scheme = text.split("://").next().unwrap_or_default();
            let reason = format!("the scheme `{scheme}` is not one of file, s3, s3a, s3n, memory");
            Err(CollectError::SourceUrl { name: text.to_owned(), reason })
        }
        Ok(metadata) => named(host, &path, &metadata, look),
        Err(error) if is_absent(&error) && (is_glob(text) || pattern::has_alternatives(text)) => {
            find_globs(text, look)
        }
        Err(error) => Err(unreadable(&path, error)),
    }
}

/// `file:///a`, `file://localhost/a`, `file:/a` and `/a` are the same path.
fn strip_scheme(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("file:") else { return text };
    let path = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
    if path.starts_with('/') { path } else { text }
}

/// A file, folder or pipe that was named itself.
fn named(host: &Host, path: &Path, metadata: &Metadata, look: Look<'_>) -> Result<Found, CollectError> {
    let mut found = Found::default();
    if metadata.is_dir() {
        let folder = real_path(path)?;
        walk(&folder, &mut found, look)?;
        if found.sources.is_empty() {
            return Err(CollectError::FolderEmpty {
                name: name_of(&folder)?,
                left_out: found.left_out.len(),
            });
        }
    } else if metadata.is_file() {
        found.sources.push(file(path)?);
    } else if is_stream(metadata.file_type()) {
        found.sources.push(stream(host, path)?);
    } else {
        let reason = io::Error::other("it is neither a file nor a folder nor a pipe");
        return Err(unreadable(path, reason));
    }
    Ok(found)
}

fn is_stream(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device()
}

/// A pipe or device. Its path is not resolved: that of `/dev/stdin` leads to no file.
fn stream(host: &Host, path: &Path) -> Result<Source, CollectError> {
    let absolute = std::path::absolute(path).map_err(|error| unreadable(path, error))?;
    let name = name_of(&absolute)?;
    let spool = Spool::new(host.scratch.clone(), move || Ok(Box::new(fs::File::open(absolute)?) as _));
    Ok(Source { name, kind: SourceKind::Stream(Arc::new(spool)) })
}

fn file(path: &Path) -> Result<Source, CollectError> {
    let path = real_path(path)?;
    let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
    real_file(path, &metadata)
}

/// A file whose path is known to be that of the file itself.
fn real_file(path: PathBuf, metadata: &Metadata) -> Result<Source, CollectError> {
    Ok(Source { name: name_of(&path)?, kind: SourceKind::File { path, size_bytes: metadata.len() } })
}

/// All files in a folder and below, sorted by path. The folder's path is that of the folder itself.
fn walk(folder: &Path, found: &mut Found, look: Look<'_>) -> Result<(), CollectError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> =
        entries.map_err(|error| unreadable(folder, error))?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().and_then(|name| name.to_str()).is_some_and(is_hidden);
        if hidden {
            found.left_out.push(LeftOut { path: lossy(&path), reason: HIDDEN });
            continue;
        }
        if look.own.has(&path) {
            found.left_out.push(LeftOut { path: lossy(&path), reason: OWN });
            continue;
        }
        let Some((metadata, is_link)) = looked_at(&path, found)? else { continue };
        match (metadata.is_dir(), metadata.is_file()) {
            // A link may lead back up, and then for ever down.
            (true, _) if is_link => {
                found.left_out.push(LeftOut { path: lossy(&path), reason: LINKED_FOLDER });
            }
            (true, _) => walk(&path, found, look)?,
            (_, true) => {
                found.sources.push(if is_link { file(&path)? } else { real_file(path, &metadata)? });
                look.progress.found(1);
            }
            _ => found.left_out.push(LeftOut { path: lossy(&path), reason: NOT_A_FILE }),
        }
    }
    Ok(())
}

/// What stands behind a name that was listed, and whether the name is a link; none, and that is noted, for a link that leads nowhere
/// or to itself, and for what is gone since.
fn looked_at(path: &Path, found: &mut Found) -> Result<Option<(Metadata, bool)>, CollectError> {
    let itself = fs::symlink_metadata(path);
    let is_link = itself.as_ref().is_ok_and(Metadata::is_symlink);
    let reason = match if is_link { fs::metadata(path) } else { itself } {
        Ok(metadata) => return Ok(Some((metadata, is_link))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(unreadable(path, error)),
        Err(_) if is_link => LINKED_NOWHERE,
        Err(error) if error.kind() == io::ErrorKind::NotFound => GONE,
        Err(error) => return Err(unreadable(path, error)),
    };
    found.left_out.push(LeftOut { path: lossy(path), reason });
    Ok(None)
}

fn find_globs(text: &str, look: Look<'_>) -> Result<Found, CollectError> {
    let mut found = Found::default();
    for pattern in pattern::alternatives(text)? {
        find_glob(&pattern, &mut found, look)?;
    }
    if found.sources.is_empty() {
        return Err(CollectError::NothingMatches {
            pattern: text.to_owned(),
            left_out: found.left_out.len(),
        });
    }
    Ok(found)
}

fn find_glob(pattern: &str, found: &mut Found, look: Look<'_>) -> Result<(), CollectError> {
    let Look { folder, own, progress } = look;
    let asks_for_hidden = pattern::asks_for_hidden(pattern);
    for path in pattern::matches(pattern, folder, own, found)? {
        if !asks_for_hidden && hidden_below(&path, pattern, folder) {
            found.left_out.push(LeftOut { path: lossy(&path), reason: HIDDEN });
            continue;
        }
        let Some((metadata, _)) = looked_at(&path, found)? else { continue };
        match metadata.is_dir() {
            // An empty folder among the matches is no error, unlike one that was named.
            true => walk(&real_path(&path)?, found, look)?,
            false if own.has(&path) => found.left_out.push(LeftOut { path: lossy(&path), reason: OWN }),
            false if metadata.is_file() => {
                found.sources.push(file(&path)?);
                progress.found(1);
            }
            false => found.left_out.push(LeftOut { path: lossy(&path), reason: NOT_A_FILE }),
        }
    }
    Ok(())
}

/// Whether a match has a hidden name below the part of the pattern that is spelled out.
fn hidden_below(path: &Path, pattern: &str, folder: &Path) -> bool {
    let spelled: Vec<&str> = pattern.split('/').take_while(|name| !is_glob(name)).collect();
    let base = if pattern.starts_with('/') {
        PathBuf::from(format!("/{}", spelled.join("/").trim_start_matches('/')))
    } else {
        folder.join(spelled.join("/"))
    };
    let below = path.strip_prefix(&base).unwrap_or(path);
    below.components().any(|name| name.as_os_str().to_str().is_some_and(is_hidden))
}

/// When a file was written, in milliseconds since 1970, where the system tells.
pub(super) fn modified_ms(path: &Path) -> Option<i64> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let since = modified.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// The path of the file itself: absolute, links followed.
fn real_path(path: &Path) -> Result<PathBuf, CollectError> {
    fs::canonicalize(path).map_err(|error| unreadable(path, error))
}

fn name_of(path: &Path) -> Result<String, CollectError> {
    // A name that two files may share after repair would make one of them the other's changed content.
    path.to_str().map(str::to_owned).ok_or_else(|| CollectError::SourceName { name: lossy(path) })
}

fn lossy(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn is_absent(error: &io::Error) -> bool {
    // A glob such as `*/` + a file's name is asked for below a file.
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// An error about a path: that nothing is there, or what else the system says.
pub(super) fn unreadable(path: &Path, error: io::Error) -> CollectError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            CollectError::SourceMissing { name: lossy(path) }
        }
        _ => CollectError::SourceUnreadable { name: lossy(path), source: error },
    }
}
