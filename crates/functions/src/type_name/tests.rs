use super::type_name;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use std::sync::Arc;

fn named(data_type: DataType, name: &str) {
    assert_eq!(type_name(&data_type), name, "{data_type}");
}

#[test]
fn scalars_have_trinos_names() {
    named(DataType::Null, "unknown");
    named(DataType::Boolean, "boolean");
    named(DataType::Int8, "tinyint");
    named(DataType::Int32, "integer");
    named(DataType::UInt32, "bigint");
    named(DataType::UInt64, "bigint");
    named(DataType::Float32, "real");
    named(DataType::Float64, "double");
    named(DataType::Decimal128(10, 2), "decimal(10, 2)");
    named(DataType::Decimal128(10, -2), "decimal(12, 0)");
    named(DataType::Utf8View, "varchar");
    named(DataType::BinaryView, "varbinary");
    named(DataType::FixedSizeBinary(16), "uuid");
    named(DataType::FixedSizeBinary(4), "varbinary");
    named(DataType::Date32, "date");
}

#[test]
fn times_have_their_precision() {
    named(DataType::Time64(TimeUnit::Microsecond), "time(6)");
    named(DataType::Timestamp(TimeUnit::Second, None), "timestamp(0)");
    named(DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp(6)");
    named(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), "timestamp(9) with time zone");
    named(DataType::Interval(IntervalUnit::YearMonth), "INTERVAL YEAR TO MONTH");
    named(DataType::Interval(IntervalUnit::MonthDayNano), "INTERVAL DAY TO SECOND");
}

#[test]
fn nested_types_are_spelt_out() {
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let fields = Fields::from(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b c", DataType::List(element), true),
    ]);
    named(DataType::Struct(fields), "row(a bigint, \"b c\" array(varchar))");
    let entry = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Int64, true),
    ]);
    let entry = Arc::new(Field::new("key_value", DataType::Struct(entry), false));
    named(DataType::Map(entry, false), "map(varchar, bigint)");
    named(DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "varchar");
}
