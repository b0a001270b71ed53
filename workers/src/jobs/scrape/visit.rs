//! A page visit: fetch, extract in a child process, and classify the outcome.

use std::time::Duration;

use parlance_core::knowledge::crawl::{Cause, Fetched, Outcome, PAGE_ATTEMPTS, PageTask};
use parlance_core::{Context, Error, Result};
use parlance_crawl::fetcher::{self, FetchError};
use parlance_crawl::robots::Robots;
use parlance_crawl::{challenge, scope};
use parlance_extract::file_types;
use parlance_extract::protocol::{Document, Request, Web};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::link;
use super::site::Site;

/// `Accept` header: pages, then texts, then documents.
const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,text/markdown;q=0.8,text/plain;q=0.7,application/pdf;q=0.6,*/*;q=0.1";

/// Maximum retry delay. A page of a site that asks for more fails.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Ordinal of the first page, which may redirect out of scope.
const ROOT: i32 = 1;

/// Visits a page. A problem with the page is its outcome; only a problem that stops the crawl is an error.
pub(super) async fn visit(
    ctx: &Context,
    stop: &CancellationToken,
    site: &mut Site,
    page: &PageTask,
) -> Result<Outcome> {
    match site.robots(ctx.fetcher(), &page.url).await {
        Ok(robots) if !robots.allowed(&page.url) => return Ok(disallowed(ctx, robots, page)),
        Ok(_) => {}
        Err(error) => return Ok(fetch_failure(ctx, &error, page)),
    }
    let fetched = match ctx.fetcher().fetch(&page.url, ACCEPT).await {
        Ok(fetched) => fetched,
        Err(error) => return Ok(fetch_failure(ctx, &error, page)),
    };
    if let Some(outcome) = http_failure(ctx, &fetched, page) {
        return Ok(outcome);
    }
    if let Some(outcome) = check_redirect(ctx, site, page, &fetched.url).await {
        return Ok(outcome);
    }
    extract(ctx, stop, site, fetched).await
}

/// Skips a page that redirects out of scope. The first page moves the scope instead.
async fn check_redirect(ctx: &Context, site: &mut Site, page: &PageTask, to: &Url) -> Option<Outcome> {
    if site.scope().contains(to) {
        return None;
    }
    if page.ordinal != ROOT {
        let message = format!("It leads to {to}, which does not belong to the site.");
        return Some(Outcome::Skipped(Cause::new("out_of_scope", message)));
    }
    site.move_to(to);
    match site.robots(ctx.fetcher(), to).await {
        Ok(robots) if !robots.allowed(to) => Some(disallowed(ctx, robots, page)),
        Ok(_) => None,
        Err(error) => Some(fetch_failure(ctx, &error, page)),
    }
}

async fn extract(
    ctx: &Context,
    stop: &CancellationToken,
    site: &Site,
    fetched: fetcher::FetchResponse,
) -> Result<Outcome> {
    let media_type = fetched.media_type.as_deref().unwrap_or("text/html");
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !file_types::is_crawled(&essence) {
        let message =
            format!("It is {essence}, which is not read: only {} are.", file_types::crawled_labels());
        return Ok(Outcome::Skipped(Cause::new("unsupported_type", message).with_status(fetched.status)));
    }
    let request = Request {
        media_type: Some(media_type.to_owned()),
        url: Some(fetched.url.to_string()),
        ..Request::default()
    };
    match ctx.extractor().extract(&request, fetched.body.clone(), stop).await {
        Ok(document) => Ok(page_outcome(site, &fetched, document)),
        Err(Error::Rejected { code, message }) => {
            Ok(Outcome::Failed(Cause::new(code, message).with_status(fetched.status)))
        }
        Err(error) => Err(error),
    }
}

fn page_outcome(site: &Site, fetched: &fetcher::FetchResponse, document: Document) -> Outcome {
    let web = document.web.unwrap_or_default();
    let header = fetched.x_robots_tag.as_deref().unwrap_or_default().to_ascii_lowercase();
    if web.noindex || header.contains("noindex") || header.contains("none") {
        let message = "The page asks not to be indexed.";
        return Outcome::Skipped(Cause::new("noindex", message).with_status(fetched.status));
    }
    let nofollow = web.nofollow || header.contains("nofollow");
    Outcome::Fetched(Fetched {
        url: fetched.url.to_string(),
        title: document.title,
        text: document.text,
        http_status: i32::from(fetched.status),
        bytes: i64::try_from(fetched.body.len()).unwrap_or(i64::MAX),
        aliases: aliases(site, &fetched.url, &web),
        links: if nofollow { Vec::new() } else { links(site, &web) },
    })
}

/// Keys of the page's other URLs. A canonical URL out of scope is ignored: it would let one site claim
/// another's pages.
fn aliases(site: &Site, url: &Url, web: &Web) -> Vec<String> {
    let canonical = web.canonical.as_deref().and_then(|canonical| Url::parse(canonical).ok());
    let canonical = canonical.filter(|canonical| site.scope().contains(canonical));
    [Some(scope::key(url)), canonical.map(|canonical| scope::key(&canonical))].into_iter().flatten().collect()
}

fn links(site: &Site, web: &Web) -> Vec<parlance_core::knowledge::crawl::Link> {
    let urls = web.links.iter().filter_map(|raw| Url::parse(raw).ok());
    urls.filter(|url| site.scope().contains(url)).map(|url| link(&url)).collect()
}

/// The outcome of an error response, or `None` for a page.
fn http_failure(ctx: &Context, fetched: &fetcher::FetchResponse, page: &PageTask) -> Option<Outcome> {
    let status = fetched.status;
    if challenge::is_blocked(status, fetched.mitigated.as_deref(), &fetched.body) {
        let message = format!(
            "The site does not let crawlers in (status {status}). Ask its owner to allow ParlanceBot."
        );
        return Some(Outcome::Failed(Cause::new("blocked_by_site", message).with_status(status)));
    }
    if fetched.is_success() {
        return None;
    }
    let cause = Cause::new(format!("http_{status}"), format!("The site answered with the status {status}."));
    let cause = cause.with_status(status);
    Some(if status >= 500 { retry(ctx, page, fetched.retry_after, cause) } else { Outcome::Failed(cause) })
}

fn fetch_failure(ctx: &Context, error: &FetchError, page: &PageTask) -> Outcome {
    let cause = Cause::new(error.code(), error.to_string());
    if error.is_transient() { retry(ctx, page, None, cause) } else { Outcome::Failed(cause) }
}

/// Retries the page, unless its attempts are used up or the requested delay is too long.
fn retry(ctx: &Context, page: &PageTask, retry_after: Option<Duration>, cause: Cause) -> Outcome {
    let pause = retry_after
        .unwrap_or(ctx.config().jobs.backoff_base * 2_u32.saturating_pow(page.attempt.unsigned_abs()));
    if page.attempt + 1 >= PAGE_ATTEMPTS || pause > MAX_RETRY_DELAY {
        return Outcome::Failed(cause);
    }
    Outcome::RetryLater(pause, cause)
}

/// The outcome of a page that robots.txt disallows. An unreachable robots.txt disallows everything (RFC 9309,
/// 2.3.1.4).
fn disallowed(ctx: &Context, robots: &Robots, page: &PageTask) -> Outcome {
    if !robots.reached() {
        let message = "The site did not answer when it was asked for its robots.txt.";
        return retry(ctx, page, None, Cause::new("unreachable", message));
    }
    let message = "The site's robots.txt does not let crawlers read this page.";
    Outcome::Skipped(Cause::new("robots", message))
}

#[cfg(test)]
mod tests {
    use parlance_extract::file_types;

    #[test]
    fn every_accepted_media_type_is_extracted() {
        let types = super::ACCEPT.split(',').filter_map(|item| item.split(';').next());
        for media_type in types.filter(|media_type| *media_type != "*/*") {
            assert!(file_types::is_crawled(media_type), "{media_type}");
        }
    }
}
