//! Dates, times and intervals to text, for every value that Arrow can hold: its years go further than a calendar library's.

use arrow::array::timezone::Tz;
use arrow::datatypes::TimeUnit;
use chrono::{DateTime, Offset, TimeZone};
use hosu_table::calendar::civil;

/// Seconds and their fraction, from 1970 or from midnight.
#[derive(Clone, Copy)]
pub(super) struct Instant {
    seconds: i64,
    nanos: u32,
    /// Digits of the fraction that the type has.
    digits: usize,
}

impl Instant {
    pub(super) fn new(value: i64, unit: TimeUnit) -> Self {
        let (each, digits) = match unit {
            TimeUnit::Second => (1, 0),
            TimeUnit::Millisecond => (1_000, 3),
            TimeUnit::Microsecond => (1_000_000, 6),
            TimeUnit::Nanosecond => (1_000_000_000, 9),
        };
        let nanos = value.rem_euclid(each) * (1_000_000_000 / each);
        Self { seconds: value.div_euclid(each), nanos: u32::try_from(nanos).unwrap_or(0), digits }
    }

    /// `12:00:00.000000`: as many digits as the type has.
    pub(super) fn clock(self) -> String {
        self.clock_with(self.digits)
    }

    /// `12:00:00`, `12:00:00.123`: no digits that say nothing, in groups of three.
    pub(super) fn short_clock(self) -> String {
        let digits = match self.nanos {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1_000 == 0 => 6,
            _ => 9,
        };
        self.clock_with(digits)
    }

    fn clock_with(self, digits: usize) -> String {
        let second = self.seconds.rem_euclid(86_400);
        let clock = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
        let fraction = format!("{:09}", self.nanos);
        match fraction.get(..digits) {
            None | Some("") => clock,
            Some(fraction) => format!("{clock}.{fraction}"),
        }
    }

    fn date(self) -> String {
        date(self.seconds.div_euclid(86_400))
    }

    /// As clocks in the zone show it, and how far they are ahead of UTC, in seconds.
    fn local(self, zone: &str) -> (Self, i64) {
        let zone: Option<Tz> = zone.parse().ok();
        let instant = DateTime::from_timestamp(self.seconds, 0);
        let ahead = zone.zip(instant).map_or(0, |(zone, instant)| {
            i64::from(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
        });
        (Self { seconds: self.seconds.saturating_add(ahead), ..self }, ahead)
    }

    /// Trino's text: `2026-01-31 12:00:00.000000 UTC`.
    pub(super) fn trino(self, zone: Option<&str>) -> String {
        let Some(zone) = zone else {
            return format!("{} {}", self.date(), self.clock());
        };
        let (local, _) = self.local(zone);
        let zone = if is_utc(zone) { "UTC" } else { zone };
        format!("{} {} {zone}", local.date(), local.clock())
    }

    /// ISO 8601: `2026-01-31T12:00:00Z`, without zone `2026-01-31T12:00:00`.
    pub(super) fn iso(self, zone: Option<&str>) -> String {
        let (local, ahead) = zone.map_or((self, 0), |zone| self.local(zone));
        let zone = match zone {
            None => String::new(),
            Some(_) if ahead == 0 => "Z".to_owned(),
            Some(_) => {
                let sign = if ahead < 0 { '-' } else { '+' };
                let minutes = ahead.abs() / 60;
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        };
        format!("{}T{}{zone}", iso_date(local.seconds.div_euclid(86_400)), local.short_clock())
    }
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "utc" | "Z" | "z" | "+00:00" | "+00" | "+0000")
}

/// A date by its days since 1970, as Trino prints it: years beyond 9999 have no sign.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    let sign = if year < 0 { "-" } else { "" };
    format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

/// A date in ISO 8601: years beyond 9999 have a sign.
pub(super) fn iso_date(days: i64) -> String {
    let date = date(days);
    if date.starts_with('-') || date.find('-') == Some(4) { date } else { format!("+{date}") }
}

/// A span of time.
#[derive(Clone, Copy, Default)]
pub(super) struct Interval {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) nanos: i128,
    /// The type holds months only.
    pub(super) of_months: bool,
}

impl Interval {
    /// `1-2` (years and months), `1 12:00:00.000` (days and time), or both.
    pub(super) fn text(self) -> String {
        let months =
            format!("{}{}-{}", sign(self.months < 0), self.months.abs() / 12, self.months.abs() % 12);
        if self.of_months || (self.months != 0 && self.days == 0 && self.nanos == 0) {
            return months;
        }
        let total = i128::from(self.days) * 86_400_000_000_000 + self.nanos;
        let millis = total.unsigned_abs() / 1_000_000;
        let (days, seconds) = (millis / 86_400_000, millis / 1_000 % 86_400);
        let time = format!(
            "{}{days} {:02}:{:02}:{:02}.{:03}",
            sign(total < 0),
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            millis % 1_000
        );
        if self.months == 0 { time } else { format!("{months} {time}") }
    }
}

fn sign(negative: bool) -> &'static str {
    if negative { "-" } else { "" }
}
