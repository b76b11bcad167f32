//! Temporary local files for what does not fit into memory. They have no name, so nothing is left behind after a crash.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Where temporary files lie.
#[derive(Clone, Debug)]
pub struct Scratch {
    folder: Option<PathBuf>,
}

impl Scratch {
    /// Temporary files in `folder`, which is made when the first one is asked for.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// Temporary files where the system keeps them.
    pub fn system() -> Self {
        Self { folder: None }
    }

    /// The folder, where one was chosen.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// A new empty file for reading and writing, without a name: it is gone when it is closed. Blocks.
    pub fn file(&self) -> io::Result<File> {
        match &self.folder {
            None => tempfile::tempfile(),
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                tempfile::tempfile_in(folder)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn a_scratch_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::in_folder(folder.path().join("spill"));
        let mut file = scratch.file().unwrap();
        file.write_all(b"rows").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "rows");
        assert_eq!(std::fs::read_dir(folder.path().join("spill")).unwrap().count(), 0);
        assert!(Scratch::system().file().is_ok());
    }
}
