//! Answers are for who asked: nobody on the way keeps one, and no browser takes it for another kind of thing than it
//! is said to be. What is for everybody (the pages of the documentation) or has reasons of its own (a stream) says so
//! itself.

use poem::Response;
use poem::http::{HeaderValue, header};

/// Adds to an answer what it does not say itself.
pub(crate) async fn mark(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}
