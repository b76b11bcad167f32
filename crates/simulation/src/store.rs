//! An object store that fails: before the effect, after it, in the middle of an answer, or much later.
//!
//! It stands before another store, which holds the objects: a memory for simulated S3, host's own folder store over a
//! simulated disk for the embedded lake. Objects in the memory are durable once they are there, as on S3; what makes
//! S3 hard is not knowing whether they are.

use std::fmt::{self, Display};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, Result, UploadPart,
};

use crate::faults::Fault;
use crate::gate::Gate;

/// Where objects are kept: shared by all actors, and what is left when they die.
#[derive(Clone, Debug)]
pub struct Medium {
    objects: Arc<dyn ObjectStore>,
    parts: Option<Arc<InMemory>>,
    /// Writes that are still on their way although their sender was told that they timed out.
    late: Arc<Mutex<Vec<(Path, PutPayload)>>>,
}

impl Medium {
    /// An empty bucket.
    pub fn bucket() -> Self {
        let memory = Arc::new(InMemory::new());
        Self { objects: memory.clone(), parts: Some(memory), late: Arc::default() }
    }

    /// Another store, durable by itself.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, parts: None, late: Arc::default() }
    }

    /// What is there, without faults: for auditors and for tests that plant damage.
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// How many writes are still on their way.
    pub fn late_writes(&self) -> usize {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The oldest write that was on its way arrives.
    pub async fn land_one(&self) -> Result<()> {
        let oldest = {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            if late.is_empty() { None } else { Some(late.remove(0)) }
        };
        if let Some((path, payload)) = oldest {
            self.objects.put(&path, payload).await?;
        }
        Ok(())
    }

    /// Writes that were on their way never arrive.
    pub fn lose_late_writes(&self) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One actor's view of a [`Medium`], through its gate.
#[derive(Clone, Debug)]
pub struct SimulatedStore {
    medium: Medium,
    gate: Gate,
}

impl SimulatedStore {
    /// The medium as the actor behind `gate` sees it.
    pub fn new(medium: Medium, gate: Gate) -> Self {
        Self { medium, gate }
    }

    fn inner(&self) -> &Arc<dyn ObjectStore> {
        &self.medium.objects
    }

    fn parts(&self) -> Result<&Arc<InMemory>> {
        self.medium.parts.as_ref().ok_or_else(|| Error::NotImplemented {
            operation: "multipart by part number".to_owned(),
            implementer: self.to_string(),
        })
    }

    /// A write: late ones are kept back, and every other call may let one arrive.
    async fn write(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let is_plain = opts.mode == PutMode::Overwrite;
        let effect = |fault: Option<Fault>| async move {
            match fault {
                Some(Fault::Late) if is_plain => {
                    let late = (location.clone(), payload);
                    self.medium.late.lock().unwrap_or_else(PoisonError::into_inner).push(late);
                    Err(failure(Fault::Late))
                }
                Some(fault) => {
                    self.inner().put_opts(location, payload, opts).await?;
                    Err(failure(fault))
                }
                None => self.inner().put_opts(location, payload, opts).await,
            }
        };
        self.gate.call_knowing(format!("put {location}"), effect, failure).await
    }
}

/// The error that host takes for what the fault is: one that may go away, but for a full disk.
fn failure(fault: Fault) -> Error {
    let kind = match fault {
        Fault::Refused => io::ErrorKind::ConnectionRefused,
        Fault::TimedOut | Fault::LostAnswer | Fault::Late => io::ErrorKind::TimedOut,
        Fault::Torn => io::ErrorKind::ConnectionReset,
        Fault::Full => io::ErrorKind::StorageFull,
    };
    Error::Generic { store: "simulated", source: io::Error::from(kind).into() }
}

/// For calls that write nothing: no disk is too full to be read.
fn read_failure(fault: Fault) -> Error {
    failure(if fault == Fault::Full { Fault::Refused } else { fault })
}

/// The first half, and a broken connection.
fn torn(bytes: Bytes) -> BoxStream<'static, Result<Bytes>> {
    let half = bytes.slice(..bytes.len() / 2);
    stream::iter([Ok(half), Err(failure(Fault::Torn))]).boxed()
}

impl Display for SimulatedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedStore")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for SimulatedStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.write(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let begun = self.inner().put_multipart_opts(location, opts);
        let inner = self.gate.call(format!("begin {location}"), begun, failure).await?;
        Ok(Box::new(SimulatedUpload { inner, gate: self.gate.clone(), location: location.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let is_head = options.head;
        let effect = |fault: Option<Fault>| async move {
            let mut result = self.inner().get_opts(location, options).await?;
            match fault {
                Some(Fault::Torn) if !is_head => {
                    let (meta, range) = (result.meta.clone(), result.range.clone());
                    let attributes = result.attributes.clone();
                    let payload = GetResultPayload::Stream(torn(result.bytes().await?));
                    result = GetResult { payload, meta, range, attributes };
                }
                Some(fault) => return Err(read_failure(fault)),
                None => {}
            }
            Ok(result)
        };
        let name = if is_head { "head" } else { "get" };
        self.gate.call_knowing(format!("{name} {location}"), effect, read_failure).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let got = self.inner().get_ranges(location, ranges);
        self.gate.call(format!("get {location}"), got, read_failure).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let deleted = locations.then(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                let delete = store.inner().delete(&location);
                store.gate.call(format!("delete {location}"), delete, read_failure).await?;
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(format!("list {}", prefix.cloned().unwrap_or_default()), self.inner().list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(format!("list after {offset}"), self.inner().list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.inner().list_with_delimiter(prefix);
        let name = format!("list {}", prefix.cloned().unwrap_or_default());
        self.gate.call(name, listed, read_failure).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let copied = self.inner().copy_opts(from, to, options);
        self.gate.call(format!("copy {from} {to}"), copied, failure).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let renamed = self.inner().rename_opts(from, to, options);
        self.gate.call(format!("rename {from} {to}"), renamed, failure).await
    }
}

impl SimulatedStore {
    /// A listing; a torn one breaks after its first half. Each listing also lets one late write arrive.
    fn listing(
        &self,
        name: String,
        list: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let whole = async move {
            let effect = |fault: Option<Fault>| async move {
                store.medium.land_one().await?;
                let mut found: Vec<Result<ObjectMeta>> = list.collect().await;
                match fault {
                    Some(Fault::Torn) => {
                        // From the end: a store lists in the order of names, and host goes on after the last one.
                        found.sort_by_key(|meta| meta.as_ref().ok().map(|meta| meta.location.clone()));
                        found.truncate(found.len() / 2);
                        found.push(Err(failure(Fault::Torn)));
                    }
                    Some(fault) => return Err(read_failure(fault)),
                    None => {}
                }
                Ok(found)
            };
            let found = store.gate.clone().call_knowing(name, effect, read_failure).await;
            stream::iter(found.unwrap_or_else(|error| vec![Err(error)]))
        };
        stream::once(whole).flatten().boxed()
    }
}

#[derive(Debug)]
struct SimulatedUpload {
    inner: Box<dyn MultipartUpload>,
    gate: Gate,
    location: Path,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartUpload for SimulatedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.inner.put_part(data);
        let (gate, name) = (self.gate.clone(), format!("part {}", self.location));
        Box::pin(async move { gate.call(name, part, failure).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.gate.call(format!("complete {}", self.location), self.inner.complete(), failure).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.gate.call(format!("abort {}", self.location), self.inner.abort(), read_failure).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartStore for SimulatedStore {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        let begun = self.parts()?.create_multipart(path);
        self.gate.call(format!("begin {path}"), begun, failure).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        part_idx: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        let part = self.parts()?.put_part(path, id, part_idx, data);
        self.gate.call(format!("part {part_idx} {path}"), part, failure).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let completed = self.parts()?.complete_multipart(path, id, parts);
        self.gate.call(format!("complete {path}"), completed, failure).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        let aborted = self.parts()?.abort_multipart(path, id);
        self.gate.call(format!("abort {path}"), aborted, read_failure).await
    }
}

#[cfg(test)]
mod tests;
