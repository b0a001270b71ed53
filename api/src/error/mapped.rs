//! Maps the errors of the domain, the framework and the extractors to [`ApiError`].

use parlance_core::Error;
use parlance_core::error::{Forbidden, Problem};
use poem::error::{NotFoundError, ParseMultipartError, ParsePathError as UndecodablePath, ReadBodyError};
use poem::http::StatusCode;
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};

use super::ApiError;
use super::messages::{slug, title};
use crate::body_limits::JSON_BYTES;
use crate::response::envelope::JSON;

impl ApiError {
    /// Maps a domain error; `doing` completes "The 'name' field is required when …".
    pub(super) fn of_domain(error: Error, doing: Option<&str>) -> Self {
        match error {
            Error::NotFound(thing) => Self::not_found(thing),
            Error::Invalid(problems) => Self::invalid(problems, doing),
            Error::Unauthorized(why) => Self::unauthorized(why),
            Error::Forbidden(Forbidden::Scope) => Self::missing_scope("another scope"),
            Error::Forbidden(Forbidden::InactiveBot) => Self::bot_inactive(),
            Error::LimitReached(limit) => Self::limit_reached(limit),
            Error::Conflict { code, message } => Self::new(StatusCode::CONFLICT, code, title(code), message),
            Error::Busy { code, message } => Self::busy(code, message),
            Error::TooMany { code, message, retry_after } => Self::too_many(code, message, retry_after),
            Error::Overloaded { code, message, retry_after } => Self::overloaded(code, message, retry_after),
            Error::TooLarge { limit_bytes } => Self::too_large(limit_bytes),
            Error::Rejected { code, message } => {
                Self::new(StatusCode::BAD_REQUEST, code, title(code), message)
            }
            Error::Unavailable { part, retry_after, source } => {
                Self::unavailable(part, retry_after).because(source)
            }
            Error::Contended(source) => Self::contended().because(source),
            error @ (Error::Cancelled | Error::LeaseLost | Error::Internal { .. }) => {
                Self::internal().because(error)
            }
        }
    }

    /// Maps the error of an extractor, the router or a handler.
    pub(crate) fn of_poem(error: poem::Error) -> Self {
        if error.is::<ApiError>() {
            return error.downcast::<ApiError>().unwrap_or_else(|error| Self::internal().because(error));
        }
        if error.is::<NotFoundError>() || error.is::<ParsePathError>() || error.is::<UndecodablePath>() {
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
            return Self::too_large(JSON_BYTES);
        }
        let status = error.status();
        if status.is_client_error() {
            let reason = status.canonical_reason().unwrap_or("Bad Request");
            return Self::new(status, slug(reason), reason, "The request cannot be served as it was sent");
        }
        Self::internal().because(error)
    }
}
