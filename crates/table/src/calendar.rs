//! The calendar that tables count time by: the Gregorian one for all of time, further than a calendar library's years go.

/// Year, month and day (from 1) of a day since 1970-01-01. After Hinnant's `civil_from_days`: years are counted from March, so that
/// the leap day is the last of a year, in eras of 400 of them.
pub fn civil(days: i64) -> (i64, i64, i64) {
    // What is beyond is no day of any type: the greatest are of 64 bits of seconds.
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, Days, NaiveDate};

    use super::*;

    #[test]
    fn days_are_those_of_a_calendar() {
        let first = NaiveDate::from_ymd_opt(-401, 1, 1).expect("a day");
        let from_1970 = i64::from(first.to_epoch_days());
        for ahead in 0..1_200_000 {
            let day = first + Days::new(ahead);
            let expected = (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()));
            assert_eq!(civil(from_1970 + ahead as i64), expected);
        }
    }

    #[test]
    fn days_go_further_than_a_calendar() {
        assert_eq!(civil(i32::MAX.into()), (5_881_580, 7, 11));
        assert_eq!(civil(i32::MIN.into()), (-5_877_641, 6, 23));
        assert_eq!(civil(i64::MAX / 86_400), (292_277_026_596, 12, 4));
        assert_eq!(civil(i64::MIN.div_euclid(86_400)), (-292_277_022_657, 1, 27));
    }
}
