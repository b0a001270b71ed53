//! Liveness (`/healthz`) and readiness (`/readyz`).

use parlance_core::Context;
use parlance_core::error::Part;
use parlance_core::health::{self, Health};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, Result, handler};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::middleware::shutdown::Shutdown;
use crate::response::envelope::json_response;
use crate::routes::cached::Cached;

/// Liveness: answers whenever the process runs.
#[handler]
pub(crate) fn healthz() -> Response {
    let data = json!({"status": "alive", "version": env!("CARGO_PKG_VERSION")});
    json_response(StatusCode::OK, &json!({"success": true, "data": data}))
}

/// Readiness. Without Redis the process is degraded but ready: it accepts every request, and jobs run once Redis
/// is back. Without Postgres or file storage, or during shutdown, it is not ready. Checks are cached for five
/// seconds, since each writes a file.
#[handler]
pub(crate) async fn readyz(
    request: &Request,
    ctx: Data<&Context>,
    cached: Data<&Cached<Health>>,
) -> Result<Response> {
    if Shutdown::of(request).has_started() {
        return Err(ApiError::stopping().with_data(json!({"status": "stopping"})).into());
    }
    let health = cached.get_or(health::check(&ctx)).await;
    let (status, down) = verdict(&health);
    let data = report(&health, status);
    match down {
        Some(part) => Err(ApiError::unavailable(part, None).with_data(data).into()),
        None => Ok(json_response(StatusCode::OK, &json!({"success": true, "data": data})).into_response()),
    }
}

/// The overall status, and the required part that is down, if any.
fn verdict(health: &Health) -> (&'static str, Option<Part>) {
    match health {
        Health { postgres: false, .. } => ("unavailable", Some(Part::Postgres)),
        Health { storage: false, .. } => ("unavailable", Some(Part::Storage)),
        Health { redis: false, .. } => ("degraded", None),
        _ => ("ready", None),
    }
}

fn report(health: &Health, status: &str) -> Value {
    let state = |up: bool| json!({"state": if up { "up" } else { "down" }});
    json!({
        "status": status,
        "parts": {
            "postgres": state(health.postgres),
            "redis": state(health.redis),
            "storage": state(health.storage),
            "model": {"state": "up", "id": health.model},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_redis_is_optional() {
        for (postgres, redis, storage, status, down) in [
            (true, true, true, "ready", None),
            (true, false, true, "degraded", None),
            (false, true, true, "unavailable", Some(Part::Postgres)),
            (true, true, false, "unavailable", Some(Part::Storage)),
            (false, false, false, "unavailable", Some(Part::Postgres)),
        ] {
            let health = Health { postgres, redis, storage, model: "m".to_owned() };
            assert_eq!(verdict(&health), (status, down));
        }
    }
}
