//! Cron's five fields: minute, hour, day of the month, month, day of the week.
//!
//! What every cron knows: numbers, `*`, ranges, steps, lists, the names of months and days of the week, Sunday as 0 and as 7. As in
//! every cron, a day fits if either of its two fields fits, once both are given.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// A day that comes at all comes within so many: 29 February stays away for eight years around 1900 and 2100.
const DAYS_MAX: u32 = 8 * 366 + 1;

/// A cron line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// As it was written.
    text: String,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether a day may fit by only one of its two fields.
    either_day: bool,
}

/// Why a text is no cron line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "`{text}` has {count} fields: a cron line has five (minute, hour, day of the month, month, day of the week)"
    )]
    Fields {
        /// The line.
        text: String,
        /// How many it has.
        count: usize,
    },
    /// A field that cannot be read.
    #[error("`{text}` is no {field}: {wanted}")]
    Field {
        /// What is wrong.
        text: String,
        /// Which field.
        field: &'static str,
        /// What could stand there.
        wanted: String,
    },
    /// No such day comes.
    #[error("`{text}` is never due: no month that it names has such a day")]
    Never {
        /// The line.
        text: String,
    },
}

/// Numbers below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn has(self, number: u32) -> bool {
        self.0 >> number & 1 == 1
    }

    /// The least number that is not less.
    fn next(self, number: u32) -> Option<u32> {
        let rest = self.0.checked_shr(number)?;
        (rest != 0).then(|| number + rest.trailing_zeros())
    }
}

/// What one of the five fields may hold.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names of numbers, from `first` on.
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", first: 0, last: 59, names: &[] };
const HOUR: Field = Field { name: "hour", first: 0, last: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", first: 1, last: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    first: 1,
    last: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field = Field {
    name: "day of the week",
    first: 0,
    last: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Cron {
    /// The first local time after this one that the line names.
    pub(super) fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut date = after.date();
        let from = after.time().num_seconds_from_midnight() / 60 + 1;
        let mut time = self.time_from(from).filter(|_| self.fits(date));
        for _ in 0..DAYS_MAX {
            if let Some(time) = time {
                return Some(date.and_time(time));
            }
            date = date.checked_add_days(Days::new(1))?;
            time = self.time_from(0).filter(|_| self.fits(date));
        }
        None
    }

    /// The first time of a day that is not before so many minutes of it.
    fn time_from(&self, minutes: u32) -> Option<NaiveTime> {
        let (hour, minute) = (minutes / 60, minutes % 60);
        let this_hour = self.minutes.next(minute).filter(|_| hour < 24 && self.hours.has(hour));
        let (hour, minute) = match this_hour {
            Some(minute) => (hour, minute),
            None => (self.hours.next(hour + 1)?, self.minutes.next(0)?),
        };
        NaiveTime::from_hms_opt(hour, minute, 0)
    }

    fn fits(&self, date: NaiveDate) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().num_days_from_sunday());
        self.months.has(date.month()) && if self.either_day { day || weekday } else { day && weekday }
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields { text: text.to_owned(), count: fields.len() });
        };
        let mut weekdays = WEEKDAY.read(weekday)?;
        if weekdays.has(7) {
            weekdays.0 |= 1;
        }
        let cron = Self {
            text: fields.join(" "),
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days: DAY.read(day)?,
            months: MONTH.read(month)?,
            weekdays,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        // Any eight years show whether a day ever comes.
        let start = NaiveDate::default().and_time(NaiveTime::MIN);
        match cron.next_local(start) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never { text: cron.text }),
        }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<Set, CronError> {
        let mut set = 0;
        for part in text.split(',') {
            let (first, last, step) = self.part(part).ok_or_else(|| self.wrong(part))?;
            let numbers = (first..=last).step_by(step);
            numbers.for_each(|number| set |= 1_u64 << number);
        }
        Ok(Set(set))
    }

    /// `*`, `a`, `a-b`, and each of them with `/step`; `a/step` goes on to the end.
    fn part(&self, text: &str) -> Option<(u32, u32, usize)> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(digits(step)? as usize)),
            None => (text, None),
        };
        // 7 is another name of Sunday, and no further day.
        let last = if range == "*" && self.names.len() == 7 { 6 } else { self.last };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            None if range == "*" => (self.first, last),
            None => {
                let number = self.number(range)?;
                (number, if step.is_some() { last } else { number })
            }
        };
        (first <= last && step != Some(0)).then_some((first, last, step.unwrap_or(1)))
    }

    fn number(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(at) => self.first + u32::try_from(at).ok()?,
            None => digits(text)?,
        };
        (self.first..=self.last).contains(&number).then_some(number)
    }

    fn wrong(&self, text: &str) -> CronError {
        let names = match self.names {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        let wanted = format!(
            "it has numbers from {} to {}{names}, `*`, `a-b`, `*/n` and lists",
            self.first, self.last
        );
        CronError::Field { text: text.to_owned(), field: self.name, wanted }
    }
}

/// A number of digits alone: no sign, no spaces.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
