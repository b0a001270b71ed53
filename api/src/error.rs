//! Errors, as a client sees them. The only file that knows status codes of failures, the only one
//! that turns an error of any layer into an answer, and the only one that logs it.
//!
//! Must never show a client what the log is for: sources and their chains stay here.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use parlance_core::error::{
    BoxError, Chain, Error, Fault, Forbidden, Limit, Part, Problem, Thing, Unauthorized,
};
use poem::error::{MethodNotAllowedError, NotFoundError, ParseMultipartError, ReadBodyError, ResponseError};
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Body, Response};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Example, ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use serde_json::Value;

use crate::envelope::JSON;

/// How long a client should wait when the part that is down did not say.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A failure on its way to a client.
#[derive(Debug)]
pub struct ApiError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    status: StatusCode,
    code: Cow<'static, str>,
    error: String,
    message: String,
    details: Vec<Detail>,
    headers: Vec<(HeaderName, HeaderValue)>,
    data: Option<Value>,
    cause: Option<BoxError>,
}

/// The answer to a request that failed.
#[derive(Clone, Debug, Object)]
#[oai(example)]
pub struct ErrorBody {
    /// Always false.
    pub success: bool,
    /// What went wrong, in short.
    pub error: String,
    /// What went wrong and what can be done, in a sentence.
    pub message: String,
    /// What went wrong, for programs: a stable slug.
    pub code: String,
    /// The request, as the header `X-Request-Id` and the server's log name it.
    pub request_id: String,
    /// Every field that is wrong, in the order of the reference.
    #[oai(skip_serializing_if_is_none)]
    pub details: Option<Vec<Detail>>,
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct Detail {
    /// The field.
    pub field: String,
    /// How it is wrong.
    pub message: String,
}

impl Example for ErrorBody {
    fn example() -> Self {
        let mut failed = ApiError::invalid(vec![Problem::missing("name")], Some("creating a bot"));
        failed.body("018f3c5e-7b1a-7c44-9d0e-2f6a1b8c9d10")
    }
}

impl ApiError {
    fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        error: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Failure {
            status,
            code: code.into(),
            error: error.into(),
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
            data: None,
            cause: None,
        }))
    }

    fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// The same failure with something to read beside it.
    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.0.data = Some(data);
        self
    }

    /// A domain's error; `doing` completes "The 'name' field is required when …".
    fn of_domain(error: Error, doing: Option<&str>) -> Self {
        match error {
            Error::NotFound(thing) => Self::not_found(thing),
            Error::Invalid(problems) => Self::invalid(problems, doing),
            Error::Unauthorized(why) => Self::unauthorized(why),
            Error::Forbidden(Forbidden::Scope) => Self::missing_scope("another scope"),
            Error::Forbidden(Forbidden::InactiveBot) => Self::new(
                StatusCode::FORBIDDEN,
                "bot_inactive",
                "Bot is inactive",
                "Activate the bot before sending messages to it",
            ),
            Error::LimitReached(limit) => Self::limit_reached(limit),
            Error::Conflict { code, message } => Self::new(StatusCode::CONFLICT, code, title(code), message),
            Error::TooLarge { limit_bytes } => Self::too_large(limit_bytes),
            Error::Rejected { code, message } => {
                Self::new(StatusCode::BAD_REQUEST, code, title(code), message)
            }
            Error::Unavailable { part, retry_after, source } => {
                Self::unavailable(part, retry_after).because(source)
            }
            error @ (Error::Cancelled | Error::LeaseLost | Error::Internal { .. }) => {
                Self::internal().because(error)
            }
        }
    }

    /// Whatever an extractor, the router or a handler ended with.
    pub(crate) fn of_poem(error: poem::Error) -> Self {
        if error.is::<ApiError>() {
            return error.downcast::<ApiError>().unwrap_or_else(|error| Self::internal().because(error));
        }
        if error.is::<NotFoundError>() || error.is::<ParsePathError>() {
            return Self::unknown_path();
        }
        if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
            let problem = Problem::wrong(name, format!("The '{name}' parameter cannot be read"));
            return Self::invalid(vec![problem], None);
        }
        if let Some(ParseRequestPayloadError { reason }) = error.downcast_ref() {
            return Self::unreadable_json(reason);
        }
        if error.is::<ContentTypeError>() {
            return Self::unsupported_media_type(JSON);
        }
        if error.is::<ParseMultipartError>() {
            return Self::unreadable_form();
        }
        if let Some(ReadBodyError::PayloadTooLarge) = error.downcast_ref() {
            return Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "Request body too large",
                "The request body is larger than this endpoint accepts",
            );
        }
        let status = error.status();
        if status.is_client_error() {
            let reason = status.canonical_reason().unwrap_or("Bad Request");
            return Self::new(status, slug(reason), reason, "The request cannot be served as it was sent");
        }
        Self::internal().because(error)
    }

    /// It does not exist, or it is another tenant's.
    pub(crate) fn not_found(thing: Thing) -> Self {
        let (code, name) = match thing {
            Thing::Tenant => ("tenant_not_found", "tenant"),
            Thing::Key => ("api_key_not_found", "API key"),
            Thing::Bot => ("bot_not_found", "bot"),
            Thing::Conversation => ("conversation_not_found", "conversation"),
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

    fn unknown_path() -> Self {
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

    fn invalid(problems: Vec<Problem>, doing: Option<&str>) -> Self {
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
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            "Invalid request body",
            "The request body could not be read to its end",
        )
        .because(cause)
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

    fn limit_reached(limit: Limit) -> Self {
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
            Part::Chat => "language model",
        };
        let wait = retry_after.unwrap_or(RETRY_AFTER);
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Service unavailable",
            format!("The {name} does not answer at the moment; try again later"),
        )
        .with_header(header::RETRY_AFTER, &seconds.max(1).to_string())
    }

    fn internal() -> Self {
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

    fn body(&mut self, request_id: &str) -> ErrorBody {
        let details = std::mem::take(&mut self.0.details);
        ErrorBody {
            success: false,
            error: self.0.error.clone(),
            message: self.0.message.clone(),
            code: self.0.code.to_string(),
            request_id: request_id.to_owned(),
            details: (!details.is_empty()).then_some(details),
        }
    }

    /// Writes the failure to the log, if it is ours, and into the envelope.
    pub(crate) fn respond(mut self, request_id: &str) -> Response {
        self.log();
        let mut body = self.body(request_id).to_json().unwrap_or_default();
        if let (Some(data), Value::Object(fields)) = (self.0.data.take(), &mut body) {
            fields.insert("data".to_owned(), data);
        }
        let mut response = Response::builder()
            .status(self.0.status)
            .content_type(JSON)
            .body(Body::from_string(body.to_string()));
        response.headers_mut().extend(self.0.headers);
        response
    }

    fn log(&self) {
        let code = &*self.0.code;
        let cause = self.0.cause.as_deref().map(|cause| Chain(cause).to_string()).unwrap_or_default();
        if self.0.status.is_server_error() {
            tracing::error!(error.code = code, error.cause = cause, "request failed");
        } else {
            tracing::debug!(error.code = code, error.cause = cause, "request refused");
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.error)
    }
}

impl StdError for ApiError {}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::of_domain(error, None)
    }
}

/// Says what was being done, for the words of a missing field.
pub(crate) trait When<T> {
    /// `doing` completes "The 'name' field is required when …".
    fn when(self, doing: &'static str) -> Result<T, ApiError>;
}

impl<T> When<T> for Result<T, Error> {
    fn when(self, doing: &'static str) -> Result<T, ApiError> {
        self.map_err(|error| ApiError::of_domain(error, Some(doing)))
    }
}

/// The failures of a kind of operation, so that each operation documents its own.
pub trait Failures {
    /// Beside those that every operation has.
    const STATUSES: &'static [u16];
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident $statuses:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Failures for $name {
            const STATUSES: &'static [u16] = &$statuses;
        }
    )*};
}

failures! {
    /// Shows what is always there.
    Showing [];
    /// Lists by filters.
    Listing [400];
    /// Finds by an id.
    Finding [404];
    /// Makes something new.
    Making [400, 413, 415];
    /// Makes something new in something that is there.
    Adding [400, 404, 413, 415];
    /// Changes something that is there, if its state allows.
    Changing [400, 404, 409, 413, 415];
}

/// An [`ApiError`] of an operation that documents the failures `S`.
#[derive(Debug)]
pub struct Fails<S>(ApiError, PhantomData<S>);

impl<S> From<ApiError> for Fails<S> {
    fn from(error: ApiError) -> Self {
        Self(error, PhantomData)
    }
}

impl<S> From<Error> for Fails<S> {
    fn from(error: Error) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<S> From<Fails<S>> for poem::Error {
    fn from(fails: Fails<S>) -> Self {
        fails.0.into()
    }
}

impl<S: Failures> ApiResponse for Fails<S> {
    fn meta() -> MetaResponses {
        let mut statuses = [S::STATUSES, &[401, 403, 500, 503]].concat();
        statuses.sort_unstable();
        MetaResponses { responses: statuses.into_iter().map(documented).collect() }
    }

    fn register(registry: &mut Registry) {
        ErrorBody::register(registry);
    }
}

fn documented(status: u16) -> MetaResponse {
    let description = match status {
        400 => "Bad Request: invalid request parameters or body",
        401 => "Unauthorized: invalid or missing API key",
        403 => "Forbidden: insufficient permissions or plan limits reached",
        404 => "Not Found: resource not found or doesn't belong to your tenant",
        409 => "Conflict: the resource's state does not allow it",
        413 => "Payload Too Large: the request body is larger than accepted",
        415 => "Unsupported Media Type: the request body is of another type than accepted",
        503 => "Service Unavailable: a part of the service does not answer; try again later",
        _ => "Internal Server Error: unexpected server error",
    };
    let retry_after = MetaHeader {
        name: "Retry-After".to_owned(),
        description: Some("Seconds to wait before trying again".to_owned()),
        required: true,
        deprecated: false,
        schema: u64::schema_ref(),
    };
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: ErrorBody::schema_ref() }],
        headers: if status == 503 { vec![retry_after] } else { Vec::new() },
    }
}

fn title(code: &str) -> String {
    capitalised(&code.replace('_', " "))
}

fn slug(reason: &str) -> String {
    reason.to_lowercase().replace([' ', '-'], "_")
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
