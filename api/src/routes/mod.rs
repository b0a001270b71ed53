//! HTTP handlers: one folder per resource.
//!
//! A handler parses the request, calls one function of the domain and maps the result to a response.

pub(crate) mod analytics;
pub(crate) mod api_keys;
pub(crate) mod bots;
pub(crate) mod cached;
pub(crate) mod conversations;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod knowledge;
pub(crate) mod metrics;
pub(crate) mod openai;
pub(crate) mod tenant;
