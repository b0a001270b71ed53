//! Uploads of every file type: structure, pages and notes.
//!
//! Hostile files are in `cli/tests/it/hostile.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use parlance_core::jobs::Kind;
use parlance_core::knowledge::{self, File};
use parlance_testing::corpus::{self, Block};
use parlance_testing::{Builder, TestApp, TestEmbedder};
use serde_json::json;

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

/// Page 1 is a German scan, page 2 has a text layer, page 3 is an English scan. Made for this test.
const SCAN: &[u8] = include_bytes!("../data/scan.pdf");

/// Uploads the scan to a German bot of an app with this Tesseract. Returns the text and the notes.
async fn read_scan(tesseract: Option<PathBuf>) -> (String, String) {
    let builder = Builder::default().embedder(TestEmbedder::default());
    let app = builder.configure(|config| config.extract.tesseract = tesseract).start().await;
    let bot = app.http.post("/bots", json!({"name": "B", "channel_type": "webchat", "language": "de"})).await;
    let bot = bot.data(201)["id"].as_str().unwrap().parse().unwrap();
    let file = File { name: "scan.pdf".into(), bytes: SCAN.into() };
    let source = knowledge::upload(&app.ctx, app.tenant, bot, file).await.unwrap().source.id;
    for kind in [Kind::Upload, Kind::Chunk, Kind::Embed] {
        app.step(kind).await.unwrap();
    }
    let content = knowledge::get(&app.ctx, app.tenant, source).await.unwrap().content.unwrap();
    let shown = app.http.get(&format!("/knowledge/sources/{source}")).await;
    let notes = shown.data(200)["source"]["notes"].to_string();
    app.end().await;
    (content, notes)
}

#[tokio::test]
async fn without_tesseract_scanned_pages_are_noted() {
    let (content, notes) = read_scan(None).await;
    assert!(content.contains("text layer") && !content.contains("Garantie"), "{content}");
    assert!(notes.contains("Pages 1, 3: images without readable text"), "{notes}");
}

/// Runs where Tesseract is installed; the test below runs everywhere.
#[tokio::test]
async fn tesseract_reads_scanned_pages() {
    let Some(tesseract) = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        .map(|folder| Path::new(folder).join("tesseract"))
        .into_iter()
        .find(|program| program.is_file())
    else {
        return;
    };
    let (content, notes) = read_scan(Some(tesseract)).await;
    assert!(content.contains("45 Tagen") && content.contains("6,90 Euro"), "{content}");
    assert!(content.contains("from Tuesday to Saturday"), "{content}");
    let order = ["45 Tagen", "text layer", "Tuesday"].map(|words| content.find(words).unwrap());
    assert!(order.is_sorted(), "{content}");
    assert!(notes.contains("Pages 1, 3: text recognised from images"), "{notes}");
}

/// A program with Tesseract's interface that tries to leave its confinement.
#[tokio::test]
async fn recognition_is_confined() {
    let (programs, secrets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = secrets.path().join("secret");
    std::fs::write(&secret, "leaked").unwrap();
    let tesseract = programs.path().join("tesseract");
    let script = format!(
        "#!/bin/sh\n\
         if [ \"$1\" = --list-langs ]; then printf 'List:\\ndeu\\neng\\n'; exit; fi\n\
         size=$(head -c 15 | tr '\\n' ' ')\n\
         cat > /dev/null\n\
         read secret < {secret} || secret=kept\n\
         echo x > {secret}.new && written=written || written=unwritten\n\
         for word in \"$4\" \"$size\" \"$secret\" \"$written\" \"env:$(env | grep -c PARLANCE)\"; do\n\
         printf '5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t9\\t96.5\\t%s\\n' \"$word\"\n\
         done\n",
        secret = secret.display()
    );
    std::fs::write(&tesseract, script).unwrap();
    std::fs::set_permissions(&tesseract, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (content, notes) = read_scan(Some(tesseract)).await;
    assert!(content.contains("deu+eng P5 2479 3508 25 kept unwritten env:0"), "{content}");
    assert!(notes.contains("Pages 1, 3: text recognised from images"), "{notes}");
    assert!(!secrets.path().join("secret.new").exists());
}
