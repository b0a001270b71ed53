//! Reads on, for a while, what a refused request still sends.
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

/// How much is read at most.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// How long it is read at most.
const MOST_TIME: Duration = Duration::from_secs(10);

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
    request.set_body(Body::from_bytes_stream(Lingering { rest, begun }));
}

struct Lingering {
    rest: Option<Chunks>,
    begun: bool,
}

impl Stream for Lingering {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.begun = true;
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let next = rest.poll_next_unpin(cx);
        if let Poll::Ready(None | Some(Err(_))) = next {
            self.rest = None;
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
