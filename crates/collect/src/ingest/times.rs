//! Of which times the events of a new table are, to advise how it could be partitioned.
//!
//! The rule, as docs/evolution.md tells it: the column is one of dates or times at the top that at least 95 of 100 rows
//! have, the one whose name most likely means the event's time, else the first. Its unit is such that a partition is
//! worth a file: months when there would be more than 400 days, hours when each of them has 32 MiB of data, else days.
//! Rows of one day alone get no advice, unless it is the one for hours.

use std::collections::HashSet;

use arrow::array::{Array, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use hosu_table::partition;
use iceberg::spec::{Datum, PrimitiveType, Schema, Transform, Type};

use crate::report::Advice;

/// So many of a hundred rows must have the column.
const FILLED_PERCENT_MIN: u64 = 95;

/// With more days than this, months are advised.
const DAYS_MAX: usize = 400;

/// With so much data in each hour, hours are advised.
const HOUR_BYTES_MIN: u64 = 32 << 20;

/// Hours are told apart up to this number, about eleven years.
const HOURS_MAX: usize = 100_000;

const HOUR_US: i64 = 3_600_000_000;

/// Names that mean the time of an event, without `_`, `-` and `@` and in lower case; the likeliest first.
const NAMES: [&str; 10] = [
    "eventtime",
    "eventtimestamp",
    "timestamp",
    "ts",
    "time",
    "datetime",
    "occurredat",
    "createdat",
    "eventdate",
    "date",
];

/// The columns that may tell.
#[derive(Debug)]
pub(super) struct Times {
    rows: u64,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    at: usize,
    name: String,
    is_date: bool,
    rows: u64,
    range_us: Option<(i64, i64)>,
    /// Numbers of hours since 1970; of a date those of midnight.
    hours: HashSet<i64>,
    last_hour: Option<i64>,
}

impl Times {
    /// For the rows of a table.
    pub(super) fn new(schema: &Schema) -> Self {
        let columns = schema.as_struct().fields().iter().enumerate().filter_map(|(at, field)| {
            let is_date = match field.field_type.as_ref() {
                Type::Primitive(PrimitiveType::Date) => true,
                Type::Primitive(
                    PrimitiveType::Timestamp
                    | PrimitiveType::Timestamptz
                    | PrimitiveType::TimestampNs
                    | PrimitiveType::TimestamptzNs,
                ) => false,
                _ => return None,
            };
            let name = field.name.clone();
            let (rows, range_us, hours, last_hour) = (0, None, HashSet::new(), None);
            Some(Column { at, name, is_date, rows, range_us, hours, last_hour })
        });
        Self { rows: 0, columns: columns.collect() }
    }

    pub(super) fn observe(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for column in &mut self.columns {
            let Some(array) = batch.columns().get(column.at) else { continue };
            match array.data_type() {
                DataType::Date32 => {
                    column.observe::<Date32Type>(array, |days| i64::from(days).saturating_mul(24 * HOUR_US));
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    column.observe::<TimestampMicrosecondType>(array, |us| us);
                }
                DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                    column.observe::<TimestampNanosecondType>(array, |ns| ns.div_euclid(1_000));
                }
                _ => {}
            }
        }
    }

    /// What to advise for a table whose data files have so many bytes.
    pub(super) fn advice(&self, data_bytes: u64) -> Option<Advice> {
        let is_filled =
            |column: &&Column| column.rows > 0 && column.rows * 100 >= self.rows * FILLED_PERCENT_MIN;
        let column = self.columns.iter().filter(is_filled).min_by_key(|column| rank(&column.name))?;
        let days: HashSet<i64> = column.hours.iter().map(|hour| hour.div_euclid(24)).collect();
        let hours = column.hours.len();
        let (first, last) = column.range_us?;
        let large_hours = data_bytes / (hours.max(1) as u64) >= HOUR_BYTES_MIN;
        let (unit, count, word) = if hours > 1 && large_hours && !column.is_date {
            (Transform::Hour, hours, "hours")
        } else if days.len() > DAYS_MAX {
            (Transform::Month, days.len(), "days")
        } else if days.len() > 1 {
            (Transform::Day, days.len(), "days")
        } else {
            return None;
        };
        let value = partition::term_text(unit, &column.name);
        let in_shell = value.replace('\'', r"'\''");
        let more = if hours >= HOURS_MAX { "more than " } else { "" };
        let (from, to) = (date_text(first), date_text(last));
        Some(Advice {
            text: format!(
                "events of {more}{count} {word} ({from} to {to} in `{}`): for a new table consider `--partition-by '{in_shell}'`",
                column.name
            ),
            option: "--partition-by".to_owned(),
            value,
        })
    }
}

impl Column {
    fn observe<T: ArrowPrimitiveType>(&mut self, array: &dyn Array, to_us: impl Fn(T::Native) -> i64) {
        for value in array.as_primitive::<T>().iter().flatten() {
            let us = to_us(value);
            self.rows += 1;
            self.range_us =
                Some(self.range_us.map_or((us, us), |(first, last)| (first.min(us), last.max(us))));
            let hour = us.div_euclid(HOUR_US);
            // Events mostly come in the order of their times.
            if self.last_hour != Some(hour) && self.hours.len() < HOURS_MAX {
                self.last_hour = Some(hour);
                self.hours.insert(hour);
            }
        }
    }
}

fn date_text(us: i64) -> String {
    let days = us.div_euclid(24 * HOUR_US);
    Datum::date(i32::try_from(days).unwrap_or(i32::MAX)).to_string()
}

/// The lower the likelier that a name means the event's time.
fn rank(name: &str) -> usize {
    let folded: String =
        name.chars().filter(|c| !matches!(c, '_' | '-' | '@')).flat_map(char::to_lowercase).collect();
    if let Some(at) = NAMES.iter().position(|known| *known == folded) {
        return at;
    }
    let is_at = name.ends_with("At") || name.ends_with("_at");
    match (is_at, folded.ends_with("time")) {
        (true, _) => NAMES.len(),
        (_, true) => NAMES.len() + 1,
        _ => NAMES.len() + 2,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Int64Array, TimestampMicrosecondArray};
    use iceberg::spec::NestedField;

    use super::*;

    const DAY_US: i64 = 24 * HOUR_US;

    /// The value of a row.
    type Values<'f> = &'f dyn Fn(i64) -> Option<i64>;

    /// Times of columns, each with the rows that have a value, by a function of the row.
    fn advice(columns: &[(&str, PrimitiveType, Values<'_>)], rows: i64, bytes: u64) -> Option<String> {
        let fields = columns.iter().zip(1..).map(|((name, column_type, _), id)| {
            Arc::new(NestedField::optional(id, *name, Type::Primitive(column_type.clone())))
        });
        let schema = Schema::builder().with_fields(fields).build().expect("a schema");
        let arrays = columns.iter().map(|(name, column_type, value)| -> (&str, ArrayRef) {
            let values = (0..rows).map(value);
            let array: ArrayRef = match column_type {
                PrimitiveType::Date => {
                    Arc::new(values.map(|v| v.and_then(|v| i32::try_from(v).ok())).collect::<Date32Array>())
                }
                PrimitiveType::Long => Arc::new(values.collect::<Int64Array>()),
                _ => Arc::new(values.collect::<TimestampMicrosecondArray>()),
            };
            (*name, array)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(arrays.map(|(name, array)| (name, array, true)));
        let mut times = Times::new(&schema);
        times.observe(&batch.expect("a batch"));
        times.advice(bytes).map(|advice| advice.value)
    }

    fn of_days(days: i64) -> impl Fn(i64) -> Option<i64> {
        move |row| Some(row % days * DAY_US + row)
    }

    #[test]
    fn the_unit_is_such_that_a_partition_is_worth_a_file() {
        let time = PrimitiveType::Timestamptz;
        let with =
            |value: &dyn Fn(i64) -> Option<i64>, bytes| advice(&[("at", time.clone(), value)], 1_000, bytes);
        assert_eq!(with(&of_days(40), 1 << 20).as_deref(), Some("day(at)"));
        assert_eq!(with(&of_days(500), 1 << 20).as_deref(), Some("month(at)"));
        assert_eq!(with(&of_days(1), 1 << 40), None, "all in one hour");
        assert_eq!(with(&|row| Some(row % 10 * HOUR_US), 1 << 20), None, "one day, and little");
        assert_eq!(with(&|row| Some(row % 10 * HOUR_US), 1 << 30).as_deref(), Some("hour(at)"));
        assert_eq!(with(&|row| Some(-row % 3 * DAY_US - 1), 1).as_deref(), Some("day(at)"), "before 1970");
        assert_eq!(with(&|_| None, 1 << 20), None);
        assert_eq!(with(&of_days(40), 1 << 40).as_deref(), Some("hour(at)"));
        let date = |row: i64| Some(row % 40);
        assert_eq!(advice(&[("d", PrimitiveType::Date, &date)], 1_000, 1 << 40).as_deref(), Some("day(d)"));
        assert_eq!(advice(&[("n", PrimitiveType::Long, &date)], 1_000, 1), None);
    }

    #[test]
    fn the_column_is_the_likeliest_that_nearly_all_rows_have() {
        let time = PrimitiveType::Timestamptz;
        let all = of_days(40);
        let most = |row: i64| if row % 20 == 0 { None } else { Some(row % 40 * DAY_US) };
        let some = |row: i64| if row % 2 == 0 { None } else { Some(row % 40 * DAY_US) };
        let chosen = |columns: &[(&str, Values<'_>)]| {
            let columns: Vec<_> = columns.iter().map(|(name, value)| (*name, time.clone(), *value)).collect();
            advice(&columns, 1_000, 1)
        };
        assert_eq!(
            chosen(&[("born", &all), ("updatedAt", &all), ("event_time", &most)]).as_deref(),
            Some("day(event_time)")
        );
        assert_eq!(
            chosen(&[("born", &all), ("updatedAt", &all), ("eventTime", &some)]).as_deref(),
            Some("day(updatedAt)")
        );
        assert_eq!(chosen(&[("born", &all), ("died", &all)]).as_deref(), Some("day(born)"));
        assert_eq!(chosen(&[("@timestamp", &all), ("time", &all)]).as_deref(), Some("day(@timestamp)"));
        assert_eq!(chosen(&[("a time, or so", &all)]).as_deref(), Some("day(\"a time, or so\")"));
    }
}
