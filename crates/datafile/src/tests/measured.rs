//! What the metrics say is true of the rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int64Array, ListBuilder, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field};
use iceberg::spec::{
    DataFile, Datum, ListType, NestedField, PrimitiveLiteral, PrimitiveType, StructType, Type,
};
use proptest::prelude::*;

use super::{Bench, optional, schema};

fn measures() -> Bench {
    let point = StructType::new(vec![optional(4, "lat", PrimitiveType::Double)]);
    let list = ListType::new(optional(6, "element", PrimitiveType::Double));
    Bench::new(schema([
        optional(1, "text", PrimitiveType::String),
        optional(2, "number", PrimitiveType::Double),
        Arc::new(NestedField::optional(3, "point", Type::Struct(point))),
        Arc::new(NestedField::optional(5, "list", Type::List(list))),
    ]))
}

#[derive(Clone, Debug)]
struct Row {
    text: Option<String>,
    number: Option<f64>,
    point: Option<Option<f64>>,
}

fn batch(bench: &Bench, rows: &[Row]) -> arrow::array::RecordBatch {
    let texts: StringArray = rows.iter().map(|row| row.text.clone()).collect();
    let numbers: Float64Array = rows.iter().map(|row| row.number).collect();
    // What a null struct hides is NaN, and must not be counted.
    let lat: Float64Array = rows.iter().map(|row| row.point.unwrap_or(Some(f64::NAN))).collect();
    let there: Vec<bool> = rows.iter().map(|row| row.point.is_some()).collect();
    let fields = vec![Field::new("lat", DataType::Float64, true)];
    let point = StructArray::new(fields.into(), vec![Arc::new(lat) as ArrayRef], Some(there.into()));
    let mut list =
        ListBuilder::new(Float64Builder::new()).with_field(Field::new("element", DataType::Float64, true));
    rows.iter().for_each(|row| list.append_value([row.number, None]));
    bench.batch(vec![Arc::new(texts), Arc::new(numbers), Arc::new(point), Arc::new(list.finish())])
}

fn text(datum: &Datum) -> &str {
    match datum.literal() {
        PrimitiveLiteral::String(text) => text,
        other => panic!("{other:?}"),
    }
}

fn number(datum: &Datum) -> f64 {
    match datum.literal() {
        PrimitiveLiteral::Double(number) => number.0,
        other => panic!("{other:?}"),
    }
}

fn check_texts(file: &DataFile, rows: &[Row]) {
    let texts: Vec<&str> = rows.iter().filter_map(|row| row.text.as_deref()).collect();
    assert_eq!(file.null_value_counts()[&1], (rows.len() - texts.len()) as u64);
    if let Some(lower) = file.lower_bounds().get(&1) {
        assert!(texts.iter().all(|value| text(lower) <= *value), "{lower} of {texts:?}");
    } else {
        assert!(texts.is_empty());
    }
    if let Some(upper) = file.upper_bounds().get(&1) {
        assert!(texts.iter().all(|value| text(upper) >= *value), "{upper} of {texts:?}");
    }
}

fn check_numbers(file: &DataFile, id: i32, values: &[Option<f64>]) {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let (nans, numbers): (Vec<f64>, Vec<f64>) = known.iter().partition(|value| value.is_nan());
    assert_eq!(file.value_counts()[&id], values.len() as u64);
    assert_eq!(file.null_value_counts()[&id], (values.len() - known.len()) as u64);
    assert_eq!(file.nan_value_counts()[&id], nans.len() as u64);
    let bounds = (file.lower_bounds().get(&id), file.upper_bounds().get(&id));
    match bounds {
        (Some(lower), Some(upper)) => {
            let (lower, upper) = (number(lower), number(upper));
            let is_inside = |value: &f64| lower.total_cmp(value).is_le() && upper.total_cmp(value).is_ge();
            assert!(numbers.iter().all(is_inside), "{lower} {upper} of {numbers:?}");
        }
        (None, None) => assert!(numbers.is_empty(), "{numbers:?}"),
        other => panic!("{other:?}"),
    }
}

fn a_number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        2 => Just(Some(f64::NAN)),
        2 => Just(Some(0.0)),
        2 => Just(Some(-0.0)),
        1 => Just(Some(f64::INFINITY)),
        6 => any::<f64>().prop_map(Some),
    ]
}

fn a_row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![
        Just(None),
        "\\PC{0,4}".prop_map(Some),
        "(a|\u{D7FF}|\u{10FFFF}){10,90}".prop_map(Some),
        "가{20,40}[a-c]".prop_map(Some),
    ];
    (text, a_number(), prop::option::of(a_number())).prop_map(|(text, number, point)| Row {
        text,
        number,
        point,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn bounds_are_never_too_narrow(parts in prop::collection::vec(prop::collection::vec(a_row(), 1..6), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // So small that each part becomes a row group.
        let bench = measures().properties(&[("write.parquet.row-group-size-bytes", "1")]);
        let rows: Vec<Row> = parts.iter().flatten().cloned().collect();
        let (written, groups) = runtime.block_on(async {
            let mut writer = bench.writer();
            for part in &parts {
                writer.write(batch(&bench, part)).await.unwrap();
            }
            let written = writer.finish().await.unwrap();
            let groups = bench.metadata(written.files[0].file_path()).await.1.metadata().num_row_groups();
            (written, groups)
        });
        prop_assert_eq!(groups, parts.len());
        let file = &written.files[0];
        check_texts(file, &rows);
        check_numbers(file, 2, &rows.iter().map(|row| row.number).collect::<Vec<_>>());
        check_numbers(file, 4, &rows.iter().map(|row| row.point.flatten()).collect::<Vec<_>>());
        prop_assert_eq!(file.value_counts()[&6], 2 * rows.len() as u64);
        prop_assert!(!file.lower_bounds().contains_key(&6) && !file.upper_bounds().contains_key(&6));
        prop_assert!(!file.nan_value_counts().contains_key(&6));
    }
}

#[tokio::test]
async fn bounds_are_those_of_the_mode() {
    let long = "가나다라마바사아자차카타파하".repeat(10);
    let row = Row { text: Some(long.clone()), number: Some(0.0), point: Some(Some(1.0)) };
    let written = |mode: &'static str| {
        let bench = measures().properties(&[("write.metadata.metrics.column.text", mode)]);
        let row = row.clone();
        async move { bench.write([batch(&bench, &[row])]).await.files.remove(0) }
    };
    let full = written("full").await;
    assert_eq!((text(&full.lower_bounds()[&1]), text(&full.upper_bounds()[&1])), (&*long, &*long));
    let cut = written("truncate(40)").await;
    assert_eq!(text(&cut.lower_bounds()[&1]), long.chars().take(40).collect::<String>());
    assert_eq!(text(&cut.upper_bounds()[&1]).chars().count(), 40);
    let counts = written("counts").await;
    assert!(counts.value_counts().contains_key(&1) && !counts.lower_bounds().contains_key(&1));
    let none = written("none").await;
    assert!(!none.value_counts().contains_key(&1) && none.column_sizes().contains_key(&1));
    // A zero reaches to both signs.
    assert!(number(&none.lower_bounds()[&2]).is_sign_negative());
    assert!(number(&none.upper_bounds()[&2]).is_sign_positive());
}

#[tokio::test]
async fn numbers_of_every_width_have_bounds() {
    let decimal = |precision| PrimitiveType::Decimal { precision, scale: 2 };
    let bench = Bench::new(schema([
        optional(1, "small", decimal(5)),
        optional(2, "middle", decimal(15)),
        optional(3, "large", decimal(38)),
        optional(4, "long", PrimitiveType::Long),
    ]));
    let column = |precision| -> ArrayRef {
        let values = arrow::array::Decimal128Array::from(vec![Some(-300), None, Some(258), Some(0)]);
        Arc::new(values.with_precision_and_scale(precision, 2).unwrap())
    };
    let longs = Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX), Some(0)]);
    let batch = bench.batch(vec![column(5), column(15), column(38), Arc::new(longs)]);
    let file = bench.write([batch]).await.files.remove(0);
    for id in 1..=3 {
        let bound = |datum: &Datum| match datum.literal() {
            PrimitiveLiteral::Int128(digits) => *digits,
            other => panic!("{other:?}"),
        };
        assert_eq!((bound(&file.lower_bounds()[&id]), bound(&file.upper_bounds()[&id])), (-300, 258), "{id}");
    }
    assert_eq!(file.lower_bounds()[&4], Datum::long(i64::MIN));
    assert_eq!(file.upper_bounds()[&4], Datum::long(i64::MAX));
}
