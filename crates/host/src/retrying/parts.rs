//! A multipart upload whose parts can be sent again, because each is addressed by its number.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, MultipartId, MultipartUpload, ObjectStore, PutPayload, PutResult, Result, UploadPart,
};

use super::RetryingStore;
use crate::meter::Operation;
use crate::retry::is_transient;

/// Parts under way to one object.
pub(super) struct PartsUpload {
    store: RetryingStore,
    parts: Arc<dyn MultipartStore>,
    location: Path,
    id: MultipartId,
    /// By part number; filled as the parts' answers come in.
    sent: Arc<Mutex<Vec<Option<PartId>>>>,
    bytes: u64,
}

impl std::fmt::Debug for PartsUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartsUpload").field("location", &self.location).field("bytes", &self.bytes).finish()
    }
}

impl PartsUpload {
    pub async fn start(
        store: &RetryingStore,
        parts: Arc<dyn MultipartStore>,
        location: &Path,
    ) -> Result<Self> {
        let mut tries = store.retry.start();
        let id = loop {
            store.count.request(Operation::Put);
            match parts.create_multipart(location).await {
                Err(error) => tries.after(error).await?,
                Ok(id) => break id,
            }
        };
        let sent = Arc::default();
        Ok(Self { store: store.clone(), parts, location: location.clone(), id, sent, bytes: 0 })
    }

    /// Whether the object is there with the length that was sent: an upload that is unknown to the store after a try
    /// whose answer was lost may be unknown because it is complete.
    async fn is_complete(&self) -> bool {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let found = self.store.get_opts(&self.location, head).await;
        found.is_ok_and(|found| found.meta.size == self.bytes)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartUpload for PartsUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.bytes += data.content_length() as u64;
        let index = {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.push(None);
            sent.len() - 1
        };
        let (store, parts, sent) = (self.store.clone(), self.parts.clone(), self.sent.clone());
        let (location, id) = (self.location.clone(), self.id.clone());
        Box::pin(async move {
            let mut tries = store.retry.start();
            let part = loop {
                store.count.request(Operation::Put);
                match parts.put_part(&location, &id, index, data.clone()).await {
                    Err(error) => tries.after(error).await?,
                    Ok(part) => break part,
                }
            };
            store.count.bytes(Operation::Put, data.content_length() as u64);
            if let Some(slot) = sent.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
                *slot = Some(part);
            }
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let sent: Option<Vec<PartId>> =
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        let sent = sent.ok_or_else(|| Error::Generic {
            store: "multipart upload",
            source: "a part is missing".into(),
        })?;
        let mut tries = self.store.retry.start();
        loop {
            self.store.count.request(Operation::Put);
            match self.parts.complete_multipart(&self.location, &self.id, sent.clone()).await {
                // The upload is no more: an earlier try made the object of it, or is about to. Some stores say NotFound then,
                // some AccessDenied.
                Err(error) if tries.is_repeated() && !is_transient(&error) => {
                    if self.is_complete().await {
                        return Ok(PutResult { e_tag: None, version: None });
                    }
                    tries.again(error).await?;
                }
                Err(error) => tries.after(error).await?,
                result => return result,
            }
        }
    }

    async fn abort(&mut self) -> Result<()> {
        let mut tries = self.store.retry.start();
        loop {
            self.store.count.request(Operation::Delete);
            match self.parts.abort_multipart(&self.location, &self.id).await {
                // Nothing is there to abort: an earlier try did it.
                Err(Error::NotFound { .. }) if tries.is_repeated() => return Ok(()),
                Err(error) => tries.after(error).await?,
                result => return result,
            }
        }
    }
}
