//! Minimum transfer rate of request bodies, and draining of bodies that no handler reads.
//!
//! When a server answers early and closes a connection with unread bytes, the peer's system discards the
//! response (RFC 9112 §9.6); many clients send the whole body before they read. The rest of a body is therefore
//! read and discarded, up to a bound, while the response is sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use poem::http::header;
use poem::{Body, Endpoint, Request, Response, Result};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

use crate::extract::body_account::BodyAccount;
use crate::server::RequestInProgress;

/// Most bytes that are drained.
const MAX_DRAIN_BYTES: usize = 32 * 1024 * 1024;

/// Longest time that draining takes.
const MAX_DRAIN_TIME: Duration = Duration::from_secs(10);

/// Time for a body to begin, and for pauses beyond the minimum rate.
const GRACE: Duration = Duration::from_secs(10);

/// Minimum transfer rate of a body's first [`SHORT`] bytes, in bytes per second: below that of any slow line, and above
/// that of a client that holds a connection for as long as possible.
const MIN_RATE: f64 = 1024.0;

/// Bytes of a body that may come at [`MIN_RATE`]: a minute's worth.
const SHORT: usize = 64 * 1024;

/// Minimum transfer rate of the bytes after, in bytes per second. A long body holds memory: a file of 10 MB has four
/// minutes in all, which an uplink of half a megabit per second reaches; 20 MB of JSON six and a half.
const MIN_RATE_OF_LONG: f64 = 64.0 * 1024.0;

type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// Replaces the request's body by one that has the timeout and is drained on drop, and attaches the account of its
/// memory.
pub(crate) async fn apply<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let body = request.take_body();
    if body.is_empty() {
        request.set_body(body);
    } else {
        // A client that waits for "100 Continue" sends nothing before the body is read, and nothing after a
        // refusal.
        let has_begun = !request.headers().contains_key(header::EXPECT);
        let rest = Some(body.into_bytes_stream().boxed());
        let in_progress = request.data().cloned();
        let body = TimedBody { rest, has_begun, deadline: None, bytes_read: 0, in_progress };
        request.set_body(Body::from_bytes_stream(body));
        request.set_data(BodyAccount::default());
    }
    next.call(request).await
}

struct TimedBody {
    /// `None` at the end, and after an error.
    rest: Option<Chunks>,
    has_begun: bool,
    /// When reading began, and a timer for the current deadline; set by the first pause.
    deadline: Option<(Instant, Pin<Box<Sleep>>)>,
    bytes_read: usize,
    /// The connection counts as idle only after the rest of the body.
    in_progress: Option<RequestInProgress>,
}

impl TimedBody {
    /// Whether the deadline has passed; if not, the task is woken when it does.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let (_, deadline) =
            self.deadline.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(GRACE))));
        deadline.as_mut().poll(cx).is_ready()
    }

    /// Extends the deadline by the time that the bytes take at the minimum rate.
    fn extend_deadline(&mut self, bytes: usize) {
        self.bytes_read += bytes;
        if let Some((since, deadline)) = &mut self.deadline {
            deadline.as_mut().reset(*since + time_allowed(self.bytes_read));
        }
    }
}

/// Time in which a body of at least this many bytes must have arrived.
fn time_allowed(bytes_read: usize) -> Duration {
    let first = bytes_read.min(SHORT) as f64 / MIN_RATE;
    let rest = bytes_read.saturating_sub(SHORT) as f64 / MIN_RATE_OF_LONG;
    GRACE + Duration::from_secs_f64(first + rest)
}

impl Stream for TimedBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.has_begun = true;
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let next = rest.poll_next_unpin(cx);
        match &next {
            Poll::Ready(None | Some(Err(_))) => self.rest = None,
            Poll::Ready(Some(Ok(chunk))) => self.extend_deadline(chunk.len()),
            Poll::Pending if self.is_late(cx) => {
                self.rest = None;
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
            Poll::Pending => {}
        }
        next
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        let (Some(rest), true, Ok(runtime)) = (self.rest.take(), self.has_begun, Handle::try_current())
        else {
            return;
        };
        let in_progress = self.in_progress.take();
        runtime.spawn(async move {
            let _timed_out = tokio::time::timeout(MAX_DRAIN_TIME, drain(rest)).await;
            drop(in_progress);
        });
    }
}

async fn drain(mut rest: Chunks) {
    let mut bytes_read = 0;
    while let Some(Ok(chunk)) = rest.next().await {
        bytes_read += chunk.len();
        if bytes_read > MAX_DRAIN_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_has_minutes_rather_than_hours() {
        for (bytes, seconds) in
            [(0, 10), (1024, 11), (64 * 1024, 74), (10 * 1024 * 1024, 233), (20 * 1024 * 1024, 393)]
        {
            assert_eq!(time_allowed(bytes).as_secs(), seconds, "{bytes}");
        }
    }
}
