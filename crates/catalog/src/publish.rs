//! Writes what a commit needs before it can become true: manifests, the manifest list and the metadata.
//!
//! All of it lies beside what is there already, under names that nobody else uses, and is durable when this returns.
//! The specification's encoders write to a memory of their own; what they made is then stored through the host.

use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use hosu_host::Location;
use hosu_table::commit::{Append, Bin, NewSnapshot, append_summary, plan_manifests};
use hosu_table::name::TableName;
use hosu_table::paths::ObjectName;
use hosu_table::properties::{MetadataCompression, TableProperties};
use iceberg::io::FileIO;
use iceberg::spec::{
    DataFile, ManifestFile, ManifestListWriter, ManifestStatus, ManifestWriter, ManifestWriterBuilder,
    PartitionSpec, SchemaRef, TableMetadata,
};
use std::io::Write;
use uuid::Uuid;

use crate::cache::{Decoded, DecodedManifest};
use crate::error::CatalogError;
use crate::files::{Files, decoded};
use crate::manifest;
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

    fn manifest(&mut self) -> String {
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

    fn encode_error(&self, error: impl std::fmt::Display) -> CatalogError {
        CatalogError::Encode { table: self.table.clone(), reason: error.to_string() }
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
pub(crate) async fn added_manifest(
    names: &mut Names,
    base: &TableMetadata,
    schema: &SchemaRef,
    append: &Append,
    snapshot_id: i64,
) -> Result<AddedManifest, CatalogError> {
    let spec = base
        .partition_spec_by_id(append.spec_id)
        .ok_or_else(|| names.encode_error(format!("no partition spec {}", append.spec_id)))?;
    let mut encoder = Encoder::new(names.manifest(), spec, schema.clone(), snapshot_id);
    for file in &append.files {
        encoder.add(file).map_err(|error| names.encode_error(error))?;
    }
    let (file, bytes) = encoder.finish().await.map_err(|error| names.encode_error(error))?;
    Ok(AddedManifest { file, bytes, stored: false })
}

/// Plans and encodes the manifests and the list of a snapshot on `base`.
pub(crate) async fn snapshot_files(
    files: &Files,
    names: &mut Names,
    base: &TableMetadata,
    schema: &SchemaRef,
    append: &Append,
    added: &mut AddedManifest,
    (snapshot_id, attempt): (i64, u32),
) -> Result<SnapshotFiles, CatalogError> {
    let properties = TableProperties::from(base.properties());
    let existing = match base.current_snapshot() {
        Some(snapshot) => files.manifest_list(snapshot.manifest_list(), base.format_version()).await?,
        None => Arc::default(),
    };
    let sequence_number = base.next_sequence_number();
    let mut new_files = Vec::new();
    let mut listed = Vec::new();
    for bin in plan_manifests(&added.file, &existing, &properties) {
        let manifest = match bin {
            Bin::Keep(manifest) => {
                if manifest == added.file && !added.stored {
                    new_files.push((added.file.clone(), added.bytes.clone()));
                    added.stored = true;
                }
                manifest
            }
            Bin::Merge(manifests) => {
                let (merged, bytes) =
                    merge(files, names, base, schema, added, &manifests, snapshot_id).await?;
                new_files.push((merged.clone(), bytes));
                merged
            }
        };
        listed.push(manifest);
    }
    let (location, bytes) =
        (names.manifest_list(snapshot_id, attempt), encode_list(base, &listed, snapshot_id).await);
    let bytes = bytes.map_err(|error| names.encode_error(error))?;
    let listed: Vec<_> = listed.into_iter().map(|file| numbered(file, sequence_number)).collect();
    let mut new_files: Vec<NewFile> = new_files
        .into_iter()
        .map(|(file, bytes)| new_manifest(names, numbered(file, sequence_number), bytes))
        .collect::<Result<_, _>>()?;
    new_files.push(NewFile { location: location.clone(), bytes, decoded: Decoded::List(Arc::new(listed)) });
    let spec = base.partition_spec_by_id(append.spec_id).unwrap_or(base.default_partition_spec());
    let parent = base.current_snapshot().map(|snapshot| snapshot.summary());
    let summary = append_summary(append, spec, schema, parent, properties.summary_partition_limit);
    Ok(SnapshotFiles {
        snapshot: NewSnapshot { id: snapshot_id, manifest_list: location, summary },
        files: new_files,
    })
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
    let puts = new_files.iter().map(|file| async {
        let location = Location::parse(&file.location).map_err(|error| CatalogError::Unreadable {
            location: file.location.clone(),
            what: "a place to write to",
            reason: error.reason,
        })?;
        Ok::<_, CatalogError>(files.host.store.put(&location, file.bytes.clone()).await?)
    });
    join_all(puts).await.into_iter().collect()
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

/// One manifest of the live entries of several. Entries keep their snapshot and sequence numbers; those of this very
/// commit are added, all others exist.
async fn merge(
    files: &Files,
    names: &mut Names,
    base: &TableMetadata,
    schema: &SchemaRef,
    added: &AddedManifest,
    manifests: &[ManifestFile],
    snapshot_id: i64,
) -> Result<(ManifestFile, Bytes), CatalogError> {
    let mut contents = Vec::with_capacity(manifests.len());
    for manifest in manifests {
        let is_added = *manifest == added.file;
        // The numbers that added files inherit are not known yet; a merged manifest leaves them open as well.
        contents.push(if is_added {
            Arc::new(decode(names, &added.file, &added.bytes)?)
        } else {
            files.manifest(manifest).await?
        });
    }
    let spec_id = manifests.first().map_or(0, |manifest| manifest.partition_spec_id);
    let spec = base
        .partition_spec_by_id(spec_id)
        .ok_or_else(|| names.encode_error(format!("no partition spec {spec_id}")))?;
    // An old spec may be of columns that are gone; the manifest's own schema still has them.
    let own_schema = contents.first().map(|content| &content.schema);
    let schema = if spec.partition_type(schema).is_ok() { schema } else { own_schema.unwrap_or(schema) };
    let mut encoder = Encoder::new(names.manifest(), spec, schema.clone(), snapshot_id);
    for (manifest, content) in manifests.iter().zip(&contents) {
        let is_added = *manifest == added.file;
        for entry in content.entries.iter().filter(|entry| entry.status != ManifestStatus::Deleted) {
            let file = entry.data_file();
            let result = if is_added {
                encoder.add(file)
            } else {
                let sequence_number = entry.sequence_number.unwrap_or(manifest.sequence_number);
                let file_sequence_number = entry.file_sequence_number.unwrap_or(manifest.sequence_number);
                let snapshot_id = entry.snapshot_id.unwrap_or(manifest.added_snapshot_id);
                encoder.keep(file, snapshot_id, sequence_number, file_sequence_number)
            };
            result.map_err(|error| names.encode_error(error))?;
        }
    }
    encoder.finish().await.map_err(|error| names.encode_error(error))
}

/// Encodes one manifest.
struct Encoder {
    location: String,
    memory: FileIO,
    writer: Result<ManifestWriter, iceberg::Error>,
}

/// Where the encoders write: a memory that holds this one file.
const SCRATCH: &str = "memory:///file";

impl Encoder {
    fn new(location: String, spec: &PartitionSpec, schema: SchemaRef, snapshot_id: i64) -> Self {
        let memory = FileIO::new_with_memory();
        let writer = memory.new_output(SCRATCH).map(|output| {
            ManifestWriterBuilder::new(output, Some(snapshot_id), schema, spec.clone()).build_v2_data()
        });
        Self { location, memory, writer }
    }

    fn add(&mut self, file: &DataFile) -> Result<(), iceberg::Error> {
        // A sequence number below zero is left open, to be inherited from the list.
        self.with(|writer| writer.add_file(file.clone(), -1))
    }

    fn keep(
        &mut self,
        file: &DataFile,
        snapshot_id: i64,
        sequence_number: i64,
        file_sequence_number: i64,
    ) -> Result<(), iceberg::Error> {
        self.with(|writer| {
            writer.add_existing_file(file.clone(), snapshot_id, sequence_number, Some(file_sequence_number))
        })
    }

    fn with(
        &mut self,
        work: impl FnOnce(&mut ManifestWriter) -> Result<(), iceberg::Error>,
    ) -> Result<(), iceberg::Error> {
        match &mut self.writer {
            Ok(writer) => work(writer),
            Err(error) => Err(iceberg::Error::new(error.kind(), error.message().to_owned())),
        }
    }

    async fn finish(self) -> Result<(ManifestFile, Bytes), iceberg::Error> {
        let mut file = self.writer?.write_manifest_file().await?;
        file.manifest_path = self.location;
        Ok((file, self.memory.new_input(SCRATCH)?.read().await?))
    }
}

async fn encode_list(
    base: &TableMetadata,
    manifests: &[ManifestFile],
    snapshot_id: i64,
) -> Result<Bytes, iceberg::Error> {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output(SCRATCH)?.writer().await?;
    let parent = base.current_snapshot_id();
    let mut writer = ManifestListWriter::v2(output, snapshot_id, parent, base.next_sequence_number());
    writer.add_manifests(manifests.iter().cloned())?;
    writer.close().await?;
    memory.new_input(SCRATCH)?.read().await
}

fn compress(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json)?;
    encoder.finish()
}
