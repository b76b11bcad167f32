//! Writes what a commit needs before it can become true: manifests, the manifest list and the metadata.
//!
//! All of it lies beside what is there already, under names that nobody else uses, and is durable when this returns.

use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use hosu_host::Location;
use hosu_table::commit::{Bin, NewRows, NewSnapshot, append_summary, overwrite_summary, plan_manifests};
use hosu_table::name::TableName;
use hosu_table::paths::ObjectName;
use hosu_table::properties::{MetadataCompression, TableProperties};
use iceberg::spec::{
    ManifestContentType, ManifestFile, ManifestStatus, Operation, SchemaRef, StructType, TableMetadata,
};
use std::io::Write;
use uuid::Uuid;

use crate::cache::{Decoded, DecodedManifest};
use crate::encode::{Encoder, Numbers, encode_list, written_for};
use crate::error::CatalogError;
use crate::files::{Files, decoded};
use crate::manifest;
use crate::removal::{self, RemovedManifest};
use crate::table::Table;

/// Bytes that are to be stored under a name, and what they mean.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub location: String,
    pub bytes: Bytes,
    pub decoded: Decoded,
}

/// The names that one commit of one table gives to its files.
#[derive(Debug)]
pub(crate) struct Names {
    table: TableName,
    folder: String,
    commit: Uuid,
    manifests: u32,
}

impl Names {
    pub fn new(table: &TableName, metadata: &TableMetadata, commit: Uuid) -> Self {
        Self { table: table.clone(), folder: Table::metadata_folder(metadata), commit, manifests: 0 }
    }

    pub fn manifest(&mut self) -> String {
        let name = ObjectName::Manifest { uuid: self.commit, number: self.manifests };
        self.manifests += 1;
        self.under_folder(&name)
    }

    fn manifest_list(&self, snapshot_id: i64, attempt: u32) -> String {
        self.under_folder(&ObjectName::ManifestList { snapshot_id, attempt, uuid: self.commit })
    }

    /// Object names stand under a table's location; the metadata folder may be elsewhere.
    fn under_folder(&self, name: &ObjectName) -> String {
        let relative = name.to_relative();
        let name = relative.split_once('/').map_or(relative.as_str(), |(_, name)| name);
        hosu_table::paths::under(&self.folder, name)
    }

    pub fn encode_error(&self, error: impl std::fmt::Display) -> CatalogError {
        CatalogError::Encode { table: self.table.clone(), reason: error.to_string() }
    }
}

/// Manifests that serve each attempt of a commit. They are its own to remove when it certainly did not happen.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Of the files that it adds.
    pub added: Option<AddedManifest>,
    /// Of the files that it takes out. They are stored as soon as they are made.
    pub removed: Vec<RemovedManifest>,
}

impl Made {
    /// Where all of them are.
    pub fn locations(&self) -> impl Iterator<Item = &String> {
        let added = self.added.iter().map(|added| &added.file.manifest_path);
        added.chain(self.removed.iter().map(|removed| &removed.file.manifest_path))
    }
}

/// The manifest of the files that a commit adds. It is the same in each attempt: what depends on the table's state is
/// inherited from the list.
#[derive(Debug)]
pub(crate) struct AddedManifest {
    pub file: ManifestFile,
    bytes: Bytes,
    stored: bool,
}

/// The snapshot that an attempt makes.
pub(crate) struct SnapshotFiles {
    pub snapshot: NewSnapshot,
    pub files: Vec<NewFile>,
}

/// Encodes the manifest of added files.
async fn added_manifest(
    names: &mut Names,
    base: &TableMetadata,
    schema: &SchemaRef,
    rows: &NewRows<'_>,
    snapshot_id: i64,
) -> Result<AddedManifest, CatalogError> {
    let spec = base
        .partition_spec_by_id(rows.spec_id)
        .ok_or_else(|| names.encode_error(format!("no partition spec {}", rows.spec_id)))?;
    let of = (spec.as_ref(), schema.clone());
    let mut encoder = Encoder::new(names.manifest(), of, ManifestContentType::Data, snapshot_id);
    for file in rows.files {
        encoder.add(file).map_err(|error| names.encode_error(error))?;
    }
    let (file, bytes) = encoder.finish().await.map_err(|error| names.encode_error(error))?;
    Ok(AddedManifest { file, bytes, stored: false })
}

/// Plans and encodes the manifests and the list of a snapshot on `base`.
pub(crate) async fn snapshot_files(
    files: &Files,
    names: &mut Names,
    (base, schema): (&TableMetadata, &SchemaRef),
    rows: &NewRows<'_>,
    made: &mut Made,
    (snapshot_id, attempt): (i64, u32),
) -> Result<SnapshotFiles, CatalogError> {
    let properties = TableProperties::from(base.properties());
    let partitions_max = properties.summary_partition_limit;
    if made.added.is_none() && !rows.files.is_empty() {
        made.added = Some(added_manifest(names, base, schema, rows, snapshot_id).await?);
    }
    let existing = match base.current_snapshot() {
        Some(snapshot) => files.manifest_list(snapshot.manifest_list(), base.format_version()).await?,
        None => Arc::default(),
    };
    let mut new_files = Vec::new();
    let (operation, listed, summary) = if rows.overwrites {
        let mut listed = Vec::new();
        listed.extend(made.added.as_mut().map(|added| added.keep(&mut new_files)));
        let on = (base, schema);
        let (gone, removed) =
            removal::remove_all(files, names, on, &existing, &mut made.removed, snapshot_id).await?;
        listed.extend(gone);
        let summary = overwrite_summary(rows, &removed, base, schema, partitions_max);
        (Operation::Overwrite, listed, summary)
    } else {
        let mut listed = Vec::new();
        if let Some(added) = &mut made.added {
            for bin in plan_manifests(&added.file, &existing, &properties) {
                match bin {
                    Bin::Keep(manifest) if manifest == added.file => listed.push(added.keep(&mut new_files)),
                    Bin::Keep(manifest) => listed.push(manifest),
                    Bin::Merge(bin) => {
                        let on = (base, schema);
                        let merged = merge(files, names, on, added, bin, snapshot_id, &mut new_files).await?;
                        listed.extend(merged);
                    }
                }
            }
        }
        let spec = base.partition_spec_by_id(rows.spec_id).unwrap_or(base.default_partition_spec());
        let parent = base.current_snapshot().map(|snapshot| snapshot.summary());
        (Operation::Append, listed, append_summary(rows, spec, schema, parent, partitions_max))
    };
    let (location, files) = list_files(names, base, listed, new_files, (snapshot_id, attempt)).await?;
    let snapshot = NewSnapshot { id: snapshot_id, manifest_list: location, operation, summary };
    Ok(SnapshotFiles { snapshot, files })
}

impl AddedManifest {
    /// Lists it, and stores it with the first attempt that does.
    fn keep(&mut self, new_files: &mut Vec<(ManifestFile, Bytes)>) -> ManifestFile {
        if !self.stored {
            new_files.push((self.file.clone(), self.bytes.clone()));
            self.stored = true;
        }
        self.file.clone()
    }
}

/// The list of a snapshot's manifests, and with it those of them that are to be stored.
async fn list_files(
    names: &Names,
    base: &TableMetadata,
    listed: Vec<ManifestFile>,
    new_files: Vec<(ManifestFile, Bytes)>,
    (snapshot_id, attempt): (i64, u32),
) -> Result<(String, Vec<NewFile>), CatalogError> {
    let sequence_number = base.next_sequence_number();
    let bytes = encode_list(base, &listed, snapshot_id).await;
    let bytes = bytes.map_err(|error| names.encode_error(error))?;
    let listed: Vec<_> = listed.into_iter().map(|file| numbered(file, sequence_number)).collect();
    let new_files = new_files.into_iter();
    let mut new_files = new_files
        .map(|(file, bytes)| new_manifest(names, numbered(file, sequence_number), bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let location = names.manifest_list(snapshot_id, attempt);
    new_files.push(NewFile { location: location.clone(), bytes, decoded: Decoded::List(Arc::new(listed)) });
    Ok((location, new_files))
}

/// The file of a table's metadata.
pub(crate) fn metadata_file(
    names: &Names,
    metadata: &TableMetadata,
    version: u32,
    uuid: Uuid,
) -> Result<NewFile, CatalogError> {
    let json = serde_json::to_vec(metadata).map_err(|error| names.encode_error(error))?;
    let json_bytes = json.len();
    let compression = TableProperties::from(metadata.properties()).metadata_compression;
    let gzip = compression == MetadataCompression::Gzip;
    let bytes = if gzip { compress(&json).map_err(|error| names.encode_error(error))? } else { json };
    let location = names.under_folder(&ObjectName::Metadata { version, uuid, gzip });
    let decoded = Decoded::Metadata { metadata: Arc::new(metadata.clone()), json_bytes };
    Ok(NewFile { location, bytes: bytes.into(), decoded })
}

/// Stores files side by side. All are durable when this returns; after an error some may be there, and none is still on
/// its way, so that they can be deleted.
pub(crate) async fn store_all(files: &Files, new_files: &[NewFile]) -> Result<(), CatalogError> {
    let puts = new_files.iter().map(|file| store(files, &file.location, file.bytes.clone()));
    join_all(puts).await.into_iter().collect()
}

/// Stores a file. It is durable when this returns.
pub(crate) async fn store(files: &Files, location: &str, bytes: Bytes) -> Result<(), CatalogError> {
    let place = Location::parse(location).map_err(|error| CatalogError::Unreadable {
        location: location.to_owned(),
        what: "a place to write to",
        reason: error.reason,
    })?;
    Ok(files.host.store.put(&place, bytes).await?)
}

fn new_manifest(names: &Names, file: ManifestFile, bytes: Bytes) -> Result<NewFile, CatalogError> {
    let decoded = Decoded::Manifest(Arc::new(decode(names, &file, &bytes)?));
    Ok(NewFile { location: file.manifest_path, bytes, decoded })
}

fn decode(names: &Names, file: &ManifestFile, bytes: &[u8]) -> Result<DecodedManifest, CatalogError> {
    let manifest = manifest::parse(bytes).map_err(|error| names.encode_error(error))?;
    Ok(decoded(manifest, file))
}

/// What the list's encoder fills in for manifests of its own snapshot.
fn numbered(mut file: ManifestFile, sequence_number: i64) -> ManifestFile {
    const UNASSIGNED: i64 = -1;
    if file.sequence_number == UNASSIGNED {
        file.sequence_number = sequence_number;
    }
    if file.min_sequence_number == UNASSIGNED {
        file.min_sequence_number = sequence_number;
    }
    file
}

/// Merges manifests: mostly into one. Those whose partition values have other types, because a column became wider, go
/// into one of their own.
async fn merge(
    files: &Files,
    names: &mut Names,
    (base, schema): (&TableMetadata, &SchemaRef),
    added: &mut AddedManifest,
    manifests: Vec<ManifestFile>,
    snapshot_id: i64,
    new_files: &mut Vec<(ManifestFile, Bytes)>,
) -> Result<Vec<ManifestFile>, CatalogError> {
    let spec_id = manifests.first().map_or(0, |manifest| manifest.partition_spec_id);
    let spec = base
        .partition_spec_by_id(spec_id)
        .ok_or_else(|| names.encode_error(format!("no partition spec {spec_id}")))?;
    let mut groups: Vec<(SchemaRef, StructType, Vec<Source>)> = Vec::new();
    for manifest in manifests {
        let is_added = manifest == added.file;
        // The numbers that added files inherit are not known yet; a merged manifest leaves them open as well.
        let content = if is_added {
            Arc::new(decode(names, &added.file, &added.bytes)?)
        } else {
            files.manifest(&manifest).await?
        };
        let of = written_for(spec, schema, &content).map_err(|error| names.encode_error(error))?;
        let source = Source { manifest, content, is_added };
        match groups.iter_mut().find(|group| group.1 == of.1) {
            Some(group) => group.2.push(source),
            None => groups.push((of.0, of.1, vec![source])),
        }
    }
    let mut listed = Vec::with_capacity(groups.len());
    for (schema, _, group) in groups {
        listed.push(match &group[..] {
            [alone] if alone.is_added => added.keep(new_files),
            [alone] => alone.manifest.clone(),
            several => {
                let of = (spec.as_ref(), schema);
                let encoder = Encoder::new(names.manifest(), of, ManifestContentType::Data, snapshot_id);
                let merged = encode_live(encoder, several).await;
                let merged = merged.map_err(|error| names.encode_error(error))?;
                new_files.push(merged.clone());
                merged.0
            }
        });
    }
    Ok(listed)
}

/// A manifest that is merged.
struct Source {
    manifest: ManifestFile,
    content: Arc<DecodedManifest>,
    is_added: bool,
}

/// One manifest of the live entries of several. Entries keep their snapshot and sequence numbers; those of this very
/// commit are added, all others exist.
async fn encode_live(
    mut encoder: Encoder,
    sources: &[Source],
) -> Result<(ManifestFile, Bytes), iceberg::Error> {
    for Source { manifest, content, is_added } in sources {
        for entry in content.entries.iter().filter(|entry| entry.status != ManifestStatus::Deleted) {
            let file = entry.data_file();
            if *is_added {
                encoder.add(file)?;
            } else {
                let snapshot_id = entry.snapshot_id.unwrap_or(manifest.added_snapshot_id);
                encoder.keep(file, snapshot_id, Numbers::of(entry, manifest))?;
            }
        }
    }
    encoder.finish().await
}

fn compress(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json)?;
    encoder.finish()
}
