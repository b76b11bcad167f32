//! Folders that change while they are watched.

use std::fs;
use std::time::Duration;

use super::*;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn changes_of_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let watcher = FolderWatcher::new().unwrap();
    assert!(watcher.watch(folder.path()) && watcher.watch(folder.path()));
    assert!(!watcher.watch(&folder.path().join("absent")));
    let file = folder.path().join("a");
    let told = || tokio::time::timeout(Duration::from_secs(60), watcher.changed());
    fs::write(&file, "1").unwrap();
    told().await.expect("a new file");
    fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut f| std::io::Write::write_all(&mut f, b"2"))
        .unwrap();
    told().await.expect("a longer file");
    fs::rename(&file, folder.path().join("b")).unwrap();
    told().await.expect("a renamed file");
}
