//! Socket with timeouts for heads, idle connections and blocked writes; see `deadline.rs`.
//!
//! A body's minimum rate is `middleware/body_timeout.rs`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::activity::Activity;
use super::deadline::{Progress, Timeouts};

/// A socket that fails with [`io::ErrorKind::TimedOut`] after a deadline. An idle connection is closed gracefully
/// first.
pub(super) struct TimedIo<T> {
    io: T,
    activity: Arc<Activity>,
    timeouts: Timeouts,
    progress: Progress,
    /// Wakes the connection at the deadline or before.
    timer: Pin<Box<Sleep>>,
}

impl<T> TimedIo<T> {
    pub(super) fn new(io: T, activity: Arc<Activity>, timeouts: Timeouts) -> Self {
        let timer = Box::pin(tokio::time::sleep(timeouts.idle));
        Self { io, activity, timeouts, progress: Progress::default(), timer }
    }

    /// Whether a deadline has passed; if not, the task is woken at the next one.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let now = Instant::now();
            let deadline = self.progress.deadline(self.timeouts, self.activity.state(), now);
            if deadline.at <= now {
                if !deadline.is_idle || self.progress.is_closing {
                    return true;
                }
                self.progress.is_closing = true;
                self.activity.idle.notify_one();
                continue;
            }
            // A later deadline does not reset the timer: every request would.
            if deadline.at < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(deadline.at);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return false;
            }
        }
    }

    fn after_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.progress.note_blocked(Instant::now()),
            Poll::Ready(Ok(bytes)) => self.progress.note_written(*bytes, Instant::now()),
            Poll::Ready(Err(_)) => {}
        }
        if written.is_pending() && self.is_late(cx) { timed_out() } else { written }
    }
}

fn timed_out<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}

impl<T: AsyncRead + Unpin> AsyncRead for TimedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if read.is_pending() && self.is_late(cx) {
            return timed_out();
        }
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            let state = self.activity.state();
            self.progress.note_read(bytes, state, Instant::now());
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimedIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.after_write(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        self.after_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
