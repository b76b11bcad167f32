//! What was typed before, kept in a file: one entry a line, several shells at once, nobody else may read it.
//!
//! Each entry is added by one write at the end of the file under a lock, so that shells side by side lose nothing of each
//! other's and a killed one loses nothing at all. A file that has grown too long is replaced as a whole when a shell starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Entries that are kept.
pub const ENTRIES_MAX: usize = 10_000;
/// A longer entry is not kept.
const ENTRY_BYTES_MAX: usize = super::keys::DRAWN_BYTES_MAX;
/// The file is read up to here from its end.
const FILE_BYTES_MAX: usize = 32 << 20;

/// The file, and the entries that were in it.
#[derive(Debug)]
pub struct History {
    path: Option<PathBuf>,
    last: Option<String>,
}

impl History {
    /// Opens the file, which need not be there; the entries of it, oldest first. Without a path nothing is kept.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn open(path: Option<PathBuf>) -> (Self, Vec<String>, io::Result<()>) {
        let read = path.as_deref().map_or(Ok(Vec::new()), load);
        let (entries, outcome) = match read {
            Ok(entries) => (entries, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        (Self { path, last: entries.last().cloned() }, entries, outcome)
    }

    /// Adds an entry; whether it is one to remember: not empty, not too long, not the last one again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, entry: &str) -> io::Result<bool> {
        let entry = entry.trim_end();
        if entry.trim().is_empty() || entry.len() > ENTRY_BYTES_MAX || self.last.as_deref() == Some(entry) {
            return Ok(false);
        }
        self.last = Some(entry.to_owned());
        if let Some(path) = &self.path {
            let mut line = to_line(entry);
            line.push('\n');
            let mut file = open_locked(path)?;
            file.write_all(line.as_bytes())?;
        }
        Ok(true)
    }
}

/// The entries of a file, oldest first. A file with many more than are kept is made shorter.
fn load(path: &Path) -> io::Result<Vec<String>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(2 * FILE_BYTES_MAX as u64).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let kept = lines.get(lines.len().saturating_sub(ENTRIES_MAX)..).unwrap_or_default();
    if lines.len() > 2 * ENTRIES_MAX || bytes.len() > FILE_BYTES_MAX {
        // If that fails the file is only longer than it need be.
        let _ = shorten(path, ENTRIES_MAX);
    }
    Ok(kept.iter().map(|line| of_line(line)).collect())
}

/// Puts a file with the last entries in the place of this one. Who holds the lock of the old one looks again.
fn shorten(path: &Path, entries: usize) -> io::Result<()> {
    let lock = open_locked(path)?;
    let text = fs::read(path)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let mut kept = lines.get(lines.len().saturating_sub(entries)..).unwrap_or_default().join("\n");
    kept.push('\n');
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(kept.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    drop(lock);
    Ok(())
}

/// The file, locked, to write at its end; made with its folders when it is not there.
fn open_locked(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    loop {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.lock()?;
        // Another shell may have put a shorter file in its place before we had the lock.
        let same =
            fs::metadata(path).is_ok_and(|now| file.metadata().is_ok_and(|ours| now.ino() == ours.ino()));
        if same {
            return Ok(file);
        }
    }
}

fn to_line(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn of_line(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => entry.push('\n'),
            ('\\', Some('r')) => entry.push('\r'),
            ('\\', Some(other)) => entry.push(other),
            (c, _) => entry.push(c),
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn entries(path: &Path) -> Vec<String> {
        History::open(Some(path.to_owned())).1
    }

    #[test]
    fn entries_survive_with_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/hosu/history");
        let typed = ["select 1;", "select 'a\\n\\\\',\n  2;", "\\d t", "select '한국어'\r;"];
        let (mut history, before, outcome) = History::open(Some(path.clone()));
        assert!(before.is_empty() && outcome.is_ok());
        for entry in typed {
            assert!(history.add(entry).unwrap());
        }
        assert!(!history.add("select '한국어'\r;\n").unwrap(), "the last one again");
        assert!(!history.add(" \n").unwrap());
        assert!(!history.add(&"x".repeat(ENTRY_BYTES_MAX + 1)).unwrap());
        assert_eq!(entries(&path), typed);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn shells_side_by_side_keep_each_others_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        std::thread::scope(|scope| {
            for shell in 0..4 {
                let path = path.clone();
                scope.spawn(move || {
                    let mut history = History::open(Some(path.clone())).0;
                    for at in 0..100 {
                        history.add(&format!("select {shell},\n{at};")).unwrap();
                        if at % 25 == 0 {
                            shorten(&path, 1000).unwrap();
                        }
                    }
                });
            }
        });
        let mut found = entries(&path);
        assert_eq!(found.len(), 400);
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 400);
    }

    #[test]
    fn a_file_that_grew_too_long_is_made_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let lines: String = (0..2 * ENTRIES_MAX + 1).map(|at| format!("select {at};\n")).collect();
        fs::write(&path, lines).unwrap();
        let found = entries(&path);
        assert_eq!((found.len(), found.last().unwrap().as_str()), (ENTRIES_MAX, "select 20000;"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), ENTRIES_MAX);
        assert_eq!(entries(&path), found);
        fs::write(&path, b"select 1;\n\xff\xfe\n\\").unwrap();
        assert_eq!(entries(&path).len(), 3, "bytes that are no text do not stop a shell");
    }

    #[test]
    fn without_a_file_the_shell_works() {
        let mut history = History::open(None).0;
        assert!(history.add("select 1;").unwrap());
        let folder = tempfile::tempdir().unwrap();
        let (mut history, entries, outcome) = History::open(Some(folder.path().to_owned()));
        assert!(entries.is_empty() && outcome.is_err());
        assert!(history.add("select 1;").is_err());
    }
}
