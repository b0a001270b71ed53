//! Pure: a number of days up to now, in a time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::{Error, Problem, Result};

/// The days that are looked at when nobody says how many.
pub const USUAL: i64 = 30;

/// The most days that can be looked at.
pub const MOST: i64 = 365;

/// The last days up to and with today, in a time zone.
#[derive(Clone, Debug)]
pub struct Period {
    first: NaiveDate,
    /// When each day begins; oldest first.
    starts: Vec<DateTime<Utc>>,
    utc: bool,
}

impl Period {
    /// The last `days` days, with today, in `timezone`; 30 in UTC when not given.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub fn parse(days: Option<i64>, timezone: Option<&str>) -> Result<Self> {
        Self::up_to(Utc::now(), days, timezone)
    }

    fn up_to(now: DateTime<Utc>, days: Option<i64>, timezone: Option<&str>) -> Result<Self> {
        let mut problems = Vec::new();
        let days = days.unwrap_or(USUAL);
        if !(1..=MOST).contains(&days) {
            let message = format!("The 'period' parameter must be between 1 and {MOST}");
            problems.push(Problem::wrong("period", message));
        }
        let zone = timezone.map_or(Ok(Tz::UTC), str::parse);
        let (Ok(zone), true) = (zone, problems.is_empty()) else {
            if timezone.is_some_and(|name| name.parse::<Tz>().is_err()) {
                let message = "The 'timezone' parameter must be the name of a time zone, like Europe/Madrid";
                problems.push(Problem::wrong("timezone", message));
            }
            return Err(Error::Invalid(problems));
        };
        let today = now.with_timezone(&zone).date_naive();
        let first = today - Days::new(days.unsigned_abs() - 1);
        let starts = first.iter_days().take(days.unsigned_abs() as usize);
        Ok(Self { first, starts: starts.map(|date| start_of(date, zone)).collect(), utc: zone == Tz::UTC })
    }

    /// How many days.
    #[must_use]
    pub fn days(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Every day, oldest first.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take(self.starts.len())
    }

    /// When it begins.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.starts.first().copied().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The first midnight, UTC, that is not before it.
    pub(super) fn first_midnight(&self) -> DateTime<Utc> {
        let midnight = self.start().date_naive().and_time(NaiveTime::MIN).and_utc();
        if midnight == self.start() { midnight } else { midnight + Days::new(1) }
    }

    pub(super) fn starts(&self) -> &[DateTime<Utc>] {
        &self.starts
    }

    /// The coarsest rollups that its days are made of.
    pub(super) fn grain(&self) -> &'static str {
        if self.utc { "day" } else { "quarter" }
    }
}

/// The first moment of a day; a day that begins within a change of the clock begins after it.
fn start_of(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let mut clock = date.and_time(NaiveTime::MIN);
    // No change of a clock is longer than a day.
    for _ in 0..96 {
        if let Some(moment) = zone.from_local_datetime(&clock).earliest() {
            return moment.with_timezone(&Utc);
        }
        clock += TimeDelta::minutes(15);
    }
    date.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(moment: &str) -> DateTime<Utc> {
        moment.parse().unwrap()
    }

    #[test]
    fn a_period_ends_with_today_where_the_tenant_is() {
        let now = at("2026-03-01T23:30:00Z");
        for (zone, first, start) in [
            (None, "2026-02-28", "2026-02-28T00:00:00Z"),
            (Some("Europe/Madrid"), "2026-03-01", "2026-02-28T23:00:00Z"),
            (Some("America/New_York"), "2026-02-28", "2026-02-28T05:00:00Z"),
            (Some("Asia/Kathmandu"), "2026-03-01", "2026-02-28T18:15:00Z"),
        ] {
            let period = Period::up_to(now, Some(2), zone).unwrap();
            assert_eq!(period.days(), 2);
            assert_eq!(period.dates().next().unwrap().to_string(), first, "{zone:?}");
            assert_eq!(period.start(), at(start), "{zone:?}");
        }
    }

    #[test]
    fn days_are_as_long_as_the_clock_makes_them() {
        // The clock of Madrid goes from 2 to 3 on the 29th of March; that of Beirut from 0 to 1.
        let period = Period::up_to(at("2026-03-30T12:00:00Z"), Some(3), Some("Europe/Madrid")).unwrap();
        let lengths: Vec<i64> =
            period.starts().windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect();
        assert_eq!(lengths, [24, 23]);
        let period = Period::up_to(at("2026-03-29T12:00:00Z"), Some(1), Some("Asia/Beirut")).unwrap();
        assert_eq!(period.start(), at("2026-03-28T22:00:00Z"));
    }

    #[test]
    fn what_cannot_be_a_period_is_told() {
        for (days, zone, fields) in [
            (Some(0), None, vec!["period"]),
            (Some(366), Some("Mars/Olympus"), vec!["period", "timezone"]),
            (None, Some(""), vec!["timezone"]),
        ] {
            let Err(Error::Invalid(problems)) = Period::up_to(Utc::now(), days, zone) else { panic!() };
            assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), fields);
        }
        assert_eq!(Period::parse(None, None).unwrap().days(), 30);
    }
}
