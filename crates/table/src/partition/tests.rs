use std::sync::Arc;

use iceberg::spec::{
    ListType, NestedField, NestedFieldRef, PartitionSpec, PrimitiveType, Schema, StructType, Transform, Type,
};
use proptest::prelude::*;

use super::*;

fn field(id: i32, name: &str, field_type: Type) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, field_type))
}

fn primitive(id: i32, name: &str, field_type: PrimitiveType) -> NestedFieldRef {
    field(id, name, Type::Primitive(field_type))
}

fn schema() -> Schema {
    let geo = Type::Struct(StructType::new(vec![
        primitive(10, "country", PrimitiveType::String),
        primitive(11, "lat", PrimitiveType::Double),
    ]));
    let item = Type::Struct(StructType::new(vec![primitive(13, "sku", PrimitiveType::String)]));
    let items = Type::List(ListType::new(Arc::new(NestedField::list_element(12, item, false))));
    Schema::builder()
        .with_fields([
            primitive(1, "event_time", PrimitiveType::Timestamptz),
            primitive(2, "user_id", PrimitiveType::Long),
            primitive(3, "Name", PrimitiveType::String),
            primitive(4, "날짜", PrimitiveType::Date),
            primitive(5, "a \"b\", c", PrimitiveType::String),
            primitive(6, "user_id_bucket", PrimitiveType::Int),
            field(7, "geo", geo),
            field(8, "items", items),
            primitive(9, "score", PrimitiveType::Double),
        ])
        .build()
        .expect("a schema")
}

fn bound(text: &str) -> PartitionSpec {
    bind(&parse(text).expect("terms"), &schema()).expect("a spec")
}

fn fields(text: &str) -> Vec<String> {
    let spec = bound(text);
    spec.fields()
        .iter()
        .map(|f| format!("{} {} {} {}", f.field_id, f.name, f.source_id, f.transform))
        .collect()
}

fn error(text: &str) -> String {
    match parse(text).and_then(|terms| bind(&terms, &schema())) {
        Ok(spec) => panic!("`{text}` became {spec:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn terms_become_the_fields_that_other_engines_would_make() {
    let text = "Day(EVENT_TIME),  bucket( 8 ,user_id), truncate(3, name), geo.Country, identity(score)";
    assert_eq!(
        fields(text),
        [
            "1000 event_time_day 1 day",
            "1001 user_id_bucket_2 2 bucket[8]",
            "1002 Name_trunc 3 truncate[3]",
            "1003 geo_country 10 identity",
            "1004 score 9 identity"
        ]
    );
    assert_eq!(bound(text).spec_id(), 0);
    assert_eq!(
        to_text(&bound(text), &schema()),
        "day(event_time), bucket(8, user_id), truncate(3, Name), geo.country, score"
    );
}

#[test]
fn plural_transforms_are_the_same() {
    for (plural, singular) in [("years", "year"), ("months", "month"), ("days", "day"), ("hours", "hour")] {
        let plural = bound(&format!("{plural}(event_time)"));
        assert_eq!(plural, bound(&format!("{singular}(event_time)")));
        assert_eq!(to_text(&plural, &schema()), format!("{singular}(event_time)"));
    }
}

#[test]
fn names_are_such_that_avro_can_write_them() {
    assert_eq!(fields("month(날짜)"), ["1000 _xB0A0_xC9DC_month 4 month"]);
    assert_eq!(fields(r#""a ""b"", c""#), ["1000 a_x20_x22b_x22_x2C_x20c 5 identity"]);
}

#[test]
fn quotes_say_what_a_word_cannot() {
    assert_eq!(bound("`geo`.`country`"), bound("geo.country"));
    assert_eq!(bound(r#"day("event_time")"#), bound("day(event_time)"));
    assert_eq!(parse("\"day\"").expect("a column"), parse("day").expect("a column"));
    let odd = bound(r#"truncate(2, "a ""b"", c")"#);
    assert_eq!(to_text(&odd, &schema()), r#"truncate(2, "a ""b"", c")"#);
}

#[test]
fn a_text_that_is_no_partitioning_says_where_and_why() {
    for (text, expected) in [
        ("", "at character 1: a column is expected"),
        ("  ", "at character 3: a column is expected"),
        ("user_id,", "at character 9: a column is expected"),
        ("day(event_time", "at character 15: `)` is expected"),
        ("day()", "at character 5: a column is expected"),
        ("geo.country user_id", "at character 13: a comma or the end is expected"),
        (
            "bucket(user_id, 16)",
            "at character 8: a number from 1 to 2147483647 stands first: bucket(16, column)",
        ),
        ("bucket(0, user_id)", "stands first"),
        ("bucket(+4, user_id)", "stands first"),
        ("truncate(2147483648, name)", "stands first"),
        ("bucket(16 user_id)", "at character 11: `,` is expected"),
        ("\"name", "at character 6: the quote is not closed"),
        ("dya(event_time)", "no transform `dya`: did you mean `day`?"),
        ("void(event_time)", "no transform `void`"),
        ("user", "no column `user`"),
        ("evnt_time", "no column `evnt_time`: did you mean `event_time`?"),
        ("country", "no column `country`: did you mean `geo.country`?"),
        ("items.element.sku", "is inside a list or a map"),
        (
            "day(user_id)",
            "`day(user_id)` has no meaning: `user_id` is long, and it needs a date or a timestamp",
        ),
        ("hour(날짜)", "needs a timestamp"),
        ("bucket(4, score)", "`score` is double"),
        ("geo", "`geo` is struct<country: string, lat: double>, and it needs a single value"),
        ("identity(items)", "it needs a single value"),
        ("day(event_time), year(Event_Time)", "`year(event_time)` repeats `day(event_time)`"),
        ("name, Name", "`Name` repeats `Name`"),
    ] {
        let found = error(text);
        assert!(found.contains(expected), "`{text}`: {found}");
    }
}

#[test]
fn same_compares_what_is_meant() {
    let spec = bound("day(event_time), geo.country");
    let says = |text: &str| same(&parse(text).expect("terms"), &spec, &schema());
    assert!(says("days(EVENT_TIME), `geo`.COUNTRY"));
    assert!(!says("day(event_time)"));
    assert!(!says("geo.country, day(event_time)"));
    assert!(!says("hour(event_time), geo.country"));
    assert!(!says("day(event_time), nothing"));
    assert!(same(&[], &PartitionSpec::unpartition_spec(), &schema()));
    assert_eq!(to_text(&PartitionSpec::unpartition_spec(), &schema()), "");
}

#[test]
fn dropped_fields_and_columns_do_not_matter() {
    let spec = PartitionSpec::builder(Arc::new(schema()))
        .add_partition_field("user_id", "old", Transform::Void)
        .and_then(|builder| builder.add_partition_field("geo.country", "c", Transform::Identity))
        .and_then(iceberg::spec::PartitionSpecBuilder::build)
        .expect("a spec");
    assert_eq!(to_text(&spec, &schema()), "geo.country");
    assert!(same(&parse("geo.country").expect("a term"), &spec, &schema()));
    let without = Schema::builder()
        .with_fields([primitive(1, "event_time", PrimitiveType::Timestamptz)])
        .build()
        .expect("a schema");
    assert_eq!(to_text(&spec, &without), "\"dropped column 10\"");
}

fn any_term() -> impl Strategy<Value = String> {
    let time = prop_oneof![Just("event_time"), Just("EVENT_TIME")];
    let unit = prop_oneof![Just("year"), Just("months"), Just("Day"), Just("hours")];
    let column =
        prop_oneof![Just("user_id"), Just("\"Name\""), Just("geo.country"), Just("\"a \"\"b\"\", c\"")];
    let text = prop_oneof![Just("name"), Just("`geo`.`country`"), Just("user_id")];
    prop_oneof![
        (unit, time).prop_map(|(unit, column)| format!("{unit}({column})")),
        (1_u32..5000, column).prop_map(|(n, column)| format!("bucket({n}, {column})")),
        (1_u32..50, text).prop_map(|(n, column)| format!("truncate( {n},{column} )")),
        Just("날짜".to_owned()),
        Just("geo.lat".to_owned()),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(texts in prop::collection::vec(any_term(), 1..5)) {
        let terms = parse(&texts.join(",")).expect("terms");
        // Terms that repeat each other are refused; all others bind.
        if let Ok(spec) = bind(&terms, &schema()) {
            let again = parse(&to_text(&spec, &schema())).expect("its own text");
            prop_assert!(same(&terms, &spec, &schema()));
            prop_assert!(same(&again, &spec, &schema()));
            prop_assert_eq!(bind(&again, &schema()).expect("a spec"), spec);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9(),\"` .\u{ac00}]{0,24}") {
        if let Ok(terms) = parse(&text) {
            prop_assert!(!terms.is_empty());
            let _ = bind(&terms, &schema());
        }
    }
}
