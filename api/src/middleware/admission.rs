//! Admission of an authenticated request: rate limits of its tenant and key, and its tenant's upload permits.
//!
//! The tenant extractor calls [`admit`]; the middleware [`headers`] reports the rate limit. A permit is released
//! when the request has ended.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_core::Context;
use parlance_core::platform::limits::{Permit, RateLimitState};
use parlance_core::tenants::keys::Caller;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::error::ApiError;

/// Rate-limit status (draft-ietf-httpapi-ratelimit-headers-03).
const HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// Shared by [`headers`] and [`admit`] through the request.
#[derive(Clone, Debug, Default)]
struct Admission(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rate_limit: Option<RateLimitState>,
    upload_permit: Option<Permit>,
}

impl Admission {
    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Adds the `RateLimit-*` headers to responses to authenticated requests.
pub(crate) async fn headers<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let admission = Admission::default();
    request.set_data(admission.clone());
    let mut response = next.call(request).await?;
    admission.update(|state| {
        let Some(RateLimitState { limit, remaining, reset, .. }) = state.rate_limit else { return };
        for (name, value) in HEADERS.into_iter().zip([limit, remaining, reset]) {
            response.headers_mut().insert(name, HeaderValue::from(value));
        }
    });
    Ok(response)
}

/// Counts a request against the rate limits of its tenant and key, and takes a permit for an upload.
pub(crate) fn admit(ctx: &Context, caller: &Caller, request: &Request) -> Result<(), ApiError> {
    let admission = request.data::<Admission>();
    let rate_limit = ctx.limits().requests.take(caller.tenant, caller.key);
    if let Some(admission) = admission {
        admission.update(|state| state.rate_limit = rate_limit);
    }
    if let Some(rate_limit) = rate_limit {
        rate_limit.check()?;
    }
    if let Some(admission) = admission.filter(|_| is_upload(request)) {
        let permit = ctx.limits().uploads.take(caller.tenant)?;
        admission.update(|state| state.upload_permit = Some(permit));
    }
    Ok(())
}

fn is_upload(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
}
