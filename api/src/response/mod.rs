//! Response formats shared by all routes: the JSON envelope, pagination and server-sent events.

pub(crate) mod envelope;
pub(crate) mod headers;
pub(crate) mod pagination;
pub(crate) mod sse;
pub(crate) mod types;
