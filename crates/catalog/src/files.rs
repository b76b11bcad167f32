//! Reads the files of tables, each once: metadata, manifest lists, manifests.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;
use hosu_host::{Host, Location};
use iceberg::spec::{
    FormatVersion, Manifest, ManifestEntry, ManifestFile, ManifestList, ManifestStatus, TableMetadata,
    TableMetadataRef,
};

use crate::cache::{Decoded, DecodedManifest, FileCache};
use crate::error::CatalogError;
use crate::manifest;

/// The files of a catalog's tables, through its cache.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub host: Host,
    pub cache: FileCache,
}

impl Files {
    pub async fn metadata(&self, location: &str) -> Result<TableMetadataRef, CatalogError> {
        if let Some(Decoded::Metadata { metadata, .. }) = self.cache.get(location) {
            return Ok(metadata);
        }
        let bytes = self.host.store.get(&self.place(location, "table metadata")?).await?;
        let json = gunzip(&bytes).map_err(|error| unreadable(location, "table metadata", error))?;
        let metadata: TableMetadata =
            serde_json::from_slice(&json).map_err(|error| unreadable(location, "table metadata", error))?;
        let metadata = Arc::new(metadata);
        let decoded = Decoded::Metadata { metadata: metadata.clone(), json_bytes: json.len() };
        self.cache.insert(location, decoded);
        Ok(metadata)
    }

    pub async fn manifest_list(
        &self,
        location: &str,
        version: FormatVersion,
    ) -> Result<Arc<Vec<ManifestFile>>, CatalogError> {
        if let Some(Decoded::List(list)) = self.cache.get(location) {
            return Ok(list);
        }
        let bytes = self.host.store.get(&self.place(location, "a manifest list")?).await?;
        let list = ManifestList::parse_with_version(&bytes, version)
            .map_err(|error| unreadable(location, "a manifest list", error))?;
        let list = Arc::new(list.consume_entries().into_iter().collect::<Vec<_>>());
        self.cache.insert(location, Decoded::List(list.clone()));
        Ok(list)
    }

    pub async fn manifest(&self, file: &ManifestFile) -> Result<Arc<DecodedManifest>, CatalogError> {
        let location = &file.manifest_path;
        if let Some(Decoded::Manifest(manifest)) = self.cache.get(location) {
            return Ok(manifest);
        }
        let manifest = self.manifest_once(file).await?;
        self.cache.insert(location, Decoded::Manifest(manifest.clone()));
        Ok(manifest)
    }

    /// A manifest that nobody will ask for again: it does not push out what others need.
    pub async fn manifest_once(&self, file: &ManifestFile) -> Result<Arc<DecodedManifest>, CatalogError> {
        let location = &file.manifest_path;
        if let Some(Decoded::Manifest(manifest)) = self.cache.get(location) {
            return Ok(manifest);
        }
        let bytes = self.host.store.get(&self.place(location, "a manifest")?).await?;
        let manifest = parse(bytes).await.map_err(|reason| unreadable(location, "a manifest", reason))?;
        Ok(Arc::new(decoded(manifest, file)))
    }

    fn place(&self, location: &str, what: &'static str) -> Result<Location, CatalogError> {
        Location::parse(location).map_err(|error| unreadable(location, what, error.reason))
    }
}

/// Manifests that are larger are decoded beside each other, on threads that may work for long.
const INLINE_BYTES_MAX: usize = 64 << 10;

async fn parse(bytes: Bytes) -> Result<Manifest, String> {
    if bytes.len() <= INLINE_BYTES_MAX {
        return manifest::parse(&bytes).map_err(|error| error.to_string());
    }
    let parsed = tokio::task::spawn_blocking(move || manifest::parse(&bytes)).await;
    parsed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// The spec crate leaves the numbers that entries inherit from their manifest to who loads it.
pub(crate) fn decoded(manifest: Manifest, file: &ManifestFile) -> DecodedManifest {
    let (entries, metadata) = manifest.into_parts();
    let entries = entries.into_iter().map(|entry| Arc::new(inherit(Arc::unwrap_or_clone(entry), file)));
    DecodedManifest {
        spec_id: file.partition_spec_id,
        schema: metadata.schema().clone(),
        content: file.content,
        entries: entries.collect(),
    }
}

/// Iceberg spec, "Sequence Number Inheritance": of added files, and of all in manifests of format version 1.
fn inherit(mut entry: ManifestEntry, file: &ManifestFile) -> ManifestEntry {
    entry.snapshot_id = entry.snapshot_id.or(Some(file.added_snapshot_id));
    if entry.status == ManifestStatus::Added || file.sequence_number == 0 {
        entry.sequence_number = entry.sequence_number.or(Some(file.sequence_number));
        entry.file_sequence_number = entry.file_sequence_number.or(Some(file.sequence_number));
    }
    entry
}

fn gunzip(bytes: &[u8]) -> std::io::Result<std::borrow::Cow<'_, [u8]>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.into());
    }
    let mut json = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut json)?;
    Ok(json.into())
}

fn unreadable(location: &str, what: &'static str, reason: impl std::fmt::Display) -> CatalogError {
    CatalogError::Unreadable { location: location.to_owned(), what, reason: reason.to_string() }
}
