//! `/metrics`: exposition in the OpenMetrics text format.
//!
//! Each module counts its own metrics; this one only renders them. Figures from the ledger are cached for five
//! seconds.

use std::sync::Arc;

use parlance_core::error::{Chain, Part};
use parlance_core::jobs::{Kind, State};
use parlance_core::{Context, jobs, knowledge};
use poem::web::Data;
use poem::{Response, handler};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::error::ApiError;
use crate::middleware::metrics::RequestMetrics;
use crate::routes::cached::Cached;
use crate::server::ConnectionMetrics;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    kind: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NameLabel {
    name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConnectionLabels {
    pool: &'static str,
    state: &'static str,
}

/// Figures of the job ledger; `None` when the database could not be read.
pub(crate) type LedgerSnapshot = Option<Arc<Ledger>>;

/// Figures of the whole service, from the database; every API process reports the same.
pub(crate) struct Ledger {
    jobs: Vec<(Kind, State, i64)>,
    /// In seconds.
    oldest_waiting: Vec<(Kind, f64)>,
    /// Name, count and age in seconds of each consistency check.
    upkeep: Vec<(String, i64, f64)>,
}

#[handler]
pub(crate) async fn serve_metrics(
    ctx: Data<&Context>,
    requests: Data<&RequestMetrics>,
    connections: Data<&ConnectionMetrics>,
    cached: Data<&Cached<LedgerSnapshot>>,
) -> poem::Result<Response> {
    let ledger =
        cached.get_or(snapshot(&ctx)).await.ok_or_else(|| ApiError::unavailable(Part::Postgres, None))?;
    let mut registry = Registry::with_prefix("parlance");
    register_process(&ctx, &mut registry);
    requests.register(&mut registry);
    connections.register(&mut registry);
    register_ledger(&ledger, &mut registry);
    let mut body = String::new();
    text::encode(&mut body, &registry)
        .map_err(|error| ApiError::unserializable(error.to_string().as_str()))?;
    Ok(Response::builder().content_type(OPEN_METRICS).body(body))
}

/// Metrics of this process.
fn register_process(ctx: &Context, registry: &mut Registry) {
    ctx.meters().register(registry);
    let connections = Family::<ConnectionLabels, Gauge>::default();
    for (pool, size, idle) in ctx.db().connections() {
        let idle = idle as i64;
        connections.get_or_create(&ConnectionLabels { pool, state: "idle" }).set(idle);
        connections.get_or_create(&ConnectionLabels { pool, state: "used" }).set(i64::from(size) - idle);
    }
    registry.register("database_connections", "Database connections by pool and state", connections);
    if let Some(bytes) = resident_bytes() {
        let memory = Gauge::<i64>::default();
        memory.set(bytes);
        registry.register("resident_memory_bytes", "Resident memory of the process", memory);
    }
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "Version of the running build", build);
}

async fn snapshot(ctx: &Context) -> LedgerSnapshot {
    match Ledger::load(ctx).await {
        Ok(ledger) => Some(Arc::new(ledger)),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "reading the ledger for metrics failed");
            None
        }
    }
}

impl Ledger {
    async fn load(ctx: &Context) -> parlance_core::Result<Self> {
        Ok(Self {
            jobs: jobs::count_by_state(ctx).await?,
            oldest_waiting: jobs::oldest_waiting(ctx).await?,
            upkeep: knowledge::orphans::counts(ctx).await?,
        })
    }
}

fn register_ledger(ledger: &Ledger, registry: &mut Registry) {
    let counts = Family::<JobLabels, Gauge>::default();
    for (kind, state, count) in &ledger.jobs {
        counts.get_or_create(&JobLabels { kind: kind.as_str(), state: state.as_str() }).set(*count);
    }
    registry.register("jobs", "Jobs by kind and state; failed jobs are dead letters", counts);
    let oldest = Family::<KindLabel, Gauge>::default();
    for kind in Kind::ALL {
        let waiting = ledger.oldest_waiting.iter().find(|(waiting, _)| *waiting == kind);
        let seconds = waiting.map_or(0.0, |(_, seconds)| *seconds);
        oldest.get_or_create(&KindLabel { kind: kind.as_str() }).set(seconds as i64);
    }
    registry.register("jobs_oldest_waiting_seconds", "Waiting time of the oldest due job, by kind", oldest);
    let (found, age) = (Family::<NameLabel, Gauge>::default(), Family::<NameLabel, Gauge>::default());
    for (name, value, seconds) in &ledger.upkeep {
        let name = NameLabel { name: name.clone() };
        found.get_or_create(&name).set(*value);
        age.get_or_create(&name).set(*seconds as i64);
    }
    registry.register("upkeep_found", "Inconsistencies that the last sweep found", found);
    registry.register("upkeep_age_seconds", "Seconds since the last sweep", age);
}

/// Resident memory, on Linux; `None` elsewhere.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
