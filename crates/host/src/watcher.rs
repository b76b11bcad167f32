//! Told by the system when something in a folder changes, where it can tell. Which file it was is not said: who is told looks at
//! all of them, and looks now and then without being told, because a network's file system tells of other machines nothing.

use std::path::Path;

/// Watches folders.
#[derive(Debug)]
pub struct FolderWatcher {
    #[cfg(target_os = "linux")]
    told: linux::Inotify,
}

#[cfg(target_os = "linux")]
impl FolderWatcher {
    /// A watcher of no folder yet; none where the system cannot tell. Made inside a runtime.
    pub fn new() -> Option<Self> {
        linux::Inotify::new().map(|told| Self { told })
    }

    /// Watches a folder too; one that is watched already costs nothing. False when the system refuses.
    pub fn watch(&self, folder: &Path) -> bool {
        self.told.watch(folder)
    }

    /// Returns once something has changed since it was asked last.
    pub async fn changed(&self) {
        self.told.changed().await;
    }
}

#[cfg(not(target_os = "linux"))]
impl FolderWatcher {
    /// A watcher of no folder yet; none where the system cannot tell.
    pub fn new() -> Option<Self> {
        None
    }

    /// Watches a folder too.
    pub fn watch(&self, _: &Path) -> bool {
        false
    }

    /// Never returns.
    pub async fn changed(&self) {
        std::future::pending().await
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Inotify {
        queue: AsyncFd<OwnedFd>,
    }

    impl Inotify {
        pub(super) fn new() -> Option<Self> {
            let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            // What it says about other types does not concern one that owns its descriptor.
            #[expect(deprecated, reason = "its replacement is unsafe")]
            AsyncFd::new(queue).ok().map(|queue| Self { queue })
        }

        pub(super) fn watch(&self, folder: &Path) -> bool {
            let events = WatchFlags::CREATE
                | WatchFlags::MODIFY
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVED_FROM
                | WatchFlags::DELETE
                | WatchFlags::ONLYDIR;
            inotify::add_watch(self.queue.get_ref(), folder, events).is_ok()
        }

        pub(super) async fn changed(&self) {
            let Ok(mut ready) = self.queue.readable().await else { return std::future::pending().await };
            // An event is at most 16 bytes and a name of 256.
            let mut events = [0; 16 << 10];
            while rustix::io::read(self.queue.get_ref(), &mut events).is_ok_and(|read| read > 0) {}
            ready.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests;
