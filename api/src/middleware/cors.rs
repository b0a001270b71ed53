//! Cross-origin requests from the pages of configured web sites (Fetch standard, §3.2).
//!
//! A request from any other origin is answered like every request, without CORS headers: the browser withholds
//! the response from the page. The pages of this server are same-origin and need no headers.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";

/// Headers that a page may send.
const REQUEST_HEADERS: &str =
    "X-API-Key, Authorization, Content-Type, Accept, Idempotency-Key, Last-Event-ID, Prefer, X-Request-Id";

/// Headers that a page may read.
const RESPONSE_HEADERS: &str =
    "X-Request-Id, Idempotency-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";

/// How long a browser may cache a preflight response, in seconds.
const MAX_AGE: &str = "3600";

/// The allowed origins; `*` allows all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors(Arc<[String]>);

impl Cors {
    pub(crate) fn of(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect())
    }

    /// The request's origin, if it is allowed.
    fn allowed_origin<'a>(&self, request: &'a Request) -> Option<&'a HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        let matches = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        self.0.iter().any(matches).then_some(origin)
    }
}

/// Adds the headers that let an allowed page read the response. No credentials: keys come in a header.
pub(crate) async fn headers<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
    cors: Cors,
) -> Result<Response> {
    let origin = cors.allowed_origin(&request).cloned();
    let mut response = next.call(request).await?;
    if let Some(origin) = origin {
        allow(origin, response.headers_mut());
    }
    Ok(response)
}

/// Answers the preflight requests of allowed pages; no handler sees them.
pub(crate) async fn preflight<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
    cors: Cors,
) -> Result<Response> {
    if is_preflight(&request) && cors.allowed_origin(&request).is_some() {
        return Ok(preflight_response());
    }
    next.call(request).await
}

fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight_response() -> Response {
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    response
}

fn allow(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
