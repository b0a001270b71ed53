//! Pure: reporting period of whole days up to today, in a time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::{Error, Problem, Result};

/// The days that are looked at when nobody says how many.
pub const USUAL: i64 = 30;

/// The most days that can be looked at.
pub const MOST: i64 = 365;

/// The last days up to and including today, in a time zone.
#[derive(Clone, Debug)]
pub struct Period {
    first: NaiveDate,
    /// Start of each day, oldest first.
    starts: Vec<DateTime<Utc>>,
}

/// How much time a rollup covers. Each nests in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    /// A quarter of an hour: the days of every time zone begin with one.
    Quarter,
    Hour,
    Six,
    Day,
    /// 8 days.
    Octad,
    /// 64 days.
    Era,
}

/// A time range covered by rollups of one grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) grain: Grain,
    pub(super) from: DateTime<Utc>,
    /// Exclusive. In the last span, later than any rollup.
    pub(super) until: DateTime<Utc>,
}

impl Grain {
    const ALL: [Grain; 6] = [Grain::Quarter, Grain::Hour, Grain::Six, Grain::Day, Grain::Octad, Grain::Era];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Grain::Quarter => "quarter",
            Grain::Hour => "hour",
            Grain::Six => "six",
            Grain::Day => "day",
            Grain::Octad => "octad",
            Grain::Era => "era",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Grain::Quarter => 15 * 60,
            Grain::Hour => 60 * 60,
            Grain::Six => 6 * 60 * 60,
            Grain::Day => 24 * 60 * 60,
            Grain::Octad => 8 * 24 * 60 * 60,
            Grain::Era => 64 * 24 * 60 * 60,
        }
    }

    /// The first bucket boundary at or after a moment.
    fn round_up(self, moment: DateTime<Utc>) -> DateTime<Utc> {
        /// 2000-01-01T00:00:00Z, the bucket origin in the migration too.
        const ORIGIN: i64 = 946_684_800;
        let (since, width) = (moment.timestamp() - ORIGIN, self.seconds());
        let whole = since.div_euclid(width) + i64::from(since.rem_euclid(width) > 0);
        DateTime::from_timestamp(ORIGIN + whole * width, 0).unwrap_or(moment)
    }
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
        Ok(Self { first, starts: starts.map(|date| start_of(date, zone)).collect() })
    }

    /// Number of days.
    #[must_use]
    pub fn days(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Every day, oldest first.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take(self.starts.len())
    }

    /// Start of the first day.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.starts.first().copied().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Splits the time from the period's start up to now into spans that need few rollups of each grain.
    pub(super) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut from = self.start();
        for pair in Grain::ALL.windows(2) {
            let [grain, next] = *pair else { continue };
            let until = next.round_up(from);
            if from < until {
                spans.push(Span { grain, from, until });
            }
            from = until;
        }
        // One era is 64 days, so eight cover the longest period.
        let until = from + TimeDelta::seconds(8 * Grain::Era.seconds());
        spans.push(Span { grain: Grain::Era, from, until });
        spans
    }

    pub(super) fn starts(&self) -> &[DateTime<Utc>] {
        &self.starts
    }

    /// The coarsest grain whose buckets align with every day of the period.
    pub(super) fn grain(&self) -> Grain {
        let fits = |grain: &&Grain| self.starts.iter().all(|start| grain.round_up(*start) == *start);
        [Grain::Day, Grain::Six, Grain::Hour].iter().find(fits).copied().unwrap_or(Grain::Quarter)
    }
}

/// First moment of a day. If midnight falls into a clock change, the day starts after it.
fn start_of(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let mut clock = date.and_time(NaiveTime::MIN);
    // No clock change is longer than a day: 96 quarter hours.
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
    fn a_period_ends_today_in_the_given_time_zone() {
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
    fn spans_are_contiguous_and_few() {
        for zone in ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"] {
            for days in [1, 7, 30, 365] {
                let period = Period::up_to(at("2026-11-25T04:20:00Z"), Some(days), Some(zone)).unwrap();
                let spans = period.spans();
                assert_eq!(spans[0].from, period.start());
                let mut rows = 0;
                for pair in spans.windows(2) {
                    assert_eq!(pair[0].until, pair[1].from);
                    rows += (pair[1].from - pair[0].from).num_seconds() / pair[0].grain.seconds();
                    assert_eq!(pair[0].grain.round_up(pair[0].from), pair[0].from);
                }
                assert!(spans.last().unwrap().until > at("2026-11-25T04:20:00Z"));
                assert!(rows <= 3 + 5 + 3 + 7 + 7, "{zone} {days}: {rows}");
            }
        }
    }

    #[test]
    fn the_coarsest_grain_that_fits_a_zone_is_chosen() {
        for (zone, grain) in [
            ("UTC", Grain::Day),
            ("Asia/Dhaka", Grain::Six),
            ("Europe/Madrid", Grain::Hour),
            ("Asia/Kathmandu", Grain::Quarter),
        ] {
            let period = Period::up_to(at("2026-11-25T04:20:00Z"), Some(30), Some(zone)).unwrap();
            assert_eq!(period.grain(), grain, "{zone}");
        }
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
