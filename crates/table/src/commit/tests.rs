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
    file_in(Struct::from_iter([Some(Literal::string(city))]), rows)
}

fn file_in(partition: Struct, rows: u64) -> DataFile {
    DataFileBuilder::default()
        .content(DataContentType::Data)
        .file_path("memory:///t/data/x.parquet".to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(partition)
        .record_count(rows)
        .file_size_in_bytes(rows * 10)
        .build()
        .expect("a file")
}

fn snapshot(id: i64) -> NewSnapshot {
    NewSnapshot {
        id,
        manifest_list: "memory:///t/list".to_owned(),
        operation: Operation::Append,
        summary: HashMap::new(),
    }
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

#[test]
fn manifests_of_what_was_taken_out_earlier_are_left_out() {
    for merges in ["true", "false"] {
        let properties = properties(&[("commit.manifest-merge.enabled", merges)]);
        let mut gone = manifest(1, 0, 10);
        gone.added_files_count = Some(0);
        let mut unknown = gone.clone();
        unknown.existing_files_count = None;
        let mut deletes = gone.clone();
        deletes.content = ManifestContentType::Deletes;
        let plan = plan_manifests(&manifest(0, 0, 10), &[gone, unknown.clone(), deletes], &properties);
        assert_eq!(plan, [manifest(0, 0, 10), unknown].map(Bin::Keep));
    }
}

#[test]
fn what_is_taken_out_is_told_in_bins_of_one_kind_spec_and_size() {
    let properties = properties(&[("commit.manifest.target-size-bytes", "100")]);
    let deletes = ManifestFile { content: ManifestContentType::Deletes, ..manifest(4, 0, 10) };
    let gone = ManifestFile { added_files_count: Some(0), ..manifest(5, 0, 10) };
    let existing = [
        manifest(1, 0, 60),
        manifest(2, 1, 10),
        manifest(3, 0, 40),
        deletes.clone(),
        gone,
        manifest(6, 0, 1),
        manifest(7, 0, 500),
    ];
    let plan = plan_removal(&existing, &properties);
    let expected = [
        vec![manifest(1, 0, 60), manifest(3, 0, 40)],
        vec![manifest(6, 0, 1)],
        vec![manifest(7, 0, 500)],
        vec![manifest(2, 1, 10)],
        vec![deletes],
    ];
    assert_eq!(plan, expected);
    assert_eq!(plan_removal(&[], &properties), Vec::<Vec<ManifestFile>>::new());
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
    let steps = [Step::Append(append)];
    let rows = new_rows(&steps).expect("rows");
    let summary = append_summary(&rows, &new_table().spec, &schema(), Some(&parent), 2);
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
    let first = append_summary(&rows, &new_table().spec, &schema(), None, 0);
    assert_eq!(first.get("total-data-files").map(String::as_str), Some("3"));
    assert!(!first.keys().any(|key| key.starts_with("partitions.")));
}

fn overwrite(files: Vec<DataFile>) -> Step {
    let summary = HashMap::from([(OPERATION_ID.to_owned(), "op".to_owned())]);
    Step::Overwrite(Overwrite { spec_id: 0, files, summary })
}

fn deletes(content: DataContentType, rows: u64) -> DataFile {
    let mut file = DataFileBuilder::default();
    file.content(content)
        .file_path("memory:///t/data/deletes.parquet".to_owned())
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::from_iter([Some(Literal::string("Seoul"))]))
        .record_count(rows)
        .file_size_in_bytes(7)
        .equality_ids((content == DataContentType::EqualityDeletes).then(|| vec![1]));
    file.build().expect("a file")
}

#[test]
fn a_summary_of_an_overwrite_counts_what_came_and_what_went() {
    let base = first_metadata(&new_table(), 1).expect("metadata");
    let mut removed = Removed::default();
    removed.add(0, &file("Seoul", 3));
    removed.add(0, &deletes(DataContentType::PositionDeletes, 2));
    let mut more = Removed::default();
    more.add(0, &file("Daegu", 4));
    more.add(0, &deletes(DataContentType::EqualityDeletes, 1));
    removed.merge(&more);
    let steps = [overwrite(vec![file("Seoul", 10), file("Busan", 20)])];
    let rows = new_rows(&steps).expect("rows");
    let summary = overwrite_summary(&rows, &removed, &base, &schema(), 3);
    let mut entries: Vec<_> = summary.iter().map(|(key, value)| format!("{key} {value}")).collect();
    entries.sort();
    let expected = [
        "added-data-files 2",
        "added-files-size 300",
        "added-records 30",
        "changed-partition-count 3",
        "deleted-data-files 2",
        "deleted-records 7",
        "hosu.operation-id op",
        "partitions.city=Busan added-data-files=1,added-records=20,added-files-size=200",
        "partitions.city=Daegu deleted-data-files=1,deleted-records=4,removed-files-size=40",
        "partitions.city=Seoul added-data-files=1,added-records=10,added-files-size=100,\
         deleted-data-files=1,deleted-records=3,removed-files-size=30",
        "removed-delete-files 2",
        "removed-equality-delete-files 1",
        "removed-equality-deletes 1",
        "removed-files-size 84",
        "removed-position-delete-files 1",
        "removed-position-deletes 2",
        "total-data-files 2",
        "total-delete-files 0",
        "total-equality-deletes 0",
        "total-files-size 300",
        "total-position-deletes 0",
        "total-records 30",
    ];
    assert_eq!(entries, expected);

    let steps = [overwrite(Vec::new())];
    let rows = new_rows(&steps).expect("an overwrite by nothing is a snapshot");
    let summary = overwrite_summary(&rows, &removed, &base, &schema(), 0);
    let entry = |key: &str| summary.get(key).map(String::as_str);
    assert_eq!(
        (entry("total-records"), entry("added-records"), entry("deleted-records")),
        (Some("0"), None, Some("7"))
    );
    assert_eq!(entry("changed-partition-count"), Some("2"));
    assert!(!summary.keys().any(|key| key.starts_with("partitions.")));
}

#[test]
fn partitions_are_counted_under_the_spec_that_they_are_of() {
    let mut base = first_metadata(&new_table(), 1).expect("metadata");
    let unpartitioned = PartitionSpec::unpartition_spec().into_unbound();
    let builder = base.into_builder(None).add_default_partition_spec(unpartitioned).expect("a spec");
    base = builder.build().expect("metadata").metadata;
    let whole = file_in(Struct::empty(), 5);
    let mut removed = Removed::default();
    removed.add(0, &file("Seoul", 3));
    removed.add(base.default_partition_spec_id(), &whole);
    let steps = [Step::Overwrite(Overwrite {
        spec_id: base.default_partition_spec_id(),
        files: vec![whole],
        summary: HashMap::new(),
    })];
    let rows = new_rows(&steps).expect("rows");
    let summary = overwrite_summary(&rows, &removed, &base, &schema(), 9);
    assert_eq!(summary.get("changed-partition-count").map(String::as_str), Some("1"));
    let listed: Vec<_> = summary.keys().filter(|key| key.starts_with("partitions.")).collect();
    assert_eq!(listed, ["partitions.city=Seoul"]);
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
fn a_required_snapshot_must_be_the_current_one() {
    let empty = first_metadata(&new_table(), 1).expect("metadata");
    let full = next_metadata(&empty, None, &[], Some(snapshot(5)), 2).expect("metadata").metadata;
    let require = |id| [Step::RequireSnapshot(id)];
    assert_eq!(check(&empty, &empty, &require(None)), Ok(()));
    assert_eq!(check(&empty, &full, &require(Some(5))), Ok(()));
    for (current, planned) in [(&full, None), (&full, Some(4)), (&empty, Some(5))] {
        let conflict = check(&empty, current, &require(planned)).expect_err("another snapshot");
        let current = current.current_snapshot_id();
        assert_eq!(conflict, Conflict::SnapshotMoved { planned, current });
    }
    let moved = Conflict::SnapshotMoved { planned: None, current: Some(5) };
    let told = "its rows were changed meanwhile (no snapshot was current, now it is snapshot 5)";
    assert_eq!(moved.to_string(), told);
}

#[test]
fn one_commit_makes_one_snapshot() {
    let base = first_metadata(&new_table(), 1).expect("metadata");
    let append = Append { spec_id: 0, files: vec![file("Seoul", 1)], summary: HashMap::new() };
    let both = [Step::Append(append), overwrite(Vec::new())];
    next_metadata(&base, None, &both, Some(snapshot(1)), 2).expect_err("two kinds of snapshots");
    let gone = Step::Overwrite(Overwrite { spec_id: 3, files: Vec::new(), summary: HashMap::new() });
    assert_eq!(check(&base, &base, &[gone]), Err(Conflict::SpecGone { spec_id: 3 }));
}

#[test]
fn an_overwrite_that_keeps_rows_is_found() {
    use crate::invariants::check_overwrite;
    let base = first_metadata(&new_table(), 1).expect("metadata");
    let next = |base: &TableMetadata, id, total: &str| {
        let mut counted = NewSnapshot { operation: Operation::Overwrite, ..snapshot(id) };
        counted.summary.insert("total-records".to_owned(), total.to_owned());
        next_metadata(base, None, &[], Some(counted), 2).expect("metadata").metadata
    };
    let first = next(&base, 1, "5");
    let second = next(&first, 2, "3");
    assert_eq!(second.current_snapshot().expect("a snapshot").summary().operation, Operation::Overwrite);
    assert_eq!(check_overwrite(Some(&first), &second, 3), Ok(()));
    assert_eq!(check_overwrite(Some(&first), &second, 8).expect_err("broken").name, "rows_replaced");
    assert_eq!(
        check_overwrite(Some(&first), &next(&first, 2, "?"), 3).expect_err("broken").name,
        "rows_replaced"
    );
    assert_eq!(check_overwrite(Some(&base), &second, 3).expect_err("broken").name, "sequence_increases");
    assert_eq!(check_overwrite(None, &next(&base, 1, "0"), 0), Ok(()));
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
