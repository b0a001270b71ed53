//! `/metrics`: what an operator watches, in Prometheus's text format. Counted by whoever works; here it is only
//! told.

use std::time::Duration;

use parlance_core::jobs::Kind;
use parlance_core::meters::seconds;
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

#[handler]
pub(crate) async fn metrics(ctx: Data<&Context>, requests: Data<&Requests>) -> poem::Result<Response> {
    let mut registry = Registry::with_prefix("parlance");
    of_process(&ctx, &mut registry);
    registry.register("http_request_seconds", "Requests that were answered, by route", requests.0.0.clone());
    of_ledger(&ctx, &mut registry).await.map_err(ApiError::from)?;
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

/// What everybody has done, and what is to be done; every API tells the same.
async fn of_ledger(ctx: &Context, registry: &mut Registry) -> parlance_core::Result<()> {
    let counts = jobs::count_by_state(ctx).await?;
    let waiting = jobs::oldest_waiting(ctx).await?;
    let upkeep = knowledge::upkeep::counts(ctx).await?;
    let ledger = Family::<Jobs, Gauge>::default();
    for (kind, state, count) in counts {
        ledger.get_or_create(&Jobs { kind: kind.as_str(), state: state.as_str() }).set(count);
    }
    registry.register("jobs", "Jobs of the ledger by kind and state; failed ones are dead letters", ledger);
    let oldest = Family::<OfKind, Gauge>::default();
    for kind in Kind::ALL {
        let seconds =
            waiting.iter().find(|(waiting, _)| *waiting == kind).map_or(0.0, |(_, seconds)| *seconds);
        oldest.get_or_create(&OfKind { kind: kind.as_str() }).set(seconds as i64);
    }
    registry.register(
        "jobs_oldest_waiting_seconds",
        "How long the job that is due for longest has waited",
        oldest,
    );
    let (found, age) = (Family::<Named, Gauge>::default(), Family::<Named, Gauge>::default());
    for (name, value, seconds) in upkeep {
        found.get_or_create(&Named { name: name.clone() }).set(value);
        age.get_or_create(&Named { name }).set(seconds as i64);
    }
    registry.register("upkeep_found", "What should not be there and was found by the sweeper", found);
    registry.register("upkeep_age_seconds", "How long ago the sweeper looked", age);
    Ok(())
}

/// As Linux tells it; elsewhere nobody is asked.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
