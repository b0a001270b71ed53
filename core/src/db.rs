//! The database: the pool and the migrations. Statements live in the slices' stores.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::config::Database;
use crate::error::{Error, Part, Result};

/// Every migration, in order, inside the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Opens the pool; the database need not be up yet.
///
/// # Errors
/// When the URL is not one of Postgres.
pub fn connect(config: &Database) -> Result<PgPool> {
    let url = config.require().map_err(|error| Error::internal("no database is configured", error))?;
    let options: PgConnectOptions =
        url.parse().map_err(|error: sqlx::Error| Error::internal("DATABASE_URL cannot be used", error))?;
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .connect_lazy_with(options.application_name("parlance")))
}

/// Brings the schema up to date. Safe to run in many processes at once: the migrator takes a lock.
///
/// # Errors
/// When the database does not answer, or a migration fails.
pub async fn migrate(db: &PgPool) -> Result<()> {
    MIGRATOR.run(db).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => Error::from(error),
        other => Error::internal("a migration failed", other),
    })
}

/// Whether the database answers and has this binary's schema.
///
/// # Errors
/// [`Error::Unavailable`] with what is missing.
pub async fn check(db: &PgPool) -> Result<()> {
    let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(db)
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
