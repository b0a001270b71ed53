//! Spider with the guarded client: a hostile site cannot make it reach forbidden addresses.

use std::time::Duration;

use parlance_crawl::fetcher::{Fetcher, FetcherConfig};

use crate::site::{Reply, Site, open_fetcher};

/// A site whose pages point to internal addresses: by links, redirects, canonicals, frames, images,
/// refreshes, robots.txt and sitemaps.
async fn hostile_site(trap_port: u16) -> Site {
    let inside = [
        format!("http://127.0.0.2:{trap_port}"),
        format!("http://[::1]:{trap_port}"),
        format!("http://localhost:{trap_port}"),
        format!("http://2130706434:{trap_port}"),
        format!("http://user:secret@127.0.0.2:{trap_port}"),
        format!("http://[::ffff:127.0.0.2]:{trap_port}"),
        format!("http://0.0.0.0:{trap_port}"),
        format!("https://127.0.0.2:{trap_port}"),
    ];
    Site::start(move |path| {
        let target = &inside[path.len() % inside.len()];
        match path {
            "/robots.txt" => Reply::typed(
                "text/plain",
                format!("User-agent: *\nAllow: /\nSitemap: {target}/sitemap.xml\nSitemap: {}/s.xml", inside[0]),
            ),
            "/sitemap.xml" => {
                let pages: String = inside.iter().map(|at| format!("<url><loc>{at}/map</loc></url>")).collect();
                Reply::typed("application/xml", format!("<urlset>{pages}<url><loc>/mapped</loc></url></urlset>"))
            }
            path if path.starts_with("/away") => Reply::redirect(format!("{target}/redirected")),
            _ => {
                let links: String = inside.iter().map(|at| format!("<a href='{at}/link'>x</a>")).collect();
                let aways: String = (0..9).map(|n| format!("<a href='/away{}'>y</a>", "x".repeat(n))).collect();
                Reply::page(format!(
                    "<html><head><link rel=canonical href='{target}/c'><meta http-equiv=refresh content='0;url={target}/m'>
                     <link rel=stylesheet href='{target}/s.css'><script src='{target}/s.js'></script></head><body>
                     {links}{aways}<a href='/second'>s</a><iframe src='{target}/f'></iframe><img src='{target}/i.png'></body>"
                ))
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_site_leads_spider_to_no_internal_address() {
    let trap = Site::trap().await;
    let site = hostile_site(trap.port()).await;
    for seed in ["/", "/away", "/second"] {
        let mut website = parlance_crawl::spider::website(&open_fetcher(), &site.url(seed), 50);
        website
            .with_subdomains(true)
            .with_tld(true)
            .with_external_domains(Some(
                ["*".to_owned(), "127.0.0.2".to_owned(), "localhost".to_owned()].into_iter(),
            ))
            .with_sitemap(Some("sitemap.xml"))
            .with_request_timeout(Some(Duration::from_secs(2)))
            .with_crawl_timeout(Some(Duration::from_secs(20)));
        website.crawl().await;
        website.crawl_sitemap().await;
    }
    let paths = site.paths();
    for wanted in ["/robots.txt", "/second", "/away", "/sitemap.xml"] {
        assert!(paths.iter().any(|path| path == wanted), "{wanted} of {paths:?}");
    }
    assert_eq!(trap.connections(), 0);
    for head in site.heads() {
        assert!(head.to_ascii_lowercase().contains("user-agent: parlancebot/"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_root_is_not_crawled() {
    let trap = Site::trap().await;
    let fetcher =
        Fetcher::new(FetcherConfig { allow_ports: vec![trap.port()], ..crate::site::config() }).unwrap();
    for root in ["http://127.0.0.1", "http://[::1]", "http://localhost", "http://0.0.0.0"] {
        let root = crate::site::url(&format!("{root}:{}/", trap.port()));
        let mut website = parlance_crawl::spider::website(&fetcher, &root, 5);
        website.with_crawl_timeout(Some(Duration::from_secs(10)));
        website.crawl().await;
        website.scrape().await;
    }
    assert_eq!(trap.connections(), 0);
}
