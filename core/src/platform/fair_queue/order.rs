//! Pure: the order in which waiters get places.
//!
//! Within a class, deficit round-robin over tenants (Shreedhar and Varghese, 1995): each turn adds [`QUANTUM`] to a
//! tenant's deficit, and its waiters get places in order while the deficit covers their cost. A new tenant therefore
//! waits for at most a quantum, or one waiter, of each other tenant. Interactive waiters have priority over background
//! waiters, which get one [`BACKGROUND_SHARE`]th of the cost.
//!
//! Stores waiters only: a tenant without waiters has no entry.

use std::collections::VecDeque;

use super::{Caller, Class};
use crate::ids::TenantId;

/// Quantum of deficit round-robin: the cost added to a tenant's deficit at each turn. 64 tokens are a long sentence;
/// small, because a question may wait for one quantum of each other tenant.
pub(super) const QUANTUM: i64 = 64;

/// Divisor: background work gets one part in this many of the cost while interactive work waits. At an eighth, a batch
/// of 32 passages of 200 tokens takes about three seconds on two cores (47 passages a CPU-second, docs/benchmarks.md)
/// however many questions wait, so that its job meets its deadline, and questions lose at most an eighth of the
/// processor.
const BACKGROUND_SHARE: i64 = 8;

/// Waiters of both classes.
pub(super) struct Order<W> {
    interactive: Rounds<W>,
    background: Rounds<W>,
    /// Cost granted to interactive waiters while background waiters were queued, minus the background share granted
    /// since.
    owed: i64,
    last_ticket: u64,
}

/// Number of a waiter, unique within its [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// The waiter that gets the next place.
pub(super) struct Served<W> {
    pub(super) caller: Caller,
    pub(super) cost: i64,
    pub(super) waiter: W,
}

impl<W> Default for Order<W> {
    fn default() -> Self {
        Self { interactive: Rounds::default(), background: Rounds::default(), owed: 0, last_ticket: 0 }
    }
}

impl<W> Order<W> {
    /// Adds a waiter.
    pub(super) fn push(&mut self, caller: Caller, cost: i64, waiter: W) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.rounds(caller.class).push(caller.tenant, Waiter { ticket, cost, waiter });
        ticket
    }

    /// Removes a waiter, if it still waits.
    pub(super) fn remove(&mut self, caller: Caller, ticket: Ticket) {
        self.rounds(caller.class).remove(caller.tenant, ticket);
    }

    /// Removes the next waiter. `may_background`: whether background waiters are eligible.
    pub(super) fn pop(&mut self, may_background: bool) -> Option<Served<W>> {
        let background = self.background.next().filter(|_| may_background);
        match (self.interactive.next(), background) {
            (Some(next), Some(background)) if self.owed < background.cost * (BACKGROUND_SHARE - 1) => {
                self.owed += next.cost;
                self.interactive.take(next, Class::Interactive)
            }
            (Some(_), Some(background)) => {
                self.owed -= background.cost * (BACKGROUND_SHARE - 1);
                self.background.take(background, Class::Background)
            }
            (Some(next), None) => self.interactive.take(next, Class::Interactive),
            (None, Some(background)) => {
                self.owed = 0;
                self.background.take(background, Class::Background)
            }
            (None, None) => None,
        }
    }

    /// Charges the difference between real and expected cost to the tenant, if it still has waiters.
    pub(super) fn correct(&mut self, caller: Caller, more: i64) {
        let flow = self.rounds(caller.class).flows.iter_mut().find(|flow| flow.tenant == caller.tenant);
        if let Some(flow) = flow {
            flow.deficit -= more;
        }
    }

    /// Whether another waiter has a claim to this caller's place: an interactive waiter if the caller is background, or
    /// a waiter of the same class from another tenant.
    pub(super) fn has_rivals(&self, caller: Caller) -> bool {
        let has_others = |rounds: &Rounds<W>| rounds.flows.iter().any(|flow| flow.tenant != caller.tenant);
        match caller.class {
            Class::Interactive => has_others(&self.interactive),
            Class::Background => !self.interactive.flows.is_empty() || has_others(&self.background),
        }
    }

    /// Number of waiters.
    pub(super) fn len(&self) -> usize {
        self.interactive.len() + self.background.len()
    }

    fn rounds(&mut self, class: Class) -> &mut Rounds<W> {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Background => &mut self.background,
        }
    }
}

/// Waiters of one class, by tenant, in the order of their next turns.
struct Rounds<W> {
    flows: VecDeque<Flow<W>>,
    /// Whether the first flow's turn has begun and is not over.
    is_visiting: bool,
}

/// Waiters of a tenant, at least one.
struct Flow<W> {
    /// `None`: the system.
    tenant: Option<TenantId>,
    /// Deficit: cost that the tenant may still spend. Negative if its work cost more than expected.
    deficit: i64,
    waiters: VecDeque<Waiter<W>>,
}

impl<W> Flow<W> {
    fn can_pay(&self) -> bool {
        self.waiters.front().is_some_and(|next| next.cost <= self.deficit)
    }
}

struct Waiter<W> {
    ticket: Ticket,
    cost: i64,
    waiter: W,
}

/// The next waiter: the first of the flow at index `place`, after this many rounds in which no flow could pay.
#[derive(Clone, Copy)]
struct Next {
    place: usize,
    rounds: i64,
    cost: i64,
}

impl<W> Default for Rounds<W> {
    fn default() -> Self {
        Self { flows: VecDeque::new(), is_visiting: false }
    }
}

impl<W> Rounds<W> {
    fn push(&mut self, tenant: Option<TenantId>, waiter: Waiter<W>) {
        match self.flows.iter_mut().find(|flow| flow.tenant == tenant) {
            Some(flow) => flow.waiters.push_back(waiter),
            None => self.flows.push_back(Flow { tenant, deficit: 0, waiters: VecDeque::from([waiter]) }),
        }
    }

    fn remove(&mut self, tenant: Option<TenantId>, ticket: Ticket) {
        let Some(place) = self.flows.iter().position(|flow| flow.tenant == tenant) else { return };
        if let Some(flow) = self.flows.get_mut(place) {
            if let Ok(at) = flow.waiters.binary_search_by_key(&ticket, |waiter| waiter.ticket) {
                flow.waiters.remove(at);
            }
            if flow.waiters.is_empty() {
                self.flows.remove(place);
                self.is_visiting &= place > 0;
            }
        }
    }

    /// The first flow whose deficit will cover its first waiter. The rounds until then are computed, not iterated: a
    /// batch may cost a hundred quanta.
    fn next(&mut self) -> Option<Next> {
        if self.is_visiting && !self.flows.front()?.can_pay() {
            // The turn is over; continue with the next flow.
            self.flows.rotate_left(1);
            self.is_visiting = false;
        }
        let nexts = self.flows.iter().enumerate().filter_map(|(place, flow)| {
            let cost = flow.waiters.front()?.cost;
            let lacking = (cost - flow.deficit).max(0);
            Some(Next { place, rounds: (lacking + QUANTUM - 1) / QUANTUM, cost })
        });
        nexts.min_by_key(|next| next.rounds)
    }

    fn take(&mut self, next: Next, class: Class) -> Option<Served<W>> {
        // Flows after the next one got one quantum less.
        for (place, flow) in self.flows.iter_mut().enumerate() {
            let visits = if place <= next.place { next.rounds } else { (next.rounds - 1).max(0) };
            flow.deficit += visits * QUANTUM;
        }
        self.flows.rotate_left(next.place);
        let flow = self.flows.front_mut()?;
        let (tenant, Waiter { cost, waiter, .. }) = (flow.tenant, flow.waiters.pop_front()?);
        flow.deficit -= cost;
        self.is_visiting = !flow.waiters.is_empty();
        if !self.is_visiting {
            self.flows.pop_front();
        }
        Some(Served { caller: Caller { tenant, class }, cost, waiter })
    }

    fn len(&self) -> usize {
        self.flows.iter().map(|flow| flow.waiters.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants<const N: usize>() -> [Caller; N] {
        std::array::from_fn(|_| Caller::interactive(TenantId::fresh()))
    }

    /// Pops all waiters, and returns their names.
    fn drain(order: &mut Order<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| order.pop(true)).map(|served| served.waiter).collect()
    }

    #[test]
    fn a_new_tenant_passes_two_hundred_waiters_of_another() {
        for cost in [1, 10, 64, 512] {
            let [busy, other] = tenants();
            let mut order = Order::default();
            for _ in 0..200 {
                order.push(busy, cost, "busy");
            }
            // The busy tenant is in the middle of its turn.
            order.pop(true);
            order.push(other, cost, "other");
            let served = drain(&mut order);
            let before = served.iter().position(|name| *name == "other").unwrap();
            let most = usize::try_from(QUANTUM / cost).unwrap().max(1);
            assert!(before <= most, "{before} waiters went first, at a cost of {cost} each");
            assert_eq!(served.len(), 200);
        }
    }

    #[test]
    fn tenants_share_by_cost_and_not_by_number() {
        let [short, long] = tenants();
        let mut order = Order::default();
        for _ in 0..2_000 {
            order.push(short, 10, "short");
        }
        for _ in 0..100 {
            order.push(long, 500, "long");
        }
        let (mut shorts, mut longs) = (0, 0);
        while longs < 10_000 {
            match order.pop(true).unwrap() {
                Served { waiter: "long", cost, .. } => longs += cost,
                Served { cost, .. } => shorts += cost,
            }
        }
        assert!((shorts - longs).abs() <= 500 + QUANTUM, "{shorts} and {longs}");
    }

    #[test]
    fn waiters_of_one_tenant_keep_their_order() {
        let [one, other] = tenants();
        let mut order = Order::default();
        for (caller, cost, name) in
            [(one, 500, "a"), (other, 1, "b"), (one, 1, "c"), (one, 100, "d"), (other, 1, "e")]
        {
            order.push(caller, cost, name);
        }
        let served = drain(&mut order);
        let of_one: Vec<_> = served.iter().filter(|name| ["a", "c", "d"].contains(name)).collect();
        assert_eq!(of_one, [&"a", &"c", &"d"]);
        assert_eq!(&served[..2], ["b", "e"], "cheap waiters do not wait for an expensive one");
    }

    #[test]
    fn background_has_its_share_while_questions_never_stop() {
        let [asking] = tenants();
        let building = Caller::background(TenantId::fresh());
        let mut order = Order::default();
        for _ in 0..100 {
            order.push(building, 200, "passage");
        }
        let (mut interactive, mut background) = (0, 0);
        for _ in 0..2_000 {
            order.push(asking, 20, "question");
            match order.pop(true).unwrap() {
                Served { waiter: "question", cost, .. } => interactive += cost,
                Served { cost, .. } => background += cost,
            }
        }
        let share = background as f64 / (interactive + background) as f64;
        assert!((0.11..=0.13).contains(&share), "{share}");
    }

    #[test]
    fn a_question_passes_background_work_that_had_no_rivals() {
        let [asking] = tenants();
        let building = Caller::background(asking.tenant.unwrap());
        let mut order = Order::default();
        for _ in 0..50 {
            order.push(building, 200, "passage");
            order.push(building, 200, "passage");
            order.push(asking, 20, "question");
            assert_eq!(order.pop(true).unwrap().waiter, "question");
            assert_eq!(order.pop(true).unwrap().waiter, "passage");
        }
    }

    #[test]
    fn background_waits_when_it_has_no_place() {
        let mut order = Order::default();
        order.push(Caller::background(TenantId::fresh()), 1, "passage");
        assert!(order.pop(false).is_none());
        assert_eq!(order.pop(true).unwrap().waiter, "passage");
    }

    #[test]
    fn work_costlier_than_expected_is_charged_later() {
        let [cheat, honest] = tenants();
        let mut order = Order::default();
        for _ in 0..100 {
            order.push(cheat, 10, "cheat");
            order.push(honest, 40, "honest");
        }
        let mut honest_first = 0;
        while honest_first < 50 {
            let served = order.pop(true).unwrap();
            match served.waiter {
                "cheat" => order.correct(served.caller, 30),
                _ => honest_first += 1,
            }
        }
        let cheats = 200 - 50 - order.len();
        assert!((45..=55).contains(&cheats), "{cheats} at four times the stated cost against 50");
    }

    #[test]
    fn removed_and_served_waiters_leave_nothing() {
        let callers: [Caller; 20] = tenants();
        let mut order = Order::default();
        let tickets: Vec<_> =
            callers.iter().chain(&callers).map(|caller| (*caller, order.push(*caller, 5, "x"))).collect();
        for (caller, ticket) in tickets.iter().skip(1) {
            order.remove(*caller, *ticket);
        }
        assert_eq!((order.len(), order.interactive.flows.len()), (1, 1));
        assert!(order.pop(true).is_some());
        // A waiter that got its place is not removed twice.
        let (caller, ticket) = tickets[0];
        order.push(caller, 5, "y");
        order.remove(caller, ticket);
        assert_eq!(drain(&mut order), ["y"]);
        assert_eq!((order.len(), order.interactive.flows.len()), (0, 0));
    }
}
