//! Ceiling on the memory of request bodies in progress, per process and per tenant.
//!
//! A request holds memory from the start of reading its body to its end; dropping its [`BodyAccount`] releases the
//! memory. The count is the peak memory that a body may take, not its length.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::ids::TenantId;

/// Divisor of the ceiling: one tenant may hold this part of it, so that another tenant's upload still fits.
const TENANT_SHARE: u64 = 2;

/// `Retry-After` of a rejected request.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Memory of the request bodies in progress in a process.
#[derive(Debug)]
pub struct BodyMemory {
    ceiling: u64,
    held: Arc<Mutex<Held>>,
}

/// Bytes held: by all tenants, and by each.
#[derive(Debug, Default)]
struct Held {
    total: u64,
    tenants: HashMap<TenantId, u64>,
}

/// Memory that one request holds; released on drop.
#[derive(Debug)]
pub struct BodyAccount {
    tenant: TenantId,
    bytes: u64,
    ceiling: u64,
    held: Arc<Mutex<Held>>,
}

impl BodyMemory {
    pub(crate) fn new(ceiling: u64) -> Self {
        Self { ceiling, held: Arc::default() }
    }

    /// Opens the account of a tenant's request. It holds nothing yet.
    #[must_use]
    pub fn account(&self, tenant: TenantId) -> BodyAccount {
        BodyAccount { tenant, bytes: 0, ceiling: self.ceiling, held: Arc::clone(&self.held) }
    }

    /// Bytes held by all requests.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl BodyAccount {
    /// Holds at least `bytes`; a no-op when the request holds as much already.
    ///
    /// # Errors
    /// [`Error::TooMany`] above the tenant's share, [`Error::Overloaded`] above the ceiling.
    pub fn hold(&mut self, bytes: u64) -> Result<()> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = held.tenants.get(&self.tenant).copied().unwrap_or_default().saturating_add(more);
        if of_tenant > self.ceiling / TENANT_SHARE {
            return Err(Error::TooMany {
                code: "too_many_body_bytes",
                message:
                    "Your requests in progress hold the maximum amount of data; try again when one has ended"
                        .to_owned(),
                retry_after: RETRY_AFTER,
            });
        }
        let total = held.total.saturating_add(more);
        if total > self.ceiling {
            return Err(Error::Overloaded {
                code: "body_memory_exhausted",
                message:
                    "The requests in progress hold all of the server's memory for bodies; try again later"
                        .to_owned(),
                retry_after: RETRY_AFTER,
            });
        }
        held.total = total;
        held.tenants.insert(self.tenant, of_tenant);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for BodyAccount {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(self.bytes);
        if let Some(of_tenant) = held.tenants.get_mut(&self.tenant) {
            *of_tenant = of_tenant.saturating_sub(self.bytes);
            if *of_tenant == 0 {
                held.tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_holds_at_most_half_and_all_at_most_the_ceiling() {
        let memory = BodyMemory::new(100);
        let (one, two, three) = (TenantId::fresh(), TenantId::fresh(), TenantId::fresh());
        let (mut a, mut b, mut c) = (memory.account(one), memory.account(one), memory.account(two));
        a.hold(40).unwrap();
        b.hold(10).unwrap();
        assert!(matches!(b.hold(11), Err(Error::TooMany { code: "too_many_body_bytes", .. })));
        c.hold(50).unwrap();
        let refused = memory.account(three).hold(1);
        assert!(matches!(refused, Err(Error::Overloaded { code: "body_memory_exhausted", .. })));
        assert_eq!(memory.held(), 100, "a rejected amount is not held");
    }

    #[test]
    fn a_dropped_account_releases_what_it_held() {
        let memory = BodyMemory::new(100);
        let tenant = TenantId::fresh();
        let mut account = memory.account(tenant);
        for bytes in [10, 30, 20] {
            account.hold(bytes).unwrap();
        }
        assert_eq!(memory.held(), 30, "the largest amount counts once");
        drop(account);
        assert_eq!(memory.held(), 0);
        memory.account(tenant).hold(50).unwrap();
        assert!(memory.held.lock().unwrap().tenants.is_empty());
    }
}
