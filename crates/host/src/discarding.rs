//! A backend that takes every object and keeps none: what is written to it is encoded, counted and gone.

use std::fmt::{self, Display};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// The backend. Nothing is ever there.
#[derive(Debug)]
pub(crate) struct DiscardingStore;

#[derive(Debug)]
struct DiscardingUpload;

const NOTHING: PutResult = PutResult { e_tag: None, version: None };

impl Display for DiscardingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiscardingStore")
    }
}

fn not_found(path: &Path) -> Error {
    Error::NotFound { path: path.to_string(), source: "nothing that was written is kept".into() }
}

#[async_trait]
impl ObjectStore for DiscardingStore {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Ok(NOTHING)
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(DiscardingUpload))
    }

    async fn get_opts(&self, location: &Path, _: GetOptions) -> Result<GetResult> {
        Err(not_found(location))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::empty().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Ok(ListResult { common_prefixes: Vec::new(), objects: Vec::new() })
    }

    async fn copy_opts(&self, from: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(not_found(from))
    }
}

#[async_trait]
impl MultipartUpload for DiscardingUpload {
    fn put_part(&mut self, _: PutPayload) -> UploadPart {
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        Ok(NOTHING)
    }

    async fn abort(&mut self) -> Result<()> {
        Ok(())
    }
}
