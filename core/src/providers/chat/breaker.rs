//! Circuit breaker of a model. While it is open, only probes call the model, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use failsafe::backoff::Constant;
use failsafe::failure_policy::ConsecutiveFailures;
use failsafe::{Instrument, StateMachine, backoff, failure_policy};

/// Consecutive failures that open the breaker.
const MAX_FAILURES: u32 = 5;

/// A circuit breaker.
pub(super) struct Breaker {
    machine: StateMachine<ConsecutiveFailures<Constant>, IsOpen>,
    is_open: IsOpen,
    /// Whether a probe is running.
    is_probing: AtomicBool,
}

/// Permission for a caller.
pub(super) enum Permission {
    /// Call the model, and report the result.
    Call,
    /// Start a probe, and report its result; do not wait for it.
    Probe(Probe),
    /// Do not call the model.
    Refused,
}

/// The right to probe. No other probe starts until it is dropped.
pub(super) struct Probe(Arc<Breaker>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.is_probing.store(false, Ordering::SeqCst);
    }
}

/// Whether the breaker is open or half-open.
#[derive(Clone, Default)]
struct IsOpen(Arc<AtomicBool>);

impl Instrument for IsOpen {
    fn on_call_rejected(&self) {}

    fn on_open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn on_half_open(&self) {}

    fn on_closed(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Breaker {
    /// A closed breaker. After [`MAX_FAILURES`] it opens, and a probe is due every `open_for`.
    pub(super) fn new(open_for: Duration) -> Self {
        let is_open = IsOpen::default();
        let policy = failure_policy::consecutive_failures(MAX_FAILURES, backoff::constant(open_for));
        Self {
            machine: StateMachine::new(policy, is_open.clone()),
            is_open,
            is_probing: AtomicBool::new(false),
        }
    }

    /// Whether customers may not call the model.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.0.load(Ordering::SeqCst)
    }

    /// What the caller may do now. At most one probe runs at a time.
    pub(super) fn permission(self: &Arc<Self>) -> Permission {
        if !self.is_open() {
            return Permission::Call;
        }
        if self.machine.is_call_permitted() && !self.is_probing.swap(true, Ordering::SeqCst) {
            return Permission::Probe(Probe(Arc::clone(self)));
        }
        Permission::Refused
    }

    /// Reports a call or a probe that succeeded.
    pub(super) fn on_success(&self) {
        self.machine.on_success();
    }

    /// Reports a call or a probe that failed.
    pub(super) fn on_error(&self) {
        self.machine.on_error();
    }
}
