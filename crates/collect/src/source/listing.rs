//! Objects by folder and by pattern, listed side by side. An answer of S3 holds 1,000 names and tells where the next one begins,
//! so one listing is as slow as its answers are many; the folders below are listed at the same time instead. A pattern is followed
//! folder by folder, so that what cannot match is not listed. Nothing here counts on the order in which a store lists.

use futures::stream::{FuturesUnordered, StreamExt, TryChunksError, TryStreamExt};
use hosu_host::{Location, ObjectInfo, Store, StoreError};

use super::{After, MATCH, is_glob};
use crate::progress::Progress;

/// An object and its facts.
pub(super) type Object = (Location, ObjectInfo);

/// How many requests are under way at the same time.
const REQUESTS_MAX: usize = 32;
/// More folders than this are cheaper to list as one.
const FOLDERS_MAX: usize = 256;
/// What one answer of S3 holds: a folder with fewer objects needs one request only.
const PAGE: usize = 1_000;

/// How objects are listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'a> {
    pub store: &'a Store,
    /// The store is not asked for what does not come behind this name, as far as it can do without.
    pub after: Option<&'a After>,
    pub progress: &'a dyn Progress,
}

impl Listing<'_> {
    /// All objects below a folder, ordered by their keys.
    pub(super) async fn below(self, folder: &Location) -> Result<Vec<Object>, StoreError> {
        self.run(Step::All(folder.clone())).await
    }

    /// All objects whose key may match `folder` and then the names of a pattern, ordered; perhaps some more.
    pub(super) async fn candidates(
        self,
        folder: &Location,
        names: &[&str],
    ) -> Result<Vec<Object>, StoreError> {
        let names: Option<Vec<Name>> = names.iter().map(|name| Name::parse(name)).collect();
        let first = match names {
            Some(names) => Step::Matching(folder.clone(), names),
            // A pattern such as `[a/b]*` cannot be taken apart.
            None => Step::All(folder.clone()),
        };
        self.run(first).await
    }
}

/// One name of a pattern between slashes.
#[derive(Clone, Debug)]
enum Name {
    Spelled(String),
    Pattern(glob::Pattern),
    /// `**`
    Any,
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "**" => Some(Self::Any),
            text if is_glob(text) => Some(Self::Pattern(glob::Pattern::new(text).ok()?)),
            text => Some(Self::Spelled(text.to_owned())),
        }
    }
}

/// Something to list.
enum Step {
    All(Location),
    Matching(Location, Vec<Name>),
}

/// What came of it.
#[derive(Default)]
struct Listed {
    objects: Vec<Object>,
    more: Vec<Step>,
}

impl Listing<'_> {
    async fn run(self, first: Step) -> Result<Vec<Object>, StoreError> {
        let (mut waiting, mut running) = (vec![first], FuturesUnordered::new());
        let mut objects = Vec::new();
        loop {
            while running.len() < REQUESTS_MAX
                && let Some(step) = waiting.pop()
            {
                running.push(self.step(step));
            }
            let Some(listed) = running.next().await else { break };
            let listed = listed?;
            objects.extend(listed.objects);
            waiting.extend(listed.more);
        }
        objects.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(objects)
    }

    async fn step(self, step: Step) -> Result<Listed, StoreError> {
        let (Step::All(folder) | Step::Matching(folder, _)) = &step;
        if self.after.is_some_and(|after| after.is_behind(folder)) {
            return Ok(Listed::default());
        }
        match step {
            Step::All(folder) => self.all(folder).await,
            Step::Matching(folder, names) => self.matching(folder, &names).await,
        }
    }

    async fn all(self, folder: Location) -> Result<Listed, StoreError> {
        let offset = self.after.and_then(|after| after.offset(&folder));
        let mut list = self.store.list_after(&folder, offset.as_ref());
        let mut objects: Vec<Object> = list.by_ref().take(PAGE).try_collect().await?;
        if objects.len() == PAGE && objects.iter().any(|(location, _)| lies_deeper(location, &folder)) {
            let (directly, folders) = self.store.list_level(&folder).await?;
            if folders.len() <= FOLDERS_MAX {
                self.progress.found(directly.len() as u64);
                return Ok(Listed { objects: directly, more: folders.into_iter().map(Step::All).collect() });
            }
        }
        self.progress.found(objects.len() as u64);
        let mut pages = list.try_chunks(PAGE);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|TryChunksError(_, error)| error)?;
            self.progress.found(page.len() as u64);
            objects.extend(page);
        }
        Ok(Listed { objects, more: Vec::new() })
    }

    async fn matching(self, folder: Location, names: &[Name]) -> Result<Listed, StoreError> {
        let spelled = names.iter().map_while(|name| match name {
            Name::Spelled(name) => Some(name.as_str()),
            _ => None,
        });
        let spelled: Vec<&str> = spelled.collect();
        let folder = folder.join(&spelled.join("/"));
        let pattern = match names.get(spelled.len()..) {
            Some([Name::Pattern(pattern), rest @ ..]) => (pattern, rest),
            // The pattern ended with a name: that is one object, and its folder has it.
            None | Some([]) => {
                let parent = folder.parent().unwrap_or(folder);
                return Ok(Listed { objects: self.store.list_level(&parent).await?.0, more: Vec::new() });
            }
            Some(_) => return self.all(folder).await,
        };
        let (pattern, rest) = pattern;
        let (directly, folders) = self.store.list_level(&folder).await?;
        if rest.is_empty() {
            return Ok(Listed { objects: directly, more: Vec::new() });
        }
        let total = folders.len();
        let folders: Vec<Location> =
            folders.into_iter().filter(|folder| pattern.matches_with(folder.file_name(), MATCH)).collect();
        // Of very many folders the listing as a whole is faster, unless the pattern names a few of them only.
        if folders.len() > FOLDERS_MAX && folders.len() > total / 64 {
            return self.all(folder).await;
        }
        let more = folders.into_iter().map(|folder| Step::Matching(folder, rest.to_vec())).collect();
        // `a/*/**` matches what lies in `a/*` itself, which these steps list; objects beside the folders match no further name.
        Ok(Listed { objects: Vec::new(), more })
    }
}

fn lies_deeper(location: &Location, folder: &Location) -> bool {
    let below = location.key().strip_prefix(folder.key()).unwrap_or_default();
    below.trim_start_matches('/').contains('/')
}
