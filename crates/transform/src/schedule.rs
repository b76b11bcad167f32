//! When a job is due.
//!
//! A schedule is a rule that gives *slots*: moments at which one run is due. It knows no clock and keeps nothing, so whoever
//! asks says after which moment, and a year of slots can be looked at in a test.
//!
//! The slots of a cron line are times of day in the job's time zone, and each of them comes once, whatever is done to the
//! clocks: one that comes twice is due the first time, and one that is left out is due at the moment in which the clocks
//! jump over it. `every 1h` counts real hours and knows of no time zone.

mod cron;
mod local;

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use hosu_table::name::{NameError, TableName};

pub use cron::{Cron, CronError};

/// The shortest interval: the scheduler looks no oftener.
const EVERY_MS_MIN: i64 = 1_000;
/// The longest interval.
const EVERY_MS_MAX: i64 = 366 * DAY_MS;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A rule for when a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// A cron line, in the job's time zone.
    Cron(Cron),
    /// At each multiple of so many milliseconds since 1970 in UTC, so that a restart changes nothing.
    Every {
        /// The interval.
        interval_ms: i64,
    },
    /// When one of these tables has new data.
    After(Vec<TableName>),
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A cron line that is none.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// `every` without an interval that can be used.
    #[error("`{text}` is no interval: write a number and s, m, h or d, such as `every 5m`, from 1s to 366d")]
    Interval {
        /// What stands behind `every`.
        text: String,
    },
    /// `after` without tables, or with something that is no table's name.
    #[error("`after` needs the names of tables: {source}")]
    After {
        /// What is wrong with the name.
        source: NameError,
    },
    /// A name with `@` that is not known.
    #[error("`{text}` is not known: @hourly, @daily, @weekly, @monthly and @yearly are")]
    Nickname {
        /// The text.
        text: String,
    },
}

impl Schedule {
    /// The first moment after `after_ms` at which a run is due, both in milliseconds since 1970 in UTC. None when no
    /// clock makes it due: [`Schedule::After`] waits for data, and time ends somewhere.
    pub fn next_after(&self, after_ms: i64, zone: Tz) -> Option<i64> {
        match self {
            Self::Cron(cron) => local::next_after(cron, after_ms, zone),
            Self::Every { interval_ms } => {
                after_ms.div_euclid(*interval_ms).checked_add(1)?.checked_mul(*interval_ms)
            }
            Self::After(_) => None,
        }
    }

    /// The last moment after `after_ms` and not after `until_ms` at which a run is due.
    pub fn last_until(&self, until_ms: i64, after_ms: i64, zone: Tz) -> Option<i64> {
        let is_past = |slot_ms: &i64| *slot_ms <= until_ms;
        // The next slot after a moment never comes before that after an earlier one.
        let (mut low_ms, mut high_ms) = (after_ms, until_ms);
        let mut last_ms = self.next_after(low_ms, zone).filter(is_past)?;
        while low_ms < high_ms {
            let middle_ms = low_ms + (high_ms - low_ms) / 2;
            match self.next_after(middle_ms, zone).filter(is_past) {
                Some(slot_ms) => (low_ms, last_ms) = (slot_ms, slot_ms),
                None => high_ms = middle_ms,
            }
        }
        Some(last_ms)
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        if let Some(interval) = behind(text, "every") {
            return match interval_ms(interval) {
                Some(interval_ms) => Ok(Self::Every { interval_ms }),
                None => Err(ScheduleError::Interval { text: interval.to_owned() }),
            };
        }
        if let Some(tables) = behind(text, "after") {
            let tables =
                tables.split(',').map(|name| TableName::parse(name.trim())).collect::<Result<_, _>>();
            return tables.map(Self::After).map_err(|source| ScheduleError::After { source });
        }
        let line = match text.to_ascii_lowercase().as_str() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other if other.starts_with('@') => {
                return Err(ScheduleError::Nickname { text: text.to_owned() });
            }
            _ => text,
        };
        Ok(Self::Cron(line.parse()?))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(cron) => cron.fmt(f),
            Self::Every { interval_ms } => {
                let units = [("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS)];
                let (unit, unit_ms) =
                    units.into_iter().find(|(_, unit_ms)| interval_ms % unit_ms == 0).unwrap_or(("s", 1_000));
                write!(f, "every {}{unit}", interval_ms / unit_ms)
            }
            Self::After(tables) => {
                let names: Vec<String> = tables.iter().map(TableName::to_string).collect();
                write!(f, "after {}", names.join(", "))
            }
        }
    }
}

/// The text behind a first word, in any case.
fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    first.eq_ignore_ascii_case(word).then(|| rest.trim())
}

/// `90s`, `5m`, `1h`, `1d`.
pub(crate) fn interval_ms(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit_ms = match unit.trim() {
        "s" => 1_000,
        "m" | "min" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        _ => return None,
    };
    let interval_ms = number.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (EVERY_MS_MIN..=EVERY_MS_MAX).contains(&interval_ms).then_some(interval_ms)
}

#[cfg(test)]
mod tests;
