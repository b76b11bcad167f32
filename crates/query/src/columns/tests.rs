use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StructArray};
use datafusion::arrow::datatypes::{Fields, Int64Type, Schema as ArrowSchema};
use hosu_table::arrow_schema::PARQUET_FIELD_ID;
use iceberg::spec::{Literal, PrimitiveType, StructType};

use super::rebuild::rebuild;
use super::*;

fn column(id: i32, name: &str, primitive: PrimitiveType) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, Type::Primitive(primitive)))
}

fn table(fields: Vec<NestedFieldRef>) -> Schema {
    Schema::builder().with_fields(fields).build().unwrap()
}

fn with_id(field: Field, id: i32) -> Field {
    field.with_metadata(HashMap::from([(PARQUET_FIELD_ID.to_owned(), id.to_string())]))
}

fn source(table: &Schema, file: Vec<Field>, mapping: Option<&NameMapping>, name: &str) -> Source {
    let columns = FileColumns::new(table, &ArrowSchema::new(file), mapping);
    columns.get(name).unwrap().source.clone()
}

fn as_is(index: usize) -> Source {
    Source::File { index, reading: Reading::AsIs }
}

fn two_columns() -> Schema {
    table(vec![column(1, "a", PrimitiveType::Long), column(2, "b", PrimitiveType::Long)])
}

fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

#[test]
fn ids_win_over_names_and_places() {
    let file = || vec![with_id(long("a"), 2), with_id(long("x"), 1)];
    assert_eq!(source(&two_columns(), file(), None, "a"), as_is(1));
    assert_eq!(source(&two_columns(), file(), None, "b"), as_is(0));
    // A file with some ids has no other way to name a column.
    let file = || vec![with_id(long("a"), 9), long("b")];
    assert!(matches!(source(&two_columns(), file(), None, "b"), Source::Constant(null) if null.is_null()));
}

#[test]
fn a_file_without_ids_goes_by_the_name_mapping() {
    let mapping: NameMapping =
        serde_json::from_str(r#"[{"field-id": 1, "names": ["old", "a"]}, {"field-id": 2, "names": ["b"]}]"#)
            .unwrap();
    let file = || vec![long("b"), long("old"), long("c")];
    assert_eq!(source(&two_columns(), file(), Some(&mapping), "a"), as_is(1));
    assert_eq!(source(&two_columns(), file(), Some(&mapping), "b"), as_is(0));
}

#[test]
fn without_a_mapping_ids_are_places_counted_from_one() {
    assert_eq!(source(&two_columns(), vec![long("x"), long("a")], None, "a"), as_is(0));
    assert_eq!(source(&two_columns(), vec![long("x"), long("a")], None, "b"), as_is(1));
    let only_one = source(&two_columns(), vec![long("x")], None, "b");
    assert!(matches!(only_one, Source::Constant(null) if null.is_null()));
}

#[test]
fn types_widen_and_never_narrow() {
    let wide = table(vec![
        column(1, "a", PrimitiveType::Long),
        column(2, "b", PrimitiveType::Double),
        column(3, "c", PrimitiveType::Decimal { precision: 10, scale: 2 }),
        column(4, "d", PrimitiveType::Int),
        column(5, "e", PrimitiveType::Decimal { precision: 10, scale: 2 }),
    ]);
    let file = || {
        vec![
            with_id(Field::new("a", DataType::Int32, true), 1),
            with_id(Field::new("b", DataType::Float32, true), 2),
            with_id(Field::new("c", DataType::Decimal128(9, 2), true), 3),
            with_id(Field::new("d", DataType::Int64, true), 4),
            with_id(Field::new("e", DataType::Decimal128(9, 3), true), 5),
        ]
    };
    for name in ["a", "b", "c"] {
        let found = source(&wide, file(), None, name);
        assert!(matches!(found, Source::File { reading: Reading::Cast(_), .. }), "{name}: {found:?}");
    }
    for name in ["d", "e"] {
        let found = source(&wide, file(), None, name);
        assert!(matches!(found, Source::Unreadable(_)), "{name}: {found:?}");
    }
}

#[test]
fn what_a_file_lacks_is_its_default_or_null_or_an_error() {
    let with_default = NestedField::required(1, "a", Type::Primitive(PrimitiveType::Long));
    let required = NestedField::required(2, "b", Type::Primitive(PrimitiveType::Long));
    let schema =
        table(vec![Arc::new(with_default.with_initial_default(Literal::long(7))), Arc::new(required)]);
    let file = || vec![with_id(long("x"), 9)];
    assert_eq!(source(&schema, file(), None, "a"), Source::Constant(ScalarValue::Int64(Some(7))));
    let lacking = source(&schema, file(), None, "b");
    assert!(matches!(&lacking, Source::Unreadable(reason) if reason.contains("`b`")), "{lacking:?}");
}

#[test]
fn a_struct_is_rebuilt_from_the_children_that_are_there() {
    let inside = StructType::new(vec![
        column(3, "new", PrimitiveType::Long),
        column(2, "renamed", PrimitiveType::Long),
    ]);
    let schema = table(vec![Arc::new(NestedField::optional(1, "s", Type::Struct(inside)))]);
    let children = Fields::from(vec![
        with_id(Field::new("gone", DataType::Int32, true), 9),
        with_id(Field::new("was", DataType::Int32, true), 2),
    ]);
    let file = vec![with_id(Field::new("s", DataType::Struct(children.clone()), true), 1)];
    let columns = FileColumns::new(&schema, &ArrowSchema::new(file), None);
    let child = columns.get("s").unwrap();
    let Source::File { index: 0, reading } = &child.source else { panic!("{child:?}") };

    let arrays: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(Int32Array::from(vec![Some(3), None]))];
    let array: ArrayRef = Arc::new(StructArray::new(children, arrays, Some(vec![true, false].into())));
    let rebuilt = rebuild(&array, reading, child.target.data_type()).unwrap();
    assert_eq!(rebuilt.data_type(), child.target.data_type());
    let rebuilt = rebuilt.as_struct();
    assert!(rebuilt.is_null(1) && rebuilt.is_valid(0));
    assert_eq!(rebuilt.column(0).null_count(), 2);
    assert_eq!(rebuilt.column(1).as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(3), None]));
}
