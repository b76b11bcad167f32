//! The bytes of manifests and manifest lists.
//!
//! The specification's encoders write to a memory of their own; what they made is then stored through the host.

use bytes::Bytes;
use iceberg::io::FileIO;
use iceberg::spec::{
    DataFile, ManifestContentType, ManifestEntry, ManifestFile, ManifestListWriter, ManifestWriter,
    ManifestWriterBuilder, PartitionSpec, SchemaRef, StructType, TableMetadata,
};

use crate::cache::DecodedManifest;

/// Encodes one manifest.
pub(crate) struct Encoder {
    location: String,
    memory: FileIO,
    writer: Result<ManifestWriter, iceberg::Error>,
}

/// The sequence numbers of a file, which stay with it wherever it is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    data: i64,
    file: i64,
}

impl Numbers {
    /// Those of a manifest's entry.
    pub fn of(entry: &ManifestEntry, manifest: &ManifestFile) -> Self {
        let inherited = manifest.sequence_number;
        Self {
            data: entry.sequence_number.unwrap_or(inherited),
            file: entry.file_sequence_number.unwrap_or(inherited),
        }
    }
}

/// The columns for which a manifest's entries are written again: those of now, if its partition values have the
/// same types with them; else its own, which fit them.
pub(crate) fn written_for(
    spec: &PartitionSpec,
    schema: &SchemaRef,
    content: &DecodedManifest,
) -> Result<(SchemaRef, StructType), iceberg::Error> {
    let own = spec.partition_type(&content.schema);
    match (spec.partition_type(schema), own) {
        (Ok(now), Ok(own)) if now == own => Ok((schema.clone(), now)),
        (_, Ok(own)) => Ok((content.schema.clone(), own)),
        (Ok(now), Err(_)) => Ok((schema.clone(), now)),
        (Err(error), Err(_)) => Err(error),
    }
}

/// Where the encoders write: a memory that holds this one file.
const SCRATCH: &str = "memory:///file";

impl Encoder {
    /// Of data files or of delete files.
    pub fn new(
        location: String,
        (spec, schema): (&PartitionSpec, SchemaRef),
        content: ManifestContentType,
        snapshot_id: i64,
    ) -> Self {
        let memory = FileIO::new_with_memory();
        let writer = memory.new_output(SCRATCH).map(|output| {
            let builder = ManifestWriterBuilder::new(output, Some(snapshot_id), schema, spec.clone());
            match content {
                ManifestContentType::Data => builder.build_v2_data(),
                ManifestContentType::Deletes => builder.build_v2_deletes(),
            }
        });
        Self { location, memory, writer }
    }

    /// A new file.
    pub fn add(&mut self, file: &DataFile) -> Result<(), iceberg::Error> {
        // A sequence number below zero is left open, to be inherited from the list.
        self.with(|writer| writer.add_file(file.clone(), -1))
    }

    /// A file that was there before.
    pub fn keep(
        &mut self,
        file: &DataFile,
        snapshot_id: i64,
        numbers: Numbers,
    ) -> Result<(), iceberg::Error> {
        let Numbers { data, file: of_file } = numbers;
        self.with(|writer| writer.add_existing_file(file.clone(), snapshot_id, data, Some(of_file)))
    }

    /// A file that was there before and is not any more.
    pub fn remove(&mut self, file: &DataFile, numbers: Numbers) -> Result<(), iceberg::Error> {
        let Numbers { data, file: of_file } = numbers;
        self.with(|writer| writer.add_delete_file(file.clone(), data, Some(of_file)))
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

    /// The manifest, as a list has it, and its bytes.
    pub async fn finish(self) -> Result<(ManifestFile, Bytes), iceberg::Error> {
        let mut file = self.writer?.write_manifest_file().await?;
        file.manifest_path = self.location;
        Ok((file, self.memory.new_input(SCRATCH)?.read().await?))
    }
}

/// Encodes a manifest list of a snapshot on `base`.
pub(crate) async fn encode_list(
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
