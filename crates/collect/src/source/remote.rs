//! Sources in an object store: one object, all below a prefix, or those that match a glob.

use futures::TryStreamExt;
use hosu_host::{Location, ObjectInfo, Store, StoreError};

use super::{Found, HIDDEN, LeftOut, MATCH, Source, SourceKind, is_glob, is_hidden};
use crate::error::CollectError;

const SCHEMES: [&str; 4] = ["s3://", "s3a://", "s3n://", "memory://"];

/// Whether a text names objects, not files.
pub(super) fn is_url(text: &str) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Finds what one URL names.
pub(super) async fn find(store: &Store, text: &str) -> Result<Found, CollectError> {
    let location = Location::parse(text)
        .map_err(|error| CollectError::SourceUrl { name: text.to_owned(), reason: error.reason })?;
    if !text.ends_with('/') && !location.key().is_empty() {
        match store.head(&location).await {
            Ok(info) => return Ok(Found { sources: vec![object(location, info)], left_out: Vec::new() }),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(store_error(text, error)),
        }
    }
    match is_glob(location.key()) {
        true => find_glob(store, &location).await,
        false => find_below(store, text, &location).await,
    }
}

async fn find_below(store: &Store, text: &str, folder: &Location) -> Result<Found, CollectError> {
    let mut found = Found::default();
    for (location, info) in list(store, text, folder).await? {
        sort_in(&mut found, folder, location, info);
    }
    match (found.sources.is_empty(), found.left_out.len()) {
        (true, 0) => Err(CollectError::SourceMissing { name: folder.to_string() }),
        (true, left_out) => Err(CollectError::FolderEmpty { name: folder.to_string(), left_out }),
        _ => Ok(found),
    }
}

async fn find_glob(store: &Store, pattern: &Location) -> Result<Found, CollectError> {
    let text = pattern.as_str();
    let matcher = glob::Pattern::new(pattern.key()).map_err(|error| CollectError::BadPattern {
        pattern: text.to_owned(),
        reason: error.msg.to_owned(),
    })?;
    let spelled: Vec<&str> = pattern.key().split('/').take_while(|name| !is_glob(name)).collect();
    let root = Location::parse(&format!("{}/", pattern.root())).unwrap_or_else(|_| pattern.clone());
    let folder = root.join(&spelled.join("/"));
    let asks_for_hidden = pattern.key().split('/').any(is_hidden);
    let mut found = Found::default();
    for (location, info) in list(store, text, &folder).await? {
        match matcher.matches_with(location.key(), MATCH) {
            false => {}
            true if asks_for_hidden => found.sources.push(object(location, info)),
            true => sort_in(&mut found, &folder, location, info),
        }
    }
    if found.sources.is_empty() {
        return Err(CollectError::NothingMatches {
            pattern: text.to_owned(),
            left_out: found.left_out.len(),
        });
    }
    Ok(found)
}

async fn list(
    store: &Store,
    text: &str,
    folder: &Location,
) -> Result<Vec<(Location, ObjectInfo)>, CollectError> {
    let listed = store.list(folder).try_collect::<Vec<_>>().await;
    let mut objects = listed.map_err(|error| store_error(text, error))?;
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(objects)
}

/// Takes an object, or leaves it out when a name below `folder` is hidden.
fn sort_in(found: &mut Found, folder: &Location, location: Location, info: ObjectInfo) {
    let below = location.key().strip_prefix(folder.key()).unwrap_or(location.key());
    if below.split('/').any(is_hidden) {
        found.left_out.push(LeftOut { path: location.to_string(), reason: HIDDEN });
    } else {
        found.sources.push(object(location, info));
    }
}

fn object(location: Location, info: ObjectInfo) -> Source {
    Source { name: location.to_string(), kind: SourceKind::Object { location, info } }
}

fn store_error(text: &str, source: StoreError) -> CollectError {
    match source {
        StoreError::NotFound { .. } => CollectError::SourceMissing { name: text.to_owned() },
        source => CollectError::SourceStore { name: text.to_owned(), source },
    }
}
