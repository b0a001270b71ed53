//! Readiness check of the required services.
//!
//! All checks run concurrently with a short timeout, because load balancers wait for the result.

use std::future::Future;
use std::time::Duration;

use crate::context::Context;
use crate::error::{Chain, Error, Part, Result};

/// A slower service counts as down.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Availability of the services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The database, with this binary's schema.
    pub postgres: bool,
    /// Job queues and event bus. Without them requests are still accepted; their jobs run once Redis is back.
    pub redis: bool,
    /// File storage.
    pub storage: bool,
    /// Id of the embedding model. It is loaded before the process serves, so it is always up.
    pub model: String,
}

/// Checks every service.
pub async fn check(ctx: &Context) -> Health {
    let (postgres, redis, storage) = tokio::join!(
        answers(Part::Postgres, crate::platform::db::check(ctx.db())),
        answers(Part::Redis, ctx.bus().ping()),
        answers(Part::Storage, ctx.blob().check()),
    );
    Health { postgres, redis, storage, model: ctx.embedder().id().to_owned() }
}

async fn answers(part: Part, check: impl Future<Output = Result<()>>) -> bool {
    let outcome = match tokio::time::timeout(TIMEOUT, check).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(Error::unavailable(part, elapsed)),
    };
    if let Err(error) = &outcome {
        tracing::warn!(%part, error = %Chain(error), "service unavailable");
    }
    outcome.is_ok()
}
