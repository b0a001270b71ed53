//! Files as they were uploaded, served so that no browser runs them.

use parlance_core::knowledge;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, Registry};

use crate::extract::types::inline;
use crate::response::headers;

/// The media type of every download. What a file claims to be is for its owner to judge.
const BYTES: &str = "application/octet-stream";

/// What a file's name may have in the header as it is: RFC 8187, `attr-char`.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// 200: the original of a source.
#[derive(Debug)]
pub(crate) struct Download(pub(crate) knowledge::Download);

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let name = utf8_percent_encode(&self.0.file_name, NAME);
        Response::builder()
            .content_type(BYTES)
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"))
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::CONTENT_SECURITY_POLICY, "sandbox")
            .body(self.0.bytes)
    }
}

impl ApiResponse for Download {
    fn meta() -> MetaResponses {
        let schema = inline(MetaSchema::new_with_format("string", "binary"));
        MetaResponses {
            responses: vec![MetaResponse {
                description: "OK: the original, whatever its type, as a download",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType { content_type: BYTES, schema }],
                headers: vec![headers::request_id()],
            }],
        }
    }

    fn register(_: &mut Registry) {}
}
