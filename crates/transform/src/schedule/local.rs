//! Local times to moments, where clocks are set forward and back.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::Cron;

/// No offset from UTC, and no jump of a clock, is larger.
const OFFSET_HOURS_MAX: i64 = 30;

/// The first moment after `after_ms` at which a cron line is due.
pub(super) fn next_after(cron: &Cron, after_ms: i64, zone: Tz) -> Option<i64> {
    let after = DateTime::from_timestamp_millis(after_ms)?;
    let mut local = after.with_timezone(&zone).naive_local();
    loop {
        local = cron.next_local(local)?;
        let at_ms = moment(local, zone)?.timestamp_millis();
        // Times that come twice were due the first time.
        if at_ms > after_ms {
            return Some(at_ms);
        }
    }
}

/// When a local time is: the first time, if it comes twice; the moment of the jump, if the clocks leave it out.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        LocalResult::None => jump_over(local, zone),
    }
}

/// The first second whose local time is not before one that is left out.
fn jump_over(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let margin = Duration::hours(OFFSET_HOURS_MAX);
    let mut before = local.checked_sub_signed(margin)?.and_utc().timestamp();
    let mut after = local.checked_add_signed(margin)?.and_utc().timestamp();
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let utc = DateTime::from_timestamp(middle, 0)?.naive_utc();
        let offset = zone.offset_from_utc_datetime(&utc).fix();
        if utc + offset < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    DateTime::from_timestamp(after, 0)
}
