//! JSON bodies: objects of a limited size.

use bytes::Bytes;
use parlance_core::knowledge::MAX_FILE_BYTES;
use poem::error::ReadBodyError;
use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::body_limits::{FORM_BYTES, JSON_BYTES};
use crate::error::ApiError;
use crate::response::envelope::JSON;

/// A JSON body. Its fields keep invalid values for later ([`Field`](crate::extract::fields::Field)).
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !is_json_request(request) {
            return Err(ApiError::unsupported_media_type(JSON).into());
        }
        Ok(Self(read(request, body, JSON_BYTES).await?))
    }
}

/// Whether the request has the content type JSON.
pub(crate) fn is_json_request(request: &Request) -> bool {
    request.content_type().is_some_and(is_json)
}

/// Reads a JSON body of at most `limit` bytes.
pub(crate) async fn read<T: ParseFromJSON>(
    request: &Request,
    body: &mut RequestBody,
    limit: u64,
) -> poem::Result<T> {
    Ok(parse(&read_bytes(request, body, limit).await?)?)
}

/// Reads a body of at most `limit` bytes; a longer one is refused as early as possible.
pub(crate) async fn read_bytes(request: &Request, body: &mut RequestBody, limit: u64) -> poem::Result<Bytes> {
    refuse_longer(request, limit)?;
    let bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let read = body.take()?.into_bytes_limit(bytes).await;
    Ok(read.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => too_long(limit),
        other => ApiError::unreadable_body(other),
    })?)
}

/// Refuses a body by its `Content-Length`, before reading it.
pub(crate) fn refuse_longer(request: &Request, limit: u64) -> Result<(), ApiError> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > limit => Err(too_long(limit)),
        _ => Ok(()),
    }
}

/// The error for a body over its limit. For a form it states the limit of the file.
fn too_long(limit: u64) -> ApiError {
    ApiError::too_large(if limit == FORM_BYTES { MAX_FILE_BYTES } else { limit })
}

/// `application/json` or a `+json` suffix (RFC 6839), with or without parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == JSON || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: ParseFromJSON>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::unreadable_json("it is empty"));
    }
    let json: Value =
        serde_json::from_slice(bytes).map_err(|error| ApiError::unreadable_json(&error.to_string()))?;
    if !json.is_object() {
        return Err(ApiError::unreadable_json("it is another kind of JSON"));
    }
    T::parse_from_json(Some(json)).map_err(|error| ApiError::unreadable_json(&error.into_message()))
}

#[cfg(test)]
mod tests {
    use poem_openapi::Object;

    use super::*;
    use crate::extract::fields::{Field, Required};

    #[derive(Debug, Object)]
    struct Sample {
        name: Required<String>,
        flag: Field<bool>,
    }

    #[test]
    fn json_is_recognised_by_its_media_type() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/json", "application/jsonp", "application/x-www-form-urlencoded", "text/plain"] {
            assert!(!is_json(bad), "{bad}");
        }
    }

    #[test]
    fn only_json_objects_are_read_and_no_depth_overflows() {
        let deep = "[".repeat(100_000);
        let deep_object = format!("{{\"name\":{}", "{\"a\":".repeat(100_000));
        for bad in [
            "",
            "{",
            "[]",
            "null",
            "\"a\"",
            "5",
            "{\"name\":1e999}",
            "{\"name\":\"\\ud800\"}",
            &deep,
            &deep_object,
        ] {
            let error = parse::<Sample>(bad.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), "Invalid JSON");
        }
        assert!(parse::<Sample>(b"{\"name\":\"\xff\"}").is_err());
    }

    #[test]
    fn unknown_and_repeated_fields_are_accepted() {
        let sample: Sample = parse(b"{\"name\":\"a\",\"other\":{},\"name\":\"b\"}").unwrap();
        assert_eq!(sample.name, Field::Given("b".to_owned()));
        assert_eq!(sample.flag, Field::Absent);
    }
}
