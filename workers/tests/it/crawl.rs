//! Web crawls: extracted pages, skipped pages with reasons, retries and crash recovery.

use std::time::Duration;

use parlance_core::ids::{BotId, SourceId};
use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::crawl::{self, PageState, SitePage};
use parlance_core::knowledge::{self, Source, SourceRequest, Status};
use parlance_core::{Error, PageRequest};
use parlance_testing::{Builder, Page, Site, TestApp, TestEmbedder};

pub(crate) async fn start_app() -> TestApp {
    Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .start()
        .await
}

pub(crate) fn site(bot: BotId, url: &str, max_pages: Option<i64>) -> SourceRequest {
    let max = max_pages.map(|pages| pages.try_into().unwrap());
    let site = knowledge::Site::new(url.parse().unwrap(), max_pages.is_some(), max);
    SourceRequest { bot, original: knowledge::Original::of_site(site) }
}

pub(crate) async fn add(app: &TestApp, bot: BotId, url: &str, most: Option<i64>) -> SourceId {
    knowledge::add(&app.ctx, app.tenant, site(bot, url, most)).await.unwrap().source.id
}

pub(crate) async fn source(app: &TestApp, source: SourceId) -> Source {
    knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap()
}

pub(crate) async fn pages(app: &TestApp, source: SourceId) -> Vec<SitePage> {
    let first = PageRequest::largest(1);
    crawl::list_pages(&app.ctx, app.tenant, source, first).await.unwrap().items
}

/// Runs the crawl and all follow-up jobs in this process.
pub(crate) async fn finish(app: &TestApp) {
    for kind in [Kind::Scrape, Kind::Chunk, Kind::Embed, Kind::Purge] {
        while app.step(kind).await.is_some() {}
    }
}

pub(crate) fn outcomes<'a>(pages: &'a [SitePage], site: &Site) -> Vec<(&'a str, PageState, Option<&'a str>)> {
    pages
        .iter()
        .map(|page| {
            (page.url.strip_prefix(&*site.url).unwrap_or(&page.url), page.state, page.reason.as_deref())
        })
        .collect()
}

pub(crate) fn article(matter: &str, links: &str) -> Page {
    let body = format!(
        "<h1>{matter}</h1><p>Whoever asks about {matter} is told all there is to know about {matter}, \
         in as many words as a page of some length has, so that nobody has to ask a second time.</p>{links}"
    );
    Page::html(matter, &body)
}

#[tokio::test]
async fn every_page_below_the_root_has_an_outcome() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let links = "<a href='/help/returns'>Returns</a> <a href='/help/returns#top'>again</a> \
        <a href='/about'>elsewhere</a> <a href='https://other.example/'>far</a> <a href='/help/gone'>gone</a> \
        <a href='/help/secret/plan'>secret</a> <a href='/help/closed'>closed</a> <a href='/help/film'>film</a>";
    site.set("/robots.txt", Page::of("text/plain", "User-agent: *\nDisallow: /help/secret\n"))
        .set("/help", article("help", links))
        .set("/help/returns", article("returns", "<a href='/help/copy'>copy</a>"))
        .set("/help/copy", article("returns", "<a href='/help/copy'>copy</a>"))
        .set("/help/closed", Page::status(403))
        .set("/help/film", Page::of("video/mp4", "film"));
    let id = add(&app, bot, &format!("{}/help", site.url), Some(10)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    use PageState::{Failed, Fetched, Skipped};
    assert_eq!(
        outcomes(&pages, &site),
        [
            ("/help", Fetched, None),
            ("/help/returns", Fetched, None),
            ("/help/gone", Failed, Some("http_404")),
            ("/help/secret/plan", Skipped, Some("robots")),
            ("/help/closed", Failed, Some("blocked_by_site")),
            ("/help/film", Skipped, Some("unsupported_type")),
            ("/help/copy", Skipped, Some("duplicate")),
        ]
    );
    assert!(
        !site.requests().iter().any(|path| path == "/about" || path.contains("secret")),
        "{:?}",
        site.requests()
    );
    assert!(site.header_values("user-agent").iter().all(|agent| agent.starts_with("ParlanceBot/")));
    let source = source(&app, id).await;
    assert_eq!((source.status, source.chunk_count), (Status::Ready, Some(2)));
    let text = knowledge::get(&app.ctx, app.tenant, id).await.unwrap().content.unwrap();
    assert!(text.contains("all there is to know about returns"), "{text}");
    for chrome in ["Login", "All rights reserved"] {
        assert!(!text.contains(chrome), "{text}");
    }
    assert_eq!(pages[1].chunks, 1);
    app.end().await;
}

#[tokio::test]
async fn an_unreadable_site_fails_with_a_reason() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    site.set("/blocked", Page::status(403))
        .set("/empty", Page::html("Empty", ""))
        .set("/inward", Page::redirect("http://10.0.0.1/"))
        .set("/film", Page::of("video/mp4", "film"));
    for (path, code) in [
        ("/gone", "unreachable"),
        ("/blocked", "blocked_by_site"),
        ("/empty", "empty"),
        ("/inward", "address_refused"),
        ("/film", "unsupported_type"),
    ] {
        let id = add(&app, bot, &format!("{}{path}", site.url), None).await;
        finish(&app).await;
        let source = source(&app, id).await;
        assert_eq!((source.status, source.error_code.as_deref()), (Status::Failed, Some(code)), "{path}");
        assert!(source.error_message.unwrap().starts_with("No page could be read. "));
    }
    app.end().await;
}

#[tokio::test]
async fn a_forbidden_url_is_refused_on_creation() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let bot = app.create_bot(app.tenant).await;
    for url in [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest",
        "http://me:secret@example.com/",
        "http://a:22/",
    ] {
        match knowledge::add(&app.ctx, app.tenant, site(bot, url, None)).await {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, "url", "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_transient_page_failure_is_retried() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    site.set("/", article("patience", "").failing(503, 1));
    let id = add(&app, bot, &site.url, None).await;
    finish(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready);
    assert_eq!(site.request_count("/"), 2);
    app.end().await;
}

#[tokio::test]
async fn a_crawl_resumes_after_its_worker_dies() {
    let (mut app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let links: String = (0..5).map(|page| format!("<a href='/{page}'>{page}</a>")).collect();
    site.set("/", article("the root", &links));
    for page in 0..5 {
        let delay = if page == 2 { Duration::from_secs(5) } else { Duration::ZERO };
        site.set(&format!("/{page}"), article(&format!("matter {page}"), "").after(delay));
    }
    app.start_workers();
    let id = add(&app, bot, &site.url, Some(10)).await;
    app.eventually("the third page is requested", async || (site.request_count("/2") == 1).then_some(()))
        .await;
    app.kill_workers().await;
    site.set("/2", article("matter 2", ""));
    app.start_workers();
    assert_eq!(app.settled(id).await["status"], "ready");
    let requests: Vec<usize> = ["/", "/0", "/1", "/2", "/3"].map(|path| site.request_count(path)).into();
    assert_eq!(requests, [1, 1, 1, 2, 1], "only the interrupted page is fetched again");
    assert_eq!(pages(&app, id).await.iter().filter(|page| page.state == PageState::Fetched).count(), 6);
    app.end().await;
}

#[tokio::test]
async fn a_cancelled_crawl_stops_mid_page_and_can_be_retried() {
    let (mut app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    site.set("/", article("slowness", "").after(Duration::from_secs(10)));
    app.start_workers();
    let id = add(&app, bot, &site.url, None).await;
    let job = source(&app, id).await.job_id.unwrap();
    app.eventually("the page is requested", async || (site.request_count("/") == 1).then_some(())).await;
    knowledge::cancel_job(&app.ctx, app.tenant, job).await.unwrap();
    let ended = async || (app.count(Kind::Scrape, State::Cancelled).await == 1).then_some(());
    tokio::time::timeout(Duration::from_secs(5), app.eventually("the crawl stops", ended)).await.unwrap();
    assert_eq!(source(&app, id).await.status, Status::Cancelled);
    site.set("/", article("slowness", ""));
    // The time limit of a crawl applies per attempt, not since its first start.
    app.execute("update job set started_at = now() - interval '1 hour'").await;
    knowledge::retry_job(&app.ctx, app.tenant, job).await.unwrap();
    assert_eq!(app.settled(id).await["status"], "ready");
    app.end().await;
}

#[tokio::test]
async fn a_refresh_keeps_the_old_version_and_embeds_only_changes() {
    let embedder = TestEmbedder::default();
    let app = Builder::default()
        .embedder(embedder.clone())
        .configure(|config| config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .start()
        .await;
    let site = Site::start().await;
    let bot = app.create_bot(app.tenant).await;
    site.set("/", article("the root", "<a href='/a'>a</a><a href='/b'>b</a>"))
        .set("/a", article("apples", ""))
        .set("/b", article("bananas", ""));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    let first = source(&app, id).await;
    assert_eq!((first.chunk_count, first.reused_chunks), (Some(3), Some(0)));
    let embedded = embedder.passages().len();
    site.set("/b", article("cherries", ""));
    let begun = knowledge::refresh(&app.ctx, app.tenant, id).await.unwrap();
    assert_eq!((begun.version, begun.status), (2, Status::Queued));
    app.step(Kind::Scrape).await.unwrap();
    let content = async || knowledge::get(&app.ctx, app.tenant, id).await.unwrap().content.unwrap();
    assert!(content().await.contains("bananas"), "the old version answers");
    finish(&app).await;
    assert!(content().await.contains("cherries") && !content().await.contains("bananas"));
    let second = source(&app, id).await;
    assert_eq!((second.status, second.reused_chunks), (Status::Ready, Some(2)));
    assert_eq!(embedder.passages().len(), embedded + 1, "only the changed page is embedded");
    assert_eq!(app.count_of("select count(*) from chunk where content like '%bananas%'").await, 0);
    assert_eq!(app.count_of("select count(*) from source_page where version = 1").await, 0);
    app.end().await;
}

#[tokio::test]
async fn max_pages_limits_the_crawl_and_is_reported() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let links: String = (0..30).map(|page| format!("<a href='/{page}'>{page}</a>")).collect();
    site.set("/", article("the root", &links));
    for page in 0..30 {
        site.set(&format!("/{page}"), article(&format!("matter {page}"), ""));
    }
    let id = add(&app, bot, &site.url, Some(4)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    assert_eq!(pages.iter().filter(|page| page.state == PageState::Fetched).count(), 4);
    assert!(pages.iter().skip(4).all(|page| page.reason.as_deref() == Some("max_pages")));
    let read = site.requests().iter().filter(|path| !path.contains("sitemap")).count();
    assert_eq!(read, 5, "four pages and robots.txt");
    assert_eq!(site.requests().len(), 7, "the site map is asked for which pages matter");
    app.end().await;
}

#[tokio::test]
async fn sitemap_pages_and_pdfs_are_crawled() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let map = format!(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{}/hidden</loc></url></urlset>",
        site.url
    );
    site.set("/", article("the root", "<a href='/guide.pdf'>Guide</a>"))
        .set(
            "/guide.pdf",
            Page::of("application/pdf", parlance_testing::corpus::pdf(&["The guide tells of badgers."])),
        )
        .set("/sitemap.xml", Page::of("application/xml", map))
        .set("/hidden", article("hidden things", ""));
    let id = add(&app, bot, &site.url, Some(5)).await;
    finish(&app).await;
    let text = knowledge::get(&app.ctx, app.tenant, id).await.unwrap().content.unwrap();
    for part in ["the root", "badgers", "hidden things"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    app.end().await;
}
