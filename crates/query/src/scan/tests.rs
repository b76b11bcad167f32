use hosu_host::Location;
use hosu_table::name::TableName;
use iceberg::spec::TableMetadata;

use super::*;

fn manifest(content: ManifestContentType, added: Option<u32>) -> ManifestFile {
    ManifestFile {
        manifest_path: "memory:///m.avro".to_owned(),
        manifest_length: 1,
        partition_spec_id: 0,
        content,
        sequence_number: 1,
        min_sequence_number: 1,
        added_snapshot_id: 1,
        added_files_count: added,
        existing_files_count: Some(0),
        deleted_files_count: Some(3),
        added_rows_count: None,
        existing_rows_count: None,
        deleted_rows_count: None,
        partitions: None,
        key_metadata: None,
        first_row_id: None,
    }
}

fn table() -> Table {
    let metadata: TableMetadata = serde_json::from_str(
        r#"{"format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "memory:///t",
            "last-sequence-number": 0, "last-updated-ms": 1, "last-column-id": 1, "current-schema-id": 0,
            "schemas": [{"type": "struct", "schema-id": 0,
                         "fields": [{"id": 1, "name": "a", "required": false, "type": "long"}]}],
            "default-spec-id": 0, "partition-specs": [{"spec-id": 0, "fields": []}], "last-partition-id": 999,
            "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}]}"#,
    )
    .unwrap();
    Table {
        name: TableName::parse("d.t").unwrap(),
        metadata: Arc::new(metadata),
        metadata_location: "memory:///t/metadata/0.json".to_owned(),
        location: Location::parse("memory:///t").unwrap(),
    }
}

#[test]
fn live_delete_files_are_refused_and_dead_ones_are_not() {
    let dead =
        [manifest(ManifestContentType::Data, Some(1)), manifest(ManifestContentType::Deletes, Some(0))];
    assert!(refuse_deletes(&table(), dead.iter()).is_ok());
    for added in [Some(1), None] {
        let error =
            refuse_deletes(&table(), [manifest(ManifestContentType::Deletes, added)].iter()).unwrap_err();
        assert!(error.to_string().starts_with("table d.t cannot be read: it has delete files"), "{error}");
    }
}
