//! Which manifests a snapshot lists: so few that a scan need not read one for each commit ever made.
//!
//! The rule is Iceberg's own (merge append): manifests of one partition spec are packed, oldest first, into bins
//! of the target size; a bin of several becomes one manifest. The bin with the newest manifest waits until it
//! has enough members, so that most commits write one small manifest and rewrite nothing.

use std::collections::BTreeMap;

use iceberg::spec::{ManifestContentType, ManifestFile};

use crate::properties::TableProperties;

/// What becomes of some manifests.
#[derive(Clone, Debug, PartialEq)]
pub enum Bin {
    /// It is listed as it is.
    Keep(ManifestFile),
    /// Their live entries go into one new manifest; at least two, newest first, all of one partition spec.
    Merge(Vec<ManifestFile>),
}

/// Plans the manifests of a snapshot: `added` is the one of its new files, `existing` are its parent's.
///
/// Manifests of delete files are kept. Those without live files told what an earlier snapshot took out; they are left
/// out. Whatever else is `Keep` or `Merge`, each manifest is there once.
pub fn plan_manifests(
    added: &ManifestFile,
    existing: &[ManifestFile],
    properties: &TableProperties,
) -> Vec<Bin> {
    let existing = existing.iter().filter(|manifest| may_have_live_files(manifest));
    if !properties.manifest_merge_enabled {
        return [added].into_iter().chain(existing).cloned().map(Bin::Keep).collect();
    }
    let is_data = |manifest: &&ManifestFile| manifest.content == ManifestContentType::Data;
    let mut by_spec: BTreeMap<i32, Vec<ManifestFile>> = BTreeMap::new();
    for manifest in [added].into_iter().chain(existing.clone().filter(is_data)) {
        by_spec.entry(manifest.partition_spec_id).or_default().push(manifest.clone());
    }
    let bins = by_spec.into_values().rev().flat_map(|manifests| bins_of_spec(manifests, added, properties));
    let deletes = existing.filter(|manifest| !is_data(manifest)).cloned().map(Bin::Keep);
    bins.chain(deletes).collect()
}

/// Plans the manifests that tell what an overwrite takes out: each bin becomes one manifest in which all live entries of its
/// members are deleted ones. A bin is of one kind of files and one partition spec, and no larger than a manifest
/// may be, or of one member; what is in it fits into memory.
pub fn plan_removal(existing: &[ManifestFile], properties: &TableProperties) -> Vec<Vec<ManifestFile>> {
    /// Bins with their sizes.
    type Bins = Vec<(u64, Vec<ManifestFile>)>;
    let mut bins: BTreeMap<(i32, i32), Bins> = BTreeMap::new();
    for manifest in existing.iter().filter(|manifest| may_have_live_files(manifest)) {
        let bytes = bytes_of(manifest);
        let bins = bins.entry((manifest.content as i32, manifest.partition_spec_id)).or_default();
        match bins.last_mut() {
            Some((size, bin)) if size.saturating_add(bytes) <= properties.manifest_target_size_bytes => {
                *size += bytes;
                bin.push(manifest.clone());
            }
            _ => bins.push((bytes, vec![manifest.clone()])),
        }
    }
    bins.into_values().flatten().map(|(_, bin)| bin).collect()
}

/// Counts are optional in lists of format version 1.
fn may_have_live_files(manifest: &ManifestFile) -> bool {
    manifest.added_files_count != Some(0) || manifest.existing_files_count != Some(0)
}

fn bytes_of(manifest: &ManifestFile) -> u64 {
    u64::try_from(manifest.manifest_length).unwrap_or(0)
}

/// The bins of one spec's manifests, newest first.
fn bins_of_spec(
    manifests: Vec<ManifestFile>,
    added: &ManifestFile,
    properties: &TableProperties,
) -> Vec<Bin> {
    let mut bins: Vec<Vec<ManifestFile>> = Vec::new();
    let mut bin: Vec<ManifestFile> = Vec::new();
    let mut bin_bytes = 0_u64;
    for manifest in manifests.into_iter().rev() {
        let bytes = bytes_of(&manifest);
        if !bin.is_empty() && bin_bytes.saturating_add(bytes) > properties.manifest_target_size_bytes {
            bins.push(std::mem::take(&mut bin));
            bin_bytes = 0;
        }
        bin_bytes = bin_bytes.saturating_add(bytes);
        bin.push(manifest);
    }
    bins.push(bin);
    let bins = bins.into_iter().rev().map(|mut bin| {
        bin.reverse();
        bin
    });
    bins.flat_map(|bin| {
        let waits = bin.contains(added) && bin.len() < properties.manifest_min_count_to_merge;
        match bin.len() {
            0 | 1 => bin.into_iter().map(Bin::Keep).collect(),
            _ if waits => bin.into_iter().map(Bin::Keep).collect(),
            _ => vec![Bin::Merge(bin)],
        }
    })
    .collect()
}
