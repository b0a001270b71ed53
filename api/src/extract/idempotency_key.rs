//! Requests that a client may send again: the header `Idempotency-Key` on every POST, PUT and PATCH.
//!
//! The tenant check finds out whether the request is the first of its name ([`admit`]), for nothing of a
//! stranger's is looked up; the outermost layer keeps what came of it ([`Once::settle`]), whatever the
//! handler did, and whether or not the client is still there.

use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;
use parlance_core::idempotency::{self, Answered, Claim, Fingerprint, Key, Verdict};
use parlance_core::ids::TenantId;
use parlance_core::tenants::keys::RawKey;
use parlance_core::{Context, Error};
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, RequestBody, Response};

use crate::BASE;
use crate::error::ApiError;
use crate::extract::json::{FORM_BYTES, JSON_BYTES, SOURCE_BYTES, read_bytes};
use crate::extract::multipart::is_form;
use crate::response::envelope::JSON;

/// The header of requests.
pub(crate) const HEADER: &str = "Idempotency-Key";

/// The header of answers that were given before.
pub(crate) const REPLAYED: &str = "Idempotency-Replayed";

/// A request that runs once, and what is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Once(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// Nobody has looked yet.
    #[default]
    Fresh,
    /// It is the first of its name, and runs.
    Runs(Claim),
    /// It was answered before.
    Replayed(Answered),
}

impl Once {
    /// That of a request which asks for it.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let writes = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
        (writes && request.headers().contains_key(HEADER)).then(Self::default)
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// What the client gets: the answer of the handler, which is kept, or the one of before.
    pub(crate) async fn settle(self, ctx: &Context, response: Response) -> Response {
        let state = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match state {
            State::Fresh => response,
            State::Replayed(answered) => replayed(answered),
            State::Runs(claim) => keep(ctx, &claim, response).await,
        }
    }
}

fn replayed(answered: Answered) -> Response {
    Response::builder()
        .status(StatusCode::from_u16(answered.status).unwrap_or_default())
        .content_type(JSON)
        .header(REPLAYED, "true")
        .body(answered.body)
}

/// Keeps an answer, unless the next of its name may get a better one.
async fn keep(ctx: &Context, claim: &Claim, mut response: Response) -> Response {
    let status = response.status();
    let passing = status.is_server_error() || response.headers().contains_key(header::RETRY_AFTER);
    let kept = if passing {
        idempotency::give_up(ctx, claim).await
    } else {
        match response.take_body().into_string().await {
            Ok(body) => {
                response.set_body(body.clone());
                idempotency::finish(ctx, claim, &Answered { status: status.as_u16(), body }).await
            }
            Err(error) => Err(Error::internal("an answer cannot be read", error)),
        }
    };
    if let Err(error) = kept {
        tracing::warn!(error = %parlance_core::error::Chain(&error), "an answer was not kept; its claim expires");
    }
    response
}

/// Whether a request is to be replayed when it is sent again.
pub(crate) fn is_asked_for(request: &Request) -> bool {
    request.headers().contains_key(HEADER)
}

/// Lets a request go on if it is the first of its name. Reads its body, and puts it back.
pub(crate) async fn admit(
    ctx: &Context,
    tenant: TenantId,
    sender: &RawKey,
    request: &Request,
    body: &mut RequestBody,
) -> poem::Result<()> {
    let (Some(once), Some(key)) = (request.data::<Once>(), request.headers().get(HEADER)) else {
        return Ok(());
    };
    let key = Key::parse(key.as_bytes()).map_err(ApiError::from)?;
    let most = longest(request.original_uri().path(), is_form(request));
    let bytes = read_bytes(request, body, most).await?;
    let fingerprint = fingerprint(request, &bytes);
    *body = RequestBody::new(Body::from_bytes(bytes));
    let about = about(request.original_uri().path());
    let asked = idempotency::Once { tenant, sender, key: &key, fingerprint, about };
    match idempotency::begin(ctx, &asked).await.map_err(ApiError::from)? {
        Verdict::Run(claim) => once.set(State::Runs(claim)),
        Verdict::Replay(answered) => {
            once.set(State::Replayed(answered));
            // The handler must not run; what it would say is replaced.
            return Err(ApiError::replayed().into());
        }
    }
    Ok(())
}

/// The part of the API that a path is of: its first word after the base.
fn about(path: &str) -> &str {
    path.strip_prefix(crate::BASE)
        .unwrap_or(path)
        .split('/')
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

/// The longest body that the operation of a path takes without the header; it takes no longer one with it.
fn longest(path: &str, is_form: bool) -> u64 {
    let parts: Vec<&str> = path.strip_prefix(BASE).unwrap_or_default().split('/').skip(1).collect();
    match (parts.as_slice(), is_form) {
        (["knowledge", "upload" | "sources"] | ["knowledge", "sources", _], true) => FORM_BYTES,
        (["knowledge", "sources"] | ["knowledge", "sources", _], false) => SOURCE_BYTES,
        _ => JSON_BYTES,
    }
}

/// What a request asks. The boundary of a form is made anew for each try, and asks nothing.
fn fingerprint(request: &Request, body: &[u8]) -> Fingerprint {
    let method = request.method().as_str().as_bytes();
    let path = request.original_uri().path().as_bytes();
    let boundary = request.headers().get(header::CONTENT_TYPE).and_then(boundary);
    let Some(boundary) = boundary else {
        return Fingerprint::of([method, path, body]);
    };
    let delimiter = format!("--{boundary}");
    let mut parts = vec![method, path];
    let mut from = 0;
    for at in memmem::find_iter(body, delimiter.as_bytes()) {
        parts.extend(body.get(from..at));
        from = at + delimiter.len();
    }
    parts.extend(body.get(from..));
    Fingerprint::of(parts)
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

    fn of(content_type: &str, body: &str) -> Fingerprint {
        let request = Request::builder().method(Method::POST).content_type(content_type).finish();
        fingerprint(&request, body.as_bytes())
    }

    #[test]
    fn a_form_asks_the_same_whatever_its_boundary() {
        let form = |boundary: &str, text: &str| {
            let body = format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}--\r\n");
            of(&format!("multipart/form-data; boundary={boundary}"), &body)
        };
        assert_eq!(form("aaa", "hello"), form("b-b", "hello"));
        assert_eq!(form("aaa", "hello"), {
            let body = "--q q\r\n\r\nhello\r\n--q q--\r\n";
            of("Multipart/Form-Data; charset=utf-8; Boundary=\"q q\"", body)
        });
        assert_ne!(form("aaa", "hello"), form("aaa", "other"));
        assert_ne!(of(JSON, "{}"), of(JSON, "{ }"));
    }

    #[test]
    fn only_what_takes_texts_and_files_takes_long_bodies() {
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
            assert_eq!(longest(&format!("{BASE}{path}"), is_form), most, "{path} {is_form}");
        }
    }
}
