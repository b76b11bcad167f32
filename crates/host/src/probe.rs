//! What a store can do, found out by doing it: stores speak S3 more or less, and one that lacks something should say so before
//! events depend on it.
//!
//! All happens below one folder of its own in the warehouse, which is emptied in the end.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutMode, PutPayload};
use uuid::Uuid;

use crate::error::{StoreError, StoreErrorKind};
use crate::location::Location;
use crate::retry::is_transient;
use crate::store::{Store, told};

/// The folder of the objects that probing writes.
pub const PROBE_FOLDER: &str = "_hosu_probe";

/// A name as partitions make them: what some stores keep under another name.
const SPECIAL: &str = "day=2026-01-02/이름 a%2Fb+c&d'e~f.x";

const CONTENT: &[u8] = b"0123456789";

/// One thing that a lake asks of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Objects can be written.
    Put,
    /// They can be read.
    Get,
    /// A part of one can be read.
    Range,
    /// Names below a folder can be listed.
    List,
    /// The folders in a folder can be listed.
    ListFolders,
    /// A large object can be written in parts.
    Multipart,
    /// A name may have blanks, `%`, `=` and letters of every script.
    SpecialNames,
    /// A write that fails where something is already. Nothing depends on it.
    ConditionalPut,
    /// Objects can be removed.
    Delete,
}

/// How a capability was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Works,
    /// These credentials may not do it.
    Denied(String),
    /// The store lacks it, or does it wrong.
    Lacks(String),
}

impl Capability {
    /// In snake case, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Range => "range_get",
            Self::List => "list",
            Self::ListFolders => "list_folders",
            Self::Multipart => "multipart",
            Self::SpecialNames => "special_names",
            Self::ConditionalPut => "conditional_put",
            Self::Delete => "delete",
        }
    }

    /// What does not work where it is not there.
    pub fn without(self) -> &'static str {
        match self {
            Self::Put => "objects cannot be written: ingest and INSERT fail",
            Self::Get => "objects cannot be read: nothing works",
            Self::Range => "parts of objects cannot be read: queries fail",
            Self::List => "names cannot be listed: sources like s3://bucket/folder/ fail",
            Self::ListFolders => "folders cannot be listed: no command of this version needs it",
            Self::Multipart => "uploads in parts do not work: files beyond 8 MiB cannot be written",
            Self::SpecialNames => {
                "names with blanks, `%` or letters beyond ASCII do not work: partitions with such values fail"
            }
            Self::ConditionalPut => "writes only where nothing is are not kept apart: nothing depends on it",
            Self::Delete => "objects cannot be removed: files of commands that failed stay",
        }
    }

    /// Whether a lake can lose or miss something without it.
    pub fn is_needed(self) -> bool {
        !matches!(self, Self::ConditionalPut | Self::ListFolders | Self::Delete)
    }
}

impl Store {
    /// Finds out what the store of `warehouse` can do.
    ///
    /// # Errors
    /// The store cannot be reached or does not let us in at all: then nothing is known about what it can do.
    pub async fn probe(
        &self,
        warehouse: &Location,
        id: Uuid,
    ) -> Result<Vec<(Capability, Found)>, StoreError> {
        let folder = warehouse.join(PROBE_FOLDER).join(&id.to_string());
        let probe = Probe {
            store: self,
            plain: folder.join("plain"),
            special: folder.join(SPECIAL),
            parts: folder.join("parts"),
            folder,
        };
        let found = probe.all().await;
        // Whatever happened, nothing of it should stay.
        let removed = probe.remove().await;
        let mut found = found?;
        found.push((Capability::Delete, judge(removed)?));
        Ok(found)
    }
}

struct Probe<'a> {
    store: &'a Store,
    folder: Location,
    plain: Location,
    special: Location,
    parts: Location,
}

type Outcome = Result<Result<(), String>, StoreError>;

impl Probe<'_> {
    async fn all(&self) -> Result<Vec<(Capability, Found)>, StoreError> {
        use Capability as Is;
        let mut found = vec![(Is::Put, judge(self.store.put(&self.plain, CONTENT.into()).await.map(Ok))?)];
        if found[0].1 != Found::Works {
            return Ok(found);
        }
        found.push((Is::Get, judge(self.same(&self.plain).await)?));
        found.push((Is::Range, judge(self.range().await)?));
        found.push((Is::SpecialNames, judge(self.special_name().await)?));
        found.push((Is::List, judge(self.list().await)?));
        found.push((Is::ListFolders, judge(self.list_folders().await)?));
        found.push((Is::Multipart, judge(self.multipart().await)?));
        found.push((Is::ConditionalPut, judge(self.conditional().await)?));
        Ok(found)
    }

    async fn same(&self, location: &Location) -> Outcome {
        let bytes = self.store.get(location).await?;
        Ok(if bytes == CONTENT { Ok(()) } else { Err("other bytes came than were written".to_owned()) })
    }

    async fn range(&self) -> Outcome {
        let bytes = self.store.get_range(&self.plain, 2..5).await?;
        Ok(if bytes == CONTENT[2..5] {
            Ok(())
        } else {
            Err("other bytes came than were asked for".to_owned())
        })
    }

    async fn special_name(&self) -> Outcome {
        self.store.put(&self.special, Bytes::from_static(CONTENT)).await?;
        self.same(&self.special).await
    }

    async fn list(&self) -> Outcome {
        let listed: Vec<_> = self.store.list(&self.folder).try_collect().await?;
        let listed: Vec<Location> = listed.into_iter().map(|(location, _)| location).collect();
        let missing = [&self.plain, &self.special].into_iter().find(|wanted| !listed.contains(wanted));
        Ok(match missing {
            None => Ok(()),
            // Its folder alone is asked for elsewhere.
            Some(missing) => Err(format!("{} is not listed under its name", missing.key())),
        })
    }

    async fn list_folders(&self) -> Outcome {
        let (store, path) = self.store.open(&self.folder)?;
        let listed = store.list_with_delimiter(Some(&path)).await.map_err(told(&self.folder))?;
        let (objects, folders) = (listed.objects.len(), listed.common_prefixes.len());
        Ok(if (objects, folders) == (1, 1) {
            Ok(())
        } else {
            Err(format!("{objects} objects and {folders} folders were listed in the place of one each"))
        })
    }

    async fn multipart(&self) -> Outcome {
        let (store, path) = self.store.open(&self.parts)?;
        let mut upload = store.put_multipart(&path).await.map_err(told(&self.parts))?;
        let sent = match upload.put_part(PutPayload::from_static(CONTENT)).await {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            // The first error tells more than that of the cleaning up.
            let _ = upload.abort().await;
            return Err(StoreError::from_object_store(&self.parts, error));
        }
        self.same(&self.parts).await
    }

    async fn conditional(&self) -> Outcome {
        let (store, path) = self.store.open(&self.plain)?;
        match store.put_opts(&path, PutPayload::from_static(CONTENT), PutMode::Create.into()).await {
            Ok(_) => Ok(Err("If-None-Match is not looked at".to_owned())),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(Ok(()))
            }
            // It is asked once, as such a write is never repeated, and nothing depends on the answer.
            Err(error) if is_transient(&error) => Ok(Err("it was not to be found out".to_owned())),
            Err(error) => Err(StoreError::from_object_store(&self.plain, error)),
        }
    }

    async fn remove(&self) -> Outcome {
        for location in [&self.plain, &self.special, &self.parts] {
            self.store.delete(location).await?;
        }
        Ok(match self.store.head(&self.plain).await {
            Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => return Err(error),
            Ok(_) => Err("a removed object is still there".to_owned()),
        })
    }
}

/// Tells what a store lacks from what says nothing about it.
fn judge(outcome: Outcome) -> Result<Found, StoreError> {
    let error = match outcome {
        Ok(Ok(())) => return Ok(Found::Works),
        Ok(Err(words)) => return Ok(Found::Lacks(words)),
        Err(error) => error,
    };
    match (&error, error.kind()) {
        (StoreError::S3 { error: told, .. }, StoreErrorKind::Denied)
            if told.kind == crate::s3::S3ErrorKind::Denied =>
        {
            Ok(Found::Denied(told.words.clone()))
        }
        (StoreError::S3 { error: told, .. }, StoreErrorKind::Other) => Ok(Found::Lacks(told.words.clone())),
        (_, StoreErrorKind::NotFound) => Ok(Found::Lacks("what was written is not there".to_owned())),
        (_, StoreErrorKind::Other) => Ok(Found::Lacks(error.to_string())),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests;
