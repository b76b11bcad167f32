//! Rows land in the file of their partition, whatever the partition is made of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use iceberg::spec::{
    Literal, NestedField, PrimitiveLiteral, PrimitiveType, Struct, StructType, Transform, Type,
};

use super::{Bench, optional, schema};

const DAY: i64 = 86_400_000_000;

/// `id`, `at`, `device.os`
fn events() -> Bench {
    let device = StructType::new(vec![optional(4, "os", PrimitiveType::String)]);
    Bench::new(schema([
        optional(1, "id", PrimitiveType::Long),
        optional(2, "at", PrimitiveType::Timestamptz),
        Arc::new(NestedField::optional(3, "device", Type::Struct(device))),
    ]))
}

/// id, instant, and the device's system if there is a device.
type Row<'a> = (i64, Option<i64>, Option<Option<&'a str>>);

fn rows(bench: &Bench, rows: &[Row<'_>]) -> RecordBatch {
    let os: ArrayRef =
        Arc::new(rows.iter().map(|row| row.2.unwrap_or(Some("hidden"))).collect::<StringArray>());
    let there: Vec<bool> = rows.iter().map(|row| row.2.is_some()).collect();
    let device =
        StructArray::new(vec![Field::new("os", DataType::Utf8, true)].into(), vec![os], Some(there.into()));
    bench.batch(vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(device),
    ])
}

async fn ids(bench: &Bench, path: &str) -> Vec<i64> {
    bench.read(path).await.column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn int(value: i32) -> Option<Literal> {
    Some(Literal::Primitive(PrimitiveLiteral::Int(value)))
}

#[tokio::test]
async fn nested_columns_nulls_and_two_fields() {
    let bench =
        events().partitioned(&[("at", "at_day", Transform::Day), ("device.os", "os", Transform::Identity)]);
    let batch = rows(
        &bench,
        &[
            (1, Some(5), Some(Some("ios"))),
            (2, Some(DAY), Some(Some("ios"))),
            (3, Some(7), Some(Some("ios"))),
            (4, None, Some(None)),
            (5, None, None),
            (6, Some(-1), Some(Some("null"))),
        ],
    );
    let written = bench.write([batch]).await;
    let mut found = BTreeMap::new();
    for file in &written.files {
        let folder = file.file_path().strip_prefix("memory:///lake/t/data/").unwrap();
        let folder = folder.rsplit_once('/').unwrap().0.to_owned();
        found.insert(folder, (ids(&bench, file.file_path()).await, file.partition().clone()));
    }
    let os = |text: &str| Some(Literal::string(text));
    let expected = BTreeMap::from([
        ("at_day=1970-01-01/os=ios".to_owned(), (vec![1, 3], Struct::from_iter([int(0), os("ios")]))),
        ("at_day=1970-01-02/os=ios".to_owned(), (vec![2], Struct::from_iter([int(1), os("ios")]))),
        ("at_day=null/os=null".to_owned(), (vec![4, 5], Struct::from_iter([None, None]))),
        ("at_day=1969-12-31/os=%6Eull".to_owned(), (vec![6], Struct::from_iter([int(-1), os("null")]))),
    ]);
    assert_eq!(found, expected);
    let folder_of = |file: &iceberg::spec::DataFile| file.record_count();
    assert_eq!(written.files.iter().map(folder_of).sum::<u64>(), 6);
    for file in &written.files {
        // The value of the struct's hidden child does not count.
        assert_eq!(file.value_counts().get(&4), Some(&file.record_count()));
    }
}

#[tokio::test]
async fn every_transform_splits_rows() {
    for (column, transform, partitions) in [
        ("id", Transform::Bucket(4), 4),
        ("id", Transform::Truncate(100), 10),
        ("at", Transform::Year, 3),
        ("at", Transform::Month, 33),
        ("at", Transform::Day, 1_000),
        ("at", Transform::Hour, 1_000),
        ("at", Transform::Bucket(8), 8),
        ("device.os", Transform::Truncate(2), 2),
        ("device.os", Transform::Bucket(2), 2),
        ("id", Transform::Void, 1),
    ] {
        let bench = events().partitioned(&[(column, "p", transform)]);
        let given: Vec<_> = (0..1_000)
            .map(|n| (n, Some(n * DAY), Some(Some(if n % 2 == 0 { "android" } else { "ios" }))))
            .collect();
        let written = bench.write(given.chunks(300).map(|part| rows(&bench, part))).await;
        assert_eq!(written.files.len(), partitions, "{transform} of {column}");
        assert_eq!(written.rows, 1_000);
        let mut seen = HashMap::new();
        for file in &written.files {
            assert_eq!(file.partition().fields().len(), 1);
            assert!(seen.insert(file.partition().clone(), ()).is_none(), "two files of one partition");
        }
    }
}

#[tokio::test]
async fn a_void_field_is_null() {
    let bench =
        events().partitioned(&[("id", "gone", Transform::Void), ("id", "id_10", Transform::Truncate(10))]);
    let written = bench.write([rows(&bench, &[(25, None, None)])]).await;
    let twenty = Some(Literal::Primitive(PrimitiveLiteral::Long(20)));
    assert_eq!(written.files[0].partition(), &Struct::from_iter([None, twenty]));
}

/// Rows that have so many columns of numbers, each the number of the row.
fn wide_rows(bench: &Bench, columns: usize, days: &[i64]) -> RecordBatch {
    let times = TimestampMicrosecondArray::from_iter_values(days.iter().map(|day| day * DAY));
    let mixed = |column: usize| {
        let numbers = (0..days.len()).map(|row| (row * columns + column) as i64);
        numbers.map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)).collect::<Int64Array>()
    };
    let columns = (0..columns).map(|column| Arc::new(mixed(column)) as ArrayRef);
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    bench.batch(std::iter::once(times).chain(columns).collect())
}

#[tokio::test]
async fn days_of_wide_rows_have_open_files_and_pass_by_their_bytes() {
    const COLUMNS: usize = 500;
    let columns = (2..).take(COLUMNS).map(|id| optional(id, &format!("n{id}"), PrimitiveType::Long));
    let schema = schema(std::iter::once(optional(1, "at", PrimitiveType::Timestamptz)).chain(columns));
    let mut bench = Bench::new(schema).partitioned(&[("at", "at_day", Transform::Day)]);
    bench.settings.memory_bytes = 160 << 20;
    let mut writer = bench.writer();
    writer.write(wide_rows(&bench, COLUMNS, &[0, 1, 2, 3, 4, 5, 6, 7])).await.unwrap();
    assert_eq!(writer.open_partitions(), 8);
    // 4,000 bytes a row: 8,400 of them are 32 MiB.
    for _ in 0..4 {
        writer.write(wide_rows(&bench, COLUMNS, &[0; 1_000])).await.unwrap();
    }
    for _ in 0..8 {
        writer.write(wide_rows(&bench, COLUMNS, &[1; 1_000])).await.unwrap();
    }
    assert_eq!(writer.open_partitions(), 8);
    writer.write(wide_rows(&bench, COLUMNS, &[1; 1_000])).await.unwrap();
    // The others have files of a few rows, which wait.
    assert_eq!((writer.open_partitions(), writer.runs()), (7, 0));
    let written = writer.finish().await.unwrap();
    assert_eq!((written.files.len(), written.rows), (8, 13_008));
}

#[tokio::test]
async fn a_small_day_that_has_passed_makes_room_for_another() {
    let mut bench = events().partitioned(&[("at", "at_day", Transform::Day)]);
    bench.settings.open_partitions_max = 2;
    let mut writer = bench.writer();
    let rows_of = |day: i64, count: i64| {
        let given: Vec<Row<'_>> = (0..count).map(|id| (id, Some(day * DAY), None)).collect();
        rows(&bench, &given)
    };
    writer.write(rows_of(0, 10)).await.unwrap();
    for day in 1..5 {
        writer.write(rows_of(day, 70_000)).await.unwrap();
        // Its own is the only one that is open: the one before has passed.
        assert_eq!((writer.open_partitions() as i64, writer.made() as i64), (1, day + 1));
    }
    let written = writer.finish().await.unwrap();
    assert_eq!((written.files.len(), written.rows), (5, 280_010));
}

#[tokio::test]
async fn a_day_that_has_passed_is_completed_once() {
    let bench = events().partitioned(&[("at", "at_day", Transform::Day)]);
    let mut writer = bench.writer();
    let mut next_id = 0_i64;
    let mut write = async |writer: &mut crate::DataFileWriter, day: i64, count: usize| {
        for part in (0..count).step_by(10_000) {
            let ids = (0..10_000.min(count - part)).map(|_| {
                next_id += 1;
                next_id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)
            });
            let rows_of_day: Vec<Row<'_>> = ids.map(|id| (id, Some(day * DAY), None)).collect();
            writer.write(rows(&bench, &rows_of_day)).await.unwrap();
        }
    };
    write(&mut writer, 0, 150_000).await;
    write(&mut writer, 1, 60_000).await;
    // A row that is late, but not by much: the next rest must be four times as long.
    write(&mut writer, 0, 1).await;
    write(&mut writer, 1, 230_000).await;
    assert_eq!((writer.open_partitions(), writer.made()), (2, 2));
    write(&mut writer, 1, 20_000).await;
    assert_eq!((writer.open_partitions(), writer.made()), (1, 2));
    // What comes much later gets one more file, which waits for the end.
    write(&mut writer, 0, 1).await;
    write(&mut writer, 1, 100_000).await;
    write(&mut writer, 0, 140_000).await;
    write(&mut writer, 1, 500_000).await;
    // The other day had passed meanwhile, too.
    assert_eq!((writer.open_partitions(), writer.made()), (2, 4));
    let written = writer.finish().await.unwrap();
    let rows: Vec<u64> = written.files.iter().map(|file| file.record_count()).collect();
    assert_eq!((rows, written.rows), (vec![150_001, 140_001, 410_000, 500_000], 1_200_002));
}
