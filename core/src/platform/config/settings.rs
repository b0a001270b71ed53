//! The table of environment variables.

use std::sync::LazyLock;

use super::ConfigError;

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the variable.
    pub name: &'static str,
    /// Noun phrase for the sentence "It is …".
    pub meaning: &'static str,
    /// Value when unset; `None` if there is no default.
    pub default: Option<&'static str>,
    /// A valid value.
    pub example: &'static str,
}

/// A titled group of settings.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Heading in the reference.
    pub title: &'static str,
    /// Settings in the order of the reference.
    pub settings: &'static [Setting],
}

const fn setting(
    name: &'static str,
    meaning: &'static str,
    default: Option<&'static str>,
    example: &'static str,
) -> Setting {
    Setting { name, meaning, default, example }
}

/// Every variable that Parlance reads, by section. `.env.example` and `docs/configuration.md` are generated from this
/// table.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Servers and files",
        settings: &[
            setting(
                "DATABASE_URL",
                "the PostgreSQL server (15 or later, with pgvector 0.8 or later); unset: `up` starts a private one",
                None,
                "postgres://parlance:secret@localhost:5432/parlance",
            ),
            setting(
                "DATABASE_MAX_CONNECTIONS",
                "the maximum number of database connections per process, at least 3",
                Some("20"),
                "20",
            ),
            setting(
                "REDIS_URL",
                "the Redis server (6.2 or later, or Valkey), rediss:// for TLS; unset: `up` starts a private one",
                None,
                "redis://localhost:6379",
            ),
            setting(
                "STORAGE_URL",
                "the storage of uploaded files, a folder or a bucket (s3://bucket/prefix); unset: the data folder of `up`",
                None,
                "file:///var/lib/parlance/files",
            ),
            setting(
                "FAILED_FILES_KEPT_HOURS",
                "the number of hours for which the files and texts of failed and cancelled sources are kept for a retry, counted by the plan's storage limit; 0: forever",
                Some("24"),
                "72",
            ),
            setting(
                "AWS_ENDPOINT_URL",
                "the S3-compatible server for STORAGE_URL=s3://…; unset: Amazon S3 in AWS_REGION",
                None,
                "http://minio:9000",
            ),
            setting("AWS_REGION", "the region of the bucket in STORAGE_URL", None, "eu-central-1"),
            setting(
                "AWS_ACCESS_KEY_ID",
                "the access key for the bucket, together with AWS_SECRET_ACCESS_KEY; unset: the role of the machine or pod",
                None,
                "AKIA…",
            ),
            setting("AWS_SECRET_ACCESS_KEY", "the secret of AWS_ACCESS_KEY_ID", None, "…"),
            setting(
                "AWS_ROLE_ARN",
                "the role to assume, together with AWS_WEB_IDENTITY_TOKEN_FILE; Kubernetes sets both for a service account",
                None,
                "arn:aws:iam::123456789012:role/parlance",
            ),
            setting(
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "the file with the token for AWS_ROLE_ARN",
                None,
                "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
            ),
            setting(
                "PARLANCE_CACHE_DIR",
                "the folder for downloaded packages and models; unset: the user's cache folder",
                None,
                "/var/cache/parlance",
            ),
        ],
    },
    Section {
        title: "HTTP API",
        settings: &[
            setting("BIND", "the address the API listens on", Some("127.0.0.1:8080"), "0.0.0.0:8080"),
            setting(
                "PUBLIC_URL",
                "the URL that customers use, if it differs from BIND",
                None,
                "https://chat.example.com",
            ),
            setting(
                "CORS_ORIGINS",
                "a comma-separated list of the web origins whose pages may call the API from a browser, * for all; unset: none",
                None,
                "https://www.example.com,https://shop.example.com",
            ),
            setting(
                "TRUSTED_PROXIES",
                "a comma-separated list of the networks of the proxies in front of the API, whose CLIENT_ADDRESS_HEADER is trusted; unset: none, the client is the peer of the connection",
                None,
                "10.0.0.0/8,127.0.0.1/32",
            ),
            setting(
                "CLIENT_ADDRESS_HEADER",
                "the header in which trusted proxies name the client: X-Forwarded-For or Forwarded; the proxy must set it",
                Some("X-Forwarded-For"),
                "Forwarded",
            ),
            setting(
                "MAX_CONNECTIONS",
                "the maximum number of open connections of one API process, at most the limit of open files less 256; further ones are closed at once",
                Some("10000"),
                "10000",
            ),
            setting(
                "CONNECTIONS_PER_ADDRESS",
                "the maximum number of open connections from one address (IPv6: a /64 network) to one API process; TRUSTED_PROXIES are exempt",
                Some("1000"),
                "256",
            ),
        ],
    },
    Section {
        title: "Limits of tenants and clients",
        settings: &[
            setting(
                "RATE_LIMIT_PER_SECOND",
                "the request limit per second of one API key, with bursts of up to two seconds' worth; 0: unlimited",
                Some("100"),
                "100",
            ),
            setting(
                "TENANT_RATE_LIMIT_PER_SECOND",
                "the request limit per second of one tenant, all its API keys together, with bursts of up to two seconds' worth; 0: unlimited; unset: twice RATE_LIMIT_PER_SECOND",
                None,
                "200",
            ),
            setting(
                "INVALID_KEY_LIMIT_PER_SECOND",
                "the limit per second of requests without a valid API key from one address (IPv6: a /64 network) to one API process, with bursts of up to two seconds' worth; 0: unlimited",
                Some("10"),
                "10",
            ),
            setting(
                "CHATS_PER_TENANT",
                "the maximum number of answers one API process generates concurrently for one tenant",
                Some("1000"),
                "1000",
            ),
            setting(
                "UPLOADS_PER_TENANT",
                "the maximum number of uploads one API process receives concurrently from one tenant",
                Some("32"),
                "16",
            ),
            setting(
                "SEARCHES_PER_TENANT",
                "the maximum number of searches one API process runs or queues concurrently for one tenant",
                Some("16"),
                "32",
            ),
            setting(
                "EVENT_STREAMS_PER_TENANT",
                "the maximum number of streams of job events one API process keeps open for one tenant",
                Some("64"),
                "64",
            ),
            setting(
                "SCRAPE_WAITS_PER_TENANT",
                "the maximum number of POST /knowledge/scrape requests of one tenant that wait for their crawls in one API process; further ones get 202 at once",
                Some("16"),
                "16",
            ),
            setting(
                "BODY_MEMORY_MB",
                "the memory in MB that the request bodies in progress in one API process may take, at least 192; one tenant may take half of it, and bodies of up to 64 KB a quarter more",
                Some("512"),
                "256",
            ),
        ],
    },
    Section {
        title: "Embedding and search",
        settings: &[
            setting(
                "EMBEDDING_MODEL",
                "the embedding model: multilingual-e5-small, all-MiniLM-L6-v2 (English, smaller), or a name from the embedding library's catalogue, downloaded from its hub; unset: multilingual-e5-small",
                None,
                "BAAI/bge-m3",
            ),
            setting(
                "EMBEDDING_MODEL_DIR",
                "the folder of an embedding model, with model.onnx, tokenizer.json, config.json, special_tokens_map.json and tokenizer_config.json",
                None,
                "/var/lib/parlance/model",
            ),
            setting(
                "EMBEDDING_MODEL_BEFORE",
                "the previous embedding model, a name or a folder, for bots that are not yet re-embedded",
                None,
                "/var/lib/parlance/model-before",
            ),
            setting(
                "EMBEDDING_THREADS",
                "the number of embedding threads per process; unset: the number of cores",
                None,
                "2",
            ),
            setting(
                "RERANK_MODEL",
                "the reranking model for the top search results, a name from the library's catalogue or a folder; unset: none",
                None,
                "BAAI/bge-reranker-base",
            ),
            setting(
                "CHUNK_TOKENS",
                "the maximum chunk size in tokens of the embedding model; existing chunks are unchanged",
                Some("200"),
                "200",
            ),
            setting(
                "CHUNK_OVERLAP",
                "the number of tokens that a chunk shares with the previous one, at most half of CHUNK_TOKENS",
                Some("30"),
                "30",
            ),
            setting(
                "ORT_DYLIB_PATH",
                "the ONNX Runtime library (1.24 or later); unset: `up` downloads one",
                None,
                "/usr/lib/libonnxruntime.so",
            ),
        ],
    },
    Section {
        title: "Language model",
        settings: &[
            setting(
                "LLM_MODEL",
                "the model that writes answers: extractive (built in), or a model name as its provider spells it",
                Some("extractive"),
                "gpt-4o-mini",
            ),
            setting(
                "LLM_BASE_URL",
                "the OpenAI-compatible server to use instead of the model's own provider",
                None,
                "http://localhost:8000/v1/",
            ),
            setting("LLM_API_KEY", "the API key for the model's provider or server", None, "sk-…"),
            setting(
                "LLM_FALLBACK_MODELS",
                "a comma-separated list of fallback models, tried in order when LLM_MODEL fails",
                None,
                "gpt-4o-mini,gpt-4.1-nano",
            ),
            setting(
                "LLM_CONTEXT_TOKENS",
                "the maximum prompt size in tokens; passages and earlier messages beyond it are dropped",
                Some("6000"),
                "6000",
            ),
            setting(
                "LLM_FIRST_TOKEN_SECONDS",
                "the timeout in seconds for the first token and for the pause between tokens, before a fallback is tried",
                Some("20"),
                "20",
            ),
            setting("LLM_TOTAL_SECONDS", "the timeout in seconds for a whole answer", Some("120"), "120"),
            setting(
                "CONVERSATION_ABANDONED_HOURS",
                "the number of hours without a message after which a conversation counts as abandoned",
                Some("24"),
                "72",
            ),
        ],
    },
    Section {
        title: "Crawler",
        settings: &[
            setting(
                "SCRAPE_CONTACT",
                "the contact for web site owners, part of the crawler's user agent",
                None,
                "https://example.com/bot",
            ),
            setting(
                "SCRAPE_WAIT_SECONDS",
                "the time in seconds that POST /knowledge/scrape waits for its job before it answers 202",
                Some("60"),
                "20",
            ),
            setting(
                "SCRAPE_CONCURRENCY",
                "the number of concurrent crawls per worker process; they mostly wait for web sites",
                Some("256"),
                "64",
            ),
            setting(
                "CRAWLS_PER_TENANT",
                "the maximum number of concurrent crawls of one tenant, in all worker processes; further ones wait",
                Some("8"),
                "4",
            ),
            setting(
                "SCRAPE_ALLOW_PORTS",
                "a comma-separated list of ports that crawls may reach besides 80 and 443; unset: none",
                None,
                "8080,8443",
            ),
            setting(
                "SCRAPE_ALLOW_NETWORKS",
                "a comma-separated list of private networks that crawls may reach; unset: none",
                None,
                "10.1.0.0/16,fd00::/8",
            ),
            setting(
                "SCRAPE_BROWSER",
                "the Chromium that reads pages made by scripts: a program, or the DevTools address of a running one; unset: such pages are not read",
                None,
                "chromium",
            ),
        ],
    },
    Section {
        title: "Workers",
        settings: &[
            setting(
                "TESSERACT",
                "the program that reads scanned pages (Tesseract 4 or later), a path or a name on the PATH; `off`: scanned pages are not read, as if it is not installed",
                Some("tesseract"),
                "/usr/local/bin/tesseract",
            ),
            setting(
                "WORKER_CONCURRENCY",
                "the number of concurrent jobs per queue and process, except crawls (SCRAPE_CONCURRENCY)",
                Some("2"),
                "4",
            ),
            setting(
                "WORKER_BIND",
                "the address on which `worker` serves /metrics, /healthz and /readyz; unset: none",
                None,
                "0.0.0.0:9090",
            ),
        ],
    },
    Section {
        title: "Logs and traces",
        settings: &[
            setting("LOG_FORMAT", "the log format: text or json", Some("text"), "json"),
            setting(
                "RUST_LOG",
                "the log filter, as directives",
                Some("info,apalis=warn,apalis_core=warn,fred=warn,ort=warn,poem=warn,sqlx=warn"),
                "info,parlance_workers=debug",
            ),
            setting(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "the trace collector, for OTLP over HTTP (without the path /v1/traces); unset: traces are disabled",
                None,
                "http://localhost:4318",
            ),
            setting(
                "OTEL_SERVICE_NAME",
                "the service name in traces; unset: parlance-api, parlance-worker or parlance",
                None,
                "parlance-embed",
            ),
        ],
    },
];

/// The settings of all sections.
pub static SETTINGS: LazyLock<Vec<Setting>> =
    LazyLock::new(|| SECTIONS.iter().flat_map(|section| section.settings).copied().collect());

pub(super) fn find(name: &'static str) -> Setting {
    SETTINGS.iter().find(|setting| setting.name == name).copied().unwrap_or(setting(
        name,
        "a setting",
        None,
        "…",
    ))
}

/// Error for a required variable that is not set.
pub(super) fn missing(name: &'static str) -> ConfigError {
    error(name, "is not set".to_owned())
}

pub(super) fn error(name: &'static str, problem: String) -> ConfigError {
    let Setting { meaning, example, .. } = find(name);
    ConfigError { name, problem, meaning, example }
}
