//! What a cursor takes, the parser takes, with the same value.

use proptest::prelude::*;

use super::super::fit::{Scalar, fit};
use super::super::parse;
use super::super::value::{JsonKind, JsonValue};
use super::*;
use iceberg::spec::PrimitiveType;

/// The whole line as one text.
fn text_of(line: &str) -> Option<(String, bool)> {
    let mut cursor = Cursor::new(line.as_bytes());
    let text = cursor.text()?;
    let inner = std::str::from_utf8(text.inner).expect("whole characters").to_owned();
    cursor.is_at_end().then_some((inner, text.has_escapes))
}

fn number_of(line: &str) -> Option<(Option<i64>, Option<f64>)> {
    let mut cursor = Cursor::new(line.as_bytes());
    let number = cursor.number()?;
    assert_eq!(number.source, &line.as_bytes()[..number.source.len()]);
    cursor.is_at_end().then(|| (number.to_i64(), number.to_f64()))
}

#[test]
fn plain_text_ends_at_quotes_backslashes_and_controls_only() {
    for at in 0..20 {
        for stop in ['"', '\\', '\u{0}', '\u{1f}', '\n'] {
            let text =
                format!("{}{stop}{}", "~가".repeat(30).chars().take(at).collect::<String>(), "x".repeat(20));
            let expected = text.find(stop).expect("it is there");
            assert_eq!(end_of_plain(text.as_bytes(), 0).end, expected, "{text:?}");
        }
    }
    let all: String = ('\u{20}'..'\u{2ff}').filter(|c| !matches!(c, '"' | '\\')).collect();
    assert_eq!(end_of_plain(all.as_bytes(), 0).end, all.len());
}

#[test]
fn plain_texts_are_ascii_without_escapes() {
    for length in 0..20 {
        let plain = "x".repeat(length);
        for (quoted, is_plain) in [
            (format!("\"{plain}\""), true),
            (format!("\"{plain}\",\"호수\""), true),
            (format!("\"{plain}호\""), false),
            (format!("\"호{plain}\""), false),
            (format!("\"{plain}\\n\""), false),
            (format!("\"{plain}\n\""), false),
            (format!("\"{plain}"), false),
            (format!("{plain}x\""), false),
        ] {
            let mut cursor = Cursor::new(quoted.as_bytes());
            let mut other = cursor.clone();
            assert_eq!(cursor.plain_text(), is_plain.then_some(plain.as_bytes()), "{quoted}");
            assert_eq!(cursor.at, if is_plain { length + 2 } else { 0 });
            let text = other.text();
            assert!(!is_plain || text.is_some_and(|text| text.inner == plain.as_bytes()));
        }
    }
}

#[test]
fn the_next_eight_bytes_are_a_number() {
    let mut cursor = Cursor::new(b"abcdefghij");
    assert_eq!(cursor.eight(), u64::from_le_bytes(*b"abcdefgh"));
    assert!(cursor.take_all(b"abcde"));
    assert_eq!(cursor.eight(), u64::from_le_bytes(*b"fghij\0\0\0"));
    assert!(cursor.take_all(b"fghij"));
    assert_eq!(cursor.eight(), 0);
}

#[test]
fn texts_are_utf_8_wherever_they_are_not() {
    for at in 0..20 {
        for bad in [&b"\xff"[..], b"\xed\xa0\x80", b"\xec\x84", b"\xc0\x80"] {
            let line = [b"\"", &b"x".repeat(at)[..], bad, b"yz\""].concat();
            assert_eq!(Cursor::new(&line).text(), None, "{line:?}");
        }
        let line = format!("\"{}호수\"", "x".repeat(at));
        assert!(Cursor::new(line.as_bytes()).text().is_some());
    }
}

#[test]
fn what_a_text_begins_with_is_found_whatever_its_length() {
    let text: Vec<u8> = (b'a'..=b'z').collect();
    for length in 0..=text.len() {
        let start = &text[..length];
        assert!(begins_with(&text, start) && begins_with(start, start), "{length}");
        assert!(length == 0 || !begins_with(&start[1..], start), "{length}");
        for at in 0..length {
            let mut other = start.to_vec();
            other[at] ^= 0x80;
            assert!(!begins_with(&text, &other), "{length} {at}");
        }
    }
}

#[test]
fn integers_of_few_digits_and_exact_fractions_are_read() {
    assert_eq!(number_of("0"), Some((Some(0), Some(0.0))));
    assert_eq!(number_of("-12"), Some((Some(-12), Some(-12.0))));
    assert_eq!(number_of("999999999999999999"), Some((Some(999_999_999_999_999_999), None)));
    assert_eq!(number_of("1000000000000000000"), Some((None, None)));
    assert_eq!(number_of("0.1"), Some((None, Some(0.1))));
    assert_eq!(number_of("123456789012.345"), Some((None, Some(123_456_789_012.345))));
    assert_eq!(number_of("-0.0").and_then(|n| n.1).map(f64::to_bits), Some((-0.0_f64).to_bits()));
    assert_eq!(number_of("1e2"), Some((None, None)));
    for bad in ["", "-", "01", "-01", "1.", ".1", "1e", "1e+", "+1", "1.e1"] {
        assert_eq!(number_of(bad), None, "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn texts_are_those_of_the_parser(line in "\"[a-z\"\\\\/u0-9d가é\u{0}-\u{1f}]{0,24}\"") {
        let parsed = parse(line.as_bytes()).ok().map(|value| value.source.to_owned());
        let taken = text_of(&line);
        prop_assert_eq!(taken.as_ref().map(|(inner, _)| format!("\"{inner}\"")), parsed);
        prop_assert!(taken.is_none_or(|(inner, has_escapes)| inner.contains('\\') == has_escapes));
    }

    #[test]
    fn numbers_are_those_of_the_parser(line in "-?[0-9]{1,20}(\\.[0-9]{0,20})?([eE][+-]?[0-9]{0,3})?") {
        let parsed = parse(line.as_bytes());
        let taken = number_of(&line);
        prop_assert_eq!(taken.is_some(), parsed.is_ok());
        if let Some((long, double)) = taken {
            let value = JsonValue { source: &line, kind: JsonKind::Number };
            if let Some(long) = long {
                prop_assert_eq!(fit(&PrimitiveType::Long, &value), Some(Scalar::Long(long)));
            }
            if let Some(double) = double {
                let Some(Scalar::Double(expected)) = fit(&PrimitiveType::Double, &value) else {
                    panic!("{line} fits a double")
                };
                prop_assert_eq!(expected.to_bits(), double.to_bits());
            }
        }
    }
}

#[test]
fn names_that_begin_alike_are_told_apart() {
    for length in 1..40_usize {
        let name: Vec<u8> = (b'A'..).take(length).collect();
        let line = [name.as_slice(), b":1"].concat();
        let mut cursor = Cursor::new(&line);
        assert!(cursor.take_begun(&name) && cursor.at == length);
        for other in 8..length {
            let mut line = line.clone();
            line[other] = b'!';
            let mut cursor = Cursor::new(&line);
            assert!(!cursor.take_begun(&name) && cursor.at == 0, "{length} {other}");
        }
        assert!(length <= 8 || !Cursor::new(&name[..length - 1]).take_begun(&name));
    }
}

proptest! {
    #[test]
    fn sixteen_bytes_at_once_are_sixteen_bytes(
        sixteen in prop::array::uniform16(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'x'), Just(0x1f_u8)]),
    ) {
        let bit = |is_so: fn(&u8) -> bool| {
            (0..16).filter(|at| is_so(&sixteen[*at])).fold(0_u32, |bits, at| bits | 1 << at)
        };
        let ends = bit(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        for marks in [Marks::of(&sixteen), Marks::portably_of(&sixteen)] {
            prop_assert_eq!(marks.beyond_ascii, bit(|byte| !byte.is_ascii()));
            prop_assert_eq!(marks.ends.trailing_zeros(), ends.trailing_zeros());
        }
    }
}
