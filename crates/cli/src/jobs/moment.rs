//! Moments as people and programs read them.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};

/// A moment for programs: `2026-03-07T00:15:00.000Z`.
pub fn utc(at_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(at_ms)
        .map_or_else(|| at_ms.to_string(), |moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A moment, as the clocks of a time zone show it.
#[derive(Clone, Copy, Debug)]
pub struct Moment<Z: TimeZone> {
    at_ms: i64,
    zone: Z,
}

impl<Z: TimeZone> Moment<Z>
where
    Z::Offset: std::fmt::Display,
{
    /// The moment so many milliseconds after 1970 in UTC.
    pub fn new(at_ms: i64, zone: Z) -> Self {
        Self { at_ms, zone }
    }

    /// For people: `2026-03-07 09:15:00 KST`.
    pub fn text(&self) -> String {
        self.format("%Y-%m-%d %H:%M:%S %Z")
    }

    /// For programs: `2026-03-07T09:15:00.000+09:00`.
    pub fn iso(&self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3f%:z")
    }

    fn format(&self, format: &str) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.at_ms).map_or_else(
            || self.at_ms.to_string(),
            |moment| moment.with_timezone(&self.zone).format(format).to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn moments_are_told_in_their_zone() {
        let at_ms = 1_772_842_500_123;
        assert_eq!(utc(at_ms), "2026-03-07T00:15:00.123Z");
        assert_eq!(Moment::new(at_ms, Utc).text(), "2026-03-07 00:15:00 UTC");
        let seoul = FixedOffset::east_opt(9 * 3600).unwrap();
        assert_eq!(Moment::new(at_ms, seoul).iso(), "2026-03-07T09:15:00.123+09:00");
        assert_eq!(utc(i64::MAX), i64::MAX.to_string());
    }
}
