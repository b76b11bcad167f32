use std::collections::HashMap;
use std::sync::Arc;

use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Literal, ManifestContentType, ManifestFile,
    NestedField, Operation, PartitionSpec, PrimitiveType, Schema, SortOrder, Struct, Summary, Transform,
    Type,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::properties::TableProperties;

fn manifest(number: usize, spec_id: i32, bytes: i64) -> ManifestFile {
    ManifestFile {
        manifest_path: format!("m{number}"),
        manifest_length: bytes,
        partition_spec_id: spec_id,
        content: ManifestContentType::Data,
        sequence_number: 1,
        min_sequence_number: 1,
        added_snapshot_id: 1,
        added_files_count: Some(1),
        existing_files_count: Some(0),
        deleted_files_count: Some(0),
        added_rows_count: Some(1),
        existing_rows_count: Some(0),
        deleted_rows_count: Some(0),
        partitions: None,
        key_metadata: None,
        first_row_id: None,
    }
}

fn properties(pairs: &[(&str, &str)]) -> TableProperties {
    let pairs = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    TableProperties::from(&pairs.collect::<HashMap<_, _>>())
}

fn schema() -> Schema {
    let column = |id, name: &str, kind| Arc::new(NestedField::optional(id, name, Type::Primitive(kind)));
    let columns = vec![column(1, "id", PrimitiveType::Long), column(2, "city", PrimitiveType::String)];
    Schema::builder().with_fields(columns).build().expect("a schema")
}

fn new_table() -> NewTable {
    NewTable {
        uuid: Uuid::from_u128(7),
        location: "memory:///t".to_owned(),
        schema: schema(),
        spec: PartitionSpec::builder(schema())
            .add_partition_field("city", "city", Transform::Identity)
            .and_then(|builder| builder.build())
            .expect("a spec"),
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    }
}

fn file(city: &str, rows: u64) -> DataFile {
    DataFileBuilder::default()
        .content(DataContentType::Data)
        .file_path("memory:///t/data/x.parquet".to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::from_iter([Some(Literal::string(city))]))
        .record_count(rows)
        .file_size_in_bytes(rows * 10)
        .build()
        .expect("a file")
}

fn snapshot(id: i64) -> NewSnapshot {
    NewSnapshot { id, manifest_list: "memory:///t/list".to_owned(), summary: HashMap::new() }
}

#[test]
fn the_newest_bin_waits_until_it_is_worth_a_rewrite() {
    let few = properties(&[("commit.manifest.min-count-to-merge", "4")]);
    let existing: Vec<_> = (1..=2).map(|number| manifest(number, 0, 10)).collect();
    let kept = plan_manifests(&manifest(0, 0, 10), &existing, &few);
    assert!(kept.iter().all(|bin| matches!(bin, Bin::Keep(_))), "{kept:?}");
    let existing: Vec<_> = (1..=3).map(|number| manifest(number, 0, 10)).collect();
    let merged = plan_manifests(&manifest(0, 0, 10), &existing, &few);
    assert_eq!(merged.len(), 1);
    assert!(
        matches!(&merged[0], Bin::Merge(bin) if bin.len() == 4 && bin[0].manifest_path == "m0"),
        "{merged:?}"
    );
}

#[test]
fn manifests_of_deletes_other_specs_and_full_size_are_left_alone() {
    let few = properties(&[
        ("commit.manifest.min-count-to-merge", "2"),
        ("commit.manifest.target-size-bytes", "100"),
    ]);
    let mut deletes = manifest(9, 0, 10);
    deletes.content = ManifestContentType::Deletes;
    let existing = [deletes.clone(), manifest(1, 1, 10), manifest(2, 0, 100)];
    let plan = plan_manifests(&manifest(0, 0, 10), &existing, &few);
    let expected = [manifest(1, 1, 10), manifest(0, 0, 10), manifest(2, 0, 100), deletes];
    assert_eq!(plan, expected.map(Bin::Keep));
}

#[test]
fn nothing_is_merged_where_the_property_says_so() {
    let never = properties(&[
        ("commit.manifest-merge.enabled", "false"),
        ("commit.manifest.min-count-to-merge", "2"),
    ]);
    let existing: Vec<_> = (1..=9).map(|number| manifest(number, 0, 10)).collect();
    assert_eq!(plan_manifests(&manifest(0, 0, 10), &existing, &never).len(), 10);
}

proptest! {
    #[test]
    fn every_manifest_is_in_one_bin_and_bins_keep_to_spec_and_size(
        facts in prop::collection::vec((0..3_i32, 1..60_i64), 0..80),
        min_count in 2..10_usize,
    ) {
        let wanted = properties(&[
            ("commit.manifest.min-count-to-merge", &min_count.to_string()),
            ("commit.manifest.target-size-bytes", "100"),
        ]);
        let existing: Vec<_> =
            facts.iter().enumerate().map(|(at, (spec, bytes))| manifest(at + 1, *spec, *bytes)).collect();
        let added = manifest(0, 0, 5);
        let mut seen = Vec::new();
        for bin in plan_manifests(&added, &existing, &wanted) {
            match bin {
                Bin::Keep(manifest) => seen.push(manifest.manifest_path),
                Bin::Merge(bin) => {
                    prop_assert!(bin.len() >= 2);
                    prop_assert!(bin.iter().map(|m| m.manifest_length).sum::<i64>() <= 100);
                    prop_assert!(bin.iter().all(|m| m.partition_spec_id == bin[0].partition_spec_id));
                    seen.extend(bin.into_iter().map(|m| m.manifest_path));
                }
            }
        }
        seen.sort();
        let mut expected: Vec<_> = (0..=facts.len()).map(|number| format!("m{number}")).collect();
        expected.sort();
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn a_summary_counts_what_is_added_and_what_there_is_in_all() {
    let append = Append {
        spec_id: 0,
        files: vec![file("Seoul", 3), file("Busan", 4), file("Seoul", 5)],
        summary: HashMap::from([(OPERATION_ID.to_owned(), "op".to_owned())]),
    };
    let parent = Summary {
        operation: Operation::Append,
        additional_properties: HashMap::from([
            ("total-records".to_owned(), "100".to_owned()),
            ("total-data-files".to_owned(), "many".to_owned()),
        ]),
    };
    let summary = append_summary(&append, &new_table().spec, &schema(), Some(&parent), 2);
    let entry = |key: &str| summary.get(key).map(String::as_str);
    assert_eq!(entry("added-data-files"), Some("3"));
    assert_eq!(entry("added-records"), Some("12"));
    assert_eq!(entry("added-files-size"), Some("120"));
    assert_eq!(entry("changed-partition-count"), Some("2"));
    assert_eq!(entry("total-records"), Some("112"));
    assert_eq!(entry("total-data-files"), None, "a total that is not known is left out");
    assert_eq!(entry("total-files-size"), None);
    assert_eq!(entry(OPERATION_ID), Some("op"));
    assert_eq!(
        entry("partitions.city=Seoul"),
        Some("added-data-files=2,added-records=8,added-files-size=80")
    );
    let first = append_summary(&append, &new_table().spec, &schema(), None, 0);
    assert_eq!(first.get("total-data-files").map(String::as_str), Some("3"));
    assert!(!first.keys().any(|key| key.starts_with("partitions.")));
}

#[test]
fn metadata_has_the_callers_time_and_never_steps_back() {
    let first = first_metadata(&new_table(), 5_000_000).expect("metadata");
    assert_eq!(first.last_updated_ms(), 5_000_000);
    assert_eq!(first.uuid(), Uuid::from_u128(7));
    let set = vec![Step::SetProperties(HashMap::from([("a".to_owned(), "b".to_owned())]))];
    let second = next_metadata(&first, Some("memory:///t/1.json"), &set, None, 6_000_000).expect("metadata");
    assert_eq!(second.metadata.last_updated_ms(), 6_000_000);
    assert_eq!(second.metadata.metadata_log().len(), 1);
    let third = next_metadata(&second.metadata, None, &[], Some(snapshot(1)), 1_000).expect("metadata");
    assert_eq!(third.metadata.last_updated_ms(), 6_000_000);
    assert_eq!(third.metadata.current_snapshot().expect("a snapshot").timestamp_ms(), 6_000_000);
    assert_eq!(third.metadata.last_sequence_number(), 1);
}

#[test]
fn the_log_of_metadata_has_its_length() {
    let mut new = new_table();
    new.properties.insert("write.metadata.previous-versions-max".to_owned(), "2".to_owned());
    let mut metadata = first_metadata(&new, 1).expect("metadata");
    let mut expired = Vec::new();
    for version in 0..5 {
        let location = format!("memory:///t/{version}.json");
        let next = next_metadata(&metadata, Some(&location), &[], Some(snapshot(version + 1)), 10)
            .expect("metadata");
        metadata = next.metadata;
        expired.extend(next.expired);
    }
    assert_eq!(metadata.metadata_log().len(), 2);
    assert_eq!(expired, ["memory:///t/0.json", "memory:///t/1.json", "memory:///t/2.json"]);
}

#[test]
fn steps_are_checked_against_what_the_table_became() {
    let base = first_metadata(&new_table(), 1).expect("metadata");
    let mut other = new_table();
    other.uuid = Uuid::from_u128(8);
    let other = first_metadata(&other, 1).expect("metadata");
    assert_eq!(check(&base, &other, &[]), Err(Conflict::Replaced));
    let append =
        |spec_id| Step::Append(Append { spec_id, files: vec![file("Seoul", 1)], summary: HashMap::new() });
    assert_eq!(check(&base, &base, &[append(0)]), Ok(()));
    assert_eq!(check(&base, &base, &[append(3)]), Err(Conflict::SpecGone { spec_id: 3 }));
    let evolve = Step::EvolveSchema { base_schema_id: 4, schema: Box::new(schema()) };
    assert_eq!(check(&base, &base, &[evolve]), Err(Conflict::SchemaMoved { planned: 4, current: 0 }));
}

#[test]
fn broken_invariants_are_named() {
    use crate::invariants::check_append;
    let base = first_metadata(&new_table(), 1).expect("metadata");
    let mut counted = snapshot(1);
    counted.summary.insert("total-records".to_owned(), "5".to_owned());
    let next = next_metadata(&base, None, &[], Some(counted), 2).expect("metadata").metadata;
    assert_eq!(check_append(Some(&base), &next, 5), Ok(()));
    let broken = |before, after, rows| check_append(before, after, rows).expect_err("broken").name;
    assert_eq!(broken(Some(&base), &next, 6), "rows_preserved");
    assert_eq!(broken(Some(&next), &base, 0), "rows_preserved");
    let empty = next_metadata(&next, None, &[], Some(snapshot(2)), 3).expect("metadata").metadata;
    assert_eq!(check_append(Some(&next), &empty, 0), Ok(()), "a total that is not told contradicts nothing");
    assert_eq!(broken(Some(&empty), &next, 0), "sequence_increases");
    let mut other = new_table();
    other.uuid = Uuid::from_u128(8);
    let other = first_metadata(&other, 1).expect("metadata");
    assert_eq!(broken(Some(&base), &other, 0), "identity_kept");
}
