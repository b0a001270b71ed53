//! Response formats shared by all routes: the JSON envelope and server-sent events.

pub(crate) mod envelope;
pub(crate) mod sse;
