//! Hostile URLs must cause neither a lookup nor a connection.

use std::sync::Arc;

use parlance_crawl::fetcher::{FetchError, Fetcher, FetcherConfig, Refusal};
use url::Url;

use crate::site::{FakeDns, Site, config, open_fetcher, url};

/// `{}` is replaced by the trap's port, which is allowed.
const HOSTILE: &[&str] = &[
    // Loopback in many notations.
    "http://127.0.0.1:{}/",
    "https://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://127.0.1:{}/",
    "http://127.255.255.254:{}/",
    "http://127.0.0.1.:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0x7F.0.0.0x1:{}/",
    "http://0x7f.1:{}/",
    "http://017700000001:{}/",
    "http://0177.0.0.1:{}/",
    "http://0177.0.0.01:{}/",
    "http://127.0.0.0x1.:{}/",
    "http://0:{}/",
    "http://0.0.0.0:{}/",
    "http://0.0.0.1:{}/",
    "http://00000000:{}/",
    "http://１２７.０.０.１:{}/",
    "http://①②⑦.⓪.⓪.①:{}/",
    "http://127。0。0。1:{}/",
    "http://１２７．１:{}/",
    "http://%31%32%37.0.0.1:{}/",
    "http://127.0.0.%31:{}/",
    "http://[::1]:{}/",
    "http://[0:0:0:0:0:0:0:1]:{}/",
    "http://[::]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[::FFFF:0:127.0.0.1]:{}/",
    "http://[::127.0.0.1]:{}/",
    "http://[64:ff9b::127.0.0.1]:{}/",
    "http://[64:ff9b:1::7f00:1]:{}/",
    "http://[2002:7f00:1::]:{}/",
    "http://[2001:0:7f00:1::]:{}/",
    "http://[fe80::5efe:7f00:1]:{}/",
    "http://[2a00:1450::5efe:7f00:1]:{}/",
    "http://[fe80::1]:{}/",
    "http://[fe80::1%25lo]:{}/",
    "http://[::1%25lo]:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://localhost.:{}/",
    "http://a.localhost:{}/",
    "http://ⓛocalhost:{}/",
    "http://loc%61lhost:{}/",
    "http://localhost.localdomain:{}/",
    "http://ip6-localhost:{}/",
    // Parser confusion.
    "http:\\\\127.0.0.1:{}\\",
    "http:/127.0.0.1:{}/",
    "http:127.0.0.1:{}/",
    "http:///127.0.0.1:{}/",
    "ht\ttp://127.0.0.1:{}/",
    "http://12\t7.0.\n0.1:{}/",
    " \u{1}http://127.0.0.1:{}/",
    "HTTP://127.0.0.1:{}/",
    "http://example.com@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@example.com/",
    "http://127.0.0.1:{}#@example.com/",
    "http://127.0.0.1:{}?@example.com/",
    "http://@127.0.0.1:{}/",
    "http://user:secret@127.0.0.1:{}/",
    // Private networks and cloud metadata.
    "http://10.0.0.1:{}/",
    "http://172.16.0.1:{}/",
    "http://192.168.1.1:{}/",
    "http://100.64.0.1:{}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://2852039166/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fc00::1]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://metadata.google.internal/",
    "http://METADATA.GOOGLE.INTERNAL./",
    "http://redis/",
    "http://postgres:{}/",
    "http://api.svc.cluster.local/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://224.0.0.1:{}/",
    "http://240.0.0.1:{}/",
    "http://255.255.255.255:{}/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    // Forbidden ports and schemes.
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://8.8.8.8:25/",
    "https://example.com:0/",
    "ftp://127.0.0.1:{}/",
    "gopher://127.0.0.1:{}/_x",
    "ws://127.0.0.1:{}/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "data:text/html,hello",
    "javascript:alert(1)",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "blob:http://127.0.0.1:{}/1",
    "about:blank",
    "http://",
    "http://:80/",
];

/// URLs with credentials and public hosts: the check refuses them, but the bare client would resolve them.
const WITH_CREDENTIALS: &[&str] =
    &["http://user:secret@example.com/", "http://user@example.com/", "http://:secret@example.com/"];

fn tricky(trap: &Site) -> (Vec<String>, FetcherConfig) {
    let port = trap.port().to_string();
    let table = HOSTILE.iter().map(|address| address.replace("{}", &port)).collect();
    (table, FetcherConfig { allow_ports: vec![trap.port()], ..config() })
}

#[tokio::test]
async fn hostile_urls_are_neither_resolved_nor_connected_to() {
    let trap = Site::trap().await;
    let (table, config) = tricky(&trap);
    assert!(table.len() >= 60);
    let dns = FakeDns::answering("127.0.0.1");
    let fetcher = Fetcher::with_lookup(config, Arc::clone(&dns) as _).unwrap();
    for address in table.iter().map(String::as_str).chain(WITH_CREDENTIALS.iter().copied()) {
        // Invalid URLs are refused by the parser.
        let Ok(parsed) = Url::parse(address) else { continue };
        let refusal = fetcher.check(&parsed).expect_err(address);
        assert!(refusal.to_string().ends_with('.'), "{refusal}");
        match fetcher.fetch(&parsed, "*/*").await {
            Err(FetchError::Refused(found)) => assert_eq!(found, refusal, "{address}"),
            other => panic!("{address}: {other:?}"),
        }
    }
    assert_eq!((dns.lookups(), trap.connections()), (0, 0));
}

#[tokio::test]
async fn the_bare_client_connects_to_no_hostile_url() {
    let trap = Site::trap().await;
    let (table, config) = tricky(&trap);
    let dns = FakeDns::answering("127.0.0.1");
    let fetcher = Fetcher::with_lookup(config, Arc::clone(&dns) as _).unwrap();
    for address in &table {
        assert!(fetcher.client().get(address).send().await.is_err(), "{address}");
        assert!(fetcher.client().post(address).body("x").send().await.is_err(), "{address}");
    }
    assert_eq!((dns.lookups(), trap.connections()), (0, 0));
    for address in WITH_CREDENTIALS {
        assert!(fetcher.client().get(*address).send().await.is_err(), "{address}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn the_trap_counts_connections_of_an_unguarded_client() {
    let trap = Site::trap().await;
    let (table, _) = tricky(&trap);
    let _fetcher_installs_the_cryptography = open_fetcher();
    let open =
        reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_millis(300)).build().unwrap();
    let mut reached = 0;
    for address in table.iter().take(48) {
        reached += usize::from(open.get(address).send().await.is_ok());
    }
    assert!(reached >= 20 && trap.connections() >= reached, "{reached}");
}

#[tokio::test]
async fn an_allowed_network_allows_nothing_else() {
    let site = Site::start(|_| crate::site::Reply::page("hello")).await;
    let (fetcher, port) = (open_fetcher(), site.port());
    assert_eq!(fetcher.fetch(&site.url("/"), "*/*").await.unwrap().body.as_ref(), b"hello");
    assert_eq!(fetcher.client().get(site.url("/")).send().await.unwrap().status(), 200);
    for closed in ["127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"] {
        let refusal = fetcher.check(&url(&format!("http://{closed}:{port}/"))).unwrap_err();
        assert!(matches!(refusal, Refusal::Address(_)), "{closed}: {refusal:?}");
    }
    assert_eq!(fetcher.check(&url("http://8.8.8.8:8080/")), Err(Refusal::Port(8080)));
    assert_eq!(fetcher.check(&url("ftp://127.0.0.1/")), Err(Refusal::Scheme("ftp".into())));
    assert_eq!(fetcher.check(&url("http://a:b@127.0.0.1/")), Err(Refusal::Credentials));
}

#[test]
fn public_urls_pass_the_check() {
    let fetcher = Fetcher::new(FetcherConfig { allow_ports: vec![8443], ..config() }).unwrap();
    for address in [
        "https://example.com/",
        "http://example.com:80/a?b#c",
        "https://example.com:443",
        "http://example.com:443/",
        "https://example.com.:8443/",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://bücher.example/",
        "https://notlocalhost.com/",
        "https://internal.example.com/",
        "https://mylocal.org/",
    ] {
        assert_eq!(fetcher.check(&url(address)), Ok(()), "{address}");
    }
}

#[tokio::test]
async fn requests_carry_the_user_agent_but_no_referer() {
    let site = Site::start(|path| match path {
        "/" => crate::site::Reply::Full(
            302,
            vec![("Location", "/b".into()), ("Set-Cookie", "a=b".into())],
            vec![],
        ),
        _ => crate::site::Reply::page("hello"),
    })
    .await;
    let config = FetcherConfig {
        user_agent: parlance_crawl::fetcher::user_agent(Some("https://example.com/bot\r\nX-Evil: 1")),
        ..crate::site::open_config()
    };
    let fetcher = Fetcher::new(config).unwrap();
    fetcher.fetch(&site.url("/"), "text/html").await.unwrap();
    fetcher.client().get(site.url("/")).send().await.unwrap();
    let wanted = format!("ParlanceBot/{} (+https://example.com/botX-Evil: 1)", env!("CARGO_PKG_VERSION"));
    assert_eq!(site.heads().len(), 4);
    for head in site.heads().iter().map(|head| head.to_ascii_lowercase()) {
        assert!(head.contains(&format!("user-agent: {}\r\n", wanted.to_ascii_lowercase())), "{head}");
        assert!(!head.contains("referer") && !head.contains("authorization"), "{head}");
        // Cookies are sent only within the redirects of their fetch.
        assert!(!head.contains("cookie") || head.starts_with("get /b"), "{head}");
        assert!(!head.contains("\nx-evil") && !head.contains("zstd"), "{head}");
    }
}
