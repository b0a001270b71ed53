//! `/metrics`: what an operator watches, in Prometheus's text format. Counted by whoever works; here it is only
//! told.

use parlance_core::{Context, jobs, knowledge};
use poem::web::Data;
use poem::{Response, handler};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::error::ApiError;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Jobs {
    kind: String,
    state: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Count {
    name: String,
}

#[handler]
pub(crate) async fn metrics(ctx: Data<&Context>) -> poem::Result<Response> {
    let counts = jobs::count_by_state(&ctx).await.map_err(ApiError::from)?;
    let upkeep = knowledge::upkeep::counts(&ctx).await.map_err(ApiError::from)?;
    let ledger = Family::<Jobs, Gauge>::default();
    for (kind, state, count) in counts {
        let labels = Jobs { kind: kind.to_string(), state: state.as_str().to_owned() };
        ledger.get_or_create(&labels).set(count);
    }
    let (found, age) = (Family::<Count, Gauge>::default(), Family::<Count, Gauge>::default());
    for (name, value, seconds) in upkeep {
        found.get_or_create(&Count { name: name.clone() }).set(value);
        age.get_or_create(&Count { name }).set(seconds as i64);
    }
    let mut registry = Registry::with_prefix("parlance");
    registry.register("jobs", "Jobs of the ledger by kind and state; failed ones are dead letters", ledger);
    registry.register("upkeep_found", "What should not be there and was found by the sweeper", found);
    registry.register("upkeep_age_seconds", "How long ago the sweeper looked", age);
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| ApiError::unwritable(error.to_string().as_str()))?;
    Ok(Response::builder().content_type(OPEN_METRICS).body(body))
}
