//! Requests in progress on a connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

/// State of a connection, shared by its socket and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    /// Notified once when the connection has been idle for too long.
    pub(super) idle: Notify,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Requests in progress: the response is being made, or the rest of the request's body is on its way. A response
    /// that is a single piece ends when hyper has taken it, before it is sent.
    pub(super) in_progress: usize,
    /// Number of requests begun since the connection was accepted.
    pub(super) begun: u64,
    /// When the last request ended, or the connection was accepted.
    pub(super) idle_since: Instant,
}

/// A request in progress, until the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct RequestInProgress(#[expect(dead_code, reason = "counted by its drop")] Arc<Counted>);

#[derive(Debug)]
struct Counted(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let state = State { in_progress: 0, begun: 0, idle_since: Instant::now() };
        Arc::new(Self { state: Mutex::new(state), idle: Notify::new() })
    }

    pub(super) fn begin(self: &Arc<Self>) -> RequestInProgress {
        let mut state = self.locked();
        state.in_progress += 1;
        state.begun += 1;
        drop(state);
        RequestInProgress(Arc::new(Counted(Arc::clone(self))))
    }

    pub(super) fn state(&self) -> State {
        *self.locked()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.0.locked();
        state.in_progress -= 1;
        state.idle_since = Instant::now();
    }
}

/// A response's body, which ends its request.
pub(super) struct ResponseBody<B> {
    pub(super) body: B,
    /// `None` at the end.
    pub(super) request: Option<RequestInProgress>,
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.request = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
