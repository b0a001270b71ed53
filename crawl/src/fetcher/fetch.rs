//! A single fetch: manual redirects so that each is checked, one time limit, and a size-limited body.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderName, LOCATION, REFRESH,
    RETRY_AFTER,
};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::pace::{Pace, Room, SMALL_BODY};

use super::cookies::Cookies;
use super::network_time::NetworkTime;
use super::resolver::ResolveError;
use super::{FetchError, Fetcher};

/// Bytes kept of an error page: enough to recognise a challenge.
const ERROR_PAGE: usize = 256 * 1024;

/// Longest delay of a `Refresh` header that counts as a redirect, in seconds.
const MAX_REFRESH_SECONDS: f64 = 10.0;

/// Response to a fetch, of any status.
#[derive(Debug, Clone)]
pub struct FetchResponse {
    /// Final URL after redirects, without a fragment.
    pub url: Url,
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header with its parameters.
    pub media_type: Option<String>,
    /// Decompressed body. For an error status, at most the first 256 KiB.
    pub body: Bytes,
    /// Redirect targets in order; the last one is `url`.
    pub redirects: Vec<Url>,
    /// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
    pub retry_after: Option<Duration>,
    /// The `X-Robots-Tag` header lines: see [`crate::directives`].
    pub x_robots_tag: Vec<String>,
    /// The `Content-Disposition` header: see [`crate::disposition`].
    pub content_disposition: Option<String>,
    /// Target of a `Refresh` header with a delay of at most ten seconds, without a fragment. Browsers follow
    /// it like `meta refresh`.
    pub refresh: Option<Url>,
    /// `Cf-Mitigated`: action of the site's Cloudflare shield.
    pub mitigated: Option<String>,
    /// Room of a large body, if it was read by [`Fetcher::fetch_with_room`].
    pub room: Option<Room>,
}

impl FetchResponse {
    /// Whether the status is a success (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Drops the body, and gives its room back if there are no clones.
    pub fn release(&mut self) {
        self.body = Bytes::new();
        self.room = None;
    }
}

/// Result of a fetch with the time that the site took for it.
#[derive(Debug)]
pub struct Timed {
    /// The response, or why there is none.
    pub fetched: Result<FetchResponse, FetchError>,
    /// Time of the network: lookups, connections, responses and the body, without the wait for [`Pace::room`].
    pub took: Duration,
}

/// Handling of a body over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnExcess {
    /// Fail the fetch.
    Fail,
    /// Keep the start and stop reading.
    Truncate,
}

/// Options of a fetch.
#[derive(Clone, Copy)]
pub(crate) struct FetchOptions<'a> {
    pub(crate) accept: &'a str,
    pub(crate) max_bytes: usize,
    pub(crate) on_excess: OnExcess,
    pub(crate) max_redirects: usize,
    /// Limits the number of large bodies; `None`: only their size is limited.
    pub(crate) pace: Option<&'a dyn Pace>,
}

impl Fetcher {
    pub(crate) async fn run(
        &self,
        url: &Url,
        options: FetchOptions<'_>,
    ) -> Result<FetchResponse, FetchError> {
        self.run_timed(url, options).await.fetched
    }

    pub(crate) async fn run_timed(&self, url: &Url, options: FetchOptions<'_>) -> Timed {
        let mut time = NetworkTime::new(self.config.page_timeout);
        let fetched = self.follow(url, options, &mut time).await;
        Timed { fetched, took: time.spent() }
    }

    async fn follow(
        &self,
        url: &Url,
        options: FetchOptions<'_>,
        time: &mut NetworkTime,
    ) -> Result<FetchResponse, FetchError> {
        let mut url = url.clone();
        url.set_fragment(None);
        let mut redirects = Vec::new();
        let mut cookies = Cookies::default();
        loop {
            let reach = self.rules.route(&url)?;
            let mut request = self.clients.of(reach).get(url.clone()).header(ACCEPT, options.accept);
            if let Some(header) = cookies.header(&url) {
                request = request.header(COOKIE, header);
            }
            let response = time.wait_for(request.send()).await?.map_err(|error| failure(&url, error))?;
            cookies.take(&url, response.headers());
            let Some(next) = redirect(&url, &response) else {
                return read(url, response, redirects, options, time).await;
            };
            if redirects.len() == options.max_redirects {
                return Err(FetchError::TooManyRedirects);
            }
            redirects.push(next.clone());
            url = next;
        }
    }
}

/// The target of a redirect. A redirect without a usable `Location` counts as a final response.
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
    options: FetchOptions<'_>,
    time: &mut NetworkTime,
) -> Result<FetchResponse, FetchError> {
    let (status, headers) = (response.status(), response.headers());
    let mut fetched = FetchResponse {
        status: status.as_u16(),
        media_type: text(headers, CONTENT_TYPE),
        body: Bytes::new(),
        redirects,
        retry_after: text(headers, RETRY_AFTER)
            .and_then(|value| retry_after(&value, text(headers, DATE).as_deref())),
        x_robots_tag: lines(headers, HeaderName::from_static("x-robots-tag")),
        content_disposition: text(headers, CONTENT_DISPOSITION),
        refresh: text(headers, REFRESH).and_then(|value| refresh(&url, &value)),
        mitigated: text(headers, HeaderName::from_static("cf-mitigated")),
        room: None,
        url,
    };
    let limits = limits(status, options);
    fetched.body = body(&fetched.url, response, limits, options.pace, &mut fetched.room, time).await?;
    Ok(fetched)
}

fn limits(status: StatusCode, options: FetchOptions<'_>) -> (usize, OnExcess) {
    if status.is_success() {
        (options.max_bytes, options.on_excess)
    } else {
        (options.max_bytes.min(ERROR_PAGE), OnExcess::Truncate)
    }
}

/// Reads the body up to its limit. At most the limit plus one chunk is in memory. A large body takes `room`.
async fn body(
    url: &Url,
    mut response: Response,
    (limit, on_excess): (usize, OnExcess),
    pace: Option<&dyn Pace>,
    room: &mut Option<Room>,
    time: &mut NetworkTime,
) -> Result<Bytes, FetchError> {
    let too_large = FetchError::TooLarge { limit };
    let declared = response.content_length().unwrap_or(0);
    if on_excess == OnExcess::Fail && declared > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = time.wait_for(response.chunk()).await?.map_err(|error| failure(url, error))? {
        if body.len() + chunk.len() > SMALL_BODY
            && room.is_none()
            && let Some(pace) = pace
        {
            *room = Some(pace.room().await);
        }
        let rest = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(rest)]);
        if chunk.len() > rest {
            return if on_excess == OnExcess::Truncate { Ok(body.freeze()) } else { Err(too_large) };
        }
    }
    Ok(body.freeze())
}

fn lines(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines = lines(headers, name);
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// The delay of a `Retry-After` value. A date is relative to the response's `Date`, so that a wrong clock on
/// either side does not matter.
fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    Some(at.duration_since(now.unwrap_or_else(std::time::SystemTime::now)).unwrap_or_default())
}

/// The target of a `Refresh` value such as `0; url=/next`; `None` for delays above [`MAX_REFRESH_SECONDS`],
/// which update live pages.
fn refresh(url: &Url, value: &str) -> Option<Url> {
    let (seconds, target) = value.split_once([';', ','])?;
    let seconds: f64 = seconds.trim().parse().ok()?;
    let target = target.trim();
    let target = match target.split_once('=') {
        Some((name, target)) if name.trim().eq_ignore_ascii_case("url") => target.trim(),
        _ => target,
    };
    let target = target.trim_matches(['"', '\'']);
    let mut next = url.join(target).ok().filter(|_| !target.is_empty() && seconds <= MAX_REFRESH_SECONDS)?;
    next.set_fragment(None);
    (next != *url).then_some(next)
}

/// Maps a client error. A resolver error is at the end of the source chain.
fn failure(url: &Url, error: reqwest::Error) -> FetchError {
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<ResolveError>() {
            Some(ResolveError::Refused(refusal)) => return FetchError::Refused(refusal.clone()),
            Some(ResolveError::Timeout(_)) => return FetchError::Timeout,
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
