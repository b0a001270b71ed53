//! Outcomes of requests without a page: retries, failures and pages disallowed by robots.txt.

use std::time::Duration;

use parlance_core::Context;
use parlance_core::knowledge::crawl::{Cause, Outcome, PAGE_ATTEMPTS, PageTask};
use parlance_crawl::challenge;
use parlance_crawl::fetcher::{FetchError, FetchResponse};
use parlance_crawl::robots::Robots;

/// Maximum retry delay. A page fails if its site requests a longer one.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(120);

/// Attempts of a page whose site is busy (429, or `Retry-After`). Waiting helps more than after a failure.
const BUSY_ATTEMPTS: i32 = 5;

/// Maximum number of attempts for a page that timed out: each attempt costs the page timeout.
const TIMEOUT_ATTEMPTS: i32 = 2;

/// The outcome of an error response, or `None` for a page.
pub(super) fn of_response(ctx: &Context, fetched: &FetchResponse, page: &PageTask) -> Option<Outcome> {
    let status = fetched.status;
    if challenge::is_blocked(status, fetched.mitigated.as_deref(), &fetched.body) {
        let message = format!(
            "The site does not let crawlers in (status {status}). Ask its owner to allow ParlanceBot."
        );
        return Some(Outcome::failed(Cause::new("blocked_by_site", message).with_status(status)));
    }
    if fetched.is_success() {
        return None;
    }
    let cause = Cause::new(format!("http_{status}"), format!("The site answered with the status {status}."));
    let cause = cause.with_status(status);
    Some(match status {
        429 => retry(ctx, page, fetched.retry_after, BUSY_ATTEMPTS, cause),
        500.. if fetched.retry_after.is_some() => retry(ctx, page, fetched.retry_after, BUSY_ATTEMPTS, cause),
        500.. => retry(ctx, page, None, PAGE_ATTEMPTS, cause),
        _ => Outcome::failed(cause),
    })
}

/// The outcome of a failed fetch.
pub(super) fn of_fetch(ctx: &Context, error: &FetchError, page: &PageTask) -> Outcome {
    let cause = Cause::new(error.code(), error.to_string());
    match error {
        FetchError::Timeout => retry(ctx, page, None, TIMEOUT_ATTEMPTS, cause),
        error if error.is_transient() => retry(ctx, page, None, PAGE_ATTEMPTS, cause),
        _ => Outcome::failed(cause),
    }
}

/// The outcome of a page that robots.txt disallows. An unreachable robots.txt disallows everything (RFC 9309,
/// 2.3.1.4).
pub(super) fn of_robots(ctx: &Context, robots: &Robots, page: &PageTask) -> Outcome {
    if !robots.reached() {
        let message = "The site did not answer when it was asked for its robots.txt.";
        let cause = Cause::new("unreachable", message);
        return retry(ctx, page, robots.retry_after(), PAGE_ATTEMPTS, cause);
    }
    let message = "The site's robots.txt does not let crawlers read this page.";
    Outcome::skipped(Cause::new("robots", message))
}

/// Retries the page, unless its attempts are used up or the requested delay is too long.
fn retry(
    ctx: &Context,
    page: &PageTask,
    retry_after: Option<Duration>,
    attempts: i32,
    cause: Cause,
) -> Outcome {
    let backoff = ctx.config().jobs.backoff_base * 2_u32.saturating_pow(page.attempt.unsigned_abs());
    let pause = retry_after.filter(|pause| !pause.is_zero()).unwrap_or(backoff);
    if page.attempt + 1 >= attempts || pause > MAX_RETRY_DELAY {
        return Outcome::failed(cause);
    }
    Outcome::RetryLater(pause, cause)
}
