//! What outlives every actor: the objects, the database, the clock, and the book of what was promised to whom.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{Catalog, CatalogSettings, SqliteDatabase};
use hosu_host::object_store::local::LocalFileSystem;
use hosu_host::object_store::path::Path;
use hosu_host::object_store::{Error, ObjectStore, PutMode};
use hosu_host::{Host, LocalStore, Location, LocationError, ManualClock, Scratch, SeededIds, Store};
use tempfile::TempDir;

use crate::book::Book;
use crate::database::{LateTransactions, SimulatedDatabase};
use crate::disk::{PowerCut, SimulatedDisk};
use crate::gate::Gate;
use crate::store::{Medium, SimulatedStore};

/// Where a simulated lake keeps its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A bucket in memory: what is there is durable; answers get lost.
    Bucket,
    /// A folder on a disk that forgets what was not synced.
    Folder,
    /// The same, written by object_store's own folder store, which syncs nothing: to prove that this would be found.
    UnsyncedFolder,
}

/// A simulated world, new and empty. What is in it goes with it.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    storage: Storage,
    bucket: Medium,
    disk: SimulatedDisk,
    clock: ManualClock,
    late: Option<LateTransactions>,
    /// How the table is parted that batches are sent to; none for one file a batch.
    pub partition_by: Option<&'static str>,
    /// What was promised to whom.
    pub book: Book,
}

/// When every story begins.
const START_MS: i64 = 1_750_000_000_000;

impl World {
    /// An empty world, in which a batch is two files.
    pub fn new(storage: Storage) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let disk_folder = folder.path().join("disk");
        fs::create_dir(&disk_folder)?;
        let disk = SimulatedDisk::new(&disk_folder)?;
        let clock = ManualClock::at_ms(START_MS);
        let (bucket, book) = (Medium::bucket(), Book::default());
        let partition_by = Some("bucket(2, place)");
        Ok(Self { folder, storage, bucket, disk, clock, late: None, partition_by, book })
    }

    /// A world whose database may do later what its client gave up waiting for, as a server behind a network may.
    #[must_use]
    pub fn with_late_transactions(self) -> Self {
        Self { late: Some(LateTransactions::default()), ..self }
    }

    /// The bucket, without faults. Sources lie in it whatever the storage is.
    pub fn bucket(&self) -> &Medium {
        &self.bucket
    }

    /// Where sources and, in a bucket, tables lie.
    pub fn source(&self, name: &str) -> String {
        format!("s3://sim/sources/{name}")
    }

    /// Lays a source where [`World::source`] says, unless it is there: one that is written again has another ETag in
    /// this bucket, and would be another source.
    pub async fn put_source(&self, name: &str, content: String) -> hosu_host::object_store::Result<()> {
        let path = Path::from(format!("sources/{name}"));
        match self.bucket.objects().put_opts(&path, content.into(), PutMode::Create.into()).await {
            Err(Error::AlreadyExists { .. }) => Ok(()),
            result => result.map(drop),
        }
    }

    /// The machine as the actor behind `gate` sees it, with the ids of `seed`.
    pub fn host(&self, gate: &Gate, seed: u64) -> Host {
        let bucket = SimulatedStore::new(self.bucket.clone(), gate.clone());
        let folder = LocalStore::with_syncer(Arc::new(self.disk.syncer(gate.clone())));
        let folder: Arc<dyn ObjectStore> = match self.storage {
            Storage::UnsyncedFolder => Arc::new(LocalFileSystem::new()),
            Storage::Bucket | Storage::Folder => Arc::new(folder),
        };
        let folder = SimulatedStore::new(Medium::over(folder), gate.clone());
        let store = Store::new(None)
            .with_multipart_backend("s3://sim", Arc::new(bucket))
            .with_backend("file://", Arc::new(folder));
        let (clock, ids) = (Arc::new(self.clock.clone()), Arc::new(SeededIds::new(seed)));
        Host::new(store, clock, ids, Scratch::in_folder(self.folder.path().join("scratch")))
    }

    /// The lake as the actor behind `gate` sees it, newly opened: nothing is remembered from an earlier life.
    pub fn open(&self, gate: &Gate, seed: u64) -> Result<Catalog, LocationError> {
        let warehouse = match self.storage {
            Storage::Bucket => Location::parse("s3://sim/warehouse")?,
            Storage::Folder | Storage::UnsyncedFolder => {
                Location::parse(&self.disk.root().join("warehouse").display().to_string())?
            }
        };
        let settings = CatalogSettings::in_folder(self.folder.path(), warehouse);
        let sqlite = SqliteDatabase::new(settings.database.clone(), settings.name.clone());
        let database = SimulatedDatabase::new(Arc::new(sqlite), gate.clone(), self.late.clone());
        Ok(Catalog::with_database(self.host(gate, seed), settings, Arc::new(database)))
    }

    /// The lake without faults, for auditors.
    pub fn open_for_audit(&self) -> Result<Catalog, LocationError> {
        self.open(&Gate::open(), u64::MAX)
    }

    /// Time passes.
    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Everything that is still on its way arrives.
    pub async fn settle(&self) -> Result<(), Box<dyn std::error::Error>> {
        while self.bucket.late_writes() > 0 {
            self.bucket.land_one().await?;
        }
        if let Some(late) = &self.late {
            let settings =
                CatalogSettings::in_folder(self.folder.path(), Location::parse("s3://sim/warehouse")?);
            let sqlite = SqliteDatabase::new(settings.database, settings.name);
            while late.count() > 0 {
                late.land_one(&sqlite).await?;
            }
        }
        Ok(())
    }

    /// The machine loses its power; no actor may be alive. What was on its way in the network is lost too.
    pub fn power_cut(&self, power_cut: PowerCut) -> io::Result<()> {
        self.bucket.lose_late_writes();
        match self.storage {
            Storage::Bucket => Ok(()),
            Storage::Folder | Storage::UnsyncedFolder => self.disk.power_cut(power_cut),
        }
    }
}
