//! Response bodies: compression, size limits and timeouts.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use parlance_crawl::fetcher::{FetchError, Fetcher, FetcherConfig};
use parlance_crawl::pace::{Pace, Room, SMALL_BODY};
use tokio::sync::Notify;
use url::Url;

use crate::proxies::run_alone;
use crate::site::{Reply, Site, open_config, open_fetcher};
use crate::sitemap::Turns;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn compressed_bodies_are_decompressed() {
    let site = Site::start(|path| {
        let (coding, body) = match path {
            "/gzip" => ("gzip", gzip(b"hello ", 1000)),
            "/br" => ("br", brotli(b"hello ", 1000)),
            _ => ("deflate", deflate(b"hello ", 1000)),
        };
        Reply::Full(200, vec![("Content-Encoding", coding.into())], body)
    })
    .await;
    for path in ["/gzip", "/br", "/deflate"] {
        let fetched = open_fetcher().fetch(&site.url(path), "*/*").await.unwrap();
        assert_eq!(fetched.body.as_ref(), b"hello ".repeat(1000), "{path}");
    }
}

#[test]
fn a_decompression_bomb_is_refused_with_little_memory() {
    // In a separate process, to measure its memory alone.
    run_alone("bodies::decompression_bomb_subprocess", &[]);
}

#[tokio::test]
#[ignore = "run by the previous test in a separate process"]
async fn decompression_bomb_subprocess() {
    let (zeros, times) = (vec![0; MIB], 256);
    let bombs =
        [("gzip", gzip(&zeros, times)), ("br", brotli(&zeros, times)), ("deflate", deflate(&zeros, times))];
    for (coding, bomb) in bombs {
        assert!(bomb.len() < MIB, "{coding}: {} bytes stand for 256 MiB", bomb.len());
        let site =
            Site::start(move |_| Reply::Full(200, vec![("Content-Encoding", coding.into())], bomb.clone()))
                .await;
        let before = peak_memory();
        let error = open_fetcher().fetch(&site.url("/"), "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit: MIB }), "{coding}: {error:?}");
        assert!(!error.is_transient());
        let grown = peak_memory() - before;
        assert!(grown < 48 * MIB, "{coding}: {grown} bytes more");
    }
}

#[tokio::test]
async fn a_large_body_holds_its_room_until_it_is_dropped() {
    let site = Site::start(|path| {
        let size = if path == "/small" { SMALL_BODY } else { 2 * SMALL_BODY };
        Reply::Full(200, Vec::new(), vec![b'x'; size])
    })
    .await;
    let fetcher = Fetcher::new(FetcherConfig { max_bytes: 3 * MIB, ..open_config() }).unwrap();
    let turns = Turns::default();
    let rooms = || Arc::strong_count(&turns.rooms) - 1;
    let small = fetcher.fetch_with_room(&site.url("/small"), "*/*", &turns).await.fetched.unwrap();
    assert_eq!((small.body.len(), rooms()), (SMALL_BODY, 0));
    let large = fetcher.fetch_with_room(&site.url("/large"), "*/*", &turns).await.fetched.unwrap();
    let other = large.clone();
    drop(large);
    assert_eq!((other.body.len(), rooms()), (2 * SMALL_BODY, 1));
    drop(other);
    assert_eq!(rooms(), 0);
}

/// Gives rooms when it is told to.
#[derive(Default)]
struct Gate {
    is_awaited: Notify,
    open: Notify,
}

#[async_trait]
impl Pace for Gate {
    async fn wait(&self, _url: &Url) {}

    async fn slow_down(&self, _url: &Url, _pause: Duration) {}

    async fn room(&self) -> Room {
        self.is_awaited.notify_one();
        self.open.notified().await;
        Arc::new(())
    }
}

#[tokio::test]
async fn waiting_for_room_is_no_time_of_the_site() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let site = Site::start(|path| match path {
        "/silent" => Reply::Stall(vec![]),
        _ => Reply::page(vec![b'x'; 2 * SMALL_BODY]),
    })
    .await;
    let config = FetcherConfig { max_bytes: 3 * MIB, page_timeout: TIMEOUT, ..open_config() };
    let fetcher = Fetcher::new(config).unwrap();
    let gate = Gate::default();
    let (large, silent) = (site.url("/large"), site.url("/silent"));
    let later = async {
        gate.is_awaited.notified().await;
        // Begins after the large page, so that the time limit of both has passed.
        let silent = fetcher.fetch(&silent, "*/*").await;
        gate.open.notify_one();
        silent
    };
    let (timed, silent) = tokio::join!(fetcher.fetch_with_room(&large, "*/*", &gate), later);
    assert!(matches!(silent, Err(FetchError::Timeout)), "{silent:?}");
    assert_eq!(timed.fetched.unwrap().body.len(), 2 * SMALL_BODY);
    assert!(timed.took < TIMEOUT, "{:?}", timed.took);
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_at_once() {
    let site =
        Site::start(|_| Reply::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".to_vec()))
            .await;
    let started = Instant::now();
    let error = open_fetcher().fetch(&site.url("/"), "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn the_body_limit_is_inclusive() {
    let site = Site::start(|path| Reply::page(vec![b'x'; path[1..].parse().unwrap()])).await;
    let fetcher = open_fetcher();
    assert_eq!(fetcher.fetch(&site.url(&format!("/{MIB}")), "*/*").await.unwrap().body.len(), MIB);
    let error = fetcher.fetch(&site.url(&format!("/{}", MIB + 1)), "*/*").await.unwrap_err();
    assert_eq!(error.code(), "too_large");
}

#[tokio::test]
async fn the_timeout_covers_the_whole_fetch() {
    let site = Site::start(|path| match path {
        "/silent" => Reply::Stall(vec![]),
        "/head" => Reply::Drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec()),
        "/body" => Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec()),
        "/endless" => Reply::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        _ => Reply::redirect("/silent"),
    })
    .await;
    let fetcher =
        Fetcher::new(FetcherConfig { page_timeout: Duration::from_millis(400), ..open_config() }).unwrap();
    for path in ["/silent", "/head", "/body", "/endless", "/redirect"] {
        let started = Instant::now();
        let error = fetcher.fetch(&site.url(path), "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::Timeout), "{path}: {error:?}");
        assert!(error.is_transient() && started.elapsed() < Duration::from_secs(2), "{path}");
    }
}

#[tokio::test]
async fn error_responses_keep_their_headers() {
    let site = Site::start(|path| match path {
        "/busy" => Reply::Full(
            429,
            vec![
                ("Retry-After", "120".into()),
                ("X-Robots-Tag", "noindex".into()),
                ("X-Robots-Tag", "nofollow".into()),
            ],
            b"later".to_vec(),
        ),
        "/challenge" => Reply::Full(403, vec![("Cf-Mitigated", "challenge".into())], vec![b'x'; 2 * MIB]),
        _ => Reply::status(404),
    })
    .await;
    let fetcher = open_fetcher();
    let busy = fetcher.fetch(&site.url("/busy"), "*/*").await.unwrap();
    assert_eq!((busy.status, busy.retry_after), (429, Some(Duration::from_secs(120))));
    assert_eq!(
        (busy.x_robots_tag.as_slice(), busy.body.as_ref()),
        (["noindex".to_owned(), "nofollow".to_owned()].as_slice(), &b"later"[..])
    );
    let challenge = fetcher.fetch(&site.url("/challenge"), "*/*").await.unwrap();
    assert_eq!((challenge.body.len(), challenge.mitigated.as_deref()), (256 * 1024, Some("challenge")));
    assert_eq!(fetcher.fetch(&site.url("/gone"), "*/*").await.unwrap().status, 404);
}

#[tokio::test]
async fn broken_responses_and_refused_connections_differ() {
    let site = Site::start(|path| match path {
        "/short" => {
            Reply::Full(200, vec![("Content-Encoding", "gzip".into())], gzip(b"hello", 999)[..20].to_vec())
        }
        _ => Reply::Stall(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
    })
    .await;
    for path in ["/short", "/ssh"] {
        let error = open_fetcher().fetch(&site.url(path), "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::Broken(_)), "{path}: {error:?}");
    }
    let closed = crate::site::url("http://127.0.0.1:1/");
    let error = open_fetcher().fetch(&closed, "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)) && error.is_transient(), "{error:?}");
}

fn gzip(piece: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(piece).unwrap());
    encoder.finish().unwrap()
}

fn deflate(piece: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(piece).unwrap());
    encoder.finish().unwrap()
}

fn brotli(piece: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 1, 22);
    (0..times).for_each(|_| encoder.write_all(piece).unwrap());
    encoder.into_inner()
}

/// Peak resident memory of this process, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn a_refresh_header_names_the_next_page() {
    for (value, next) in [
        ("0; url=/next#top", Some("/next")),
        ("5;URL='/next?a=b'", Some("/next?a=b")),
        ("1, /next", Some("/next")),
        ("60; url=/next", None),
        ("0; url=/page", None),
        ("0", None),
        ("soon; url=/next", None),
        ("0; url=", None),
    ] {
        let site =
            Site::start(move |_| Reply::Full(200, vec![("Refresh", value.to_owned())], b"wait".to_vec()))
                .await;
        let fetched = open_fetcher().fetch(&site.url("/page"), "*/*").await.unwrap();
        assert_eq!(fetched.refresh, next.map(|path| site.url(path)), "{value}");
    }
}
