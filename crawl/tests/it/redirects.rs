//! Redirect targets are checked like initial URLs.

use std::sync::atomic::{AtomicUsize, Ordering};

use parlance_crawl::fetcher::{FetchError, Fetcher, FetcherConfig};

use crate::site::{FakeDns, Reply, Site, open_config, open_fetcher};

/// One URL per class; `{}` is replaced by the trap's port.
const FORBIDDEN: &[&str] = &[
    "http://127.0.0.2:{}/",
    "http://[::1]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://0.0.0.0:{}/",
    "http://2130706434:{}/",
    "//127.0.0.2:{}/",
    "\\\\127.0.0.2:{}\\",
    "http:\\\\127.0.0.2:{}/",
    "http://１２７.０.０.２:{}/",
    "http://localhost:{}/",
    "https://127.0.0.2:{}/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:2::]/",
    "http://user:secret@127.0.0.1:{}/",
    "http://example.com:22/",
    "ftp://127.0.0.2:{}/",
    "file:///etc/passwd",
    "data:text/html,x",
];

#[tokio::test]
async fn no_redirect_reaches_a_forbidden_address() {
    let trap = Site::trap().await;
    let port = trap.port().to_string();
    for target in FORBIDDEN {
        let target = target.replace("{}", &port);
        let site = Site::start({
            let target = target.clone();
            move |path| Reply::redirect(if path == "/" { "/next".to_owned() } else { target.clone() })
        })
        .await;
        let fetcher = Fetcher::with_lookup(open_config(), FakeDns::answering("8.8.8.8")).unwrap();
        let refused = fetcher.fetch(&site.url("/"), "*/*").await;
        assert!(matches!(refused, Err(FetchError::Refused(_))), "{target}: {refused:?}");
        // For an unknown scheme the bare client returns the redirect response itself.
        let stopped =
            fetcher.client().get(site.url("/")).send().await.map_or(true, |found| found.status() == 302);
        assert!(stopped, "{target}");
        assert_eq!(site.paths(), ["/", "/next", "/", "/next"]);
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn redirects_are_followed_limited_and_reported() {
    let site = Site::start(|path| match path {
        "/a" => Reply::redirect("b?x=1#top"),
        "/b?x=1" => Reply::Full(301, vec![("Location", "/c".into())], b"moved".to_vec()),
        "/c" => Reply::page("here"),
        "/none" => Reply::status(302),
        _ => Reply::redirect("/loop"),
    })
    .await;
    let fetcher = open_fetcher();
    let fetched = fetcher.fetch(&site.url("/a#part"), "text/html").await.unwrap();
    assert_eq!((fetched.url.path(), fetched.status, fetched.body.as_ref()), ("/c", 200, &b"here"[..]));
    assert_eq!(fetched.redirects, [site.url("/b?x=1"), site.url("/c")]);
    assert_eq!(fetched.media_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(fetcher.fetch(&site.url("/none"), "*/*").await.unwrap().status, 302);

    let fetcher = Fetcher::new(FetcherConfig { max_redirects: 3, ..open_config() }).unwrap();
    let before = site.connections();
    let error = fetcher.fetch(&site.url("/loop"), "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects), "{error:?}");
    assert_eq!(site.connections() - before, 4);
    assert!(fetcher.client().get(site.url("/loop")).send().await.is_err());
    assert_eq!(site.connections() - before, 8);
}

#[tokio::test]
async fn a_page_that_starts_redirecting_is_checked_again() {
    // The same path first returns a page and then a redirect to a loopback address.
    let trap = Site::trap().await;
    let (calls, port) = (AtomicUsize::new(0), trap.port());
    let site = Site::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::page("fine"),
        _ => Reply::redirect(format!("http://127.0.0.2:{port}/")),
    })
    .await;
    let fetcher = open_fetcher();
    assert!(fetcher.fetch(&site.url("/"), "*/*").await.is_ok());
    assert!(fetcher.fetch(&site.url("/"), "*/*").await.is_err());
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_redirect_that_sets_a_cookie_gets_it_back() {
    let visits = AtomicUsize::new(0);
    let site = Site::start(move |path| match (path, visits.fetch_add(1, Ordering::SeqCst)) {
        ("/page", 0) => Reply::Full(
            302,
            vec![("Location", "/page".to_owned()), ("Set-Cookie", "seen=yes; Path=/".to_owned())],
            vec![],
        ),
        _ => Reply::page("hours"),
    })
    .await;
    let page = open_fetcher().fetch(&site.url("/page"), "*/*").await.unwrap();
    assert_eq!(&page.body[..], b"hours");
    open_fetcher().fetch(&site.url("/page"), "*/*").await.unwrap();
    let sent: Vec<bool> =
        site.heads().iter().map(|head| head.to_ascii_lowercase().contains("cookie: seen=yes")).collect();
    assert_eq!(sent, [false, true, false]);
}
