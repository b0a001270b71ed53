//! Site maps (sitemaps.org): the pages that a site names itself.
//!
//! Tolerant: a map that is broken, missing or refused is noted for the log, and what the others say
//! counts. Every map is fetched through the door, wherever it lies; it must never be trusted further
//! than the scope of the crawl.

mod read;

use std::collections::HashSet;

use url::Url;

use crate::door::{Door, Excess, Fetched, Request};
use crate::robots::Robots;
use crate::scope::{Scope, key, normalise};

/// The most maps fetched for one crawl, indexes among them.
pub const MAX_FILES: usize = 10;

/// The bytes read of one map, as sent and again once inflated. The rest is left.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The pages in scope that the site's maps name: normalised, each once, in order, at most `limit`. The
/// maps are those that robots.txt names, else `/sitemap.xml`; an index is followed one level down. The
/// pause that robots.txt asks for is kept between two maps. Whether a page may be fetched is not asked
/// here: that is for [`Robots::allowed`].
pub async fn discover(door: &Door, robots: &Robots, root: &Url, scope: &Scope, limit: usize) -> Vec<Url> {
    let mut found = Found { scope, limit, seen: HashSet::new(), pages: Vec::new() };
    let mut files = Files::new(first_maps(robots, root));
    while !found.is_full()
        && let Some((map, depth)) = files.next()
    {
        if files.fetched > 1
            && let Some(delay) = robots.crawl_delay()
        {
            tokio::time::sleep(delay).await;
        }
        let Some(fetched) = fetch(door, &map).await else { continue };
        let read = read::entries(&fetched.body, MAX_BYTES);
        read.pages.iter().for_each(|page| found.add(&fetched.url, page));
        if depth == 0 {
            files.add(read.maps.iter().filter_map(|map| fetched.url.join(map).ok()));
        }
    }
    found.pages
}

fn first_maps(robots: &Robots, root: &Url) -> Vec<Url> {
    if !robots.sitemaps().is_empty() {
        return robots.sitemaps().to_vec();
    }
    root.join("/sitemap.xml").ok().filter(|map| robots.allowed(map)).into_iter().collect()
}

async fn fetch(door: &Door, map: &Url) -> Option<Fetched> {
    let request = Request {
        accept: "application/xml, text/xml, text/plain;q=0.8, */*;q=0.1",
        max_bytes: MAX_BYTES,
        excess: Excess::Cut,
        max_redirects: 5,
    };
    match door.run(map, request).await {
        Ok(fetched) if fetched.is_success() => Some(fetched),
        Ok(fetched) => {
            tracing::debug!(%map, status = fetched.status, "no site map there");
            None
        }
        Err(error) => {
            tracing::debug!(%map, %error, code = error.code(), "a site map did not come");
            None
        }
    }
}

/// The maps to fetch: each once, with its depth below the first ones.
struct Files {
    waiting: std::collections::VecDeque<(Url, u8)>,
    known: HashSet<String>,
    fetched: usize,
}

impl Files {
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

/// The pages found so far.
struct Found<'a> {
    scope: &'a Scope,
    limit: usize,
    seen: HashSet<String>,
    pages: Vec<Url>,
}

impl Found<'_> {
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
