//! Description of the database server, for operators.

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection, Row};

use super::Db;
use crate::error::{Error, Part, Result};

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

/// Whether open connections share a database session, because of a connection pooler in transaction or statement mode.
/// The role and the tenant of a connection would then apply to statements of other connections.
///
/// # Errors
/// When the database does not answer.
pub async fn shares_sessions(db: &Db) -> Result<bool> {
    let (mut first, mut second) = (db.dedicated().await?, db.dedicated().await?);
    let mut sessions = [0; 4];
    for (number, at) in sessions.iter_mut().enumerate() {
        *at = session(if number % 2 == 0 { &mut first } else { &mut second }).await?;
    }
    let [before, other, after, other_after] = sessions;
    Ok(before == other || before != after || other != other_after)
}

/// Checks that each connection has its own session: see [`shares_sessions`].
///
/// # Errors
/// [`Error::Unavailable`] when they share sessions, or the database does not answer.
pub async fn require_sessions(db: &Db) -> Result<()> {
    if shares_sessions(db).await? {
        let message =
            "a connection pooler in transaction mode is in front of it: set its pool_mode to session";
        return Err(Error::unavailable(Part::Postgres, message));
    }
    Ok(())
}

async fn session(connection: &mut PgConnection) -> Result<i32> {
    // A raw statement, because such a pooler may not support prepared statements.
    let row = connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()::text")).await?;
    let session: String = row.try_get(0)?;
    session.parse().map_err(|error| Error::internal("a session has no number", error))
}
