//! Sitemap discovery and parsing.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use parlance_crawl::pace::{Pace, Room};
use parlance_crawl::robots::Robots;
use parlance_crawl::scope::Scope;
use parlance_crawl::sitemap::{MAX_FILES, discover};

use crate::site::{Reply, Site, open_fetcher, url};

fn map(pages: &[&str]) -> String {
    let pages: String =
        pages.iter().map(|page| format!("<url><loc>{page}</loc><priority>1</priority></url>")).collect();
    format!(
        "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{pages}</urlset>"
    )
}

fn index(maps: &[String]) -> String {
    let maps: String = maps.iter().map(|map| format!("<sitemap><loc>{map}</loc></sitemap>")).collect();
    format!("<sitemapindex>{maps}</sitemapindex>")
}

/// Counts turns and rooms, and never waits.
#[derive(Default)]
pub(crate) struct Turns {
    taken: AtomicUsize,
    pauses: Mutex<Vec<Duration>>,
    /// Held by each room.
    pub(crate) rooms: Arc<()>,
}

#[async_trait]
impl Pace for Turns {
    async fn wait(&self, _url: &url::Url) {
        self.taken.fetch_add(1, Ordering::SeqCst);
    }

    async fn slow_down(&self, _url: &url::Url, pause: Duration) {
        self.pauses.lock().unwrap().push(pause);
    }

    async fn room(&self) -> Room {
        Arc::clone(&self.rooms) as Room
    }
}

async fn found(site: &Site, robots: &Robots, limit: usize) -> Vec<String> {
    let root = site.url("/help");
    let scope = Scope::new(&root, true);
    let pages = discover(&open_fetcher(), &Turns::default(), robots, &root, &scope, limit).await;
    pages.iter().map(|page| page.path().to_owned() + page.query().map_or("", |_| "?")).collect()
}

#[tokio::test]
async fn the_default_location_is_used_when_robots_lists_none() {
    let site = Site::start(|_| {
        Reply::typed(
            "application/xml",
            "\u{feff}\n<?xml version='1.0' encoding='UTF-8'?><!-- c --><urlset xmlns:image='http://x/'>
             <url><loc> /help/a?x=1&amp;y=&#50; </loc><image:image><image:loc>/help/i</image:loc></image:image></url>
             <url><loc><![CDATA[/help/b]]></loc></url><url><loc>/help/b#again</loc></url><url><loc>/other</loc></url>
             <url><loc>/help/logo.png</loc></url><url><loc>https://evil.example/help/x</loc></url>
             <url><loc></loc></url><url><LOC>/help/c</LOC></url><url><loc>http://</loc></url><url/>
             <url><loc>/help/d</loc></wrong></url><url><loc>/help/cut",
        )
    })
    .await;
    assert_eq!(found(&site, &Robots::allow_all(), 100).await, ["/help/a?", "/help/b", "/help/c", "/help/d"]);
    assert_eq!(site.paths(), ["/sitemap.xml"]);
    assert_eq!(found(&site, &Robots::allow_all(), 2).await.len(), 2);
    let none = Robots::parse(b"User-agent: *\nDisallow: /sitemap");
    assert!(found(&site, &none, 100).await.is_empty());
}

#[tokio::test]
async fn indexes_are_followed_one_level_and_ten_files() {
    let site = Site::start(|path| match path {
        "/index.xml" => Reply::page(index(&(0..30).map(|n| format!("/m{n}.xml")).collect::<Vec<_>>())),
        "/m0.xml" => Reply::page(index(&["/deeper.xml".into()])),
        "/m1.xml" => Reply::status(500),
        "/m2.xml" => Reply::page("<<<"),
        "/deeper.xml" => Reply::page(map(&["/help/deeper"])),
        path => Reply::page(map(&[&format!("/help{path}")])),
    })
    .await;
    let robots = Robots::parse(format!("Sitemap: {0}\nSitemap: {0}", site.url("/index.xml")).as_bytes());
    let pages = found(&site, &robots, 100).await;
    assert_eq!(site.connections(), MAX_FILES);
    assert_eq!((pages.len(), pages[0].as_str()), (MAX_FILES - 4, "/help/m3.xml"));
}

#[tokio::test]
async fn gzipped_and_plain_sitemaps_are_read_within_limits() {
    let gzip = |text: &str, zeros: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        (0..zeros).for_each(|_| encoder.write_all(&[b' '; 1 << 20]).unwrap());
        encoder.finish().unwrap()
    };
    let (good, bomb) =
        (gzip(&map(&["https://example.com/help/gz"]), 0), gzip(&map(&["https://example.com/help/bomb"]), 64));
    let cut = gzip(&map(&["https://example.com/help/before"]), 1)[..120].to_vec();
    let site = Site::start(move |path| match path {
        "/a.xml.gz" => Reply::typed("application/gzip", good.clone()),
        "/bomb.xml.gz" => Reply::typed("application/gzip", bomb.clone()),
        "/cut.xml.gz" => Reply::typed("application/gzip", cut.clone()),
        _ => Reply::typed("text/plain", "\u{feff}junk\r\nhttp://example.com/help/text\r\n\nftp://x/\n"),
    })
    .await;
    let maps = ["/a.xml.gz", "/bomb.xml.gz", "/cut.xml.gz", "/list.txt"]
        .map(|path| format!("Sitemap: {}\n", site.url(path)));
    let (robots, root) = (Robots::parse(maps.concat().as_bytes()), url("https://example.com/help"));
    let pages =
        discover(&open_fetcher(), &Turns::default(), &robots, &root, &Scope::new(&root, true), 100).await;
    let wanted =
        ["https://example.com/help/gz", "https://example.com/help/bomb", "http://example.com/help/text"];
    assert_eq!(pages.iter().map(url::Url::as_str).collect::<Vec<_>>(), wanted);
    assert_eq!(site.connections(), 4);
}

#[tokio::test]
async fn sitemaps_at_forbidden_urls_are_not_fetched() {
    let trap = Site::trap().await;
    let port = trap.port();
    let inner = format!("http://[::1]:{port}/inner.xml");
    let site = Site::start(move |path| match path {
        "/ok.xml" => Reply::page(map(&["/help/a"])),
        "/index.xml" => Reply::page(index(std::slice::from_ref(&inner))),
        _ => Reply::redirect(format!("http://127.0.0.2:{port}/")),
    })
    .await;
    let robots = format!(
        "Sitemap: http://127.0.0.2:{port}/s.xml\nSitemap: file:///etc/passwd\nSitemap: http://169.254.169.254/\n\
         Sitemap: {}\nSitemap: {}\nSitemap: {}\n",
        site.url("/away.xml"),
        site.url("/index.xml"),
        site.url("/ok.xml")
    );
    assert_eq!(found(&site, &Robots::parse(robots.as_bytes()), 100).await, ["/help/a"]);
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn an_unreachable_site_has_no_sitemap_pages() {
    let root = url("http://127.0.0.1:1/");
    let pages = discover(
        &open_fetcher(),
        &Turns::default(),
        &Robots::allow_all(),
        &root,
        &Scope::new(&root, true),
        10,
    )
    .await;
    assert!(pages.is_empty());
}

#[tokio::test]
async fn a_busy_site_is_asked_once_more_in_its_turn() {
    let times = AtomicUsize::new(0);
    let site = Site::start(move |path| match (path, times.fetch_add(1, Ordering::SeqCst)) {
        ("/sitemap.xml", 0) => Reply::Full(429, vec![("Retry-After", "7".into())], vec![]),
        ("/sitemap.xml", _) => Reply::page(map(&["/help/a"])),
        _ => Reply::status(404),
    })
    .await;
    let (root, turns) = (site.url("/help"), Turns::default());
    let scope = Scope::new(&root, true);
    let pages = discover(&open_fetcher(), &turns, &Robots::allow_all(), &root, &scope, 10).await;
    assert_eq!(pages.len(), 1);
    assert_eq!(turns.taken.load(Ordering::SeqCst), 2);
    assert_eq!(*turns.pauses.lock().unwrap(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn an_index_at_its_usual_place_is_found() {
    let site = Site::start(|path| match path {
        "/sitemap_index.xml" => Reply::page(index(&["/pages.xml".into()])),
        "/pages.xml" => Reply::page(map(&["/help/a"])),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(found(&site, &Robots::allow_all(), 10).await, ["/help/a"]);
}

#[tokio::test]
async fn feeds_are_sitemaps_too() {
    let site = Site::start(|path| match path {
        "/sitemap.xml" => Reply::page(
            "<rss><channel><link>/help/home</link><item><link>/help/a</link><guid>/help/x</guid></item></channel></rss>\
             <feed><link href='/help/y'/><entry><link href='/help/b'/><link rel='self' href='/help/z'/>\
             </entry></feed>",
        ),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(found(&site, &Robots::allow_all(), 10).await, ["/help/a", "/help/b"]);
}
