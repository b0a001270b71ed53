//! One fetch: redirects followed by hand so that each is checked, one deadline over all of it, and a
//! body read piece by piece up to its limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::names::NameError;
use super::{Door, FetchError};

/// Bytes kept of a page that is an error: enough to tell a challenge from a sentence.
const ERROR_PAGE: usize = 256 * 1024;

/// What a site answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Where the answer came from: after redirects, without a fragment.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The whole `Content-Type`, with its parameters.
    pub media_type: Option<String>,
    /// The inflated body. Of a status that is no success, its first 256 KiB at most.
    pub body: Bytes,
    /// The addresses that were redirected to, in order; the last one is `url`.
    pub redirects: Vec<Url>,
    /// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
    pub retry_after: Option<Duration>,
    /// `X-Robots-Tag`, all of its lines joined by commas.
    pub x_robots_tag: Option<String>,
    /// `Cf-Mitigated`: what a shield before the site says it did.
    pub mitigated: Option<String>,
}

impl Fetched {
    /// Whether the status is a success (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What to do with a body over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The fetch fails.
    Refuse,
    /// The rest is not read.
    Cut,
}

/// How to fetch a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) accept: &'a str,
    pub(crate) max_bytes: usize,
    pub(crate) excess: Excess,
    pub(crate) max_redirects: usize,
}

impl Door {
    pub(crate) async fn run(&self, url: &Url, request: Request<'_>) -> Result<Fetched, FetchError> {
        let deadline = Instant::now() + self.config.page_timeout;
        timeout_at(deadline, self.follow(url, request)).await.map_err(|_elapsed| FetchError::Timeout)?
    }

    async fn follow(&self, url: &Url, request: Request<'_>) -> Result<Fetched, FetchError> {
        let mut url = url.clone();
        url.set_fragment(None);
        let mut redirects = Vec::new();
        loop {
            let reach = self.rules.route(&url)?;
            let sent = self.clients.of(reach).get(url.clone()).header(ACCEPT, request.accept).send();
            let response = sent.await.map_err(|error| failure(&url, error))?;
            let Some(next) = redirect(&url, &response) else {
                return read(url, response, redirects, request).await;
            };
            if redirects.len() == request.max_redirects {
                return Err(FetchError::TooManyRedirects);
            }
            redirects.push(next.clone());
            url = next;
        }
    }
}

/// Where a redirect leads. One without a usable `Location` is an answer like any other.
fn redirect(url: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(response.headers().get(LOCATION)?.as_bytes()).ok()?;
    let mut next = url.join(location).ok()?;
    next.set_fragment(None);
    Some(next)
}

async fn read(
    url: Url,
    response: Response,
    redirects: Vec<Url>,
    request: Request<'_>,
) -> Result<Fetched, FetchError> {
    let (status, headers) = (response.status(), response.headers());
    let mut fetched = Fetched {
        status: status.as_u16(),
        media_type: text(headers, CONTENT_TYPE),
        body: Bytes::new(),
        redirects,
        retry_after: text(headers, RETRY_AFTER).and_then(|value| retry_after(&value)),
        x_robots_tag: text(headers, HeaderName::from_static("x-robots-tag")),
        mitigated: text(headers, HeaderName::from_static("cf-mitigated")),
        url,
    };
    fetched.body = body(&fetched.url, response, limits(status, request)).await?;
    Ok(fetched)
}

fn limits(status: StatusCode, request: Request<'_>) -> (usize, Excess) {
    if status.is_success() {
        (request.max_bytes, request.excess)
    } else {
        (request.max_bytes.min(ERROR_PAGE), Excess::Cut)
    }
}

/// The body up to its limit. At most the limit and one piece are ever in memory.
async fn body(
    url: &Url,
    mut response: Response,
    (limit, excess): (usize, Excess),
) -> Result<Bytes, FetchError> {
    let too_large = FetchError::TooLarge { limit };
    let promised = response.content_length().unwrap_or(0);
    if excess == Excess::Refuse && promised > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large);
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failure(url, error))? {
        let room = limit - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            return if excess == Excess::Cut { Ok(body.freeze()) } else { Err(too_large) };
        }
    }
    Ok(body.freeze())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}

/// What a client's error means. The name's trouble lies at the bottom of its causes.
fn failure(url: &Url, error: reqwest::Error) -> FetchError {
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<NameError>() {
            Some(NameError::Refused(refusal)) => return FetchError::Refused(refusal.clone()),
            Some(NameError::Timeout(_)) => return FetchError::Timeout,
            Some(_) => return FetchError::Dns(url.host_str().unwrap_or_default().to_owned()),
            None => cause = inner.source(),
        }
    }
    match error {
        error if error.is_timeout() => FetchError::Timeout,
        error if error.is_connect() => FetchError::Connect(error.without_url()),
        error => FetchError::Broken(error.without_url()),
    }
}
