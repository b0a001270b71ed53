//! Middleware: one concern per file, applied to every request. `lib.rs` composes the stack.
//!
//! A middleware is a function of the next endpoint and the request, for `poem`'s `around`.

pub(crate) mod admission;
pub(crate) mod body_timeout;
pub(crate) mod cors;
pub(crate) mod error_envelope;
pub(crate) mod idempotency;
pub(crate) mod matched_route;
pub(crate) mod metrics;
pub(crate) mod no_store;
pub(crate) mod request_id;
pub(crate) mod shutdown;
