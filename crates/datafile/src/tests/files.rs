//! Layout and content of single files.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int32Array, Int32Builder, Int64Array, ListArray, ListBuilder, MapBuilder,
    MapFieldNames, RecordBatch, StringArray, StringBuilder, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type};
use hosu_table::arrow_schema::to_arrow_type;
use iceberg::spec::{ListType, MapType, NestedField, PrimitiveType, StructType, Type};
use parquet::basic::{Compression, LogicalType};
use parquet::bloom_filter::Sbbf;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::printer::print_schema;

use super::{Bench, optional, schema, some_uuid};
use crate::{DataFileError, DataFileWriter, row_count};

/// One column of every type; nested ones too.
fn every_type() -> Bench {
    let primitives = [
        PrimitiveType::Boolean,
        PrimitiveType::Int,
        PrimitiveType::Long,
        PrimitiveType::Float,
        PrimitiveType::Double,
        PrimitiveType::Decimal { precision: 9, scale: 2 },
        PrimitiveType::Decimal { precision: 18, scale: 2 },
        PrimitiveType::Decimal { precision: 38, scale: 10 },
        PrimitiveType::Date,
        PrimitiveType::Time,
        PrimitiveType::Timestamp,
        PrimitiveType::Timestamptz,
        PrimitiveType::String,
        PrimitiveType::Uuid,
        PrimitiveType::Fixed(5),
        PrimitiveType::Binary,
    ];
    let mut fields: Vec<_> =
        (1..).zip(primitives).map(|(id, p)| optional(id, &format!("c{id}"), p)).collect();
    let tags = ListType::new(optional(21, "element", PrimitiveType::String));
    fields.push(Arc::new(NestedField::optional(20, "tags", Type::List(tags))));
    let key = Arc::new(NestedField::required(31, "key", Type::Primitive(PrimitiveType::String)));
    let scores = MapType::new(key, optional(32, "value", PrimitiveType::Int));
    fields.push(Arc::new(NestedField::optional(30, "scores", Type::Map(scores))));
    let point = StructType::new(vec![
        optional(41, "lat", PrimitiveType::Double),
        optional(42, "name", PrimitiveType::String),
    ]);
    fields.push(Arc::new(NestedField::optional(40, "geo", Type::Struct(point))));
    Bench::new(schema(fields))
}

fn every_value(bench: &Bench) -> RecordBatch {
    let mut tags =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    tags.append_value([Some("가"), None]);
    tags.append_value(Vec::<Option<&str>>::new());
    tags.append_null();
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut scores = MapBuilder::new(Some(names), StringBuilder::new(), Int32Builder::new());
    scores.keys().append_value("k");
    scores.values().append_value(7);
    scores.append(true).unwrap();
    scores.append(false).unwrap();
    scores.append(true).unwrap();
    let point = bench.target.schema.field_by_id(40).unwrap();
    let DataType::Struct(point) = to_arrow_type(&point.field_type) else { panic!() };
    let lat: ArrayRef = Arc::new(Float64Array::from(vec![Some(37.5), None, None]));
    let name: ArrayRef = Arc::new(StringArray::from(vec![Some("호수"), None, None]));
    let geo = StructArray::new(point, vec![lat, name], Some(vec![true, true, false].into()));
    let uuid = some_uuid().into_bytes();
    let decimal = |precision, scale| -> ArrayRef {
        let values = Decimal128Array::from(vec![Some(12_345), None, Some(-1)]);
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap())
    };
    let fixed = |value: &[u8]| -> ArrayRef {
        let values = [Some(value), None, Some(value)].into_iter();
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, value.len() as i32).unwrap())
    };
    bench.batch(vec![
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Int32Array::from(vec![Some(1), None, Some(-3)])),
        Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(i64::MIN)])),
        Arc::new(Float32Array::from(vec![Some(1.5), None, Some(f32::NAN)])),
        Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(1e308)])),
        decimal(9, 2),
        decimal(18, 2),
        decimal(38, 10),
        Arc::new(Date32Array::from(vec![Some(20_000), None, Some(-1)])),
        Arc::new(Time64MicrosecondArray::from(vec![Some(1), None, Some(86_399_999_999)])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None, Some(-1)])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None, Some(-1)]).with_timezone("UTC")),
        Arc::new(StringArray::from(vec![Some("가나다"), None, Some("")])),
        fixed(&uuid),
        fixed(b"12345"),
        Arc::new(BinaryArray::from_opt_vec(vec![Some(&b"\xff\x00"[..]), None, Some(&b""[..])])),
        Arc::new(tags.finish()),
        Arc::new(scores.finish()),
        Arc::new(geo),
    ])
}

#[tokio::test]
async fn every_type_reads_back_with_its_id() {
    let bench = every_type();
    let batch = every_value(&bench);
    let written = bench.write([batch.clone()]).await;
    assert_eq!((written.files.len(), written.rows), (1, 3));
    let file = &written.files[0];
    let (bytes, metadata) = bench.metadata(file.file_path()).await;
    assert_eq!(file.file_size_in_bytes(), bytes.len() as u64);
    assert_eq!(written.bytes, bytes.len() as u64);
    let read = bench.read(file.file_path()).await;
    for (field, (given, read)) in
        batch.schema().fields().iter().zip(batch.columns().iter().zip(read.columns()))
    {
        let read = arrow::compute::cast(read, given.data_type()).unwrap();
        assert_eq!(format!("{given:?}"), format!("{read:?}"), "{}", field.name());
    }
    let mut text = Vec::new();
    print_schema(&mut text, metadata.metadata().file_metadata().schema());
    let text = String::from_utf8(text).unwrap();
    for line in [
        "OPTIONAL group tags [20] (LIST) {",
        "REPEATED group list {",
        "OPTIONAL BYTE_ARRAY element [21] (STRING);",
        "OPTIONAL group scores [30] (MAP) {",
        "REPEATED group key_value {",
        "REQUIRED BYTE_ARRAY key [31] (STRING);",
        "OPTIONAL INT32 value [32];",
        "OPTIONAL DOUBLE lat [41];",
        "OPTIONAL INT64 c12 [12] (TIMESTAMP(MICROS,true));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) c14 [14] (UUID);",
        "OPTIONAL INT32 c6 [6] (DECIMAL(9,2));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) c8 [8] (DECIMAL(38,10));",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let columns = metadata.metadata().row_group(0).columns();
    assert!(columns.iter().all(|column| matches!(column.compression(), Compression::ZSTD(_))));
    assert_eq!(columns[13].column_descr().logical_type_ref(), Some(&LogicalType::Uuid));
    assert_eq!(columns.iter().map(|c| c.column_descr().self_type().get_basic_info().id()).max(), Some(42));
}

#[tokio::test]
async fn page_index_row_groups_and_splits_are_there() {
    let bench = Bench::new(schema([optional(1, "n", PrimitiveType::Long)])).properties(&[
        ("write.parquet.row-group-size-bytes", "20000"),
        ("write.parquet.page-row-limit", "500"),
        ("write.parquet.compression-codec", "snappy"),
    ]);
    let numbers = |start: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((start..start + 5_000).map(|n| n.wrapping_mul(7_777_777))))
    };
    let written = bench.write((0..6).map(|part| bench.batch(vec![numbers(part * 5_000)]))).await;
    let file = &written.files[0];
    let (_, metadata) = bench.metadata(file.file_path()).await;
    let metadata = metadata.metadata();
    assert!(metadata.num_row_groups() > 2, "{}", metadata.num_row_groups());
    let starts: Vec<i64> =
        metadata.row_groups().iter().map(|group| group.column(0).byte_range().0 as i64).collect();
    assert_eq!(file.split_offsets(), Some(starts.as_slice()));
    assert_eq!(starts[0], 4);
    assert!(metadata.column_index().is_some());
    let pages = metadata.offset_index().unwrap()[0][0].page_locations().len();
    assert!(pages > 2, "{pages}");
    assert_eq!(metadata.row_group(0).column(0).compression(), Compression::SNAPPY);
    let read = bench.read(file.file_path()).await;
    assert_eq!(read.num_rows(), 30_000);
    assert_eq!(read.column(0).as_primitive::<Int64Type>().value(29_999), 29_999 * 7_777_777);
    let location = hosu_host::Location::parse(file.file_path()).unwrap();
    assert_eq!(row_count(&bench.host, &location, file.file_size_in_bytes()).await.unwrap(), 30_000);
}

#[tokio::test]
async fn bloom_filters_are_where_a_property_asks() {
    let device = StructType::new(vec![optional(3, "os", PrimitiveType::String)]);
    let fields = [
        optional(1, "user_id", PrimitiveType::Long),
        Arc::new(NestedField::optional(2, "device", Type::Struct(device))),
    ];
    let bench = Bench::new(schema(fields)).properties(&[
        ("write.parquet.bloom-filter-enabled.column.device.os", "true"),
        ("write.parquet.bloom-filter-fpp.column.device.os", "0.001"),
    ]);
    let os: ArrayRef = Arc::new(StringArray::from_iter_values((0..500).map(|n| format!("os{n}"))));
    let fields = vec![Field::new("os", DataType::Utf8, true)];
    let batch = bench.batch(vec![
        Arc::new(Int64Array::from_iter_values(0..500)),
        Arc::new(StructArray::new(fields.into(), vec![os], None)),
    ]);
    let written = bench.write([batch]).await;
    let (bytes, metadata) = bench.metadata(written.files[0].file_path()).await;
    let group = metadata.metadata().row_group(0);
    assert!(group.column(0).bloom_filter_offset().is_none());
    assert!(group.column(1).bloom_filter_length().unwrap() < 8192);
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 1);
    let filter: Sbbf = Sbbf::read_from_column_chunk(group.column(1), &bytes).unwrap().unwrap();
    assert!((0..500).all(|n| filter.check(&format!("os{n}").as_str())));
    assert!((500..1_500).filter(|n| filter.check(&format!("os{n}").as_str())).count() < 20);
}

#[tokio::test]
async fn files_are_rolled_at_the_target_size() {
    let mut bench = Bench::new(schema([optional(1, "n", PrimitiveType::Long)]));
    bench.settings.target_file_bytes = 50_000;
    let mut random = 1_i64;
    let batches = (0..20).map(|_| {
        let numbers = (0..4_096).map(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random
        });
        bench.batch(vec![Arc::new(Int64Array::from_iter_values(numbers))])
    });
    let batches: Vec<RecordBatch> = batches.collect();
    let written = bench.write(batches.clone()).await;
    // 32 KiB a batch that does not compress.
    assert!((4..=13).contains(&written.files.len()), "{}", written.files.len());
    assert_eq!(written.rows, 20 * 4_096);
    let mut rows = Vec::new();
    for file in &written.files {
        rows.extend_from_slice(
            bench.read(file.file_path()).await.column(0).as_primitive::<Int64Type>().values(),
        );
    }
    let given: Vec<i64> =
        batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(rows, given);
    let counts =
        |written: &crate::Written| -> Vec<u64> { written.files.iter().map(|f| f.record_count()).collect() };
    assert_eq!(
        counts(&bench.write(batches.clone()).await),
        counts(&written),
        "the same rows make the same files"
    );
    let rolled = bench.properties(&[("write.target-file-size-bytes", "100000000")]);
    assert_eq!(rolled.write(batches).await.files.len(), 1);
}

#[tokio::test]
async fn names_follow_the_table() {
    let bench = Bench::new(schema([optional(1, "n", PrimitiveType::Int)]));
    let batch = bench.batch(vec![Arc::new(Int32Array::from(vec![1]))]);
    let mut writer =
        DataFileWriter::new(&bench.host, bench.target.clone(), bench.settings.clone(), some_uuid()).unwrap();
    writer.write(batch.clone()).await.unwrap();
    let written = writer.finish().await.unwrap();
    let expected = format!("memory:///lake/t/data/00000-{}.parquet", some_uuid());
    assert_eq!(written.files[0].file_path(), expected);
    let bench = bench.properties(&[("write.data.path", "memory:///elsewhere/d")]);
    let written = bench.write([batch]).await;
    assert!(written.files[0].file_path().starts_with("memory:///elsewhere/d/00000-"));
    assert_eq!(bench.write([]).await.files.len(), 0);
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let inner =
        StructType::new(vec![Arc::new(NestedField::required(3, "x", Type::Primitive(PrimitiveType::Int)))]);
    let list =
        ListType::new(Arc::new(NestedField::required(5, "element", Type::Primitive(PrimitiveType::Int))));
    let bench = Bench::new(schema([
        Arc::new(NestedField::required(1, "id", Type::Primitive(PrimitiveType::Int))),
        Arc::new(NestedField::optional(2, "s", Type::Struct(inner))),
        Arc::new(NestedField::optional(4, "l", Type::List(list))),
    ]));
    let nullable = |name: &str, array: ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let loose =
        |id: Vec<Option<i32>>, x: Vec<Option<i32>>, there: Vec<bool>, l: Vec<Option<Vec<Option<i32>>>>| {
            let x: ArrayRef = Arc::new(Int32Array::from(x));
            let s: ArrayRef = Arc::new(StructArray::new(
                vec![Field::new("x", DataType::Int32, true)].into(),
                vec![x],
                Some(there.into()),
            ));
            let l: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(l));
            let id: ArrayRef = Arc::new(Int32Array::from(id));
            let fields = vec![nullable("id", id.clone()), nullable("s", s.clone()), nullable("l", l.clone())];
            RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), vec![id, s, l]).unwrap()
        };
    let refused = async |batch: RecordBatch| match bench.writer().write(batch).await {
        Err(DataFileError::Column { column, .. }) => column,
        other => panic!("{other:?}"),
    };
    let ones = || vec![Some(1), Some(1)];
    let lists = || vec![Some(vec![Some(1)]), None];
    let good = loose(ones(), vec![Some(1), None], vec![true, false], lists());
    assert_eq!(bench.write([good.clone()]).await.rows, 2);
    assert_eq!(refused(loose(vec![Some(1), None], ones(), vec![true, true], lists())).await, "id");
    assert_eq!(refused(loose(ones(), vec![Some(1), None], vec![true, true], lists())).await, "s.x");
    let nulls = vec![Some(vec![Some(1)]), Some(vec![None])];
    assert_eq!(refused(loose(ones(), ones(), vec![true, true], nulls)).await, "l.element");
    assert_eq!(refused(good.project(&[0, 1]).unwrap()).await, "*");
    assert_eq!(refused(good.project(&[0, 2, 1]).unwrap()).await, "s");
}

#[test]
fn a_table_of_another_format_is_refused() {
    let bench = Bench::new(schema([optional(1, "n", PrimitiveType::Int)]))
        .properties(&[("write.format.default", "orc")]);
    let writer = DataFileWriter::new(&bench.host, bench.target, bench.settings, some_uuid());
    assert!(matches!(writer, Err(DataFileError::Table { reason, .. }) if reason.contains("orc")));
}
