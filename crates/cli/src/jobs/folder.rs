//! The folder of the jobs' files, read as often as a scheduler asks. A look at an unchanged folder reads names, times and
//! sizes only.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hosu_host::Clock;
use hosu_transform::{JobFile, JobFolder};

/// The ending of a job's file.
const EXTENSION: &str = "sql";

/// A file that was written so short a time ago may be written again without another time: file systems count in steps.
const FRESH_MS: u64 = 2_000;

/// The folder of the jobs' files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    seen: Option<Seen>,
}

/// What was found at the last look.
#[derive(Debug)]
struct Seen {
    stamps: BTreeMap<PathBuf, Stamp>,
    files: Vec<JobFile>,
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stamp {
    modified_ns: i128,
    /// Also of its permissions.
    changed_ns: i128,
    bytes: u64,
    inode: u64,
}

impl Folder {
    /// The folder at `path`. Nothing is read yet.
    pub fn new(path: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { path, clock, seen: None }
    }

    /// The jobs' files with what tells whether they changed: those directly in the folder that end in `.sql`, but no hidden ones.
    fn stamps(&self) -> io::Result<BTreeMap<PathBuf, Stamp>> {
        let mut stamps = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if hidden || path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => drop(stamps.insert(path, Stamp::of(&metadata))),
                Ok(_) => {}
                Err(error) if is_gone(&path, &error) => {}
                // Why it cannot be read is told when that is tried.
                Err(_) => drop(stamps.insert(path, Stamp::default())),
            }
        }
        Ok(stamps)
    }

    fn is_fresh(&self, stamp: &Stamp) -> bool {
        let modified_ms = i64::try_from(stamp.modified_ns / 1_000_000).unwrap_or(i64::MAX);
        self.clock.now_ms().abs_diff(modified_ms) < FRESH_MS
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            bytes: metadata.size(),
            inode: metadata.ino(),
        }
    }
}

impl JobFolder for Folder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn changed(&mut self) -> io::Result<Option<Vec<JobFile>>> {
        let stamps = self.stamps()?;
        let same = self.seen.as_ref().is_some_and(|seen| seen.stamps == stamps);
        if same && !stamps.values().any(|stamp| self.is_fresh(stamp)) {
            return Ok(None);
        }
        let mut files = Vec::new();
        for path in stamps.keys() {
            match fs::read(path) {
                Err(error) if is_gone(path, &error) => {}
                read => {
                    files.push(JobFile { path: path.clone(), bytes: read.map_err(|error| error.to_string()) })
                }
            }
        }
        let changed = self.seen.as_ref().is_none_or(|seen| seen.files != files);
        self.seen = Some(Seen { stamps, files: files.clone() });
        Ok(changed.then_some(files))
    }
}

/// Whether a file was removed in between. A link that leads nowhere is a mistake.
fn is_gone(path: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && !path.is_symlink()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::{Duration, SystemTime};

    use hosu_host::ManualClock;

    use super::*;

    const NOW_MS: u64 = 1_750_000_000_000;

    struct Place {
        folder: tempfile::TempDir,
        clock: ManualClock,
    }

    impl Place {
        fn new() -> Self {
            let clock = ManualClock::at_ms(i64::try_from(NOW_MS).unwrap());
            Self { folder: tempfile::tempdir().unwrap(), clock }
        }

        fn jobs(&self) -> Folder {
            Folder::new(self.folder.path().to_owned(), Arc::new(self.clock.clone()))
        }

        /// Writes a file that says of itself that it is so old.
        fn write(&self, name: &str, content: &str, age_ms: u64) {
            let path = self.folder.path().join(name);
            fs::write(&path, content).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS - age_ms);
            fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        }
    }

    fn names(files: Option<Vec<JobFile>>) -> Option<Vec<String>> {
        let name = |file: &JobFile| file.path.file_name().unwrap().to_string_lossy().into_owned();
        files.map(|files| files.iter().map(name).collect())
    }

    #[test]
    fn only_sql_files_of_the_folder_itself_are_jobs() {
        let place = Place::new();
        for name in ["b.sql", "a.sql", ".x.sql", "x.sql~", "x.SQL", "README.md", "#x.sql#"] {
            place.write(name, name, 0);
        }
        fs::create_dir(place.folder.path().join("sub.sql")).unwrap();
        fs::write(place.folder.path().join("sub.sql/c.sql"), "c").unwrap();
        symlink(place.folder.path().join("README.md"), place.folder.path().join("link.sql")).unwrap();
        assert_eq!(names(place.jobs().changed().unwrap()).unwrap(), ["a.sql", "b.sql", "link.sql"]);
    }

    #[test]
    fn what_is_as_it_was_is_not_given_again() {
        let place = Place::new();
        place.write("a.sql", "old", 60_000);
        let mut jobs = place.jobs();
        assert_eq!(names(jobs.changed().unwrap()).unwrap(), ["a.sql"]);
        assert_eq!(jobs.changed().unwrap(), None);
        place.write("b.sql", "new", 60_000);
        assert_eq!(names(jobs.changed().unwrap()).unwrap(), ["a.sql", "b.sql"]);
        place.write("a.sql", "longer", 60_000);
        assert_eq!(names(jobs.changed().unwrap()).unwrap(), ["a.sql", "b.sql"]);
        fs::remove_file(place.folder.path().join("a.sql")).unwrap();
        assert_eq!(names(jobs.changed().unwrap()).unwrap(), ["b.sql"]);
        assert_eq!(jobs.changed().unwrap(), None);
    }

    #[test]
    fn a_fresh_file_is_read_again_whatever_its_time_says() {
        let place = Place::new();
        place.write("a.sql", "one", 500);
        let mut jobs = place.jobs();
        jobs.changed().unwrap();
        assert_eq!(jobs.changed().unwrap(), None, "its content is the same");
        place.write("a.sql", "two", 500);
        assert_eq!(jobs.changed().unwrap().unwrap()[0].bytes.as_deref(), Ok(&b"two"[..]));
        place.clock.advance(Duration::from_secs(5));
        assert_eq!(jobs.changed().unwrap(), None);
    }

    #[test]
    fn a_file_that_cannot_be_read_keeps_no_other_back() {
        let place = Place::new();
        place.write("a.sql", "a", 60_000);
        symlink(place.folder.path().join("nowhere"), place.folder.path().join("link.sql")).unwrap();
        let files = place.jobs().changed().unwrap().unwrap();
        assert!(files[0].bytes.is_ok() && files[1].bytes.is_err(), "{files:?}");
        let mut gone = Folder::new(place.folder.path().join("none"), Arc::new(place.clock.clone()));
        assert_eq!(gone.changed().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
