//! Every failure in its words and with its status: those of the reference where it gives them, and
//! after their pattern elsewhere.

use std::time::Duration;

use parlance_core::error::{BoxError, Fault, Limit, Part, Problem, Thing, Unauthorized};
use poem::http::{Method, StatusCode, header};

use super::{ApiError, Detail};

/// The code of a process that was told to stop: balancers ask for it, and nothing is wrong.
pub(super) const STOPPING: &str = "stopping";

/// How long a client should wait when the part that is down did not say.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl ApiError {
    /// It does not exist, or it is another tenant's.
    pub(crate) fn not_found(thing: Thing) -> Self {
        let (code, name) = match thing {
            Thing::Tenant => ("tenant_not_found", "tenant"),
            Thing::Key => ("api_key_not_found", "API key"),
            Thing::Bot => ("bot_not_found", "bot"),
            Thing::Conversation => ("conversation_not_found", "conversation"),
            Thing::Message => ("message_not_found", "message"),
            Thing::Source => ("source_not_found", "knowledge source"),
            Thing::Job => ("job_not_found", "job"),
        };
        Self::new(
            StatusCode::NOT_FOUND,
            code,
            format!("{} not found", capitalised(name)),
            format!("The requested {name} does not exist or you don't have access"),
        )
    }

    /// The same failure in other words.
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    pub(super) fn unknown_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Endpoint not found",
            "The requested endpoint does not exist",
        )
    }

    /// The path is there, the method is not.
    pub(crate) fn method_not_allowed(method: &Method, allow: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            format!("{method} is not supported for this endpoint; supported are {allow}"),
        )
        .with_header(header::ALLOW, allow)
    }

    pub(super) fn invalid(problems: Vec<Problem>, doing: Option<&str>) -> Self {
        let details: Vec<Detail> = problems
            .iter()
            .map(|Problem { field, fault }| Detail {
                field: (*field).to_owned(),
                message: match (fault, doing) {
                    (Fault::Wrong(message), _) => message.clone(),
                    (Fault::Missing, Some(doing)) => {
                        format!("The '{field}' field is required when {doing}")
                    }
                    (Fault::Missing, None) => format!("The '{field}' field is required"),
                },
            })
            .collect();
        let (code, error) = match problems.first() {
            Some(Problem { field, fault: Fault::Missing }) => {
                ("missing_field", format!("Missing required field: {field}"))
            }
            Some(Problem { field, .. }) => ("invalid_field", format!("Invalid field: {field}")),
            None => ("invalid_field", "Invalid request".to_owned()),
        };
        let message = details.first().map_or_else(String::new, |detail| detail.message.clone());
        let mut failed = Self::new(StatusCode::BAD_REQUEST, code, error, message);
        failed.0.details = details;
        failed
    }

    /// The body is not JSON, or not an object.
    pub(crate) fn unreadable_json(reason: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "Invalid JSON",
            format!("The request body must be a JSON object: {reason}"),
        )
    }

    /// The body is not the form that its header promises.
    pub(crate) fn unreadable_form() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_form",
            "Invalid form data",
            "The request body is not complete multipart/form-data with the boundary that its \
             Content-Type header names",
        )
    }

    /// The connection gave out before the body did.
    pub(crate) fn unreadable_body(cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        if is_late(&*cause) {
            return Self::slow_body();
        }
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            "Invalid request body",
            "The request body could not be read to its end",
        )
        .because(cause)
    }

    /// A form that ends in the middle, or is none.
    pub(crate) fn broken_form(cause: &(dyn std::error::Error + 'static)) -> Self {
        if is_late(cause) { Self::slow_body() } else { Self::unreadable_form() }
    }

    /// The body came too slowly.
    fn slow_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "Request timeout",
            "The request body came too slowly; send at least a kilobyte a second",
        )
    }

    /// The body's type is another than the operation reads.
    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            format!("Send the request body with the header Content-Type: {expected}"),
        )
    }

    /// The body is larger than the operation reads.
    pub(crate) fn too_large(limit_bytes: u64) -> Self {
        const MIB: u64 = 1024 * 1024;
        let limit = match limit_bytes {
            whole if whole.is_multiple_of(MIB) => format!("{} MB ({whole} bytes)", whole / MIB),
            bytes => format!("{bytes} bytes"),
        };
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            "Payload too large",
            format!("The largest size accepted is {limit}"),
        )
    }

    /// The documented words for every key that opens nothing; the code alone tells a missing one.
    pub(crate) fn unauthorized(why: Unauthorized) -> Self {
        let code = match why {
            Unauthorized::Missing => "missing_api_key",
            Unauthorized::Rejected => "invalid_api_key",
        };
        Self::new(StatusCode::UNAUTHORIZED, code, "Invalid API key", "API key not found or tenant inactive")
            .with_header(header::WWW_AUTHENTICATE, "ApiKey")
    }

    /// The key is good for other operations; `needed` names what would do.
    pub(crate) fn missing_scope(needed: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "missing_scope",
            "Insufficient permissions",
            format!("This operation needs an API key with {needed}"),
        )
    }

    /// The bot is switched off.
    pub(super) fn bot_inactive() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "bot_inactive",
            "Bot is inactive",
            "Activate the bot before sending messages to it",
        )
    }

    pub(super) fn limit_reached(limit: Limit) -> Self {
        let (code, error, message) = match limit {
            Limit::Bots => (
                "plan_limit_bots",
                "Bot limit reached for current plan",
                "Upgrade your plan to create more bots",
            ),
            Limit::Conversations => (
                "plan_limit_conversations",
                "Conversation limit reached for current plan",
                "Upgrade your plan to start more conversations this month",
            ),
            Limit::Messages => (
                "plan_limit_messages",
                "Message limit reached for current plan",
                "Upgrade your plan to send more messages this month",
            ),
        };
        Self::new(StatusCode::FORBIDDEN, code, error, message)
    }

    /// A part does not answer.
    pub(crate) fn unavailable(part: Part, retry_after: Option<Duration>) -> Self {
        let name = match part {
            Part::Postgres => "database",
            Part::Redis => "queue",
            Part::Storage => "file storage",
            Part::Embedding => "embedding model",
            Part::Reranking => "reranking model",
            Part::Chat => "language model",
        };
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Service unavailable",
            format!("The {name} does not answer at the moment; try again later"),
        )
        .with_header(header::RETRY_AFTER, &seconds(retry_after.unwrap_or(RETRY_AFTER)))
    }

    /// The process was told to stop.
    pub(crate) fn leaving() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            STOPPING,
            "Service unavailable",
            "This process is about to end; another one answers",
        )
        .with_header(header::RETRY_AFTER, &seconds(RETRY_AFTER))
    }

    /// The same is being done at this moment.
    pub(super) fn busy(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::CONFLICT, code, title(code), message).with_header(header::RETRY_AFTER, "1")
    }

    /// The caller asks for too much at once.
    pub(super) fn too_many(code: &'static str, message: String, retry_after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, title(code), message)
            .with_header(header::RETRY_AFTER, &seconds(retry_after))
    }

    /// What is to be answered cannot be written.
    pub(crate) fn unwritable(cause: impl Into<BoxError>) -> Self {
        Self::internal().because(cause)
    }

    /// Not shown: the answer of before takes its place.
    pub(crate) fn replayed() -> Self {
        Self::new(StatusCode::CONFLICT, "idempotency_replayed", "Replayed", "The request was answered before")
    }

    /// A stream has no end that could be kept.
    pub(crate) fn not_replayable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "stream_not_replayable",
            "Stream cannot be replayed",
            "A streamed answer takes no Idempotency-Key; leave the header out, or do not ask for a stream",
        )
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Internal server error",
            "An unexpected error occurred",
        )
    }

    /// A handler panicked; the hook of the process has told where.
    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "something that is no text".to_owned());
        Self::internal().because(format!("panicked: {text}"))
    }
}

/// Whether a body was given up because it came too slowly.
fn is_late(cause: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(cause), |cause| cause.source());
    let mut io = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.any(|error| error.kind() == std::io::ErrorKind::TimedOut)
}

/// Whole seconds that are not too few.
fn seconds(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1).to_string()
}

pub(super) fn title(code: &str) -> String {
    capitalised(&code.replace('_', " "))
}

pub(super) fn slug(reason: &str) -> String {
    reason.to_lowercase().replace([' ', '-'], "_")
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
