//! Parlance's REST API: assembles the service, routes first, then the middleware in order.
//!
//! A request passes the middleware, the router, the tenant extractor and a handler. A handler parses the request,
//! calls one function of the domain and maps the result to a response; `routes` has one folder per resource, and
//! each handler declares its path in its attribute. `error` alone maps failures to responses.
//!
//! Must never access the database, the queue or a model except through the domain's functions.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parlance_core::Context;
use parlance_core::health::Health;
use poem::{Endpoint, EndpointExt, Response, Route, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::middleware::cors::{self, Cors};
use crate::middleware::matched_route::{self, RouteTable};
use crate::middleware::metrics::{self, RequestMetrics};
use crate::middleware::shutdown::{self, Shutdown};
use crate::middleware::{admission, body_timeout, error_envelope, idempotency, no_store, request_id};
use crate::routes::cached::Cached;
use crate::routes::metrics::{LedgerSnapshot, serve_metrics};
use crate::routes::{analytics, api_keys, bots, conversations, health, jobs, knowledge, openai, tenant};
use crate::server::{ConnectionMetrics, Connections, Server};

mod body_limits;
mod error;
mod extract;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod middleware;
mod openapi;
mod response;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub use openapi::openapi_json;

/// The base path of the API; the specification's paths are relative to it.
const BASE: &str = "/api/v1";

/// The resources, in the order of the reference.
type Apis =
    (tenant::Api, api_keys::Api, bots::Api, conversations::Api, analytics::Api, knowledge::Api, jobs::Api);

fn apis() -> Apis {
    Apis::default()
}

/// The whole service; `main` and the tests run the same.
fn build(
    ctx: Context,
    shutdown: Shutdown,
    connections: ConnectionMetrics,
) -> impl Endpoint<Output = Response> + 'static {
    let metrics = RequestMetrics::default();
    let routes = routes().data(ctx.clone()).data(metrics.clone()).data(connections);
    with_middleware(routes, Some(ctx), metrics, shutdown)
}

/// Every route of the service.
fn routes() -> Route {
    operator_routes(Route::new())
        .nest(BASE, openapi::service())
        .at("/v1/chat/completions", post(openai::complete))
        .at("/v1/models", get(openai::list_models))
        .at("/docs", get(openapi::swagger_ui()))
        .at("/openapi.json", get(openapi::specification()))
}

/// Routes for operators. They need no key, so expensive results are cached.
fn operator_routes(route: Route) -> Route {
    route
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz).data(Cached::<Health>::default()))
        .at("/metrics", get(serve_metrics).data(Cached::<LedgerSnapshot>::default()))
}

/// Wraps `routes` in the middleware, from the innermost to the outermost. Without `ctx`, CORS and idempotency
/// keys are off.
fn with_middleware(
    routes: impl Endpoint<Output = Response> + 'static,
    ctx: Option<Context>,
    metrics: RequestMetrics,
    shutdown: Shutdown,
) -> impl Endpoint<Output = Response> + 'static {
    let table = Arc::new(RouteTable::of_api::<Apis>(BASE));
    let cors = ctx.as_ref().map(|ctx| Cors::of(&ctx.config().http.cors_origins)).unwrap_or_default();
    let preflights = cors.clone();
    routes
        .around(move |next, request| matched_route::record(next, request, Arc::clone(&table)))
        .around(error_envelope::apply)
        .around(move |next, request| metrics::record(next, request, metrics.clone()))
        // Type erasure: the nested futures would exceed the compiler's recursion limit.
        .boxed()
        .around(move |next, request| idempotency::settle(next, request, ctx.clone()))
        .around(move |next, request| cors::preflight(next, request, preflights.clone()))
        .around(body_timeout::apply)
        .around(request_id::assign)
        .around(admission::headers)
        .around(move |next, request| shutdown::close_connections(next, request, shutdown.clone()))
        .around(move |next, request| cors::headers(next, request, cors.clone()))
        .map(no_store::apply)
}

/// Durations of a graceful shutdown.
#[derive(Clone, Copy, Debug)]
pub struct ShutdownTimes {
    /// How long the process serves on while `/readyz` reports that it stops, so that load balancers notice.
    pub announce: Duration,
    /// How long open requests may take after that.
    pub drain: Duration,
}

/// Serves until `stop` is cancelled and `times.announce` has passed; then accepts no connections, and finishes the
/// open requests.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    ctx: Context,
    listener: TcpListener,
    stop: CancellationToken,
    times: ShutdownTimes,
) -> io::Result<()> {
    let shutdown = Shutdown::on(stop.clone());
    let announcing = shutdown.clone();
    let stop_accepting = async move {
        announcing.started().await;
        tokio::time::sleep(times.announce).await;
    };
    let limits_ctx = ctx.clone();
    let balance = async move { limits_ctx.limits().requests.balance(limits_ctx.bus(), &stop).await };
    let _balance = AbortOnDropHandle::new(tokio::spawn(balance));
    let calibration_ctx = ctx.clone();
    let calibrate = async move { parlance_core::calibration::prepare(&calibration_ctx).await };
    let _calibrate = AbortOnDropHandle::new(tokio::spawn(calibrate));
    if let Some(models) = ctx.chat().cloned() {
        // Builds the tokenizer, which takes a second, before the first question needs it.
        tokio::task::spawn_blocking(move || models.count_tokens(""));
    }
    let connections = Connections::new(&ctx.config().http);
    let endpoint = build(ctx.clone(), shutdown, connections.metrics());
    let server = Server { name: "api", listener, connections };
    server.run(&ctx.config().http, endpoint, stop_accepting, times.drain).await
}

/// How long open operator requests may delay the end of a process.
const OPERATOR_DRAIN: Duration = Duration::from_secs(1);

/// Serves health, readiness and metrics of a process that serves no API.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_operator(ctx: Context, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let metrics = RequestMetrics::default();
    let connections = Connections::new(&ctx.config().http);
    let routes =
        operator_routes(Route::new()).data(ctx.clone()).data(metrics.clone()).data(connections.metrics());
    let endpoint = with_middleware(routes, None, metrics, Shutdown::default());
    let server = Server { name: "operator", listener, connections };
    server.run(&ctx.config().http, endpoint, stop.cancelled_owned(), OPERATOR_DRAIN).await
}
