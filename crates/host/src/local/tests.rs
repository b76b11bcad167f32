//! What is synced before a write is reported, and what an unfinished write leaves behind: nothing.

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use tempfile::TempDir;

use super::*;

/// Writes down what was synced, in order, and fails when it is told to.
#[derive(Debug, Default)]
struct Notes {
    synced: Mutex<Vec<String>>,
    fail_files: bool,
}

impl Notes {
    fn note(&self, what: &str, path: &FsPath) {
        self.synced.lock().unwrap().push(format!("{what} {}", path.display()));
    }
}

impl Syncer for Notes {
    fn sync_file(&self, path: &FsPath, file: &File) -> io::Result<()> {
        if self.fail_files {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.note(&format!("{} bytes", file.metadata()?.len()), path);
        Ok(())
    }

    fn sync_folder(&self, folder: &FsPath) -> io::Result<()> {
        assert!(folder.is_dir(), "{}", folder.display());
        self.note("folder", folder);
        Ok(())
    }
}

struct Fixture {
    folder: TempDir,
    notes: Arc<Notes>,
    store: LocalStore,
}

fn fixture(notes: Notes) -> Fixture {
    let notes = Arc::new(notes);
    let store = LocalStore::with_syncer(notes.clone());
    Fixture { folder: tempfile::tempdir().unwrap(), notes, store }
}

impl Fixture {
    fn path(&self, name: &str) -> Path {
        Path::from_absolute_path(self.folder.path().join(name)).unwrap()
    }

    /// What was synced since the last time, below the test's folder, whose own name is cut away.
    fn synced(&self) -> Vec<String> {
        let base = self.folder.path().display().to_string();
        let all = std::mem::take(&mut *self.notes.synced.lock().unwrap());
        all.iter().filter(|note| note.contains(&base)).map(|note| note.replace(&base, "")).collect()
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_put_syncs_content_first_then_each_folder_that_may_be_new() {
    let f = fixture(Notes::default());
    f.store.put(&f.path("a/b/x"), "four".into()).await.unwrap();
    assert_eq!(f.synced(), ["4 bytes /a/b/x#1", "folder /a/b", "folder /a", "folder "]);
    assert!(f.store.durable.known.lock().unwrap().contains(f.folder.path()));

    f.store.put(&f.path("a/b/y"), "five5".into()).await.unwrap();
    assert_eq!(f.synced(), ["5 bytes /a/b/y#1", "folder /a/b"], "the folders above are known by now");

    f.store.put(&f.path("a/c/z"), "".into()).await.unwrap();
    assert_eq!(f.synced(), ["0 bytes /a/c/z#1", "folder /a/c", "folder /a"]);
    assert_eq!(f.names(), ["x", "y", "z"]);
}

#[tokio::test]
async fn a_folder_that_somebody_else_made_is_not_taken_for_durable() {
    let f = fixture(Notes::default());
    fs::create_dir(f.folder.path().join("made")).unwrap();
    f.store.put(&f.path("made/x"), "1".into()).await.unwrap();
    assert_eq!(f.synced(), ["1 bytes /made/x#1", "folder /made", "folder "]);
}

#[tokio::test]
async fn a_multipart_upload_is_synced_when_it_is_complete() {
    let f = fixture(Notes::default());
    let path = f.path("t/x");
    let mut upload = f.store.put_multipart(&path).await.unwrap();
    let (first, second) = (upload.put_part("one".into()), upload.put_part("two2".into()));
    second.await.unwrap();
    first.await.unwrap();
    assert!(f.synced().is_empty());
    assert!(f.store.get(&path).await.is_err());
    upload.complete().await.unwrap();
    assert_eq!(f.synced(), ["7 bytes /t/x#1", "folder /t", "folder "]);
    assert_eq!(f.store.get(&path).await.unwrap().bytes().await.unwrap(), "onetwo2");
    assert!(upload.put_part("late".into()).await.is_err());
}

#[tokio::test]
async fn unfinished_uploads_are_not_listed_and_leave_nothing() {
    let f = fixture(Notes::default());
    let (aborted, dropped) = (f.path("t/aborted"), f.path("t/dropped"));
    let mut upload = f.store.put_multipart(&aborted).await.unwrap();
    upload.put_part("one".into()).await.unwrap();
    let other = f.store.put_multipart(&dropped).await.unwrap();
    assert_eq!(f.names().len(), 2);
    let listed: Vec<_> = f.store.list(Some(&f.path("t"))).try_collect().await.unwrap();
    assert!(listed.is_empty(), "{listed:?}");
    upload.abort().await.unwrap();
    drop(other);
    assert!(f.names().is_empty(), "{:?}", f.names());
}

#[tokio::test]
async fn a_failed_sync_is_a_failed_write() {
    let f = fixture(Notes { fail_files: true, ..Notes::default() });
    let error = f.store.put(&f.path("x"), "1".into()).await.unwrap_err();
    assert_eq!(crate::error::cause_of(&error), crate::error::Cause::Full);
    assert!(f.names().is_empty());
}

#[tokio::test]
async fn create_refuses_to_replace() {
    let f = fixture(Notes::default());
    let path = f.path("x");
    let create = || PutOptions::from(PutMode::Create);
    f.store.put_opts(&path, "first".into(), create()).await.unwrap();
    let error = f.store.put_opts(&path, "second".into(), create()).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    assert_eq!(f.store.get(&path).await.unwrap().bytes().await.unwrap(), "first");
    assert_eq!(f.names(), ["x"]);
}

#[tokio::test]
async fn copies_and_renames_are_synced() {
    let f = fixture(Notes::default());
    f.store.put(&f.path("x"), "1".into()).await.unwrap();
    f.synced();
    f.store.copy(&f.path("x"), &f.path("new/y")).await.unwrap();
    assert_eq!(f.synced(), ["1 bytes /new/y", "folder /new", "folder "]);
    f.store.rename(&f.path("x"), &f.path("new/z")).await.unwrap();
    assert_eq!(f.synced(), ["1 bytes /new/z", "folder /new"]);
}

#[tokio::test]
async fn names_are_raw_strings() {
    let f = fixture(Notes::default());
    let path = Path::parse(format!("{}/day=a%2Fb/값 1.json", f.folder.path().display())).unwrap();
    f.store.put(&path, "1".into()).await.unwrap();
    assert_eq!(f.names(), ["값 1.json"]);
    assert!(f.folder.path().join("day=a%2Fb").is_dir());
    let listed: Vec<_> = f.store.list(Some(&f.path(""))).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].location, path);
}

#[tokio::test]
async fn the_real_syncer_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::new();
    let path = Path::from_absolute_path(folder.path().join("a/b/x")).unwrap();
    store.put(&path, "1".into()).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "1");
    assert!(DiskSyncer.sync_folder(&folder.path().join("nothing")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_new_folder_are_written_side_by_side() {
    let it = fixture(Notes::default());
    for round in 0..50 {
        let puts = (0..4).map(|n| {
            let (store, path) = (it.store.clone(), it.path(&format!("new{round}/deep/{n}")));
            tokio::spawn(async move { store.put(&path, "x".into()).await })
        });
        for result in futures::future::join_all(puts).await {
            result.unwrap().unwrap();
        }
    }
}
