//! Waiting crawls: working places, the limit per tenant, very slow sites, and shutdown.

use std::time::Duration;

use futures_util::FutureExt;
use parlance_core::ids::TenantId;
use parlance_core::jobs::{self, Kind, State};
use parlance_core::knowledge::crawl::PageState::{self, Failed, Fetched};
use parlance_core::knowledge::{self, Status};
use parlance_core::platform::config::Config;
use parlance_core::platform::fair_places::Place;
use parlance_crawl::pace::SMALL_BODY;
use parlance_testing::{Builder, Page, Site, TestApp, TestEmbedder};

use crate::crawl::{add, article, finish, outcomes, pages, site as request, source};
use crate::upload;

/// Longer than any test.
const FOREVER: Duration = Duration::from_secs(600);

async fn start_app(change: impl FnOnce(&mut Config) + Send + 'static) -> TestApp {
    let configure = |config: &mut Config| {
        config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.scrape.page_timeout = FOREVER;
        change(config);
    };
    Builder::default().embedder(TestEmbedder::default()).configure(configure).start().await
}

#[tokio::test]
async fn waiting_crawls_delay_no_other_tenant() {
    const MOST: usize = 4;
    let mut app = start_app(|config| {
        config.jobs.concurrency = 1;
        config.jobs.crawls_per_tenant = MOST;
    })
    .await;
    let (slow, quick) = (Site::start().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let (other, _) = app.another_tenant().await;
    let other_bot = app.create_bot(other).await;
    for number in 0..20 {
        slow.set(&format!("/{number}"), article(&format!("matter {number}"), "").held());
        add(&app, bot, &format!("{}/{number}", slow.url), None).await;
    }
    app.start_workers();
    app.eventually("the tenant's crawls wait for their site", async || (slow.held().0 == MOST).then_some(()))
        .await;
    quick.set("/", article("the root", "<a href='/next'>next</a>")).set("/next", article("more", ""));
    let found = knowledge::add(&app.ctx, other, request(other_bot, &quick.url, Some(5))).await.unwrap();
    let uploaded = upload(&app, other, other_bot, "a.txt", "Small and late.").await;
    for id in [found.source.id, uploaded] {
        app.eventually("the other tenant's source is ready", async || {
            let source = knowledge::get_source(&app.ctx, other, id).await.unwrap();
            (source.status == Status::Ready).then_some(())
        })
        .await;
    }
    assert_eq!(slow.held(), (MOST, MOST), "all of them still wait, and no other crawl began");
    assert_eq!(app.count(Kind::Scrape, State::Running).await, 4);
    assert_eq!(app.count(Kind::Scrape, State::Queued).await, 16, "the rest is not even dispatched");
    assert_eq!(app.ctx.extractor().places_in_use(), 0, "no working place is held");
    slow.open();
    let unfinished = "select count(*) from job where state not in ('succeeded', 'failed', 'cancelled')";
    app.eventually("all is done", async || (app.count_of(unfinished).await == 0).then_some(())).await;
    assert_eq!(app.count(Kind::Scrape, State::Succeeded).await, 21);
    assert!(slow.held().1 <= MOST, "never more at once");
    app.end().await;
}

#[tokio::test]
async fn a_tenants_next_crawl_follows_the_one_that_ends() {
    let mut app = start_app(|config| {
        config.jobs.crawls_per_tenant = 1;
        // No sweep dispatches it.
        config.jobs.sweep_interval = FOREVER;
    })
    .await;
    let site = Site::start().await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    for name in ["/first", "/second"] {
        site.set(name, article(name, "").held());
        add(&app, bot, &format!("{}{name}", site.url), None).await;
    }
    app.eventually("one runs, one is queued", async || {
        let queued = app.count(Kind::Scrape, State::Queued).await;
        (site.held().0 == 1 && queued == 1).then_some(())
    })
    .await;
    site.open();
    app.eventually("both are done", async || {
        (app.count(Kind::Scrape, State::Succeeded).await == 2).then_some(())
    })
    .await;
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_dead_slow_site_is_given_up() {
    let app = start_app(|config| {
        // The limit for quick pages allows for a slow machine.
        config.scrape.page_timeout = Duration::from_secs(3);
        config.scrape.slow = Duration::from_secs(3);
        config.scrape.patience = Duration::from_secs(6);
    })
    .await;
    let site = Site::start().await;
    let bot = app.create_bot(app.tenant).await;
    let names: Vec<_> = ('a'..='j').map(|name| format!("/{name}")).collect();
    let links: String = names.iter().map(|name| format!("<a href='{name}'>{name}</a>")).collect();
    site.set("/", article("the root", &links));
    for name in &names {
        site.set(name, article(name, "").held());
    }
    let id = add(&app, bot, &site.url, Some(20)).await;
    finish(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready, "what was read is kept");
    let pages = pages(&app, id).await;
    let count = |state: PageState, reason: Option<&str>| {
        let with = outcomes(&pages, &site);
        with.iter().filter(|(_, is, why)| (*is, *why) == (state, reason)).count()
    };
    assert_eq!(count(Fetched, None), 1);
    assert_eq!(count(Failed, Some("timeout")), 1);
    assert_eq!(count(Failed, Some("site_too_slow")), 9);
    assert_eq!(site.requests().iter().filter(|path| names.contains(path)).count(), 2, "two timeouts");
    app.end().await;
}

/// An article of more than a megabyte, which needs room.
fn large(matter: &str) -> Page {
    article(matter, &format!("<!-- {} -->", "x".repeat(SMALL_BODY)))
}

/// Takes the room for large pages, but for `free` places that are for tenants without any.
async fn fill_rooms(app: &TestApp, free: usize) -> Vec<Place<TenantId>> {
    let (rooms, hog) = (app.ctx.large_pages(), TenantId::fresh());
    let mut held = Vec::new();
    while held.len() + free < rooms.most() {
        // One tenant may hold all that are not spare, and many one each.
        held.push(match rooms.take(hog).now_or_never() {
            Some(place) => place,
            None => rooms.take(TenantId::fresh()).await,
        });
    }
    held
}

#[tokio::test]
async fn a_site_is_not_charged_for_full_rooms() {
    let mut app = start_app(|config| {
        config.scrape.page_timeout = Duration::from_secs(3);
        config.scrape.slow = Duration::from_secs(3);
    })
    .await;
    let (healthy, dead) = (Site::start().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let held = fill_rooms(&app, 0).await;
    healthy.set("/", large("the root"));
    dead.set("/", article("the root", "").held());
    app.start_workers();
    let id = add(&app, bot, &healthy.url, None).await;
    app.eventually("the page is requested", async || (healthy.request_count("/") == 1).then_some(())).await;
    // Begins later, so that the time limit of both has passed.
    let late = add(&app, bot, &dead.url, None).await;
    let status = async |id| source(&app, id).await.status;
    app.eventually("the dead site timed out", async || (status(late).await == Status::Failed).then_some(()))
        .await;
    drop(held);
    app.eventually("the large page is read", async || (status(id).await == Status::Ready).then_some(()))
        .await;
    assert_eq!(healthy.request_count("/"), 1, "at once");
    app.end().await;
}

#[tokio::test]
async fn a_page_keeps_no_room_while_its_frames_wait_for_it() {
    let mut app = start_app(|_| {}).await;
    let site = Site::start().await;
    let bot = app.create_bot(app.tenant).await;
    let held = fill_rooms(&app, 1).await;
    let filler = "x".repeat(SMALL_BODY);
    let set =
        format!("<title>Club</title><!-- {filler} --><frameset><frame src='/shared/note.htm'></frameset>");
    site.set("/club/", Page::of("text/html", set)).set("/shared/note.htm", large("a shared note"));
    app.start_workers();
    let id = add(&app, bot, &format!("{}/club/", site.url), None).await;
    app.eventually("both are read with one room", async || {
        (source(&app, id).await.status == Status::Ready).then_some(())
    })
    .await;
    let text = knowledge::get(&app.ctx, app.tenant, id).await.unwrap().content.unwrap();
    assert!(text.contains("to know about a shared note"), "{text}");
    assert_eq!(app.ctx.large_pages().in_use(), held.len(), "the room is given back");
    app.end().await;
}

#[tokio::test]
async fn a_site_that_never_answers_gets_one_request() {
    let app = start_app(|config| {
        config.scrape.page_timeout = Duration::from_secs(3);
        config.scrape.slow = Duration::from_secs(3);
    })
    .await;
    let (dead, late) = (Site::start().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    dead.set("/robots.txt", Page::of("text/plain", "").held()).set("/", article("the root", "").held());
    late.set("/", article("the root", "").held());
    for (site, code, requests) in
        [(&dead, "unreachable", &["/robots.txt"][..]), (&late, "timeout", &["/robots.txt", "/"])]
    {
        let id = add(&app, bot, &site.url, Some(20)).await;
        finish(&app).await;
        let source = source(&app, id).await;
        assert_eq!((source.status, source.error_code.as_deref()), (Status::Failed, Some(code)));
        assert_eq!(site.requests(), requests, "neither pages nor site maps are tried again");
    }
    app.end().await;
}

#[tokio::test]
async fn a_stopping_worker_releases_crawls_between_pages() {
    let mut app = start_app(|config| config.jobs.drain = FOREVER).await;
    let (slow, busy) = (Site::start().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    slow.set("/", article("the root", "<a href='/next'>next</a>").held()).set("/next", article("more", ""));
    busy.set("/", Page::status(429).with("retry-after", "100"));
    let id = add(&app, bot, &slow.url, Some(5)).await;
    let other = add(&app, bot, &busy.url, None).await;
    app.start_workers();
    let waiting = "select count(*) from source_page where attempt = 1";
    app.eventually("one crawl waits for its site, one for its page's retry", async || {
        (slow.held().0 == 1 && app.count_of(waiting).await == 1).then_some(())
    })
    .await;
    // The worker stops within the retry's pause of 100 seconds, and finishes the page in progress.
    let ctx = app.ctx.clone();
    let release = async {
        let is_running = |found: &(Kind, State, i64)| *found == (Kind::Scrape, State::Running, 1);
        while !jobs::count_by_state(&ctx).await.unwrap().iter().any(is_running) {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        slow.open();
    };
    let stopped = async { tokio::join!(app.stop_workers(), release) };
    tokio::time::timeout(Duration::from_secs(60), stopped).await.unwrap();
    let unused = "select count(*) from job where kind = 'scrape' and finished_at is null and attempt = 0";
    assert_eq!(app.count_of(unused).await, 2, "no attempt is used up");
    assert_eq!((slow.request_count("/"), slow.request_count("/next")), (1, 0));
    let job = source(&app, other).await.job_id.unwrap();
    knowledge::cancel_job(&app.ctx, app.tenant, job).await.unwrap();
    finish(&app).await;
    assert_eq!(source(&app, id).await.status, Status::Ready);
    assert_eq!((slow.request_count("/"), slow.request_count("/next")), (1, 1), "nothing is read again");
    app.end().await;
}

#[tokio::test]
async fn requests_that_wait_for_crawls_hold_no_connection() {
    const REQUESTS: i64 = 6;
    let app = start_app(|config| {
        config.scrape.wait = FOREVER;
        config.database.max_connections = 3;
    })
    .await;
    let bot = app.create_bot(app.tenant).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        let client = app.http.with_key(app.http.key());
        let body = serde_json::json!({"bot_id": bot, "url": format!("http://127.0.0.1:1/{number}")});
        waiting.spawn(async move { client.try_post("/knowledge/scrape", body).await });
    }
    app.eventually("every site is added", async || {
        (app.count_of("select count(*) from source").await == REQUESTS).then_some(())
    })
    .await;
    for _ in 0..20 {
        app.http.get("/bots").await.data(200);
    }
    assert!(waiting.try_join_next().is_none(), "they still wait");
    waiting.shutdown().await;
    app.end_with_unfinished_jobs().await;
}
