//! Batches concurrent calls of a process into few statements.
//!
//! While one statement runs, further calls queue, and the next statement executes all of them as one batch. A call
//! without concurrent calls does not wait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as FairMutex, oneshot};

use crate::error::Result;

/// Queued calls, with requests `Q` and results `A`.
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
    /// Waits for a batch that another call executes, or executes `serve` for all queued calls. `serve` gets the
    /// requests and returns their results in the same order; it may omit results at the end. `None`: this call's result
    /// was omitted, or the call that executed the batch failed or was dropped.
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
            // A dropped receiver is a cancelled call.
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
        assert_eq!(next.unwrap(), Some(4), "the next call succeeds");
    }
}
