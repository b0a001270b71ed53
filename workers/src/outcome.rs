//! Outcome of a failed attempt, decided in this one place. Pure.

use parlance_core::Error;
use parlance_core::jobs::{Claim, Failure, Outcome, backoff};
use parlance_core::platform::config::Jobs;

/// Reason for stopping a running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// A user cancelled it.
    Requested,
    /// Its lease expired or passed to another worker.
    LeaseLost,
    /// The process is shutting down.
    Shutdown,
}

/// Decides the outcome of an attempt that failed with `error`. `None` means the lease is lost and nothing may
/// be written. `chance` is a random number in `0.0..1.0`, for the jitter.
#[must_use]
pub fn decide(
    error: &Error,
    cause: Option<StopCause>,
    claim: &Claim,
    config: &Jobs,
    chance: f64,
) -> Option<Outcome> {
    let retry = |retry_after, failure| {
        let attempt = u32::try_from(claim.attempt).unwrap_or(1);
        if claim.attempt >= claim.max_attempts {
            return Outcome::Abandon(failure);
        }
        Outcome::Retry(
            backoff::pause(config.backoff_base, config.backoff_cap, attempt, retry_after, chance),
            failure,
        )
    };
    match (error, cause) {
        (Error::LeaseLost, _) | (Error::Cancelled, Some(StopCause::LeaseLost)) => None,
        (Error::Cancelled, Some(StopCause::Shutdown)) => Some(Outcome::Release),
        // A job that cancels itself found its subject deleted.
        (Error::Cancelled | Error::NotFound(_), _) => Some(Outcome::Cancelled),
        (Error::Rejected { code, message }, _) => {
            Some(Outcome::Abandon(Failure::new(*code, message.clone())))
        }
        // A retry would reach the same limit.
        (Error::LimitReached(limit), _) => {
            let message = format!("{}. {}.", limit.problem(), limit.remedy());
            Some(Outcome::Abandon(Failure::new(limit.code(), message)))
        }
        (Error::Unavailable { part, retry_after, .. }, _) => {
            let failure = Failure::new("unavailable", format!("{part} did not answer."));
            Some(retry(*retry_after, failure))
        }
        (Error::Contended(_), _) => {
            Some(retry(None, Failure::new("data_busy", "Other requests were changing the same data.")))
        }
        _ => Some(retry(None, Failure::new("internal_error", "An internal error; it has been logged."))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlance_core::error::{Limit, Part};
    use parlance_core::ids::{JobId, LeaseToken, TenantId};
    use parlance_core::jobs::{About, Kind};

    use super::*;

    fn claim(attempt: i32) -> Claim {
        Claim {
            id: JobId::fresh(),
            kind: Kind::Embed,
            about: About { tenant: TenantId::fresh(), bot: None, source: None, parent: None },
            payload: serde_json::Value::Null,
            attempt,
            max_attempts: 5,
            deadline_at: Default::default(),
            lease: LeaseToken::fresh(),
            trace_context: None,
        }
    }

    fn outcome(error: &Error, cause: Option<StopCause>, attempt: i32) -> &'static str {
        match decide(error, cause, &claim(attempt), &Jobs::default(), 0.5) {
            None => "nothing",
            Some(Outcome::Retry(..)) => "retry",
            Some(Outcome::Abandon(_)) => "abandon",
            Some(Outcome::Cancelled) => "cancelled",
            Some(Outcome::Release) => "release",
        }
    }

    #[test]
    fn every_error_maps_to_an_outcome() {
        let down = || Error::unavailable(Part::Embedding, "down");
        let surprise = || Error::internal("x", "y");
        for (error, cause, attempt, expected) in [
            (down(), None, 1, "retry"),
            (down(), None, 5, "abandon"),
            (Error::Contended("locked".into()), None, 1, "retry"),
            (surprise(), None, 4, "retry"),
            (surprise(), None, 5, "abandon"),
            (Error::rejected("empty", "It is empty."), None, 1, "abandon"),
            (Error::LimitReached(Limit::Storage), None, 1, "abandon"),
            (Error::Cancelled, None, 1, "cancelled"),
            (Error::Cancelled, Some(StopCause::Requested), 1, "cancelled"),
            (Error::Cancelled, Some(StopCause::Shutdown), 5, "release"),
            (Error::Cancelled, Some(StopCause::LeaseLost), 1, "nothing"),
            (Error::LeaseLost, None, 1, "nothing"),
        ] {
            assert_eq!(outcome(&error, cause, attempt), expected, "{error} {cause:?} {attempt}");
        }
    }

    #[test]
    fn retry_after_of_the_provider_is_honoured() {
        let requested = Duration::from_secs(77);
        let error =
            Error::Unavailable { part: Part::Embedding, retry_after: Some(requested), source: "busy".into() };
        match decide(&error, None, &claim(1), &Jobs::default(), 0.5) {
            Some(Outcome::Retry(after, _)) => assert_eq!(after, requested),
            other => panic!("{other:?}"),
        }
    }
}
