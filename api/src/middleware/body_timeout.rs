//! How long a body may take: it ends when it comes too slowly, and what a refused request still sends is read on, for a
//! while.
//!
//! A server that answers early and closes a connection with unread bytes makes the peer's system
//! throw the answer away (RFC 9112 §9.6); many clients send a whole body before they look for one. So
//! the rest of a body is read aside and forgotten, up to a bound, after the answer is on its way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use poem::http::header;
use poem::{Body, Request};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

/// How much is read at most.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// How long it is read at most.
const MOST_TIME: Duration = Duration::from_secs(10);

/// How long a body may take to begin, and to pause once.
const GRACE: Duration = Duration::from_secs(10);

/// How fast it must come beside that, in bytes a second: a slow line has more, and who holds memory and a connection for
/// as long as they can has less.
const LEAST_RATE: f64 = 1024.0;

type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// Makes the request's body one whose rest is read when it is dropped.
pub(crate) fn over(request: &mut Request) {
    let body = request.take_body();
    if body.is_empty() {
        return request.set_body(body);
    }
    // Who waits for "100 Continue" sends nothing before the body is asked for, and after a refusal
    // never will.
    let begun = !request.headers().contains_key(header::EXPECT);
    let rest = Some(body.into_bytes_stream().boxed());
    request.set_body(Body::from_bytes_stream(Lingering { rest, begun, late: None, read: 0 }));
}

struct Lingering {
    rest: Option<Chunks>,
    begun: bool,
    /// When it has taken too long, and since when it is read.
    late: Option<(Instant, Pin<Box<Sleep>>)>,
    read: usize,
}

impl Lingering {
    /// Whether it comes too slowly; who polls is woken when it does.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let (_, late) =
            self.late.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(GRACE))));
        late.as_mut().poll(cx).is_ready()
    }

    fn came(&mut self, bytes: usize) {
        self.read += bytes;
        if let Some((since, late)) = &mut self.late {
            let allowed = GRACE + Duration::from_secs_f64(self.read as f64 / LEAST_RATE);
            late.as_mut().reset(*since + allowed);
        }
    }
}

impl Stream for Lingering {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.begun = true;
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let next = rest.poll_next_unpin(cx);
        match &next {
            Poll::Ready(None | Some(Err(_))) => self.rest = None,
            Poll::Ready(Some(Ok(chunk))) => self.came(chunk.len()),
            Poll::Pending if self.is_late(cx) => {
                self.rest = None;
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
            Poll::Pending => {}
        }
        next
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let (Some(rest), true, Ok(runtime)) = (self.rest.take(), self.begun, Handle::try_current()) else {
            return;
        };
        runtime.spawn(tokio::time::timeout(MOST_TIME, discard(rest)));
    }
}

async fn discard(mut rest: Chunks) {
    let mut seen = 0;
    while let Some(Ok(chunk)) = rest.next().await {
        seen += chunk.len();
        if seen > MOST_BYTES {
            return;
        }
    }
}
