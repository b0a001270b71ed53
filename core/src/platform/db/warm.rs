//! Connections kept out of the pool between reads.
//!
//! The pool tests every returned connection with a round trip, in case its last statement was abandoned. After a
//! statement that was read to its end the test finds nothing, and costs as much as a short statement. So such a
//! connection stays here for the next read, and goes back to the pool within two seconds, which then applies its limits
//! of age and idle time.
//!
//! Invariant: whoever has a place takes a connection from here first. Connections in use, waiting requests with a place
//! and connections here are therefore never more than the pool has, and the pool has one for each request that waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// Longest time out of the pool, and the interval of the check.
const LIMIT: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub(super) struct Warm(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    connections: Vec<WarmConnection>,
    /// Whether a task returns connections to the pool.
    is_tended: bool,
    is_closed: bool,
}

/// A connection, and since when it is out of the pool.
#[derive(Debug)]
pub(super) struct WarmConnection {
    pub(super) connection: PoolConnection<Postgres>,
    since: Instant,
}

impl WarmConnection {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self { connection, since: Instant::now() }
    }

    fn is_due(&self) -> bool {
        self.since.elapsed() >= LIMIT
    }
}

impl Warm {
    /// The connection that was used last.
    pub(super) fn take(&self) -> Option<WarmConnection> {
        self.lock().connections.pop()
    }

    /// Keeps a connection whose last statement was read to its end.
    pub(super) fn keep(&self, connection: WarmConnection) {
        let mut inner = self.lock();
        if inner.is_closed || connection.is_due() {
            return;
        }
        inner.connections.push(connection);
        if !std::mem::replace(&mut inner.is_tended, true) {
            tokio::spawn(tend(Arc::downgrade(&self.0)));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// Returns all connections to the pool, now and later.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.is_closed = true;
        inner.connections.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns connections to the pool when they are due, until there are none.
async fn tend(inner: Weak<Mutex<Inner>>) {
    loop {
        tokio::time::sleep(LIMIT).await;
        let Some(inner) = inner.upgrade() else { return };
        let mut inner = lock(&inner);
        inner.connections.retain(|connection| !connection.is_due());
        if inner.connections.is_empty() {
            inner.is_tended = false;
            return;
        }
    }
}
