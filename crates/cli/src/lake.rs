//! From the configuration to an open lake: the host, the catalog, and a look at the folder before anything trusts it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hosu_host::{Host, RandomIds, RetryPolicy, Scratch, Store, SystemClock};

use crate::config::{Config, LakeConfig};

/// Why a place cannot be a lake.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A file stands where the folder should be.
    #[error("{} is a file, not the folder of a lake", path.display())]
    File {
        /// What was named.
        path: PathBuf,
    },
    /// A folder of other things.
    #[error("{} is not a lake: it holds `{found}` and no catalog.db", path.display())]
    NotALake {
        /// What was named.
        path: PathBuf,
        /// The first thing that is in it.
        found: String,
    },
    /// A folder stands where the catalog's file should be.
    #[error("the catalog {} is a folder, not a file", path.display())]
    CatalogIsFolder {
        /// The catalog's path.
        path: PathBuf,
    },
    /// It cannot be looked at.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// What was named.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The machine as the configuration describes it.
pub fn host(config: &Config) -> Host {
    let scratch = config.query.spill.clone().map_or_else(Scratch::system, Scratch::in_folder);
    let clock = Arc::new(SystemClock::new());
    let mut retry = RetryPolicy::default();
    retry.total_max = config.s3_retry.unwrap_or(retry.total_max);
    let store = Store::new(Some(config.s3.clone())).with_retry(retry);
    Host::new(store, clock, Arc::new(RandomIds), scratch)
}

/// Looks whether there is a lake, or room for one, so that a mistyped folder does not become one.
///
/// # Errors
/// A file, or a folder of other things, stands there.
pub fn check(lake: &LakeConfig) -> Result<(), LakeError> {
    if lake.catalog.is_dir() {
        return Err(LakeError::CatalogIsFolder { path: lake.catalog.clone() });
    }
    match &lake.folder {
        Some(folder) if !lake.catalog.exists() => check_new(folder, &lake.warehouse),
        _ => Ok(()),
    }
}

/// A new lake's folder is absent, empty, or holds the warehouse of a first run that was broken off.
fn check_new(folder: &Path, warehouse: &hosu_host::Location) -> Result<(), LakeError> {
    let unreadable = |source| LakeError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(LakeError::File { path: folder.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        if Some(entry.path()) != warehouse.local_path() {
            let found = entry.file_name().to_string_lossy().into_owned();
            return Err(LakeError::NotALake { path: folder.to_owned(), found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hosu_host::Location;

    use super::*;

    fn lake(folder: &Path) -> LakeConfig {
        LakeConfig {
            name: "hosu".to_owned(),
            catalog: folder.join("catalog.db"),
            warehouse: Location::parse(folder.join("warehouse").to_str().unwrap()).unwrap(),
            folder: Some(folder.to_owned()),
        }
    }

    #[test]
    fn a_new_lake_may_be_absent_empty_or_begun() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(&lake(&folder.path().join("new"))).is_ok());
        assert!(check(&lake(folder.path())).is_ok());
        fs::create_dir(folder.path().join("warehouse")).unwrap();
        assert!(check(&lake(folder.path())).is_ok());
    }

    #[test]
    fn a_folder_of_other_things_is_not_a_lake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "x").unwrap();
        let error = check(&lake(folder.path())).unwrap_err();
        assert!(error.to_string().contains("letter.txt"), "{error}");
        fs::write(folder.path().join("catalog.db"), "").unwrap();
        assert!(check(&lake(folder.path())).is_ok());
    }

    #[test]
    fn a_file_is_not_a_lake() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.txt");
        fs::write(&file, "x").unwrap();
        assert!(matches!(check(&lake(&file)), Err(LakeError::File { .. })));
        fs::create_dir(folder.path().join("catalog.db")).unwrap();
        assert!(matches!(check(&lake(folder.path())), Err(LakeError::CatalogIsFolder { .. })));
    }
}
