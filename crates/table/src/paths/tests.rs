//! Names of objects, there and back.

use super::*;
use iceberg::spec::{Literal, NestedField, UnboundPartitionSpec};
use proptest::prelude::*;
use std::sync::Arc;

fn uuid() -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)
}

#[test]
fn names_are_as_other_engines_expect_them() {
    let name = ObjectName::Metadata { version: 3, uuid: uuid(), gzip: false };
    assert_eq!(
        name.under("s3://lake/w/t/"),
        "s3://lake/w/t/metadata/00003-01900000-0000-7000-8000-000000000001.metadata.json"
    );
    assert_eq!(next_metadata_version(&name.to_relative()), 4);
    assert_eq!(next_metadata_version("s3://b/t/metadata/v12.metadata.json"), 0);
    assert_eq!(next_metadata_version(""), 0);
    let name = ObjectName::Data { partition: vec!["day=2026-01-31".into()], uuid: uuid(), number: 7 };
    assert_eq!(name.to_relative(), "data/day=2026-01-31/00007-01900000-0000-7000-8000-000000000001.parquet");
}

#[test]
fn what_is_not_ours_is_not_recognised() {
    for name in [
        "",
        "data",
        "data/",
        "data/x.parquet",
        "data/00000-0-01900000-0000-7000-8000-000000000001-00001.parquet",
        "data/7-01900000-0000-7000-8000-000000000001.parquet",
        "data/day/00007-01900000-0000-7000-8000-000000000001.parquet",
        "metadata/version-hint.text",
        "metadata/v1.metadata.json",
        "metadata/snap-+1-1-01900000-0000-7000-8000-000000000001.avro",
        "other/00007-01900000-0000-7000-8000-000000000001.parquet",
    ] {
        assert_eq!(ObjectName::parse(name), None, "{name}");
    }
}

#[test]
fn a_table_lives_in_a_folder_of_its_own_inside_the_warehouse() {
    let location = table_location("file:///lake/", &TableName::stored("default", "events"), uuid());
    assert_eq!(location, "file:///lake/default/events-01900000000070008000000000000001");
    let location = table_location("s3://b/w", &TableName::stored("..", "../x"), uuid());
    assert_eq!(location, "s3://b/w/%2E%2E/..%2Fx-01900000000070008000000000000001");
    let long = table_location("s3://b/w", &TableName::stored("게".repeat(128), "로".repeat(128)), uuid());
    assert!(long.split('/').all(|segment| segment.len() <= 255), "{long}");
}

#[test]
fn partition_values_are_shown_as_people_read_them() {
    let columns = [
        ("ts", PrimitiveType::Timestamptz),
        ("price", PrimitiveType::Decimal { precision: 9, scale: 2 }),
        ("city", PrimitiveType::String),
        ("on", PrimitiveType::Date),
    ];
    let fields = columns.into_iter().zip(1..).map(|((name, column_type), id)| {
        Arc::new(NestedField::optional(id, name, Type::Primitive(column_type)))
    });
    let schema = Schema::builder().with_fields(fields).build().expect("schema");
    let spec = [
        (1, "ts_hour", Transform::Hour),
        (1, "ts_bucket", Transform::Bucket(4)),
        (2, "price", Transform::Identity),
        (3, "city", Transform::Identity),
        (4, "on_month", Transform::Month),
        (4, "on", Transform::Identity),
    ];
    let mut unbound = UnboundPartitionSpec::builder();
    for (id, name, transform) in spec {
        unbound = unbound.add_partition_field(id, name, transform).expect("field");
    }
    let spec = unbound.build().bind(schema.clone()).expect("bound");
    let folders =
        |values: [Option<Literal>; 6]| partition_folders(&spec, &schema, &Struct::from_iter(values));
    assert_eq!(
        folders([
            Some(Literal::int(-1)),
            Some(Literal::int(3)),
            Some(Literal::decimal(-5)),
            Some(Literal::string("서울/..")),
            Some(Literal::int(-1)),
            Some(Literal::int(0)),
        ]),
        [
            "ts_hour=1969-12-31-23",
            "ts_bucket=3",
            "price=-0.05",
            "city=%EC%84%9C%EC%9A%B8%2F..",
            "on_month=1969-12",
            "on=1970-01-01"
        ]
    );
    let nothing = folders([const { None }; 6]);
    assert!(nothing.iter().all(|folder| folder.ends_with("=null")), "{nothing:?}");
    let extreme = folders([
        Some(Literal::int(i32::MIN)),
        Some(Literal::int(i32::MAX)),
        Some(Literal::decimal(i128::MIN)),
        Some(Literal::string("")),
        Some(Literal::int(i32::MAX)),
        Some(Literal::int(i32::MIN)),
    ]);
    assert_eq!(extreme[3], "city=");
    assert!(partition_folders(&spec, &schema, &Struct::empty()).iter().all(|f| f.ends_with("=null")));
}

fn partition_folders_strategy() -> impl Strategy<Value = Vec<String>> {
    let folder = ("\\PC{1,30}", proptest::option::of("\\PC{0,80}"))
        .prop_map(|(field, value)| partition_folder(&field, value.as_deref(), SEGMENT_BYTES_MAX));
    proptest::collection::vec(folder, 0..4)
}

fn object_name() -> impl Strategy<Value = ObjectName> {
    let uuid = any::<u128>().prop_map(Uuid::from_u128);
    prop_oneof![
        (partition_folders_strategy(), uuid.clone(), any::<u32>())
            .prop_map(|(partition, uuid, number)| ObjectName::Data { partition, uuid, number }),
        (uuid.clone(), any::<u32>()).prop_map(|(uuid, number)| ObjectName::Manifest { uuid, number }),
        (1..i64::MAX, any::<u32>(), uuid.clone()).prop_map(|(snapshot_id, attempt, uuid)| {
            ObjectName::ManifestList { snapshot_id, attempt, uuid }
        }),
        (any::<u32>(), uuid, any::<bool>()).prop_map(|(version, uuid, gzip)| ObjectName::Metadata {
            version,
            uuid,
            gzip
        }),
    ]
}

proptest! {
    #[test]
    fn each_name_reads_back_as_itself(name in object_name()) {
        prop_assert_eq!(ObjectName::parse(&name.to_relative()), Some(name));
    }

    #[test]
    fn only_one_spelling_of_a_name_is_recognised(text in "(data|metadata)/[a-z0-9=/.-]{0,60}") {
        if let Some(name) = ObjectName::parse(&text) {
            prop_assert_eq!(name.to_relative(), text);
        }
    }

    #[test]
    fn any_value_is_one_safe_segment(
        field in "\\PC{1,40}",
        value in proptest::option::of(any::<String>()),
        bytes_max in 24_usize..=SEGMENT_BYTES_MAX,
    ) {
        let folder = partition_folder(&field, value.as_deref(), bytes_max);
        prop_assert!(folder.len() <= bytes_max, "{} bytes", folder.len());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.%=~".contains(c);
        prop_assert!(folder.chars().all(allowed), "{folder}");
        prop_assert!(folder != "." && folder != "..");
        if !folder.contains(CUT) {
            prop_assert_eq!(parse_partition_folder(&folder), Some((field, value)));
        } else {
            prop_assert_eq!(parse_partition_folder(&folder), None);
        }
    }
}
