//! Repeats requests that failed in a way that may go away, and takes up broken downloads where they broke.
//!
//! object_store's own retry is turned off in favour of this one: it sleeps on the wall clock, its repeated requests
//! cannot be counted, and it exists for HTTP only, so a simulated store would be treated unlike the real one.
//! What it does for streams is done here too: a download goes on at the byte where it broke, if the object is still
//! the same. Requests that are not the same when done twice (create-only writes, renames) are never repeated.

use std::fmt::{self, Display};
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result, coalesce_ranges,
};

use crate::error::s3_error;
use crate::metered::{Counted, MeteredStore};
use crate::retry::Retry;
use parts::PartsUpload;

mod parts;

/// How many paths one request deletes at most.
const DELETE_BATCH: usize = 1000;

/// A metered backend whose requests are repeated.
#[derive(Clone)]
pub(crate) struct RetryingStore {
    pub inner: MeteredStore,
    /// The backend's multipart interface by part number, where it has one: only with it can a part be sent again.
    pub parts: Option<Arc<dyn MultipartStore>>,
    pub count: Counted,
    pub retry: Retry,
    /// Whether it is worth reading some bytes too many to save a request: over a network, yes.
    pub remote: bool,
}

impl RetryingStore {
    async fn get_range_whole(&self, location: &Path, range: Range<u64>) -> Result<Bytes> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        self.get_opts(location, options).await?.bytes().await
    }

    /// Asks why HEAD was refused: the answer to a GET has a body, which says it. When that is not refused, HEAD may be
    /// tried again.
    async fn explain(&self, location: &Path, error: Error) -> Result<()> {
        let options = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        match self.inner.get_opts(location, options).await {
            Ok(_) => Ok(()),
            Err(explained) if s3_error(&explained).is_some() => Err(explained),
            Err(_) => Err(error),
        }
    }

    async fn delete_batch(&self, paths: Vec<Path>) -> Vec<Result<Path>> {
        let mut tries = self.retry.start();
        let mut done = Vec::new();
        let mut left = paths;
        loop {
            let batch = stream::iter(left.clone().into_iter().map(Ok)).boxed();
            let answers: Vec<Result<Path>> = self.inner.delete_stream(batch).collect().await;
            let mut failure = None;
            for answer in answers {
                match answer {
                    Ok(path) => {
                        left.retain(|other| *other != path);
                        done.push(Ok(path));
                    }
                    // An earlier try that seemed to fail has removed something.
                    Err(Error::NotFound { .. }) if tries.is_repeated() => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            let Some(error) = failure else {
                done.extend(left.into_iter().map(Ok));
                return done;
            };
            if let Err(error) = tries.after(error).await {
                done.push(Err(error));
                return done;
            }
        }
    }

    fn list_from(
        &self,
        prefix: Option<Path>,
        offset: Option<Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let list = self.list_page(prefix.as_ref(), offset.as_ref());
        let listing = Listing { store: self.clone(), prefix, last: offset, in_order: true, list };
        stream::try_unfold(listing, Listing::next).boxed()
    }

    fn list_page(
        &self,
        prefix: Option<&Path>,
        last: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match last {
            Some(last) => self.inner.list_with_offset(prefix, last),
            None => self.inner.list(prefix),
        }
    }
}

fn is_unexplained(error: &Error) -> bool {
    s3_error(error).is_some_and(|told| told.unexplained)
}

/// A listing, and the last name it gave, from which it goes on after a failure. Where names came out of order (directory
/// buckets of S3 do that) nobody knows what follows the last one, so there a failure ends it.
struct Listing {
    store: RetryingStore,
    prefix: Option<Path>,
    last: Option<Path>,
    in_order: bool,
    list: BoxStream<'static, Result<ObjectMeta>>,
}

impl Listing {
    async fn next(mut self) -> Result<Option<(ObjectMeta, Self)>> {
        let mut tries = self.store.retry.start();
        loop {
            match self.list.try_next().await {
                Ok(Some(meta)) => {
                    self.in_order &= self.last.as_ref().is_none_or(|last| *last < meta.location);
                    self.last = Some(meta.location.clone());
                    return Ok(Some((meta, self)));
                }
                Ok(None) => return Ok(None),
                Err(error) if !self.in_order => return Err(error),
                Err(error) => tries.after(error).await?,
            }
            self.list = self.store.list_page(self.prefix.as_ref(), self.last.as_ref());
        }
    }
}

impl fmt::Debug for RetryingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingStore").field("inner", &self.inner).field("retry", &self.retry).finish()
    }
}

impl Display for RetryingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for RetryingStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let mut tries = self.retry.start();
        loop {
            match self.inner.put_opts(location, payload.clone(), opts.clone()).await {
                Err(error) if opts.mode == PutMode::Overwrite => tries.after(error).await?,
                result => return result,
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if let Some(parts) = &self.parts {
            return Ok(Box::new(PartsUpload::start(self, parts.clone(), location).await?));
        }
        let mut tries = self.retry.start();
        loop {
            match self.inner.put_multipart_opts(location, opts.clone()).await {
                Err(error) => tries.after(error).await?,
                upload => return upload,
            }
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut tries = self.retry.start();
        let mut result = loop {
            match self.inner.get_opts(location, options.clone()).await {
                Err(error) if options.head && !tries.is_repeated() && is_unexplained(&error) => {
                    match self.explain(location, error).await {
                        Err(error) => tries.after(error).await?,
                        Ok(()) => tries.repeat(),
                    }
                }
                Err(error) => tries.after(error).await?,
                Ok(result) => break result,
            }
        };
        if let GetResultPayload::Stream(body) = result.payload {
            let download = Download {
                store: self.clone(),
                location: location.clone(),
                options: GetOptions { if_match: result.meta.e_tag.clone().or(options.if_match), ..options },
                left: result.range.clone(),
                body,
            };
            result.payload = GetResultPayload::Stream(stream::try_unfold(download, Download::next).boxed());
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let gap = if self.remote { OBJECT_STORE_COALESCE_DEFAULT } else { 0 };
        coalesce_ranges(ranges, |range| self.get_range_whole(location, range), gap).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .try_chunks(DELETE_BATCH)
            .then(move |batch| {
                let store = store.clone();
                async move {
                    let answers = match batch {
                        Ok(paths) => store.delete_batch(paths).await,
                        Err(error) => vec![Err(error.1)],
                    };
                    stream::iter(answers)
                }
            })
            .flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_from(prefix.cloned(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_from(prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut tries = self.retry.start();
        loop {
            match self.inner.list_with_delimiter(prefix).await {
                Err(error) => tries.after(error).await?,
                list => return list,
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let mut tries = self.retry.start();
        loop {
            match self.inner.copy_opts(from, to, options.clone()).await {
                Err(error) if options.mode == CopyMode::Overwrite => tries.after(error).await?,
                result => return result,
            }
        }
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// The body of an object on its way, and what of it is still to come.
struct Download {
    store: RetryingStore,
    location: Path,
    options: GetOptions,
    left: Range<u64>,
    body: BoxStream<'static, Result<Bytes>>,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        // Each piece that arrives is progress, so each has its own tries.
        let mut tries = self.store.retry.start();
        loop {
            match self.body.try_next().await {
                Ok(Some(bytes)) => {
                    self.left.start += bytes.len() as u64;
                    return Ok(Some((bytes, self)));
                }
                Ok(None) => return Ok(None),
                Err(error) => tries.after(error).await?,
            }
            if self.left.is_empty() {
                return Ok(None);
            }
            self.options.range = Some(GetRange::Bounded(self.left.clone()));
            self.body = match self.store.inner.get_opts(&self.location, self.options.clone()).await {
                Ok(result) => result.into_stream(),
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            };
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
