//! Pure: the rollups whose sum is a day of a period.
//!
//! A day of a time zone is whole days of UTC, plus and minus the few rollups between a boundary of the day and the
//! nearest midnight of UTC. For Kathmandu, whose days begin at 18:15 UTC, that is one of six hours less one of a
//! quarter of an hour: three rows a day instead of 96 quarters.

use chrono::{DateTime, TimeDelta, Utc};

use super::Period;
use super::period::Grain;

/// The rollups of a period by day.
#[derive(Debug)]
pub(super) struct DayRollups {
    /// First and, exclusive, last day of UTC of each day of the period: day `n` has those from `midnights[n]` to
    /// `midnights[n + 1]`. Ascending; equal when a day has none.
    pub(super) midnights: Vec<DateTime<Utc>>,
    /// The other rollups.
    pub(super) edges: Vec<Edge>,
}

/// A rollup near a midnight of UTC: added to one day of the period, and subtracted from the day before or after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) grain: Grain,
    /// Start of the rollup.
    pub(super) bucket: DateTime<Utc>,
    /// Day to which it is added, from 0; `None` outside of the period.
    pub(super) plus: Option<i32>,
    /// Day from which it is subtracted.
    pub(super) minus: Option<i32>,
}

impl DayRollups {
    pub(super) fn of(period: &Period) -> Self {
        let boundaries: Vec<_> = period.starts().iter().copied().chain([period.end()]).collect();
        let midnights = boundaries.iter().map(|boundary| Grain::Day.round(*boundary)).collect();
        let days = period.starts().len();
        let edges = boundaries.iter().enumerate().flat_map(|(index, boundary)| {
            let before = index.checked_sub(1).and_then(|day| i32::try_from(day).ok());
            let after = i32::try_from(index).ok().filter(|_| index < days);
            from_midnight(*boundary).into_iter().map(move |(grain, bucket, is_after_midnight)| {
                let (plus, minus) = if is_after_midnight { (before, after) } else { (after, before) };
                Edge { grain, bucket, plus, minus }
            })
        });
        Self { midnights, edges: edges.collect() }
    }
}

/// The rollups between the nearest midnight of UTC and a moment on a quarter of an hour. True: the time from midnight
/// to the moment includes the rollup; false: that time is negative, or the rollup exceeds it.
fn from_midnight(moment: DateTime<Utc>) -> Vec<(Grain, DateTime<Utc>, bool)> {
    let mut rollups = Vec::new();
    let mut at = Grain::Day.round(moment);
    for grain in [Grain::Six, Grain::Hour, Grain::Quarter] {
        let (to, width) = (grain.round(moment), TimeDelta::seconds(grain.seconds()));
        while at < to {
            rollups.push((grain, at, true));
            at += width;
        }
        while at > to {
            at -= width;
            rollups.push((grain, at, false));
        }
    }
    rollups
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const ZONES: [&str; 9] = [
        "UTC",
        "Asia/Dhaka",
        "Europe/Madrid",
        "America/New_York",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "Pacific/Apia",
        "Australia/Lord_Howe",
    ];

    fn period(zone: &str, days: i64) -> Period {
        let now = "2026-11-25T04:20:00Z".parse().unwrap();
        Period::up_to(now, days.try_into().unwrap(), zone.parse().unwrap())
    }

    /// A number for each quarter of an hour.
    fn count(quarter: DateTime<Utc>) -> i64 {
        (quarter.timestamp() / 900 * 7919) % 1009
    }

    fn sum(from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
        let quarters = std::iter::successors(Some(from), |at| Some(*at + TimeDelta::minutes(15)));
        quarters.take_while(|at| *at < until).map(count).sum()
    }

    #[test]
    fn rollups_add_up_to_each_day_of_a_zone() {
        for zone in ZONES {
            // A year has both clock changes.
            let period = period(zone, 365);
            let rollups = DayRollups::of(&period);
            let mut days: HashMap<i32, i64> = HashMap::new();
            for (day, pair) in rollups.midnights.windows(2).enumerate() {
                *days.entry(day as i32).or_default() += sum(pair[0], pair[1]);
            }
            for edge in &rollups.edges {
                let n = sum(edge.bucket, edge.bucket + TimeDelta::seconds(edge.grain.seconds()));
                for (day, n) in [(edge.plus, n), (edge.minus, -n)] {
                    if let Some(day) = day {
                        *days.entry(day).or_default() += n;
                    }
                }
            }
            let boundaries: Vec<_> = period.starts().iter().copied().chain([period.end()]).collect();
            for (day, pair) in boundaries.windows(2).enumerate() {
                assert_eq!(days[&(day as i32)], sum(pair[0], pair[1]), "{zone}, day {day}");
            }
        }
    }

    #[test]
    fn a_day_of_any_zone_is_a_few_rollups() {
        for (zone, a_day) in [("UTC", 0), ("Asia/Dhaka", 1), ("Asia/Kathmandu", 2), ("Asia/Kolkata", 4)] {
            let rollups = DayRollups::of(&period(zone, 30));
            assert_eq!(rollups.edges.len(), 31 * a_day, "{zone}");
        }
        for zone in ZONES {
            assert!(DayRollups::of(&period(zone, 365)).edges.len() <= 366 * 6, "{zone}");
        }
    }
}
