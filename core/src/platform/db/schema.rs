//! The migrations: applied online, and checked.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::Db;
use crate::error::{Error, Part, Result};

/// The migrations, embedded in the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Lock timeout of a migration. Short, because later statements queue behind a waiting migration; it retries.
const LOCK_TIMEOUT: &str = "2s";

/// Attempts, and the pause between them.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Applies the migrations. Safe in concurrent processes, because the migrator takes a lock, and under load, because a
/// short lock timeout limits the wait of other statements.
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

/// Whether a migration timed out waiting for a lock, or was ended because of a deadlock with other statements.
fn is_lock_timeout(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    // SQLSTATE lock_not_available and deadlock_detected.
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
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
