//! Socket with timeouts for heads, idle connections and blocked writes.
//!
//! A body's minimum rate is `middleware/body_timeout.rs`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::activity::{Activity, State};

/// Time for an idle connection to end after it was asked to: an HTTP/2 client acknowledges.
const FAREWELL: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a request's head, from its first byte.
    pub(super) head: Duration,
    /// Without a request in progress, and for a blocked write.
    pub(super) idle: Duration,
}

/// A socket that fails with [`io::ErrorKind::TimedOut`] after a timeout.
///
/// A head begins with the first byte that is read while no request is in progress. Later requests of an HTTP/2
/// connection are exempt, because such a byte may be of another frame; they have the idle timeout.
pub(super) struct TimedIo<T> {
    io: T,
    activity: Arc<Activity>,
    timeouts: Timeouts,
    head: Option<Head>,
    /// Since when the client takes no more bytes.
    blocked_since: Option<Instant>,
    /// Whether the connection was asked to end because it was idle.
    is_closing: bool,
    /// Wakes the connection at the deadline or before.
    timer: Pin<Box<Sleep>>,
}

/// A head whose first byte has arrived.
#[derive(Clone, Copy)]
struct Head {
    since: Instant,
    /// Requests begun before; once there are more, the head is complete.
    begun: u64,
}

impl<T> TimedIo<T> {
    pub(super) fn new(io: T, activity: Arc<Activity>, timeouts: Timeouts) -> Self {
        let timer = Box::pin(tokio::time::sleep(timeouts.idle));
        Self { io, activity, timeouts, head: None, blocked_since: None, is_closing: false, timer }
    }

    fn note_read(&mut self) {
        let State { in_progress, begun, is_http2, .. } = self.activity.state();
        let is_known = self.head.is_some_and(|head| head.begun == begun);
        if in_progress == 0 && !is_known && !(is_http2 && begun > 0) {
            self.head = Some(Head { since: Instant::now(), begun });
        }
    }

    /// When a head, write or idle connection is late; the last as `true`.
    fn deadline(&self, now: Instant) -> (Instant, bool) {
        let Timeouts { head, idle } = self.timeouts;
        let State { in_progress, begun, idle_since, .. } = self.activity.state();
        let waiting = in_progress == 0;
        let idle_until = if waiting { idle_since } else { now } + idle;
        let idle_until = if self.is_closing { idle_until + FAREWELL } else { idle_until };
        let late_head = self.head.filter(|late| waiting && late.begun == begun).map(|late| late.since + head);
        let late_write = self.blocked_since.map(|since| since + idle);
        match late_head.into_iter().chain(late_write).min() {
            Some(late) if late <= idle_until => (late, false),
            _ => (idle_until, true),
        }
    }

    /// Whether a deadline has passed; if not, the task is woken when one may have.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let now = Instant::now();
            let (deadline, is_idle) = self.deadline(now);
            if deadline <= now {
                if !is_idle || self.is_closing {
                    return true;
                }
                self.is_closing = true;
                self.activity.idle.notify_one();
                continue;
            }
            // A later deadline needs no reset: requests would reset the timer all the time.
            if deadline < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(deadline);
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
        if written.is_ready() {
            self.blocked_since = None;
            return written;
        }
        self.blocked_since.get_or_insert_with(Instant::now);
        if self.is_late(cx) { timed_out() } else { Poll::Pending }
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
        if buffer.filled().len() > before {
            self.note_read();
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

#[cfg(test)]
mod tests {
    use poem::http::Version;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

    fn connection() -> (DuplexStream, TimedIo<DuplexStream>, Arc<Activity>) {
        let (client, server) = tokio::io::duplex(16);
        let activity = Activity::new();
        let io = TimedIo::new(server, Arc::clone(&activity), TIMEOUTS);
        (client, io, activity)
    }

    /// Reads until the timeout; returns the time that passed.
    async fn time_out(io: &mut TimedIo<DuplexStream>) -> Duration {
        let begun = Instant::now();
        loop {
            match io.read_u8().await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return begun.elapsed();
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickled_head_times_out() {
        let (mut client, mut io, _) = connection();
        let trickle = tokio::spawn(async move {
            while client.write_all(b"P").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let waited = time_out(&mut io).await;
        assert_eq!(waited.as_secs(), 10);
        drop(io);
        trickle.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_after_its_timeout() {
        let (_client, mut io, activity) = connection();
        let waited = time_out(&mut io).await;
        assert_eq!(waited, TIMEOUTS.idle + FAREWELL);
        // The connection was asked to end first.
        activity.idle.notified().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_has_no_timeout() {
        let (mut client, mut io, activity) = connection();
        client.write_all(b"GET").await.unwrap();
        io.read_exact(&mut [0; 3]).await.unwrap();
        let request = activity.begin(Version::HTTP_11);
        let hour = Duration::from_secs(60 * 60);
        tokio::time::timeout(hour, time_out(&mut io)).await.unwrap_err();
        drop(request);
        // The next head of the kept connection is timed from its first byte.
        tokio::time::timeout(Duration::from_secs(20), time_out(&mut io)).await.unwrap_err();
        client.write_all(b"G").await.unwrap();
        assert_eq!(time_out(&mut io).await.as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn frames_of_an_http2_connection_are_no_heads() {
        let (mut client, mut io, activity) = connection();
        drop(activity.begin(Version::HTTP_2));
        client.write_all(b"ping").await.unwrap();
        assert!(time_out(&mut io).await >= TIMEOUTS.idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_no_bytes_is_cut_off() {
        let (_client, mut io, activity) = connection();
        let _request = activity.begin(Version::HTTP_11);
        let begun = Instant::now();
        let error = io.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, TIMEOUTS.idle));
    }
}
