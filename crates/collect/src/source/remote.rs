//! Sources in an object store: one object, all below a prefix, or those that match a glob.

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use hosu_host::{Location, ObjectInfo, Store, StoreError};

use super::listing::{Listing, Object};
use super::{After, Found, HIDDEN, LeftOut, MATCH, Source, SourceKind, is_glob, is_hidden, pattern};
use crate::error::CollectError;
use crate::progress::Progress;

/// How many objects are asked for their ETag at the same time.
const HEADS_MAX: usize = 32;

const SCHEMES: [&str; 4] = ["s3://", "s3a://", "s3n://", "memory://"];

/// Whether a text names objects, not files.
pub(crate) fn is_url(text: &str) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Finds what one URL names; of many objects perhaps only those behind a name.
pub(super) async fn find(
    store: &Store,
    text: &str,
    after: Option<&After>,
    progress: &dyn Progress,
) -> Result<Found, CollectError> {
    let listing = Listing { store, after, progress };
    let found = find_one(listing, text).await;
    let nothing = match found {
        Err(error) if is_nothing(&error) && pattern::has_alternatives(text) => error,
        found => return found,
    };
    let mut all = Found::default();
    let mut is_any = false;
    for text in pattern::alternatives(text)? {
        match find_one(listing, &text).await {
            Ok(found) => {
                is_any = true;
                all.extend(found);
            }
            Err(error) if is_nothing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if is_any { Ok(all) } else { Err(nothing) }
}

async fn find_one(listing: Listing<'_>, text: &str) -> Result<Found, CollectError> {
    let location = Location::parse(text)
        .map_err(|error| CollectError::SourceUrl { name: text.to_owned(), reason: error.reason })?;
    if !text.ends_with('/') && !location.key().is_empty() {
        match listing.store.head(&location).await {
            Ok(info) => return Ok(Found { sources: vec![object(location, info)], ..Found::default() }),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(store_error(text, error)),
        }
    }
    find_location(listing, text, &location).await
}

async fn find_location(listing: Listing<'_>, text: &str, location: &Location) -> Result<Found, CollectError> {
    let Listing { store, after, .. } = listing;
    let found = match is_glob(location.key()) {
        true => find_glob(listing, location).await,
        false => find_below(listing, text, location).await,
    };
    match found {
        // Nothing behind the name is fine, where there is something before it.
        Err(error) if after.is_some() && is_nothing(&error) => {
            match store.list(&spelled_out(location)).next().await {
                Some(Ok(_)) => Ok(Found::default()),
                Some(Err(error)) => Err(store_error(text, error)),
                None => Err(error),
            }
        }
        found => found,
    }
}

/// The folder that a pattern spells out; all of a name that is no pattern.
fn spelled_out(pattern: &Location) -> Location {
    let spelled: Vec<&str> = pattern.key().split('/').take_while(|name| !is_glob(name)).collect();
    let root = Location::parse(&format!("{}/", pattern.root())).unwrap_or_else(|_| pattern.clone());
    root.join(&spelled.join("/"))
}

fn is_nothing(error: &CollectError) -> bool {
    use CollectError::{FolderEmpty, NothingMatches, SourceMissing};
    matches!(error, SourceMissing { .. } | FolderEmpty { .. } | NothingMatches { .. })
}

async fn find_below(listing: Listing<'_>, text: &str, folder: &Location) -> Result<Found, CollectError> {
    let mut found = Found::default();
    let listed = listing.below(folder).await.map_err(|error| store_error(text, error))?;
    for (location, info) in with_etags(listing.store, text, without_markers(listed, folder)).await? {
        sort_in(&mut found, folder, location, info);
    }
    match (found.sources.is_empty(), found.left_out.len()) {
        (true, 0) => Err(CollectError::SourceMissing { name: folder.to_string() }),
        (true, left_out) => Err(CollectError::FolderEmpty { name: folder.to_string(), left_out }),
        _ => Ok(found),
    }
}

async fn find_glob(listing: Listing<'_>, pattern: &Location) -> Result<Found, CollectError> {
    let text = pattern.as_str();
    let matcher = glob::Pattern::new(pattern.key()).map_err(|error| CollectError::BadPattern {
        pattern: text.to_owned(),
        reason: error.msg.to_owned(),
    })?;
    let folder = spelled_out(pattern);
    let asks_for_hidden = pattern::asks_for_hidden(pattern.key());
    let names: Vec<&str> = pattern.key().split('/').skip_while(|name| !is_glob(name)).collect();
    let listed = listing.candidates(&folder, &names).await;
    let mut listed = without_markers(listed.map_err(|error| store_error(text, error))?, &folder);
    listed.retain(|(location, _)| matcher.matches_with(location.key(), MATCH));
    let mut found = Found::default();
    for (location, info) in with_etags(listing.store, text, listed).await? {
        match asks_for_hidden {
            true => found.sources.push(object(location, info)),
            false => sort_in(&mut found, &folder, location, info),
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

/// Without the empty objects `folder/` that consoles make to show a folder.
fn without_markers(mut objects: Vec<Object>, folder: &Location) -> Vec<Object> {
    let is_marker = |index: usize| {
        let Some((location, _)) = objects.get(index).filter(|(_, info)| info.size_bytes == 0) else {
            return false;
        };
        // What lies below follows, though not at once: `a`, `a-b`, `a/c`.
        let beside = objects.get(index + 1..).unwrap_or_default().iter();
        let mut beside = beside.take_while(|(next, _)| next.key().starts_with(location.key()));
        location == folder || beside.any(|(next, _)| next.starts_with(location))
    };
    let mut is_marker = (0..objects.len()).map(is_marker).collect::<Vec<bool>>().into_iter();
    objects.retain(|_| !is_marker.next().unwrap_or(false));
    objects
}

/// A source that is named itself is known by its ETag, so one that was listed by a store that lists none is asked for it: the
/// same object must be the same source, however it was found.
async fn with_etags(store: &Store, text: &str, objects: Vec<Object>) -> Result<Vec<Object>, CollectError> {
    let asked = objects.into_iter().map(|(location, info)| {
        let asked = async move {
            let info = match info.etag {
                None => store.head(&location).await.map_err(|error| store_error(text, error))?,
                Some(_) => info,
            };
            Ok((location, info))
        };
        asked.boxed()
    });
    stream::iter(asked).buffered(HEADS_MAX).try_collect().await
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
