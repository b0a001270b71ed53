//! `/metrics`: what an operator watches, in Prometheus's text format. Counted by whoever works; here it is only
//! told. What the ledger is asked for is told as it was at most five seconds ago.

use std::sync::Arc;
use std::time::Duration;

use parlance_core::error::{Chain, Part};
use parlance_core::jobs::{Kind, State};
use parlance_core::platform::meters::seconds;
use parlance_core::{Context, jobs, knowledge};
use poem::http::Method;
use poem::web::Data;
use poem::{Response, handler};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::error::ApiError;
use crate::routes::cached::Remembered;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The requests that this process has answered.
#[derive(Clone)]
pub(crate) struct Requests(Family<Request, Histogram, fn() -> Histogram>);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for Requests {
    fn default() -> Self {
        Self(Family::new_with_constructor(seconds))
    }
}

impl Requests {
    /// One was answered. `route`: its template, never its path; `None` when there is none.
    pub(crate) fn answered(&self, method: &Method, route: Option<&str>, status: u16, took: Duration) {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let method = known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
        let request = Request { method, route: route.unwrap_or("none").to_owned(), status };
        self.0.get_or_create(&request).observe(took.as_secs_f64());
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Jobs {
    kind: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Connections {
    pool: &'static str,
    state: &'static str,
}

/// What the ledger told; `None` when it could not be asked.
pub(crate) type Told = Option<Arc<Ledger>>;

/// What everybody has done, and what is to be done; every API tells the same.
pub(crate) struct Ledger {
    jobs: Vec<(Kind, State, i64)>,
    /// In seconds.
    oldest_waiting: Vec<(Kind, f64)>,
    /// A name, what was found, and how many seconds ago.
    upkeep: Vec<(String, i64, f64)>,
}

#[handler]
pub(crate) async fn metrics(
    ctx: Data<&Context>,
    requests: Data<&Requests>,
    last: Data<&Remembered<Told>>,
) -> poem::Result<Response> {
    let ledger = last.or(told(&ctx)).await.ok_or_else(|| ApiError::unavailable(Part::Postgres, None))?;
    let mut registry = Registry::with_prefix("parlance");
    of_process(&ctx, &mut registry);
    registry.register("http_request_seconds", "Requests that were answered, by route", requests.0.0.clone());
    of_ledger(&ledger, &mut registry);
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| ApiError::unwritable(error.to_string().as_str()))?;
    Ok(Response::builder().content_type(OPEN_METRICS).body(body))
}

/// Whatever this process is, and has done.
fn of_process(ctx: &Context, registry: &mut Registry) {
    ctx.meters().register(registry);
    let connections = Family::<Connections, Gauge>::default();
    for (pool, size, idle) in ctx.db().connections() {
        let idle = idle as i64;
        connections.get_or_create(&Connections { pool, state: "idle" }).set(idle);
        connections.get_or_create(&Connections { pool, state: "used" }).set(i64::from(size) - idle);
    }
    registry.register("database_connections", "Connections to Postgres", connections);
    if let Some(bytes) = resident_bytes() {
        let memory = Gauge::<i64>::default();
        memory.set(bytes);
        registry.register("resident_memory_bytes", "Memory of this process", memory);
    }
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "What runs", build);
}

async fn told(ctx: &Context) -> Told {
    match Ledger::ask(ctx).await {
        Ok(ledger) => Some(Arc::new(ledger)),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "the ledger could not be asked for metrics");
            None
        }
    }
}

impl Ledger {
    async fn ask(ctx: &Context) -> parlance_core::Result<Self> {
        Ok(Self {
            jobs: jobs::count_by_state(ctx).await?,
            oldest_waiting: jobs::oldest_waiting(ctx).await?,
            upkeep: knowledge::upkeep::counts(ctx).await?,
        })
    }
}

fn of_ledger(ledger: &Ledger, registry: &mut Registry) {
    let counts = Family::<Jobs, Gauge>::default();
    for (kind, state, count) in &ledger.jobs {
        counts.get_or_create(&Jobs { kind: kind.as_str(), state: state.as_str() }).set(*count);
    }
    registry.register("jobs", "Jobs of the ledger by kind and state; failed ones are dead letters", counts);
    let oldest = Family::<OfKind, Gauge>::default();
    for kind in Kind::ALL {
        let waiting = ledger.oldest_waiting.iter().find(|(waiting, _)| *waiting == kind);
        let seconds = waiting.map_or(0.0, |(_, seconds)| *seconds);
        oldest.get_or_create(&OfKind { kind: kind.as_str() }).set(seconds as i64);
    }
    registry.register(
        "jobs_oldest_waiting_seconds",
        "How long the job that is due for longest has waited",
        oldest,
    );
    let (found, age) = (Family::<Named, Gauge>::default(), Family::<Named, Gauge>::default());
    for (name, value, seconds) in &ledger.upkeep {
        let name = Named { name: name.clone() };
        found.get_or_create(&name).set(*value);
        age.get_or_create(&name).set(*seconds as i64);
    }
    registry.register("upkeep_found", "What should not be there and was found by the sweeper", found);
    registry.register("upkeep_age_seconds", "How long ago the sweeper looked", age);
}

/// As Linux tells it; elsewhere nobody is asked.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
