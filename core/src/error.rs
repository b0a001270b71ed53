//! The domain's error type, with one variant per possible reaction of the caller.
//!
//! The source chain goes to the log and never to a client.

use std::fmt;
use std::time::Duration;

/// An error, classified by the caller's possible reaction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Missing or owned by another tenant: deliberately the same error.
    #[error("{0} not found")]
    NotFound(Thing),
    /// Invalid input: one problem per field, never empty.
    #[error("invalid input: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    /// No valid API key.
    #[error("unauthorized: {0}")]
    Unauthorized(Unauthorized),
    /// The key is valid but lacks the permission, or the bot is inactive.
    #[error("forbidden: {0}")]
    Forbidden(Forbidden),
    /// A limit of the plan is reached.
    #[error("plan limit reached: {0:?}")]
    LimitReached(Limit),
    /// Conflict with existing data, named in the message.
    #[error("conflict: {message}")]
    Conflict {
        /// Stable machine-readable slug.
        code: &'static str,
        /// Human-readable sentence.
        message: String,
    },
    /// The same operation is in progress; retry soon.
    #[error("busy: {message}")]
    Busy {
        /// Stable machine-readable slug.
        code: &'static str,
        /// Human-readable sentence.
        message: String,
    },
    /// Rate or concurrency limit exceeded; retry later.
    #[error("too many: {message}")]
    TooMany {
        /// Stable machine-readable slug.
        code: &'static str,
        /// Human-readable sentence.
        message: String,
        /// Delay before a retry.
        retry_after: Duration,
    },
    /// The process is at a limit that all tenants share; retry later.
    #[error("overloaded: {message}")]
    Overloaded {
        /// Stable machine-readable slug.
        code: &'static str,
        /// Human-readable sentence.
        message: String,
        /// Delay before a retry.
        retry_after: Duration,
    },
    /// Input larger than allowed.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// Largest size accepted, in bytes.
        limit_bytes: u64,
    },
    /// A document that cannot be ingested; retrying is pointless.
    #[error("{code}: {message}")]
    Rejected {
        /// Stable machine-readable slug (`empty`, `unsupported_type`, …).
        code: &'static str,
        /// Human-readable sentence: the problem and its remedy.
        message: String,
    },
    /// A required service does not answer; retry later.
    #[error("{part} is unavailable")]
    Unavailable {
        /// The service.
        part: Part,
        /// Delay before a retry, if the service requested one.
        retry_after: Option<Duration>,
        /// Its error.
        #[source]
        source: BoxError,
    },
    /// A statement waited too long for rows that other requests are changing, or ran too long; retry soon.
    #[error("a statement reached its time limit")]
    Contended(#[source] BoxError),
    /// The work was cancelled on request.
    #[error("cancelled")]
    Cancelled,
    /// Another worker holds the job now. The caller must write nothing.
    #[error("the lease was lost")]
    LeaseLost,
    /// A bug, or an unexpected failure of the environment.
    #[error("internal error: {context}")]
    Internal {
        /// The failed operation.
        context: String,
        /// The cause.
        #[source]
        source: BoxError,
    },
}

/// Any error, for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Result of a domain operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A type of resource, named in [`Error::NotFound`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A tenant; for operators only.
    Tenant,
    /// An API key.
    Key,
    /// A bot.
    Bot,
    /// A conversation.
    Conversation,
    /// A message of a conversation.
    Message,
    /// A knowledge source.
    Source,
    /// The file of a failed source, which has been removed.
    RemovedFile,
    /// A job.
    Job,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Thing::Tenant => "tenant",
            Thing::Key => "API key",
            Thing::Bot => "bot",
            Thing::Conversation => "conversation",
            Thing::Message => "message",
            Thing::Source => "knowledge source",
            Thing::RemovedFile => "file",
            Thing::Job => "job",
        })
    }
}

/// A problem with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's name in the API.
    pub field: &'static str,
    /// The problem.
    pub fault: Fault,
}

/// The problem with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Required and missing.
    Missing,
    /// Invalid. The sentence states the valid values.
    Wrong(String),
}

impl Problem {
    /// A required field is missing.
    #[must_use]
    pub fn missing(field: &'static str) -> Self {
        Self { field, fault: Fault::Missing }
    }

    /// A field is invalid; `message` states the valid values.
    pub fn wrong(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, fault: Fault::Wrong(message.into()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Missing => write!(f, "{} is missing", self.field),
            Fault::Wrong(message) => write!(f, "{}: {message}", self.field),
        }
    }
}

/// Why a caller is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// No API key was sent.
    Missing,
    /// The key is malformed, unknown, expired or revoked, or its tenant is inactive: deliberately the same error.
    Rejected,
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unauthorized::Missing => "no API key",
            Unauthorized::Rejected => "the API key is not valid",
        })
    }
}

/// Why an authenticated caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The key lacks the scope that the operation requires.
    Scope,
    /// The bot is inactive.
    InactiveBot,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forbidden::Scope => "the key lacks the scope",
            Forbidden::InactiveBot => "the bot is inactive",
        })
    }
}

/// Limits of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Number of bots.
    Bots,
    /// Conversations started in a calendar month (UTC).
    Conversations,
    /// Messages stored in a calendar month (UTC).
    Messages,
    /// Number of knowledge sources.
    Sources,
    /// Bytes of stored knowledge.
    Storage,
    /// Number of API keys.
    ApiKeys,
    /// Tokens embedded in a calendar month (UTC).
    EmbeddedTokens,
}

impl Limit {
    /// Stable machine-readable slug.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Limit::Bots => "plan_limit_bots",
            Limit::Conversations => "plan_limit_conversations",
            Limit::Messages => "plan_limit_messages",
            Limit::Sources => "plan_limit_sources",
            Limit::Storage => "plan_limit_storage",
            Limit::ApiKeys => "plan_limit_api_keys",
            Limit::EmbeddedTokens => "plan_limit_embedded_tokens",
        }
    }

    /// The problem, in the words of the API reference.
    #[must_use]
    pub const fn problem(self) -> &'static str {
        match self {
            Limit::Bots => "Bot limit reached for current plan",
            Limit::Conversations => "Conversation limit reached for current plan",
            Limit::Messages => "Message limit reached for current plan",
            Limit::Sources => "Knowledge source limit reached for current plan",
            Limit::Storage => "Storage limit reached for current plan",
            Limit::ApiKeys => "API key limit reached for current plan",
            Limit::EmbeddedTokens => "Embedded token limit reached for current plan",
        }
    }

    /// The remedy.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Limit::Bots => "Upgrade your plan to create more bots",
            Limit::Conversations => "Upgrade your plan to start more conversations this month",
            Limit::Messages => "Upgrade your plan to send more messages this month",
            Limit::Sources => "Upgrade your plan to add more knowledge sources",
            Limit::Storage => "Upgrade your plan or delete knowledge sources to store more",
            Limit::ApiKeys => "Upgrade your plan to create more API keys",
            Limit::EmbeddedTokens => "Upgrade your plan to embed more text this month",
        }
    }
}

/// External services of Parlance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The database.
    Postgres,
    /// Job queues and event bus.
    Redis,
    /// File storage.
    Storage,
    /// The embedding model.
    Embedding,
    /// The reranking model.
    Reranking,
    /// The language model.
    Chat,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Postgres => "postgres",
            Part::Redis => "redis",
            Part::Storage => "storage",
            Part::Embedding => "the embedding model",
            Part::Reranking => "the reranking model",
            Part::Chat => "the language model",
        })
    }
}

impl Error {
    /// Creates an error for one invalid field.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Error::Invalid(vec![Problem::wrong(field, message)])
    }

    /// Creates an error for a document that cannot be ingested.
    pub fn rejected(code: &'static str, message: impl Into<String>) -> Self {
        Error::Rejected { code, message: message.into() }
    }

    /// Creates an error for a service that does not answer.
    pub fn unavailable(part: Part, source: impl Into<BoxError>) -> Self {
        Error::Unavailable { part, retry_after: None, source: source.into() }
    }

    /// Creates an internal error; `context` names the failed operation.
    pub fn internal(context: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Error::Internal { context: context.into(), source: source.into() }
    }
}

impl From<sqlx::Error> for Error {
    /// [`Error::Unavailable`] when the database cannot be reached, [`Error::Contended`] when a statement reached a time
    /// limit, [`Error::Internal`] when it failed.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // An unreadable message: a proxy without a server behind it, or a server that stopped while writing.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Error::unavailable(Part::Postgres, error),
            // SQLSTATE lock_not_available and query_canceled: a statement reached the limit of `platform/db.rs`.
            sqlx::Error::Database(cause) if matches!(cause.code().as_deref(), Some("55P03" | "57014")) => {
                Error::Contended(error.into())
            }
            sqlx::Error::Database(cause) if is_outage(cause.code().as_deref()) => {
                Error::unavailable(Part::Postgres, error)
            }
            _ => Error::internal("a statement failed", error),
        }
    }
}

/// Whether a retry may succeed. SQLSTATE classes 08 (connection), 53 (resources), 57P0x (shutdown) and 40 (rollback
/// caused by a concurrent transaction): PostgreSQL manual, appendix A.
fn is_outage(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["08", "53", "57P0", "40"].iter().any(|class| code.starts_with(class)))
}

/// Formats an error and its causes on one line, for the log.
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
