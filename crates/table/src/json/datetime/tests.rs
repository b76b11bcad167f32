//! Texts that are times, and texts that only look like it.

use super::*;

fn instant(text: &str) -> Option<i64> {
    let exact = DateTime::read(text).and_then(|time| time.instant_us());
    // What is in the common spelling takes a way of its own.
    assert_eq!(instant_us(text.as_bytes()), exact, "{text}");
    exact
}

fn local(text: &str) -> Option<i64> {
    DateTime::read(text)?.local_us()
}

fn is_rfc3339(text: &str) -> bool {
    DateTime::read(text).is_some_and(|time| time.is_rfc3339())
}

#[test]
fn dates_are_written_in_one_way() {
    assert_eq!(date("1970-01-01"), Some(0));
    assert_eq!(date("1969-12-31"), Some(-1));
    assert_eq!(date("2024-02-29"), Some(19_782));
    assert_eq!(date("0000-01-01"), Some(-719_528));
    assert_eq!(date("9999-12-31"), Some(2_932_896));
    for text in [
        "",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-01-00",
        "2024-1-1",
        "24-01-01",
        "02024-01-01",
        "2024-01-01 ",
        " 2024-01-01",
        "2024/01/01",
        "20240101",
        "2024-01-01T00:00:00Z",
        "-001-01-01",
        "+2024-01-01",
        "２０２４-01-01",
    ] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn times_of_day_have_six_digits_at_most() {
    assert_eq!(time("00:00:00"), Some(0));
    assert_eq!(time("23:59:59.999999"), Some(86_399_999_999));
    assert_eq!(time("12:00:00.5"), Some(43_200_500_000));
    assert_eq!(time("12:00:00.500000000"), Some(43_200_500_000));
    for text in [
        "24:00:00",
        "12:60:00",
        "12:00:60",
        "12:00",
        "12:00:00.",
        "12:00:00.0000001",
        "12:00:00Z",
        "1:00:00",
        "12:00:00,5",
    ] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn instants_agree_with_chrono() {
    for text in [
        "1970-01-01T00:00:00Z",
        "2024-02-29T12:34:56.789012Z",
        "2024-02-29t12:34:56.7z",
        "2024-02-29T12:34:56+09:00",
        "2024-02-29T12:34:56-23:59",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2024-02-29T12:34:56-00:00",
    ] {
        let expected = chrono::DateTime::parse_from_rfc3339(text).expect(text).timestamp_micros();
        assert_eq!(instant(text), Some(expected), "{text}");
        assert!(is_rfc3339(text), "{text}");
        assert_eq!(local(text), None, "{text} has a zone");
    }
    assert_eq!(instant("2024-02-29 12:34:56Z"), instant("2024-02-29T12:34:56Z"));
    assert!(!is_rfc3339("2024-02-29 12:34:56Z"), "a blank for T fits, and is not RFC 3339");
}

#[test]
fn what_would_lose_something_is_no_instant() {
    for text in [
        "2024-02-29T12:34:56.1234567Z",
        "2016-12-31T23:59:60Z",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00+01:00",
    ] {
        assert!(is_rfc3339(text), "{text}");
        assert_eq!(instant(text), None, "{text}");
    }
    assert_eq!(instant("2024-02-29T12:34:56.123456000000000Z"), instant("2024-02-29T12:34:56.123456Z"));
    assert_eq!(instant("2024-02-29T12:34:56.000000000000001Z"), None);
    let nanos = DateTime::read("2024-02-29T12:34:56.123456789Z").and_then(|time| time.instant_ns());
    assert_eq!(nanos, Some(1_709_210_096_123_456_789));
    assert_eq!(DateTime::read("9999-01-01T00:00:00Z").and_then(|time| time.instant_ns()), None);
}

#[test]
fn texts_that_only_look_like_times_are_none() {
    for text in [
        "2024-02-29",
        "2024-02-29T12:34Z",
        "2024-02-29T12:34:56 Z",
        "2024-02-29T24:00:00Z",
        "2024-02-30T00:00:00Z",
        "2024-02-29T12:34:56+0900",
        "2024-02-29T12:34:56+24:00",
        "2024-02-29T12:34:56+09",
        "2024-02-29T12:34:56.Z",
        "2024-02-29T12:34:61Z",
        "20240229T123456Z",
        "2024-02-29_12:34:56Z",
        "2024-02-29T12:34:56ZZ",
        "Thu, 29 Feb 2024 12:34:56 GMT",
        "2024-02-29T12:34:56−09:00",
    ] {
        assert!(DateTime::read(text).is_none(), "{text}");
    }
}

#[test]
fn times_without_a_zone_are_those_on_the_wall() {
    assert_eq!(local("1970-01-02T00:00:00"), Some(86_400_000_000));
    assert_eq!(local("1970-01-02 00:00:00.25"), Some(86_400_250_000));
    assert_eq!(instant("1970-01-02T00:00:00"), None);
    assert_eq!(local("1970-01-02T00:00:00.1234567"), None);
    assert_eq!(DateTime::read("1970-01-01T00:00:00.000000001").and_then(|time| time.local_ns()), Some(1));
}

#[test]
fn the_last_date_is_only_taken_for_the_same_one() {
    let mut dates = LastDate::default();
    for text in [
        "2024-02-29T12:00:00.001Z",
        "2024-02-29T23:59:59Z",
        "2023-02-29T12:00:00Z",
        "2024-02-29T00:00:00Z",
        "2024-03-01T00:00:00.5Z",
        "2024-03-01 00:00:00Z",
        "2024-03-01T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-03-01T00:00:00+09:00",
    ] {
        assert_eq!(dates.instant_us(text.as_bytes()), instant(text), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn eight_bytes_of_time_are_read_as_one_by_one(
        time in proptest::array::uniform8(proptest::prop_oneof![8 => b'0'..=b'9', 1 => proptest::prelude::any::<u8>()]),
        colons in proptest::bool::weighted(0.9),
    ) {
        let mut time = time;
        if colons {
            (time[2], time[5]) = (b':', b':');
        }
        let mut scan = Scan(&time);
        let expected = scan.time().filter(|read| scan.at_end() && !read.is_leap).map(|read| read.seconds);
        proptest::prop_assert_eq!(seconds_of_day(time).map(i64::from), expected);
    }
}
