//! Metadata, manifest lists and manifests in decoded form, kept under their path.
//!
//! A file of these never changes, so what was decoded once stays true for as long as it is wanted. What an entry
//! weighs is counted from what it holds on the heap, so that the limit is one of memory and not of a number of entries.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use iceberg::spec::{
    DataFile, Datum, ManifestContentType, ManifestEntryRef, ManifestFile, SchemaRef, Struct, TableMetadataRef,
};
use moka::sync::Cache;

/// A manifest, its entries complete: snapshot and sequence numbers that they inherit are filled in.
#[derive(Debug)]
pub struct DecodedManifest {
    /// The partition spec that all its files have.
    pub spec_id: i32,
    /// The table's columns when it was written.
    pub schema: SchemaRef,
    /// Whether it has data files or delete files.
    pub content: ManifestContentType,
    /// Its entries, deleted ones too.
    pub entries: Vec<ManifestEntryRef>,
}

/// The decoded files of a catalog.
#[derive(Clone, Debug)]
pub(crate) struct FileCache {
    by_path: Cache<String, Decoded>,
}

#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    Metadata { metadata: TableMetadataRef, json_bytes: usize },
    List(Arc<Vec<ManifestFile>>),
    Manifest(Arc<DecodedManifest>),
}

impl FileCache {
    /// Keeps up to `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        let weigh = |path: &String, decoded: &Decoded| {
            u32::try_from(path.len() + decoded.heap_bytes()).unwrap_or(u32::MAX)
        };
        let by_path = Cache::builder().weigher(weigh).max_capacity(bytes_max as u64).build();
        Self { by_path }
    }

    pub fn get(&self, path: &str) -> Option<Decoded> {
        self.by_path.get(path)
    }

    pub fn insert(&self, path: &str, decoded: Decoded) {
        self.by_path.insert(path.to_owned(), decoded);
    }

    /// What all entries weigh together, in bytes.
    #[cfg(test)]
    pub fn weight_bytes(&self) -> u64 {
        self.by_path.run_pending_tasks();
        self.by_path.weighted_size()
    }
}

impl Decoded {
    fn heap_bytes(&self) -> usize {
        match self {
            // Strings and maps of small objects: about three times their text.
            Self::Metadata { json_bytes, .. } => json_bytes.saturating_mul(3),
            Self::List(manifests) => manifests.iter().map(manifest_file_bytes).sum(),
            Self::Manifest(manifest) => {
                let entries: usize = manifest.entries.iter().map(entry_bytes).sum();
                entries + size_of::<DecodedManifest>()
            }
        }
    }
}

fn manifest_file_bytes(manifest: &ManifestFile) -> usize {
    let partitions = manifest.partitions.iter().flatten().map(|summary| {
        let bound = |bytes: Option<usize>| bytes.unwrap_or(0);
        size_of_val(summary)
            + bound(summary.lower_bound.as_ref().map(|bytes| bytes.len()))
            + bound(summary.upper_bound.as_ref().map(|bytes| bytes.len()))
    });
    size_of::<ManifestFile>() + manifest.manifest_path.len() + partitions.sum::<usize>()
}

fn entry_bytes(entry: &ManifestEntryRef) -> usize {
    let file = entry.data_file();
    let counts =
        [file.column_sizes(), file.value_counts(), file.null_value_counts(), file.nan_value_counts()];
    let counts: usize = counts.iter().map(|map| map_bytes::<u64>(map.capacity())).sum();
    let bounds: usize = [file.lower_bounds(), file.upper_bounds()].iter().map(|map| bounds_bytes(map)).sum();
    let offsets = file.split_offsets().map_or(0, size_of_val);
    size_of::<iceberg::spec::ManifestEntry>()
        + 2 * size_of::<usize>()
        + file.file_path().len()
        + partition_bytes(file)
        + offsets
        + counts
        + bounds
}

fn partition_bytes(file: &DataFile) -> usize {
    size_of_val(file.partition().fields()) + size_of::<Struct>()
}

/// What a hash map takes for its places, full or empty: a byte of control and a pair each.
fn map_bytes<V>(places: usize) -> usize {
    places * 8 / 7 * (size_of::<(i32, V)>() + 1)
}

fn bounds_bytes(bounds: &HashMap<i32, Datum>) -> usize {
    let values = bounds.values().map(|datum| match datum.literal() {
        iceberg::spec::PrimitiveLiteral::String(text) => text.len(),
        iceberg::spec::PrimitiveLiteral::Binary(bytes) => bytes.len(),
        _ => 0,
    });
    map_bytes::<Datum>(bounds.capacity()) + values.sum::<usize>()
}
