//! Parlance's REST API. This file is the endpoint table.
//!
//! A request passes `request_id` (id, span, envelope), the router, `auth` (the tenant check) and
//! a handler, which is one sentence: parse, call the domain's verb, show what came of it. One file a
//! slice; what fails, in any of them, becomes an answer in `error`.
//!
//! Must never: touch the database, the queue or a model but through the domain's verbs.

use std::io;
use std::time::Duration;

use parlance_core::Context;
use parlance_core::health::Health;
use poem::listener::TcpAcceptor;
use poem::{Endpoint, EndpointExt, Response, Route, Server, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::middleware::cors::Cors;
use crate::middleware::disconnect::Noticing;
use crate::middleware::path_table::Routes;
use crate::middleware::shutdown::Leaving;
use crate::middleware::{edge, no_store};
use crate::routes::cached::Remembered;
use crate::routes::{
    analytics, api_keys, bots, conversations, health, jobs, knowledge, metrics, openai, tenant,
};

mod error;
mod extract;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod middleware;
mod openapi;
mod response;
mod routes;
#[cfg(test)]
mod tests;

pub use openapi::openapi_json;

/// Where the API is; its paths in the specification are below it.
const BASE: &str = "/api/v1";

/// The slices, in the order of the reference.
type Apis =
    (tenant::Api, api_keys::Api, bots::Api, conversations::Api, analytics::Api, knowledge::Api, jobs::Api);

fn apis() -> Apis {
    Apis::default()
}

/// The whole service, as it is run and as it is tested.
fn build(ctx: Context, leaving: Leaving) -> impl Endpoint<Output = Response> + 'static {
    let requests = metrics::Requests::default();
    edge(table().data(ctx.clone()).data(requests.clone()), Some(ctx), requests, leaving)
}

/// Every path.
fn table() -> Route {
    operators(Route::new())
        .nest(BASE, openapi::service())
        .at("/v1/chat/completions", post(openai::complete))
        .at("/v1/models", get(openai::list_models))
        .at("/docs", get(openapi::swagger_ui()))
        .at("/openapi.json", get(openapi::specification()))
}

/// The paths for operators. They need no key, so what is dear in their answers is remembered.
fn operators(route: Route) -> Route {
    route
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz).data(Remembered::<Health>::default()))
        .at("/metrics", get(metrics::metrics).data(Remembered::<metrics::Told>::default()))
}

/// The layer around every path, and around none.
fn edge<E: Endpoint + 'static>(
    inner: E,
    ctx: Option<Context>,
    requests: metrics::Requests,
    leaving: Leaving,
) -> impl Endpoint<Output = Response> + 'static {
    let routes = Routes::of_api::<Apis>(BASE).into();
    let cors = ctx.as_ref().map(|ctx| Cors::of(&ctx.config().http.cors_origins)).unwrap_or_default();
    edge::Edge { inner: inner.into(), routes, ctx, cors, requests, leaving }.map(no_store::mark)
}

/// How a process that serves ends.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// How long it serves on when it was told to stop, and says so by `/readyz`, so that balancers notice.
    pub leave: Duration,
    /// How long requests may take to end after that.
    pub drain: Duration,
}

/// Serves until `stop` is cancelled, and a while longer; then takes no new connection, and lets every request that has
/// begun end.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    ctx: Context,
    listener: TcpListener,
    stop: CancellationToken,
    ending: Ending,
) -> io::Result<()> {
    let (told, leaving) = (stop.clone(), Leaving::at(stop.clone()));
    let closing = async move {
        told.cancelled().await;
        tokio::time::sleep(ending.leave).await;
    };
    let balanced = ctx.clone();
    let balance = async move { balanced.limits().requests.balance(balanced.bus(), &stop).await };
    let _balancing = AbortOnDropHandle::new(tokio::spawn(balance));
    let calibrated = ctx.clone();
    let prepare = async move { parlance_core::calibration::prepare(&calibrated).await };
    let _preparing = AbortOnDropHandle::new(tokio::spawn(prepare));
    Server::new_with_acceptor(Noticing(TcpAcceptor::from_tokio(listener)?))
        .name("api")
        .idle_timeout(IDLE)
        .run_with_graceful_shutdown(build(ctx, leaving), closing, Some(ending.drain))
        .await
}

/// How long a connection may be silent: longer than a crawl is waited for, and than the balancers' own usual time.
const IDLE: Duration = Duration::from_secs(75);

/// How long a request of whoever watches may hold up the end of a process.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Serves what an operator asks of a process that is no API: whether it lives, whether it can work, and what it counts.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_operator(ctx: Context, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let requests = metrics::Requests::default();
    let table = operators(Route::new()).data(ctx).data(requests.clone());
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .name("operator")
        .run_with_graceful_shutdown(
            edge(table, None, requests, Leaving::default()),
            stop.cancelled_owned(),
            Some(LAST_LOOK),
        )
        .await
}
