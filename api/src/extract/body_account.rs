//! Account of a request's body in the process's body memory ([`BodyMemory`](parlance_core::platform::body_memory)).
//!
//! The middleware attaches an empty account, the tenant extractor opens it, and readers of the body hold memory on it.
//! Dropping the request releases the memory: after the response, or when the client disconnects.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_core::Context;
use parlance_core::ids::TenantId;
use parlance_core::platform::body_memory;
use poem::Request;
use poem::http::header;

use crate::error::ApiError;

/// The account, shared through the request. Without an open account, nothing is counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyAccount(Arc<Mutex<Option<body_memory::BodyAccount>>>);

impl BodyAccount {
    /// The account of a request.
    pub(crate) fn of(request: &Request) -> Self {
        request.data().cloned().unwrap_or_default()
    }

    /// Opens the account: its memory counts towards the tenant's share.
    pub(crate) fn open(&self, ctx: &Context, tenant: TenantId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ctx.limits().bodies.account(tenant));
    }

    /// The tenant, once the account is open.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        let account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        account.as_ref().map(body_memory::BodyAccount::tenant)
    }

    /// Whether this many bytes could be held now; holds nothing.
    ///
    /// # Errors
    /// As in [`BodyAccount::hold`].
    pub(crate) fn check(&self, bytes: u64) -> Result<(), ApiError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(account) => Ok(account.check(bytes)?),
            None => Ok(()),
        }
    }

    /// Holds at least this many bytes of memory.
    ///
    /// # Errors
    /// 429 above the tenant's share, 503 above the process's body memory.
    pub(crate) fn hold(&self, bytes: u64) -> Result<(), ApiError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(account) => Ok(account.hold(bytes)?),
            None => Ok(()),
        }
    }
}

/// The request's `Content-Length`.
pub(crate) fn stated_length(request: &Request) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
