//! What is a view inside of a query, and what comes out.

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, AsArray, ListArray, RecordBatch, StringViewArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::collect;
use iceberg::spec::{ListType, NestedField, PrimitiveType, StructType};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use serde_json::json;

use super::*;

#[test]
fn texts_are_views_inside_at_the_top_and_in_structs() {
    let text = || Type::Primitive(PrimitiveType::String);
    let list = |id, item| Type::List(ListType::new(Arc::new(NestedField::list_element(id, item, false))));
    let record = |id| Type::Struct(StructType::new(vec![Arc::new(NestedField::optional(id, "t", text()))]));
    let fields = [
        NestedField::required(1, "a", text()),
        NestedField::optional(2, "l", list(3, text())),
        NestedField::optional(4, "n", Type::Primitive(PrimitiveType::Long)),
        NestedField::optional(5, "r", record(6)),
        NestedField::optional(7, "lr", list(8, record(9))),
    ];
    let schema = Schema::builder().with_fields(fields.map(Arc::new)).build().unwrap();
    let plain = arrow_schema::to_arrow(&schema);
    let inside = Arc::new(schema_inside(&schema));
    assert_eq!(inside.field(0), &Field::new("a", DataType::Utf8View, false));
    assert_eq!(inside.fields()[1..3], plain.fields()[1..3]);
    let nested: Vec<bool> = inside.fields().iter().map(|field| has_nested_views(field.data_type())).collect();
    assert_eq!(nested, [false, false, false, true, true]);
    assert_eq!(schema_outside(&inside).as_ref(), &plain);
    assert_eq!(schema_outside(&Arc::new(plain.clone())).as_ref(), &plain);
}

#[tokio::test]
async fn values_are_the_same_outside_however_deep() {
    let texts: ArrayRef =
        Arc::new(StringViewArray::from(vec![Some("호수"), None, Some("a text of more than twelve bytes")]));
    let element = Arc::new(Field::new("item", DataType::Utf8View, true));
    let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
    let list: ArrayRef = Arc::new(ListArray::new(element, offsets, texts.clone(), None));
    let record: ArrayRef = Arc::new(StructArray::from(vec![
        (Arc::new(Field::new("t", DataType::Utf8View, true)), texts.clone()),
        (Arc::new(Field::new("l", list.data_type().clone(), true)), list.clone()),
    ]));
    let numbers: ArrayRef =
        Arc::new(datafusion::arrow::array::PrimitiveArray::<Int64Type>::from(vec![1, 2, 3]));
    let columns = [("t", texts), ("t", list), ("r", record), ("n", numbers)];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let arrays: Vec<ArrayRef> = columns.iter().map(|(_, array)| array.clone()).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let plan = MemorySourceConfig::try_new_exec(&[vec![batch.clone()]], schema.clone(), None).unwrap();

    let plan = outside(plan).unwrap();
    let rows = collect(plan, Arc::new(TaskContext::default())).await.unwrap().remove(0);
    assert_eq!(rows.schema(), schema_outside(&schema));
    assert!(!format!("{:?}", rows.schema()).contains("View"));
    let back: Vec<Option<&str>> = rows.column(0).as_string::<i32>().iter().collect();
    assert_eq!(back, [Some("호수"), None, Some("a text of more than twelve bytes")]);
    for (outside, inside) in rows.columns().iter().zip(batch.columns()) {
        let again = datafusion::arrow::compute::cast(outside, inside.data_type()).unwrap();
        assert_eq!(&again, inside);
    }
}

/// A file with texts in structs, in lists of structs, in lists and in maps; with or without an Arrow schema in its footer.
fn nested_file(skip_arrow_metadata: bool) -> (RecordBatch, Bytes) {
    let text = |name: &str| column(name, DataType::Utf8);
    let column = |name: &str, data_type| column(name, data_type);
    let record = DataType::Struct(Fields::from(vec![text("t"), column("n", DataType::Int64)]));
    let deep = DataType::Struct(Fields::from(vec![column("in", record.clone()), text("u")]));
    let list = |item: DataType| DataType::List(Arc::new(Field::new("element", item, true)));
    let map = Field::new_map(
        "m",
        "key_value",
        Field::new("key", DataType::Utf8, false),
        text("value"),
        false,
        true,
    );
    let fields = vec![
        text("top"),
        column("deep", deep),
        column("records", list(record)),
        column("texts", list(DataType::Utf8)),
        Arc::new(map),
    ];
    let schema = Arc::new(ArrowSchema::new(fields));
    let mut decoder = arrow_json::ReaderBuilder::new(schema.clone()).build_decoder().unwrap();
    let rows = [
        json!({"top": "a", "deep": {"in": {"t": "호수", "n": 1}, "u": null}, "records": [{"t": "x", "n": 2}, null],
               "texts": ["p", null], "m": {"k": "v"}}),
        json!({"top": null, "deep": {"in": null, "u": "a text of more than twelve bytes"}, "records": []}),
        json!({"deep": null, "records": [{"t": null}, {"t": "a text of more than twelve bytes"}], "m": {}}),
    ];
    decoder.serialize(&rows).unwrap();
    let batch = decoder.flush().unwrap().unwrap();
    let mut bytes = Vec::new();
    let options = ArrowWriterOptions::new().with_skip_arrow_metadata(skip_arrow_metadata);
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, schema, options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    (batch, bytes.into())
}

fn column(name: &str, data_type: DataType) -> FieldRef {
    let ids = [(arrow_schema::PARQUET_FIELD_ID.to_owned(), name.len().to_string())];
    Arc::new(Field::new(name, data_type, true).with_metadata(ids.into()))
}

#[test]
fn a_file_gives_views_in_structs_and_the_same_values() {
    for skip_arrow_metadata in [false, true] {
        let (batch, bytes) = nested_file(skip_arrow_metadata);
        let plain = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
        let asking = asking_for_views(plain.metadata().clone());
        let asking = ArrowReaderMetadata::try_new(asking, ArrowReaderOptions::new()).unwrap();
        let viewed: Vec<DataType> =
            asking.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        let wanted = plain.schema().fields().iter().map(|field| match field.data_type() {
            DataType::Utf8 => DataType::Utf8,
            nested => with_views(nested),
        });
        assert_eq!(viewed, wanted.collect::<Vec<_>>());
        assert!(has_nested_views(&viewed[1]) && has_nested_views(&viewed[2]));
        assert!(!has_nested_views(&viewed[3]) && !has_nested_views(&viewed[4]));
        assert_eq!(schema_outside(asking.schema()), plain.schema().clone(), "ids and all");

        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, asking).build().unwrap();
        let read = reader.map(Result::unwrap).next().unwrap();
        for (read, written) in read.columns().iter().zip(batch.columns()) {
            let back = datafusion::arrow::compute::cast(read, written.data_type()).unwrap();
            assert_eq!(&back, written);
        }
    }
}

#[test]
fn a_footer_without_texts_in_structs_stays_as_it_is() {
    let batch =
        RecordBatch::try_from_iter([("a", Arc::new(StringViewArray::from(vec!["x"])) as ArrayRef)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let footer = ArrowReaderMetadata::load(&Bytes::from(bytes), ArrowReaderOptions::new()).unwrap();
    assert!(Arc::ptr_eq(&asking_for_views(footer.metadata().clone()), footer.metadata()));
}
