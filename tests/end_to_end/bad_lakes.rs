//! Places that are no lake, and catalogs that cannot be used: one clear error, and everything as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;

use super::Place;

/// Both a command that reads and one that writes.
fn commands(lake: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["--output", "json", "--lake", lake, "doctor"],
        vec!["--output", "json", "--lake", lake, "ingest", "events", "events.ndjson"],
    ]
}

#[test]
fn a_file_is_no_lake() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    place.write("letter", "dear");
    for line in commands("letter") {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "letter");
    }
    assert_eq!(fs::read_to_string(place.path("letter")).unwrap(), "dear");
}

#[test]
fn a_folder_of_other_things_is_no_lake() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    place.write("photos/one.jpg", "jpg");
    for line in commands("photos") {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "one.jpg");
    }
    assert_eq!(place.files("photos").len(), 1);
}

#[test]
fn a_catalog_that_is_garbage_is_told_and_left_alone() {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    let garbage = "this is no database, and long enough to be taken for one. ".repeat(40);
    place.write("lake/catalog.db", &garbage);
    for line in commands("lake") {
        place.hosu(&line).fails(1, "NOT_A_LAKE", "catalog.db");
    }
    assert_eq!(fs::read_to_string(place.path("lake/catalog.db")).unwrap(), garbage);
    assert_eq!(place.files("lake").len(), 1);
}

#[test]
fn a_catalog_that_is_damaged_is_told_and_left_alone() {
    let place = lake();
    let path = place.path("lake/catalog.db");
    fold_wal(&path);
    let mut bytes = fs::read(&path).unwrap();
    // The header stays, so that it is a database; its pages are not.
    bytes[100..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    for line in commands("lake") {
        place.hosu(&line).fails(1, "CATALOG_CORRUPT", "catalog.db");
    }
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_catalog_of_a_newer_version_is_refused() {
    let place = lake();
    let database = Connection::open(place.path("lake/catalog.db")).unwrap();
    let changed =
        database.execute("update hosu_meta set value = '999' where key = 'schema_version'", []).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    for line in commands("lake") {
        let error = place.hosu(&line).fails(1, "CATALOG_NEWER", "999");
        assert!(error["message"].as_str().unwrap().contains("catalog.db"), "{error}");
    }
}

#[test]
fn a_locked_catalog_answers_questions_and_tells_who_wants_to_write() {
    let place = lake();
    let database = Connection::open(place.path("lake/catalog.db")).unwrap();
    database.execute_batch("begin immediate").unwrap();
    assert_eq!(place.rows("select count(*) from events"), json!([[1]]));
    let before = place.names("lake/warehouse");
    place.write("more.ndjson", "{\"a\":2}\n");
    let run = place.hosu(&["--output", "json", "ingest", "events", "more.ndjson"]);
    run.fails(1, "CATALOG_LOCKED", "catalog.db");
    assert_eq!(before, place.names("lake/warehouse"));
    database.execute_batch("rollback").unwrap();
    assert_eq!(place.ingest(&["events", "more.ndjson"])["rows"], 1);
    place.check_sound();
}

/// Root writes wherever it wants, so permissions cannot make a lake read-only for it; a mount can.
#[test]
fn a_read_only_lake_answers_and_refuses_to_change() {
    let place = lake();
    let Some(_guard) = ReadOnly::make(&place) else {
        println!(
            "skipped: a folder can be made read-only neither by permissions (we are root) nor by a mount"
        );
        return;
    };
    assert_eq!(place.rows("select count(*) from events"), json!([[1]]));
    place.check_sound();
    let before = place.names("lake");
    place.write("more.ndjson", "{\"a\":2}\n");
    let run = place.hosu(&["--output", "json", "ingest", "events", "more.ndjson"]);
    assert_eq!(run.code, 1, "{run:?}");
    let error = run.json()["error"].clone();
    let code = error["code"].as_str().unwrap();
    assert!(["CATALOG_READ_ONLY", "ACCESS_DENIED"].contains(&code), "{error}");
    assert!(error["message"].as_str().unwrap().contains("lake"), "{error}");
    assert_eq!(before, place.names("lake"));
    let run = place.hosu(&["sql", "--output", "json", "-c", "insert into events values (1, null)"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(before, place.names("lake"));
}

#[test]
fn a_full_disk_is_told_and_the_lake_is_as_it_was() {
    let place = lake();
    let Some(_guard) = SmallDisk::make(&place) else {
        super::say("skipped a full disk: no small file system can be mounted here");
        return;
    };
    place.write("first.ndjson", "{\"a\":1}\n");
    let run =
        place.hosu(&["--lake", "small/lake", "--output", "json", "ingest", "events", "first.ndjson"]).ok();
    assert_eq!(run.json()["rows"], 1);
    let text: String = (0..200_000_u64)
        .map(|id| format!("{{\"a\":{id},\"t\":\"{:x}\"}}\n", id.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    place.write("big.ndjson", text);
    let before = place.names("small/lake/warehouse");
    let run = place.hosu(&["--lake", "small/lake", "--output", "json", "ingest", "events", "big.ndjson"]);
    run.fails(1, "STORE_FULL", "small/lake");
    assert_eq!(before, place.names("small/lake/warehouse"));
    place.hosu(&["--lake", "small/lake", "doctor"]).ok();
}

fn lake() -> Place {
    let place = Place::new();
    place.write("events.ndjson", "{\"a\":1}\n");
    place.ingest(&["events", "events.ndjson"]);
    place
}

/// Moves everything from the write-ahead log into the database's file.
fn fold_wal(path: &Path) {
    let database = Connection::open(path).unwrap();
    database.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    database.query_row("pragma journal_mode = delete", [], |_| Ok(())).unwrap();
}

/// A lake that nobody can write to, until it is dropped.
struct ReadOnly {
    lake: PathBuf,
    mounted: bool,
}

impl ReadOnly {
    fn make(place: &Place) -> Option<Self> {
        let lake = place.path("lake");
        set_writable(&lake, false);
        if fs::write(lake.join("probe"), "").is_err() {
            return Some(Self { lake, mounted: false });
        }
        let _ = fs::remove_file(lake.join("probe"));
        set_writable(&lake, true);
        let mount = |options: &[&str]| run("mount", &[options, &[lake.to_str().unwrap()]].concat());
        let mounted = mount(&["--bind", lake.to_str().unwrap()]);
        let guard = Self { lake: lake.clone(), mounted };
        (mounted && mount(&["-o", "remount,bind,ro"])).then_some(guard)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        if self.mounted {
            run("umount", &[self.lake.to_str().unwrap()]);
        } else {
            set_writable(&self.lake, true);
        }
    }
}

/// A file system of one MiB, until it is dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn make(place: &Place) -> Option<Self> {
        let folder = place.path("small");
        fs::create_dir(&folder).unwrap();
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.to_str().unwrap()]);
        mounted.then_some(Self { folder })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &[self.folder.to_str().unwrap()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn set_writable(path: &Path, writable: bool) {
    let folder = path.is_dir();
    let mode = match (folder, writable) {
        (true, true) => 0o755,
        (true, false) => 0o555,
        (false, true) => 0o644,
        (false, false) => 0o444,
    };
    if writable {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    if folder {
        fs::read_dir(path).unwrap().for_each(|entry| set_writable(&entry.unwrap().path(), writable));
    }
    if !writable {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}
