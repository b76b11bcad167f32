//! Every type, every fate of a line, and what is summed up over many.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::Int64Type;
use hosu_table::json::Number;
use hosu_table::{evolve, rejects};
use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};

use super::*;

mod round_trip;
mod short_way;

fn field(name: &str, column_type: Type) -> NestedFieldRef {
    Arc::new(NestedField::optional(0, name, column_type))
}

fn scalar(name: &str, column_type: PrimitiveType) -> NestedFieldRef {
    field(name, Type::Primitive(column_type))
}

fn list_of(element: Type) -> Type {
    Type::List(ListType::new(field("element", element)))
}

fn struct_of(fields: Vec<NestedFieldRef>) -> Type {
    Type::Struct(StructType::new(fields))
}

fn schema_of(fields: Vec<NestedFieldRef>) -> Schema {
    rejects::with_rescued_data(&evolve::fresh_ids_of(fields).expect("a schema")).expect("a schema")
}

fn decode(schema: &Schema, lines: &[&str]) -> Decoded {
    let mut decoder = Decoder::new(schema).expect("a decoder");
    for (at, line) in lines.iter().enumerate() {
        let at = u64::try_from(at).expect("few");
        decoder.push(line.as_bytes(), Place { byte_offset: at * 100, line_number: at + 1 }).expect("room");
    }
    let decoded = decoder.finish().expect("a batch");
    assert_eq!(decoded.batch.schema().as_ref(), &arrow_schema::to_arrow(schema));
    decoded
}

/// Every type that JSON can fill, nested in every way.
fn wide_schema() -> Schema {
    use PrimitiveType as T;
    let inner = vec![scalar("x", T::Long), field("l", list_of(Type::Primitive(T::String)))];
    let key = Arc::new(NestedField::required(0, "key", Type::Primitive(T::String)));
    let number_key = Arc::new(NestedField::required(0, "key", Type::Primitive(T::Long)));
    schema_of(vec![
        scalar("boolean", T::Boolean),
        scalar("int", T::Int),
        scalar("long", T::Long),
        scalar("float", T::Float),
        scalar("double", T::Double),
        scalar("decimal", T::Decimal { precision: 10, scale: 2 }),
        scalar("date", T::Date),
        scalar("time", T::Time),
        scalar("timestamp", T::Timestamp),
        scalar("timestamptz", T::Timestamptz),
        scalar("timestamptz_ns", T::TimestamptzNs),
        scalar("string", T::String),
        scalar("uuid", T::Uuid),
        scalar("binary", T::Binary),
        scalar("fixed", T::Fixed(3)),
        field("struct", struct_of(inner.clone())),
        field("structs", list_of(struct_of(inner.clone()))),
        field("map", Type::Map(MapType::new(key, field("value", struct_of(inner))))),
        field("number_map", Type::Map(MapType::new(number_key, scalar("value", T::Long)))),
    ])
}

#[test]
fn every_type_is_filled() {
    let line = r#"{"boolean":true,"int":1,"long":2,"float":0.5,"double":0.1,"decimal":"1.5","date":"2024-02-29","time":"12:00:00",
        "timestamp":"2024-02-29T12:00:00","timestamptz":"2024-02-29T12:00:00Z","timestamptz_ns":"2024-02-29T12:00:00.000000001Z","string":"호수",
        "uuid":"00000000-0000-0000-0000-00000000000a","binary":"AQID","fixed":"AQID","struct":{"x":1,"l":["a",null]},
        "structs":[{"x":1},null,{"l":[]},{}],"map":{"k":{"x":1},"n":null,"e":{}}}"#;
    let decoded = decode(&wide_schema(), &[line, "{}", r#"{"number_map":{"1":1}}"#, line]);
    assert_eq!((decoded.batch.num_rows(), decoded.rejects.len(), decoded.rescued.total()), (4, 0, 1));
    for (column, field) in decoded.batch.columns().iter().zip(decoded.batch.schema().fields()) {
        let filled = usize::from(!["number_map", "_rescued_data"].contains(&field.name().as_str()));
        assert_eq!(
            column.len() - column.null_count(),
            filled * 2 + usize::from(field.name() == "_rescued_data"),
            "{field}"
        );
    }
    let structs = decoded.batch.column_by_name("structs").expect("structs").as_list::<i32>().value(0);
    let structs: &StructArray = structs.as_struct();
    assert_eq!((structs.len(), structs.null_count()), (4, 1));
    assert_eq!(structs.column(0).as_primitive::<Int64Type>().value(0), 1);
}

#[test]
fn plain_values_come_out_as_arrow_json_reads_them() {
    use PrimitiveType as T;
    let inner = vec![scalar("x", T::Long), field("l", list_of(Type::Primitive(T::String)))];
    let schema = schema_of(vec![
        scalar("boolean", T::Boolean),
        scalar("int", T::Int),
        scalar("long", T::Long),
        scalar("double", T::Double),
        scalar("date", T::Date),
        scalar("timestamp", T::Timestamp),
        scalar("timestamptz", T::Timestamptz),
        scalar("string", T::String),
        field("struct", struct_of(inner.clone())),
        field("structs", list_of(struct_of(inner))),
        field("lists", list_of(list_of(Type::Primitive(T::Double)))),
    ]);
    let lines = [
        r#"{"boolean":false,"int":-1,"long":9223372036854775807,"double":-0.25,"date":"1969-12-31","string":"a\"b\\\u00e9\ud83d\ude00"}"#,
        r#"{"timestamp":"2024-02-29T12:34:56.789012","timestamptz":"2024-02-29T12:34:56.5+09:00","struct":{"l":["a",null,""],"x":1}}"#,
        r#"{"structs":[{"x":1},{"l":[]},null],"lists":[[1.5,2],[],[null]]}"#,
        "{}",
        r#"{"struct":{},"structs":[],"lists":null}"#,
    ];
    let ours = decode(&schema, &lines);
    assert_eq!(ours.rescued.total(), 0);
    let mut theirs = arrow_json::ReaderBuilder::new(ours.batch.schema())
        .build(Cursor::new(lines.join("\n")))
        .expect("a reader");
    assert_eq!(ours.batch, theirs.next().expect("a batch").expect("rows"));
}

#[test]
fn each_line_is_a_row_a_reject_or_blank() {
    let schema = schema_of(vec![scalar("a", PrimitiveType::Long)]);
    let mut decoder = Decoder::new(&schema).expect("a decoder");
    let mut push = |line: &[u8]| decoder.push(line, Place { byte_offset: 7, line_number: 3 }).expect("room");
    assert_eq!(push(b"{\"a\":1}\r\n"), Pushed::Row);
    assert_eq!(push(b""), Pushed::Blank);
    assert_eq!(push(b" \t\r\n"), Pushed::Blank);
    assert_eq!(push(b"{\"a\":1"), Pushed::Rejected);
    assert_eq!(push(b"[1]"), Pushed::Rejected);
    assert_eq!(push(b"\xff"), Pushed::Rejected);
    assert_eq!(decoder.rows(), 1);
    let decoded = decoder.finish().expect("a batch");
    let reasons: Vec<_> = decoded.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "not JSON: the line ends where `,` or `}` should be, at byte 6",
            "not an object: the record is an array",
            "not JSON: not UTF-8, at byte 0"
        ]
    );
    let Reject { record, byte_offset, line_number, .. } = &decoded.rejects[0];
    assert_eq!((record.as_slice(), *byte_offset, *line_number), (&b"{\"a\":1"[..], 7, 3));
}

#[test]
fn a_column_that_must_have_a_value_rejects_the_record() {
    let id = Arc::new(NestedField::required(0, "id", Type::Primitive(PrimitiveType::Long)));
    let inner =
        struct_of(vec![Arc::new(NestedField::required(0, "x", Type::Primitive(PrimitiveType::Long)))]);
    let schema = schema_of(vec![id, field("g", inner)]);
    let decoded = decode(
        &schema,
        &[r#"{"id":1}"#, "{}", r#"{"id":"x"}"#, r#"{"id":2,"g":{}}"#, r#"{"id":3,"g":{"x":4}}"#],
    );
    assert_eq!((decoded.batch.num_rows(), decoded.rejects.len()), (3, 2));
    assert_eq!(decoded.rescued.columns()[0].column, "g");
}

#[test]
fn a_decoder_starts_anew_after_each_batch() {
    let schema = wide_schema();
    let mut decoder = Decoder::new(&schema).expect("a decoder");
    assert_eq!(decoder.finish().expect("a batch").batch.num_rows(), 0);
    let line = br#"{"long":1,"string":"abc","structs":[{"x":"bad"}],"new":1}"#;
    decoder.push(line, Place::default()).expect("room");
    decoder.push(b"x", Place::default()).expect("room");
    let first = decoder.finish().expect("a batch");
    assert_eq!((decoder.rows(), decoder.bytes_estimated()), (0, 0));
    decoder.push(line, Place::default()).expect("room");
    decoder.push(b"x", Place::default()).expect("room");
    let second = decoder.finish().expect("a batch");
    assert_eq!(first.batch, second.batch);
    assert_eq!(first.rejects, second.rejects);
    assert_eq!(first.rescued.columns(), second.rescued.columns());
    assert_eq!(first.unknown.additions(&schema).len(), 1);
}

#[test]
fn the_estimate_follows_what_the_batch_takes() {
    let schema = schema_of(vec![scalar("s", PrimitiveType::String), scalar("n", PrimitiveType::Long)]);
    let mut decoder = Decoder::new(&schema).expect("a decoder");
    let line = format!(r#"{{"s":"{}","n":1}}"#, "x".repeat(1000));
    for _ in 0..1000 {
        decoder.push(line.as_bytes(), Place::default()).expect("room");
    }
    let estimated = decoder.bytes_estimated();
    let taken = decoder.finish().expect("a batch").batch.get_array_memory_size();
    assert!(estimated > taken / 3 && estimated < taken * 2, "{estimated} {taken}");
    for _ in 0..100 {
        decoder.push(&[b'x'; 1000], Place::default()).expect("room");
    }
    assert!(decoder.bytes_estimated() > 100_000, "rejects count");
}

#[test]
fn no_line_makes_a_batch_too_large_for_its_arrays() {
    let schema = schema_of(vec![scalar("s", PrimitiveType::String)]);
    let mut decoder = Decoder::new(&schema).expect("a decoder");
    decoder.bytes = BATCH_BYTES_MAX - 10;
    assert_eq!(decoder.push(br#"{"s":"x"}"#, Place::default()), Err(Full));
    assert_eq!(decoder.rows(), 0);
    decoder.bytes = 0;
    let mut long = vec![b' '; LINE_BYTES_MAX];
    long.extend_from_slice(b"{}");
    assert_eq!(decoder.push(&long, Place::default()), Ok(Pushed::Rejected));
}

#[test]
fn rescued_values_are_summed_up_per_column() {
    let schema = schema_of(vec![
        scalar("a", PrimitiveType::Long),
        field("l", list_of(struct_of(vec![scalar("p", PrimitiveType::Double)]))),
    ]);
    let mut first = decode(&schema, &[r#"{"a":"x","l":[{"p":"1"},{"p":"2"}]}"#, r#"{"a":1.5}"#]).rescued;
    let second = decode(&schema, &[r#"{"a":true,"u":1}"#]).rescued;
    first.merge(second);
    assert_eq!(first.total(), 6);
    let columns: Vec<_> = first
        .columns()
        .iter()
        .map(|c| (c.column.as_str(), c.column_type.as_deref(), c.values, c.example.as_str()))
        .collect();
    assert_eq!(
        columns,
        [("a", Some("long"), 3, r#""x""#), ("l.element.p", Some("double"), 2, r#""1""#), ("u", None, 1, "1")]
    );
}

#[test]
fn a_table_without_rescued_data_gets_it_when_a_value_needs_it() {
    let schema = evolve::fresh_ids_of(vec![scalar("a", PrimitiveType::Long)]).expect("a schema");
    let names = |lines: &[&str]| -> Vec<String> {
        let additions = decode(&schema, lines).unknown.additions(&schema);
        additions.iter().map(|(_, field)| field.name.clone()).collect()
    };
    assert_eq!(names(&[r#"{"a":1}"#]), [""; 0]);
    assert_eq!(names(&[r#"{"a":"x"}"#]), ["_rescued_data"]);
    assert_eq!(names(&[r#"{"b":1}"#]), ["b"]);
    assert_eq!(names(&[r#"{"b":{}}"#]), ["_rescued_data"]);
    assert_eq!(names(&[r#"{"b":1,"a":"x"}"#]), ["b", "_rescued_data"]);
}

#[test]
fn tables_that_cannot_be_written_are_refused() {
    let decimal = schema_of(vec![scalar("d", PrimitiveType::Decimal { precision: 10, scale: 2 })]);
    assert!(Decoder::new(&decimal).is_ok());
    let rescued = evolve::fresh_ids_of(vec![scalar("_rescued_data", PrimitiveType::Long)]).expect("a schema");
    let error = Decoder::new(&rescued).expect_err("refused").to_string();
    assert_eq!(
        error,
        "column `_rescued_data` is long, and must be an optional string to hold what fits nowhere else"
    );
}

#[test]
fn numbers_tell_whether_they_are_integers() {
    assert!(Number::read("1.50e1").is_some_and(|number| number.is_integer()));
    assert!(Number::read("1.5").is_some_and(|number| !number.is_integer()));
}
