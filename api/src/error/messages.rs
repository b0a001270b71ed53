//! Status, code and text of every error: those of the reference where it gives them, otherwise in its style.

use std::time::Duration;

use parlance_core::error::{BoxError, Fault, Limit, Part, Problem, Thing, Unauthorized};
use poem::http::{Method, StatusCode, header};

use super::{ApiError, Detail};

/// Code of readiness checks during shutdown; not logged as an error, since load balancers expect it.
pub(super) const STOPPING: &str = "stopping";

/// Default `Retry-After` when a component is unavailable.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl ApiError {
    /// The resource does not exist, or belongs to another tenant.
    pub(crate) fn not_found(thing: Thing) -> Self {
        let (code, name) = match thing {
            Thing::Tenant => ("tenant_not_found", "tenant"),
            Thing::Key => ("api_key_not_found", "API key"),
            Thing::Bot => ("bot_not_found", "bot"),
            Thing::Conversation => ("conversation_not_found", "conversation"),
            Thing::Message => ("message_not_found", "message"),
            Thing::Source => ("source_not_found", "knowledge source"),
            Thing::RemovedFile => return Self::file_removed(),
            Thing::Job => ("job_not_found", "job"),
        };
        Self::new(
            StatusCode::NOT_FOUND,
            code,
            format!("{} not found", capitalised(name)),
            format!("The requested {name} does not exist or you don't have access"),
        )
    }

    /// The file of a failed source has been removed.
    fn file_removed() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "file_removed",
            "File removed",
            "The file could not be processed and has been removed; upload it again",
        )
    }

    /// Replaces the message.
    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
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

    /// The path exists, but not with this method.
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

    /// The body does not match its multipart content type.
    pub(crate) fn unreadable_form() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_form",
            "Invalid form data",
            "The request body is not complete multipart/form-data with the boundary that its \
             Content-Type header names",
        )
    }

    /// Reading the body failed.
    pub(crate) fn unreadable_body(cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        if is_timeout(&*cause) {
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

    /// The form is truncated or malformed, or arrived too slowly.
    pub(crate) fn broken_form(cause: &(dyn std::error::Error + 'static)) -> Self {
        if is_timeout(cause) { Self::slow_body() } else { Self::unreadable_form() }
    }

    /// The body arrived below its minimum rate.
    fn slow_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "Request timeout",
            "The request body came too slowly; send at least 1 KB a second, and 64 KB a second beyond the first 64 KB",
        )
    }

    /// The operation does not accept the body's content type.
    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            format!("Send the request body with the header Content-Type: {expected}"),
        )
    }

    /// The body exceeds the operation's limit.
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

    /// The key is missing or invalid. The text is the same, as documented; only the code differs.
    pub(crate) fn unauthorized(why: Unauthorized) -> Self {
        let code = match why {
            Unauthorized::Missing => "missing_api_key",
            Unauthorized::Rejected => "invalid_api_key",
        };
        Self::new(StatusCode::UNAUTHORIZED, code, "Invalid API key", "API key not found or tenant inactive")
            .with_header(header::WWW_AUTHENTICATE, "ApiKey")
    }

    /// The key has no scope for the operation; `needed` names the scopes that permit it.
    pub(crate) fn missing_scope(needed: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "missing_scope",
            "Insufficient permissions",
            format!("This operation needs an API key with {needed}"),
        )
    }

    pub(super) fn bot_inactive() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "bot_inactive",
            "Bot is inactive",
            "Activate the bot before sending messages to it",
        )
    }

    pub(super) fn limit_reached(limit: Limit) -> Self {
        Self::new(StatusCode::FORBIDDEN, limit.code(), limit.problem(), limit.remedy())
    }

    /// A component does not respond.
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

    /// A statement waited too long for rows that other requests are changing.
    pub(super) fn contended() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "data_busy",
            "Data busy",
            "Other requests are changing the same data; try again in a moment",
        )
        .with_header(header::RETRY_AFTER, "1")
    }

    /// The process is shutting down.
    pub(crate) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            STOPPING,
            "Service unavailable",
            "This process is about to end; another one answers",
        )
        .with_header(header::RETRY_AFTER, &seconds(RETRY_AFTER))
    }

    /// The same operation is in progress.
    pub(super) fn busy(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::CONFLICT, code, title(code), message).with_header(header::RETRY_AFTER, "1")
    }

    /// A rate or concurrency limit is reached.
    pub(super) fn too_many(code: &'static str, message: String, retry_after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, title(code), message)
            .with_header(header::RETRY_AFTER, &seconds(retry_after))
    }

    /// The process is at a limit that all tenants share.
    pub(super) fn overloaded(code: &'static str, message: String, retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Service unavailable", message)
            .with_header(header::RETRY_AFTER, &seconds(retry_after))
    }

    /// The response could not be serialized.
    pub(crate) fn unserializable(cause: impl Into<BoxError>) -> Self {
        Self::internal().because(cause)
    }

    /// Internal: the idempotency middleware replaces it by the stored response.
    pub(crate) fn replayed() -> Self {
        Self::new(StatusCode::CONFLICT, "idempotency_replayed", "Replayed", "The request was answered before")
    }

    /// A streamed response cannot be stored for replay.
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

    /// A handler panicked; the process's panic hook has logged where.
    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "non-string panic payload".to_owned());
        Self::internal().because(format!("panicked: {text}"))
    }
}

/// Whether reading a body failed because it arrived too slowly.
fn is_timeout(cause: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(cause), |cause| cause.source());
    let mut io = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.any(|error| error.kind() == std::io::ErrorKind::TimedOut)
}

/// Rounds up to whole seconds, at least one.
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
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
