//! Typed configuration, read once at start-up. The only module of the workspace that reads the environment.
//!
//! [`SECTIONS`] lists every variable with its meaning, default and example. `.env.example` and `docs/configuration.md`
//! are generated from it (`parlance settings`), and a test of the `parlance` crate fails when either is stale.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use parlance_crawl::browser::{BrowserAddress, BrowserAddressError};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

mod http;
mod limits;
mod models;
mod reader;
mod settings;
mod storage;

pub use http::{ClientAddressHeader, Http};
pub use limits::Limits;
pub use models::{Chat, ChatTimeouts, Embedding, LocalOrNamed, Rerank};
use reader::Reader;
pub use settings::{SECTIONS, SETTINGS, Section, Setting};
pub use storage::{S3, Storage};

/// Configuration of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Postgres.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// File storage.
    pub storage: Storage,
    /// HTTP servers.
    pub http: Http,
    /// Rate and concurrency limits.
    pub limits: Limits,
    /// Embedding model.
    pub embedding: Embedding,
    /// Reranking of search results.
    pub rerank: Rerank,
    /// Language model.
    pub chat: Chat,
    /// Conversations.
    pub conversations: Conversations,
    /// Crawler.
    pub scrape: Scrape,
    /// Text extraction.
    pub extract: Extract,
    /// Chunk sizes.
    pub chunking: Chunking,
    /// Vector indexes.
    pub index: Index,
    /// Job execution.
    pub jobs: Jobs,
    /// Logging.
    pub log: Log,
    /// Tracing.
    pub traces: Traces,
    /// Folder for downloaded parts, shared by all data folders; `None`: the user's cache folder.
    pub cache_dir: Option<PathBuf>,
}

/// Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// `postgres://…`; `None`: `up` starts a private server.
    pub url: Option<SecretString>,
    /// Maximum connections per process.
    pub max_connections: u32,
}

/// Redis.
#[derive(Clone, Debug)]
pub struct Redis {
    /// `redis://…`, or `rediss://…` for TLS; `None`: `up` starts a private server.
    pub url: Option<SecretString>,
    /// Prefix of all keys and channels, so that installations can share a server.
    pub namespace: String,
}

/// Crawler.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// Private networks that crawls may reach. All other private addresses are refused.
    pub allow_networks: Vec<IpNet>,
    /// Allowed ports besides 80 and 443.
    pub allow_ports: Vec<u16>,
    /// Browser for pages made by scripts; `None`: they are not read.
    pub browser: Option<BrowserAddress>,
    /// Contact for web site owners, part of the user agent.
    pub contact: Option<String>,
    /// Time a request waits for its crawl before it returns 202.
    pub wait: Duration,
    /// Timeout of a request to a web site. No environment variable, as the next two: for tests only.
    pub page_timeout: Duration,
    /// Time from which a response counts as slow.
    pub slow: Duration,
    /// Total time of consecutive slow responses after which a crawl ends.
    pub patience: Duration,
}

/// Text extraction.
#[derive(Clone, Debug, Default)]
pub struct Extract {
    /// Program started as `PROGRAM extract`; `None`: the current executable. No environment variable: for
    /// tests only.
    pub program: Option<PathBuf>,
    /// Tesseract, which reads scanned pages; `None`: they are not read.
    pub tesseract: Option<PathBuf>,
}

/// Chunk sizes.
#[derive(Clone, Copy, Debug)]
pub struct Chunking {
    /// Maximum chunk size in tokens of the embedding model.
    pub tokens: usize,
    /// Tokens that a chunk shares with the previous one.
    pub overlap: usize,
}

/// Vector indexes. No environment variables: for tests only.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Number of chunks from which a bot gets its own indexes. They are dropped below half of it.
    pub from_chunks: u32,
}

/// Job execution. The numbers of concurrent jobs have environment variables; the rest is for tests.
#[derive(Clone, Debug)]
pub struct Jobs {
    /// Concurrent jobs per queue and process, except crawls.
    pub concurrency: usize,
    /// Concurrent crawls per process. They mostly wait for web sites.
    pub crawls: usize,
    /// Concurrent crawls per tenant, in all processes.
    pub crawls_per_tenant: usize,
    /// Lease duration without a heartbeat.
    pub lease: Duration,
    /// Time after which the hint of a dispatched, unclaimed job counts as lost.
    pub hint_timeout: Duration,
    /// Interval between sweeps.
    pub sweep_interval: Duration,
    /// Maximum polling interval of an idle worker.
    pub poll_interval: Duration,
    /// Backoff before the first retry; doubles with each attempt.
    pub backoff_base: Duration,
    /// Maximum backoff.
    pub backoff_cap: Duration,
    /// Deadline of a job, counted from its enqueueing.
    pub deadline: Duration,
    /// Minimum dispatch window per queue. Keeps a small fleet busy between dispatches.
    pub window_floor: usize,
    /// Waiting embedding batches of one tenant above which no more of its texts are chunked.
    pub embed_backlog: usize,
    /// Time allowed for running jobs to finish during shutdown.
    pub drain: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            concurrency: 2,
            crawls: 256,
            crawls_per_tenant: 8,
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

/// Conversations.
#[derive(Clone, Debug)]
pub struct Conversations {
    /// Time after the last message from which a conversation counts as abandoned.
    pub abandoned_after: Duration,
}

/// Logging.
#[derive(Clone, Debug)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// Filter directives, in the syntax of `RUST_LOG`.
    pub filter: String,
}

/// Tracing. The OpenTelemetry library itself reads its other variables (sampling, headers, attributes, batches).
#[derive(Clone, Debug)]
pub struct Traces {
    /// Collector; `None`: tracing is disabled.
    pub collector: Option<Url>,
    /// Service name; `None`: the name of the role.
    pub service: Option<String>,
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human-readable lines.
    Text,
    /// One JSON object per line.
    Json,
}

/// An invalid variable. The message has its name, the problem, the meaning and an example.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}. It is {meaning}; example: {name}={example}")]
pub struct ConfigError {
    /// Name of the variable.
    pub name: &'static str,
    /// Problem with the value.
    pub problem: String,
    /// Meaning of the variable.
    pub meaning: &'static str,
    /// A valid value.
    pub example: &'static str,
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// The first invalid variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "the only reader of the environment")]
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`. An empty value counts as unset.
    ///
    /// # Errors
    /// The first invalid variable.
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
            http: Http::read(&read)?,
            limits: Limits::read(&read)?,
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
                browser: Scrape::browser(&read)?,
                contact: read.text("SCRAPE_CONTACT"),
                wait: Duration::from_secs(read.number::<u64>("SCRAPE_WAIT_SECONDS", 0..=600)?),
                page_timeout: Duration::from_secs(30),
                // Real but slow sites need five to eight seconds a page.
                slow: Duration::from_secs(10),
                patience: Duration::from_secs(60),
            },
            extract: Extract { program: None, tesseract: Extract::tesseract(&read)? },
            chunking: Chunking::read(&read)?,
            index: Index { from_chunks: 5_000 },
            jobs: Jobs {
                concurrency: read.number("WORKER_CONCURRENCY", 1..=1024)?,
                crawls: read.number("SCRAPE_CONCURRENCY", 1..=10_000)?,
                crawls_per_tenant: read.number("CRAWLS_PER_TENANT", 1..=10_000)?,
                ..Jobs::default()
            },
            log: Log {
                format: match read.required("LOG_FORMAT")?.as_str() {
                    "text" => LogFormat::Text,
                    "json" => LogFormat::Json,
                    other => return Err(read.error("LOG_FORMAT", format!("is {other:?}, not text or json"))),
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

impl Scrape {
    /// The browser, with the path of a program on the `PATH`. A program that is missing is reported when it is
    /// started.
    fn browser(read: &Reader<'_>) -> Result<Option<BrowserAddress>, ConfigError> {
        const NAME: &str = "SCRAPE_BROWSER";
        if read.text(NAME).is_none() {
            return Ok(None);
        }
        Ok(Some(match read.parsed(NAME, &BrowserAddressError.to_string())? {
            BrowserAddress::Program(name) => BrowserAddress::Program(which::which(&name).unwrap_or(name)),
            endpoint => endpoint,
        }))
    }
}

impl Extract {
    /// Finds the program. A missing default program is no error.
    fn tesseract(read: &Reader<'_>) -> Result<Option<PathBuf>, ConfigError> {
        const NAME: &str = "TESSERACT";
        match read.required(NAME)?.as_str() {
            "off" => Ok(None),
            program => match which::which(program) {
                Ok(path) => Ok(Some(path)),
                Err(_) if read.is_default(NAME) => Ok(None),
                Err(_) => Err(read.error(NAME, format!("is {program:?}, which is no program"))),
            },
        }
    }
}

impl Chunking {
    fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        let tokens: usize = read.number("CHUNK_TOKENS", 32..=480)?;
        let overlap: usize = read.number("CHUNK_OVERLAP", 0..=240)?;
        if overlap > tokens / 2 {
            let problem = format!("is {overlap}, more than half of CHUNK_TOKENS, which is {tokens}");
            return Err(read.error("CHUNK_OVERLAP", problem));
        }
        Ok(Self { tokens, overlap })
    }
}

impl Database {
    /// The URL.
    ///
    /// # Errors
    /// DATABASE_URL is not set.
    pub fn require(&self) -> Result<&str, ConfigError> {
        self.url.as_ref().map(ExposeSecret::expose_secret).ok_or_else(|| settings::missing("DATABASE_URL"))
    }
}

impl Redis {
    /// The URL.
    ///
    /// # Errors
    /// REDIS_URL is not set.
    pub fn require(&self) -> Result<&str, ConfigError> {
        self.url.as_ref().map(ExposeSecret::expose_secret).ok_or_else(|| settings::missing("REDIS_URL"))
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
    fn error_names_the_variable_and_shows_an_example() {
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
    fn error_never_shows_a_password() {
        let error = with(&[("DATABASE_URL", "mysql://me:hunter2@x/y")]).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
