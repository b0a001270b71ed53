//! What load balancers and people ask first: is the process alive, and can it work?

use parlance_core::Context;
use parlance_core::error::Part;
use parlance_core::health::{self, Health};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, Result, handler};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::middleware::shutdown::Leaving;
use crate::response::envelope::json_response;
use crate::routes::cached::Remembered;

/// The process is alive: it answers.
#[handler]
pub(crate) fn healthz() -> Response {
    let data = json!({"status": "alive", "version": env!("CARGO_PKG_VERSION")});
    json_response(StatusCode::OK, &json!({"success": true, "data": data}))
}

/// The process can work. Without Redis it is degraded: it accepts everything, and jobs run when Redis
/// is back. Without the database or the files it can do nothing. One that was told to stop says so at once. Tells what was so at most five seconds ago: a check
/// writes a file.
#[handler]
pub(crate) async fn readyz(
    request: &Request,
    ctx: Data<&Context>,
    last: Data<&Remembered<Health>>,
) -> Result<Response> {
    if Leaving::of(request).is_so() {
        return Err(ApiError::leaving().with_data(json!({"status": "stopping"})).into());
    }
    let health = last.or(health::check(&ctx)).await;
    let (status, down) = verdict(&health);
    let data = report(&health, status);
    match down {
        Some(part) => Err(ApiError::unavailable(part, None).with_data(data).into()),
        None => Ok(json_response(StatusCode::OK, &json!({"success": true, "data": data})).into_response()),
    }
}

/// The word for the whole, and the part without which nothing can be done, if it is down.
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
    fn only_redis_can_be_done_without() {
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
