//! Every variable with its meaning, default and an example, and the reading of one.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use url::Url;

use super::ConfigError;

/// One variable of the environment.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it is for, as the end of a sentence that begins with "It is".
    pub meaning: &'static str,
    /// Its value when it is not set; `None`: it stays unset.
    pub default: Option<&'static str>,
    /// A value that would do.
    pub example: &'static str,
}

const fn setting(
    name: &'static str,
    meaning: &'static str,
    default: Option<&'static str>,
    example: &'static str,
) -> Setting {
    Setting { name, meaning, default, example }
}

/// Every variable Parlance reads.
pub const SETTINGS: &[Setting] = &[
    setting(
        "DATABASE_URL",
        "the Postgres (15 or later, with pgvector 0.8) to use; `up` starts a private one when it is not set",
        None,
        "postgres://parlance:secret@localhost:5432/parlance",
    ),
    setting(
        "DATABASE_MAX_CONNECTIONS",
        "the most connections one process holds, at least 3",
        Some("20"),
        "20",
    ),
    setting(
        "REDIS_URL",
        "the Redis (6.2 or later, or Valkey) to use, rediss:// with TLS; `up` starts a private one when it is not set",
        None,
        "redis://localhost:6379",
    ),
    setting(
        "STORAGE_URL",
        "where uploaded files are kept, a folder or a bucket (s3://bucket/prefix); not set: the data folder of `up`",
        None,
        "file:///var/lib/parlance/files",
    ),
    setting(
        "AWS_ENDPOINT_URL",
        "a server that speaks S3, for STORAGE_URL=s3://…; not set: Amazon's, in AWS_REGION",
        None,
        "http://minio:9000",
    ),
    setting("AWS_REGION", "the region of the bucket of STORAGE_URL", None, "eu-central-1"),
    setting(
        "AWS_ACCESS_KEY_ID",
        "the key to the bucket, with AWS_SECRET_ACCESS_KEY; not set: the role of the machine or the pod",
        None,
        "AKIA…",
    ),
    setting("AWS_SECRET_ACCESS_KEY", "the secret of AWS_ACCESS_KEY_ID", None, "…"),
    setting(
        "AWS_ROLE_ARN",
        "a role, with AWS_WEB_IDENTITY_TOKEN_FILE: Kubernetes sets both for a service account",
        None,
        "arn:aws:iam::123456789012:role/parlance",
    ),
    setting(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "the file with the token that opens AWS_ROLE_ARN",
        None,
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    ),
    setting("BIND", "the address the API listens on", Some("127.0.0.1:8080"), "0.0.0.0:8080"),
    setting(
        "PUBLIC_URL",
        "the address customers use, when it differs from BIND",
        None,
        "https://chat.example.com",
    ),
    setting(
        "CORS_ORIGINS",
        "a comma-separated list of the web sites whose pages may call the API from a browser, * for all; not set: none",
        None,
        "https://www.example.com,https://shop.example.com",
    ),
    setting(
        "RATE_LIMIT_PER_SECOND",
        "the requests a second of one API key, of which it may save up two seconds' worth; 0: no limit",
        Some("100"),
        "100",
    ),
    setting(
        "CHATS_PER_TENANT",
        "the answers of one tenant that one API process makes at once",
        Some("1000"),
        "1000",
    ),
    setting(
        "UPLOADS_PER_TENANT",
        "the uploads of one tenant that one API process reads at once",
        Some("32"),
        "16",
    ),
    setting(
        "EMBEDDING_MODEL",
        "multilingual-e5-small or all-MiniLM-L6-v2 (English, smaller), or a model of the embedding library's catalogue, fetched from its hub; not set: multilingual-e5-small",
        None,
        "BAAI/bge-m3",
    ),
    setting(
        "EMBEDDING_MODEL_DIR",
        "a folder with model.onnx, tokenizer.json, config.json, special_tokens_map.json and tokenizer_config.json",
        None,
        "/var/lib/parlance/model",
    ),
    setting(
        "EMBEDDING_MODEL_BEFORE",
        "the embedding model before this one, a name or a folder: it answers for each bot until this one knows all of it",
        None,
        "/var/lib/parlance/model-before",
    ),
    setting(
        "EMBEDDING_THREADS",
        "the threads that embedding may use in a process; not set: as many as there are cores",
        None,
        "2",
    ),
    setting(
        "RERANK_MODEL",
        "a reranking model that looks again at the best of a search, a name of the library's catalogue or a folder; not set: none",
        None,
        "BAAI/bge-reranker-base",
    ),
    setting(
        "CHUNK_TOKENS",
        "the most tokens of a passage that is searched, of the embedding model; what is known already keeps its size",
        Some("200"),
        "200",
    ),
    setting(
        "CHUNK_OVERLAP",
        "the tokens that a passage shares with the one before it, at most half of CHUNK_TOKENS",
        Some("30"),
        "30",
    ),
    setting(
        "ORT_DYLIB_PATH",
        "the ONNX Runtime library (1.24 or later); `up` fetches one when it is not set",
        None,
        "/usr/lib/libonnxruntime.so",
    ),
    setting(
        "LLM_MODEL",
        "what writes answers: extractive (built in), or a model's name as its provider writes it",
        Some("extractive"),
        "gpt-4o-mini",
    ),
    setting(
        "LLM_BASE_URL",
        "an OpenAI-compatible server to ask instead of the model's own provider",
        None,
        "http://localhost:8000/v1/",
    ),
    setting("LLM_API_KEY", "the key for the model's provider or server", None, "sk-…"),
    setting(
        "LLM_FALLBACK_MODELS",
        "the models to ask, in this order, when LLM_MODEL does not answer, separated by commas",
        None,
        "gpt-4o-mini,gpt-4.1-nano",
    ),
    setting(
        "LLM_CONTEXT_TOKENS",
        "the most tokens of a prompt: passages and what was said are left out beyond them",
        Some("6000"),
        "6000",
    ),
    setting(
        "LLM_FIRST_TOKEN_SECONDS",
        "how long a model may take to begin its answer, and pause in it, before another is asked",
        Some("20"),
        "20",
    ),
    setting("LLM_TOTAL_SECONDS", "how long a model may take for a whole answer", Some("120"), "120"),
    setting(
        "CONVERSATION_ABANDONED_HOURS",
        "the hours without a message after which a conversation counts as abandoned",
        Some("24"),
        "72",
    ),
    setting(
        "SCRAPE_CONTACT",
        "how the owner of a web site reaches you: a part of the crawler's user agent",
        None,
        "https://example.com/bot",
    ),
    setting(
        "SCRAPE_WAIT_SECONDS",
        "the seconds that POST /knowledge/scrape waits for its job before it answers 202",
        Some("60"),
        "20",
    ),
    setting(
        "SCRAPE_ALLOW_PORTS",
        "a comma-separated list of ports that crawls may reach beside 80 and 443; not set: none",
        None,
        "8080,8443",
    ),
    setting(
        "SCRAPE_ALLOW_NETWORKS",
        "a comma-separated list of private networks that crawls may reach; not set: none",
        None,
        "10.1.0.0/16,fd00::/8",
    ),
    setting("WORKER_CONCURRENCY", "the jobs of one queue that one process runs at once", Some("2"), "4"),
    setting(
        "WORKER_BIND",
        "the address at which `worker` serves /metrics, /healthz and /readyz; not set: nowhere",
        None,
        "0.0.0.0:9090",
    ),
    setting("LOG_FORMAT", "text for people or json for machines", Some("text"), "json"),
    setting(
        "RUST_LOG",
        "which events are logged, as directives",
        Some("info,apalis=warn,apalis_core=warn,fred=warn,ort=warn,poem=warn,sqlx=warn"),
        "info,parlance_workers=debug",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "the collector that traces are sent to, by OTLP over HTTP (below its path: /v1/traces); not set: none are made",
        None,
        "http://localhost:4318",
    ),
    setting(
        "OTEL_SERVICE_NAME",
        "the name of this process in traces; not set: parlance-api, parlance-worker or parlance",
        None,
        "parlance-embed",
    ),
    setting(
        "PARLANCE_CACHE_DIR",
        "where downloaded parts are kept; not set: the user's cache folder",
        None,
        "/var/cache/parlance",
    ),
];

fn named(name: &'static str) -> Setting {
    SETTINGS.iter().find(|setting| setting.name == name).copied().unwrap_or(setting(
        name,
        "a setting",
        None,
        "…",
    ))
}

/// The error for a variable that must be set and is not.
pub(super) fn absent(name: &'static str) -> ConfigError {
    fault(name, "is not set".to_owned())
}

fn fault(name: &'static str, problem: String) -> ConfigError {
    let Setting { meaning, example, .. } = named(name);
    ConfigError { name, problem, meaning, example }
}

/// Reads variables through a lookup, with their defaults.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&'static str) -> Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&'static str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The value, else the default; blank counts as unset.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        (self.lookup)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .or_else(|| named(name).default.map(str::to_owned))
    }

    /// Two that are of no use alone: both, or none.
    pub(super) fn pair(
        &self,
        one: &'static str,
        other: &'static str,
    ) -> Result<Option<(String, String)>, ConfigError> {
        match (self.text(one), self.text(other)) {
            (Some(one), Some(other)) => Ok(Some((one, other))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(fault(other, format!("is not set, and {one} is"))),
            (None, Some(_)) => Err(fault(one, format!("is not set, and {other} is"))),
        }
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name).ok_or_else(|| absent(name))
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &'static str, problem: &str) -> Result<T, ConfigError> {
        self.required(name)?.parse().map_err(|_| fault(name, problem.to_owned()))
    }

    pub(super) fn number<T>(&self, name: &'static str, range: RangeInclusive<T>) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let problem = format!("is not a whole number from {} to {}", range.start(), range.end());
        let number = self.parsed(name, &problem)?;
        if range.contains(&number) { Ok(number) } else { Err(fault(name, problem)) }
    }

    /// A comma-separated list; unset is the empty list.
    pub(super) fn list<T: FromStr>(&self, name: &'static str, problem: &str) -> Result<Vec<T>, ConfigError> {
        self.text(name)
            .iter()
            .flat_map(|list| list.split(','))
            .map(|entry| entry.trim().parse().map_err(|_| fault(name, problem.to_owned())))
            .collect()
    }

    /// A URL with one of the schemes; its value is never repeated, for it may hold a password.
    pub(super) fn url(&self, name: &'static str, schemes: &[&str]) -> Result<Option<Url>, ConfigError> {
        let Some(raw) = self.text(name) else { return Ok(None) };
        let problem = || format!("is not a URL that starts with {}", schemes.join(":// or ") + "://");
        match Url::parse(&raw) {
            Ok(url) if schemes.contains(&url.scheme()) => Ok(Some(url)),
            _ => Err(fault(name, problem())),
        }
    }

    pub(super) fn fault(&self, name: &'static str, problem: String) -> ConfigError {
        fault(name, problem)
    }
}
