//! Extractors: typed values read from a request's headers, path, query and body.

pub(crate) mod body_account;
pub(crate) mod client_address;
pub(crate) mod enums;
pub(crate) mod fields;
pub(crate) mod idempotency_key;
pub(crate) mod json;
pub(crate) mod members;
pub(crate) mod multipart;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod tenant;
pub(crate) mod values;
