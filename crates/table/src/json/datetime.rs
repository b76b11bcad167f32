//! Dates and times in texts: RFC 3339 and its parts, read exactly or not at all.
//!
//! Years are those that four digits can write, also after an offset is taken off, so that what was stored can
//! be written as RFC 3339 again. A leap second (`23:59:60`) is a valid text, but no instant that tables have.

use chrono::{Datelike, NaiveDate};

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Days since 1970-01-01 of a text `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<i32> {
    let mut scan = Scan(text.as_bytes());
    let days = scan.date()?;
    scan.at_end().then_some(days)
}

/// A time of day, `HH:MM:SS[.ffffff]`, in microseconds since midnight.
pub(super) fn time(text: &str) -> Option<i64> {
    let mut scan = Scan(text.as_bytes());
    let time = scan.time()?;
    scan.at_end().then_some(())?;
    time.in_day(MICROS_PER_SECOND)
}

/// The instant of a text with a zone, in microseconds since 1970, as a column has it; None when it would lose something.
pub(super) fn instant_us(text: &[u8]) -> Option<i64> {
    LastDate::default().instant_us(text)
}

/// The date that came last: that of one event is mostly that of the next.
#[derive(Clone, Debug, Default)]
pub struct LastDate {
    text: [u8; 10],
    /// Seconds since 1970 at its start; none when no text came yet.
    start: Option<i64>,
}

impl LastDate {
    /// The instant of a text with a zone, in microseconds since 1970, as a column has it; None when it would lose something.
    #[inline]
    pub fn instant_us(&mut self, text: &[u8]) -> Option<i64> {
        self.utc_millis(text).or_else(|| DateTime::read_bytes(text)?.instant_us())
    }

    /// `YYYY-MM-DDTHH:MM:SS[.fff]Z`, as most events have it.
    #[inline]
    fn utc_millis(&mut self, text: &[u8]) -> Option<i64> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        let ([b'T', time @ ..], rest) = rest.split_first_chunk::<9>()? else { return None };
        let millis = match rest {
            [b'Z'] => 0,
            [b'.', a, b, c, b'Z'] => number(&[*a, *b, *c])?,
            _ => return None,
        };
        let seconds = seconds_of_day(*time)?;
        let start = match self.start {
            Some(start) if self.text == *date => start,
            _ => {
                let days = days_of(date)?;
                (self.text, self.start) = (*date, Some(i64::from(days) * SECONDS_PER_DAY));
                i64::from(days) * SECONDS_PER_DAY
            }
        };
        Some((start + i64::from(seconds)) * MICROS_PER_SECOND + i64::from(millis) * 1_000)
    }
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn days_of(date: &[u8; 10]) -> Option<i32> {
    let mut scan = Scan(date);
    let days = scan.date()?;
    scan.at_end().then_some(days)
}

/// The seconds since midnight of `HH:MM:SS`, all eight bytes at once.
#[inline]
fn seconds_of_day(time: [u8; 8]) -> Option<u32> {
    // Digits become 0 to 9, and colons 0.
    let digits = u64::from_le_bytes(time) ^ u64::from_le_bytes(*b"00:00:00");
    let above_nine = digits.wrapping_add(0x7676_7676_7676_7676) | digits;
    if above_nine & 0x8080_8080_8080_8080 != 0 || digits & 0x0000_ff00_00ff_0000 != 0 {
        return None;
    }
    // Each byte times ten, and the one behind it.
    let pairs = digits * 10 + (digits >> 8);
    let (hour, minute, second) = (pairs & 0xff, pairs >> 24 & 0xff, pairs >> 48 & 0xff);
    (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) as u32)
}

/// The number that digits spell.
#[inline]
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u32::from(digit))
    })
}

/// A text with date and time of day.
pub(super) struct DateTime {
    days: i32,
    time: Time,
    /// Seconds east of UTC; none for a text without a zone.
    offset: Option<i64>,
    /// Whether `T` stands between date and time, as RFC 3339 has it, not a blank.
    is_strict: bool,
}

impl DateTime {
    /// Reads `YYYY-MM-DDTHH:MM:SS[.f…][Z|±HH:MM]`; a blank may stand for `T`.
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::read_bytes(text.as_bytes())
    }

    fn read_bytes(text: &[u8]) -> Option<Self> {
        let mut scan = Scan(text);
        let days = scan.date()?;
        let is_strict = match scan.next()? {
            b'T' | b't' => true,
            b' ' => false,
            _ => return None,
        };
        let time = scan.time()?;
        let offset = if scan.at_end() { None } else { Some(scan.offset()?) };
        scan.at_end().then_some(Self { days, time, offset, is_strict })
    }

    /// Whether the text is an RFC 3339 timestamp: with a zone, and `T` between date and time.
    pub(super) fn is_rfc3339(&self) -> bool {
        self.is_strict && self.offset.is_some()
    }

    /// The instant of a text with a zone, in microseconds since 1970; None without a zone, and when digits or a
    /// leap second would be lost.
    pub(super) fn instant_us(&self) -> Option<i64> {
        self.since_epoch(self.offset?, MICROS_PER_SECOND)
    }

    /// As [`Self::instant_us`], in nanoseconds.
    pub(super) fn instant_ns(&self) -> Option<i64> {
        self.since_epoch(self.offset?, NANOS_PER_SECOND)
    }

    /// The time on the wall of a text without a zone, in microseconds since 1970.
    pub(super) fn local_us(&self) -> Option<i64> {
        self.offset.is_none().then(|| self.since_epoch(0, MICROS_PER_SECOND))?
    }

    /// As [`Self::local_us`], in nanoseconds.
    pub(super) fn local_ns(&self) -> Option<i64> {
        self.offset.is_none().then(|| self.since_epoch(0, NANOS_PER_SECOND))?
    }

    fn since_epoch(&self, offset: i64, per_second: i64) -> Option<i64> {
        let in_day = self.time.in_day(per_second)?;
        let seconds = i64::from(self.days) * SECONDS_PER_DAY - offset;
        // Days are whole, so the fraction cannot carry into the next second: the year depends on the rest only.
        let day = (seconds + in_day / per_second).div_euclid(SECONDS_PER_DAY);
        let year = chrono::NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?.year();
        (0..=9999).contains(&year).then_some(())?;
        seconds.checked_mul(per_second)?.checked_add(in_day)
    }
}

struct Time {
    seconds: i64,
    is_leap: bool,
    /// The fraction of the second, in nanoseconds; none when it has more digits that are not zero.
    nanos: Option<i64>,
}

impl Time {
    /// The time since midnight, counted in parts of a second, unless that would lose something.
    fn in_day(&self, per_second: i64) -> Option<i64> {
        let nanos_per_part = NANOS_PER_SECOND / per_second;
        let nanos = self.nanos.filter(|nanos| !self.is_leap && nanos % nanos_per_part == 0)?;
        Some(self.seconds * per_second + nanos / nanos_per_part)
    }
}

/// A text that is read from the front.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value * 10 + u32::from(self.next().filter(u8::is_ascii_digit)? - b'0');
        }
        Some(value)
    }

    fn date(&mut self) -> Option<i32> {
        let year = self.digits(4)?;
        self.expect(b'-')?;
        let month = self.digits(2)?;
        self.expect(b'-')?;
        let day = self.digits(2)?;
        Some(NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.to_epoch_days())
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(2).filter(|hour| *hour < 24)?;
        self.expect(b':')?;
        let minute = self.digits(2).filter(|minute| *minute < 60)?;
        self.expect(b':')?;
        let second = self.digits(2).filter(|second| *second <= 60)?;
        let nanos = self.fraction()?;
        let seconds = i64::from((hour * 60 + minute) * 60 + second);
        Some(Time { seconds, is_leap: second == 60, nanos })
    }

    /// The outer None: no digit after the point. The inner: digits beyond nanoseconds.
    fn fraction(&mut self) -> Option<Option<i64>> {
        if self.0.first() != Some(&b'.') {
            return Some(Some(0));
        }
        self.next();
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let significant = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        let nanos = (0..9)
            .fold(0, |nanos, at| nanos * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')));
        (count > 0).then_some((significant <= 9).then_some(nanos))
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.next()? {
            b'Z' | b'z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.expect(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        Some(sign * i64::from(hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests;
