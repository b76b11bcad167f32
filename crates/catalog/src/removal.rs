//! Tells what an overwrite takes out of a table.
//!
//! Every file that was live is an entry of a manifest of the new snapshot, as a deleted one and otherwise as it was. A table
//! may have many files, so they are taken a manifest's worth at a time: read, written, stored and forgotten. What
//! was told once serves later attempts too, as long as the table still lists the manifests that it was taken from.

use std::collections::HashSet;

use futures::StreamExt;
use futures::stream;
use hosu_table::commit::{Removed, plan_removal};
use hosu_table::properties::TableProperties;
use iceberg::spec::{ManifestFile, ManifestStatus, SchemaRef, StructType, TableMetadata};

use crate::cache::DecodedManifest;
use crate::encode::{Encoder, Numbers, written_for};
use crate::error::CatalogError;
use crate::files::Files;
use crate::publish::{Names, store};

/// How many manifests are fetched at the same time.
const FETCHED_AT_ONCE: usize = 8;

/// A manifest with so many entries takes no more of them: while it is written they are all in memory, at some
/// kilobytes each.
const ENTRIES_ENOUGH: usize = 8_000;

/// A manifest of deleted entries.
#[derive(Debug)]
pub(crate) struct RemovedManifest {
    pub file: ManifestFile,
    /// Whether the last attempt lists it.
    pub is_listed: bool,
    /// The manifests whose live entries are in it, each as a whole.
    sources: Vec<String>,
    removed: Removed,
}

/// Takes out all that is live in `existing`: the manifests to list, and what is in them.
pub(crate) async fn remove_all(
    files: &Files,
    names: &mut Names,
    on: (&TableMetadata, &SchemaRef),
    existing: &[ManifestFile],
    made: &mut Vec<RemovedManifest>,
    snapshot_id: i64,
) -> Result<(Vec<ManifestFile>, Removed), CatalogError> {
    let mut left: HashSet<&str> = existing.iter().map(|manifest| manifest.manifest_path.as_str()).collect();
    for manifest in made.iter_mut() {
        manifest.is_listed = manifest.sources.iter().all(|source| left.contains(source.as_str()));
        if manifest.is_listed {
            manifest.sources.iter().for_each(|source| {
                left.remove(source.as_str());
            });
        }
    }
    let left: Vec<ManifestFile> =
        existing.iter().filter(|manifest| left.contains(manifest.manifest_path.as_str())).cloned().collect();
    for bin in plan_removal(&left, &TableProperties::from(on.0.properties())) {
        remove_bin(files, names, on, bin, made, snapshot_id).await?;
    }
    let mut removed = Removed::default();
    let mut listed = Vec::new();
    for manifest in made.iter().filter(|manifest| manifest.is_listed) {
        removed.merge(&manifest.removed);
        listed.push(manifest.file.clone());
    }
    Ok((listed, removed))
}

/// Takes out what is live in manifests of one kind and partition spec. Mostly that makes one manifest.
async fn remove_bin(
    files: &Files,
    names: &mut Names,
    (base, schema): (&TableMetadata, &SchemaRef),
    bin: Vec<ManifestFile>,
    made: &mut Vec<RemovedManifest>,
    snapshot_id: i64,
) -> Result<(), CatalogError> {
    let mut contents = stream::iter(bin)
        .map(|source| async move {
            let content = files.manifest_once(&source).await;
            (source, content)
        })
        .buffered(FETCHED_AT_ONCE);
    let mut open: Option<Open> = None;
    while let Some((source, content)) = contents.next().await {
        let content = content?;
        let spec_id = source.partition_spec_id;
        let spec = base
            .partition_spec_by_id(spec_id)
            .ok_or_else(|| names.encode_error(format!("no partition spec {spec_id}")))?;
        let of = written_for(spec, schema, &content).map_err(|error| names.encode_error(error))?;
        let is_full = |open: &mut Open| open.partition != of.1 || open.entries >= ENTRIES_ENOUGH;
        if let Some(full) = open.take_if(is_full) {
            full.close(files, names, made).await?;
        }
        let open = open.get_or_insert_with(|| Open {
            encoder: Encoder::new(names.manifest(), (spec, of.0), source.content, snapshot_id),
            partition: of.1,
            entries: 0,
            sources: Vec::new(),
            removed: Removed::default(),
        });
        open.take(&source, &content).map_err(|error| names.encode_error(error))?;
    }
    match open {
        Some(open) => open.close(files, names, made).await,
        None => Ok(()),
    }
}

/// A manifest that is being written.
struct Open {
    encoder: Encoder,
    partition: StructType,
    entries: usize,
    sources: Vec<String>,
    removed: Removed,
}

impl Open {
    fn take(&mut self, source: &ManifestFile, content: &DecodedManifest) -> Result<(), iceberg::Error> {
        let live = content.entries.iter().filter(|entry| entry.status != ManifestStatus::Deleted);
        let before = self.entries;
        for entry in live {
            self.entries += 1;
            self.removed.add(source.partition_spec_id, entry.data_file());
            self.encoder.remove(entry.data_file(), Numbers::of(entry, source))?;
        }
        if self.entries > before {
            self.sources.push(source.manifest_path.clone());
        }
        Ok(())
    }

    async fn close(
        self,
        files: &Files,
        names: &Names,
        made: &mut Vec<RemovedManifest>,
    ) -> Result<(), CatalogError> {
        if self.sources.is_empty() {
            return Ok(());
        }
        let (file, bytes) = self.encoder.finish().await.map_err(|error| names.encode_error(error))?;
        let location = file.manifest_path.clone();
        // It is known before it is there, so that it is removed if the commit fails halfway.
        made.push(RemovedManifest { file, is_listed: true, sources: self.sources, removed: self.removed });
        store(files, &location, bytes).await
    }
}
