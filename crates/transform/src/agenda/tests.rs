//! A year of schedules in virtual time, schedulers that were gone, and clocks that were set.

use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

const SECOND_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600 * SECOND_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

fn job(schedule: &str, zone: &str, catch_up: &str) -> Job {
    let text = format!(
        "/* hosu:job\ntarget = \"t\"\nmode = \"full\"\nschedule = \"{schedule}\"\ntimezone = \"{zone}\"\n\
         catch_up = \"{catch_up}\"\n*/\nselect 1 as one"
    );
    Job::parse(Path::new("jobs/job.sql"), text.as_bytes()).unwrap()
}

fn at(text: &str) -> i64 {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp_millis()
}

fn utc(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms).unwrap().format("%Y-%m-%d %H:%M").to_string()
}

/// A scheduler in virtual time: it looks when the next slot comes, and its runs end at once. Between `down.0` and `down.1`
/// there is none. Returned is when each slot was run, and the slot.
fn live(job: &Job, from_ms: i64, until_ms: i64, down: Option<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut runs = Vec::new();
    let mut remembered = Vec::new();
    let shifts = match down {
        None => vec![(from_ms, until_ms)],
        Some((end_ms, begin_ms)) => vec![(from_ms, end_ms), (begin_ms, until_ms)],
    };
    for (begin_ms, end_ms) in shifts {
        let mut agenda = Agenda::new(remembered.clone(), begin_ms);
        for slot in agenda.take_up([job], begin_ms) {
            remembered = vec![slot];
        }
        let mut now_ms = begin_ms;
        while now_ms < end_ms {
            while let Some(due) = agenda.due(job, now_ms) {
                runs.push((now_ms, due.slot_ms));
                agenda.ended(&due.handled, now_ms);
                remembered = vec![due.handled];
            }
            let Some(next_ms) = agenda.next_ms(job) else { break };
            now_ms = next_ms.max(now_ms + 1);
        }
    }
    runs
}

fn slots(runs: &[(i64, i64)]) -> Vec<String> {
    runs.iter().map(|(_, slot_ms)| utc(*slot_ms)).collect()
}

#[test]
fn a_year_has_one_slot_for_each_local_day_whatever_is_done_to_the_clocks() {
    for (zone, line) in [
        ("Asia/Seoul", "15 0 * * *"),
        ("America/New_York", "30 2 * * *"),
        ("Europe/Berlin", "30 2 * * *"),
        ("Australia/Lord_Howe", "45 1 * * *"),
        ("America/Sao_Paulo", "0 0 * * *"),
    ] {
        let job = job(line, zone, "last");
        let tz: Tz = zone.parse().unwrap();
        // From noon to noon, in local time; the year of 2024 has a leap day.
        let noon = |year| tz.with_ymd_and_hms(year, 1, 1, 12, 0, 0).unwrap().timestamp_millis();
        let runs = live(&job, noon(2024), noon(2025), None);
        assert_eq!(runs.len(), 366, "{zone}");
        let days: Vec<_> =
            runs.iter().map(|(_, slot_ms)| tz.timestamp_millis_opt(*slot_ms).unwrap().date_naive()).collect();
        assert!(days.windows(2).all(|pair| pair[0].succ_opt() == Some(pair[1])), "{zone}");
        assert!(runs.iter().all(|(now_ms, slot_ms)| now_ms == slot_ms), "{zone}: each at its time");
    }
}

#[test]
fn hours_that_come_twice_or_not_at_all_have_each_slot_once() {
    // In Berlin 2:00 to 3:00 does not exist on 2024-03-31, and comes twice on 2024-10-27.
    let hourly = job("30 * * * *", "Europe/Berlin", "last");
    let spring = live(&hourly, at("2024-03-30 23:00"), at("2024-03-31 03:00"), None);
    assert_eq!(
        slots(&spring),
        ["2024-03-30 23:30", "2024-03-31 00:30", "2024-03-31 01:00", "2024-03-31 01:30", "2024-03-31 02:30"]
    );
    let autumn = live(&hourly, at("2024-10-26 23:00"), at("2024-10-27 03:00"), None);
    assert_eq!(slots(&autumn), ["2024-10-26 23:30", "2024-10-27 00:30", "2024-10-27 02:30"]);
    // Real hours know of no clocks.
    let every = job("every 1h", "Europe/Berlin", "last");
    assert_eq!(live(&every, at("2024-10-26 23:30"), at("2024-10-27 03:30"), None).len(), 4);
}

#[test]
fn a_leap_day_is_a_day_and_comes_every_fourth_year() {
    let job = job("0 12 29 2 *", "UTC", "last");
    let runs = live(&job, at("2023-01-01 00:00"), at("2033-01-01 00:00"), None);
    assert_eq!(slots(&runs), ["2024-02-29 12:00", "2028-02-29 12:00", "2032-02-29 12:00"]);
}

#[test]
fn three_days_down_are_caught_up_as_the_job_says() {
    let (from_ms, until_ms) = (at("2026-03-01 00:00"), at("2026-03-10 00:00"));
    let down = Some((at("2026-03-03 12:00"), at("2026-03-06 12:00")));
    let of = |catch_up: &str| live(&job("0 6 * * *", "UTC", catch_up), from_ms, until_ms, down);
    let day = |day: u32| format!("2026-03-{day:02} 06:00");
    let days = |days: &[u32]| days.iter().map(|number| day(*number)).collect::<Vec<_>>();
    assert_eq!(slots(&of("all")), days(&[1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(slots(&of("last")), days(&[1, 2, 3, 6, 7, 8, 9]));
    assert_eq!(slots(&of("none")), days(&[1, 2, 3, 7, 8, 9]));
    let late = of("all").into_iter().filter(|(now_ms, slot_ms)| now_ms > slot_ms);
    assert_eq!(late.map(|(now_ms, _)| utc(now_ms)).collect::<Vec<_>>(), vec!["2026-03-06 12:00"; 3]);
}

#[test]
fn slots_that_pass_during_a_run_follow_the_same_rule() {
    for (catch_up, expected) in [("all", 3), ("last", 1), ("none", 0)] {
        let job = job("every 5m", "UTC", catch_up);
        let mut agenda = Agenda::new(Vec::new(), 1);
        agenda.take_up([&job], 1);
        let first = agenda.due(&job, 5 * 60 * SECOND_MS).unwrap();
        // It ran for seventeen minutes.
        let now_ms = 22 * 60 * SECOND_MS;
        agenda.ended(&first.handled, now_ms);
        let mut more = 0;
        while let Some(due) = agenda.due(&job, now_ms) {
            agenda.ended(&due.handled, now_ms);
            more += 1;
        }
        assert_eq!(more, expected, "{catch_up}");
        assert_eq!(agenda.next_ms(&job), Some(25 * 60 * SECOND_MS));
    }
}

#[test]
fn a_slot_whose_run_did_not_end_comes_again() {
    let job = job("0 6 * * *", "UTC", "last");
    let start_ms = at("2026-03-01 00:00");
    let mut agenda = Agenda::new(Vec::new(), start_ms);
    let remembered = agenda.take_up([&job], start_ms);
    let due = agenda.due(&job, at("2026-03-01 06:00")).unwrap();
    assert_eq!(agenda.due(&job, at("2026-03-01 06:01")), Some(due.clone()), "nothing was said of its end");
    // The process ended here; what it remembered is all that is left.
    let mut next = Agenda::new(remembered, at("2026-03-01 07:00"));
    assert!(next.take_up([&job], at("2026-03-01 07:00")).is_empty());
    assert_eq!(next.due(&job, at("2026-03-01 07:00")), Some(due));
}

#[test]
fn another_schedule_begins_anew() {
    let before = job("0 6 * * *", "UTC", "all");
    let mut agenda = Agenda::new(Vec::new(), at("2026-03-01 00:00"));
    agenda.take_up([&before], at("2026-03-01 00:00"));
    let after = job("0 5 * * *", "UTC", "all");
    let slots = agenda.take_up([&after], at("2026-03-03 12:00"));
    assert_eq!(slots.len(), 1);
    assert_eq!(agenda.due(&after, at("2026-03-03 13:00")), None);
    assert_eq!(agenda.next_ms(&after), Some(at("2026-03-04 05:00")));
    assert!(agenda.take_up([&after], at("2026-03-03 14:00")).is_empty(), "it is known now");
}

proptest! {
    /// Whatever the schedule and however often the scheduler is gone: under `all` each slot is run once and in order, under
    /// `last` no slot twice, and the last one before each look is not missed.
    #[test]
    fn no_slot_twice(
        line in prop::sample::select(vec!["*_15 * * * *", "0 *_6 * * *", "30 2 * * *", "0 0 1 * *", "every 7m", "every 36h"]),
        zone in prop::sample::select(vec!["UTC", "Europe/London", "America/Santiago"]),
        start_hours in 0_i64..8_000,
        down_hours in 0_i64..200,
    ) {
        let line = line.replace("*_", "0/");
        let from_ms = at("2025-01-01 00:00") + start_hours * HOUR_MS;
        let gone_ms = from_ms + 2 * DAY_MS + 1;
        let back_ms = gone_ms + down_hours * HOUR_MS;
        let down = Some((gone_ms, back_ms));
        let until_ms = from_ms + 14 * DAY_MS;
        let all_job = job(&line, zone, "all");
        let all = live(&all_job, from_ms, until_ms, down);
        let schedule = all_job.schedule.clone().unwrap();
        let mut expected = Vec::new();
        let mut slot_ms = from_ms;
        while let Some(next_ms) = schedule.next_after(slot_ms, all_job.zone).filter(|next_ms| *next_ms < until_ms) {
            expected.push(next_ms);
            slot_ms = next_ms;
        }
        prop_assert_eq!(all.iter().map(|(_, slot_ms)| *slot_ms).collect::<Vec<_>>(), expected.clone());
        let last: Vec<i64> = live(&job(&line, zone, "last"), from_ms, until_ms, down).iter().map(|run| run.1).collect();
        prop_assert!(last.windows(2).all(|pair| pair[0] < pair[1]));
        let missed: Vec<&i64> = expected.iter().filter(|slot_ms| !last.contains(slot_ms)).collect();
        prop_assert!(missed.iter().all(|slot_ms| (gone_ms..back_ms).contains(*slot_ms)));
        let newest_missed = missed.last().map(|slot_ms| **slot_ms).unwrap_or(i64::MIN);
        prop_assert!(missed.is_empty() || last.iter().any(|slot_ms| *slot_ms > newest_missed && *slot_ms <= back_ms));
    }

    #[test]
    fn the_last_slot_is_the_one_that_counting_finds(
        line in prop::sample::select(vec!["0/20 3 * * 1-5", "every 90s", "0 0 29 2 *"]),
        start_hours in 0_i64..20_000,
        span_minutes in 0_i64..5_000,
    ) {
        let job = job(line, "Europe/Paris", "last");
        let schedule = job.schedule.clone().unwrap();
        let after_ms = at("2024-01-01 00:00") + start_hours * HOUR_MS;
        let until_ms = after_ms + span_minutes * 60 * SECOND_MS;
        let mut counted = None;
        let mut slot_ms = after_ms;
        while let Some(next_ms) = schedule.next_after(slot_ms, job.zone).filter(|next_ms| *next_ms <= until_ms) {
            counted = Some(next_ms);
            slot_ms = next_ms;
        }
        prop_assert_eq!(schedule.last_until(until_ms, after_ms, job.zone), counted);
    }
}
