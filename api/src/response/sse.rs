//! Server-sent events: content negotiation, response headers and heartbeat of every stream.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse, Request, Response};
use poem_openapi::registry::{MetaMediaType, MetaSchema};
use tokio::sync::mpsc;

use crate::response::types::inline;

/// The media type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// Interval of the comments that keep the connection open.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Whether the request's `Accept` header names `text/event-stream`.
pub(crate) fn is_requested(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let name = range.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(EVENTS)
    })
}

/// The items of a channel as a stream; it ends when every sender is gone.
pub(crate) fn receiver_stream<T>(mut receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> {
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

/// A response that lasts until the stream ends. Dropping the response drops the stream.
pub(crate) fn response(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let mut response = SSE::new(events).keep_alive(HEARTBEAT).into_response();
    // Keeps proxies from buffering the stream.
    let headers = response.headers_mut();
    headers.insert("X-Accel-Buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The stream in the specification; `description` explains its events.
pub(crate) fn documented(description: &'static str) -> MetaMediaType {
    // No type: client generators would take it as the type of the whole body.
    let schema = inline(MetaSchema { description: Some(description), ..MetaSchema::ANY });
    MetaMediaType { content_type: EVENTS, schema }
}
