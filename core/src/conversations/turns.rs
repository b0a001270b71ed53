//! Turns: messages of one session are answered one at a time, in order of arrival.
//!
//! Within a process, a fair lock keeps the order. Between processes, a lease in the conversation's row holds
//! the turn; a crashed holder blocks it for at most [`LEASE`]. No database connection is held while a model
//! writes, and Redis is not used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard};
use uuid::Uuid;

use super::{SessionId, store};
use crate::context::Context;
use crate::error::{Chain, Error};
use crate::ids::{ConversationId, TenantId};
use crate::platform::outage::outlast;

/// Lease of a turn.
pub(super) const LEASE: Duration = Duration::from_secs(20);

/// Interval at which the lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(5);

type Line = FairMutex<()>;

/// Locks of this process, one per session with a message in progress.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Lines>);

/// A lock exists as long as a message holds or awaits it.
type Lines = HashMap<(TenantId, String), Weak<Line>>;

impl Turns {
    /// Waits for the earlier messages of the session in this process.
    pub(super) async fn wait(&self, tenant: TenantId, session: &SessionId) -> OwnedMutexGuard<()> {
        self.line(tenant, session).lock_owned().await
    }

    fn line(&self, tenant: TenantId, session: &SessionId) -> Arc<Line> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Pruning only before the map grows keeps its cost amortised.
        if lines.len() == lines.capacity() {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let place = lines.entry((tenant, session.as_str().to_owned())).or_default();
        place.upgrade().unwrap_or_else(|| {
            let line = Arc::<Line>::default();
            *place = Arc::downgrade(&line);
            line
        })
    }
}

/// Turn of one message. Dropping it releases the turn, regardless of the message's outcome.
pub(super) struct Turn {
    ctx: Context,
    tenant: TenantId,
    pub(super) conversation: ConversationId,
    pub(super) token: Uuid,
    passed: bool,
}

impl Turn {
    /// Wraps the turn just claimed under `token`.
    pub(super) fn taken(ctx: &Context, tenant: TenantId, conversation: ConversationId, token: Uuid) -> Self {
        Self { ctx: ctx.clone(), tenant, conversation, token, passed: false }
    }

    /// Renews the lease while a future runs.
    pub(super) async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(HEARTBEAT) => self.renew().await,
            }
        }
    }

    async fn renew(&self) {
        let renewed = async {
            let mut db = self.ctx.db().for_tenant(self.tenant).await?;
            store::renew_turn(&mut *db, self.tenant, self.conversation, self.token, LEASE).await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(error = %Chain(&error), "turn lease renewal failed; it may expire");
        }
    }

    /// The turn was released together with storing the answer.
    pub(super) fn passed(mut self) {
        self.passed = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.passed {
            return;
        }
        let (ctx, tenant, conversation, token) =
            (self.ctx.clone(), self.tenant, self.conversation, self.token);
        runtime.spawn(outlast("releasing a conversation's turn", LEASE, move || {
            let ctx = ctx.clone();
            async move {
                let mut db = ctx.db().for_tenant(tenant).await?;
                Ok(store::pass_turn(&mut *db, tenant, conversation, token).await?)
            }
        }));
    }
}
