//! Pure: reporting period of whole days up to today, in a time zone.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::field::{Int, Invalid};
use crate::text_enum;

/// Number of days of a period.
pub type Days = Int<1, 365>;

/// Default number of days.
pub const DEFAULT_DAYS: Days = Days::nearest(30);

/// A time zone, by its IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeZone(Tz);

impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl TimeZone {
    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl FromStr for TimeZone {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let unknown = |_| Invalid::new("must be the name of a time zone, like Europe/Madrid");
        raw.parse().map(Self).map_err(unknown)
    }
}

/// The last days up to and including today, in a time zone.
#[derive(Clone, Debug)]
pub struct Period {
    first: NaiveDate,
    /// Start of each day, oldest first.
    starts: Vec<DateTime<Utc>>,
    /// Start of tomorrow.
    end: DateTime<Utc>,
}

text_enum! {
    /// Time covered by a rollup. Each grain nests in the next.
    pub(super) enum Grain {
        /// A quarter of an hour: the days of all time zones start on a boundary.
        Quarter = "quarter",
        Hour = "hour",
        Six = "six",
        Day = "day",
        /// 8 days.
        Octad = "octad",
        /// 64 days.
        Era = "era",
    }
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
    pub(super) const fn seconds(self) -> i64 {
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
        self.boundary_before(moment + TimeDelta::seconds(self.seconds() - 1))
    }

    /// The bucket boundary nearest to a moment; of two as near, the later one.
    pub(super) fn round(self, moment: DateTime<Utc>) -> DateTime<Utc> {
        self.boundary_before(moment + TimeDelta::seconds(self.seconds() / 2))
    }

    /// The last bucket boundary at or before a moment.
    fn boundary_before(self, moment: DateTime<Utc>) -> DateTime<Utc> {
        /// 2000-01-01T00:00:00Z, the bucket origin in the migration too.
        const ORIGIN: i64 = 946_684_800;
        let whole = (moment.timestamp() - ORIGIN).div_euclid(self.seconds());
        DateTime::from_timestamp(ORIGIN + whole * self.seconds(), 0).unwrap_or(moment)
    }
}

impl Period {
    /// The last `days` days up to and including today.
    #[must_use]
    pub fn last(days: Days, zone: TimeZone) -> Self {
        Self::up_to(Utc::now(), days, zone)
    }

    pub(super) fn up_to(now: DateTime<Utc>, days: Days, TimeZone(zone): TimeZone) -> Self {
        let days = days.get().unsigned_abs();
        let today = now.with_timezone(&zone).date_naive();
        let first = today - chrono::Days::new(days - 1);
        let starts = first.iter_days().take(days as usize);
        let end = start_of(today + chrono::Days::new(1), zone);
        Self { first, starts: starts.map(|date| start_of(date, zone)).collect(), end }
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

    /// End of the last day, exclusive.
    pub(super) fn end(&self) -> DateTime<Utc> {
        self.end
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

    fn last(now: DateTime<Utc>, days: i64, zone: &str) -> Period {
        Period::up_to(now, days.try_into().unwrap(), zone.parse().unwrap())
    }

    #[test]
    fn a_period_ends_today_in_the_given_time_zone() {
        let now = at("2026-03-01T23:30:00Z");
        for (zone, first, start) in [
            ("UTC", "2026-02-28", "2026-02-28T00:00:00Z"),
            ("Europe/Madrid", "2026-03-01", "2026-02-28T23:00:00Z"),
            ("America/New_York", "2026-02-28", "2026-02-28T05:00:00Z"),
            ("Asia/Kathmandu", "2026-03-01", "2026-02-28T18:15:00Z"),
        ] {
            let period = last(now, 2, zone);
            assert_eq!(period.days(), 2);
            assert_eq!(period.dates().next().unwrap().to_string(), first, "{zone}");
            assert_eq!(period.start(), at(start), "{zone}");
        }
    }

    #[test]
    fn days_follow_daylight_saving_time() {
        // On 29 March, Madrid skips 02:00 to 03:00 and Beirut 00:00 to 01:00.
        let period = last(at("2026-03-30T12:00:00Z"), 3, "Europe/Madrid");
        let lengths: Vec<i64> =
            period.starts().windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect();
        assert_eq!(lengths, [24, 23]);
        let period = last(at("2026-03-29T12:00:00Z"), 1, "Asia/Beirut");
        assert_eq!(period.start(), at("2026-03-28T22:00:00Z"));
    }

    #[test]
    fn spans_are_contiguous_and_few() {
        for zone in ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"] {
            for days in [1, 7, 30, 365] {
                let period = last(at("2026-11-25T04:20:00Z"), days, zone);
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
    fn a_time_zone_has_an_iana_name() {
        for wrong in ["", "Mars/Olympus"] {
            let refused = wrong.parse::<TimeZone>().unwrap_err().to_string();
            assert_eq!(refused, "must be the name of a time zone, like Europe/Madrid");
        }
        assert_eq!("Europe/Madrid".parse::<TimeZone>().unwrap().name(), "Europe/Madrid");
        assert_eq!(Period::last(DEFAULT_DAYS, TimeZone::default()).days(), 30);
    }
}
