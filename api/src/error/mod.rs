//! API errors: the only place that maps failures to status codes, writes error responses and logs them.
//!
//! Must never send an error's source chain to a client; it goes to the log.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use parlance_core::Error;
use parlance_core::error::{BoxError, Chain};
use poem::error::ResponseError;
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::{Body, Response};
use poem_openapi::Object;
use poem_openapi::types::ToJSON;
use serde_json::Value;

use crate::response::envelope::JSON;

mod documented;
mod mapped;
mod messages;

pub(crate) use documented::{
    Adding, Browsing, Changing, Fails, Finding, Listing, Making, Showing, Triggering,
};

/// An error with its HTTP response.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Failure>);

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

/// The body of an error response.
#[derive(Clone, Debug, Object)]
pub(crate) struct ErrorBody {
    /// Always false.
    pub(crate) success: bool,
    /// Short description of the error.
    pub(crate) error: String,
    /// What went wrong and how to fix it, in a sentence.
    pub(crate) message: String,
    /// Stable machine-readable error code.
    pub(crate) code: String,
    /// Id of the request, as in the header `X-Request-Id` and the server's log.
    pub(crate) request_id: String,
    /// Every invalid field, in the order of the reference.
    #[oai(skip_serializing_if_is_none)]
    pub(crate) details: Option<Vec<Detail>>,
}

/// A validation error of a field.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub(crate) struct Detail {
    /// Name of the field.
    pub(crate) field: String,
    /// Description of the problem.
    pub(crate) message: String,
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

    /// Adds `data` to the error body.
    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.0.data = Some(data);
        self
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

    /// Logs the error and returns the response in the error envelope.
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

    /// Logs the error and returns the response in the format of OpenAI's API.
    pub(crate) fn respond_as_openai(self) -> Response {
        let (status, headers) = (self.0.status, self.0.headers.clone());
        let body = self.into_openai().to_string();
        let mut response = Response::builder().status(status).content_type(JSON).body(body);
        response.headers_mut().extend(headers);
        response
    }

    /// Logs the error and returns the body in the format of OpenAI's API, for a stream that has begun.
    pub(crate) fn into_openai(self) -> Value {
        self.log();
        let kind = match self.0.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::FORBIDDEN => "permission_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "api_error",
            _ => "invalid_request_error",
        };
        let details = self.0.details.iter().map(|detail| detail.message.as_str());
        let message = details.chain([self.0.message.as_str()]).next().unwrap_or_default().to_owned();
        serde_json::json!({
            "error": {"message": message, "type": kind, "param": null, "code": self.0.code},
        })
    }

    /// Logs the error and returns the data of an `error` event, for a stream that has begun. The request id is
    /// already in its response header.
    pub(crate) fn into_event(self) -> Value {
        self.log();
        serde_json::json!({"code": self.0.code, "error": self.0.error, "message": self.0.message})
    }

    fn log(&self) {
        let code = &*self.0.code;
        let cause = self.0.cause.as_deref().map(|cause| Chain(cause).to_string()).unwrap_or_default();
        if self.0.status.is_server_error() && code != messages::STOPPING {
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

/// Returns the parsed request; 404 of the resource wins over validation errors.
pub(crate) async fn not_found_first<T, X>(
    find: impl Future<Output = Result<X, Error>>,
    parsed: Result<T, ApiError>,
) -> Result<T, ApiError> {
    if parsed.is_err() {
        find.await?;
    }
    parsed
}

/// Adds the operation's name to the message of a missing field.
pub(crate) trait When<T> {
    /// `doing` completes "The 'name' field is required when …".
    fn when(self, doing: &'static str) -> Result<T, ApiError>;
}

impl<T> When<T> for Result<T, Error> {
    fn when(self, doing: &'static str) -> Result<T, ApiError> {
        self.map_err(|error| ApiError::of_domain(error, Some(doing)))
    }
}
