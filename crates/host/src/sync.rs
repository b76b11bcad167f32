//! Making files durable, behind a trait of two methods so that a simulation can see, and forget, what was not synced.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::Path;

/// Tells the disk to keep what was written. Both methods block.
pub trait Syncer: Debug + Send + Sync {
    /// The file's content and length are durable once this returns. `path` is where it lies at this moment.
    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()>;

    /// The names in this folder are durable once this returns: which exist, and which file each one means.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The real thing: `fsync`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskSyncer;

impl Syncer for DiskSyncer {
    fn sync_file(&self, _path: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match File::open(folder)?.sync_all() {
            // Some network and FUSE file systems cannot sync folders: there is nothing more to ask them for.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
            {
                Ok(())
            }
            result => result,
        }
    }
}
