//! Fair shares of a connection pool: which tenant's request gets the next connection.
//!
//! A place is the right to hold one connection of the pool. A tenant gets a place while it holds fewer places than are
//! free (dynamic thresholds: Choudhury and Hahne, 1998): alone it gets half of them, two tenants a third each. A
//! tenant's first place is therefore granted at once while any is free, regardless of other tenants' waiting requests.
//! Waiting tenants get free places in turn, one each.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::ids::TenantId;

/// The places of a pool.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Mutex<State>>);

/// A place, released on drop.
#[derive(Debug)]
pub(super) struct Place {
    tenant: TenantId,
    /// `None` after the request was cancelled.
    places: Option<Places>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Tenants with held places or waiting requests.
    tenants: HashMap<TenantId, Shares>,
    /// Tenants with waiting requests, each once, in the order of their turns.
    turns: VecDeque<TenantId>,
}

#[derive(Debug, Default)]
struct Shares {
    held: usize,
    waiting: VecDeque<Sender<Place>>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        let state = State { free: count.max(1), tenants: HashMap::new(), turns: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Takes a place, or queues for one. Dropping the future gives up its turn.
    pub(super) async fn take(&self, tenant: TenantId) -> Option<Place> {
        let granted = self.request(tenant);
        match granted {
            Ok(place) => Some(place),
            // A sender is dropped unused only with the whole state.
            Err(granted) => granted.await.ok(),
        }
    }

    fn request(&self, tenant: TenantId) -> Result<Place, Receiver<Place>> {
        let mut state = self.lock();
        let free = state.free;
        let shares = state.tenants.entry(tenant).or_default();
        // A waiting tenant has no claim to the places that are free now: one with a claim got its place when it became
        // free.
        if shares.waiting.is_empty() && shares.held < free {
            shares.held += 1;
            state.free -= 1;
            return Ok(self.place(tenant));
        }
        let (sender, receiver) = oneshot::channel();
        if shares.waiting.is_empty() {
            state.turns.push_back(tenant);
        }
        if let Some(shares) = state.tenants.get_mut(&tenant) {
            shares.waiting.push_back(sender);
        }
        Err(receiver)
    }

    fn release(&self, tenant: TenantId) {
        let mut state = self.lock();
        state.free += 1;
        if let Some(shares) = state.tenants.get_mut(&tenant) {
            shares.held = shares.held.saturating_sub(1);
        }
        state.forget(tenant);
        // Examines at most one tenant more than the pool has places: a tenant without a claim holds at least one place.
        while let Some(next) = state.next() {
            self.grant(&mut state, next);
        }
    }

    /// Grants a free place to the tenant's oldest request that was not cancelled.
    fn grant(&self, state: &mut State, tenant: TenantId) {
        let Some(shares) = state.tenants.get_mut(&tenant) else { return };
        while let Some(waiting) = shares.waiting.pop_front() {
            match waiting.send(self.place(tenant)) {
                Ok(()) => {
                    shares.held += 1;
                    state.free -= 1;
                    break;
                }
                // The request was cancelled. Its place was never taken, so the drop must not release it.
                Err(mut place) => place.places = None,
            }
        }
        if !shares.waiting.is_empty() {
            state.turns.push_back(tenant);
        }
        state.forget(tenant);
    }

    fn place(&self, tenant: TenantId) -> Place {
        Place { tenant, places: Some(self.clone()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Removes and returns the next tenant in turn that may take a free place.
    fn next(&mut self) -> Option<TenantId> {
        let may = |tenant: &TenantId| self.tenants.get(tenant).is_none_or(|shares| shares.held < self.free);
        let at = self.turns.iter().position(may)?;
        self.turns.remove(at)
    }

    fn forget(&mut self, tenant: TenantId) {
        if self.tenants.get(&tenant).is_some_and(|shares| shares.held == 0 && shares.waiting.is_empty()) {
            self.tenants.remove(&tenant);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.places.take() {
            places.release(self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn taken(places: &Places, tenant: TenantId) -> Option<Place> {
        places.take(tenant).now_or_never().flatten()
    }

    fn all(places: &Places, tenant: TenantId) -> Vec<Place> {
        std::iter::from_fn(|| taken(places, tenant)).collect()
    }

    #[test]
    fn a_tenant_alone_gets_half_of_the_places() {
        for (count, share) in [(1, 1), (2, 1), (3, 2), (4, 2), (15, 8)] {
            let places = Places::new(count);
            assert_eq!(all(&places, TenantId::fresh()).len(), share, "of {count}");
        }
    }

    #[test]
    fn a_place_is_left_for_another_tenant() {
        let places = Places::new(15);
        let greedy: Vec<_> = (0..3).map(|_| all(&places, TenantId::fresh())).collect();
        assert_eq!(greedy.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2]);
        assert!(taken(&places, TenantId::fresh()).is_some());
    }

    #[test]
    fn waiting_tenants_get_places_in_turn() {
        let places = Places::new(1);
        let (first, second) = (TenantId::fresh(), TenantId::fresh());
        let held = taken(&places, first);
        // Three requests of the first tenant came before the only one of the second.
        let mut waiting: Vec<_> = [first, first, first, second]
            .map(|tenant| (tenant == second, places.request(tenant).unwrap_err()))
            .into();
        drop(held);
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let at = waiting.iter_mut().position(|(_, waiting)| waiting.try_recv().is_ok()).unwrap();
            // The place is free again: `try_recv` dropped it.
            order.push(waiting.remove(at).0);
        }
        assert_eq!(order, [false, true, false, false]);
    }

    #[test]
    fn a_request_given_up_takes_no_place() {
        let places = Places::new(1);
        let tenant = TenantId::fresh();
        let held = taken(&places, tenant);
        let given_up = places.request(tenant).unwrap_err();
        let mut waiting = places.request(tenant).unwrap_err();
        drop(given_up);
        drop(held);
        assert!(waiting.try_recv().is_ok());
        // Cancelled after the place was granted.
        let held = taken(&places, tenant);
        let granted = places.request(tenant).unwrap_err();
        drop(held);
        drop(granted);
        assert!(taken(&places, tenant).is_some());
        assert!(places.lock().tenants.is_empty(), "{places:?}");
    }
}
