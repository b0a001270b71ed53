//! Rendering in the Chromium on the PATH: pages of common frameworks, and hostile pages.

use std::net::UdpSocket;
use std::time::Duration;

use parlance_crawl::browser::{BrowserAddress, RenderError, RenderLimits, Renderer};
use parlance_crawl::fetcher::{Fetcher, FetcherConfig};

use crate::browser_pages as pages;
use crate::browser_processes::RunningBrowser;
use crate::site::{Site, config, open_fetcher};

pub(crate) fn limits() -> RenderLimits {
    RenderLimits {
        settle: Duration::from_secs(3),
        scroll: Duration::from_secs(8),
        // Several browsers share few cores.
        navigation: Duration::from_secs(60),
        page: Duration::from_secs(120),
        ..RenderLimits::default()
    }
}

pub(crate) fn renderer(limits: RenderLimits) -> Renderer {
    Renderer::new(&open_fetcher(), chromium(), limits)
}

fn chromium() -> BrowserAddress {
    "chromium".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_made_by_scripts_are_rendered() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(limits());
    for (path, wanted) in pages::FRAMEWORKS {
        let rendered = renderer.render(&site.url(path)).await.unwrap();
        assert_eq!(rendered.status, 200, "{path}");
        assert!(!rendered.html.contains("Enable JavaScript"), "{path}");
        for text in *wanted {
            assert!(rendered.html.contains(text), "{path}: {text} in {}", rendered.html);
        }
    }
    let agents: Vec<_> = site.heads().into_iter().filter(|head| head.starts_with("GET /react")).collect();
    assert!(agents.iter().all(|head| head.contains("ParlanceBot/")), "{agents:?}");
    // All pages used one browser, whose profile caches the script.
    assert_eq!(site.paths().iter().filter(|path| *path == "/shared.js").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infinite_list_is_scrolled_up_to_a_bound() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(limits());
    let rendered = renderer.render(&site.url("/infinite")).await.unwrap();
    assert!(rendered.html.contains("Entry 60<"), "{}", rendered.html);
    let loaded = site.paths().iter().filter(|path| path.starts_with("/more")).count();
    assert!((3..=30).contains(&loaded), "{loaded}");
    let inner = renderer.render(&site.url("/inner-list")).await.unwrap();
    assert!(inner.html.contains("Entry 40<"), "{}", inner.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_never_settles_is_taken_as_it_is() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(limits());
    for path in ["/polling", "/dialogs", "/stalled", "/stream"] {
        let rendered = renderer.render(&site.url(path)).await.unwrap();
        assert!(rendered.html.contains("Opening hours"), "{path}: {}", rendered.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn navigations_report_where_they_ended() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(limits());
    for (path, end) in [("/redirect", "/vue"), ("/location", "/vue"), ("/history", "/pushed")] {
        let rendered = renderer.render(&site.url(path)).await.unwrap();
        assert_eq!(rendered.url.path(), end, "{path}");
    }
    assert_eq!(renderer.render(&site.url("/missing")).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_beyond_a_limit_fail() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(RenderLimits { html: 100_000, page: Duration::from_secs(7), ..limits() });
    let large = renderer.render(&site.url("/large")).await;
    assert!(matches!(large, Err(RenderError::TooLarge { limit: 100_000 })), "{large:?}");
    let endless = renderer.render(&site.url("/endless-loop")).await;
    assert!(matches!(endless, Err(RenderError::Timeout)), "{endless:?}");
    let silent = renderer.render(&site.url("/silent")).await;
    assert!(matches!(silent, Err(RenderError::Timeout | RenderError::Failed(_))), "{silent:?}");
    let download = renderer.render(&site.url("/download")).await;
    assert!(matches!(download, Err(RenderError::Failed(_))), "{download:?}");
    let next = renderer.render(&site.url("/vue")).await.unwrap();
    assert!(next.html.contains("Delivery"), "a failure does not spoil the next page");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_the_memory_limit_is_killed() {
    let site = Site::start(pages::answer).await;
    let limits = RenderLimits { memory: 400 * 1024 * 1024, ..limits() };
    let memory = renderer(limits).render(&site.url("/memory")).await;
    assert!(matches!(memory, Err(RenderError::Memory)), "{memory:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_reaches_a_forbidden_address() {
    let trap = Site::trap().await;
    let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let (tcp_port, udp_port) = (trap.port(), udp.local_addr().unwrap().port());
    let site = Site::start(move |path| pages::hostile(path, tcp_port, udp_port)).await;
    let mut renderer = renderer(limits());
    let rendered = renderer.render(&site.url("/hostile")).await.unwrap();
    assert!(rendered.html.contains("All attempts made"), "{}", rendered.html);
    for path in ["/to-forbidden", "/refresh-to-forbidden", "/frames"] {
        let _refused = renderer.render(&site.url(path)).await;
    }
    assert_eq!(trap.connections(), 0);
    let mut packet = [0; 64];
    assert!(udp.recv_from(&mut packet).is_err(), "a packet arrived");
    let open = FetcherConfig { allow_networks: vec!["127.0.0.0/8".parse().unwrap()], ..config() };
    let mut unguarded = Renderer::new(&Fetcher::new(open).unwrap(), chromium(), limits());
    unguarded.render(&site.url("/hostile")).await.unwrap();
    assert!(trap.connections() > 10, "the attempts of the page arrive where they are allowed");
    let direct = renderer.render(&trap.url("/")).await;
    assert!(matches!(direct, Err(RenderError::Refused(_))), "{direct:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_browser_is_joined() {
    let site = Site::start(pages::answer).await;
    let trap = Site::trap().await;
    let running = RunningBrowser::start().await;
    let address = format!("http://localhost:{}", running.port).parse().unwrap();
    let mut renderer = Renderer::new(&open_fetcher(), address, limits());
    assert!(renderer.render(&site.url("/vue")).await.unwrap().html.contains("Delivery"));
    let hostile = Site::start({
        let port = trap.port();
        move |path| pages::hostile(path, port, port)
    });
    let _rendered = renderer.render(&hostile.await.url("/hostile")).await;
    assert_eq!(trap.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_browser_is_reported() {
    let site = Site::start(pages::answer).await;
    for address in ["/nonexistent/chromium", "false", "http://127.0.0.1:9"] {
        let mut renderer = Renderer::new(&open_fetcher(), address.parse().unwrap(), limits());
        let failed = renderer.render(&site.url("/vue")).await;
        assert!(matches!(failed, Err(RenderError::Unavailable(_))), "{address}: {failed:?}");
    }
}
