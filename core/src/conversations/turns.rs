//! Turns: of the messages of one session, one is answered at a time, in the order in which they came.
//!
//! In a process a fair lock keeps the order. Between processes the conversation's row holds the turn, as
//! a lease: whoever dies with it is waited for no longer than [`LEASE`]. No connection is held while a
//! model writes, and Redis is not asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard};
use uuid::Uuid;

use super::{SessionId, store};
use crate::context::Context;
use crate::error::{Chain, Error};
use crate::ids::{ConversationId, TenantId};

/// How long a turn is held without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(20);

/// How often whoever holds a turn gives one.
const HEARTBEAT: Duration = Duration::from_secs(5);

type Line = FairMutex<()>;

/// The lines of this process, one for each session that is being answered.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Lines>);

/// A line is there as long as somebody stands in it.
type Lines = HashMap<(TenantId, String), Weak<Line>>;

impl Turns {
    /// Waits until those of this process that came before are answered.
    pub(super) async fn wait(&self, tenant: TenantId, session: &SessionId) -> OwnedMutexGuard<()> {
        self.line(tenant, session).lock_owned().await
    }

    fn line(&self, tenant: TenantId, session: &SessionId) -> Arc<Line> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as there are at this moment; the others ended.
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

/// The turn of one message. It passes on when it is dropped, whatever came of the message.
pub(super) struct Turn {
    ctx: Context,
    tenant: TenantId,
    pub(super) conversation: ConversationId,
    pub(super) token: Uuid,
    passed: bool,
}

impl Turn {
    /// The turn that was just written under `token`.
    pub(super) fn taken(ctx: &Context, tenant: TenantId, conversation: ConversationId, token: Uuid) -> Self {
        Self { ctx: ctx.clone(), tenant, conversation, token, passed: false }
    }

    /// Holds the turn while something is done.
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
            let mut db = self.ctx.db().of(self.tenant).await?;
            store::renew_turn(&mut *db, self.tenant, self.conversation, self.token, LEASE).await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(error = %Chain(&error), "a turn was not renewed");
        }
    }

    /// The turn was passed on with the answer.
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
        runtime.spawn(async move {
            let passed = async {
                let mut db = ctx.db().of(tenant).await?;
                store::pass_turn(&mut *db, tenant, conversation, token).await?;
                Ok::<_, Error>(())
            };
            if let Err(error) = passed.await {
                tracing::warn!(error = %Chain(&error), "a turn was not passed on; it expires");
            }
        });
    }
}
