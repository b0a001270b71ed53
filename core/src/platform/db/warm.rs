//! Connections kept out of the pool between reads.
//!
//! The pool tests every returned connection with a round trip, in case its last statement was abandoned. After a
//! statement whose rows were all read, the test is useless and costs as much as a short statement. Such a connection
//! stays here for the next read. It returns to the pool within two seconds, so that the pool's limits on age and idle
//! time apply.
//!
//! Invariant: a request with a place takes a connection from here first. Connections in use, waiting requests with a
//! place and connections here are therefore at most the pool's size, so the pool has a connection for each waiting
//! request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// Maximum time out of the pool, and the interval of the check.
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

/// A connection, and the time at which it left the pool.
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
    /// The most recently used connection.
    pub(super) fn take(&self) -> Option<WarmConnection> {
        self.lock().connections.pop()
    }

    /// Keeps a connection whose last statement's rows were all read.
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

/// Returns connections to the pool when they are due; ends when none is left.
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
