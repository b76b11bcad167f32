//! A lake in a temporary folder, and the rows that are in it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use hosu_catalog::{Catalog, CatalogSettings, Table};
use hosu_host::{Host, Location};
use hosu_table::name::TableName;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;

use crate::ingest::ingest;
use crate::{CollectError, CollectSettings, IngestRequest, NoProgress, Report};

pub struct Lake {
    pub dir: TempDir,
    pub catalog: Catalog,
}

impl Lake {
    pub fn new() -> Self {
        Self::seeded(7)
    }

    pub fn seeded(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Self::open(&dir, seed);
        Self { dir, catalog }
    }

    fn open(dir: &TempDir, seed: u64) -> Catalog {
        let lake = dir.path().join("lake");
        let warehouse = Location::parse(lake.join("warehouse").to_str().unwrap()).unwrap();
        Catalog::open(Host::seeded(seed), CatalogSettings::in_folder(&lake, warehouse))
    }

    /// The same lake as another process sees it.
    pub fn other_process(&self, seed: u64) -> Catalog {
        Self::open(&self.dir, seed)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Writes a source, compressed as its name says.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let bytes = match name.rsplit('.').next() {
            Some("gz") => gzip(text),
            Some("zst") => zstd::encode_all(text, 1).unwrap(),
            _ => text.to_vec(),
        };
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn request(&self, sources: &[&str]) -> IngestRequest {
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        let mut request = IngestRequest::new(TableName::parse("events").unwrap(), sources, self.path(""));
        request.settings = CollectSettings { cores: 2, memory_bytes: 64 << 20, ..CollectSettings::default() };
        request
    }

    pub async fn run(&self, request: IngestRequest) -> Result<Report, CollectError> {
        ingest(&self.catalog, request, Arc::new(NoProgress), None).await
    }

    pub async fn ingest(&self, sources: &[&str]) -> Result<Report, CollectError> {
        self.run(self.request(sources)).await
    }

    pub async fn table(&self, name: &str) -> Option<Arc<Table>> {
        self.catalog.load(&TableName::parse(name).unwrap()).await.unwrap()
    }

    /// The rows of a table as JSON, sorted by their text; columns that are null are left out.
    pub async fn rows(&self, name: &str) -> Vec<Value> {
        let Some(table) = self.table(name).await else { return Vec::new() };
        let mut rows = Vec::new();
        for file in self.files(&table).await {
            rows.extend(rows_of(self.catalog.host(), &file).await);
        }
        rows.sort_by_key(Value::to_string);
        rows
    }

    /// The live data files of a table.
    pub async fn files(&self, table: &Table) -> Vec<String> {
        let Some(snapshot) = table.snapshot() else { return Vec::new() };
        let mut files = Vec::new();
        for manifest in self.catalog.manifests(table, snapshot).await.unwrap().iter() {
            let decoded = self.catalog.entries(manifest).await.unwrap();
            let live = decoded.entries.iter().filter(|entry| entry.is_alive());
            files.extend(live.map(|entry| entry.data_file().file_path().to_owned()));
        }
        files
    }

    /// All Parquet files in the warehouse, whether a table has them or not.
    pub fn parquet_files(&self) -> usize {
        let pattern = format!("{}/lake/warehouse/**/*.parquet", self.path("").display());
        glob::glob(&pattern).unwrap().count()
    }

    pub async fn columns(&self, name: &str) -> Vec<String> {
        let table = self.table(name).await.unwrap();
        let fields = table.schema().as_struct().fields();
        fields
            .iter()
            .map(|f| format!("{} {}", f.name, hosu_table::evolve::type_text(&f.field_type)))
            .collect()
    }
}

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn rows_of(host: &Host, file: &str) -> Vec<Value> {
    let bytes = host.store.get(&Location::parse(file).unwrap()).await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
    for batch in reader {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Lines of JSON from values.
pub fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}
