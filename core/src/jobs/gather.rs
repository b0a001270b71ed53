//! Gathers concurrent calls of a process into few statements.
//!
//! While one statement runs, further calls wait, and the next statement serves all of them. The busier the process, the
//! cheaper a call; a lone call does not wait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as FairMutex, oneshot};

use crate::error::Result;

/// Waiting calls, with requests `Q` and answers `A`.
#[derive(Debug)]
pub(super) struct Gather<Q, A> {
    waiting: Mutex<Vec<(Q, oneshot::Sender<A>)>>,
    turn: FairMutex<()>,
}

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: FairMutex::default() }
    }
}

impl<Q, A> Gather<Q, A> {
    /// Waits for the answer of a statement that another call runs, or runs `serve` for all waiting calls. `serve` gets
    /// their requests and returns an answer for each, in the same order; the last requests may remain without one.
    /// `None`: no answer, because there were too few, or because the other call failed or was dropped.
    ///
    /// # Errors
    /// When this call's `serve` fails.
    pub(super) async fn call(
        &self,
        request: Q,
        serve: impl AsyncFnOnce(Vec<Q>) -> Result<Vec<A>>,
    ) -> Result<Option<A>> {
        let (sender, mut receiver) = oneshot::channel();
        self.waiting().push((request, sender));
        let _turn = self.turn.lock().await;
        match receiver.try_recv() {
            Ok(answer) => return Ok(Some(answer)),
            Err(oneshot::error::TryRecvError::Closed) => return Ok(None),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let (requests, senders): (Vec<Q>, Vec<_>) = std::mem::take(&mut *self.waiting()).into_iter().unzip();
        for (sender, answer) in senders.into_iter().zip(serve(requests).await?) {
            // A receiver is dropped only with its worker.
            let _dropped = sender.send(answer);
        }
        Ok(receiver.try_recv().ok())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Q, oneshot::Sender<A>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;
    use crate::error::{Error, Part};

    #[tokio::test]
    async fn calls_during_a_statement_share_the_next_one() {
        let (gather, statements) = (Gather::<u32, u32>::default(), Cell::new(0));
        let double = async |requests: Vec<u32>| {
            statements.set(statements.get() + 1);
            tokio::task::yield_now().await;
            Ok(requests.into_iter().map(|request| request * 2).collect())
        };
        let answers = join_all((0..50).map(|request| gather.call(request, double))).await;
        let answers: Vec<u32> = answers.into_iter().filter_map(|answer| answer.unwrap()).collect();
        assert_eq!(answers, (0..50).map(|request| request * 2).collect::<Vec<_>>());
        assert!(statements.get() <= 2, "{} statements", statements.get());
    }

    #[tokio::test]
    async fn a_failed_statement_answers_none_of_its_calls() {
        let gather = Gather::<u32, u32>::default();
        let fail = async |_: Vec<u32>| {
            tokio::task::yield_now().await;
            Err(Error::unavailable(Part::Postgres, "down"))
        };
        let answers = join_all((0..3).map(|request| gather.call(request, fail))).await;
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!((failed, answers.iter().filter(|answer| matches!(answer, Ok(None))).count()), (1, 2));
        let next = gather.call(4, async |requests| Ok(requests)).await;
        assert_eq!(next.unwrap(), Some(4), "the next call is served");
    }
}
