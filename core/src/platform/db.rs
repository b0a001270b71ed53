//! Database: two connection pools, and the migrations. Statements are in the stores of the slices.
//!
//! Invariant: a connection from [`Db::for_tenant`] or [`Db::begin`] sees the rows of one tenant only, even in a statement
//! without a tenant condition: it has the role `parlance_tenant`, subject to row-level security. Only this file sets
//! the role and the tenant. [`Db::platform`] is only for statements that span tenants.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::types::PgInterval;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, PgTransaction, Postgres};

use crate::error::{Error, Part, Result};
use crate::ids::TenantId;
use crate::platform::config::Database;

/// The migrations, embedded in the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Timeout for acquiring a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Both connection pools. They connect on first use; the database need not be up yet.
#[derive(Clone, Debug)]
pub struct Db {
    /// Connections that are always under row-level security.
    tenants: PgPool,
    platform: PgPool,
}

/// A connection restricted to one tenant.
#[derive(Debug)]
pub struct TenantConnection(PoolConnection<Postgres>);

impl Deref for TenantConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for TenantConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
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
        let options = options.application_name("parlance");
        // Plan each statement once per connection, not per execution: planning costs twice as much as running a short
        // list, and three times as much as a claim. The statements are written so that one plan fits all arguments.
        let planned = options.options([
            ("plan_cache_mode", "force_generic_plan"),
            // No statement runs long enough to benefit from JIT compilation.
            ("jit", "off"),
            // Continue the HNSW scan until enough rows pass the filters.
            ("hnsw.iterative_scan", "strict_order"),
        ]);
        // Statements that span tenants are short: claims, heartbeats, dispatch, API-key lookups.
        let platform = (config.max_connections / 4).max(2);
        let tenants = config.max_connections.saturating_sub(platform).max(1);
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                // Otherwise a text of megabytes would leave its connection with a buffer of that size permanently.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        connection.shrink_buffers();
                        Ok(true)
                    })
                })
        };
        let restricted = pool(tenants).after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("set role parlance_tenant").await?;
                Ok(())
            })
        });
        Ok(Self {
            tenants: restricted.connect_lazy_with(planned.clone()),
            platform: pool(platform).connect_lazy_with(planned),
        })
    }

    /// A connection restricted to a tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn for_tenant(&self, tenant: TenantId) -> Result<TenantConnection> {
        let mut tries = self.tenants.size() + 1;
        loop {
            let mut connection = self.tenants.acquire().await?;
            // A raw statement takes one short message each way. An id contains no quotes.
            let name = format!("set parlance.tenant = '{tenant}'");
            let set = sqlx::raw_sql(AssertSqlSafe(name)).execute(&mut *connection).await;
            match set {
                Ok(_) => return Ok(TenantConnection(connection)),
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
    pub async fn begin(&self, tenant: TenantId) -> Result<PgTransaction<'static>> {
        self.begin_with(tenant, "").await
    }

    /// A transaction restricted to a tenant, whose commit does not wait for the disk. A crash of the database may undo
    /// it until the next transaction of [`Db::begin`] commits: for writes without value before that commit.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_provisional(&self, tenant: TenantId) -> Result<PgTransaction<'static>> {
        self.begin_with(tenant, "; set local synchronous_commit = off").await
    }

    async fn begin_with(&self, tenant: TenantId, also: &str) -> Result<PgTransaction<'static>> {
        let mut tries = self.tenants.size() + 1;
        loop {
            // One message saves round trips. An id contains no quotes.
            let begin = format!("begin; set local parlance.tenant = '{tenant}'{also}");
            match self.tenants.begin_with(AssertSqlSafe(begin)).await {
                Ok(transaction) => return Ok(transaction),
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
        }
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
        Ok(PgConnection::connect_with(&self.platform.connect_options()).await?)
    }

    /// Each pool's name, size and number of idle connections.
    #[must_use]
    pub fn connections(&self) -> [(&'static str, u32, usize); 2] {
        [("tenants", &self.tenants), ("platform", &self.platform)]
            .map(|(name, pool)| (name, pool.size(), pool.num_idle()))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.tenants.close().await;
        self.platform.close().await;
    }
}

/// Description of a database server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Version.
    pub version: String,
    /// Version as a number: 150004 is 15.4.
    pub version_number: i32,
    /// Version of pgvector in this database, if installed.
    pub pgvector: Option<String>,
    /// Connection limit for non-superusers.
    pub room: i64,
    /// Open connections, this one included.
    pub connections: i64,
    /// Lead of its clock over this machine's, in seconds.
    pub clock_ahead: f64,
}

/// Queries the database server's description.
///
/// # Errors
/// When it does not answer.
pub async fn describe(db: &Db) -> Result<Server> {
    let server = sqlx::query!(
        r#"
        select current_setting('server_version') as "version!",
            current_setting('server_version_num')::integer as "version_number!",
            (select extversion from pg_extension where extname = 'vector') as pgvector,
            current_setting('max_connections')::bigint
                - current_setting('superuser_reserved_connections')::bigint as "room!",
            (select count(*) from pg_stat_activity where backend_type = 'client backend') as "connections!",
            clock_timestamp() as "now!: DateTime<Utc>"
        "#
    )
    .fetch_one(db.platform())
    .await
    .map_err(|error| Error::unavailable(Part::Postgres, error))?;
    Ok(Server {
        version: server.version,
        version_number: server.version_number,
        pgvector: server.pgvector,
        room: server.room,
        connections: server.connections,
        clock_ahead: (server.now - Utc::now()).as_seconds_f64(),
    })
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

/// Lock timeout of a migration. Short, because later statements queue behind a waiting migration; it retries.
const LOCK_TIMEOUT: &str = "2s";

/// Attempts, and the pause between them.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Applies the migrations. Safe in concurrent processes, because the migrator takes a lock, and under load: no request
/// waits long for a migration.
///
/// # Errors
/// When the database does not answer, a migration fails, or a required lock is held for two minutes.
pub async fn migrate(db: &Db) -> Result<()> {
    let mut connection = db.dedicated().await?;
    connection.execute(AssertSqlSafe(format!("set lock_timeout = '{LOCK_TIMEOUT}'"))).await?;
    let mut attempt = 1;
    loop {
        let error = match MIGRATOR.run(&mut connection).await {
            Ok(()) => return Ok(connection.close().await?),
            Err(error) => error,
        };
        if attempt == ATTEMPTS || !is_lock_timeout(&error) {
            return Err(match error {
                MigrateError::Execute(error) => Error::from(error),
                other => Error::internal("a migration failed", other),
            });
        }
        tracing::info!(attempt, "migration timed out waiting for a lock; retrying");
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a migration timed out waiting for a lock.
fn is_lock_timeout(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    // SQLSTATE lock_not_available.
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}

/// Checks that the database answers and has this binary's schema.
///
/// # Errors
/// [`Error::Unavailable`] with the number of missing migrations, or with the connection error.
pub async fn check(db: &Db) -> Result<()> {
    let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(db.platform())
        .await
        .map_err(|error| Error::unavailable(Part::Postgres, error))?;
    let known = MIGRATOR.iter().count();
    if usize::try_from(applied).is_ok_and(|applied| applied >= known) {
        Ok(())
    } else {
        let message = format!("{applied} of {known} migrations are applied; run `parlance migrate`");
        Err(Error::unavailable(Part::Postgres, message))
    }
}
