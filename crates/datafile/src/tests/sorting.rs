//! Tables with a sort order.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use iceberg::spec::{NullOrder, PrimitiveType, SortDirection, SortField, SortOrder, Transform};

use super::{Bench, optional, schema};

fn sorted(fields: &[(i32, Transform, SortDirection, NullOrder)]) -> Bench {
    let mut bench = Bench::new(schema([
        optional(1, "n", PrimitiveType::Long),
        optional(2, "text", PrimitiveType::String),
        optional(3, "seq", PrimitiveType::Long),
    ]));
    let fields = fields.iter().map(|(source_id, transform, direction, null_order)| SortField {
        source_id: *source_id,
        transform: *transform,
        direction: *direction,
        null_order: *null_order,
    });
    bench.target.sort_order = Arc::new(SortOrder { order_id: 4, fields: fields.collect() });
    bench
}

fn rows(bench: &Bench, start: i64, count: i64) -> RecordBatch {
    let numbers =
        (start..start + count).map(|seq| (seq % 11 != 0).then_some(seq.wrapping_mul(7_919) % 1_000));
    let texts = (start..start + count).map(|seq| (seq % 7 != 0).then(|| format!("t{}", seq % 13)));
    bench.batch(vec![
        Arc::new(numbers.collect::<Int64Array>()),
        Arc::new(texts.collect::<StringArray>()),
        Arc::new(Int64Array::from_iter_values(start..start + count)),
    ])
}

type Row = (Option<i64>, Option<String>, i64);

fn all(batch: &RecordBatch) -> Vec<Row> {
    let (n, text, seq) = (
        batch.column(0).as_primitive::<Int64Type>(),
        batch.column(1).as_string::<i32>(),
        batch.column(2).as_primitive::<Int64Type>(),
    );
    let row = |row| {
        let number = n.is_valid(row).then(|| n.value(row));
        (number, text.is_valid(row).then(|| text.value(row).to_owned()), seq.value(row))
    };
    (0..batch.num_rows()).map(row).collect()
}

#[tokio::test]
async fn rows_are_sorted_within_memory() {
    let bench = sorted(&[(1, Transform::Identity, SortDirection::Descending, NullOrder::Last)]);
    let written = bench.write([rows(&bench, 0, 500), rows(&bench, 500, 500)]).await;
    assert_eq!((written.files.len(), written.files[0].sort_order_id()), (1, Some(4)));
    let found = all(&bench.read(written.files[0].file_path()).await);
    let mut expected: Vec<Row> =
        [rows(&bench, 0, 500), rows(&bench, 500, 500)].iter().flat_map(all).collect();
    // The sort is stable, as this one is.
    expected.sort_by_key(|(n, _, _)| std::cmp::Reverse(n.unwrap_or(i64::MIN)));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn runs_are_merged_in_several_passes() {
    let mut bench = sorted(&[
        (2, Transform::Truncate(2), SortDirection::Ascending, NullOrder::First),
        (1, Transform::Identity, SortDirection::Ascending, NullOrder::First),
    ])
    .partitioned(&[("n", "n_bucket", Transform::Bucket(3))]);
    bench.settings.memory_bytes = 256 << 10;
    let mut writer = bench.writer();
    for part in 0..60 {
        writer.write(rows(&bench, part * 1_000, 1_000)).await.unwrap();
    }
    assert!(writer.runs() > 8, "{} runs", writer.runs());
    let written = writer.finish().await.unwrap();
    assert_eq!((written.files.len(), written.rows), (4, 60_000));
    let mut sequence = Vec::new();
    for file in &written.files {
        let found = all(&bench.read(file.file_path()).await);
        let key =
            |row: &Row| (row.1.as_ref().map(|text| text.chars().take(2).collect::<String>()), row.0, row.2);
        assert!(found.is_sorted_by_key(key), "{}", file.file_path());
        sequence.extend(found.into_iter().map(|row| row.2));
    }
    sequence.sort_unstable();
    assert!(sequence.into_iter().eq(0..60_000));
}

#[tokio::test]
async fn a_sorted_table_is_rolled_in_order() {
    let mut bench = sorted(&[(3, Transform::Identity, SortDirection::Descending, NullOrder::Last)]);
    bench.settings.target_file_bytes = 60_000;
    let written = bench.write((0..20).map(|part| rows(&bench, part * 5_000, 5_000))).await;
    assert!(written.files.len() > 2, "{}", written.files.len());
    let mut found = Vec::new();
    for file in &written.files {
        found.extend(all(&bench.read(file.file_path()).await).into_iter().map(|row| row.2));
    }
    assert!(found.into_iter().eq((0..100_000).rev()));
}
