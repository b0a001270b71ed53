//! Default `Cache-Control: no-store` and `X-Content-Type-Options: nosniff` of responses.
//!
//! Responses are for their caller only, so no cache keeps one and no browser guesses another type.
//! Handlers of public pages and streams set their own headers, which are kept.

use poem::Response;
use poem::http::{HeaderValue, header};

/// Adds the headers that the response does not have.
pub(crate) async fn apply(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}
