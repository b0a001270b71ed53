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

/// Most memory of a small body, in bytes: JSON of 64 KB, such as a chat message.
const SMALL: u64 = 256 * 1024;

/// What small bodies may take beyond the ceiling and the share, as a divisor of these: large ones cannot shut them out.
const SMALL_RESERVE: u64 = 4;

/// Delay before a rejected request is sent again.
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
    /// Whose request it is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

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
        let (of_tenant, total) = self.beside(&held, bytes)?;
        held.total = total;
        held.tenants.insert(self.tenant, of_tenant);
        self.bytes = bytes;
        Ok(())
    }

    /// Whether this many bytes could be held now; holds nothing.
    ///
    /// # Errors
    /// As in [`BodyAccount::hold`].
    pub fn check(&self, bytes: u64) -> Result<()> {
        if bytes <= self.bytes {
            return Ok(());
        }
        self.beside(&self.held.lock().unwrap_or_else(PoisonError::into_inner), bytes).map(|_| ())
    }

    /// What the tenant and all requests would hold, in bytes, if this one held `bytes`.
    fn beside(&self, held: &Held, bytes: u64) -> Result<(u64, u64)> {
        let more = bytes.saturating_sub(self.bytes);
        let reserve = if bytes <= SMALL { self.ceiling / SMALL_RESERVE } else { 0 };
        let ceiling = self.ceiling + reserve;
        let of_tenant = held.tenants.get(&self.tenant).copied().unwrap_or_default().saturating_add(more);
        if of_tenant > ceiling / TENANT_SHARE {
            return Err(Error::TooMany {
                code: "too_many_body_bytes",
                message:
                    "Your requests in progress hold the maximum amount of data; try again when one has ended"
                        .to_owned(),
                retry_after: RETRY_AFTER,
            });
        }
        let total = held.total.saturating_add(more);
        if total > ceiling {
            return Err(Error::Overloaded {
                code: "body_memory_exhausted",
                message:
                    "The requests in progress hold all of the server's memory for bodies; try again later"
                        .to_owned(),
                retry_after: RETRY_AFTER,
            });
        }
        Ok((of_tenant, total))
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

    const MB: u64 = 1024 * 1024;

    #[test]
    fn a_tenant_holds_at_most_half_and_all_at_most_the_ceiling() {
        let memory = BodyMemory::new(100 * MB);
        let (one, two, three) = (TenantId::fresh(), TenantId::fresh(), TenantId::fresh());
        let (mut a, mut b, mut c) = (memory.account(one), memory.account(one), memory.account(two));
        a.hold(40 * MB).unwrap();
        b.hold(10 * MB).unwrap();
        assert!(matches!(b.hold(11 * MB), Err(Error::TooMany { code: "too_many_body_bytes", .. })));
        c.hold(50 * MB).unwrap();
        let refused = memory.account(three).hold(MB);
        assert!(matches!(refused, Err(Error::Overloaded { code: "body_memory_exhausted", .. })));
        assert_eq!(memory.held(), 100 * MB, "what was refused is not held");
    }

    #[test]
    fn small_bodies_have_a_reserve_beside_large_ones() {
        let memory = BodyMemory::new(100 * MB);
        let (one, two) = (TenantId::fresh(), TenantId::fresh());
        let (mut a, mut b) = (memory.account(one), memory.account(two));
        a.hold(50 * MB).unwrap();
        b.hold(50 * MB).unwrap();
        let small = || {
            let mut account = memory.account(one);
            account.hold(SMALL).map(|()| account)
        };
        let held: Vec<_> = std::iter::from_fn(|| small().ok()).take(1000).collect();
        assert_eq!(held.len() as u64 * SMALL, 12 * MB + MB / 2, "a quarter more than the share");
        assert!(memory.account(two).check(SMALL + 1).is_err());
        memory.account(two).hold(SMALL).unwrap();
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
