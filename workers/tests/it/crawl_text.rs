//! Texts of a crawl: linked documents, and blocks that all pages have.

use parlance_core::ids::SourceId;
use parlance_core::knowledge;
use parlance_core::knowledge::crawl::PageState::{self, Fetched, Skipped};
use parlance_testing::corpus::Block;
use parlance_testing::{Page, Site, TestApp};

use crate::crawl::{add, article, finish, outcomes, pages, start_app};

async fn text(app: &TestApp, source: SourceId) -> String {
    knowledge::get(&app.ctx, app.tenant, source).await.unwrap().content.unwrap()
}

#[tokio::test]
async fn linked_documents_are_read_like_uploads() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let all = ["/terms.docx", "/fees.csv", "/download?id=7", "/plain.csv", "/film.bin", "/tool"];
    let links: String = all.map(|path| format!("<a href='{path}'>{path}</a> ")).concat();
    let word = parlance_testing::corpus::docx(&[Block::Paragraph("The notice is three months.")]);
    let attachment = "attachment; filename=\"rules.md\"";
    site.set("/", article("the club", &links))
        .set("/terms.docx", Page::of("application/octet-stream", word))
        .set("/fees.csv", Page::of("text/csv; charset=utf-8", "Group,Fee\nJuniors,12 EUR\nAdults,30 EUR\n"))
        .set(
            "/download?id=7",
            Page::of("application/force-download", "# Rules\n\nNo shouting on the water.")
                .with("content-disposition", attachment),
        )
        .set("/plain.csv", Page::of("text/plain", "Day,Hour\nMonday,18\n"))
        .set("/tool", Page::of("application/octet-stream", vec![0_u8; 100]));
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    let read = |path| (path, Fetched, None::<&str>);
    assert_eq!(
        outcomes(&pages(&app, id).await, &site),
        [
            read("/"),
            read("/terms.docx"),
            read("/fees.csv"),
            read("/download?id=7"),
            read("/plain.csv"),
            ("/tool", Skipped, Some("unsupported_type")),
        ]
    );
    let text = text(&app, id).await;
    for part in ["three months", "Group: Juniors\nFee: 12 EUR", "No shouting", "Day: Monday"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_all_pages_say_is_kept_once() {
    let (app, site) = (start_app().await, Site::start().await);
    let bot = app.create_bot(app.tenant).await;
    let page = |matter: &str, links: &str| {
        let body = format!(
            "<div>Brook, by the makers of Brook</div><div><h1>{matter}</h1><p>Whoever asks about {matter} is told all \
             there is to know about {matter}, in as many words as a page of some length has.</p>{links}</div>\
             <div><h3>Need more help?</h3><p>Reach out, and we will be happy to assist you.</p></div>"
        );
        Page::html(matter, &body)
    };
    site.set("/", page("the root", "<a href='/a'>a</a> <a href='/b'>b</a> <a href='/c'>c</a>"));
    for matter in ["a", "b", "c"] {
        site.set(&format!("/{matter}"), page(&format!("matter {matter}"), ""));
    }
    let id = add(&app, bot, &site.url, Some(10)).await;
    finish(&app).await;
    assert!(pages(&app, id).await.iter().all(|page| page.state == PageState::Fetched && page.chunks == 1));
    let text = text(&app, id).await;
    for common in ["by the makers of Brook", "Need more help?", "happy to assist you"] {
        assert_eq!(text.matches(common).count(), 1, "{common}: {text}");
    }
    for matter in ["the root", "matter a", "matter b", "matter c"] {
        assert!(text.contains(&format!("all there is to know about {matter}")), "{text}");
    }
    app.end().await;
}
