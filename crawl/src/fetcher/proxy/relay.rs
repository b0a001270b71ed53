//! Transfer of bytes between a browser and a site, within a budget.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Status;
use super::head::{self, RequestHead};

/// Timeout of an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes copied at a time.
const CHUNK: usize = 16 * 1024;

/// Sends an error response to the browser.
pub(super) async fn refuse(browser: &mut TcpStream, Status(status): Status) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    browser.write_all(head.as_bytes()).await?;
    browser.shutdown().await
}

/// Connects the browser and a site until either side closes or the budget is used up.
pub(super) async fn tunnel(
    browser: &mut TcpStream,
    site: &mut TcpStream,
    early: &[u8],
    budget: &AtomicU64,
) -> io::Result<()> {
    browser.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    spend(budget, early.len())?;
    site.write_all(early).await?;
    let (browser_reads, browser_writes) = browser.split();
    let (site_reads, site_writes) = site.split();
    let up = copy(browser_reads, site_writes, budget);
    let down = copy(site_reads, browser_writes, budget);
    tokio::try_join!(up, down).map(drop)
}

/// Sends one request to a site and its response to the browser.
pub(super) async fn exchange(
    browser: &mut TcpStream,
    site: &mut TcpStream,
    request: &RequestHead,
    budget: &AtomicU64,
) -> io::Result<()> {
    site.write_all(&request.forwarded).await?;
    let early =
        request.rest.get(..usize::try_from(request.body).unwrap_or(usize::MAX)).unwrap_or(&request.rest);
    spend(budget, early.len())?;
    site.write_all(early).await?;
    let missing = request.body - early.len() as u64;
    let (mut browser_reads, mut browser_writes) = browser.split();
    let (mut site_reads, mut site_writes) = site.split();
    let up = async {
        let mut body = (&mut browser_reads).take(missing);
        pump(&mut body, &mut site_writes, budget).await?;
        // Wait for the end of the connection: the browser sends no second request on it.
        let mut more = [0];
        while browser_reads.read(&mut more).await? != 0 {}
        Err::<(), _>(io::ErrorKind::ConnectionAborted.into())
    };
    let down = async {
        let mut buffer = Vec::new();
        loop {
            let response = timeout(IDLE_TIMEOUT, head::read_response(&mut site_reads, &mut buffer)).await??;
            browser_writes.write_all(&response.forwarded).await?;
            if !response.interim {
                break;
            }
        }
        spend(budget, buffer.len())?;
        browser_writes.write_all(&buffer).await?;
        copy(site_reads, browser_writes, budget).await
    };
    tokio::select! {
        ended = up => ended,
        ended = down => ended,
    }
}

/// Copies until the end of the input, then closes the output.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    budget: &AtomicU64,
) -> io::Result<()> {
    pump(&mut from, &mut to, budget).await?;
    to.shutdown().await
}

/// Copies until the end of the input.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    budget: &AtomicU64,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = timeout(IDLE_TIMEOUT, from.read(&mut chunk)).await??;
        if count == 0 {
            return Ok(());
        }
        spend(budget, count)?;
        to.write_all(chunk.get(..count).unwrap_or_default()).await?;
    }
}

fn spend(budget: &AtomicU64, bytes: usize) -> io::Result<()> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    match budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)) {
        Ok(_) => Ok(()),
        Err(_) => {
            budget.store(0, Ordering::Relaxed);
            Err(io::Error::other("the byte limit is reached"))
        }
    }
}
