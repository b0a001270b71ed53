//! Request metrics: duration by method, route template and status; one log line per request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlance_core::platform::meters::seconds;
use poem::http::Method;
use poem::{Endpoint, Request, Response, Result};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::middleware::matched_route::MatchedRoute;

/// Durations of the requests that this process has answered. Clones share the counts.
#[derive(Clone)]
pub(crate) struct RequestMetrics(Family<Labels, Histogram, fn() -> Histogram>);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        Self(Family::new_with_constructor(seconds))
    }
}

impl RequestMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_request_seconds",
            "Duration of requests by method, route and status",
            self.0.clone(),
        );
    }

    /// Labels are bounded: `route` is a template, never a path, and unknown methods share one label.
    fn observe(&self, method: &Method, route: Option<&str>, status: u16, elapsed: Duration) {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let method = known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
        let labels = Labels { method, route: route.unwrap_or("none").to_owned(), status };
        self.0.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }
}

/// Measures and logs the request.
pub(crate) async fn record<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
    metrics: RequestMetrics,
) -> Result<Response> {
    let started = Instant::now();
    let method = request.method().clone();
    let response = next.call(request).await?;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let route = response.data::<MatchedRoute>().map(MatchedRoute::template);
    metrics.observe(&method, route, status, elapsed);
    tracing::Span::current().record("http.response.status_code", status);
    tracing::info!(latency_ms = elapsed.as_secs_f64() * 1_000.0, "request completed");
    Ok(response)
}
