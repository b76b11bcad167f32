//! What becomes of new fields and misfits in each mode, and what the report says of it.

use std::collections::HashMap;
use std::sync::Arc;

use hosu_catalog::NewTable;
use hosu_table::evolution::SchemaEvolution::{self, AddColumns, Fail, Ignore, Rescue};
use hosu_table::name::TableName;
use hosu_table::{partition, paths};
use iceberg::spec::{
    ListType, NestedField, NestedFieldRef, PartitionSpec, PrimitiveType, Schema, SortOrder, StructType, Type,
};
use serde_json::{Value, json};

use super::support::{Lake, lines};
use crate::report::{ChangeKind, SchemaChange};
use crate::{CollectError, IngestRequest, Report};

fn field(id: i32, name: &str, column_type: Type) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, column_type))
}

fn scalar(id: i32, name: &str, column_type: PrimitiveType) -> NestedFieldRef {
    field(id, name, Type::Primitive(column_type))
}

/// A table as another engine makes it.
async fn make(
    lake: &Lake,
    fields: Vec<NestedFieldRef>,
    partition_by: Option<&str>,
    properties: &[(&str, &str)],
) {
    let name = TableName::parse("events").unwrap();
    let uuid = lake.catalog.host().ids.uuid();
    let schema = Schema::builder().with_fields(fields).build().unwrap();
    let terms = partition_by.map(|by| partition::parse(by).unwrap());
    let spec = match terms {
        Some(terms) => partition::bind(&terms, &schema).unwrap(),
        None => PartitionSpec::unpartition_spec(),
    };
    let new = NewTable {
        uuid,
        location: paths::table_location(lake.catalog.warehouse().as_str(), &name, uuid),
        schema,
        spec,
        sort_order: SortOrder::unsorted_order(),
        properties: properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect::<HashMap<_, _>>(),
    };
    lake.catalog.create_table(name, new, true).await.unwrap();
}

fn request(lake: &Lake, source: &str, evolution: SchemaEvolution) -> IngestRequest {
    let mut request = lake.request(&[source]);
    request.evolution = Some(evolution);
    request
}

async fn ingest(lake: &Lake, source: &str, evolution: SchemaEvolution) -> Result<Report, CollectError> {
    lake.run(request(lake, source, evolution)).await
}

/// A table with `id` and `geo`, and a file with new fields and misfits.
async fn lake_and_file() -> Lake {
    let lake = Lake::new();
    lake.file("a.json", lines(&[json!({"id": 1, "geo": {"lat": 1.5}})]));
    lake.ingest(&["a.json"]).await.unwrap();
    let values = [
        json!({"id": 2}),
        json!({"id": "three", "geo": {"lat": 2.5, "city": "서울"}, "new": [1]}),
        json!({"id": 4, "new": "x"}),
    ];
    lake.file("b.json", lines(&values));
    lake
}

#[tokio::test]
async fn rescue_keeps_the_schema_and_every_value() {
    let lake = lake_and_file().await;
    let report = ingest(&lake, "b.json", Rescue).await.unwrap();
    assert_eq!((report.rows, report.rescued, report.ignored), (3, 4, 0));
    assert_eq!(report.schema_evolution, "rescue");
    assert!(report.schema_changes.is_empty() && report.columns_added.is_empty());
    assert_eq!(lake.columns("events").await, ["geo struct<lat: double>", "id long", "_rescued_data string"]);
    let rescued = r#"{"$.geo.city": "\"서울\"", "$.id": "\"three\"", "$.new": "[1]"}"#;
    let row = json!({"geo": {"lat": 2.5}, "_rescued_data": rescued});
    assert!(lake.rows("events").await.contains(&row), "{:?}", lake.rows("events").await);
    let table = lake.table("events").await.unwrap();
    assert_eq!(table.metadata.schemas_iter().count(), 1);
}

#[tokio::test]
async fn ignore_leaves_new_fields_out_and_says_which() {
    let lake = lake_and_file().await;
    let report = ingest(&lake, "b.json", Ignore).await.unwrap();
    assert_eq!((report.rows, report.rescued, report.ignored), (3, 1, 3));
    let ignored: Vec<_> = report
        .ignored_columns
        .iter()
        .map(|column| (column.column.as_str(), column.values, column.example.as_str(), column.line_number))
        .collect();
    assert_eq!(ignored, [("new", 2, "[1]", 2), ("geo.city", 1, "\"서울\"", 2)]);
    let row = json!({"geo": {"lat": 2.5}, "_rescued_data": r#"{"$.id": "\"three\""}"#});
    assert!(lake.rows("events").await.contains(&row));
    assert_eq!(lake.columns("events").await.len(), 3);
}

#[tokio::test]
async fn fail_names_the_first_new_field_or_misfit_and_writes_nothing() {
    let lake = lake_and_file().await;
    let before = lake.parquet_files();
    for dry_run in [true, false] {
        let mut request = request(&lake, "b.json", Fail);
        request.dry_run = dry_run;
        match lake.run(request).await.unwrap_err() {
            CollectError::SchemaFails { name, line_number, reason, .. } => {
                assert_eq!((name, line_number), (lake.path("b.json").display().to_string(), 2));
                assert_eq!(reason, r#"field `geo.city` is new: "서울" at $.geo.city"#);
            }
            other => panic!("{other}"),
        }
    }
    for (record, expected) in [
        (r#"{"id":1,"x":{"y":2}}"#, "field `x` is new: {\"y\":2} at $.x"),
        (r#"{"id":1,"ID":2}"#, "`ID` is another spelling of column `id`"),
        (r#"{"id":1,"id":2}"#, "column `id` is long, and 1 at $.id does not fit"),
    ] {
        lake.file("c.json", format!("\n{record}\n"));
        match ingest(&lake, "c.json", Fail).await.unwrap_err() {
            CollectError::SchemaFails { line_number, reason, .. } => {
                assert_eq!((line_number, reason.as_str()), (2, expected));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((lake.rows("events").await.len(), lake.parquet_files()), (1, before));
    lake.file("d.json", "{\"id\":9}\nno JSON\n");
    let report = ingest(&lake, "d.json", Fail).await.unwrap();
    assert_eq!((report.rows, report.rejected), (1, 1), "what is no record is rejected, as ever");
}

#[tokio::test]
async fn the_tables_property_says_it_and_the_flag_wins() {
    let lake = Lake::new();
    make(
        &lake,
        vec![scalar(1, "id", PrimitiveType::Long)],
        None,
        &[("hosu.schema-evolution", "ignore"), ("hosu.columns-max", "2")],
    )
    .await;
    lake.file("a.json", lines(&[json!({"id": 1, "a": 1, "b": 2})]));
    let mut plain = lake.request(&["a.json"]);
    let report = lake.run(plain.clone()).await.unwrap();
    assert_eq!((report.schema_evolution, report.ignored), ("ignore", 2));
    plain.evolution = Some(AddColumns);
    plain.reingest = true;
    let report = lake.run(plain.clone()).await.unwrap();
    assert_eq!(
        (report.columns_added.clone(), report.rescued),
        (vec!["a".to_owned(), "_rescued_data".to_owned()], 1)
    );
    plain.columns_max = Some(3);
    assert_eq!(lake.run(plain).await.unwrap().columns_added, ["b"]);
}

#[tokio::test]
async fn a_new_table_gets_the_columns_of_its_sample_in_every_mode() {
    for evolution in SchemaEvolution::ALL {
        let lake = Lake::new();
        let mut values: Vec<Value> = (0..2_000).map(|n| json!({"id": n, "t": "x".repeat(20)})).collect();
        lake.file("few.json", lines(&values));
        let report = ingest(&lake, "few.json", evolution).await.unwrap();
        assert_eq!((report.rows, report.schema_evolution), (2_000, evolution.word()));
        assert_eq!(lake.columns("events").await, ["id long", "t string", "_rescued_data string"]);

        let lake = Lake::new();
        values.push(json!({"id": 1, "late": true}));
        lake.file("in.json", lines(&values));
        let mut request = request(&lake, "in.json", evolution);
        request.settings.sample_bytes = 1_000;
        request.settings.memory_bytes = 1 << 20;
        request.settings.line_bytes_max = 4096;
        let result = lake.run(request).await;
        let columns = if result.is_ok() { lake.columns("events").await.len() } else { 0 };
        let counts =
            result.map(|report| (report.rescued, report.ignored, columns)).map_err(|error| error.to_string());
        match evolution {
            AddColumns => assert_eq!(counts, Ok((0, 0, 4))),
            Rescue => assert_eq!(counts, Ok((1, 0, 3))),
            Ignore => assert_eq!(counts, Ok((0, 1, 3))),
            Fail => assert!(counts.unwrap_err().contains("line 2001"), "{evolution}"),
        }
    }
}

#[tokio::test]
async fn columns_become_wider_where_values_need_it() {
    let lake = Lake::new();
    let inner =
        StructType::new(vec![scalar(6, "n", PrimitiveType::Int), scalar(7, "t", PrimitiveType::String)]);
    let list = Type::List(ListType::new(field(8, "element", Type::Primitive(PrimitiveType::Int))));
    make(
        &lake,
        vec![
            scalar(1, "i", PrimitiveType::Int),
            scalar(2, "f", PrimitiveType::Float),
            field(3, "s", Type::Struct(inner)),
            field(4, "l", list),
            scalar(5, "same", PrimitiveType::Int),
        ],
        None,
        &[],
    )
    .await;
    lake.file("a.json", lines(&[json!({"i": 1, "f": 0.5, "s": {"n": 2}, "l": [3], "same": 4})]));
    let report = lake.ingest(&["a.json"]).await.unwrap();
    assert!(report.schema_changes.is_empty());
    let wide = json!({"i": 3_000_000_000_u64, "f": 0.1, "s": {"n": -3_000_000_000_i64, "new": 1}, "l": [1, 5_000_000_000_u64], "same": 5});
    lake.file("b.json", lines(&[json!({"i": 7}), wide.clone()]));
    let mut request = lake.request(&["b.json"]);
    request.dry_run = true;
    let told = lake.run(request.clone()).await.unwrap();
    request.dry_run = false;
    let report = lake.run(request).await.unwrap();
    assert_eq!(told.schema_changes, report.schema_changes);
    let widened = |column: &str, from: &str, to: &str| SchemaChange {
        change: ChangeKind::Widened,
        column: column.to_owned(),
        column_type: to.to_owned(),
        from: Some(from.to_owned()),
    };
    assert_eq!(
        report.schema_changes,
        [
            widened("i", "int", "long"),
            widened("f", "float", "double"),
            widened("s.n", "int", "long"),
            widened("l.element", "int", "long"),
            SchemaChange {
                change: ChangeKind::Added,
                column: "s.new".to_owned(),
                column_type: "long".to_owned(),
                from: None
            },
        ]
    );
    assert_eq!((report.rescued, report.columns_added), (0, vec!["s.new".to_owned()]));
    assert_eq!(
        lake.columns("events").await,
        ["i long", "f double", "s struct<n: long, t: string, new: long>", "l list<long>", "same int"]
    );
    assert!(lake.rows("events").await.contains(&wide), "{:?}", lake.rows("events").await);
    let table = lake.table("events").await.unwrap();
    assert_eq!(table.metadata.snapshots().count(), 2, "schema and rows are one commit");
    assert_eq!(table.schema().field_by_id(6).unwrap().name, "n", "ids stay");
}

#[tokio::test]
async fn columns_that_partitions_are_made_of_stay_as_they_are() {
    for (partition_by, may) in [("bucket(4, i)", true), ("i", false), ("truncate(10, i)", false)] {
        let lake = Lake::new();
        make(&lake, vec![scalar(1, "i", PrimitiveType::Int)], Some(partition_by), &[]).await;
        lake.file("a.json", lines(&[json!({"i": 1}), json!({"i": 3_000_000_000_u64})]));
        let report = lake.ingest(&["a.json"]).await.unwrap();
        let expected = if may { (1, 0) } else { (1, 1) };
        assert_eq!((report.schema_changes.len(), report.rescued), expected, "{partition_by}");
        assert_eq!(report.rows, 2);
    }
}

#[tokio::test]
async fn two_that_change_different_columns_at_once_both_win() {
    let lake = Lake::new();
    make(&lake, vec![scalar(1, "i", PrimitiveType::Int), scalar(2, "f", PrimitiveType::Float)], None, &[])
        .await;
    for (name, value) in [
        ("a.json", json!({"i": 3_000_000_000_u64})),
        ("b.json", json!({"f": 0.1, "new": 1})),
        ("c.json", json!({"i": 4_000_000_000_u64, "other": "x"})),
    ] {
        lake.file(name, lines(&[value]));
    }
    let catalogs = [lake.other_process(11), lake.other_process(12), lake.other_process(13)];
    let run = |at: usize, source: &str| {
        let (catalog, request) = (catalogs[at].clone(), lake.request(&[source]));
        async move { crate::ingest(&catalog, request, Arc::new(crate::NoProgress), None).await }
    };
    let (a, b, c) = tokio::join!(run(0, "a.json"), run(1, "b.json"), run(2, "c.json"));
    for report in [a.unwrap(), b.unwrap(), c.unwrap()] {
        assert_eq!((report.rows, report.rescued), (1, 0));
    }
    let mut columns = lake.columns("events").await;
    columns.sort();
    assert_eq!(columns, ["f double", "i long", "new long", "other string"]);
    assert_eq!(lake.rows("events").await.len(), 3);
}

#[tokio::test]
async fn columns_have_a_limit_in_tables_that_grow_too() {
    let lake = Lake::new();
    let wide = |from: u32, to: u32| -> Value { (from..to).map(|n| (format!("c{n:04}"), json!(n))).collect() };
    lake.file("a.json", lines(&[wide(0, 1_005)]));
    let report = lake.ingest(&["a.json"]).await.unwrap();
    assert_eq!((report.rescued, lake.columns("events").await.len()), (5, 1_001));
    assert_eq!(report.notes.len(), 1);
    assert!(
        report.notes[0].contains("1000 (--columns-max): 5 fields more were rescued"),
        "{:?}",
        report.notes
    );
    lake.file("b.json", lines(&[wide(1_000, 1_003)]));
    let report = lake.ingest(&["b.json"]).await.unwrap();
    assert_eq!((report.rescued, report.columns_added.len()), (3, 0));
    let mut request = lake.request(&["b.json"]);
    request.reingest = true;
    request.columns_max = Some(1_002);
    let report = lake.run(request).await.unwrap();
    assert_eq!((report.rescued, report.columns_added), (1, vec!["c1000".to_owned(), "c1001".to_owned()]));
    assert!(report.notes[0].contains("1002 (--columns-max): 1 field more was rescued"), "{:?}", report.notes);
}

#[tokio::test]
async fn other_spellings_of_a_name_are_told() {
    let lake = Lake::new();
    let values = [
        json!({"userId": 1}).to_string(),
        json!({"USERID": 2}).to_string(),
        r#"{"userId":3,"userid":4}"#.to_owned(),
        r#"{"userid":5,"userId":6}"#.to_owned(),
    ];
    lake.file("a.json", values.join("\n"));
    let report = lake.ingest(&["a.json"]).await.unwrap();
    assert_eq!(
        report.notes,
        [
            "`userId` and `USERID` are one column, `userId`; 1 value of the other spelling landed in it",
            "`userId` and `userid` are one column, `userId`; 2 values of the other spelling were rescued",
        ]
    );
}

#[tokio::test]
async fn rejects_are_told_by_reason_and_rescued_values_by_column() {
    let lake = Lake::new();
    lake.file("a.json", "{\"n\":1,\"l\":[{\"p\":1},{\"p\":2}]}\n[1]\nwhat\n{\"n\":\"x\",\"l\":[{\"p\":\"a\"},{\"p\":\"b\"}]}\nyes\n{\"n\":1.5}\n{\"n\":2}\n");
    let mut request = lake.request(&["a.json"]);
    for dry_run in [true, false] {
        request.dry_run = dry_run;
        let report = lake.run(request.clone()).await.unwrap();
        let reasons: Vec<_> = report
            .rejects_by_reason
            .iter()
            .map(|reason| (reason.reason.as_str(), reason.records, reason.line_number))
            .collect();
        assert_eq!(reasons, [("not JSON", 2, 3), ("not an object", 1, 2)]);
        assert_eq!(report.rejects_by_reason.iter().map(|reason| reason.records).sum::<u64>(), 3);
        let columns: Vec<_> =
            report.rescued_columns.iter().map(|c| (c.column.as_str(), c.values, c.line_number)).collect();
        assert_eq!(columns, [("l.element.p", 2, 4), ("n", 1, 4)]);
        let queries: Vec<_> = report.rescued_columns.iter().map(|column| column.query.as_deref()).collect();
        let expected = [
            Some(r#"select * from events where strpos(_rescued_data, '"$.l[') > 0"#),
            Some(r#"select * from events where strpos(_rescued_data, '"$.n":') > 0"#),
        ];
        assert_eq!(queries, if dry_run { [None, None] } else { expected });
    }
}

#[tokio::test]
async fn a_dry_run_tells_files_and_sizes_as_they_come_to_be() {
    let lake = Lake::new();
    let values: Vec<Value> =
        (0..600).map(|n| json!({"id": n, "at": format!("2026-03-0{}T00:00:00Z", 1 + n % 3)})).collect();
    lake.file("a.json", lines(&values) + "no JSON\n");
    let mut request = lake.request(&["a.json"]);
    request.partition_by = Some("day(at)".to_owned());
    request.dry_run = true;
    let told = lake.run(request.clone()).await.unwrap();
    assert!(!lake.path("lake").exists());
    request.dry_run = false;
    let done = lake.run(request).await.unwrap();
    assert_eq!((told.data_files, told.bytes_written), (done.data_files, done.bytes_written));
    assert_eq!((told.data_files, &told.partitions), (4, &done.partitions));
    let partitions: Vec<_> =
        done.partitions.iter().map(|one| (one.partition.as_str(), one.files, one.rows)).collect();
    assert_eq!(
        partitions,
        [("at_day=2026-03-01", 1, 200), ("at_day=2026-03-02", 1, 200), ("at_day=2026-03-03", 1, 200)]
    );
    assert_eq!(told.snapshot_id, None);
    assert!(told.advice.is_empty(), "it is partitioned");
}
