//! Pace of crawls: pauses requested by sites, and one pace per host.

use std::time::Duration;

use parlance_core::knowledge::Status;
use parlance_core::knowledge::crawl::PageState;
use parlance_core::platform::pace::Turn;
use parlance_core::{Context, Providers};
use parlance_testing::{Page, Site};

use crate::crawl::{add, article, finish, outcomes, pages, source, start_app};

fn busy(retry_after: &str) -> Page {
    Page::status(429).with("retry-after", retry_after)
}

#[tokio::test]
async fn a_busy_site_is_asked_again_when_it_says() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    // The dates of HTTP are whole seconds: two seconds ahead is at least one.
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(2));
    site.set("/", article("the root", "<a href='/a'>a</a> <a href='/b'>b</a> <a href='/c'>c</a>"))
        .set("/a", article("apples", "").first(busy("1")))
        .set("/b", article("bananas", "").first(busy(&date)))
        .set(
            "/c",
            article("cherries", "")
                .first(busy("soon"))
                .first(busy("0"))
                .first(Page::status(503).with("retry-after", "1")),
        );
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    assert!(pages.iter().all(|page| page.state == PageState::Fetched && page.reason.is_none()), "{pages:?}");
    assert_eq!(["/a", "/b", "/c"].map(|path| site.request_count(path)), [2, 2, 4]);
    let (arrivals, requests) = (site.arrivals(), site.requests());
    let at = |path: &str| {
        let both = requests.iter().zip(&arrivals).filter(|(requested, _)| *requested == path);
        both.map(|(_, at)| *at).collect::<Vec<_>>()
    };
    assert!(at("/a")[1] - at("/a")[0] >= Duration::from_millis(900), "the pause is kept");
    app.end().await;
}

#[tokio::test]
async fn a_site_that_stays_busy_fails_with_its_status() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    site.set("/", article("the root", "<a href='/always'>a</a> <a href='/tomorrow'>b</a>"))
        .set("/always", Page::status(429))
        .set("/tomorrow", busy("86400"));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    use PageState::{Failed, Fetched};
    assert_eq!(
        outcomes(&pages(&app, id).await, &site),
        [
            ("/", Fetched, None),
            ("/always", Failed, Some("http_429")),
            ("/tomorrow", Failed, Some("http_429")),
        ]
    );
    assert_eq!((site.request_count("/always"), site.request_count("/tomorrow")), (5, 1));
    app.end().await;
}

#[tokio::test]
async fn rules_of_a_busy_site_are_asked_for_again() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let rules = Page::of("text/plain", "User-agent: *\nDisallow: /secret\n");
    site.set("/robots.txt", rules.first(busy("1")))
        .set("/", article("the root", "<a href='/secret'>secret</a>"));
    let id = add(&app, bot, &site.url, Some(5)).await;
    finish(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready);
    assert_eq!((site.request_count("/robots.txt"), site.request_count("/secret")), (2, 0));
    app.end().await;
}

#[tokio::test]
async fn two_crawls_of_a_host_share_its_pace() {
    const PAGES: usize = 8;
    let (mut app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    for part in ["/one", "/two"] {
        let links: String = (1..PAGES).map(|page| format!("<a href='{part}/p{page}'>{page}</a>")).collect();
        site.set(part, article(part, &links));
        for page in 1..PAGES {
            site.set(&format!("{part}/p{page}"), article(&format!("matter {page} of {part}"), ""));
        }
    }
    let ids = [
        add(&app, bot, &format!("{}/one", site.url), Some(20)).await,
        add(&app, bot, &format!("{}/two", site.url), Some(20)).await,
    ];
    app.start_workers();
    for id in ids {
        assert_eq!(app.settled(id).await["status"], "ready");
    }
    let (requests, arrivals) = (site.requests(), site.arrivals());
    let first = |part: &str| requests.iter().position(|path| path.starts_with(part)).unwrap();
    let last = |part: &str| requests.iter().rposition(|path| path.starts_with(part)).unwrap();
    assert!(
        first("/two") < last("/one") && first("/one") < last("/two"),
        "they run side by side: {requests:?}"
    );
    let span = arrivals[arrivals.len() - 1] - arrivals[0];
    let gaps = u32::try_from(arrivals.len() - 1).unwrap();
    // Lower bound only: a busy machine may delay the first arrival, but hardly by a fifth of all.
    assert!(span >= Duration::from_millis(80) * gaps, "{gaps} gaps in {span:?}");
    app.end().await;
}

#[tokio::test]
async fn processes_take_turns_at_a_host() {
    let app = start_app().await;
    let other = Context::new(app.ctx.config().clone(), Providers::absent()).unwrap();
    app.ctx.bus().wait_for_connection().await.unwrap();
    other.bus().wait_for_connection().await.unwrap();
    let interval = Duration::from_secs(20);
    let mut turns = Vec::new();
    for _ in 0..2 {
        turns.push(app.ctx.pace().take_turn("example.com", interval).await);
        turns.push(other.pace().take_turn("example.com", interval).await);
    }
    for (turn, least) in turns.iter().zip([0, 15, 35, 55]) {
        assert!(matches!(turn, Turn::In(wait) if wait.as_secs() >= least), "{turns:?}");
    }
    let full = app.ctx.pace().take_turn("example.com", interval).await;
    assert!(matches!(full, Turn::AskAgain(_)), "{full:?}");
    assert_eq!(other.pace().take_turn("example.org", interval).await, Turn::In(Duration::ZERO));
    app.ctx.pace().hold("example.net", Duration::from_secs(30)).await;
    let held = other.pace().take_turn("example.net", interval).await;
    assert!(matches!(held, Turn::In(wait) if wait.as_secs() >= 25), "{held:?}");
    let ttls = app.servers.redis_ttls(&format!("{}.pace.*", app.ctx.config().redis.namespace)).await;
    assert!(ttls.len() == 3 && ttls.iter().all(|ttl| *ttl >= 0), "no turn is kept forever: {ttls:?}");
    other.close().await;
    app.end().await;
}
