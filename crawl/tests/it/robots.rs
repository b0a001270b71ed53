//! robots.txt parsing and fetching as in RFC 9309.

use std::time::Duration;

use parlance_crawl::fetcher::FetchError;
use parlance_crawl::robots::{MAX_CRAWL_DELAY, Robots};

use crate::site::{Reply, Site, open_fetcher, url};

/// File, path, and whether the path is allowed.
const TABLE: &[(&str, &str, bool)] = &[
    ("", "/", true),
    ("User-agent: *\nDisallow: /", "/", false),
    ("User-agent: *\nDisallow: /", "/robots.txt", true),
    ("User-agent: *\nDisallow:", "/any", true),
    ("User-agent: *\nDisallow: \nDisallow: /b", "/b", false),
    ("User-agent: *\nDisallow: /a", "/abc/d", false),
    ("User-agent: *\nDisallow: /a/", "/a", true),
    ("User-agent: *\nDisallow: /a", "/A", true),
    // The longest match wins, and Allow on a tie, in any order.
    ("User-agent: *\nDisallow: /\nAllow: /help", "/help/a", true),
    ("User-agent: *\nAllow: /help\nDisallow: /help/secret", "/help/secret/x", false),
    ("User-agent: *\nDisallow: /page\nAllow: /page", "/page", true),
    ("User-agent: *\nAllow: /page\nDisallow: /page", "/page", true),
    ("User-agent: *\nAllow: /p\nDisallow: /", "/page", true),
    ("User-agent: *\nAllow: /folder\nDisallow: /folder/*.html", "/folder/a.html", false),
    // Wildcards and end anchors.
    ("User-agent: *\nDisallow: /*.pdf$", "/docs/a.pdf", false),
    ("User-agent: *\nDisallow: /*.pdf$", "/docs/a.pdf?x", true),
    ("User-agent: *\nDisallow: /a*c", "/abbbcd", false),
    ("User-agent: *\nDisallow: *secret", "/top/secret", false),
    ("User-agent: *\nDisallow: /$", "/", false),
    ("User-agent: *\nDisallow: /$", "/a", true),
    ("User-agent: *\nDisallow: /*?", "/a?b", false),
    ("User-agent: *\nDisallow: /*?", "/a", true),
    ("User-agent: *\nDisallow: /search?q=", "/search?q=x", false),
    // Groups.
    ("User-agent: ParlanceBot\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", true),
    ("User-agent: *\nDisallow: /\n\nUser-agent: parlancebot\nDisallow: /a", "/b", true),
    ("User-agent: ParlanceBot\nDisallow: /a\nUser-agent: ParlanceBot\nDisallow: /b", "/b", false),
    ("User-agent: x\nUser-agent: ParlanceBot\nDisallow: /a", "/a", false),
    ("User-agent: x\n\nUser-agent: ParlanceBot\n\nDisallow: /a", "/a", false),
    ("User-agent: Parlance\nDisallow: /", "/a", true),
    ("User-agent: bot\nDisallow: /", "/a", true),
    ("User-agent: other\nDisallow: /", "/a", true),
    ("Disallow: /", "/a", true),
    (
        "User-agent: other\nDisallow: /a\nSitemap: https://example.com/s.xml\nUser-agent: *\nDisallow: /b",
        "/a",
        true,
    ),
    ("User-agent: ParlanceBot\nSitemap: https://example.com/s.xml\nDisallow: /a", "/a", false),
    // Percent-encoding.
    ("User-agent: *\nDisallow: /caf%C3%A9", "/café", false),
    ("User-agent: *\nDisallow: /café", "/caf%c3%a9", false),
    ("User-agent: *\nDisallow: /%61bc", "/abc", false),
    ("User-agent: *\nDisallow: /a%2Fb", "/a/b", true),
    ("User-agent: *\nDisallow: /a%3cd", "/a%3Cd", false),
    // Syntax variants.
    ("\u{feff}User-agent: *\nDisallow: /a", "/a", false),
    ("USER-AGENT : *\r\nDISALLOW : /a # not here\r\n", "/a", false),
    ("# nothing\nUser-agent: *#all\rDisallow: /a", "/a", false),
    ("<html><body>Not found</body></html>", "/a", true),
];

#[test]
fn rules_follow_the_rfc() {
    let judged = |(text, path, wanted): &&(&str, &str, bool)| {
        Robots::parse(text.as_bytes()).allowed(&url("https://example.com").join(path).unwrap()) != *wanted
    };
    assert_eq!(TABLE.iter().filter(judged).collect::<Vec<_>>(), Vec::<&(&str, &str, bool)>::new());
}

#[test]
fn crawl_delays_are_capped_and_sitemaps_listed() {
    let pause = |text: &str| Robots::parse(text.as_bytes()).crawl_delay();
    assert_eq!(pause("User-agent: *\nCrawl-delay: 2.5"), Some(Duration::from_millis(2500)));
    assert_eq!(pause("User-agent: *\nCrawl-delay: 86400"), Some(MAX_CRAWL_DELAY));
    for text in [
        "",
        "User-agent: *\nCrawl-delay: -1",
        "User-agent: x\nCrawl-delay: 1",
        "User-agent: *\nCrawl-delay: soon",
    ] {
        assert_eq!(pause(text), None, "{text}");
    }
    let robots = Robots::parse(
        b"Sitemap: https://a.example/1.xml\nUser-agent: x\nSitemap: /relative\nsitemap:http://b.example/2",
    );
    assert_eq!(robots.sitemaps(), [url("https://a.example/1.xml"), url("http://b.example/2")]);
}

#[tokio::test]
async fn a_missing_file_allows_and_a_busy_server_disallows() {
    for (status, allowed, reached) in [
        (200, true, true),
        (404, true, true),
        (403, true, true),
        (410, true, true),
        (429, false, false),
        (500, false, false),
        (503, false, false),
    ] {
        let site = Site::start(move |_| Reply::status(status)).await;
        let robots = Robots::fetch(&open_fetcher(), &site.url("/help/page?x#y")).await.unwrap();
        assert_eq!((robots.allowed(&site.url("/a")), robots.reached()), (allowed, reached), "{status}");
        assert_eq!(site.paths(), ["/robots.txt"]);
    }
    let unreachable = Robots::fetch(&open_fetcher(), &url("http://127.0.0.1:1/")).await.unwrap();
    assert!(!unreachable.allowed(&url("http://127.0.0.1:1/")) && !unreachable.reached());
}

#[tokio::test]
async fn five_redirects_of_the_file_are_followed() {
    let rules = "User-agent: *\nDisallow: /a";
    for (last, allowed) in [(5, false), (6, true)] {
        let site = Site::start(move |path| match path.trim_start_matches('/').parse::<u32>() {
            Ok(n) if n == last => Reply::typed("text/plain", rules),
            Ok(n) => Reply::redirect(format!("/{}", n + 1)),
            Err(_) => Reply::redirect("/1"),
        })
        .await;
        let robots = Robots::fetch(&open_fetcher(), &site.url("/")).await.unwrap();
        assert_eq!(robots.allowed(&site.url("/a")), allowed, "{last} redirects");
    }
}

#[tokio::test]
async fn only_the_first_500_kib_of_a_file_count() {
    let body =
        format!("User-agent: *\nDisallow: /early\n{}Disallow: /late\n", "# filler line\n".repeat(100_000));
    let site = Site::start(move |_| Reply::typed("text/plain", body.clone())).await;
    let robots = Robots::fetch(&open_fetcher(), &site.url("/")).await.unwrap();
    assert!(!robots.allowed(&site.url("/early")) && robots.allowed(&site.url("/late")));
}

#[tokio::test]
async fn a_forbidden_redirect_of_the_file_is_refused() {
    let trap = Site::trap().await;
    let target = format!("http://127.0.0.2:{}/robots.txt", trap.port());
    let site = Site::start(move |_| Reply::redirect(target.clone())).await;
    let refused = Robots::fetch(&open_fetcher(), &site.url("/")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Refused(_)), "{refused:?}");
    let refused = Robots::fetch(&open_fetcher(), &url("http://10.0.0.1/")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Refused(_)), "{refused:?}");
    assert_eq!(trap.connections(), 0);
}
