//! The browser's proxy: the address rules of the fetcher, and its limits.

use std::net::IpAddr;
use std::sync::Arc;

use parlance_crawl::fetcher::{Fetcher, FetcherConfig, ForwardProxy, ProxyLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{FakeDns, Reply, Site, config, open_fetcher};

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

async fn proxy(fetcher: &Fetcher, limits: ProxyLimits) -> ForwardProxy {
    ForwardProxy::start(fetcher, LOCAL, vec![LOCAL], limits).await.unwrap()
}

/// Sends a head and returns the whole response.
async fn send(proxy: &ForwardProxy, head: &str) -> String {
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _broken_off = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(url: &str) -> String {
    format!("GET {url} HTTP/1.1\r\nHost: ignored.example\r\n\r\n")
}

#[tokio::test]
async fn pages_and_tunnels_reach_an_allowed_site() {
    let site = Site::start(|path| Reply::page(format!("page {path}"))).await;
    let proxy = proxy(&open_fetcher(), ProxyLimits::default()).await;
    let page = send(&proxy, &get(&format!("http://{}/a?b", site.address))).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("page /a?b"), "{page}");
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\nGET /in HTTP/1.1\r\n\r\n", site.address);
    let tunnel = send(&proxy, &connect).await;
    assert!(tunnel.starts_with("HTTP/1.1 200") && tunnel.ends_with("page /in"), "{tunnel}");
    assert!(site.heads().iter().all(|head| !head.contains("ignored.example")));
}

#[tokio::test]
async fn a_request_body_reaches_the_site() {
    let site = Site::start(|_| Reply::page("stored")).await;
    let proxy = proxy(&open_fetcher(), ProxyLimits::default()).await;
    let head = format!("POST http://{}/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", site.address);
    assert!(send(&proxy, &head).await.ends_with("stored"));
}

#[tokio::test]
async fn forbidden_addresses_are_not_connected_to() {
    let trap = Site::trap().await;
    let proxy = proxy(&open_fetcher(), ProxyLimits::default()).await;
    let port = trap.port();
    let hosts = ["127.0.0.2", "[::1]", "2130706434", "[::ffff:127.0.0.2]", "0.0.0.0", "u:p@127.0.0.1"];
    for host in hosts {
        for head in
            [get(&format!("http://{host}:{port}/")), format!("CONNECT {host}:{port} HTTP/1.1\r\n\r\n")]
        {
            assert!(!send(&proxy, &head).await.starts_with("HTTP/1.1 200"), "{head}");
        }
    }
    assert_eq!(trap.connections(), 0);
    assert!(proxy.refused() > hosts.len());
}

#[tokio::test]
async fn a_name_with_a_forbidden_address_is_not_connected_to() {
    let trap = Site::trap().await;
    let dns = FakeDns::answering("93.184.216.34 127.0.0.1");
    let closed = FetcherConfig { allow_ports: vec![trap.port()], ..config() };
    let fetcher = Fetcher::with_lookup(closed, Arc::clone(&dns) as _).unwrap();
    let proxy = proxy(&fetcher, ProxyLimits::default()).await;
    let answer = send(&proxy, &format!("CONNECT shop.example:{} HTTP/1.1\r\n\r\n", trap.port())).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!((trap.connections(), dns.lookups()), (0, 1));
}

#[tokio::test]
async fn closed_off_addresses_are_refused_in_allowed_networks() {
    let site = Site::start(|_| Reply::page("devtools")).await;
    let proxy = proxy(&open_fetcher(), ProxyLimits::default()).await;
    proxy.close_off(site.address);
    let own = proxy.address();
    for address in [site.address, own] {
        let answer = send(&proxy, &get(&format!("http://{address}/"))).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    assert_eq!(site.connections(), 0);
}

#[tokio::test]
async fn bytes_and_requests_are_limited_until_renewed() {
    let site = Site::start(|_| Reply::page(vec![b'x'; 400_000])).await;
    let limits = ProxyLimits { bytes: 300_000, requests: 2, ..ProxyLimits::default() };
    let proxy = proxy(&open_fetcher(), limits).await;
    let page = get(&format!("http://{}/", site.address));
    assert!(send(&proxy, &page).await.len() < 310_000);
    assert!(proxy.is_exhausted());
    assert!(send(&proxy, &page).await.len() < 10_000);
    assert!(send(&proxy, &page).await.starts_with("HTTP/1.1 429"));
    proxy.renew();
    assert!(!proxy.is_exhausted());
    assert!(send(&proxy, &page).await.len() > 200_000);
}

#[tokio::test]
async fn other_hosts_are_not_served() {
    let site = Site::start(|_| Reply::page("page")).await;
    let stranger = vec!["127.0.0.9".parse().unwrap()];
    let proxy = ForwardProxy::start(&open_fetcher(), LOCAL, stranger, ProxyLimits::default()).await.unwrap();
    assert_eq!(send(&proxy, &get(&format!("http://{}/", site.address))).await, "");
    assert_eq!(site.connections(), 0);
}

#[tokio::test]
async fn a_dropped_proxy_ends_its_connections() {
    let site = Site::start(|_| Reply::Stall(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let proxy = proxy(&open_fetcher(), ProxyLimits::default()).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(get(&format!("http://{}/", site.address)).as_bytes()).await.unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    drop(proxy);
    let mut rest = Vec::new();
    let _broken_off = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 100);
}
