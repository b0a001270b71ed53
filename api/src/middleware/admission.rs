//! What is known of a request's caller while it runs: where its key stands, and what it holds of its tenant's places.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_core::Context;
use parlance_core::platform::limits::{Permit, RateLimitState};
use parlance_core::tenants::keys::Caller;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Request, Response};

use crate::error::ApiError;

/// The headers that tell a caller where its key stands (draft-ietf-httpapi-ratelimit-headers-03).
pub(crate) const HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// Filled in by the tenant check, read by the outermost layer. Places are given back when the request has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admitted(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    standing: Option<RateLimitState>,
    upload: Option<Permit>,
}

impl Admitted {
    /// Tells the client where its key stands.
    pub(crate) fn tell(&self, response: &mut Response) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(RateLimitState { limit, remaining, reset, .. }) = known.standing else { return };
        for (name, value) in HEADERS.into_iter().zip([limit, remaining, reset]) {
            response.headers_mut().insert(name, HeaderValue::from(value));
        }
    }
}

/// Counts the request of a caller, and takes a place for its upload.
pub(crate) fn admit(ctx: &Context, caller: &Caller, request: &Request) -> Result<(), ApiError> {
    let standing = ctx.limits().requests.take(caller.key);
    let uploads = is_upload(request);
    if let Some(Admitted(known)) = request.data() {
        known.lock().unwrap_or_else(PoisonError::into_inner).standing = standing;
    }
    if let Some(standing) = standing {
        standing.check()?;
    }
    if let Some(Admitted(known)) = request.data().filter(|_| uploads) {
        let place = ctx.limits().uploads.take(caller.tenant)?;
        known.lock().unwrap_or_else(PoisonError::into_inner).upload = Some(place);
    }
    Ok(())
}

fn is_upload(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
}
