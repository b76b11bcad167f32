//! docs/unchanged.md, sentence by sentence.

use iceberg::spec::PrimitiveType as T;

use super::*;
use crate::json::parse;

fn fits<'a>(column_type: &T, source: &'a str) -> Option<Scalar<'a>> {
    fit(column_type, &parse(source.as_bytes()).expect(source))
}

fn decimal(precision: u32, scale: u32) -> T {
    T::Decimal { precision, scale }
}

const ALL: [T; 14] = [
    T::Boolean,
    T::Int,
    T::Long,
    T::Float,
    T::Double,
    T::Decimal { precision: 10, scale: 2 },
    T::Date,
    T::Time,
    T::Timestamp,
    T::Timestamptz,
    T::String,
    T::Uuid,
    T::Binary,
    T::Fixed(3),
];

#[test]
fn a_value_fits_only_columns_of_its_own_kind() {
    for (source, fitting) in [
        ("true", vec![T::Boolean]),
        ("false", vec![T::Boolean]),
        ("null", vec![]),
        ("{}", vec![]),
        ("[]", vec![]),
        ("[1]", vec![]),
        ("1", vec![T::Int, T::Long, T::Float, T::Double, ALL[5].clone()]),
        ("1.5", vec![T::Float, T::Double, ALL[5].clone()]),
        (r#""12""#, vec![ALL[5].clone(), T::String]),
        (r#""true""#, vec![T::String, T::Binary, T::Fixed(3)]),
        (r#""a b""#, vec![T::String]),
        (r#""2024-02-29""#, vec![T::Date, T::String]),
        (r#""12:00:00""#, vec![T::Time, T::String]),
        (r#""2024-02-29T12:00:00""#, vec![T::Timestamp, T::String]),
        (r#""2024-02-29T12:00:00Z""#, vec![T::Timestamptz, T::String]),
        (r#""9d2f5b3c-0a1e-4c77-8a51-2f6d0f4b9a10""#, vec![T::String, T::Uuid]),
    ] {
        let found: Vec<T> = ALL.iter().filter(|column| fits(column, source).is_some()).cloned().collect();
        assert_eq!(found, fitting, "{source}");
    }
}

#[test]
fn integers_fit_when_the_column_has_them() {
    assert_eq!(fits(&T::Long, "9223372036854775807"), Some(Scalar::Long(i64::MAX)));
    assert_eq!(fits(&T::Long, "9223372036854775808"), None);
    assert_eq!(fits(&T::Long, "-9223372036854775808"), Some(Scalar::Long(i64::MIN)));
    assert_eq!(fits(&T::Int, "2147483647"), Some(Scalar::Int(i32::MAX)));
    assert_eq!(fits(&T::Int, "2147483648"), None);
    assert_eq!(fits(&T::Int, "-2147483649"), None);
    assert_eq!(fits(&T::Long, "1.0"), Some(Scalar::Long(1)), "another spelling of 1");
    assert_eq!(fits(&T::Long, "1.2e1"), Some(Scalar::Long(12)));
    assert_eq!(fits(&T::Long, "-0"), Some(Scalar::Long(0)));
    assert_eq!(fits(&T::Long, "1.5"), None);
    assert_eq!(fits(&T::Long, r#""12""#), None);
    assert_eq!(fits(&T::Long, "true"), None);
}

#[test]
fn doubles_round_fractions_and_nothing_else() {
    assert_eq!(fits(&T::Double, "0.1"), Some(Scalar::Double(0.1)));
    assert_eq!(fits(&T::Double, "0.1000000000000000000001"), Some(Scalar::Double(0.1)));
    assert_eq!(fits(&T::Double, "9007199254740992"), Some(Scalar::Double(9_007_199_254_740_992.0)));
    assert_eq!(fits(&T::Double, "9007199254740993"), None);
    assert_eq!(fits(&T::Double, "9007199254740993.5"), None);
    assert_eq!(fits(&T::Double, "100000000000000000000"), Some(Scalar::Double(1e20)), "held exactly");
    assert_eq!(fits(&T::Double, "1e400"), None);
    assert_eq!(fits(&T::Double, "-1e400"), None);
    assert_eq!(fits(&T::Double, "1e-400"), Some(Scalar::Double(0.0)), "a fraction, rounded");
}

#[test]
fn floats_hold_what_their_nearest_double_says() {
    assert_eq!(fits(&T::Float, "0.5"), Some(Scalar::Float(0.5)));
    assert_eq!(fits(&T::Float, "16777216"), Some(Scalar::Float(16_777_216.0)));
    assert_eq!(fits(&T::Float, "16777217"), None);
    assert_eq!(fits(&T::Float, "0.1"), None, "a float would say 0.10000000149011612");
    assert_eq!(fits(&T::Float, "1e39"), None);
}

#[test]
fn decimals_take_numbers_and_texts_of_numbers_exactly() {
    for source in ["12.5", "12.50", "1.25e1", r#""12.5""#, r#""12.50""#, r#""1.25e1""#] {
        assert_eq!(fits(&decimal(10, 2), source), Some(Scalar::Decimal(1250)), "{source}");
    }
    for source in [
        "12.345",
        "123456789",
        r#""12.345""#,
        r#""012.5""#,
        r#""+12.5""#,
        r#"" 12.5""#,
        r#""12.""#,
        r#""NaN""#,
        r#""""#,
    ] {
        assert_eq!(fits(&decimal(10, 2), source), None, "{source}");
    }
    let largest = "9".repeat(38);
    assert_eq!(fits(&decimal(38, 0), &largest), Some(Scalar::Decimal(10_i128.pow(38) - 1)));
    assert_eq!(fits(&decimal(38, 0), &format!("-{largest}")), Some(Scalar::Decimal(1 - 10_i128.pow(38))));
    assert_eq!(fits(&decimal(38, 0), &format!("1{}", "0".repeat(38))), None);
    assert_eq!(fits(&decimal(38, 38), "0.1"), Some(Scalar::Decimal(10_i128.pow(37))));
}

#[test]
fn instants_are_kept_in_utc() {
    let utc = fits(&T::Timestamptz, r#""2024-02-29T03:00:00Z""#);
    assert_eq!(utc, Some(Scalar::Timestamp(1_709_175_600_000_000)));
    assert_eq!(fits(&T::Timestamptz, r#""2024-02-29T12:00:00+09:00""#), utc);
    assert_eq!(fits(&T::Timestamptz, r#""2024-02-29 12:00:00+09:00""#), utc);
    assert_eq!(fits(&T::Timestamptz, r#""2024-02-29T03:00:00""#), None, "no zone");
    assert_eq!(fits(&T::Timestamp, r#""2024-02-29T03:00:00Z""#), None, "a zone");
    assert_eq!(fits(&T::Timestamptz, r#""2024-02-29T03:00:00.1234567Z""#), None);
    assert_eq!(fits(&T::Timestamptz, "1709175600"), None, "a number is no time");
    assert_eq!(fits(&T::TimestamptzNs, r#""1970-01-01T00:00:00.000000001Z""#), Some(Scalar::Timestamp(1)));
    assert_eq!(fits(&T::TimestampNs, r#""1970-01-01T00:00:00.000000001""#), Some(Scalar::Timestamp(1)));
}

#[test]
fn texts_are_stored_with_their_escapes_resolved() {
    assert_eq!(fits(&T::String, r#""caf\u00e9 \ud83d\ude00""#), Some(Scalar::Text("café 😀".into())));
    assert_eq!(fits(&T::String, r#""\u0000""#), Some(Scalar::Text("\u{0}".into())));
    assert_eq!(fits(&T::String, r#""\ud800""#), None, "half a pair is no text in UTF-8");
    for source in ["1", "true", "{}", "[]"] {
        assert_eq!(fits(&T::String, source), None, "{source} is not made text");
    }
}

#[test]
fn uuids_and_bytes_must_read_back_as_they_were() {
    let uuid = fits(&T::Uuid, r#""00000000-0000-0000-0000-00000000000a""#);
    assert_eq!(uuid, Some(Scalar::Bytes([vec![0; 15], vec![10]].concat())));
    for source in [
        r#""00000000-0000-0000-0000-00000000000A""#,
        r#""0000000000000000000000000000000a""#,
        r#""{00000000-0000-0000-0000-00000000000a}""#,
    ] {
        assert_eq!(fits(&T::Uuid, source), None, "{source}");
    }
    assert_eq!(fits(&T::Binary, r#""AQID""#), Some(Scalar::Bytes(vec![1, 2, 3])));
    assert_eq!(fits(&T::Binary, r#""AQ==""#), Some(Scalar::Bytes(vec![1])));
    for source in [r#""AQ""#, r#""AR==""#, r#""AQID\n""#, r#""_-__""#] {
        assert_eq!(fits(&T::Binary, source), None, "{source}");
    }
    assert_eq!(fits(&T::Fixed(3), r#""AQID""#), Some(Scalar::Bytes(vec![1, 2, 3])));
    assert_eq!(fits(&T::Fixed(2), r#""AQID""#), None);
}
