//! Gathers concurrent calls of a process into few statements.
//!
//! While one statement runs, further calls wait, and the next statement serves all of them. The busier the process, the
//! cheaper a call; a lone call does not wait.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as FairMutex, oneshot};

use crate::error::{Error, Part, Result};

/// Waiting calls, with requests `Q` and answers `A`.
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
    /// Waits for the answer of a statement that another call runs, or runs `serve` for all waiting calls. `serve` gets
    /// their requests and returns an answer for each, in the same order; the last requests may remain without one.
    /// `None`: there were too few. `within`: the maximum time of `serve`; a connection that hangs would otherwise stop
    /// all calls of the process.
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
            // A receiver is dropped only with its worker.
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
        assert_eq!(next.unwrap(), Some(4), "the next call is served");
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
