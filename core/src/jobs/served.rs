//! Tenants by the time of their last claim in this process. Breaks ties between tenants with equally many running jobs.
//!
//! Each process records its own claims only. If every process alternates between the waiting tenants, so does the
//! fleet.

use std::sync::{Mutex, PoisonError};

use crate::ids::TenantId;

/// Maximum number of recorded tenants. In most fleets a queue's window has fewer jobs. An evicted tenant counts as one
/// without claims; its oldest job decides.
const REMEMBERED: usize = 256;

/// Tenants in the order in which their last job was claimed, oldest first.
#[derive(Debug, Default)]
pub(super) struct Served(Mutex<Vec<TenantId>>);

impl Served {
    /// The tenants, least recent claim first.
    pub(super) fn order(&self) -> Vec<TenantId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records claims, in their order.
    pub(super) fn record(&self, tenants: impl IntoIterator<Item = TenantId>) {
        let mut order = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in tenants {
            order.retain(|served| *served != tenant);
            order.push(tenant);
        }
        let surplus = order.len().saturating_sub(REMEMBERED);
        order.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_served_tenant_comes_last_and_once() {
        let served = Served::default();
        let [first, second] = [TenantId::fresh(), TenantId::fresh()];
        served.record([first, second, first, first]);
        assert_eq!(served.order(), [second, first]);
    }

    #[test]
    fn the_memory_of_served_tenants_is_bounded() {
        let served = Served::default();
        let tenants: Vec<TenantId> = (0..=REMEMBERED).map(|_| TenantId::fresh()).collect();
        served.record(tenants.iter().copied());
        assert_eq!(served.order(), tenants[1..]);
    }
}
