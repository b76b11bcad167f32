//! Objects by their location, whichever store holds them: durable when written, metered, and tried again when it helps.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::clock::{Clock, SystemClock};
use crate::discarding::DiscardingStore;
use crate::error::StoreError;
use crate::ids::{Ids, RandomIds};
use crate::local::LocalStore;
use crate::location::Location;
use crate::meter::Meter;
use crate::metered::{Counted, MeteredStore};
use crate::retry::{Retry, RetryPolicy};
use crate::retrying::RetryingStore;
use crate::s3::S3Settings;
use crate::upload::Upload;

/// What [`Store::get_stream`] asks for at a time: small enough that a request is over before it times out.
const STREAM_CHUNK_BYTES: u64 = 8 << 20;

/// All object stores that a lake may touch: local folders, memory, S3 buckets. Clones share backends and meter.
#[derive(Clone, Debug)]
pub struct Store {
    backends: Arc<Backends>,
    meters: Arc<[Arc<Meter>]>,
    meter: Arc<Meter>,
    retry: Retry,
}

/// An object's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its length.
    pub size_bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: i64,
    /// What changes when its content does, where the store tells.
    pub etag: Option<String>,
}

#[derive(Debug)]
struct Backends {
    by_root: Mutex<HashMap<String, Backend>>,
    s3: Option<S3Settings>,
    /// What stands for every backend.
    instead: Option<Backend>,
}

#[derive(Clone)]
struct Backend {
    store: Arc<dyn ObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
    remote: bool,
}

impl std::fmt::Debug for Backend {
    /// By name only: a backend's own Debug shows access keys, or every byte that it holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.store, f)
    }
}

impl Backend {
    fn plain(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, parts: None, remote: false }
    }
}

impl Store {
    /// Local folders, an empty memory, and the buckets that `s3` reaches.
    pub fn new(s3: Option<S3Settings>) -> Self {
        let local = Backend::plain(Arc::new(LocalStore::new()));
        let memory = Arc::new(InMemory::new());
        let memory = Backend { parts: Some(memory.clone()), ..Backend::plain(memory) };
        let meter = Arc::<Meter>::default();
        let by_root = HashMap::from([("file://".to_owned(), local), ("memory://".to_owned(), memory)]);
        Self {
            backends: Arc::new(Backends { by_root: Mutex::new(by_root), s3, instead: None }),
            meters: Arc::new([meter.clone()]),
            meter,
            retry: Retry {
                policy: RetryPolicy::default(),
                clock: Arc::new(SystemClock::new()),
                ids: Arc::new(RandomIds),
            },
        }
    }

    /// Puts `backend` behind a root such as `file://` or `s3://bucket` (see [`Location::root`]). It is metered and
    /// retried as every other; it must be durable by itself.
    pub fn with_backend(self, root: &str, backend: Arc<dyn ObjectStore>) -> Self {
        self.with(root, Backend::plain(backend))
    }

    /// As [`Store::with_backend`], for one that takes parts by number, so that a part can be sent again, as S3 does.
    pub fn with_multipart_backend(self, root: &str, backend: Arc<impl ObjectStore + MultipartStore>) -> Self {
        let parts: Arc<dyn MultipartStore> = backend.clone();
        self.with(root, Backend { parts: Some(parts), ..Backend::plain(backend) })
    }

    fn with(self, root: &str, backend: Backend) -> Self {
        let mut by_root = self.backends.lock().clone();
        by_root.insert(root.to_owned(), backend);
        let backends = Backends { by_root: Mutex::new(by_root), s3: self.backends.s3.clone(), instead: None };
        Self { backends: Arc::new(backends), ..self }
    }

    /// A store that takes every object and keeps none.
    #[must_use]
    pub fn discarding(&self) -> Self {
        let instead = Some(Backend::plain(Arc::new(DiscardingStore)));
        let backends = Backends { by_root: Mutex::default(), s3: None, instead };
        Self { backends: Arc::new(backends), ..self.clone() }
    }

    /// The clock to wait on between tries, and the ids that the waits' jitter comes from.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        self.retry.clock = clock;
        self.retry.ids = ids;
        self
    }

    /// How often failing requests are tried.
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry.policy = policy;
        self
    }

    /// The same backends, counting into `meter` as well as into the meters so far.
    pub fn metered(&self, meter: Arc<Meter>) -> Self {
        let meters = self.meters.iter().cloned().chain([meter.clone()]).collect();
        Self { meters, meter, ..self.clone() }
    }

    /// The meter that was given last, or the store's own.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// An object's bytes.
    pub async fn get(&self, location: &Location) -> Result<Bytes, StoreError> {
        let (store, path) = self.open(location)?;
        let result = store.get_opts(&path, GetOptions::default()).await.map_err(told(location))?;
        let size = result.meta.size;
        let bytes = result.bytes().await.map_err(told(location))?;
        check_length(location, size, bytes)
    }

    /// The bytes of `range`, all of them: an object that is shorter is an error.
    pub async fn get_range(&self, location: &Location, range: Range<u64>) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let (store, path) = self.open(location)?;
        let wanted = range.end.saturating_sub(range.start);
        let bytes = store.get_range(&path, range).await.map_err(told(location))?;
        check_length(location, wanted, bytes)
    }

    /// An object's bytes in pieces of up to 8 MiB, the next one fetched while the last one is used. If the object is
    /// replaced meanwhile, the stream ends with [`StoreError::Changed`].
    pub fn get_stream(&self, location: &Location) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let (store, location) = (self.clone(), location.clone());
        let pieces = async move {
            let info = store.head(&location).await?;
            Ok(store.get_stream_of(&location, &info))
        };
        stream::once(pieces).try_flatten().boxed()
    }

    /// As [`Store::get_stream`], for an object whose facts were asked for before: what was replaced since then is
    /// [`StoreError::Changed`] too.
    pub fn get_stream_of(
        &self,
        location: &Location,
        info: &ObjectInfo,
    ) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let (store, location, size, etag) =
            (self.clone(), location.clone(), info.size_bytes, info.etag.clone());
        let starts = (0..size).step_by(STREAM_CHUNK_BYTES as usize);
        let pieces = stream::iter(starts).map(move |start| {
            let range = start..(start + STREAM_CHUNK_BYTES).min(size);
            let (store, location, etag) = (store.clone(), location.clone(), etag.clone());
            async move { store.get_range_of(&location, range, etag).await }
        });
        pieces.buffered(2).boxed()
    }

    async fn get_range_of(
        &self,
        location: &Location,
        range: Range<u64>,
        etag: Option<String>,
    ) -> Result<Bytes, StoreError> {
        let (store, path) = self.open(location)?;
        let wanted = range.end.saturating_sub(range.start);
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: etag, ..GetOptions::default() };
        let result = store.get_opts(&path, options).await.map_err(told(location))?;
        let bytes = result.bytes().await.map_err(told(location))?;
        check_length(location, wanted, bytes)
    }

    /// An object's facts.
    pub async fn head(&self, location: &Location) -> Result<ObjectInfo, StoreError> {
        let (store, path) = self.open(location)?;
        store.head(&path).await.map(ObjectInfo::from).map_err(told(location))
    }

    /// Writes an object, replacing what was there. It is durable once this returns: file and folders are synced.
    pub async fn put(&self, location: &Location, bytes: Bytes) -> Result<(), StoreError> {
        let (store, path) = self.open(location)?;
        store.put(&path, bytes.into()).await.map(drop).map_err(told(location))
    }

    /// Begins an object whose size is not known; see [`Upload`]. Nothing happens before the first write.
    pub fn upload(&self, location: &Location) -> Upload {
        Upload::new(self.clone(), location.clone())
    }

    /// The objects below a folder, in no particular order. A folder that does not exist has none.
    pub fn list(&self, prefix: &Location) -> BoxStream<'static, Result<(Location, ObjectInfo), StoreError>> {
        self.list_after(prefix, None)
    }

    /// The same, without the objects whose keys do not come behind that of `after`, byte by byte: the store is not asked for
    /// them. `after` lies below the prefix: some servers list nothing for another place.
    pub fn list_after(
        &self,
        prefix: &Location,
        after: Option<&Location>,
    ) -> BoxStream<'static, Result<(Location, ObjectInfo), StoreError>> {
        let opened = self.open(prefix).and_then(|(store, path)| {
            let after = after.map(|after| self.open(after).map(|(_, after)| after)).transpose()?;
            Ok((store, path, after))
        });
        let (store, path, after) = match opened {
            Ok(opened) => opened,
            Err(error) => return stream::once(async move { Err(error) }).boxed(),
        };
        let prefix = prefix.clone();
        let path = (!path.as_ref().is_empty()).then_some(&path);
        let list = match &after {
            Some(after) => store.list_with_offset(path, after),
            None => store.list(path),
        };
        list.map(move |meta| {
            let meta = meta.map_err(told(&prefix))?;
            Ok((Location::from_object_path(prefix.root(), &meta.location), meta.into()))
        })
        .boxed()
    }

    /// The objects directly in a folder, and the folders in it.
    pub async fn list_level(
        &self,
        folder: &Location,
    ) -> Result<(Vec<(Location, ObjectInfo)>, Vec<Location>), StoreError> {
        let (store, path) = self.open(folder)?;
        let listed = store.list_with_delimiter((!path.as_ref().is_empty()).then_some(&path)).await;
        let listed = listed.map_err(told(folder))?;
        let at = |path: &Path| Location::from_object_path(folder.root(), path);
        let objects = listed.objects.into_iter().map(|meta| (at(&meta.location), meta.into())).collect();
        Ok((objects, listed.common_prefixes.iter().map(at).collect()))
    }

    /// Removes an object. That it is not there (any more) is no error.
    pub async fn delete(&self, location: &Location) -> Result<(), StoreError> {
        let (store, path) = self.open(location)?;
        match store.delete(&path).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => result.map_err(told(location)),
        }
    }

    /// The store that holds `location`, metered and retried, for readers that speak object_store themselves.
    /// Their paths are [`Location::object_path`].
    pub fn object_store(&self, location: &Location) -> Result<Arc<dyn ObjectStore>, StoreError> {
        let backend = self.backends.of(location)?;
        let count = Counted(self.meters.clone());
        Ok(Arc::new(RetryingStore {
            inner: MeteredStore::new(backend.store, count.clone()),
            parts: backend.parts,
            count,
            retry: self.retry.clone(),
            remote: backend.remote,
        }))
    }

    pub(crate) fn open(&self, location: &Location) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
        let invalid = |reason: String| StoreError::Invalid { location: location.clone(), reason };
        let path = location.object_path().map_err(|error| invalid(error.reason))?;
        Ok((self.object_store(location)?, path))
    }
}

impl Backends {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Backend>> {
        self.by_root.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, location: &Location) -> Result<Backend, StoreError> {
        if let Some(instead) = &self.instead {
            return Ok(instead.clone());
        }
        let mut by_root = self.lock();
        if let Some(backend) = by_root.get(location.root()) {
            return Ok(backend.clone());
        }
        let no_s3 =
            || StoreError::Invalid { location: location.clone(), reason: "no S3 is configured".to_owned() };
        let settings = self.s3.as_ref().ok_or_else(no_s3)?;
        let store = Arc::new(settings.open(location)?);
        let backend = Backend { parts: Some(store.clone()), store, remote: true };
        by_root.insert(location.root().to_owned(), backend.clone());
        Ok(backend)
    }
}

impl From<ObjectMeta> for ObjectInfo {
    fn from(meta: ObjectMeta) -> Self {
        let modified_ms = meta.last_modified.timestamp_millis();
        Self { size_bytes: meta.size, modified_ms, etag: meta.e_tag }
    }
}

pub(crate) fn told(location: &Location) -> impl FnOnce(object_store::Error) -> StoreError {
    let location = location.clone();
    move |error| StoreError::from_object_store(&location, error)
}

/// A read that ended early must not pass for the object.
fn check_length(location: &Location, wanted: u64, bytes: Bytes) -> Result<Bytes, StoreError> {
    if bytes.len() as u64 == wanted {
        return Ok(bytes);
    }
    let source = format!("{wanted} bytes were asked for and {} came", bytes.len()).into();
    Err(StoreError::Other { location: location.clone(), source })
}

#[cfg(test)]
mod tests;
