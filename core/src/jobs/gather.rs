//! Batches concurrent calls of a process into few statements.
//!
//! While one statement runs, further calls queue, and the next statement executes all of them as one batch. A call
//! without concurrent calls does not wait.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as FairMutex, oneshot};

use crate::error::{Error, Part, Result};

/// Queued calls, with requests `Q` and results `A`.
#[derive(Debug)]
pub(super) struct Gather<Q, A> {
    waiting: Mutex<Vec<Waiting<Q, A>>>,
    turn: FairMutex<()>,
}

/// A waiting call: its request, and where its answer goes.
type Waiting<Q, A> = (Q, oneshot::Sender<Option<A>>);

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: FairMutex::default() }
    }
}

impl<Q, A> Gather<Q, A> {
    /// Waits for a batch that another call executes, or executes `serve` for all queued calls. `serve` gets the
    /// requests and returns their results in the same order; it may omit results at the end. `None`: this call's result
    /// was omitted. `within`: timeout of `serve`; a connection that hangs would otherwise stop all calls of the process.
    ///
    /// # Errors
    /// When `serve` fails or takes too long, for all of its calls: also when it was another call's, and when that call
    /// was dropped.
    pub(super) async fn call(
        &self,
        request: Q,
        within: Duration,
        serve: impl AsyncFnOnce(Vec<Q>) -> Result<Vec<A>>,
    ) -> Result<Option<A>> {
        let (sender, mut receiver) = oneshot::channel();
        self.waiting().push((request, sender));
        let _turn = self.turn.lock().await;
        match receiver.try_recv() {
            Ok(answer) => return Ok(answer),
            Err(oneshot::error::TryRecvError::Closed) => {
                return Err(Error::unavailable(Part::Postgres, "the statement for several calls failed"));
            }
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let (requests, senders): (Vec<Q>, Vec<_>) = std::mem::take(&mut *self.waiting()).into_iter().unzip();
        let served = tokio::time::timeout(within, serve(requests)).await;
        let mut answers = served.map_err(|late| Error::unavailable(Part::Postgres, late))??.into_iter();
        for sender in senders {
            // A dropped receiver is a cancelled call.
            let _dropped = sender.send(answers.next());
        }
        Ok(receiver.try_recv().ok().flatten())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<Q, A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;

    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn calls_during_a_statement_share_the_next_one() {
        let (gather, statements) = (Gather::<u32, u32>::default(), Cell::new(0));
        let double = async |requests: Vec<u32>| {
            statements.set(statements.get() + 1);
            tokio::task::yield_now().await;
            Ok(requests.into_iter().map(|request| request * 2).collect())
        };
        let answers = join_all((0..50).map(|request| gather.call(request, LONG, double))).await;
        let answers: Vec<u32> = answers.into_iter().filter_map(|answer| answer.unwrap()).collect();
        assert_eq!(answers, (0..50).map(|request| request * 2).collect::<Vec<_>>());
        assert!(statements.get() <= 2, "{} statements", statements.get());
    }

    #[tokio::test]
    async fn a_failed_statement_fails_all_of_its_calls() {
        let gather = Gather::<u32, u32>::default();
        let fail = async |_: Vec<u32>| {
            tokio::task::yield_now().await;
            Err(Error::unavailable(Part::Postgres, "down"))
        };
        let answers = join_all((0..3).map(|request| gather.call(request, LONG, fail))).await;
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        let next = gather.call(4, LONG, async |requests| Ok(requests)).await;
        assert_eq!(next.unwrap(), Some(4), "the next call succeeds");
    }

    #[tokio::test]
    async fn a_statement_that_hangs_stops_no_later_call() {
        let gather = Gather::<u32, u32>::default();
        let hang = async |_: Vec<u32>| std::future::pending().await;
        let answers = join_all((0..3).map(|request| gather.call(request, Duration::ZERO, hang))).await;
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        let next = gather.call(4, LONG, async |requests| Ok(requests)).await;
        assert_eq!(next.unwrap(), Some(4));
    }

    #[tokio::test]
    async fn calls_without_an_answer_get_none() {
        let gather = Gather::<u32, u32>::default();
        let first = async |requests: Vec<u32>| Ok(requests.into_iter().take(1).collect());
        let answers = join_all((0..3).map(|request| gather.call(request, LONG, first))).await;
        let answered = answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count();
        assert!(answered >= 1 && answers.iter().all(Result::is_ok), "{answers:?}");
    }
}
