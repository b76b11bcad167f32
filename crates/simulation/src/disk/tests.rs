//! What survives a power cut, with each step of a write missing in turn.

use std::io::Write;

use hosu_host::object_store::path::Path as ObjectPath;
use hosu_host::object_store::{ObjectStore, ObjectStoreExt};
use hosu_host::{LocalStore, object_store};

use super::*;
use crate::faults::{Dice, FaultRates};

struct Fixture {
    _folder: tempfile::TempDir,
    disk: SimulatedDisk,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let disk = SimulatedDisk::new(folder.path()).unwrap();
    Fixture { _folder: folder, disk }
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        self.disk.root().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        File::create(self.path(name)).unwrap().write_all(content.as_bytes()).unwrap();
    }

    fn sync_file(&self, name: &str) {
        let path = self.path(name);
        self.disk.lock().sync_file(&path).unwrap();
    }

    fn sync_folder(&self, name: &str) {
        let folder = if name.is_empty() { self.disk.root() } else { self.path(name) };
        self.disk.lock().sync_folder(&folder).unwrap();
    }

    /// After a power cut: each file with its content.
    fn left(&self) -> Vec<(String, String)> {
        self.disk.power_cut(PowerCut::TakesAll).unwrap();
        self.files()
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![self.disk.root()];
        while let Some(folder) = folders.pop() {
            for (name, entry) in names(&folder).unwrap() {
                let path = folder.join(name);
                match entry {
                    Entry::Folder => folders.push(path),
                    Entry::File(_) => {
                        let name = path.strip_prefix(self.disk.root()).unwrap().display().to_string();
                        found.push((name, fs::read_to_string(&path).unwrap()));
                    }
                }
            }
        }
        found.sort();
        found
    }
}

fn file(name: &str, content: &str) -> (String, String) {
    (name.to_owned(), content.to_owned())
}

#[test]
fn content_and_name_must_both_be_synced() {
    let f = fixture();
    f.write("both", "1");
    f.write("no content", "2");
    f.write("no name", "3");
    f.sync_file("both");
    f.sync_file("no name");
    fs::remove_file(f.path("no name")).unwrap();
    f.sync_folder("");
    f.write("late", "4");
    f.sync_file("late");
    assert_eq!(f.left(), [file("both", "1"), file("no content", "")]);
    assert_eq!(f.left(), [file("both", "1"), file("no content", "")], "what was there is durable");
}

#[test]
fn the_names_of_folders_must_be_synced_too() {
    let f = fixture();
    fs::create_dir_all(f.path("a/b")).unwrap();
    f.write("a/b/x", "1");
    f.sync_file("a/b/x");
    f.sync_folder("a/b");
    f.sync_folder("a");
    assert_eq!(f.left(), [], "nobody synced the folder that `a` is in");
    fs::create_dir_all(f.path("a/b")).unwrap();
    f.write("a/b/x", "1");
    f.sync_file("a/b/x");
    f.sync_folder("a/b");
    f.sync_folder("a");
    f.sync_folder("");
    assert_eq!(f.left(), [file("a/b/x", "1")]);
}

#[test]
fn unsynced_removals_and_renames_are_undone() {
    let f = fixture();
    for (name, content) in [("removed", "1"), ("replaced", "2"), ("new", "3")] {
        f.write(name, content);
        f.sync_file(name);
    }
    f.sync_folder("");
    fs::remove_file(f.path("removed")).unwrap();
    fs::rename(f.path("new"), f.path("replaced")).unwrap();
    f.write("fresh", "a new file must not be taken for a removed one");
    assert_eq!(f.left(), [file("new", "3"), file("removed", "1"), file("replaced", "2")]);
}

#[test]
fn a_name_that_was_synced_and_removed_comes_back_empty_if_its_content_was_not() {
    let f = fixture();
    f.write("staged", "1");
    f.sync_folder("");
    fs::remove_file(f.path("staged")).unwrap();
    assert_eq!(f.left(), [file("staged", "")]);
}

#[test]
fn what_was_written_after_the_sync_is_gone() {
    let f = fixture();
    f.write("x", "synced");
    f.sync_file("x");
    f.sync_folder("");
    f.write("x", "not synced");
    assert_eq!(f.left(), [file("x", "synced")]);
}

#[test]
fn dice_take_some() {
    let outcomes: std::collections::BTreeSet<_> = (0..40)
        .map(|seed| {
            let f = fixture();
            f.write("a", "12");
            f.write("b", "12");
            f.sync_file("b");
            f.disk.power_cut(PowerCut::TakesSome(seed)).unwrap();
            f.files()
        })
        .collect();
    assert!(outcomes.len() > 4, "{outcomes:?}");
    assert!(outcomes.contains(&Vec::new()));
    assert!(outcomes.iter().flatten().all(|(name, content)| name != "b" || content == "12"));
}

/// Host's folder store over this disk: whatever write it reported is there after a power cut at any later call, whole;
/// what it did not report is there whole or not at all, however the dice fall.
#[test]
fn host_keeps_what_it_reported() {
    let survived = (0..).find(|crash_after| !crash_after_and_check(*crash_after)).unwrap();
    assert_eq!(
        survived - 1,
        4 + 2 + 3,
        "three puts: content, folder, and the folders above that are not known yet"
    );
}

/// Gives whether the crash came before the end.
fn crash_after_and_check(crash_after: u64) -> bool {
    let cuts = [PowerCut::TakesAll].into_iter().chain((0..8).map(PowerCut::TakesSome));
    let mut crashed = false;
    for cut in cuts {
        let f = fixture();
        let gate = Gate::crashing_after(crash_after, Dice::new(0, FaultRates::NONE));
        let reported = Mutex::new(Vec::new());
        let store = LocalStore::with_syncer(Arc::new(f.disk.syncer(gate.clone())));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let end = runtime.block_on(gate.live(async {
            for (name, content) in [("a/b/x", "one"), ("a/b/y", "two"), ("a/c/z", "three")] {
                put(&store, &f.path(name), content).await?;
                reported.lock().unwrap().push(file(name, content));
            }
            Ok::<_, object_store::Error>(())
        }));
        drop(runtime);
        crashed = !matches!(end, Some(Ok(())));
        f.disk.power_cut(cut).unwrap();
        let (left, reported) = (f.files(), reported.into_inner().unwrap());
        for one in &reported {
            assert!(left.contains(one), "after {crash_after} calls, {cut:?}: {one:?} is not in {left:?}");
        }
        for (name, content) in left.iter().filter(|(name, _)| !name.contains('#')) {
            let whole = [("a/b/x", "one"), ("a/b/y", "two"), ("a/c/z", "three")];
            assert!(whole.contains(&(name, content)), "{name}: {content}");
        }
    }
    crashed
}

async fn put(store: &LocalStore, path: &Path, content: &'static str) -> object_store::Result<()> {
    store.put(&ObjectPath::from_absolute_path(path).unwrap(), content.into()).await?;
    Ok(())
}

/// The same without syncing, to show that the test above can fail.
#[test]
fn object_stores_own_folder_store_forgets() {
    let f = fixture();
    let store: Arc<dyn ObjectStore> = Arc::new(object_store::local::LocalFileSystem::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let path = ObjectPath::from_absolute_path(f.path("a/b/x")).unwrap();
    runtime.block_on(store.put(&path, "one".into())).unwrap();
    assert_eq!(f.files(), [file("a/b/x", "one")]);
    assert_eq!(f.left(), []);
}
