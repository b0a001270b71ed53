//! Fair queue: a number of places, shared among tenants by the cost of their work.
//!
//! A tenant's work beyond its share waits in that tenant's own queue, and delays no other tenant. No crate provides a
//! queue per caller with a cost per waiter: ranked-semaphore and async-weighted-semaphore have priorities or weights of
//! permits, and async_wrr_queue selects servers. See docs/decisions/0050-fair-shares.md.
//!
//! Must never: poll, or keep an entry of a tenant without waiters.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::ids::TenantId;

mod order;

use order::{Order, Ticket};

/// Urgency of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A request waits for it: questions, searches, sentences of an answer, uploads.
    Interactive,
    /// No request waits for it: passages, re-embedding, calibration.
    Background,
}

/// The owner of the work and its urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant; `None`: the system itself.
    tenant: Option<TenantId>,
    class: Class,
}

impl Caller {
    /// Work that a tenant's request waits for.
    #[must_use]
    pub fn interactive(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), class: Class::Interactive }
    }

    /// Work of a tenant's job.
    #[must_use]
    pub fn background(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), class: Class::Background }
    }

    /// Work of the process itself, such as calibration.
    #[must_use]
    pub fn system() -> Self {
        Self { tenant: None, class: Class::Background }
    }
}

/// A fair queue. Clones share the places.
#[derive(Clone)]
pub struct FairQueue(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// Number of places that background work may still take.
    free_of_background: usize,
    order: Order<oneshot::Sender<Place>>,
}

/// One of the places, free again when dropped.
pub struct Place {
    queue: FairQueue,
    caller: Caller,
    cost: i64,
    /// False while `yield_if_wanted` waits for the next place.
    is_held: bool,
}

impl FairQueue {
    /// Creates a queue with `places` places, of which background work holds at most `background`.
    #[must_use]
    pub fn new(places: usize, background: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: places,
            free_of_background: background,
            order: Order::default(),
        })))
    }

    /// Waits for a place. `cost` is relative to the other callers' work: tokens, bytes or milliseconds.
    pub async fn enter(&self, caller: Caller, cost: usize) -> Place {
        loop {
            // Dropped with the future, so that a cancelled caller leaves the queue.
            let (_waiting, receiver) = self.join(caller, cost);
            // A sender is dropped only after it has sent. Otherwise the caller queues again.
            if let Ok(place) = receiver.await {
                return place;
            }
        }
    }

    /// Number of waiters.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().order.len()
    }

    fn join(&self, caller: Caller, cost: usize) -> (Waiting<'_>, oneshot::Receiver<Place>) {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.state().order.push(caller, units(cost), sender);
        self.serve();
        (Waiting { queue: self, caller, ticket }, receiver)
    }

    /// Gives free places to the next waiters.
    fn serve(&self) {
        loop {
            let mut state = self.state();
            if state.free == 0 {
                return;
            }
            let may_background = state.free_of_background > 0;
            let Some(next) = state.order.pop(may_background) else { return };
            state.free -= 1;
            state.free_of_background -= usize::from(next.caller.class == Class::Background);
            drop(state);
            let place = Place { queue: self.clone(), caller: next.caller, cost: next.cost, is_held: true };
            // Fails if the waiter was just cancelled. Its place is then free again; the next iteration of this loop or
            // `Place::drop` gives it to another waiter.
            let _ = next.waiter.send(place);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whether other work has a claim to this place: interactive work, if this is background work, or other tenants'
    /// work of the same class.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.queue.state().order.has_rivals(self.caller)
    }

    /// Frees the place if other work has a claim to it, and waits for a new place at this cost. Blocks the thread.
    ///
    /// # Panics
    /// On a thread that runs asynchronous tasks.
    pub fn yield_if_wanted(&mut self, cost: usize) {
        if !self.is_wanted() {
            return;
        }
        let queue = self.queue.clone();
        loop {
            let (_waiting, receiver) = queue.join(self.caller, cost);
            self.release();
            if let Ok(next) = receiver.blocking_recv() {
                *self = next;
                return;
            }
        }
    }

    /// Replaces the expected cost by the real one.
    pub fn charge(&self, cost: usize) {
        self.queue.state().order.correct(self.caller, units(cost) - self.cost);
    }

    fn release(&mut self) {
        if !std::mem::replace(&mut self.is_held, false) {
            return;
        }
        let mut state = self.queue.state();
        state.free += 1;
        state.free_of_background += usize::from(self.caller.class == Class::Background);
        drop(state);
        self.queue.serve();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.release();
    }
}

/// A cost as a number whose sums do not overflow.
fn units(cost: usize) -> i64 {
    i64::try_from(cost).unwrap_or(MAX_COST).clamp(1, MAX_COST)
}

/// Upper bound of a cost.
const MAX_COST: i64 = 1 << 40;

/// A waiter's entry, removed when dropped.
struct Waiting<'a> {
    queue: &'a FairQueue,
    caller: Caller,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.state().order.remove(self.caller, self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    fn tenant() -> Caller {
        Caller::interactive(TenantId::fresh())
    }

    /// Runs every other task until it waits.
    async fn settle() {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn no_more_than_the_places_are_held_at_once() {
        let queue = FairQueue::new(3, 3);
        let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..50).map(|_| {
            let (queue, held, most) = (queue.clone(), Arc::clone(&held), Arc::clone(&most));
            tokio::spawn(async move {
                let _place = queue.enter(tenant(), 1).await;
                most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                held.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!((most.load(Ordering::SeqCst), held.load(Ordering::SeqCst)), (3, 0));
        assert_eq!((queue.waiting(), queue.state().free), (0, 3));
    }

    #[tokio::test]
    async fn waiters_that_give_up_leave_the_queue_and_no_place() {
        let queue = FairQueue::new(1, 1);
        let place = queue.enter(tenant(), 1).await;
        let busy = tenant();
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { drop(queue.enter(busy, 1).await) })
            })
            .collect();
        settle().await;
        assert_eq!(queue.waiting(), 200);
        for task in &tasks {
            task.abort();
        }
        settle().await;
        assert_eq!(queue.waiting(), 0);
        drop(place);
        assert_eq!(queue.state().free, 1);
        // A waiter that got a place but was never polled again returns it.
        let first = queue.enter(tenant(), 1).await;
        let mut served = Box::pin(queue.enter(tenant(), 1));
        assert!((&mut served).now_or_never().is_none());
        drop(first);
        drop(served);
        assert_eq!((queue.waiting(), queue.state().free), (0, 1));
    }

    #[tokio::test]
    async fn one_place_is_kept_from_background_work() {
        let queue = FairQueue::new(2, 1);
        let _building = queue.enter(Caller::background(TenantId::fresh()), 1).await;
        let mut more = Box::pin(queue.enter(Caller::background(TenantId::fresh()), 1));
        assert!((&mut more).now_or_never().is_none());
        assert!(queue.enter(tenant(), 1).now_or_never().is_some());
        assert!((&mut more).now_or_never().is_none());
    }

    #[tokio::test]
    async fn long_work_lets_others_go_first_between_its_pieces() {
        let queue = FairQueue::new(1, 1);
        let order: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let mut place = queue.enter(Caller::background(TenantId::fresh()), 1).await;
        let question = {
            let (queue, order) = (queue.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let _place = queue.enter(tenant(), 1).await;
                order.lock().unwrap().push("question");
            })
        };
        settle().await;
        assert!(place.is_wanted());
        let long = {
            let order = Arc::clone(&order);
            tokio::task::spawn_blocking(move || {
                place.yield_if_wanted(1);
                order.lock().unwrap().push("rest");
                assert!(!place.is_wanted());
            })
        };
        long.await.unwrap();
        question.await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["question", "rest"]);
        assert_eq!((queue.waiting(), queue.state().free), (0, 1));
    }

    #[tokio::test]
    async fn a_tenants_own_work_does_not_want_its_place() {
        let queue = FairQueue::new(1, 1);
        let caller = Caller::background(TenantId::fresh());
        let place = queue.enter(caller, 1).await;
        let mut own = Box::pin(queue.enter(caller, 1));
        assert!((&mut own).now_or_never().is_none());
        assert!(!place.is_wanted());
        let mut other = Box::pin(queue.enter(Caller::background(TenantId::fresh()), 1));
        assert!((&mut other).now_or_never().is_none());
        assert!(place.is_wanted());
    }
}
