//! JSON bodies: objects of a limited size.
//!
//! A body takes at most four times its bytes of memory: itself, and its largest string while escapes are decoded
//! ([`crate::body_limits::JSON_COST`]).

use bytes::Bytes;
use futures_util::StreamExt;
use parlance_core::Context;
use parlance_core::knowledge::MAX_FILE_BYTES;
use parlance_core::platform::fair_queue::Caller;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::body_limits::{FORM_BYTES, FORM_COST, JSON_BYTES, JSON_COST};
use crate::error::ApiError;
use crate::extract::body_account::{BodyAccount, stated_length};
use crate::extract::members;
use crate::extract::multipart::is_form;
use crate::response::envelope::JSON;

/// A JSON body. Its fields keep invalid values for later ([`Field`](crate::extract::fields::Field)).
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<'a, T: ParseFromJSON + 'static> ApiExtractor<'a> for JsonBody<T> {
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

/// Reads a JSON body of at most `limit` bytes. A long one is parsed off the threads that serve requests.
pub(crate) async fn read<T: ParseFromJSON + 'static>(
    request: &Request,
    body: &mut RequestBody,
    limit: u64,
) -> poem::Result<T> {
    let bytes = read_bytes(request, body, limit).await?;
    let Some(ctx) = request.data::<Context>() else { return Ok(parse(&bytes)?) };
    let caller = BodyAccount::of(request).tenant().map_or_else(Caller::system, Caller::interactive);
    let parsed = ctx.cpu().scan(caller, bytes.len(), move || parse(&bytes)).await;
    Ok(parsed.map_err(ApiError::from)??)
}

/// Reads a body of at most `limit` bytes; a longer one is refused as early as possible. A body that arrives in one
/// piece is not copied.
pub(crate) async fn read_bytes(request: &Request, body: &mut RequestBody, limit: u64) -> poem::Result<Bytes> {
    let reading = Reading::begin(request, limit)?;
    let mut pieces = std::pin::pin!(body.take()?.into_bytes_stream());
    let mut next = async |read: usize| {
        let Some(piece) = pieces.next().await.transpose().map_err(ApiError::unreadable_body)? else {
            return Ok(None);
        };
        reading.arrived((read + piece.len()) as u64)?;
        Ok::<Option<Bytes>, ApiError>(Some(piece))
    };
    let first = next(0).await?.unwrap_or_default();
    let Some(second) = next(first.len()).await? else { return Ok(first) };
    let mut bytes = Vec::new();
    for piece in [first, second] {
        reading.append(&mut bytes, &piece);
    }
    while let Some(piece) = next(bytes.len()).await? {
        reading.append(&mut bytes, &piece);
    }
    Ok(bytes.into())
}

/// A body that is being read. Its memory is held a step ahead of what has arrived: a stated length that never arrives
/// takes nothing from others.
pub(crate) struct Reading {
    account: BodyAccount,
    stated: Option<u64>,
    limit: u64,
    /// Memory that the body may take, as a multiple of its length.
    cost: u64,
}

impl Reading {
    /// Bytes of a body whose memory is held at once.
    const STEP: u64 = 64 * 1024;

    /// Refuses a body by its `Content-Length` if it is too long or its memory is not free, and holds memory for its first
    /// bytes.
    pub(crate) fn begin(request: &Request, limit: u64) -> Result<Self, ApiError> {
        let cost = if is_form(request) { FORM_COST } else { JSON_COST };
        let reading = Self { account: BodyAccount::of(request), stated: stated_length(request), limit, cost };
        match reading.stated {
            Some(length) if length > limit => return Err(too_long(limit)),
            Some(length) => reading.account.check(length * cost)?,
            None => {}
        }
        reading.arrived(0)?;
        Ok(reading)
    }

    /// Holds memory for the `read` bytes that have arrived, and for the next step.
    pub(crate) fn arrived(&self, read: u64) -> Result<(), ApiError> {
        if read > self.limit {
            return Err(too_long(self.limit));
        }
        let ahead = (read / Self::STEP + 1) * Self::STEP;
        self.account.hold(ahead.min(self.stated.unwrap_or(self.limit)).max(read) * self.cost)
    }

    /// Appends a piece. The buffer doubles, but not beyond the stated length.
    fn append(&self, bytes: &mut Vec<u8>, piece: &[u8]) {
        let length = bytes.len() + piece.len();
        if length > bytes.capacity() {
            let stated = self.stated.and_then(|stated| usize::try_from(stated).ok()).unwrap_or(usize::MAX);
            let capacity = (2 * length).min(stated).max(length);
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(piece);
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

fn parse<T: ParseFromJSON + 'static>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::unreadable_json("it is empty"));
    }
    let known = members::read(bytes, &members::names_of::<T>())
        .map_err(|error| ApiError::unreadable_json(&error.to_string()))?
        .ok_or_else(|| ApiError::unreadable_json("it is another kind of JSON"))?;
    T::parse_from_json(Some(Value::Object(known)))
        .map_err(|error| ApiError::unreadable_json(&error.into_message()))
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
