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
/// Manifests of delete files are kept. Whatever else is `Keep` or `Merge`, each manifest is there once.
pub fn plan_manifests(
    added: &ManifestFile,
    existing: &[ManifestFile],
    properties: &TableProperties,
) -> Vec<Bin> {
    if !properties.manifest_merge_enabled {
        return [added].into_iter().chain(existing).cloned().map(Bin::Keep).collect();
    }
    let is_data = |manifest: &&ManifestFile| manifest.content == ManifestContentType::Data;
    let mut by_spec: BTreeMap<i32, Vec<ManifestFile>> = BTreeMap::new();
    for manifest in [added].into_iter().chain(existing.iter().filter(is_data)) {
        by_spec.entry(manifest.partition_spec_id).or_default().push(manifest.clone());
    }
    let bins = by_spec.into_values().rev().flat_map(|manifests| bins_of_spec(manifests, added, properties));
    let deletes = existing.iter().filter(|manifest| !is_data(manifest)).cloned().map(Bin::Keep);
    bins.chain(deletes).collect()
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
        let bytes = u64::try_from(manifest.manifest_length).unwrap_or(0);
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
