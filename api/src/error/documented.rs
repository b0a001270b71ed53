//! Which failures each kind of operation has, for the specification.

use std::marker::PhantomData;

use parlance_core::Error;
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;

use super::{ApiError, ErrorBody};
use crate::response::envelope::JSON;

/// The failures of a kind of operation, so that each operation documents its own.
pub(crate) trait Failures {
    /// Beside those that every operation has.
    const STATUSES: &'static [u16];
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident $statuses:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum $name {}
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
    /// Lists by filters what is in something that is there.
    Browsing [400, 404];
    /// Makes something new.
    Making [400, 409, 413, 415];
    /// Makes something new in something that is there.
    Adding [400, 404, 409, 413, 415];
    /// Does something to what is there, if its state allows; nothing is sent with it.
    Steering [400, 404, 409];
    /// Changes something that is there, if its state allows.
    Changing [400, 404, 409, 413, 415];
}

/// An [`ApiError`] of an operation that documents the failures `S`.
#[derive(Debug)]
pub(crate) struct Fails<S>(ApiError, PhantomData<S>);

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
        let mut statuses = [S::STATUSES, &[401, 403, 429, 500, 503]].concat();
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
        429 => "Too Many Requests: more at once than the key or its tenant may",
        503 => "Service Unavailable: a part of the service does not answer; try again later",
        _ => "Internal Server Error: unexpected server error",
    };
    let mut headers = vec![named_request()];
    if matches!(status, 429 | 503) {
        headers.push(header("Retry-After", "Seconds to wait before trying again", u64::schema_ref()));
    }
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: ErrorBody::schema_ref() }],
        headers,
    }
}

/// The header that every answer has.
pub(crate) fn named_request() -> MetaHeader {
    header("X-Request-Id", "Names the request in the server's log", String::schema_ref())
}

fn header(name: &str, description: &str, schema: MetaSchemaRef) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: true,
        deprecated: false,
        schema,
    }
}
