//! What is a view inside of a query, and what comes out.

use datafusion::arrow::array::{ArrayRef, AsArray, ListArray, RecordBatch, StringViewArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::collect;
use iceberg::spec::{ListType, NestedField, PrimitiveType};

use super::*;

#[test]
fn texts_at_the_top_are_views_inside_and_nowhere_outside() {
    let text = || Type::Primitive(PrimitiveType::String);
    let list = Type::List(ListType::new(Arc::new(NestedField::list_element(3, text(), false))));
    let fields = [
        NestedField::required(1, "a", text()),
        NestedField::optional(2, "l", list),
        NestedField::optional(4, "n", Type::Primitive(PrimitiveType::Long)),
    ];
    let schema = Schema::builder().with_fields(fields.map(Arc::new)).build().unwrap();
    let plain = arrow_schema::to_arrow(&schema);
    let inside = Arc::new(schema_inside(&schema));
    assert_eq!(inside.field(0), &Field::new("a", DataType::Utf8View, false));
    assert_eq!(inside.fields()[1..], plain.fields()[1..]);
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
