//! Concurrency limits per tenant, within a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::ids::TenantId;

/// A concurrency limit per tenant.
#[derive(Debug)]
pub struct Permits {
    limit: usize,
    code: &'static str,
    what: &'static str,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// One of [`Permits`], held until dropped.
#[must_use = "a permit is released when it is dropped"]
#[derive(Debug)]
pub struct Permit {
    tenant: TenantId,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl Permits {
    /// `what` completes "There are 16 … already".
    pub(super) fn new(limit: usize, code: &'static str, what: &'static str) -> Self {
        Self { limit, code, what, held: Arc::default() }
    }

    /// Takes a permit of a tenant.
    ///
    /// # Errors
    /// [`Error::TooMany`] when all are taken.
    pub fn take(&self, tenant: TenantId) -> Result<Permit> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(tenant).or_default();
        if *count >= self.limit {
            return Err(Error::TooMany {
                code: self.code,
                message: format!(
                    "There are {} {} already; try again when one has ended",
                    self.limit, self.what
                ),
                retry_after: Duration::from_secs(1),
            });
        }
        *count += 1;
        Ok(Permit { tenant, held: Arc::clone(&self.held) })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_permit_is_free_again() {
        let permits = Permits::new(2, "too_many", "things");
        let (tenant, other) = (TenantId::fresh(), TenantId::fresh());
        let (first, _second) = (permits.take(tenant).unwrap(), permits.take(tenant).unwrap());
        permits.take(tenant).unwrap_err();
        let _other = permits.take(other).unwrap();
        drop(first);
        let _third = permits.take(tenant).unwrap();
    }
}
