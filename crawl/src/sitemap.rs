//! Sitemap discovery (sitemaps.org).
//!
//! Tolerant: a broken, missing or refused sitemap is logged and skipped. Every sitemap goes through the
//! fetcher, on any host; its entries must never extend the scope of the crawl.

mod read;

use std::collections::HashSet;
use std::time::Duration;

use url::Url;

use crate::fetcher::{FetchOptions, FetchResponse, Fetcher, OnExcess};
use crate::pace::Pace;
use crate::robots::Robots;
use crate::scope::{Scope, key, normalise};

/// Maximum number of sitemaps fetched per crawl, including indexes.
pub const MAX_FILES: usize = 10;

/// Total response time after which no further sitemap is requested: a site with slow sitemaps is crawled without them.
const MAX_TIME: Duration = Duration::from_secs(30);

/// Maximum pause before a sitemap is requested again.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Maximum size of a sitemap, in bytes, before and after decompression. The rest is ignored.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// Returns the in-scope pages of the site's sitemaps: normalised, distinct, in order, at most `limit`.
///
/// The sitemaps are those listed in robots.txt, else `/sitemap.xml`, else `/sitemap_index.xml`. An index is
/// followed one level deep. The caller must check [`Robots::allowed`] per page.
pub async fn discover(
    fetcher: &Fetcher,
    pace: &dyn Pace,
    robots: &Robots,
    root: &Url,
    scope: &Scope,
    limit: usize,
) -> Vec<Url> {
    let mut pages = PageSet { scope, limit, seen: HashSet::new(), pages: Vec::new() };
    let mut files = SitemapQueue::new(initial_sitemaps(robots, root));
    let mut spent = Duration::ZERO;
    while !pages.is_full()
        && spent < MAX_TIME
        && let Some((map, depth)) = files.next()
    {
        let Some(fetched) = fetch(fetcher, pace, &map, &mut spent).await else {
            if robots.sitemaps().is_empty() {
                files.push(guess(robots, root, "/sitemap_index.xml"), 0);
            }
            continue;
        };
        let read = read::entries(&fetched.body, MAX_BYTES);
        read.pages.iter().for_each(|page| pages.add(&fetched.url, page));
        if depth == 0 {
            files.add(read.maps.iter().filter_map(|map| fetched.url.join(map).ok()));
        }
    }
    pages.pages
}

fn initial_sitemaps(robots: &Robots, root: &Url) -> Vec<Url> {
    if !robots.sitemaps().is_empty() {
        return robots.sitemaps().to_vec();
    }
    guess(robots, root, "/sitemap.xml").into_iter().collect()
}

fn guess(robots: &Robots, root: &Url, path: &str) -> Option<Url> {
    root.join(path).ok().filter(|map| robots.allowed(map))
}

/// Fetches a sitemap. Retries once after `Retry-After` with 429 or 503.
async fn fetch(fetcher: &Fetcher, pace: &dyn Pace, map: &Url, spent: &mut Duration) -> Option<FetchResponse> {
    let first = request(fetcher, pace, map, spent).await?;
    match first.retry_after {
        Some(pause) if matches!(first.status, 429 | 503) && pause <= MAX_PAUSE => {
            pace.slow_down(map, pause).await;
            request(fetcher, pace, map, spent).await
        }
        _ => Some(first),
    }
    .filter(|fetched| {
        if !fetched.is_success() {
            tracing::debug!(%map, status = fetched.status, "sitemap skipped: error status");
        }
        fetched.is_success()
    })
}

/// Adds the time of the response to `spent`.
async fn request(
    fetcher: &Fetcher,
    pace: &dyn Pace,
    map: &Url,
    spent: &mut Duration,
) -> Option<FetchResponse> {
    let options = FetchOptions {
        accept: "application/xml, text/xml, text/plain;q=0.8, */*;q=0.1",
        max_bytes: MAX_BYTES,
        on_excess: OnExcess::Truncate,
        max_redirects: 5,
        pace: Some(pace),
    };
    pace.wait(map).await;
    let timed = fetcher.run_timed(map, options).await;
    *spent += timed.took;
    timed
        .fetched
        .inspect_err(|error| {
            tracing::debug!(%map, %error, code = error.code(), "sitemap skipped: not fetched");
        })
        .ok()
}

/// Sitemaps to fetch, each once, with its depth below the initial ones.
struct SitemapQueue {
    waiting: std::collections::VecDeque<(Url, u8)>,
    known: HashSet<String>,
    fetched: usize,
}

impl SitemapQueue {
    fn new(first: Vec<Url>) -> Self {
        let mut files = Self { waiting: [].into(), known: HashSet::new(), fetched: 0 };
        files.push(first, 0);
        files
    }

    fn add(&mut self, maps: impl IntoIterator<Item = Url>) {
        self.push(maps, 1);
    }

    fn push(&mut self, maps: impl IntoIterator<Item = Url>, depth: u8) {
        for map in maps.into_iter().take(MAX_FILES) {
            if self.known.insert(key(&map)) {
                self.waiting.push_back((map, depth));
            }
        }
    }

    fn next(&mut self) -> Option<(Url, u8)> {
        if self.fetched == MAX_FILES {
            return None;
        }
        self.fetched += 1;
        self.waiting.pop_front()
    }
}

/// The pages collected so far.
struct PageSet<'a> {
    scope: &'a Scope,
    limit: usize,
    seen: HashSet<String>,
    pages: Vec<Url>,
}

impl PageSet<'_> {
    fn is_full(&self) -> bool {
        self.pages.len() >= self.limit
    }

    fn add(&mut self, map: &Url, page: &str) {
        let Ok(page) = map.join(page) else { return };
        if !self.is_full() && self.scope.contains(&page) && self.seen.insert(key(&page)) {
            self.pages.push(normalise(&page));
        }
    }
}
