//! Database: two connection pools. Statements are in the stores of the slices.
//!
//! Invariant: a statement through [`Db::reading`], [`Db::for_tenant`] or [`Db::begin`] sees the rows of one tenant only,
//! even without a tenant condition: its connection has the role `parlance_tenant`, subject to row-level security. Only
//! this file and its folder set the role and the tenant. [`Db::platform`] is only for statements that span tenants.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::types::PgInterval;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, PgTransaction, Postgres};

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::platform::config::Database;

mod places;
mod reading;
mod schema;
mod server;
mod warm;

pub use reading::Reading;
pub use schema::{MIGRATOR, check, migrate};
pub use server::{Server, describe, require_sessions, shares_sessions};

use places::{Place, Places};
use warm::{Warm, WarmConnection};

/// Timeout for acquiring a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings of every connection. Sent after connecting, because connection poolers refuse them in the startup message.
///
/// `plan_cache_mode`: plan each statement once per connection, not per execution. Planning costs twice as much as
/// running a short list, and three times as much as a claim. The statements are written so that one plan fits all
/// arguments. `jit`: no statement runs long enough to benefit. `hnsw.iterative_scan`: continue the scan until enough
/// rows pass the filters.
const SETTINGS: &str =
    "set plan_cache_mode = force_generic_plan; set jit = off; set hnsw.iterative_scan = strict_order";

/// Settings of tenants' connections: the role, and bounds on the time that one tenant's statement can keep a connection
/// and its locks. No statement of a tenant is that long: the longest stores a thousand chunks.
const TENANT_SETTINGS: &str = "set role parlance_tenant; set lock_timeout = '3s'; set statement_timeout = '60s'; \
    set idle_in_transaction_session_timeout = '60s'";

/// Prepared statements kept per connection. All of the stores' fit, so that none is planned twice.
const STATEMENTS: usize = 400;

/// Both connection pools. They connect on first use; the database need not be up yet.
#[derive(Clone, Debug)]
pub struct Db {
    /// Connections that are always under row-level security.
    tenants: PgPool,
    /// Fair shares of [`Db::tenants`].
    places: Places,
    /// Connections of [`Db::tenants`] between two reads.
    warm: Warm,
    platform: PgPool,
}

/// A connection restricted to one tenant.
#[derive(Debug)]
pub struct TenantConnection {
    connection: PoolConnection<Postgres>,
    _place: Place,
}

impl Deref for TenantConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for TenantConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// A transaction restricted to one tenant. Rolled back on drop.
#[derive(Debug)]
pub struct TenantTransaction {
    transaction: PgTransaction<'static>,
    _place: Place,
}

impl TenantTransaction {
    /// Commits.
    ///
    /// # Errors
    /// When a deferred constraint is violated, or the database does not answer.
    pub async fn commit(self) -> sqlx::Result<()> {
        self.transaction.commit().await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.transaction.rollback().await
    }
}

impl Deref for TenantTransaction {
    type Target = PgTransaction<'static>;

    fn deref(&self) -> &PgTransaction<'static> {
        &self.transaction
    }
}

impl DerefMut for TenantTransaction {
    fn deref_mut(&mut self) -> &mut PgTransaction<'static> {
        &mut self.transaction
    }
}

impl Db {
    /// Prepares both pools.
    ///
    /// # Errors
    /// When the URL is not a Postgres URL.
    pub fn new(config: &Database) -> Result<Self> {
        let url = config.require().map_err(|error| Error::internal("no database is configured", error))?;
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| Error::internal("DATABASE_URL cannot be used", error))?;
        let options = options
            .application_name("parlance")
            .statement_cache_capacity(STATEMENTS)
            // The default of Postgres 12 and later is exact. Connection poolers refuse the parameter.
            .extra_float_digits(None);
        // Statements that span tenants are short: claims, heartbeats, dispatch, API-key lookups.
        let platform = (config.max_connections / 4).max(2);
        let tenants = config.max_connections.saturating_sub(platform).max(1);
        let pool = |size, settings: String| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                .after_connect(move |connection, _| {
                    let settings = settings.clone();
                    Box::pin(async move {
                        sqlx::raw_sql(AssertSqlSafe(settings)).execute(connection).await?;
                        Ok(())
                    })
                })
                // Otherwise a text of megabytes would leave its connection with a buffer of that size permanently.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        connection.shrink_buffers();
                        Ok(true)
                    })
                })
        };
        Ok(Self {
            tenants: pool(tenants, format!("{SETTINGS}; {TENANT_SETTINGS}"))
                .connect_lazy_with(options.clone()),
            places: Places::new(usize::try_from(tenants).unwrap_or(usize::MAX)),
            warm: Warm::default(),
            platform: pool(platform, SETTINGS.to_owned()).connect_lazy_with(options),
        })
    }

    /// Runs statements that only read, restricted to a tenant, in one round trip each. Each waits for a connection of
    /// its own, so that two of them may see different states.
    #[must_use]
    pub fn reading(&self, tenant: TenantId) -> Reading<'_> {
        Reading { db: self, tenant }
    }

    /// A connection restricted to a tenant, for a single statement that writes, or several statements.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn for_tenant(&self, tenant: TenantId) -> Result<TenantConnection> {
        let place = self.place(tenant).await?;
        let mut tries = self.tenants.size() + 1;
        loop {
            let mut connection = self.connection().await?.connection;
            // A raw statement takes one short message each way. An id contains no quotes.
            let name = format!("set parlance.tenant = '{tenant}'");
            let set = sqlx::raw_sql(AssertSqlSafe(name)).execute(&mut *connection).await;
            match set {
                Ok(_) => return Ok(TenantConnection { connection, _place: place }),
                // The database has restarted since the last use of this connection. Try another one.
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
            connection.close_on_drop();
        }
    }

    /// A transaction restricted to a tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self, tenant: TenantId) -> Result<TenantTransaction> {
        self.begin_with(tenant, "").await
    }

    /// A transaction restricted to a tenant, whose commit does not wait for the disk. A crash of the database may undo
    /// it until the next transaction of [`Db::begin`] commits: for writes without value before that commit.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_provisional(&self, tenant: TenantId) -> Result<TenantTransaction> {
        self.begin_with(tenant, "; set local synchronous_commit = off").await
    }

    async fn begin_with(&self, tenant: TenantId, also: &str) -> Result<TenantTransaction> {
        let place = self.place(tenant).await?;
        let mut tries = self.tenants.size() + 1;
        loop {
            // The pool needs a free connection.
            drop(self.warm.take());
            // One message saves round trips. An id contains no quotes.
            let begin = format!("begin; set local parlance.tenant = '{tenant}'{also}");
            match self.tenants.begin_with(AssertSqlSafe(begin)).await {
                Ok(transaction) => return Ok(TenantTransaction { transaction, _place: place }),
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Acquires a connection for the holder of a place.
    async fn connection(&self) -> sqlx::Result<WarmConnection> {
        match self.warm.take() {
            Some(connection) => Ok(connection),
            None => Ok(WarmConnection::new(self.tenants.acquire().await?)),
        }
    }

    /// Waits for a place: the tenant's turn to take a connection.
    async fn place(&self, tenant: TenantId) -> sqlx::Result<Place> {
        let place = tokio::time::timeout(ACQUIRE_TIMEOUT, self.places.take(tenant)).await;
        place.ok().flatten().ok_or(sqlx::Error::PoolTimedOut)
    }

    /// The pool for statements that span tenants: operators' lists, API-key lookups, the job ledger.
    #[must_use]
    pub fn platform(&self) -> &PgPool {
        &self.platform
    }

    /// A connection outside of the pools, with the owner's role: for long operations and session state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dedicated(&self) -> Result<PgConnection> {
        let mut connection = PgConnection::connect_with(&self.platform.connect_options()).await?;
        connection.execute(SETTINGS).await?;
        Ok(connection)
    }

    /// Each pool's name, size and number of idle connections.
    #[must_use]
    pub fn connections(&self) -> [(&'static str, u32, usize); 2] {
        [
            ("tenants", self.tenants.size(), self.tenants.num_idle() + self.warm.len()),
            ("platform", self.platform.size(), self.platform.num_idle()),
        ]
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.warm.close();
        self.tenants.close().await;
        self.platform.close().await;
    }
}

/// A duration as an interval, in microseconds. A duration out of range counts as infinite.
pub(crate) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2);
    PgInterval { months: 0, days: 0, microseconds }
}

/// Whether a statement violated a foreign key: the referenced row does not exist.
pub(crate) fn refers_to_nothing(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// Whether the connection failed, not the statement.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // SQLSTATE 57P0x: terminated by an administrator or by a shutdown.
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}
