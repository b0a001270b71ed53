//! The outermost layer: every request has an id and a span, and every answer, whatever it came from,
//! leaves in the envelope with the id in its header.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use parlance_core::Context;
use parlance_core::platform::propagation::{self, TRACEPARENT};
use poem::error::MethodNotAllowedError;
use poem::http::{HeaderName, HeaderValue, Method};
use poem::{Endpoint, IntoResponse, PathPattern, Request, Response, Result};
use tracing::Instrument;
use uuid::Uuid;

use crate::error::ApiError;
use crate::extract::idempotency_key::Once;
use crate::middleware::admission::Admitted;
use crate::middleware::body_timeout;
use crate::middleware::cors::{Cors, Leave};
use crate::middleware::path_table::Routes;
use crate::middleware::shutdown::Leaving;
use crate::response::envelope::Unwritten;
use crate::routes::metrics::Requests;

/// The header, in requests and answers.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const LENGTH: usize = 128;

/// The API's outermost layer.
pub(crate) struct Edge<E> {
    pub(crate) inner: Arc<E>,
    pub(crate) routes: Arc<Routes>,
    /// To keep answers; `None`: none are.
    pub(crate) ctx: Option<Context>,
    /// The pages that may ask.
    pub(crate) cors: Cors,
    /// Where requests are counted.
    pub(crate) requests: Requests,
    /// Whether the process ends.
    pub(crate) leaving: Leaving,
}

impl<E> Clone for Edge<E> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            routes: Arc::clone(&self.routes),
            ctx: self.ctx.clone(),
            cors: self.cors.clone(),
            requests: self.requests.clone(),
            leaving: self.leaving.clone(),
        }
    }
}

impl<E: Endpoint + 'static> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let id = given_or_made(request.headers().get(HEADER));
        let method = request.method().clone();
        let span = tracing::info_span!(
            "request",
            request.id = id,
            http.request.method = %method,
            http.route = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
            tenant.id = tracing::field::Empty,
            trace.id = tracing::field::Empty,
        );
        let traceparent = request.headers().get(TRACEPARENT).and_then(|told| told.to_str().ok());
        propagation::follow(&span, traceparent);
        // A path may hold a customer's address, as the name of a session.
        tracing::debug!(parent: &span, http.path = request.uri().path(), "asked");
        let leave = self.cors.asked(&request);
        let admitted = Admitted::default();
        request.set_data(admitted.clone());
        request.set_data(self.leaving.clone());
        let version = request.version();
        body_timeout::over(&mut request);
        let once = Once::of(&request).zip(self.ctx.clone());
        let preflight = leave.as_ref().and_then(Leave::preflight);
        let mut response = match (preflight, once) {
            (Some(response), _) => response,
            (None, None) => self.answer(request, &method, &id).instrument(span).await,
            (None, Some((once, ctx))) => {
                request.set_data(once.clone());
                // A task of its own: what the client can ask for again goes on when it has gone.
                let (edge, name) = (self.clone(), id.clone());
                let work = async move {
                    let response = edge.answer(request, &method, &name).await;
                    once.settle(&ctx, response).await
                };
                match tokio::spawn(work.instrument(span)).await {
                    Ok(response) => response,
                    Err(error) => ApiError::panicked(&error.to_string()).respond(&id),
                }
            }
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, id);
        }
        admitted.tell(&mut response);
        self.leaving.part(version, &mut response);
        if let Some(leave) = leave {
            leave.give(response.headers_mut());
        }
        Ok(response)
    }
}

impl<E: Endpoint + 'static> Edge<E> {
    async fn answer(&self, request: Request, method: &Method, id: &str) -> Response {
        let begun = Instant::now();
        let outcome = AssertUnwindSafe(self.inner.call(request)).catch_unwind().await;
        let outcome = outcome.map(|outcome| outcome.map(IntoResponse::into_response));
        let pattern = match &outcome {
            Ok(Ok(response)) => response.data::<PathPattern>().cloned(),
            Ok(Err(error)) => error.data::<PathPattern>().cloned(),
            Err(_) => None,
        };
        let route = pattern.as_ref().map(|pattern| self.routes.of(&pattern.0));
        if let Some(route) = &route {
            tracing::Span::current().record("http.route", route.path);
        }
        let response = match outcome {
            Ok(Ok(response)) => match response.data::<Unwritten>() {
                None => response,
                Some(Unwritten(why)) => ApiError::unwritable(why.as_str()).respond(id),
            },
            Ok(Err(error)) if error.is::<MethodNotAllowedError>() => {
                let allow = route.as_ref().map_or("", |route| route.allow);
                if *method == Method::OPTIONS {
                    options(allow)
                } else {
                    ApiError::method_not_allowed(method, allow).respond(id)
                }
            }
            Ok(Err(error)) => ApiError::of_poem(error).respond(id),
            Err(panic) => ApiError::panicked(&*panic).respond(id),
        };
        let took = begun.elapsed();
        let template = route.as_ref().map(|route| route.path);
        self.requests.answered(method, template, response.status().as_u16(), took);
        let latency_ms = took.as_secs_f64() * 1_000.0;
        tracing::Span::current().record("http.response.status_code", response.status().as_u16());
        tracing::info!(latency_ms, "answered");
        response
    }
}

fn options(allow: &str) -> Response {
    let status = poem::http::StatusCode::NO_CONTENT;
    Response::builder().status(status).header(poem::http::header::ALLOW, allow).finish()
}

/// The client's id when it is one that a log and a header can carry; else a fresh one.
fn given_or_made(given: Option<&HeaderValue>) -> String {
    given
        .and_then(|id| id.to_str().ok())
        .filter(|id| (1..=LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(id: &[u8]) -> String {
        given_or_made(Some(&HeaderValue::from_bytes(id).unwrap()))
    }

    #[test]
    fn a_decent_id_is_taken_and_any_other_replaced() {
        assert_eq!(given(b"abc-123"), "abc-123");
        assert_eq!(given(&[b'x'; 128]), "x".repeat(128));
        for bad in [&b""[..], b"a b", b"\xfc", &[b'x'; 129]] {
            assert!(given(bad).parse::<Uuid>().is_ok(), "{bad:?}");
        }
        assert!(given_or_made(None).parse::<Uuid>().is_ok());
    }
}
