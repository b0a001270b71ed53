//! What Parlance talks to over the network.

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

/// The oldest Postgres: the first that has all that the statements use.
const POSTGRES: i32 = 150_000;

/// The oldest pgvector: the first whose filtered walks go on until they have found enough.
const PGVECTOR: (u32, u32) = (0, 8);

/// More than this between two clocks, in seconds, and times told by processes and by the database do not agree.
const SKEW: f64 = 5.0;

/// How long a collector may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn postgres(config: &Config, parts: &Parts) -> Vec<(&'static str, Finding)> {
    if config.database.url.is_none() {
        return vec![("postgres", private(parts, Part::Postgres))];
    }
    let asked = async {
        let db = Db::new(&config.database)?;
        let server = db::describe(&db).await?;
        Ok((server, db::check(&db).await))
    };
    match asked.await {
        Ok((server, schema)) => vec![
            ("postgres", version(&server)),
            ("schema", of_schema(schema)),
            ("connections", room(&server, config.database.max_connections)),
            ("clock", clock(&server)),
        ],
        Err::<_, parlance_core::Error>(error) => vec![(
            "postgres",
            Finding::Bad(Chain(&error).to_string(), "check DATABASE_URL, and that the server runs"),
        )],
    }
}

fn version(server: &Server) -> Finding {
    let pgvector = server.pgvector.as_deref();
    let what = match pgvector {
        Some(pgvector) => format!("PostgreSQL {} with pgvector {pgvector}", server.version),
        None => format!("PostgreSQL {}, and no pgvector in this database", server.version),
    };
    let is_old = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < PGVECTOR
    };
    match pgvector {
        _ if server.version_number < POSTGRES => Finding::Bad(what, "use PostgreSQL 15 or later"),
        None => Finding::Bad(what, "install pgvector on the server, and run `parlance migrate`"),
        Some(pgvector) if is_old(pgvector) => {
            Finding::Bad(what, "install pgvector 0.8 or later, and run `alter extension vector update`")
        }
        Some(_) => Finding::Good(what),
    }
}

fn of_schema(checked: parlance_core::Result<()>) -> Finding {
    match checked {
        Ok(()) => Finding::Good("up to date".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "run `parlance migrate`"),
    }
}

/// Whether one more process would find its connections.
fn room(server: &Server, wanted: u32) -> Finding {
    let free = server.room - server.connections;
    let what =
        format!("{} of {} are in use; a process takes {wanted} at most", server.connections, server.room);
    if free < i64::from(wanted) {
        Finding::Bad(
            what,
            "raise max_connections of Postgres, or lower DATABASE_MAX_CONNECTIONS of all processes",
        )
    } else {
        Finding::Good(what)
    }
}

fn clock(server: &Server) -> Finding {
    let ahead = server.clock_ahead;
    if ahead.abs() > SKEW {
        let what = format!("the database's is {ahead:.0} s ahead of this machine's");
        Finding::Bad(what, "let both be set by the same time server")
    } else {
        Finding::Good("the database's and this machine's agree".to_owned())
    }
}

pub(super) async fn redis(config: &Config, parts: &Parts) -> Finding {
    if config.redis.url.is_none() {
        return private(parts, Part::Redis);
    }
    let checked = match Bus::new(config) {
        Ok(bus) => bus.wait_for_connection().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Good("answers".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check REDIS_URL, and that the server runs"),
    }
}

fn private(parts: &Parts, part: Part) -> Finding {
    if parts.has(part) {
        Finding::Good("`up` starts a private one; its parts are here".to_owned())
    } else {
        Finding::Note(format!("`up` will fetch {} and start a private one", part.package()))
    }
}

pub(super) async fn storage(config: &Config) -> Finding {
    if config.storage.url.is_none() {
        return Finding::Good("`up` keeps files in its data folder".to_owned());
    }
    let checked = match blob::from_config(&config.storage) {
        Ok(store) => store.check().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Good("can be written and read".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check STORAGE_URL, and who may write there"),
    }
}

/// Whether somebody listens where traces are sent.
pub(super) async fn traces(config: &Config) -> Finding {
    let Some(collector) = &config.traces.collector else {
        return Finding::Note("none are made: OTEL_EXPORTER_OTLP_ENDPOINT is not set".to_owned());
    };
    // Of the address only this much: the rest may hold a password.
    let host = collector.host_str().unwrap_or_default();
    let address = format!("{host}:{}", collector.port_or_known_default().unwrap_or_default());
    let cure = "check OTEL_EXPORTER_OTLP_ENDPOINT, and that the collector takes OTLP over HTTP";
    match timeout(PATIENCE, TcpStream::connect(&address)).await {
        Ok(Ok(_)) => Finding::Good(format!("somebody listens at {address}")),
        Ok(Err(error)) => Finding::Bad(format!("{address}: {error}"), cure),
        Err(_) => Finding::Bad(format!("{address} does not answer"), cure),
    }
}
