//! The lake's own files. A folder or pattern around the lake does not mean them: what an ingest writes would be the next one's
//! source, and a follower would never come to an end.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use hosu_catalog::Catalog;
use hosu_host::Location;

use super::{Found, LeftOut, OWN, Source, SourceKind};

/// What SQLite keeps beside its file.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// What belongs to the lake itself.
#[derive(Clone, Debug, Default)]
pub struct Own {
    warehouse: Option<Location>,
    paths: Vec<PathBuf>,
}

impl Own {
    /// The files of a lake.
    pub fn of(catalog: &Catalog) -> Self {
        let beside = |suffix| {
            let mut name = catalog.database_path().as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let paths = catalog.warehouse().local_path().into_iter().chain(BESIDE.map(beside)).collect();
        Self { warehouse: Some(catalog.warehouse().clone()), paths }
    }

    /// What lies in a warehouse.
    #[cfg(test)]
    pub(super) fn in_warehouse(warehouse: Location) -> Self {
        Self { warehouse: Some(warehouse), paths: Vec::new() }
    }

    /// Whether a path is the warehouse, or a file of the catalog. Blocks.
    pub(super) fn has(&self, path: &Path) -> bool {
        let named = |own: &&PathBuf| {
            own.file_name().unwrap_or(OsStr::new("")) == path.file_name().unwrap_or_default()
        };
        let mut alike = self.paths.iter().filter(named).peekable();
        alike.peek().is_some()
            && path
                .canonicalize()
                .is_ok_and(|path| alike.any(|own| own.canonicalize().is_ok_and(|own| own == path)))
    }

    /// Leaves out the objects of the warehouse that a text has found from outside.
    pub(super) fn leave_out(&self, text: &str, found: &mut Found) {
        let Some(warehouse) = &self.warehouse else { return };
        let is_own = |source: &Source| match &source.kind {
            SourceKind::Object { location, .. } => location.starts_with(warehouse),
            _ => false,
        };
        if found.sources.iter().any(is_own)
            && !spelled_out(text).is_some_and(|text| text.starts_with(warehouse))
        {
            found.sources.retain(|source| !is_own(source));
            found.left_out.push(LeftOut { path: warehouse.to_string(), reason: OWN });
        }
    }
}

/// The folder that a pattern spells out; all of a text that is none.
fn spelled_out(text: &str) -> Option<Location> {
    let spelled = text.split(['*', '?', '[', '{']).next()?;
    let folder = spelled.rsplit_once('/').map_or(spelled, |(folder, _)| folder);
    Location::parse(if spelled.len() == text.len() { text } else { folder }).ok()
}
