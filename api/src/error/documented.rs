//! Error responses of each kind of operation, for the specification.

use std::marker::PhantomData;

use parlance_core::Error;
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use super::{ApiError, ErrorBody};
use crate::response::envelope::JSON;
use crate::response::headers;

/// The error statuses of a kind of operation.
pub(crate) trait Failures {
    /// In addition to those of every operation.
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
    /// Reads a resource that always exists.
    Showing [];
    /// Lists with filters.
    Listing [400];
    /// Reads or deletes by id.
    Finding [404];
    /// Lists the children of a resource.
    Browsing [400, 404];
    /// Creates a resource.
    Making [400, 409, 413, 415];
    /// Creates a resource under another one.
    Adding [400, 404, 409, 413, 415];
    /// Triggers an action on a resource, without a request body.
    Triggering [400, 404, 409];
    /// Changes a resource, with a request body.
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
        409 => "Conflict: the state of the resource does not allow the operation",
        413 => "Payload Too Large: the request body exceeds the limit",
        415 => "Unsupported Media Type: the operation does not accept this content type",
        429 => "Too Many Requests: a rate or concurrency limit of the key or tenant is reached",
        503 => "Service Unavailable: a component of the service does not respond; try again later",
        _ => "Internal Server Error: unexpected server error",
    };
    let mut response_headers = vec![headers::request_id()];
    if matches!(status, 429 | 503) {
        response_headers.push(headers::retry_after());
    }
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: ErrorBody::schema_ref() }],
        headers: response_headers,
    }
}
