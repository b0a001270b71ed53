//! Response headers in the specification.

use poem_openapi::registry::{MetaHeader, MetaSchemaRef};
use poem_openapi::types::Type;

/// `X-Request-Id`, which every response has.
pub(crate) fn request_id() -> MetaHeader {
    header("X-Request-Id", "Id of the request, as in the server's log", String::schema_ref())
}

/// `Retry-After`, which responses 429 and 503 have.
pub(crate) fn retry_after() -> MetaHeader {
    header("Retry-After", "Seconds to wait before trying again", u64::schema_ref())
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
