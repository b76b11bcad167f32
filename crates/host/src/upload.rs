//! An object written piece by piece: one PUT when it is small, parts sent side by side when it is not.

use bytes::{Bytes, BytesMut};
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use crate::error::StoreError;
use crate::location::Location;
use crate::store::{Store, told};

/// The size of every part but the last. Some stores want all parts to be the same size, and 10,000 parts at most.
pub const PART_BYTES: usize = 8 << 20;

/// How many parts may be under way at a time.
const PARTS_IN_FLIGHT: usize = 3;

/// An object on its way to the store. It exists, whole and durable, once [`Upload::finish`] returned; before that
/// nobody sees it. Holds up to [`PART_BYTES`] in memory, and up to three parts more that are being sent.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    location: Location,
    /// Less than a part.
    waiting: Bytes,
    written: u64,
    multipart: Option<Multipart>,
}

#[derive(Debug)]
struct Multipart {
    upload: Box<dyn MultipartUpload>,
    sending: JoinSet<object_store::Result<()>>,
}

impl Upload {
    pub(crate) fn new(store: Store, location: Location) -> Self {
        Self { store, location, waiting: Bytes::new(), written: 0, multipart: None }
    }

    /// The place that is written.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The bytes that were given so far.
    pub fn written_bytes(&self) -> u64 {
        self.written
    }

    /// Appends bytes. Waits while too many parts are under way. After an error, abort.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        self.written += bytes.len() as u64;
        let mut is_whole = true;
        while self.waiting.len() + bytes.len() > PART_BYTES {
            let rest = bytes.split_off(PART_BYTES - self.waiting.len());
            self.append(bytes);
            let part = std::mem::take(&mut self.waiting);
            self.send_part(part).await?;
            (bytes, is_whole) = (rest, false);
        }
        // What is left of them must not keep all of them in memory.
        self.append(if is_whole { bytes } else { Bytes::copy_from_slice(&bytes) });
        Ok(())
    }

    /// Lets bytes wait; the first of them as they came.
    fn append(&mut self, bytes: Bytes) {
        if self.waiting.is_empty() {
            self.waiting = bytes;
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let mut buffer = waiting.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref()));
        buffer.extend_from_slice(&bytes);
        self.waiting = buffer.freeze();
    }

    /// Writes what is left and makes the object exist. Returns its length in bytes. On an error the upload is
    /// aborted; after [`StoreError::Unavailable`] the object may exist all the same.
    pub async fn finish(mut self) -> Result<u64, StoreError> {
        let last = std::mem::take(&mut self.waiting);
        if self.multipart.is_none() {
            self.store.put(&self.location, last).await?;
            return Ok(self.written);
        }
        if let Err(error) = self.complete(last).await {
            // The first error tells more than that of the cleaning up.
            let _ = self.abort().await;
            return Err(error);
        }
        Ok(self.written)
    }

    /// Gives the upload up; nothing is left of it.
    pub async fn abort(mut self) -> Result<(), StoreError> {
        let Some(mut multipart) = self.multipart.take() else { return Ok(()) };
        // A part that arrives after the abort would stay.
        multipart.sending.shutdown().await;
        multipart.upload.abort().await.map_err(told(&self.location))
    }

    async fn complete(&mut self, last: Bytes) -> Result<(), StoreError> {
        if !last.is_empty() {
            self.send_part(last).await?;
        }
        let Some(multipart) = &mut self.multipart else { return Ok(()) };
        multipart.wait_until(0).await.map_err(told(&self.location))?;
        multipart.upload.complete().await.map_err(told(&self.location))?;
        self.multipart = None;
        Ok(())
    }

    async fn send_part(&mut self, part: Bytes) -> Result<(), StoreError> {
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            none => {
                let (store, path) = self.store.open(&self.location)?;
                let upload = store.put_multipart(&path).await.map_err(told(&self.location))?;
                none.insert(Multipart { upload, sending: JoinSet::new() })
            }
        };
        multipart.wait_until(PARTS_IN_FLIGHT - 1).await.map_err(told(&self.location))?;
        multipart.sending.spawn(multipart.upload.put_part(PutPayload::from_bytes(part)));
        Ok(())
    }
}

impl Multipart {
    /// Waits until at most `left` parts are under way.
    async fn wait_until(&mut self, left: usize) -> object_store::Result<()> {
        while self.sending.len() > left {
            if let Some(sent) = self.sending.join_next().await {
                sent??;
            }
        }
        Ok(())
    }
}

impl Drop for Upload {
    /// An upload that was neither finished nor aborted, as its task was cancelled, is aborted in the background.
    fn drop(&mut self) {
        let Some(mut multipart) = self.multipart.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                multipart.sending.shutdown().await;
                let _ = multipart.upload.abort().await;
            });
        }
    }
}
