//! Outcome of a read page: its text and links, or the page to read instead.

use parlance_core::knowledge::crawl::{Cause, Fetched, Link, Outcome};
use parlance_core::providers::extract::Extraction;
use parlance_crawl::directives::Directives;
use parlance_crawl::fetcher::FetchResponse;
use parlance_crawl::scope;
use parlance_extract::protocol::{Document, Rejection, Web};
use url::Url;

use super::link;
use super::site::Site;
use super::visit::out_of_scope;

/// Number of letters and digits below which a page may only redirect, or only contain frames.
const SHORT_PAGE: usize = 300;

/// Next step of a visit after a page was read.
pub(super) enum Step {
    /// The visit ends.
    Settle(Outcome),
    /// The page redirects to another page of the site.
    Follow(Url),
    /// The page lacks text of its own. These frames outside the scope are part of it.
    Frames(Outcome, Vec<Url>),
}

/// Determines the next step after a page. `is_new`: the visit has not been at a URL and may continue there.
/// `may_leave`: the visit may leave the scope.
pub(super) fn step(
    site: &Site,
    fetched: &FetchResponse,
    reply: Extraction,
    is_new: impl Fn(&Url) -> bool,
    may_leave: bool,
) -> Step {
    let (document, rejection, web) = match reply {
        Ok(mut document) => {
            let web = document.web.take().unwrap_or_default();
            (Some(document), None, web)
        }
        Err(mut rejection) => {
            let web = rejection.web.take().map(|web| *web).unwrap_or_default();
            (None, Some(rejection), web)
        }
    };
    let is_short = document.as_ref().is_none_or(|document| is_short(&document.text));
    let refresh = web.refresh.as_deref().and_then(|next| Url::parse(next).ok());
    if is_short && let Some(next) = refresh.or_else(|| fetched.refresh.clone()) {
        match (is_new(&next), site.scope().contains(&next) || may_leave) {
            (true, true) => return Step::Follow(next),
            (true, false) if document.is_none() => return Step::Settle(out_of_scope(&next)),
            (false, _) if document.is_none() => return Step::Settle(circle(fetched)),
            _ => {}
        }
    }
    let directives = directives(fetched, &web);
    let links = if directives.nofollow { Vec::new() } else { links(site, fetched, &web) };
    if directives.noindex {
        let cause = Cause::new("noindex", "The page asks not to be indexed.").with_status(fetched.status);
        return Step::Settle(Outcome::Skipped(cause, links));
    }
    let (inside, outside) = frames(site, fetched, &web);
    let outcome = match (document, rejection) {
        (Some(document), _) if !(is_short && inside > 0 && is_frameset(fetched)) => {
            kept(fetched, document, &web, links)
        }
        (None, Some(rejection)) if inside == 0 => failed(fetched, rejection, links),
        _ => {
            let message = "It only shows other pages in frames; they are read as pages of their own.";
            Outcome::Skipped(Cause::new("frameset", message).with_status(fetched.status), links)
        }
    };
    if is_short && !outside.is_empty() { Step::Frames(outcome, outside) } else { Step::Settle(outcome) }
}

/// Whether a page is a frameset: its text is a note for browsers without frames.
fn is_frameset(fetched: &FetchResponse) -> bool {
    const TAG: &[u8] = b"<frameset";
    fetched.body.windows(TAG.len()).any(|bytes| bytes.eq_ignore_ascii_case(TAG))
}

/// Whether a text has few letters and digits.
fn is_short(text: &str) -> bool {
    text.chars().filter(|character| character.is_alphanumeric()).take(SHORT_PAGE).count() < SHORT_PAGE
}

fn kept(fetched: &FetchResponse, document: Document, web: &Web, links: Vec<Link>) -> Outcome {
    let canonical = web.canonical.as_deref().and_then(|canonical| Url::parse(canonical).ok());
    Outcome::Fetched(Fetched {
        url: fetched.url.to_string(),
        title: document.title,
        text: document.text,
        markup: document.markup.into(),
        http_status: i32::from(fetched.status),
        bytes: i64::try_from(fetched.body.len()).unwrap_or(i64::MAX),
        aliases: vec![scope::key(&fetched.url)],
        canonical: canonical.map(|canonical| scope::key(&canonical)),
        links,
    })
}

/// Outcome of a rejected page, with its links: a page without text of its own may link to others.
fn failed(fetched: &FetchResponse, rejection: Rejection, links: Vec<Link>) -> Outcome {
    let cause = Cause::new(rejection.verdict.as_str(), rejection.message).with_status(fetched.status);
    Outcome::Failed(cause, links)
}

fn circle(fetched: &FetchResponse) -> Outcome {
    let message = "The page sends the visitor on in a circle, or too many times.";
    Outcome::failed(Cause::new("too_many_redirects", message).with_status(fetched.status))
}

/// The directives of the page and its headers.
fn directives(fetched: &FetchResponse, web: &Web) -> Directives {
    // The page's `unavailable_after` is parsed like the header.
    let until = web.unavailable_after.as_deref().map(|until| format!("unavailable_after: {until}"));
    let lines = fetched.x_robots_tag.iter().map(String::as_str).chain(until.as_deref());
    let headers = Directives::of_headers(lines);
    Directives { noindex: web.noindex || headers.noindex, nofollow: web.nofollow || headers.nofollow }
}

/// Links of a page within the scope: frames, links, target of a refresh, and canonical page.
fn links(site: &Site, fetched: &FetchResponse, web: &Web) -> Vec<Link> {
    let targets = web.frames.iter().chain(&web.links).chain(&web.refresh).chain(&web.canonical);
    let own = scope::key(&fetched.url);
    targets
        .filter_map(|raw| Url::parse(raw).ok())
        .filter(|url| site.scope().contains(url))
        .map(|url| link(&url))
        .filter(|link| link.key != own)
        .collect()
}

/// The number of frames within the scope, and the frames of the same host outside it.
fn frames(site: &Site, fetched: &FetchResponse, web: &Web) -> (usize, Vec<Url>) {
    let host = scope::site(&fetched.url);
    let frames = web.frames.iter().filter_map(|raw| Url::parse(raw).ok());
    let (inside, outside): (Vec<_>, Vec<_>) =
        frames.filter(|frame| scope::site(frame) == host).partition(|frame| site.scope().contains(frame));
    (inside.len(), outside)
}
