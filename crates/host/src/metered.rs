//! Counts every request that reaches a backend, whoever makes it: our own code or DataFusion's Parquet source.

use std::fmt::{self, Display};
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

use crate::meter::{Meter, Operation};

/// S3 lists in pages of this many names, each one a request.
const LIST_PAGE: u64 = 1000;

/// A backend whose requests are counted.
#[derive(Clone)]
pub(crate) struct MeteredStore {
    inner: Arc<dyn ObjectStore>,
    count: Counted,
}

/// The meters that a store counts into.
#[derive(Debug, Clone)]
pub(crate) struct Counted(pub(crate) Arc<[Arc<Meter>]>);

impl Counted {
    pub fn request(&self, operation: Operation) {
        self.0.iter().for_each(|meter| meter.request(operation));
    }

    pub fn bytes(&self, operation: Operation, bytes: u64) {
        self.0.iter().for_each(|meter| meter.bytes(operation, bytes));
    }
}

impl MeteredStore {
    pub fn new(inner: Arc<dyn ObjectStore>, count: Counted) -> Self {
        Self { inner, count }
    }

    fn count_list(
        &self,
        list: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let count = self.count.clone();
        count.request(Operation::List);
        let mut seen = 0_u64;
        list.inspect_ok(move |_| {
            seen += 1;
            if seen % LIST_PAGE == 1 && seen > 1 {
                count.request(Operation::List);
            }
        })
        .boxed()
    }
}

impl fmt::Debug for MeteredStore {
    /// By name only: a backend's own Debug shows access keys, or every byte that it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeteredStore({})", self.inner)
    }
}

impl Display for MeteredStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for MeteredStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let bytes = payload.content_length() as u64;
        self.count.request(Operation::Put);
        let result = self.inner.put_opts(location, payload, opts).await?;
        self.count.bytes(Operation::Put, bytes);
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.count.request(Operation::Put);
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(MeteredUpload { inner, count: self.count.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head { Operation::Head } else { Operation::Get };
        self.count.request(operation);
        let mut result = self.inner.get_opts(location, options).await?;
        if operation == Operation::Head {
            return Ok(result);
        }
        result.payload = match result.payload {
            GetResultPayload::Stream(stream) => {
                let count = self.count.clone();
                let counted = stream.inspect_ok(move |bytes| count.bytes(operation, bytes.len() as u64));
                GetResultPayload::Stream(counted.boxed())
            }
            // A local file is read by who asked for it, out of our sight.
            file => {
                self.count.bytes(operation, result.range.end.saturating_sub(result.range.start));
                file
            }
        };
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        ranges.iter().for_each(|_| self.count.request(Operation::Get));
        let parts = self.inner.get_ranges(location, ranges).await?;
        self.count.bytes(Operation::Get, parts.iter().map(|part| part.len() as u64).sum());
        Ok(parts)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let count = self.count.clone();
        let counted = locations.inspect_ok(move |_| count.request(Operation::Delete));
        self.inner.delete_stream(counted.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.count_list(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.count_list(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.count.request(Operation::List);
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.count.request(Operation::Put);
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.count.request(Operation::Put);
        self.inner.rename_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct MeteredUpload {
    inner: Box<dyn MultipartUpload>,
    count: Counted,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartUpload for MeteredUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let bytes = data.content_length() as u64;
        let count = self.count.clone();
        let part = self.inner.put_part(data);
        Box::pin(async move {
            count.request(Operation::Put);
            part.await?;
            count.bytes(Operation::Put, bytes);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.count.request(Operation::Put);
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.count.request(Operation::Delete);
        self.inner.abort().await
    }
}
