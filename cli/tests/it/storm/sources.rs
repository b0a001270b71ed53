//! The test corpus: distinct texts, files of every type, broken files and web sites.

use parlance_testing::corpus::{self, Block};
use parlance_testing::{Client, Page, Site};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// A knowledge source to create.
pub(super) enum TestSource {
    Text { name: String, content: String },
    File { name: String, bytes: Vec<u8> },
    Site { name: String, url: String },
}

impl TestSource {
    /// Creates the source. `None` if the request must be retried.
    pub(super) async fn upload(&self, http: &Client, bot: &str) -> Option<Value> {
        match self {
            TestSource::Text { name, content } => {
                let body = json!({"bot_id": bot, "name": name, "source_type": "text", "content": content});
                http.try_post("/knowledge/sources", body).await
            }
            TestSource::Site { name, url } => {
                let body = json!({
                    "bot_id": bot, "name": name, "source_type": "url", "url": url, "include_subpages": true,
                    "max_pages": 5,
                });
                http.try_post("/knowledge/sources", body).await
            }
            TestSource::File { name, bytes } => {
                let file = Part::bytes(bytes.clone()).file_name(name.clone());
                let form = Form::new().text("bot_id", bot.to_owned()).part("file", file);
                http.try_send(http.request(reqwest::Method::POST, "/knowledge/upload").multipart(form)).await
            }
        }
    }
}

/// Adds the pages of all sites.
pub(super) fn fill(site: &Site) {
    for tenant in 0..3 {
        for number in 0..100 {
            let root = format!("/{tenant}-{number}");
            let links: String =
                (0..4).map(|page| format!("<p><a href='{root}/{page}'>Page {page}</a></p>")).collect();
            site.set(&root, page(&format!("site {number} of tenant {tenant}"), &links));
            for number in 0..3 {
                site.set(&format!("{root}/{number}"), page(&format!("page {number} of {root}"), ""));
            }
            // The fourth linked page is missing.
        }
    }
}

fn page(matter: &str, links: &str) -> Page {
    let body = format!(
        "<h1>{matter}</h1><p>Whoever wants to know about {matter} reads this page, which tells of {matter} at \
         some length, and then knows enough about it to need no other.</p>{links}"
    );
    Page::html(matter, &body)
}

/// The sources of a tenant.
pub(super) fn for_tenant(tenant: usize, count: usize, site: &Site) -> Vec<TestSource> {
    (0..count).map(|number| source(tenant, number, site)).collect()
}

fn source(tenant: usize, number: usize, site: &Site) -> TestSource {
    let matter = format!("matter {number} of tenant {tenant}");
    let says =
        |part: usize| format!("Part {part} of {matter} is settled by office {}.", (number * 7 + part) % 90);
    let file = |ending: &str, bytes: Vec<u8>| TestSource::File { name: format!("{number}.{ending}"), bytes };
    match number % 10 {
        0 => {
            let content: String = (0..60).map(|part| format!("{}\n\n", says(part))).collect();
            TestSource::Text { name: format!("text {number}"), content: format!("# {matter}\n\n{content}") }
        }
        1 => file("txt", says(1).into_bytes()),
        2 => file("md", format!("# {matter}\n\n- {}\n- {}\n", says(1), says(2)).into_bytes()),
        3 => file("pdf", corpus::pdf(&[&says(1), &says(2)])),
        4 => file("docx", corpus::docx(&[Block::Heading(1, &matter), Block::Paragraph(&says(1))])),
        5 => file("doc", corpus::doc(&[&says(1), &says(2)])),
        6 => file("csv", corpus::csv(&[&["Office", "Matter"], &["12", &matter], &["13", &says(3)]])),
        7 => broken(number, &matter),
        8 => TestSource::Site {
            name: format!("site {number}"),
            url: format!("{}/{tenant}-{number}", site.url),
        },
        _ => TestSource::Site {
            name: format!("gone {number}"),
            url: format!("{}/gone/{tenant}/{number}", site.url),
        },
    }
}

/// A file that fails extraction.
fn broken(number: usize, matter: &str) -> TestSource {
    let mut pdf = corpus::pdf(&[matter]);
    let (ending, bytes) = match number / 10 % 3 {
        0 => ("txt", format!("  \n\t{}", " ".repeat(number)).into_bytes()),
        1 => {
            pdf.truncate(pdf.len() / 3);
            // Make the remainder unique: equal contents would be deduplicated into one source.
            pdf.extend(format!("\n% {matter}").bytes());
            ("pdf", pdf)
        }
        _ => ("docx", [b"\x89PNG\r\n\x1a\n", matter.as_bytes()].concat()),
    };
    TestSource::File { name: format!("broken {number}.{ending}"), bytes }
}
