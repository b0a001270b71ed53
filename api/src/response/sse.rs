//! Server-sent events: what is the same of every stream.

use std::time::Duration;

use futures_util::Stream;
use poem::http::{HeaderValue, header};
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse, Request, Response};
use poem_openapi::registry::{MetaMediaType, MetaSchema};

use crate::extract::types::inline;

/// The media type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// How often a comment keeps the connection open.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Whether a request asks for events: its header `Accept` names them.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let name = range.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(EVENTS)
    })
}

/// An answer that goes on until the stream ends.
pub(crate) fn response(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let mut response = SSE::new(events).keep_alive(HEARTBEAT).into_response();
    // Proxies that collect an answer before they pass it on would make a stream of none.
    let headers = response.headers_mut();
    headers.insert("X-Accel-Buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The stream in the specification; the description says what its events are.
pub(crate) fn documented(description: &'static str) -> MetaMediaType {
    // No type: generators of clients take any that it has for the whole body's.
    let schema = inline(MetaSchema { description: Some(description), ..MetaSchema::ANY });
    MetaMediaType { content_type: EVENTS, schema }
}
