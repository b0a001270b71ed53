//! The one error of the domain. Its variants are reactions, not origins: what a caller can do about
//! it. The source chain is kept for the log and never reaches a client.

use std::fmt;
use std::time::Duration;

/// What went wrong, told by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or it is another tenant's: the two are never told apart.
    #[error("{0} not found")]
    NotFound(Thing),
    /// The request's input is wrong; each field says how. Never empty.
    #[error("invalid input: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    /// No key, or none that opens anything.
    #[error("unauthorized: {0}")]
    Unauthorized(Unauthorized),
    /// The key is good but may not do this, or the thing is switched off.
    #[error("forbidden: {0}")]
    Forbidden(Forbidden),
    /// The plan's limit is reached.
    #[error("plan limit reached: {0:?}")]
    LimitReached(Limit),
    /// It collides with what is there; the text says with what.
    #[error("conflict: {message}")]
    Conflict {
        /// Stable slug for programs.
        code: &'static str,
        /// Sentence for people.
        message: String,
    },
    /// The same is being done at this moment; trying again soon helps.
    #[error("busy: {message}")]
    Busy {
        /// Stable slug for programs.
        code: &'static str,
        /// Sentence for people.
        message: String,
    },
    /// This caller asks for more at once than it may; waiting helps.
    #[error("too many: {message}")]
    TooMany {
        /// Stable slug for programs.
        code: &'static str,
        /// Sentence for people.
        message: String,
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// The input is larger than allowed.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The largest size accepted, in bytes.
        limit_bytes: u64,
    },
    /// A document cannot become knowledge; trying again would not help.
    #[error("{code}: {message}")]
    Rejected {
        /// Stable slug for programs (`empty`, `unsupported_type`, …).
        code: &'static str,
        /// Sentence for people: what is wrong and what to do.
        message: String,
    },
    /// A part the platform needs does not answer; trying later helps.
    #[error("{part} is unavailable")]
    Unavailable {
        /// Which part.
        part: Part,
        /// How long to wait before trying again, when the part said so.
        retry_after: Option<Duration>,
        /// What the part said.
        #[source]
        source: BoxError,
    },
    /// Somebody asked for this work to stop.
    #[error("cancelled")]
    Cancelled,
    /// This worker's claim on the job has passed to another; it must write nothing.
    #[error("the lease was lost")]
    LeaseLost,
    /// A defect of ours or a surprise of the machine's.
    #[error("internal error: {context}")]
    Internal {
        /// What was being done.
        context: String,
        /// What happened.
        #[source]
        source: BoxError,
    },
}

/// Any error, boxed: only for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The domain's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a tenant can own and ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A tenant, for operators only.
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
            Thing::Job => "job",
        })
    }
}

/// One thing wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field as the API names it.
    pub field: &'static str,
    /// How it is wrong.
    pub fault: Fault,
}

/// How a field is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is needed and not there.
    Missing,
    /// It is there and cannot be; the sentence says what would be right.
    Wrong(String),
}

impl Problem {
    /// The field is needed and absent.
    #[must_use]
    pub fn missing(field: &'static str) -> Self {
        Self { field, fault: Fault::Missing }
    }

    /// The field's value cannot be; `message` says what would be right.
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

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// No key was sent.
    Missing,
    /// The key is malformed, unknown, expired or revoked, or its tenant is inactive: not told apart.
    Rejected,
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unauthorized::Missing => "no API key",
            Unauthorized::Rejected => "the API key opens nothing",
        })
    }
}

/// Why a known caller may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The key lacks the scope the operation needs.
    Scope,
    /// The bot is switched off.
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

/// The limits a plan sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Bots that exist at once.
    Bots,
    /// Conversations begun in a calendar month (UTC).
    Conversations,
    /// Messages stored in a calendar month (UTC).
    Messages,
}

/// The parts that Parlance stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The database.
    Postgres,
    /// The queue and the bus.
    Redis,
    /// Where files are kept.
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
    /// One wrong field.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Error::Invalid(vec![Problem::wrong(field, message)])
    }

    /// A document that cannot become knowledge.
    pub fn rejected(code: &'static str, message: impl Into<String>) -> Self {
        Error::Rejected { code, message: message.into() }
    }

    /// A part that does not answer.
    pub fn unavailable(part: Part, source: impl Into<BoxError>) -> Self {
        Error::Unavailable { part, retry_after: None, source: source.into() }
    }

    /// A defect or a surprise, with what was being done.
    pub fn internal(context: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Error::Internal { context: context.into(), source: source.into() }
    }
}

impl From<sqlx::Error> for Error {
    /// A database that cannot be reached is [`Error::Unavailable`]; a statement that failed is ours.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Error::unavailable(Part::Postgres, error),
            sqlx::Error::Database(cause) if is_outage(cause.code().as_deref()) => {
                Error::unavailable(Part::Postgres, error)
            }
            _ => Error::internal("a statement failed", error),
        }
    }
}

/// SQLSTATE classes 08 (connection), 53 (resources), 57P0x (shutdown) and 40 (rolled back for
/// another's sake, worth another try): PostgreSQL manual, appendix A.
fn is_outage(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["08", "53", "57P0", "40"].iter().any(|class| code.starts_with(class)))
}

/// An error and its causes, on one line, for the log.
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
