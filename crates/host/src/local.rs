//! The local folder as an object store whose writes are durable.
//!
//! object_store's `LocalFileSystem` writes beside the place (`name#1`) and renames, but it never syncs: after a power
//! cut a file that was reported as written may be empty or gone. Here the content is synced, then renamed, then every
//! folder on the way whose own name may be new is synced, and only then is success reported. Reading, listing and
//! deleting are left to `LocalFileSystem`, which hides the `name#1` files.

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::FutureExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

use crate::sync::{DiskSyncer, Syncer};

/// All folders of this machine as one object store; a write is on disk once it is reported.
#[derive(Debug, Clone)]
pub struct LocalStore {
    reader: Arc<LocalFileSystem>,
    durable: Durable,
}

impl LocalStore {
    /// Syncs with `fsync`.
    pub fn new() -> Self {
        Self::with_syncer(Arc::new(DiskSyncer))
    }

    /// Syncs with `syncer`.
    pub fn with_syncer(syncer: Arc<dyn Syncer>) -> Self {
        Self { reader: Arc::new(LocalFileSystem::new()), durable: Durable { syncer, known: Arc::default() } }
    }

    /// Runs blocking work on a file's path, away from the threads that must not block.
    async fn blocking<T: Send + 'static>(
        &self,
        location: &Path,
        work: impl FnOnce(&Durable, &FsPath) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.reader.path_to_filesystem(location)?;
        let (durable, key) = (self.durable.clone(), location.to_string());
        let result = tokio::task::spawn_blocking(move || work(&durable, &path)).await?;
        result.map_err(|error| to_object_store(key, error))
    }
}

impl Default for LocalStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Display for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalStore")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for LocalStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if matches!(opts.mode, PutMode::Update(_)) {
            return Err(Error::NotImplemented {
                operation: "`put_opts` with `PutMode::Update`".to_owned(),
                implementer: self.to_string(),
            });
        }
        let create = opts.mode == PutMode::Create;
        self.blocking(location, move |durable, path| {
            let mut staged = Staged::create(path)?;
            for bytes in payload.iter() {
                staged.file.write_all(bytes)?;
            }
            staged.publish(durable, create)
        })
        .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let staged = self.blocking(location, |_, path| Staged::create(path)).await?;
        let staged = Arc::new(Mutex::new(Some(staged)));
        Ok(Box::new(LocalUpload { store: self.clone(), location: location.clone(), staged, next_offset: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.reader.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.reader.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.reader.copy_opts(from, to, options).await?;
        self.blocking(to, Durable::file_and_folders).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.reader.rename_opts(from, to, options).await?;
        self.blocking(to, Durable::file_and_folders).await
    }
}

/// Syncs, and remembers which folders are known to survive.
#[derive(Debug, Clone)]
struct Durable {
    syncer: Arc<dyn Syncer>,
    /// Folders whose own name is durable in their parent, as this process made sure of.
    known: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Durable {
    fn file_and_folders(&self, path: &FsPath) -> io::Result<()> {
        self.syncer.sync_file(path, &File::open(path)?)?;
        self.folders_of(path)
    }

    /// Syncs the folder of `path`, and every folder above it until one that is known to be durable. That a folder
    /// exists already is no proof: another process may have made it a moment ago.
    fn folders_of(&self, path: &FsPath) -> io::Result<()> {
        let Some(folder) = path.parent() else { return Ok(()) };
        self.syncer.sync_folder(folder)?;
        let mut child = folder;
        let mut proven = Vec::new();
        while let Some(parent) = child.parent()
            && !self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(child)
        {
            match self.syncer.sync_folder(parent) {
                // A folder that we may not even read is not one that we made something in.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                result => result?,
            }
            proven.push(child.to_owned());
            child = parent;
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(proven);
        Ok(())
    }
}

/// A file that is being written beside its place; removed when it is dropped unpublished.
#[derive(Debug)]
struct Staged {
    file: File,
    staging: PathBuf,
    path: PathBuf,
    published: bool,
}

impl Staged {
    fn create(path: &FsPath) -> io::Result<Self> {
        let mut attempt = 1_u64;
        let mut made_parent = false;
        loop {
            let mut staging = path.as_os_str().to_owned();
            staging.push(format!("#{attempt}"));
            let staging = PathBuf::from(staging);
            match OpenOptions::new().write(true).create_new(true).open(&staging) {
                Ok(file) => return Ok(Self { file, staging, path: path.to_owned(), published: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                // Once its folder was made, a second NotFound has another cause. Whether the folder is there now tells
                // nothing: another thread may have made it since the file was refused.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !made_parent => {
                    fs::create_dir_all(path.parent().ok_or(error)?)?;
                    made_parent = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(mut self, durable: &Durable, create: bool) -> io::Result<()> {
        durable.syncer.sync_file(&self.staging, &self.file)?;
        if create {
            // Unlike a rename a link fails when the place is taken; the staging name goes when `self` is dropped.
            fs::hard_link(&self.staging, &self.path)?;
            fs::remove_file(&self.staging)?;
        } else {
            fs::rename(&self.staging, &self.path)?;
        }
        self.published = true;
        durable.folders_of(&self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.staging);
        }
    }
}

/// Parts of one file, written at their offsets.
#[derive(Debug)]
struct LocalUpload {
    store: LocalStore,
    location: Path,
    staged: Arc<Mutex<Option<Staged>>>,
    next_offset: u64,
}

impl LocalUpload {
    fn take(&self) -> Result<Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| self.closed())
    }

    fn closed(&self) -> Error {
        to_object_store(self.location.to_string(), io::Error::other("the upload is finished or aborted"))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartUpload for LocalUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.next_offset;
        self.next_offset += data.content_length() as u64;
        let file = match self.staged.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(staged) => staged.file.try_clone(),
            None => return futures::future::ready(Err(self.closed())).boxed(),
        };
        let (store, location) = (self.store.clone(), self.location.clone());
        async move { store.blocking(&location, move |_, _| write_at(&file?, &data, offset)).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = self.take()?;
        self.store.blocking(&self.location, move |durable, _| staged.publish(durable, false)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        drop(self.take()?);
        Ok(())
    }
}

fn write_at(file: &File, data: &PutPayload, mut offset: u64) -> io::Result<()> {
    for bytes in data.iter() {
        file.write_all_at(bytes, offset)?;
        offset += bytes.len() as u64;
    }
    Ok(())
}

fn to_object_store(path: String, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { path, source: error.into() },
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path, source: error.into() },
        _ => Error::Generic { store: "local folder", source: error.into() },
    }
}

#[cfg(test)]
mod tests;
