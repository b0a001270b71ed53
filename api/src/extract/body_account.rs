//! Account of a request's body in the process's body memory ([`BodyMemory`](parlance_core::platform::body_memory)).
//!
//! The middleware attaches an empty account, the tenant extractor opens it, and readers of the body hold memory on it. The
//! memory is released when the request is dropped: when it was answered, or its client has disconnected.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_core::Context;
use parlance_core::ids::TenantId;
use parlance_core::platform::body_memory;
use poem::Request;
use poem::http::header;

use crate::error::ApiError;

/// The account, shared through the request. Without one that is open, nothing is counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyAccount(Arc<Mutex<Option<body_memory::BodyAccount>>>);

impl BodyAccount {
    /// The account of a request.
    pub(crate) fn of(request: &Request) -> Self {
        request.data().cloned().unwrap_or_default()
    }

    /// Opens the account: what it holds counts for the tenant.
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
    /// 429 when the tenant holds its share, 503 when all of the process's body memory is held.
    pub(crate) fn hold(&self, bytes: u64) -> Result<(), ApiError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(account) => Ok(account.hold(bytes)?),
            None => Ok(()),
        }
    }
}

/// The length that a request states for its body.
pub(crate) fn stated_length(request: &Request) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
