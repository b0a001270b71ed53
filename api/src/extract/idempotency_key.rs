//! Extractor of `Idempotency-Key`: claims the key of a POST, PUT or PATCH.
//!
//! The tenant extractor calls [`claim`] after authentication, so that unauthenticated requests cause no lookup.
//! The middleware half, [`crate::middleware::idempotency`], stores the response.

use memchr::memmem;
use parlance_core::Context;
use parlance_core::idempotency::{self, Fingerprint, Key, Verdict};
use parlance_core::ids::TenantId;
use parlance_core::platform::fair_queue::Caller;
use parlance_core::tenants::keys::RawKey;
use poem::http::{HeaderValue, Method, header};
use poem::{Body, Request, RequestBody};

use crate::BASE;
use crate::body_limits::{FORM_BYTES, JSON_BYTES, SOURCE_BYTES};
use crate::error::ApiError;
use crate::extract::json::read_bytes;
use crate::extract::multipart::is_form;
use crate::middleware::idempotency::{HEADER, IdempotencyState};

/// Whether the request carries an idempotency key.
pub(crate) fn is_present(request: &Request) -> bool {
    request.headers().contains_key(HEADER)
}

/// Claims the request's key; a no-op without one. Reads the body for the fingerprint, and restores it.
///
/// # Errors
/// When the key is malformed, in use, or was used for another request; and [`ApiError::replayed`] when a
/// response is stored, which the middleware then sends.
pub(crate) async fn claim(
    ctx: &Context,
    tenant: TenantId,
    sender: &RawKey,
    request: &Request,
    body: &mut RequestBody,
) -> poem::Result<()> {
    let (Some(idempotent), Some(key)) = (request.data::<IdempotencyState>(), request.headers().get(HEADER))
    else {
        return Ok(());
    };
    let key = Key::parse(key.as_bytes()).map_err(ApiError::from)?;
    let path = request.original_uri().path();
    let bytes = read_bytes(request, body, max_body_bytes(path, is_form(request))).await?;
    let (head, body_bytes) = (Head::of(request), bytes.clone());
    let digest = move || head.fingerprint(&body_bytes);
    let hashed = ctx.cpu().scan(Caller::interactive(tenant), bytes.len(), digest).await;
    let fingerprint = hashed.map_err(ApiError::from)?;
    *body = RequestBody::new(Body::from_bytes(bytes));
    let keyed =
        idempotency::IdempotentRequest { tenant, sender, key: &key, fingerprint, about: resource(path) };
    match idempotency::begin(ctx, &keyed).await.map_err(ApiError::from)? {
        Verdict::Run(claim) => idempotent.claimed(claim),
        Verdict::Replay(stored) => {
            idempotent.replay(stored);
            // An error keeps the handler from running; the middleware replaces it.
            return Err(ApiError::replayed().into());
        }
    }
    Ok(())
}

/// The resource of a path: its first segment below the base.
fn resource(path: &str) -> &str {
    path.strip_prefix(BASE).unwrap_or(path).split('/').find(|segment| !segment.is_empty()).unwrap_or_default()
}

/// The body limit of the operation at `path`. It must equal the limit that applies without the header.
fn max_body_bytes(path: &str, is_form: bool) -> u64 {
    let parts: Vec<&str> = path.strip_prefix(BASE).unwrap_or_default().split('/').skip(1).collect();
    match (parts.as_slice(), is_form) {
        (["knowledge", "upload" | "sources"] | ["knowledge", "sources", _], true) => FORM_BYTES,
        (["knowledge", "sources"] | ["knowledge", "sources", _], false) => SOURCE_BYTES,
        _ => JSON_BYTES,
    }
}

/// The parts of a fingerprint besides the body.
struct Head {
    method: Method,
    path: String,
    /// Delimiter of a form's parts.
    delimiter: Option<String>,
}

impl Head {
    fn of(request: &Request) -> Self {
        let boundary = request.headers().get(header::CONTENT_TYPE).and_then(boundary);
        Self {
            method: request.method().clone(),
            path: request.original_uri().path().to_owned(),
            delimiter: boundary.map(|boundary| format!("--{boundary}")),
        }
    }

    /// Request fingerprint: method, path and body. A form's boundary is left out: clients generate one per attempt.
    fn fingerprint(&self, body: &[u8]) -> Fingerprint {
        let mut parts = vec![self.method.as_str().as_bytes(), self.path.as_bytes()];
        let mut from = 0;
        if let Some(delimiter) = &self.delimiter {
            for at in memmem::find_iter(body, delimiter.as_bytes()) {
                parts.extend(body.get(from..at));
                from = at + delimiter.len();
            }
        }
        parts.extend(body.get(from..));
        Fingerprint::of(parts)
    }
}

fn boundary(content_type: &HeaderValue) -> Option<String> {
    let (kind, parameters) = content_type.to_str().ok()?.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let (_, boundary) = parameters
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    Some(boundary.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::envelope::JSON;

    fn fingerprint_of(content_type: &str, body: &str) -> Fingerprint {
        let request = Request::builder().method(Method::POST).content_type(content_type).finish();
        Head::of(&request).fingerprint(body.as_bytes())
    }

    #[test]
    fn a_form_has_one_fingerprint_whatever_its_boundary() {
        let form = |boundary: &str, text: &str| {
            let body = format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}--\r\n");
            fingerprint_of(&format!("multipart/form-data; boundary={boundary}"), &body)
        };
        assert_eq!(form("aaa", "hello"), form("b-b", "hello"));
        assert_eq!(form("aaa", "hello"), {
            let body = "--q q\r\n\r\nhello\r\n--q q--\r\n";
            fingerprint_of("Multipart/Form-Data; charset=utf-8; Boundary=\"q q\"", body)
        });
        assert_ne!(form("aaa", "hello"), form("aaa", "other"));
        assert_ne!(fingerprint_of(JSON, "{}"), fingerprint_of(JSON, "{ }"));
    }

    #[test]
    fn only_texts_and_files_may_have_long_bodies() {
        for (path, is_form, most) in [
            ("/bots", false, JSON_BYTES),
            ("/bots", true, JSON_BYTES),
            ("/knowledge/search", false, JSON_BYTES),
            ("/knowledge/sources", false, SOURCE_BYTES),
            ("/knowledge/sources", true, FORM_BYTES),
            ("/knowledge/sources/x", false, SOURCE_BYTES),
            ("/knowledge/sources/x", true, FORM_BYTES),
            ("/knowledge/sources/x/refresh", false, JSON_BYTES),
            ("/knowledge/upload", false, JSON_BYTES),
            ("/knowledge/upload", true, FORM_BYTES),
            ("/conversations/knowledge/sources", false, JSON_BYTES),
        ] {
            assert_eq!(max_body_bytes(&format!("{BASE}{path}"), is_form), most, "{path} {is_form}");
        }
    }
}
