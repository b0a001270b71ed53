//! Notices at once when a client hangs up in the middle of an answer.
//!
//! hyper ends such a connection when it reads the end of what the client sends; poem's server then awaits the
//! ended connection once more, and the answer's stream would live until its next write failed: half a minute with
//! heartbeats, for ever without. So what is read here as the end fails the next flush, and that one ends it for
//! good. A client that sends no more but still listens is cut off, as hyper has it by default.
//!
//! And sends what is written at once, which poem leaves to the kernel's algorithm of 1984.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use poem::http::uri::Scheme;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Accepts connections that notice.
pub(crate) struct Noticing(pub(crate) TcpAcceptor);

impl Acceptor for Noticing {
    type Io = Connection<<TcpAcceptor as Acceptor>::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (io, local, remote, scheme) = self.0.accept().await?;
        // Or a word that follows another would wait for its acknowledgement: forty milliseconds.
        io.set_nodelay(true)?;
        Ok((Connection { io, has_hung_up: false }, local, remote, scheme))
    }
}

/// A connection that knows whether its client has hung up.
pub(crate) struct Connection<T> {
    io: T,
    has_hung_up: bool,
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
            self.has_hung_up = true;
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_hung_up {
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
    async fn a_connection_sends_each_word_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = Noticing(TcpAcceptor::from_tokio(listener).unwrap());
        let (accepted, connected) = tokio::join!(acceptor.accept(), TcpStream::connect(address));
        assert!(accepted.unwrap().0.io.nodelay().unwrap());
        drop(connected);
    }
}
