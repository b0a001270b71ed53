//! Uploads of every file type: structure, pages and notes. Hostile files are in `cli/tests/it/hostile.rs`.

use parlance_core::jobs::Kind;
use parlance_core::knowledge::{self, File};
use parlance_testing::corpus::{self, Block};
use parlance_testing::{Builder, TestApp, TestEmbedder};

async fn start_app() -> TestApp {
    // The test embedder: some files have too much text for the real model.
    Builder::default().embedder(TestEmbedder::default()).start().await
}

#[tokio::test]
async fn every_file_type_is_extracted_with_its_structure() {
    let mut app = start_app().await;
    app.start_workers();
    let bot = app.create_bot(app.tenant).await;
    let pages = ["The first page tells of otters.", "The second page tells of herons."];
    let table = corpus::csv(&[&["Product", "Price"], &["Lamp", "20 euros"], &["Chair", "45 euros"]]);
    let blocks = [Block::Heading(1, "Opening hours"), Block::Paragraph("We open at nine.")];
    for (name, bytes, text) in [
        ("a.pdf", corpus::pdf(&pages), "tells of herons"),
        ("a.docx", corpus::docx(&blocks), "# Opening hours\n\nWe open at nine."),
        ("a.doc", corpus::doc(&["We close at five."]), "We close at five."),
        ("a.csv", table, "Product: Chair\nPrice: 45 euros"),
    ] {
        let file = File { name: name.to_owned(), bytes: bytes.into() };
        let source = knowledge::upload(&app.ctx, app.tenant, bot, file).await.unwrap().source.id;
        assert_eq!(app.settled(source).await["status"], "ready", "{name}");
        let content = knowledge::get(&app.ctx, app.tenant, source).await.unwrap().content.unwrap();
        assert!(content.contains(text), "{name}: {content}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_pdf_chunk_has_its_page_number() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    let page =
        |matter: &str| format!("This page tells of {matter}. {}", "It goes on for a while. ".repeat(45));
    let (first, second) = (page("otters"), page("herons"));
    let file = File { name: "a.pdf".into(), bytes: corpus::pdf(&[&first, &second]).into() };
    let source = knowledge::upload(&app.ctx, app.tenant, bot, file).await.unwrap().source.id;
    for kind in [Kind::Upload, Kind::Chunk, Kind::Embed] {
        app.step(kind).await.unwrap();
    }
    let details = knowledge::get(&app.ctx, app.tenant, source).await.unwrap();
    let chunks = app.http.get(&format!("/knowledge/sources/{source}/chunks")).await;
    let chunks = chunks.data(200).as_array().unwrap().clone();
    assert_eq!(details.chunks.len(), chunks.len());
    let of =
        |word: &str| chunks.iter().find(|chunk| chunk["content"].as_str().unwrap().contains(word)).unwrap();
    assert_eq!((of("otters")["page"].as_i64(), of("herons")["page"].as_i64()), (Some(1), Some(2)));
    app.end().await;
}

#[tokio::test]
async fn a_misleading_file_name_is_noted() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    let bytes = corpus::docx(&[Block::Paragraph("It is a Word document.")]).into();
    let file = File { name: "report.pdf".into(), bytes };
    let source = knowledge::upload(&app.ctx, app.tenant, bot, file).await.unwrap().source.id;
    for kind in [Kind::Upload, Kind::Chunk, Kind::Embed] {
        app.step(kind).await.unwrap();
    }
    let shown = app.http.get(&format!("/knowledge/sources/{source}")).await;
    let notes = shown.data(200)["source"]["notes"][0].as_str().unwrap().to_owned();
    assert!(notes.contains("report.pdf"), "{notes}");
    app.end().await;
}
