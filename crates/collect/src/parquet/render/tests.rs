//! Values that are easily spelled wrongly: fractions, days, decimals, bytes that are no text.

use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn doubles_are_spelled_with_all_that_a_column_asks_for() {
    let cases = [
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (f64::from(0.1_f32), "0.10000000149011612"),
        (9_007_199_254_740_991.0, "9007199254740991.0"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (1e23, "99999999999999991611392"),
        (5e-324, "5e-324"),
        (f64::NAN, "\"NaN\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ];
    for (value, text) in cases {
        assert_eq!(written(|out| double(value, out)), text);
    }
    let most = written(|out| double(f64::MAX, out));
    assert_eq!((most.len(), most.parse()), (309, Ok(f64::MAX)));
}

#[test]
fn days_are_those_of_the_calendar() {
    let cases = [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (19_782, "2024-02-29"),
        (-719_162, "0001-01-01"),
        (-719_528, "0000-01-01"),
        (2_932_896, "9999-12-31"),
        (2_932_897, "+10000-01-01"),
        (-719_529, "-0001-12-31"),
        (i64::from(i32::MAX), "+5881580-07-11"),
    ];
    for (days, text) in cases {
        assert_eq!(written(|out| date(days, out)), text);
    }
    // Each day of 800 years comes after the one before.
    let texts: Vec<String> = (-292_194..292_194).map(|days| written(|out| date(days, out))).collect();
    assert!(texts.is_sorted());
    assert_eq!(texts.iter().collect::<std::collections::HashSet<_>>().len(), texts.len());
    assert_eq!(texts.iter().filter(|text| text.ends_with("-02-29")).count(), 388);
}

#[test]
fn times_have_the_digits_that_they_need() {
    let local = |nanos, text: &str| assert_eq!(written(|out| timestamp(nanos, false, out)), text);
    local(0, "\"1970-01-01T00:00:00\"");
    local(-1, "\"1969-12-31T23:59:59.999999999\"");
    local(1_500_000_000, "\"1970-01-01T00:00:01.5\"");
    assert_eq!(written(|out| timestamp(1_000, true, out)), "\"1970-01-01T00:00:00.000001Z\"");
    let of = |value| written(|out| long(Single::Time(super::super::columns::Unit::Micros), value, out));
    assert_eq!(of(86_399_999_999), "\"23:59:59.999999\"");
    assert_eq!((of(86_400_000_000).as_str(), of(-1).as_str()), ("86400000000", "-1"));
    // 2 January of 4713 before Christ, and a day that has more nanoseconds than a day.
    assert_eq!(int96(&[0; 12]), Some(-JULIAN_DAY_OF_EPOCH * DAY_NANOS));
    assert_eq!(
        int96(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x8c, 0x3d, 0x25, 0]),
        Some(i64::MAX.into())
    );
}

#[test]
fn decimals_of_any_size_keep_their_digits() {
    let of = |precision, scale, value: &[u8]| {
        written(|out| bytes(Single::Decimal { precision, scale }, value, out))
    };
    assert_eq!(of(5, 2, &[0x30, 0x39]), "123.45");
    assert_eq!(of(5, 2, &[0xff]), "-0.01");
    assert_eq!(of(5, 0, &[0xff]), "-1");
    assert_eq!(of(5, 2, &[]), "0.00");
    assert_eq!(of(76, 1, &[1; 20]), "\"573137896992510948315170522633836478296444134.5\"");
    assert_eq!(of(5, 2, &[1; 33]), format!("{{\"base64\":\"{}\"}}", STANDARD.encode([1; 33])));
}

#[test]
fn texts_are_escaped_and_what_is_none_is_told() {
    let of = |value: &[u8]| written(|out| bytes(Single::Text, value, out));
    assert_eq!(of("a\"\\\n\u{0}é\u{2028}".as_bytes()), "\"a\\\"\\\\\\u000a\\u0000é\u{2028}\"");
    assert_eq!(of(b"a\xff"), "{\"base64\":\"Yf8=\"}");
    assert_eq!(written(|out| bytes(Single::Bytes, b"a\xff", out)), "\"Yf8=\"");
    assert_eq!(written(|out| bytes(Single::HalfFloat, &[0, 0x38], out)), "0.5");
}
