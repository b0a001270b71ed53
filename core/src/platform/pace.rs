//! Turns of requests to web hosts: one per interval, over all crawls of all processes.
//!
//! Redis keeps the time of each host's next free turn. While Redis is down, each process keeps its own turns.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::platform::bus::Bus;

/// Maximum time that a turn is taken ahead. Without it, one crawl of a slow host would delay the next by all
/// of its pages.
pub(crate) const HORIZON: Duration = Duration::from_secs(60);

/// Maximum pause: a page must not stop all crawls of its host for long.
const MAX_HOLD: Duration = Duration::from_secs(120);

/// Number of hosts in memory from which hosts with past turns are removed.
const MAX_HOSTS: usize = 1_000;

/// A turn of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The request may be sent after this time.
    In(Duration),
    /// All turns of the next minute are taken: retry after this time.
    AskAgain(Duration),
}

/// Turns by host, in the order of the requests.
pub struct Pace {
    bus: Bus,
    /// The next free turns while Redis is down.
    local: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, local: Mutex::default() }
    }

    /// Takes the next free turn of a host, and reserves the interval after it.
    pub async fn take_turn(&self, host: &str, interval: Duration) -> Turn {
        let wait = match self.bus.take_turn(host, interval, HORIZON).await {
            Some(wait) => wait,
            None => self.take_local_turn(host, interval, Instant::now()),
        };
        if wait <= HORIZON { Turn::In(wait) } else { Turn::AskAgain((wait - HORIZON).min(HORIZON)) }
    }

    /// Sends no further requests to a host for this time. Turns already taken remain. A pause above two
    /// minutes is ignored, because the page that caused it fails without a retry.
    pub async fn hold(&self, host: &str, pause: Duration) {
        if pause > MAX_HOLD {
            return;
        }
        if self.bus.hold_turns(host, pause).await.is_none() {
            let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
            let free = Instant::now() + pause;
            let next = local.entry(host.to_owned()).or_insert(free);
            *next = free.max(*next);
        }
    }

    /// Takes a turn as the bus does: a wait longer than [`HORIZON`] takes none.
    fn take_local_turn(&self, host: &str, interval: Duration, now: Instant) -> Duration {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.len() >= MAX_HOSTS {
            local.retain(|_, free| *free > now);
        }
        let at = local.get(host).map_or(now, |free| now.max(*free));
        let wait = at - now;
        if wait <= HORIZON {
            local.insert(host.to_owned(), at + interval);
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Config;

    const INTERVAL: Duration = Duration::from_secs(1);

    fn pace() -> Pace {
        let mut config = Config::read(|_| None).unwrap();
        config.redis.url = Some("redis://127.0.0.1:1".into());
        Pace::new(Bus::new(&config).unwrap())
    }

    #[tokio::test]
    async fn turns_of_a_host_are_an_interval_apart() {
        let (pace, now) = (pace(), Instant::now());
        let waits = [0, 1, 2].map(|_| pace.take_local_turn("example.com", INTERVAL, now).as_secs());
        assert_eq!(waits, [0, 1, 2]);
        assert_eq!(pace.take_local_turn("example.org", INTERVAL, now), Duration::ZERO);
        let later = now + Duration::from_secs(10);
        assert_eq!(
            pace.take_local_turn("example.com", INTERVAL, later),
            Duration::ZERO,
            "nothing is saved up"
        );
    }

    #[tokio::test]
    async fn turns_are_taken_a_minute_ahead() {
        let (pace, now) = (pace(), Instant::now());
        let taken = (0..100).map(|_| pace.take_local_turn("example.com", INTERVAL * 10, now));
        let last = taken.last().unwrap();
        assert_eq!(last, HORIZON + INTERVAL * 10, "later requests take no turn");
    }

    #[tokio::test]
    async fn a_host_is_paced_while_redis_is_down() {
        let pace = pace();
        assert_eq!(pace.take_turn("example.com", INTERVAL).await, Turn::In(Duration::ZERO));
        assert!(matches!(pace.take_turn("example.com", INTERVAL).await, Turn::In(wait) if !wait.is_zero()));
        pace.hold("example.com", Duration::from_secs(3_600)).await;
        assert!(matches!(pace.take_turn("example.com", INTERVAL).await, Turn::In(_)));
        pace.hold("example.com", MAX_HOLD).await;
        let Turn::AskAgain(pause) = pace.take_turn("example.com", INTERVAL).await else { panic!() };
        assert!(pause <= HORIZON);
    }
}
