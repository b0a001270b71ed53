//! Frontier of a crawl: requested pages, their order, and different URLs of one page.

use parlance_core::knowledge::Status;
use parlance_core::knowledge::crawl::{PageState, SitePage};
use parlance_testing::{Page, Site};

use crate::crawl::{add, article, finish, outcomes, pages, source, start_app};

use PageState::{Failed, Fetched, Skipped};

fn head(head: &str, matter: &str, links: &str) -> Page {
    let body = format!(
        "<html><head><title>{matter}</title>{head}</head><body><main><h1>{matter}</h1><p>All there is to know about \
         {matter} is told here, in as many words as it takes.</p><p>{}</p>{links}</main></body></html>",
        "Linen grows softer with each wash, and a good cloth is handed on to the next generation. ".repeat(9)
    );
    Page::of("text/html", body)
}

fn links(paths: impl IntoIterator<Item = String>) -> String {
    paths.into_iter().map(|path| format!("<a href='{path}'>on</a> ")).collect()
}

fn state(pages: &[SitePage], path: &str) -> Option<PageState> {
    pages.iter().find(|page| page.url.ends_with(path)).map(|page| page.state)
}

#[tokio::test]
async fn robots_headers_count_only_when_they_address_us() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let tags = [
        ("/preview", "max-snippet:-1, max-image-preview:none"),
        ("/other", "otherbot: noindex, nofollow"),
        ("/ours", "parlancebot: noindex"),
        ("/none", "none"),
        ("/gone", "unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT"),
    ];
    site.set("/", article("the root", &links(tags.map(|(path, _)| path.to_owned()))));
    for (path, tag) in tags {
        let below = links([format!("{path}/below")]);
        site.set(path, article(path, &below).with("x-robots-tag", tag))
            .set(&format!("{path}/below"), article(&format!("below {path}"), ""));
    }
    let id = add(&app, bot, &site.url, Some(20)).await;
    finish(&app).await;
    assert_eq!(
        outcomes(&pages(&app, id).await, &site),
        [
            ("/", Fetched, None),
            ("/preview", Fetched, None),
            ("/other", Fetched, None),
            ("/ours", Skipped, Some("noindex")),
            ("/none", Skipped, Some("noindex")),
            ("/gone", Skipped, Some("noindex")),
            ("/preview/below", Fetched, None),
            ("/other/below", Fetched, None),
            ("/ours/below", Fetched, None),
            ("/gone/below", Fetched, None),
        ]
    );
    app.end().await;
}

#[tokio::test]
async fn a_canonical_url_is_believed_only_for_equal_texts() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let home = format!("<link rel=canonical href='{}/'>", site.url);
    let lamp = format!("<link rel=canonical href='{}/lamp'>", site.url);
    let far = "<link rel=canonical href='https://other.example/warranty'>";
    site.set(
        "/",
        head(&home, "linen", "<a href='/returns'>1</a> <a href='/warranty'>2</a> <a href='/lamp?v=1'>3</a>"),
    )
    .set("/returns", head(&home, "returns", ""))
    .set("/warranty", head(far, "warranty", ""))
    .set("/lamp?v=1", head(&lamp, "the lamp", "<p>Seen by 12 people.</p><a href='/lamp?v=2'></a>"))
    .set("/lamp?v=2", head(&lamp, "the lamp", "<p>Seen by 13 people.</p>"))
    .set("/lamp", head(&lamp, "the lamp", "<p>Seen by 14 people.</p>"));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    for path in ["/", "/returns", "/warranty"] {
        assert_eq!(state(&pages, path), Some(Fetched), "{path}");
    }
    let lamps = pages.iter().filter(|page| page.url.contains("/lamp"));
    let lamps: Vec<_> = lamps.map(|page| (page.state, page.reason.as_deref())).collect();
    let duplicate = (Skipped, Some("duplicate"));
    assert_eq!(lamps, [(Fetched, None), duplicate, duplicate], "{pages:?}");
    app.end().await;
}

#[tokio::test]
async fn a_meta_refresh_is_followed_like_a_redirect() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let to = |target: &str| {
        Page::of(
            "text/html",
            format!("<title>Wait</title><meta http-equiv=refresh content='0; url={target}'>"),
        )
    };
    let all = ["/old", "/circle", "/self", "/far", "/chain0"].map(str::to_owned);
    site.set("/", to("index.html"))
        .set("/index.html", to("/latest/"))
        .set("/latest/", article("the manual", &links(all)))
        .set("/old", to("/new"))
        .set("/new", article("new things", ""))
        .set("/circle", to("/circle2"))
        .set("/circle2", to("/circle"))
        .set("/self", to("/self?again"))
        .set("/far", to("https://other.example/"));
    for n in 0..20 {
        site.set(&format!("/chain{n}"), to(&format!("/chain{}", n + 1)));
    }
    let id = add(&app, bot, &site.url, Some(20)).await;
    finish(&app).await;
    assert_eq!(
        outcomes(&pages(&app, id).await, &site),
        [
            ("/latest/", Fetched, None),
            ("/new", Fetched, None),
            ("/circle", Failed, Some("too_many_redirects")),
            ("/self", Failed, Some("http_404")),
            ("/far", Skipped, Some("out_of_scope")),
            ("/chain0", Failed, Some("too_many_redirects")),
        ]
    );
    assert_eq!(site.request_count("/chain6"), 0, "the chain is bounded");
    app.end().await;
}

#[tokio::test]
async fn links_that_ask_not_to_be_followed_are_not() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let all = "<a rel='noopener NOFOLLOW' href='/list?colour=red'>red</a> <a href='/cloth'>Cloth</a>";
    site.set("/", article("linen", all))
        .set("/cloth", head("<meta name=robots content='nofollow'>", "cloth", "<a href='/list'>list</a>"));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    assert_eq!(outcomes(&pages(&app, id).await, &site), [("/", Fetched, None), ("/cloth", Fetched, None)]);
    app.end().await;
}

#[tokio::test]
async fn pages_of_the_site_map_come_before_a_crowd_of_links() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let menu = (0..30).map(|n| format!("/menu/{}", "abcdefghijklmnopqrstuvwxyzäöüß".chars().nth(n).unwrap()));
    let days = (1..=30).map(|day| format!("/events/2027-03-{day:02}"));
    let content = ["/tickets", "/way"].map(str::to_owned);
    let all = links(menu.chain(days.clone()).chain(content));
    let listed =
        ["/", "/way", "/groups", "/tickets"].map(|path| format!("<url><loc>{}{path}</loc></url>", site.url));
    site.set("/", article("the museum", &all))
        .set("/sitemap.xml", Page::of("application/xml", format!("<urlset>{}</urlset>", listed.concat())));
    for path in ["/tickets", "/way", "/groups"] {
        site.set(path, article(path, ""));
    }
    for day in days {
        site.set(&day, article(&day, ""));
    }
    let id = add(&app, bot, &site.url, Some(4)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    for path in ["/", "/tickets", "/way", "/groups"] {
        assert_eq!(state(&pages, path), Some(Fetched), "{path}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_calendar_without_a_site_map_comes_last() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let days = |month: usize| (1..=28).map(move |day| format!("/events/2027/{month}/{day}"));
    site.set("/", article("the museum", &links(days(1).chain(["/tickets".to_owned()]))))
        .set("/tickets", article("tickets", &links(days(2).chain(["/groups".to_owned()]))))
        .set("/groups", article("groups", ""));
    for day in days(1).chain(days(2)) {
        site.set(&day, article(&day, &links(days(3))));
    }
    let id = add(&app, bot, &site.url, Some(5)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    assert_eq!((state(&pages, "/tickets"), state(&pages, "/groups")), (Some(Fetched), Some(Fetched)));
    assert_eq!(pages.iter().filter(|page| page.state == Fetched).count(), 5);
    app.end().await;
}

#[tokio::test]
async fn dead_links_do_not_use_up_the_pages() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let dead = |name: &str| {
        (0..15).map(|n| format!("/{name}-{}", "abcdefghijklmno".chars().nth(n).unwrap())).collect::<Vec<_>>()
    };
    let good = ["/one", "/two", "/three"].map(str::to_owned);
    site.set("/", article("salt", &links(dead("gone").into_iter().chain(good.clone()))));
    for path in &good {
        site.set(path, article(path, ""));
    }
    let id = add(&app, bot, &site.url, Some(4)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    assert_eq!(pages.iter().filter(|page| page.state == Fetched).count(), 4);
    assert_eq!(pages.iter().filter(|page| page.reason.as_deref() == Some("http_404")).count(), 15);
    app.end().await;
}

#[tokio::test]
async fn frames_of_a_frameset_are_read() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let set = "<title>Club</title><frameset><frame src='menu.htm'><frame src='/club/content.htm'>\
               <frame src='/shared/note.htm'></frameset>";
    let menu = "<title>Menu</title><a href='content.htm'>Club</a> <a href='prices.htm'>Fees</a>";
    site.set("/club/", Page::of("text/html", set))
        .set("/club/menu.htm", Page::of("text/html", menu))
        .set("/club/content.htm", article("the club", ""))
        .set("/club/prices.htm", article("fees", ""))
        .set("/shared/note.htm", article("a shared note", ""));
    let root = format!("{}/club/", site.url);
    let (whole, alone) = (add(&app, bot, &root, Some(10)).await, add(&app, bot, &root, None).await);
    finish(&app).await;
    let whole_pages = pages(&app, whole).await;
    for path in ["/club/content.htm", "/club/prices.htm"] {
        assert_eq!(state(&whole_pages, path), Some(Fetched), "{whole_pages:?}");
    }
    let text =
        async |id| parlance_core::knowledge::get(&app.ctx, app.tenant, id).await.unwrap().content.unwrap();
    assert!(text(whole).await.contains("a shared note"));
    assert_eq!(source(&app, alone).await.status, Status::Ready, "a page without subpages");
    assert!(text(alone).await.contains("to know about the club"));
    app.end().await;
}

#[tokio::test]
async fn sessions_in_links_do_not_multiply_pages() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let view = |n: usize| {
        let next = (0..3).map(|k| format!("/fees?visit={}", n * 3 + k + 1));
        article("fees", &links(next.chain(["/terms/index.html".to_owned(), "/terms/?print=1".to_owned()])))
    };
    site.set("/", article("the root", "<a href='/fees?visit=0&PHPSESSID=7d1f0a'>fees</a>"));
    for n in 0..400 {
        site.set(&format!("/fees?visit={n}"), view(n));
    }
    site.set("/terms/index.html", article("terms", ""));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    let pages = pages(&app, id).await;
    assert_eq!(pages.iter().filter(|page| page.state == Fetched).count(), 3, "root, fees and terms");
    let requested = site.requests().iter().filter(|path| path.starts_with("/fees")).count();
    assert!(requested < 10, "{requested} requests of one page");
    assert!(site.requests().iter().all(|path| !path.contains("PHPSESSID")));
    app.end().await;
}
