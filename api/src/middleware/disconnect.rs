//! TCP acceptor that detects client disconnects immediately and disables Nagle's algorithm.
//!
//! hyper ends a connection when it reads its end; poem's server then awaits the ended connection once more, and
//! the response's stream would stay open until its next write fails: half a minute with heartbeats, forever without.
//! Here, the end of the input makes the next flush fail, which ends the connection. A client that closes its
//! sending half but still reads is cut off, which is hyper's default.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use poem::http::uri::Scheme;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Accepts [`Connection`]s.
pub(crate) struct DisconnectAcceptor(pub(crate) TcpAcceptor);

impl Acceptor for DisconnectAcceptor {
    type Io = Connection<<TcpAcceptor as Acceptor>::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (io, local, remote, scheme) = self.0.accept().await?;
        // Otherwise each streamed delta waits 40 ms for the acknowledgement of the one before.
        io.set_nodelay(true)?;
        Ok((Connection { io, is_disconnected: false }, local, remote, scheme))
    }
}

/// A connection that knows whether its client has disconnected.
pub(crate) struct Connection<T> {
    io: T,
    is_disconnected: bool,
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (room, before) = (buffer.remaining(), buffer.filled().len());
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && room > 0 && buffer.filled().len() == before {
            self.is_disconnected = true;
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_disconnected {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
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
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use poem::listener::TcpAcceptor;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_connection_sends_small_writes_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = DisconnectAcceptor(TcpAcceptor::from_tokio(listener).unwrap());
        let (accepted, connected) = tokio::join!(acceptor.accept(), TcpStream::connect(address));
        assert!(accepted.unwrap().0.io.nodelay().unwrap());
        drop(connected);
    }
}
