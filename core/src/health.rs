//! Whether the parts that Parlance stands on answer right now. Asks all of them at once and waits for
//! none of them long: whoever asks is about to decide where to send traffic.

use std::future::Future;
use std::time::Duration;

use crate::context::Context;
use crate::error::{Chain, Error, Part, Result};

/// How long a part may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which parts answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The database, with this binary's schema.
    pub postgres: bool,
    /// The queue and the bus. Without them requests are still accepted, and done when they are back.
    pub redis: bool,
    /// Where files are kept.
    pub storage: bool,
    /// The embedding model. It is loaded before the process serves, so it is never down.
    pub model: String,
}

/// Asks every part.
pub async fn check(ctx: &Context) -> Health {
    let (postgres, redis, storage) = tokio::join!(
        answers(Part::Postgres, crate::platform::db::check(ctx.db())),
        answers(Part::Redis, ctx.bus().ping()),
        answers(Part::Storage, ctx.blob().check()),
    );
    Health { postgres, redis, storage, model: ctx.embedder().id().to_owned() }
}

async fn answers(part: Part, check: impl Future<Output = Result<()>>) -> bool {
    let outcome = match tokio::time::timeout(PATIENCE, check).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(Error::unavailable(part, elapsed)),
    };
    if let Err(error) = &outcome {
        tracing::warn!(%part, error = %Chain(error), "a part is down");
    }
    outcome.is_ok()
}
