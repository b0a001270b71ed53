//! The database: two doors, and the migrations. Statements live in the slices' stores.
//!
//! Invariant: a connection from [`Db::of`] or [`Db::begin`] sees the rows of one tenant and no other, also
//! in a statement that forgets to name it: it holds the role `parlance_tenant`, which row-level security
//! walls in. No statement changes the role or the tenant but here.
//! [`Db::platform`] is for what spans tenants, and for nothing else.

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

/// Every migration, in order, inside the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Both doors to the database. They connect when they must; the database need not be up yet.
#[derive(Clone, Debug)]
pub struct Db {
    /// Connections that are walled in from their first moment to their last.
    tenants: PgPool,
    platform: PgPool,
}

/// A connection that sees one tenant.
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
    /// Opens both doors.
    ///
    /// # Errors
    /// When the URL is not one of Postgres.
    pub fn new(config: &Database) -> Result<Self> {
        let url = config.require().map_err(|error| Error::internal("no database is configured", error))?;
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| Error::internal("DATABASE_URL cannot be used", error))?;
        let options = options.application_name("parlance");
        // Statements are planned once a connection, and not at every execution: planning costs twice what a
        // short list does, and three times what a claim does. They are written so that one plan does for all of their arguments.
        let planned = options.options([
            ("plan_cache_mode", "force_generic_plan"),
            // Nothing here runs for so long that a compiled plan would pay.
            ("jit", "off"),
            // A walk of a graph goes on until there are enough rows of those that are wanted.
            ("hnsw.iterative_scan", "strict_order"),
        ]);
        // What spans tenants is short: claims, heartbeats, dispatch, keys by their hash.
        let platform = (config.max_connections / 4).max(2);
        let tenants = config.max_connections.saturating_sub(platform).max(1);
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                // A text of megabytes would leave its connection with as much, for good.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        connection.shrink_buffers();
                        Ok(true)
                    })
                })
        };
        let walled = pool(tenants).after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("set role parlance_tenant").await?;
                Ok(())
            })
        });
        Ok(Self {
            tenants: walled.connect_lazy_with(planned.clone()),
            platform: pool(platform).connect_lazy_with(planned),
        })
    }

    /// A connection that sees this tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, tenant: TenantId) -> Result<TenantConnection> {
        let mut tries = self.tenants.size() + 1;
        loop {
            let mut connection = self.tenants.acquire().await?;
            // Text without arguments is one short message each way. An id has no quotes in it.
            let name = format!("set parlance.tenant = '{tenant}'");
            let named = sqlx::raw_sql(AssertSqlSafe(name)).execute(&mut *connection).await;
            match named {
                Ok(_) => return Ok(TenantConnection(connection)),
                // The database was away since this one was last used; there may be better ones.
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
            connection.close_on_drop();
        }
    }

    /// A transaction that sees this tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self, tenant: TenantId) -> Result<PgTransaction<'static>> {
        self.begin_with(tenant, "").await
    }

    /// A transaction that sees this tenant, and that a crash of the database may undo until the next one of
    /// [`Db::begin`] is committed: for what is worth nothing without that. Its commit waits for no disk.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_provisional(&self, tenant: TenantId) -> Result<PgTransaction<'static>> {
        self.begin_with(tenant, "; set local synchronous_commit = off").await
    }

    async fn begin_with(&self, tenant: TenantId, also: &str) -> Result<PgTransaction<'static>> {
        let mut tries = self.tenants.size() + 1;
        loop {
            // One message, for its parts are of no use alone. An id has no quotes in it.
            let begin = format!("begin; set local parlance.tenant = '{tenant}'{also}");
            match self.tenants.begin_with(AssertSqlSafe(begin)).await {
                Ok(transaction) => return Ok(transaction),
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The door to what spans tenants: operators' lists, keys by their hash, the ledger's upkeep.
    #[must_use]
    pub fn platform(&self) -> &PgPool {
        &self.platform
    }

    /// A connection beside the pools, as the owner: for what takes long and keeps something of its session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dedicated(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.platform.connect_options()).await?)
    }

    /// The connections of each pool: its name, how many there are, and how many of them are not in use.
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

/// What a database server says of itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its version, as it writes it.
    pub version: String,
    /// The same as a number: 150004 is 15.4.
    pub version_number: i32,
    /// The version of pgvector in this database, when it is there.
    pub pgvector: Option<String>,
    /// Connections that it has room for, for users like ours.
    pub room: i64,
    /// Those that there are, ours counted.
    pub connections: i64,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead: f64,
}

/// Asks a database server about itself.
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

/// Postgres counts an interval in microseconds; a duration beyond its range is as good as for ever.
pub(crate) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2);
    PgInterval { months: 0, days: 0, microseconds }
}

/// Whether a row was to refer to one that is not there, or not any more.
pub(crate) fn refers_to_nothing(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// Whether it was the connection that failed, and not the statement.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // Ended by an administrator, or by the server's own end.
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}

/// How long a migration waits for a lock: whoever comes after it waits as long, so it lets them pass and tries again.
const LOCK_TIMEOUT: &str = "2s";

/// How often it tries, and the pause between.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Brings the schema up to date. Safe to run in many processes at once, for the migrator takes a lock, and under load:
/// no request waits for long behind a migration that waits.
///
/// # Errors
/// When the database does not answer, a migration fails, or somebody holds for two minutes what it needs.
pub async fn migrate(db: &Db) -> Result<()> {
    let mut connection = db.dedicated().await?;
    connection.execute(AssertSqlSafe(format!("set lock_timeout = '{LOCK_TIMEOUT}'"))).await?;
    let mut tried = 1;
    loop {
        let error = match MIGRATOR.run(&mut connection).await {
            Ok(()) => return Ok(connection.close().await?),
            Err(error) => error,
        };
        if tried == TRIES || !waited_in_vain(&error) {
            return Err(match error {
                MigrateError::Execute(error) => Error::from(error),
                other => Error::internal("a migration failed", other),
            });
        }
        tracing::info!(
            tried,
            "something that a migration needs is locked; others pass, and it is tried again"
        );
        tried += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a lock could not be had in time.
fn waited_in_vain(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    // Postgres: "lock not available".
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}

/// Whether the database answers and has this binary's schema.
///
/// # Errors
/// [`Error::Unavailable`] with what is missing.
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
