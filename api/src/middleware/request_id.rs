//! Request id and request span: accepted from `X-Request-Id` or generated, and returned in the same header.

use std::sync::Arc;

use parlance_core::platform::propagation::{self, TRACEPARENT};
use poem::http::{HeaderName, HeaderValue};
use poem::{Endpoint, Request, Response, Result};
use tracing::{Instrument, Span};
use uuid::Uuid;

/// The header of requests and responses.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id accepted from a client.
const MAX_LENGTH: usize = 128;

/// The id of a request, attached to it for the inner middleware.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The id attached by [`assign`].
    pub(crate) fn of(request: &Request) -> Self {
        request.data().cloned().unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Assigns the request's id, runs the rest in a span that carries it, and adds the response header.
pub(crate) async fn assign<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let id = accept_or_generate(request.headers().get(HEADER));
    let span = span(&request, &id);
    request.set_data(RequestId(id.clone()));
    let mut response = next.call(request).instrument(span).await?;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, id);
    }
    Ok(response)
}

fn span(request: &Request, id: &str) -> Span {
    let span = tracing::info_span!(
        "request",
        request.id = id,
        http.request.method = %request.method(),
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
        tenant.id = tracing::field::Empty,
        trace.id = tracing::field::Empty,
    );
    let traceparent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    propagation::follow(&span, traceparent);
    // At debug level only: a path can hold a customer's email address as a session id.
    tracing::debug!(parent: &span, http.path = request.uri().path(), "request received");
    span
}

/// Returns the client's id if it is safe for a log line and a header, otherwise a new one.
fn accept_or_generate(given: Option<&HeaderValue>) -> String {
    given
        .and_then(|id| id.to_str().ok())
        .filter(|id| (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(id: &[u8]) -> String {
        accept_or_generate(Some(&HeaderValue::from_bytes(id).unwrap()))
    }

    #[test]
    fn a_valid_id_is_kept_and_any_other_replaced() {
        assert_eq!(accept(b"abc-123"), "abc-123");
        assert_eq!(accept(&[b'x'; 128]), "x".repeat(128));
        for bad in [&b""[..], b"a b", b"\xfc", &[b'x'; 129]] {
            assert!(accept(bad).parse::<Uuid>().is_ok(), "{bad:?}");
        }
        assert!(accept_or_generate(None).parse::<Uuid>().is_ok());
    }
}
