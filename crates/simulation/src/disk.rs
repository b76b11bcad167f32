//! A disk that forgets at a power cut what nobody told it to keep.
//!
//! Host's folder store writes real files in a temporary folder and syncs them through [`SimulatedDisk`], which writes
//! down what was synced: the content of each file, and the names in each folder. [`SimulatedDisk::power_cut`] then puts
//! the folder into the state that the disk may be in afterwards: a name whose folder was not synced may be gone, a file
//! that was not synced may be empty, a file that was removed or replaced may be back. What may be lost is lost, or, with
//! dice, some of it is.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hosu_host::Syncer;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::gate::Gate;

/// A file, whatever it is called: its inode.
type Inode = u64;

/// The disk below one folder. Clones share it, and survive every crash.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    /// Beside the root: a second name for each file that was synced, so that its inode is not given to another.
    kept: PathBuf,
    contents: HashMap<Inode, Vec<u8>>,
    folders: HashMap<PathBuf, BTreeMap<OsString, Entry>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    File(Inode),
}

/// How much a power cut takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerCut {
    /// Everything that was not synced.
    TakesAll,
    /// Each thing that was not synced, or not, as dice of this seed fall.
    TakesSome(u64),
}

impl SimulatedDisk {
    /// The disk below `folder`, which must be empty. Its lake is in `folder/root`.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let (root, kept) = (folder.join("root"), folder.join("kept"));
        fs::create_dir_all(&root)?;
        fs::create_dir_all(&kept)?;
        let state = State { root, kept, contents: HashMap::new(), folders: HashMap::new() };
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// The folder that is durable by itself, and whose content is not.
    pub fn root(&self) -> PathBuf {
        self.lock().root.clone()
    }

    /// The disk as the actor behind `gate` syncs it: each sync is a call.
    pub fn syncer(&self, gate: Gate) -> GatedSyncer {
        GatedSyncer { disk: self.clone(), gate }
    }

    /// The power fails and comes back. No actor may be alive.
    pub fn power_cut(&self, power_cut: PowerCut) -> io::Result<()> {
        self.lock().power_cut(power_cut)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sync_file(&mut self, path: &Path) -> io::Result<()> {
        let inode = fs::metadata(path)?.ino();
        let content = fs::read(path)?;
        let kept = self.kept.join(inode.to_string());
        match fs::hard_link(path, kept) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.contents.insert(inode, content);
        Ok(())
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.starts_with(&self.root) {
            let names = names(folder)?;
            self.folders.insert(folder.to_owned(), names);
        }
        Ok(())
    }

    fn power_cut(&mut self, power_cut: PowerCut) -> io::Result<()> {
        let mut dice = match power_cut {
            PowerCut::TakesAll => None,
            PowerCut::TakesSome(seed) => Some(SmallRng::seed_from_u64(seed)),
        };
        let root = self.root.clone();
        let mut files = BTreeMap::new();
        let mut folders = Vec::new();
        self.survivors(&root, dice.as_mut(), &mut folders, &mut files)?;
        fs::remove_dir_all(&root)?;
        fs::create_dir_all(&root)?;
        folders.iter().try_for_each(fs::create_dir_all)?;
        files.iter().try_for_each(|(path, content)| fs::write(path, content))?;
        fs::remove_dir_all(&self.kept)?;
        fs::create_dir_all(&self.kept)?;
        // What is there after a restart was read from the disk, so it is durable.
        self.contents.clear();
        self.folders.clear();
        for path in files.keys() {
            self.sync_file(path)?;
        }
        self.sync_folder(&root)?;
        folders.iter().try_for_each(|folder| self.sync_folder(folder))
    }

    /// What is there after the power cut: folders, parents first, and files with their content.
    fn survivors(
        &self,
        folder: &Path,
        mut dice: Option<&mut SmallRng>,
        folders: &mut Vec<PathBuf>,
        files: &mut BTreeMap<PathBuf, Vec<u8>>,
    ) -> io::Result<()> {
        let durable = self.folders.get(folder).cloned().unwrap_or_default();
        let now = names(folder)?;
        let mut all: Vec<&OsString> = durable.keys().chain(now.keys()).collect();
        all.sort();
        all.dedup();
        for name in all {
            let (then, now) = (durable.get(name), now.get(name));
            let keeps_new = then == now || toss(&mut dice);
            let path = folder.join(name);
            match if keeps_new { now } else { then } {
                None => {}
                Some(Entry::Folder) => {
                    folders.push(path.clone());
                    if path.is_dir() {
                        self.survivors(&path, dice.as_deref_mut(), folders, files)?;
                    }
                }
                Some(Entry::File(inode)) => {
                    let content = match self.contents.get(inode) {
                        Some(synced) => synced.clone(),
                        None => unsynced(&path, *inode, &mut dice)?,
                    };
                    files.insert(path, content);
                }
            }
        }
        Ok(())
    }
}

/// What is left of a file that was never synced: nothing, or, if it still is where it was, some of it.
fn unsynced(path: &Path, inode: Inode, dice: &mut Option<&mut SmallRng>) -> io::Result<Vec<u8>> {
    let mut content = match fs::metadata(path) {
        Ok(metadata) if metadata.ino() == inode => fs::read(path)?,
        Ok(_) => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let left = dice.as_deref_mut().map_or(0, |dice| dice.random_range(0..=content.len()));
    content.truncate(left);
    Ok(content)
}

fn toss(dice: &mut Option<&mut SmallRng>) -> bool {
    dice.as_deref_mut().is_some_and(|dice| dice.random())
}

fn names(folder: &Path) -> io::Result<BTreeMap<OsString, Entry>> {
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            // Another thread renamed it meanwhile; its new name is synced by who gave it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let what = if metadata.is_dir() { Entry::Folder } else { Entry::File(metadata.ino()) };
        names.insert(entry.file_name(), what);
    }
    Ok(names)
}

/// The disk for one life of an actor.
#[derive(Debug)]
pub struct GatedSyncer {
    disk: SimulatedDisk,
    gate: Gate,
}

impl Syncer for GatedSyncer {
    fn sync_file(&self, path: &Path, _file: &File) -> io::Result<()> {
        let effect = || self.disk.lock().sync_file(path);
        self.gate.call_blocking(format_args!("sync {}", path.display()), effect).map_err(dead)?
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if !folder.starts_with(self.disk.root()) {
            return Ok(());
        }
        let effect = || self.disk.lock().sync_folder(folder);
        self.gate.call_blocking(format_args!("sync folder {}", folder.display()), effect).map_err(dead)?
    }
}

fn dead(_: crate::gate::Crashed) -> io::Error {
    io::Error::other("the actor is dead")
}

#[cfg(test)]
mod tests;
