//! The configuration: typed, read once at start-up, one small struct per concern. The only reader
//! of the environment in the whole workspace.
//!
//! [`SETTINGS`] lists every variable with its meaning, default and an example; `.env.example` and
//! the README's table are checked against it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

mod models;
mod settings;
mod storage;

pub use models::{Chat, Embedding, LocalOrNamed, Patience, Rerank};
use settings::Reader;
pub use settings::{SETTINGS, Setting};
pub use storage::{S3, Storage};

/// Everything a process needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Postgres is.
    pub database: Database,
    /// Where Redis is.
    pub redis: Redis,
    /// Where files are kept.
    pub storage: Storage,
    /// How the API is reached.
    pub http: Http,
    /// What one caller may ask at once.
    pub limits: Limits,
    /// What turns text into vectors.
    pub embedding: Embedding,
    /// What looks again at what a search found.
    pub rerank: Rerank,
    /// What writes the answers.
    pub chat: Chat,
    /// How long conversations go on.
    pub conversations: Conversations,
    /// What crawls may reach.
    pub scrape: Scrape,
    /// What reads files.
    pub extract: Extract,
    /// How large chunks are.
    pub chunking: Chunking,
    /// How bots are searched.
    pub index: Index,
    /// How jobs are run.
    pub jobs: Jobs,
    /// What is logged, and how.
    pub log: Log,
    /// Where traces go.
    pub traces: Traces,
    /// Where downloaded parts are kept for every data folder of this user; `None`: the user's cache.
    pub cache_dir: Option<PathBuf>,
}

/// Where Postgres is.
#[derive(Clone, Debug)]
pub struct Database {
    /// `postgres://…`; `None` lets `up` start a private server.
    pub url: Option<SecretString>,
    /// Most connections one process holds.
    pub max_connections: u32,
}

/// Where Redis is.
#[derive(Clone, Debug)]
pub struct Redis {
    /// `redis://…`, or `rediss://…` with TLS; `None` lets `up` start a private server.
    pub url: Option<SecretString>,
    /// What every key and channel begins with, so that two installations can share a server.
    pub namespace: String,
}

/// How the API is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// The address to listen on.
    pub bind: SocketAddr,
    /// The address customers use, when it is another one (behind a proxy).
    pub public_url: Option<Url>,
    /// The web sites whose pages may call the API from a browser (`*`: all of them).
    pub cors_origins: Vec<String>,
    /// The address at which a worker tells operators of itself; `None`: nowhere.
    pub worker_bind: Option<SocketAddr>,
}

/// What one caller may ask at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests a second of one API key; 0: no limit.
    pub requests_per_second: u32,
    /// Answers of one tenant that one process makes at once.
    pub chats_per_tenant: usize,
    /// Uploads of one tenant that one process reads at once.
    pub uploads_per_tenant: usize,
}

/// What crawls may reach.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// Private networks opened on purpose; every other private address is refused.
    pub allow_networks: Vec<IpNet>,
    /// Ports beside 80 and 443.
    pub allow_ports: Vec<u16>,
    /// How the owner of a web site reaches whoever runs this: a part of the user agent.
    pub contact: Option<String>,
    /// How long a request waits for its crawl before it is answered that it goes on.
    pub wait: Duration,
}

/// What reads files. No variables: it is for tests.
#[derive(Clone, Debug, Default)]
pub struct Extract {
    /// The program whose role `extract` reads a file; `None`: the one that runs.
    pub program: Option<PathBuf>,
}

/// How large chunks are.
#[derive(Clone, Copy, Debug)]
pub struct Chunking {
    /// The most tokens of a chunk, in those of the embedding model.
    pub tokens: usize,
    /// Tokens at the beginning of a chunk that its predecessor ends with.
    pub overlap: usize,
}

/// How bots are searched. No variables: it is for tests.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// The chunks from which a bot has indexes of its own. It loses them below half as many.
    pub from_chunks: u32,
}

/// How jobs are run. The times have no variables: they are for tests and for the careful.
#[derive(Clone, Debug)]
pub struct Jobs {
    /// Jobs of one queue that one process runs at once.
    pub concurrency: usize,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How long a dispatched job may wait for a worker before its hint counts as lost.
    pub hint_timeout: Duration,
    /// The pause between two sweeps.
    pub sweep_interval: Duration,
    /// The longest pause between two looks of an idle worker at its queue.
    pub poll_interval: Duration,
    /// The first pause before a retry; it doubles from attempt to attempt.
    pub backoff_base: Duration,
    /// The longest pause before a retry.
    pub backoff_cap: Duration,
    /// How long after its enqueueing a job fails whatever happens.
    pub deadline: Duration,
    /// The fewest hints that may lie in one queue: what keeps a small fleet busy between dispatches.
    pub window_floor: usize,
    /// Batches of one tenant that may wait to be embedded before no more of its texts are split.
    pub embed_backlog: usize,
    /// How long running jobs may take to end when the process is told to stop.
    pub drain: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            concurrency: 2,
            lease: Duration::from_secs(15),
            hint_timeout: Duration::from_secs(10),
            sweep_interval: Duration::from_secs(2),
            poll_interval: Duration::from_millis(200),
            backoff_base: Duration::from_secs(2),
            backoff_cap: Duration::from_secs(300),
            deadline: Duration::from_secs(24 * 60 * 60),
            window_floor: 8,
            embed_backlog: 64,
            drain: Duration::from_secs(25),
        }
    }
}

/// How long conversations go on.
#[derive(Clone, Debug)]
pub struct Conversations {
    /// How long after its last message a conversation counts as abandoned.
    pub abandoned_after: Duration,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Log {
    /// One line for people, or one JSON object for machines.
    pub format: LogFormat,
    /// Which events, in the syntax of `RUST_LOG`.
    pub filter: String,
}

/// Where traces go. What else OpenTelemetry's variables say of them (sampling, headers, attributes, batches) its library
/// reads itself.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector; none: no traces are made.
    pub collector: Option<Url>,
    /// The process's name in them, when it is not that of its role.
    pub service: Option<String>,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}

/// A variable that cannot be used; names it, what was expected and an example.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}. It is {meaning}; example: {name}={example}")]
pub struct ConfigError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with its value.
    pub problem: String,
    /// What it is for.
    pub meaning: &'static str,
    /// A value that would do.
    pub example: &'static str,
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// Names the first variable that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads the variables that `lookup` knows; an empty value counts as none.
    ///
    /// # Errors
    /// Names the first variable that cannot be used.
    pub fn read(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = Reader::new(&lookup);
        Ok(Self {
            database: Database {
                url: read.url("DATABASE_URL", &["postgres", "postgresql"])?.map(secret),
                max_connections: read.number("DATABASE_MAX_CONNECTIONS", 3..=1000)?,
            },
            redis: Redis {
                url: read.url("REDIS_URL", &["redis", "rediss"])?.map(secret),
                namespace: "parlance".to_owned(),
            },
            storage: Storage::read(&read)?,
            http: Http {
                bind: read.parsed("BIND", "is not an address and port")?,
                public_url: read.url("PUBLIC_URL", &["http", "https"])?,
                cors_origins: read.list("CORS_ORIGINS", "has an entry that is not an origin")?,
                worker_bind: match read.text("WORKER_BIND") {
                    Some(_) => Some(read.parsed("WORKER_BIND", "is not an address and port")?),
                    None => None,
                },
            },
            limits: Limits {
                requests_per_second: read.number("RATE_LIMIT_PER_SECOND", 0..=1_000_000)?,
                chats_per_tenant: read.number("CHATS_PER_TENANT", 1..=1_000_000)?,
                uploads_per_tenant: read.number("UPLOADS_PER_TENANT", 1..=1_000_000)?,
            },
            embedding: Embedding::read(&read)?,
            rerank: Rerank::read(&read),
            chat: Chat::read(&read)?,
            conversations: Conversations {
                abandoned_after: Duration::from_secs(
                    60 * 60 * read.number::<u64>("CONVERSATION_ABANDONED_HOURS", 1..=8760)?,
                ),
            },
            scrape: Scrape {
                allow_networks: read.list("SCRAPE_ALLOW_NETWORKS", "has an entry that is not a network")?,
                allow_ports: read.list("SCRAPE_ALLOW_PORTS", "has an entry that is not a port")?,
                contact: read.text("SCRAPE_CONTACT"),
                wait: Duration::from_secs(read.number::<u64>("SCRAPE_WAIT_SECONDS", 0..=600)?),
            },
            extract: Extract::default(),
            chunking: Chunking::read(&read)?,
            index: Index { from_chunks: 5_000 },
            jobs: Jobs { concurrency: read.number("WORKER_CONCURRENCY", 1..=1024)?, ..Jobs::default() },
            log: Log {
                format: match read.required("LOG_FORMAT")?.as_str() {
                    "text" => LogFormat::Text,
                    "json" => LogFormat::Json,
                    other => return Err(read.fault("LOG_FORMAT", format!("is {other:?}, not text or json"))),
                },
                filter: read.required("RUST_LOG")?,
            },
            traces: Traces {
                collector: read.url("OTEL_EXPORTER_OTLP_ENDPOINT", &["http", "https"])?,
                service: read.text("OTEL_SERVICE_NAME"),
            },
            cache_dir: read.text("PARLANCE_CACHE_DIR").map(PathBuf::from),
        })
    }
}

impl Chunking {
    fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        let tokens: usize = read.number("CHUNK_TOKENS", 32..=480)?;
        let overlap: usize = read.number("CHUNK_OVERLAP", 0..=240)?;
        if overlap > tokens / 2 {
            let problem = format!("is {overlap}, more than half of CHUNK_TOKENS, which is {tokens}");
            return Err(read.fault("CHUNK_OVERLAP", problem));
        }
        Ok(Self { tokens, overlap })
    }
}

impl Database {
    /// The URL, or the error that says how to give one.
    ///
    /// # Errors
    /// When there is none.
    pub fn require(&self) -> Result<&str, ConfigError> {
        self.url.as_ref().map(ExposeSecret::expose_secret).ok_or_else(|| settings::absent("DATABASE_URL"))
    }
}

impl Redis {
    /// The URL, or the error that says how to give one.
    ///
    /// # Errors
    /// When there is none.
    pub fn require(&self) -> Result<&str, ConfigError> {
        self.url.as_ref().map(ExposeSecret::expose_secret).ok_or_else(|| settings::absent("REDIS_URL"))
    }
}

fn secret(url: Url) -> SecretString {
    SecretString::from(String::from(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(move |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_environment_is_a_working_configuration() {
        let config = with(&[]).unwrap();
        assert_eq!(config.chat.model, "extractive");
        assert_eq!(config.http.bind.port(), 8080);
        assert!(config.database.url.is_none());
    }

    #[test]
    fn a_wrong_value_names_the_variable_and_shows_an_example() {
        for pairs in [
            &[("DATABASE_URL", "mysql://x/y")][..],
            &[("DATABASE_URL", "not a url")],
            &[("BIND", "8080")],
            &[("WORKER_CONCURRENCY", "0")],
            &[("WORKER_CONCURRENCY", "many")],
            &[("DATABASE_MAX_CONNECTIONS", "2")],
            &[("LOG_FORMAT", "xml")],
            &[("STORAGE_URL", "ftp://x/y")],
            &[("AWS_SECRET_ACCESS_KEY", ""), ("AWS_ACCESS_KEY_ID", "AKIA")],
            &[("CHUNK_TOKENS", "16")],
            &[("CHUNK_OVERLAP", "101")],
        ] {
            let error = with(pairs).unwrap_err().to_string();
            let name = pairs[0].0;
            assert!(error.starts_with(name), "{error}");
            assert!(error.contains(&format!("example: {name}=")), "{error}");
        }
    }

    #[test]
    fn an_error_never_shows_a_password() {
        let error = with(&[("DATABASE_URL", "mysql://me:hunter2@x/y")]).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_example_file_names_every_variable_and_no_other() {
        let file = include_str!("../../../.env.example");
        let named: Vec<&str> = file
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(named, known);
    }
}
