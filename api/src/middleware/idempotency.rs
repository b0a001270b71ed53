//! Settlement of requests with an `Idempotency-Key`: stores the response, or replays the stored one.
//!
//! The extractor half, [`crate::extract::idempotency_key`], claims the key. Such a request runs in its own task,
//! so that it finishes and its response is stored when the client disconnects.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use parlance_core::idempotency::{self, RequestClaim, StoredResponse};
use parlance_core::{Context, Error};
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};
use tracing::Instrument;

use crate::error::ApiError;
use crate::middleware::request_id::RequestId;
use crate::response::envelope::JSON;

/// The header of requests.
pub(crate) const HEADER: &str = "Idempotency-Key";

/// The header of replayed responses.
pub(crate) const REPLAYED: &str = "Idempotency-Replayed";

/// Interval at which a running request is checked for a claim to renew.
const POLL: Duration = Duration::from_secs(1);

/// State of the key of a request, shared by the extractor and the middleware through the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdempotencyState(Arc<Mutex<KeyState>>);

#[derive(Debug, Default)]
enum KeyState {
    /// No claim attempted: the request was rejected earlier.
    #[default]
    Unclaimed,
    /// The request is the first with its key, and runs.
    Claimed(RequestClaim),
    /// The stored response of an earlier request.
    Stored(StoredResponse),
}

impl IdempotencyState {
    /// `None` when the request has no key, or its method supports none.
    fn of(request: &Request) -> Option<Self> {
        let is_write = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
        (is_write && request.headers().contains_key(HEADER)).then(Self::default)
    }

    /// Marks the request as the first with its key: its response will be stored.
    pub(crate) fn claimed(&self, claim: RequestClaim) {
        self.set(KeyState::Claimed(claim));
    }

    /// Sets the stored response to replay.
    pub(crate) fn replay(&self, stored: StoredResponse) {
        self.set(KeyState::Stored(stored));
    }

    fn set(&self, state: KeyState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The claim, if the request is the first with its key.
    fn claim(&self) -> Option<RequestClaim> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            KeyState::Claimed(claim) => Some(claim.clone()),
            KeyState::Unclaimed | KeyState::Stored(_) => None,
        }
    }

    /// Keeps the claim while the request runs, until dropped.
    async fn hold(&self, ctx: &Context) -> Infallible {
        loop {
            // The handler makes the claim while the request runs.
            tokio::time::sleep(POLL).await;
            if let Some(claim) = self.claim() {
                idempotency::hold(ctx, &claim).await;
            }
        }
    }

    fn take(&self) -> KeyState {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs a request with a key in its own task and settles it; passes other requests on. Without `ctx` there is
/// no store, and every request is passed on.
pub(crate) async fn settle<E: Endpoint<Output = Response> + 'static>(
    next: Arc<E>,
    mut request: Request,
    ctx: Option<Context>,
) -> Result<Response> {
    let Some((idempotent, ctx)) = IdempotencyState::of(&request).zip(ctx) else {
        return next.call(request).await;
    };
    request.set_data(idempotent.clone());
    let id = RequestId::of(&request);
    let work = async move {
        let response = tokio::select! {
            response = next.call(request) => response?,
            never = idempotent.hold(&ctx) => match never {},
        };
        Ok(match idempotent.take() {
            KeyState::Unclaimed => response,
            KeyState::Stored(stored) => replayed(stored),
            KeyState::Claimed(claim) => store(&ctx, &claim, response).await,
        })
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(response) => response,
        Err(error) => Ok(ApiError::panicked(&error.to_string()).respond(id.as_str())),
    }
}

fn replayed(stored: StoredResponse) -> Response {
    Response::builder()
        .status(StatusCode::from_u16(stored.status).unwrap_or_default())
        .content_type(JSON)
        .header(REPLAYED, "true")
        .body(stored.body)
}

/// Stores the response, unless a retry could get a better one: then the claim is released.
async fn store(ctx: &Context, claim: &RequestClaim, mut response: Response) -> Response {
    let status = response.status();
    let is_transient = status.is_server_error() || response.headers().contains_key(header::RETRY_AFTER);
    let settled = if is_transient {
        idempotency::settle(ctx, claim, None).await
    } else {
        match response.take_body().into_string().await {
            Ok(body) => {
                response.set_body(body.clone());
                let stored = StoredResponse { status: status.as_u16(), body };
                idempotency::settle(ctx, claim, Some(&stored)).await
            }
            Err(error) => Err(Error::internal("reading the response body failed", error)),
        }
    };
    if let Err(error) = settled {
        let error = parlance_core::error::Chain(&error);
        tracing::warn!(%error, "storing an idempotent response failed; its claim expires");
    }
    response
}
