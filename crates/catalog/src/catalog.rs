//! The catalog: what exists, and each table as it is now.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hosu_host::{Host, Location};
use hosu_table::name::{self, DEFAULT_DATABASE, TableName};
use iceberg::spec::{ManifestFile, Snapshot};
use uuid::Uuid;

use crate::cache::{DecodedManifest, FileCache};
use crate::commit::{Commit, TableChange};
use crate::database::{Change, Database, LedgerRow, Refusal, Transaction, TransactionOutcome};
use crate::error::CatalogError;
use crate::files::Files;
use crate::sqlite::SqliteDatabase;
use crate::table::Table;
use hosu_table::commit::NewTable;

/// Where a catalog is.
#[derive(Clone, Debug)]
pub struct CatalogSettings {
    /// `catalog_name` in the database; other engines must say the same.
    pub name: String,
    /// The SQLite file.
    pub database: PathBuf,
    /// The folder or bucket prefix of the tables that are made here.
    pub warehouse: Location,
    /// How much memory decoded metadata and manifests may take.
    pub cache_bytes: usize,
}

impl CatalogSettings {
    /// A lake in a folder: `catalog.db` and `warehouse` in it.
    pub fn in_folder(folder: &Path, warehouse: Location) -> Self {
        let database = folder.join("catalog.db");
        Self { name: "hosu".to_owned(), database, warehouse, cache_bytes: CACHE_BYTES }
    }
}

/// Enough for the manifests of some 100,000 data files.
pub const CACHE_BYTES: usize = 256 << 20;

/// Which tables exist and what they are. Clones share everything.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) files: Files,
    name: Arc<str>,
    warehouse: Location,
    database_path: Arc<Path>,
}

impl Catalog {
    /// The catalog in a SQLite file. Touches nothing: a file that is not there reads as an empty lake, and the first
    /// write makes it.
    pub fn open(host: Host, settings: CatalogSettings) -> Self {
        let database = Arc::new(SqliteDatabase::new(settings.database.clone(), settings.name.clone()));
        Self::with_database(host, settings, database)
    }

    /// The catalog behind any database; the file in the settings is not looked at.
    pub fn with_database(host: Host, settings: CatalogSettings, database: Arc<dyn Database>) -> Self {
        let files = Files { host, cache: FileCache::new(settings.cache_bytes) };
        let CatalogSettings { name, database: database_path, warehouse, .. } = settings;
        Self { database, files, name: name.into(), warehouse, database_path: database_path.into() }
    }

    /// The machine that the catalog works on.
    pub fn host(&self) -> &Host {
        &self.files.host
    }

    /// The same catalog, its cache included, on another view of the machine: one with a meter of its own, say.
    #[must_use]
    pub fn on_host(&self, host: Host) -> Self {
        Self { files: Files { host, cache: self.files.cache.clone() }, ..self.clone() }
    }

    /// `catalog_name` in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where tables are made.
    pub fn warehouse(&self) -> &Location {
        &self.warehouse
    }

    /// The SQLite file that the settings name.
    pub fn database_path(&self) -> &Path {
        &self.database_path
    }

    /// All databases in order of their names; [`DEFAULT_DATABASE`] is always among them.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn databases(&self) -> Result<Vec<String>, CatalogError> {
        let mut databases = self.database.databases().await?;
        if let Err(at) = databases.binary_search_by(|name| name.as_str().cmp(DEFAULT_DATABASE)) {
            databases.insert(at, DEFAULT_DATABASE.to_owned());
        }
        Ok(databases)
    }

    /// The properties of a database; none when there is no such database.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn database_properties(
        &self,
        database: &str,
    ) -> Result<Option<HashMap<String, String>>, CatalogError> {
        let properties = self.database.database_properties(database).await?;
        Ok(properties.or_else(|| (database == DEFAULT_DATABASE).then(HashMap::new)))
    }

    /// Makes a database.
    ///
    /// # Errors
    /// [`CatalogError::DatabaseExists`], [`CatalogError::Database`].
    pub async fn create_database(
        &self,
        database: &str,
        properties: HashMap<String, String>,
    ) -> Result<(), CatalogError> {
        if database == DEFAULT_DATABASE {
            return Err(CatalogError::DatabaseExists { database: database.to_owned() });
        }
        let change = Change::CreateDatabase { database: database.to_owned(), properties, exists_ok: false };
        self.change(change).await
    }

    /// Removes a database that has no tables.
    ///
    /// # Errors
    /// [`CatalogError::DatabaseNotFound`], [`CatalogError::DatabaseNotEmpty`], [`CatalogError::Database`].
    pub async fn drop_database(&self, database: &str) -> Result<(), CatalogError> {
        self.change(Change::DropDatabase { database: database.to_owned() }).await
    }

    /// The tables of a database in order of their names.
    ///
    /// # Errors
    /// [`CatalogError::DatabaseNotFound`], [`CatalogError::Database`].
    pub async fn tables(&self, database: &str) -> Result<Vec<TableName>, CatalogError> {
        let tables = self.database.tables(database).await?;
        if tables.is_empty() && self.database_properties(database).await?.is_none() {
            return Err(self.no_database(database).await);
        }
        Ok(tables)
    }

    /// A table as it is now; none when there is no such table.
    ///
    /// # Errors
    /// Whatever keeps its metadata from being read.
    pub async fn load(&self, name: &TableName) -> Result<Option<Arc<Table>>, CatalogError> {
        let Some(pointer) = self.database.pointer(name).await? else { return Ok(None) };
        let metadata_location = pointer.metadata_location;
        let metadata = self.files.metadata(&metadata_location).await?;
        let location = Location::parse(metadata.location())
            .map_err(|source| CatalogError::Location { table: name.clone(), source })?;
        Ok(Some(Arc::new(Table { name: name.clone(), metadata, metadata_location, location })))
    }

    /// As [`Catalog::load`], with an error that helps when there is no such table.
    ///
    /// # Errors
    /// [`CatalogError::TableNotFound`], [`CatalogError::DatabaseNotFound`], and as [`Catalog::load`].
    pub async fn require(&self, name: &TableName) -> Result<Arc<Table>, CatalogError> {
        match self.load(name).await? {
            Some(table) => Ok(table),
            None => Err(self.no_table(name).await),
        }
    }

    /// Makes a table without rows; its database too if it is missing and `make_database` says so.
    ///
    /// # Errors
    /// [`CatalogError::TableExists`], [`CatalogError::DatabaseNotFound`], and as [`Catalog::commit`].
    pub async fn create_table(
        &self,
        name: TableName,
        new: NewTable,
        make_database: bool,
    ) -> Result<Arc<Table>, CatalogError> {
        let change =
            TableChange::Create { name: name.clone(), new: Box::new(new), append: None, make_database };
        let committed = self.commit(Commit { tables: vec![change], ..Commit::default() }).await?;
        match committed.tables.into_iter().next() {
            Some(table) => Ok(table),
            None => Err(self.no_table(&name).await),
        }
    }

    /// Removes a table from the catalog. Its files stay where they are.
    ///
    /// # Errors
    /// [`CatalogError::TableNotFound`], [`CatalogError::Contended`], [`CatalogError::Database`].
    pub async fn drop_table(&self, name: &TableName) -> Result<(), CatalogError> {
        const ATTEMPTS: u32 = 20;
        for _ in 0..ATTEMPTS {
            let Some(pointer) = self.database.pointer(name).await? else {
                return Err(self.no_table(name).await);
            };
            let change = Change::DropTable { name: name.clone(), from: pointer.metadata_location };
            match self.outcome_of(change).await? {
                TransactionOutcome::Refused(Refusal::TableMoved(_)) => {}
                TransactionOutcome::Refused(refusal) => return Err(self.refused(refusal).await),
                TransactionOutcome::Done => return Ok(()),
            }
        }
        Err(CatalogError::Contended { table: name.clone(), attempts: ATTEMPTS })
    }

    /// Gives a table another name. Its files stay where they are.
    ///
    /// # Errors
    /// [`CatalogError::TableNotFound`], [`CatalogError::TableExists`], [`CatalogError::DatabaseNotFound`],
    /// [`CatalogError::Database`].
    pub async fn rename_table(&self, name: &TableName, to: &TableName) -> Result<(), CatalogError> {
        self.change(Change::RenameTable { name: name.clone(), to: to.clone() }).await
    }

    /// The manifests of a snapshot, of data and of delete files.
    ///
    /// # Errors
    /// [`CatalogError::Store`], [`CatalogError::Unreadable`].
    pub async fn manifests(
        &self,
        table: &Table,
        snapshot: &Snapshot,
    ) -> Result<Arc<Vec<ManifestFile>>, CatalogError> {
        self.files.manifest_list(snapshot.manifest_list(), table.metadata.format_version()).await
    }

    /// The entries of a manifest.
    ///
    /// # Errors
    /// [`CatalogError::Store`], [`CatalogError::Unreadable`].
    pub async fn entries(&self, manifest: &ManifestFile) -> Result<Arc<DecodedManifest>, CatalogError> {
        self.files.manifest(manifest).await
    }

    /// What the ledger knows of these sources of a table, oldest first; everything when `sources` is none.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn ledger(
        &self,
        table_uuid: Uuid,
        sources: Option<&[String]>,
    ) -> Result<Vec<LedgerRow>, CatalogError> {
        Ok(self.database.ledger(table_uuid, sources).await?)
    }

    /// What is wrong with the database's own file; empty when it is sound.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn database_problems(&self) -> Result<Vec<String>, CatalogError> {
        Ok(self.database.problems().await?)
    }

    async fn change(&self, change: Change) -> Result<(), CatalogError> {
        match self.outcome_of(change).await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(refusal) => Err(self.refused(refusal).await),
        }
    }

    async fn outcome_of(&self, change: Change) -> Result<TransactionOutcome, CatalogError> {
        Ok(self.database.transact(Transaction { changes: vec![change], ..Transaction::default() }).await?)
    }

    /// The error that a person understands.
    pub(crate) async fn refused(&self, refusal: Refusal) -> CatalogError {
        match refusal {
            Refusal::DatabaseExists(database) => CatalogError::DatabaseExists { database },
            Refusal::DatabaseMissing(database) => self.no_database(&database).await,
            Refusal::DatabaseNotEmpty(database) => CatalogError::DatabaseNotEmpty { database },
            Refusal::TableExists(name) => CatalogError::TableExists { name },
            Refusal::TableMissing(name) => self.no_table(&name).await,
            Refusal::TableMoved(table) => CatalogError::Contended { table, attempts: 1 },
            Refusal::AlreadyIngested(sources) => CatalogError::AlreadyIngested { sources },
            Refusal::LeaseHeld { name, holder, until_ms } => {
                CatalogError::LeaseHeld { name, holder, until_ms }
            }
            Refusal::LeaseLost { name } => CatalogError::LeaseLost { name },
        }
    }

    async fn no_table(&self, name: &TableName) -> CatalogError {
        let tables = match self.tables(&name.database).await {
            Ok(tables) => tables,
            Err(error @ CatalogError::DatabaseNotFound { .. }) => return error,
            Err(_) => Vec::new(),
        };
        let nearest = name::nearest(&name.table, tables.iter().map(|table| table.table.as_str()))
            .map(|table| TableName::stored(name.database.clone(), table));
        CatalogError::TableNotFound { name: name.clone(), nearest }
    }

    async fn no_database(&self, database: &str) -> CatalogError {
        let databases = self.databases().await.unwrap_or_default();
        let nearest = name::nearest(database, databases.iter().map(String::as_str)).map(str::to_owned);
        CatalogError::DatabaseNotFound { database: database.to_owned(), nearest }
    }
}
