//! Pure: the time budget of a crawl for slow responses. A very slow site ends the crawl early.

use std::time::Duration;

use parlance_core::platform::config::Scrape;

/// Time spent on slow responses since the last quick one.
pub(super) struct Patience {
    /// Minimum duration of a slow response.
    slow: Duration,
    /// Time spent on slow responses after which the crawl ends.
    limit: Duration,
    lost: Duration,
    has_page: bool,
}

impl Patience {
    pub(super) fn new(config: &Scrape) -> Self {
        Self { slow: config.slow, limit: config.patience, lost: Duration::ZERO, has_page: false }
    }

    /// Records that a page of the site was answered.
    pub(super) fn has_page(&mut self) {
        self.has_page = true;
    }

    /// Records a request and its duration, answered or not.
    pub(super) fn record(&mut self, took: Duration, is_answered: bool) {
        if took >= self.slow {
            // A timeout before any page ends the crawl: it has nothing to keep.
            self.lost = if is_answered || self.has_page { self.lost + took } else { self.limit };
        } else if is_answered {
            // A quick response resets the time, even if other pages never arrive.
            self.lost = Duration::ZERO;
        }
    }

    /// Whether the crawl ends: the time is used up, or a request timed out before any page was answered.
    pub(super) fn is_exhausted(&self) -> bool {
        self.lost >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use parlance_core::platform::config::Config;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn patience() -> Patience {
        Patience::new(&Config::read(|_| None).unwrap().scrape)
    }

    #[test]
    fn a_site_without_a_page_gets_one_timeout() {
        let mut patience = patience();
        patience.record(seconds(1), false);
        assert!(!patience.is_exhausted(), "a refused connection is retried");
        patience.record(seconds(20), true);
        assert!(!patience.is_exhausted(), "its robots.txt came");
        patience.record(seconds(30), false);
        assert!(patience.is_exhausted());
    }

    #[test]
    fn slow_but_real_sites_are_read() {
        let mut patience = patience();
        for _ in 0..20 {
            patience.record(seconds(8), true);
            patience.has_page();
            assert!(!patience.is_exhausted());
        }
    }

    #[test]
    fn a_dead_slow_site_ends_within_two_minutes() {
        for page in [11, 20, 29, 30] {
            let mut patience = patience();
            patience.record(seconds(1), true);
            patience.has_page();
            let mut spent = 0;
            while !patience.is_exhausted() {
                patience.record(seconds(page), page < 30);
                spent += page;
            }
            assert!((60..=90).contains(&spent), "{page}: {spent}");
        }
    }

    #[test]
    fn a_quick_response_resets_the_time() {
        let mut patience = patience();
        patience.has_page();
        for _ in 0..9 {
            patience.record(seconds(30), false);
            patience.record(seconds(1), true);
        }
        patience.record(seconds(30), false);
        patience.record(seconds(1), false);
        assert!(!patience.is_exhausted());
        patience.record(seconds(30), false);
        assert!(patience.is_exhausted(), "quick failures do not reset the time");
    }
}
