//! Download of original files, with headers that keep browsers from running them.

use parlance_core::knowledge;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, Registry};

use crate::response::headers;
use crate::response::types::inline;

/// Media type of every download: the claimed type of a file is not trusted.
const BYTES: &str = "application/octet-stream";

/// Characters of a file name that are not percent-encoded in the header (RFC 8187, `attr-char`).
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// 200 with the original of a source.
#[derive(Debug)]
pub(crate) struct Download(pub(crate) knowledge::Download);

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let name = utf8_percent_encode(&self.0.file_name, FILE_NAME);
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
