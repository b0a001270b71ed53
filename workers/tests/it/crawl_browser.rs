//! Crawls of pages made by scripts, without and with a browser.

use parlance_core::knowledge::Status;
use parlance_core::knowledge::crawl::PageState;
use parlance_testing::{Page, Site};

use crate::crawl::{add, finish, pages, source, start_app};

/// An empty root element and a script that fills it.
fn app(script: &str) -> Page {
    Page::of(
        "text/html",
        format!(
            "<!doctype html><html><head><title>Shop</title></head><body><div id=root></div>\
             <script type=module>const root = document.getElementById('root');{script}</script></body></html>"
        ),
    )
}

#[tokio::test]
async fn a_page_made_by_scripts_is_empty_without_a_browser() {
    let (test, site) = (start_app().await, Site::start().await);
    let bot = test.create_bot(test.tenant).await;
    site.set("/", app("root.innerHTML = '<h1>Opening hours</h1>'"));
    let id = add(&test, bot, &format!("{}/", site.url), None).await;
    finish(&test).await;
    let source = source(&test, id).await;
    assert_eq!((source.status, source.error_code.as_deref()), (Status::Failed, Some("empty")));
    let page = pages(&test, id).await.remove(0);
    assert_eq!((page.state, page.reason.as_deref()), (PageState::Failed, Some("empty")));
    let message = page.message.unwrap();
    assert!(message.contains("script") && message.contains("SCRAPE_BROWSER"), "{message}");
    test.end().await;
}

#[cfg(feature = "browser")]
mod with_a_browser {
    use parlance_core::knowledge::{self, Status};
    use parlance_testing::{Builder, Page, Site, TestApp, TestEmbedder};

    use super::{PageState, add, app, finish, pages, source};
    use crate::crawl::outcomes;

    async fn start_app(browser: &str) -> TestApp {
        let browser = browser.parse().unwrap();
        let configure = move |config: &mut parlance_core::platform::config::Config| {
            config.scrape.allow_networks = vec!["127.0.0.1/32".parse().unwrap()];
            config.scrape.browser = Some(browser);
        };
        Builder::default().embedder(TestEmbedder::default()).configure(configure).start().await
    }

    /// A script that writes an article with links.
    fn article(matter: &str, links: &str) -> String {
        format!(
            "root.innerHTML = `<main><h1>{matter}</h1><p>Whoever asks about {matter} is told all there is to know \
             about {matter}, in as many words as a page of some length has.</p>{links}</main>`;"
        )
    }

    #[tokio::test]
    async fn pages_made_by_scripts_are_read_and_followed() {
        let (test, site) = (start_app("chromium").await, Site::start().await);
        let bot = test.create_bot(test.tenant).await;
        let links = "<a href=/returns>a</a><a href=/blank>b</a><a href=/closed>c</a><a href=/leaving>d</a>\
            <a href=/inward>e</a><a href=/large>f</a>";
        site.set("/robots.txt", Page::of("text/plain", "User-agent: *\nDisallow: /secret\n"))
            .set("/", app(&format!("await fetch('/hours.json');{}", article("hours", links))))
            .set("/hours.json", Page::of("application/json", "{}"))
            .set("/returns", app(&article("returns", "")))
            .set("/blank", app(""))
            .set("/closed", app("location.href = '/secret'"))
            .set("/secret", Page::html("Secret", "<p>The secret plan.</p>"))
            .set(
                "/leaving",
                app(&format!("location.href = '{}/'", site.url.replace("127.0.0.1", "127.0.0.2"))),
            )
            .set("/inward", app("location.href = 'http://10.0.0.1/'"))
            .set("/large", app("root.textContent = 'x'.repeat(11 * 1024 * 1024)"));
        let id = add(&test, bot, &format!("{}/", site.url), Some(10)).await;
        finish(&test).await;
        let pages = pages(&test, id).await;
        use PageState::{Failed, Fetched, Skipped};
        assert_eq!(
            outcomes(&pages, &site),
            [
                ("/", Fetched, None),
                ("/returns", Fetched, None),
                ("/blank", Failed, Some("empty")),
                ("/closed", Skipped, Some("robots")),
                ("/leaving", Skipped, Some("out_of_scope")),
                ("/inward", Skipped, Some("out_of_scope")),
                ("/large", Failed, Some("too_large")),
            ]
        );
        let text = knowledge::get(&test.ctx, test.tenant, id).await.unwrap().content.unwrap();
        assert!(text.contains("to know about hours") && text.contains("to know about returns"), "{text}");
        assert!(!text.contains("secret"), "{text}");
        test.end().await;
    }

    #[tokio::test]
    async fn a_missing_browser_leaves_pages_empty() {
        let (test, site) = (start_app("/nonexistent/chromium").await, Site::start().await);
        let bot = test.create_bot(test.tenant).await;
        site.set("/", app(&article("hours", "")));
        let id = add(&test, bot, &format!("{}/", site.url), None).await;
        finish(&test).await;
        let source = source(&test, id).await;
        assert_eq!((source.status, source.error_code.as_deref()), (Status::Failed, Some("empty")));
        let message = pages(&test, id).await.remove(0).message.unwrap();
        assert!(message.contains("browser of this server"), "{message}");
        test.end().await;
    }
}
