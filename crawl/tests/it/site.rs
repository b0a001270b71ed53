//! Test doubles: HTTP sites, connection-counting traps and a scripted name lookup.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use parlance_crawl::fetcher::{Fetcher, FetcherConfig, Lookup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Response of a test site.
pub(crate) enum Reply {
    /// Status, headers, body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Raw bytes, then silence with the connection open.
    Stall(Vec<u8>),
    /// Raw bytes, then one byte every 20 ms forever.
    Drip(Vec<u8>),
}

impl Reply {
    pub(crate) fn page(body: impl Into<Vec<u8>>) -> Self {
        Self::typed("text/html; charset=utf-8", body)
    }

    pub(crate) fn typed(media: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Full(200, vec![("Content-Type", media.to_owned())], body.into())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Full(status, vec![], vec![])
    }

    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        Self::Full(302, vec![("Location", to.into())], vec![])
    }
}

/// An HTTP listener that counts connections.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub(crate) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn start_at(
        address: &str,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heads) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let site = Self { address, connections: Arc::clone(&connections), heads: Arc::clone(&heads) };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, heads) = (Arc::clone(&answer), Arc::clone(&heads));
                tokio::spawn(async move { serve(stream, &*answer, &heads).await });
            }
        });
        site
    }

    /// A site on all addresses of this machine, IPv4 and IPv6, so that it counts every connection to its port.
    pub(crate) async fn trap() -> Self {
        Self::start_at("[::]:0", |_| Reply::page("trapped")).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        url(&format!("http://{}{path}", self.address))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The request heads received so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&str) -> Reply + ?Sized),
    heads: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().unwrap().push(head);
    match answer(&path) {
        Reply::Full(status, headers, body) => {
            let mut reply =
                format!("HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| reply.push_str(&format!("{name}: {value}\r\n")));
            reply.push_str("\r\n");
            let _sent = stream.write_all(reply.as_bytes()).await;
            let _sent = stream.write_all(&body).await;
            let _sent = stream.shutdown().await;
        }
        Reply::Stall(bytes) => {
            let _sent = stream.write_all(&bytes).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Reply::Drip(bytes) => {
            let mut sent = stream.write_all(&bytes).await;
            while sent.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
                sent = stream.write_all(b"x").await;
            }
        }
    }
}

/// Name lookup that returns scripted address lists in order, repeats the last one, and counts lookups.
#[derive(Default)]
pub(crate) struct FakeDns {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl FakeDns {
    /// Parses address lists separated by `|`; addresses are separated by spaces.
    pub(crate) fn answering(lists: &str) -> Arc<Self> {
        let list = |list: &str| list.split_whitespace().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(lists.split('|').map(list).collect()), ..Self::default() })
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Lookup for FakeDns {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.front().cloned().unwrap_or_default();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(answer)
    }
}

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The production configuration with short timeouts.
pub(crate) fn config() -> FetcherConfig {
    FetcherConfig {
        connect_timeout: Duration::from_secs(2),
        page_timeout: Duration::from_secs(5),
        max_bytes: 1024 * 1024,
        ..FetcherConfig::default()
    }
}

/// A configuration that allows exactly one local address.
pub(crate) fn open_config() -> FetcherConfig {
    FetcherConfig { allow_networks: vec!["127.0.0.1/32".parse().unwrap()], ..config() }
}

pub(crate) fn open_fetcher() -> Fetcher {
    Fetcher::new(open_config()).unwrap()
}
