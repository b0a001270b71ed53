//! A page visit: requests it, follows its redirects and hands the response to the extraction.

use std::collections::HashSet;

use parlance_core::ids::TenantId;
use parlance_core::knowledge::crawl::{Cause, Outcome, PageTask};
use parlance_core::language::Language;
use parlance_core::providers::web::CrawlBrowser;
use parlance_core::{Context, Result};
use parlance_crawl::fetcher::FetchResponse;
use parlance_crawl::pace::Pace;
use parlance_crawl::scope;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::page::{self, Step};
use super::reading::{self, Reading};
use super::render::{self, Rendering};
use super::site::Site;
use super::{failure, frames};

/// Ordinal of the first page, which may redirect out of scope.
pub(super) const ROOT: i32 = 1;

/// Maximum number of `meta refresh` redirects of a visit.
const MAX_REFRESHES: usize = 5;

/// Pause of a host that answered 429 or 503 without `Retry-After`.
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Dependencies and state of a visit.
pub(super) struct Visitor<'a> {
    pub(super) ctx: &'a Context,
    pub(super) tenant: TenantId,
    pub(super) stop: &'a CancellationToken,
    /// Language of the bot, for text recognition.
    pub(super) language: Language,
    pub(super) site: &'a mut Site,
    /// The browser of the crawl; `None` if none is configured.
    pub(super) browser: Option<&'a CrawlBrowser>,
}

/// A response, or the outcome of a page without one.
pub(super) enum Answer {
    Page(Box<FetchResponse>),
    Nothing(Outcome),
}

impl Visitor<'_> {
    /// Visits a page. A problem with the page is an outcome; only a problem that stops the crawl is an error.
    pub(super) async fn visit(&mut self, page: &PageTask) -> Result<Outcome> {
        let mut url = page.url.clone();
        // Not by key: `/` may redirect to `/index.html`.
        let mut visited = HashSet::from([scope::normalise(&url)]);
        loop {
            let mut fetched = match self.fetch(&url, page).await {
                Answer::Page(fetched) => *fetched,
                Answer::Nothing(outcome) => return Ok(outcome),
            };
            if let Some(outcome) = self.enter(&fetched.url, page).await {
                return Ok(outcome);
            }
            visited.insert(scope::normalise(&fetched.url));
            let reply = match reading::read(self, &fetched).await? {
                Reading::Reply(reply) => *reply,
                Reading::Unsupported(outcome) => return Ok(outcome),
            };
            let reply = match reply {
                Err(shell) if shell.needs_browser => {
                    match Box::pin(render::render(self, page, &mut fetched, shell)).await? {
                        Rendering::Page(page) => {
                            let (rendered, reply) = *page;
                            fetched = rendered;
                            visited.insert(scope::normalise(&fetched.url));
                            reply
                        }
                        Rendering::Shell(shell) => Err(shell),
                        Rendering::Nothing(outcome) => return Ok(outcome),
                    }
                }
                reply => reply,
            };
            let is_new =
                |next: &Url| visited.len() <= MAX_REFRESHES && !visited.contains(&scope::normalise(next));
            match page::step(self.site, &fetched, reply, is_new, page.ordinal == ROOT) {
                Step::Follow(next) => url = next,
                Step::Frames(outcome, frames) => {
                    // A frame may need room too, which crawls that keep theirs would wait for in a circle.
                    drop(fetched);
                    return frames::add(self, page, outcome, &frames).await;
                }
                Step::Settle(outcome) => return Ok(outcome),
            }
        }
    }

    /// Requests a URL in its host's turn, if robots.txt allows it.
    pub(super) async fn fetch(&mut self, url: &Url, page: &PageTask) -> Answer {
        let fetcher = self.ctx.fetcher();
        if self.site.patience().is_exhausted() {
            return Answer::Nothing(Outcome::failed(Cause::site_too_slow()));
        }
        match self.site.robots(fetcher, url).await {
            Ok(robots) if !robots.allowed(url) => {
                return Answer::Nothing(failure::of_robots(self.ctx, robots, page));
            }
            Ok(_) => {}
            Err(error) => return Answer::Nothing(failure::of_fetch(self.ctx, &error, page)),
        }
        let fetched = match self.site.fetch(fetcher, url, reading::ACCEPT).await {
            Ok(fetched) => fetched,
            Err(error) => return Answer::Nothing(failure::of_fetch(self.ctx, &error, page)),
        };
        let pace = self.site.pace();
        match failure::of_response(self.ctx, &fetched, page) {
            Some(outcome) => {
                if matches!(fetched.status, 429 | 503) {
                    pace.slow_down(&fetched.url, fetched.retry_after.unwrap_or(BUSY_PAUSE)).await;
                }
                Answer::Nothing(outcome)
            }
            None => Answer::Page(Box::new(fetched)),
        }
    }

    /// Skips a page that redirected out of scope. The first page moves the scope instead.
    pub(super) async fn enter(&mut self, to: &Url, page: &PageTask) -> Option<Outcome> {
        if self.site.scope().contains(to) {
            return None;
        }
        if page.ordinal != ROOT {
            return Some(out_of_scope(to));
        }
        self.site.move_to(to);
        match self.site.robots(self.ctx.fetcher(), to).await {
            Ok(robots) if !robots.allowed(to) => Some(failure::of_robots(self.ctx, robots, page)),
            Ok(_) => None,
            Err(error) => Some(failure::of_fetch(self.ctx, &error, page)),
        }
    }
}

/// The outcome of a page that redirects out of the site.
pub(super) fn out_of_scope(to: &Url) -> Outcome {
    let message = format!("It leads to {to}, which does not belong to the site.");
    Outcome::skipped(Cause::new("out_of_scope", message))
}
