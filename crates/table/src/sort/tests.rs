use std::sync::Arc;

use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use proptest::prelude::*;

use super::*;

fn field(id: i32, name: &str, field_type: Type) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, field_type))
}

fn schema() -> Schema {
    let country = field(5, "country", Type::Primitive(PrimitiveType::String));
    Schema::builder()
        .with_fields([
            field(1, "event_time", Type::Primitive(PrimitiveType::Timestamp)),
            field(2, "user_id", Type::Primitive(PrimitiveType::String)),
            field(3, "desc", Type::Primitive(PrimitiveType::Int)),
            field(4, "geo", Type::Struct(StructType::new(vec![country]))),
        ])
        .build()
        .expect("a schema")
}

fn bound(text: &str) -> SortOrder {
    bind(&parse(text).expect("terms"), &schema()).expect("an order")
}

fn error(text: &str) -> String {
    match parse(text).and_then(|terms| bind(&terms, &schema())) {
        Ok(order) => panic!("`{text}` became {order:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn directions_bring_their_place_for_nulls() {
    let order =
        bound("event_time DESC, user_id, geo.country asc nulls last, bucket(4, user_id) desc Nulls First");
    let fields: Vec<_> = order
        .fields
        .iter()
        .map(|f| format!("{} {} {} {}", f.source_id, f.transform, f.direction, f.null_order))
        .collect();
    assert_eq!(
        fields,
        [
            "1 identity descending last",
            "2 identity ascending first",
            "5 identity ascending last",
            "2 bucket[4] descending first"
        ]
    );
    assert_eq!(order.order_id, 1);
    assert_eq!(
        to_text(&order, &schema()),
        "event_time desc, user_id, geo.country nulls last, bucket(4, user_id) desc nulls first"
    );
}

#[test]
fn keywords_are_columns_where_a_column_stands() {
    assert_eq!(to_text(&bound("desc desc"), &schema()), "desc desc");
    assert_eq!(bound("\"desc\""), bound("desc asc nulls first"));
}

#[test]
fn a_text_that_is_no_order_says_where_and_why() {
    for (text, expected) in [
        ("", "a column is expected"),
        ("user_id down", "`asc`, `desc`, `nulls first` or `nulls last` is expected"),
        ("user_id nulls", "`nulls first` or `nulls last` is expected"),
        ("user_id nulls middle", "`nulls first` or `nulls last` is expected"),
        ("user_id desc asc", "is expected"),
        ("user_id nulls last desc", "at character 20: a comma or the end is expected"),
        ("usr_id", "did you mean `user_id`?"),
        ("geo", "it needs a single value"),
        ("hour(user_id)", "it needs a timestamp"),
        ("user_id, USER_ID desc", "`user_id desc` repeats `user_id`"),
    ] {
        let found = error(text);
        assert!(found.contains(expected), "`{text}`: {found}");
    }
}

#[test]
fn same_compares_what_is_meant() {
    let order = bound("event_time desc, user_id");
    let says = |text: &str| same(&parse(text).expect("terms"), &order, &schema());
    assert!(says("EVENT_TIME desc nulls last, user_id asc"));
    assert!(!says("event_time, user_id"));
    assert!(!says("event_time desc nulls first, user_id"));
    assert!(!says("event_time desc"));
    let unsorted = bind(&[], &schema()).expect("an order");
    assert!(unsorted.is_unsorted() && unsorted.order_id == 0);
    assert!(same(&[], &unsorted, &schema()));
    assert_eq!(to_text(&unsorted, &schema()), "");
}

fn any_term() -> impl Strategy<Value = String> {
    let column = prop_oneof![
        Just("event_time"),
        Just("day(event_time)"),
        Just("user_id"),
        Just("truncate(3, GEO.country)"),
        Just("`desc`")
    ];
    let direction = prop_oneof![Just(""), Just(" asc"), Just(" DESC")];
    let nulls = prop_oneof![Just(""), Just(" nulls first"), Just(" nulls last")];
    (column, direction, nulls).prop_map(|(column, direction, nulls)| format!("{column}{direction}{nulls}"))
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(texts in prop::collection::vec(any_term(), 1..4)) {
        let terms = parse(&texts.join(", ")).expect("terms");
        // Terms that repeat each other are refused; all others bind.
        if let Ok(order) = bind(&terms, &schema()) {
            let again = parse(&to_text(&order, &schema())).expect("its own text");
            prop_assert!(same(&terms, &order, &schema()));
            prop_assert!(same(&again, &order, &schema()));
            prop_assert_eq!(bind(&again, &schema()).expect("an order"), order);
        }
    }
}
