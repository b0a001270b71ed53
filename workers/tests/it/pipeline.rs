//! Ingestion pipeline from file to vectors: versions, batches, reuse and unreadable files.

use parlance_core::bots;
use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::search::{self, Mode, Search};
use parlance_core::knowledge::{self, Status};
use parlance_testing::{Builder, TestApp, TestEmbedder};

use crate::{paragraphs, upload};

async fn start_app(embedder: &TestEmbedder) -> TestApp {
    Builder::default().embedder(embedder.clone()).start().await
}

#[tokio::test]
async fn a_source_becomes_searchable_with_its_last_vector() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(700)).await;
    let bot = bots::get(&app.ctx, app.tenant, bot).await.unwrap();
    let found = async || {
        let search = Search { question: "matter 7", mode: Mode::Hybrid, sources: None, top_k: 5 };
        let embedder = app.ctx.embedder();
        search::find(&app.ctx, &**embedder, app.tenant, &bot, &search).await.unwrap().hits.len()
    };
    let status = async || {
        let source = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap();
        (source.status, source.embedded_count == i64::from(source.chunk_count.unwrap_or(-1)))
    };
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    let batches = app.waiting(Kind::Embed).await;
    assert!(batches.len() > 1);
    for batch in batches {
        assert_eq!((found().await, status().await), (0, (Status::Processing, false)));
        assert!(app.run(batch).await);
    }
    assert_eq!((found().await, status().await), (5, (Status::Ready, true)));
    app.end().await;
}

#[tokio::test]
async fn concurrent_batches_complete_the_source() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(1200)).await;
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    let batches = app.waiting(Kind::Embed).await;
    for pair in batches.chunks(2) {
        match pair {
            [a, b] => assert_eq!(tokio::join!(app.run(*a), app.run(*b)), (true, true)),
            [a] => assert!(app.run(*a).await),
            _ => unreachable!(),
        }
    }
    assert_eq!(knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap().status, Status::Ready);
    app.end().await;
}

#[tokio::test]
async fn a_tenants_known_text_is_not_embedded_again() {
    let embedder = TestEmbedder::default();
    let mut app = start_app(&embedder).await;
    app.start_workers();
    let (first, second) = (app.create_bot(app.tenant).await, app.create_bot(app.tenant).await);
    let source = upload(&app, app.tenant, first, "a.txt", &paragraphs(60)).await;
    app.settled(source).await;
    let embedded = embedder.passages().len();
    let source = upload(&app, app.tenant, second, "b.txt", &paragraphs(60)).await;
    let settled = app.settled(source).await;
    assert_eq!((settled["status"].as_str(), embedder.passages().len()), (Some("ready"), embedded));
    // Vectors are not shared between tenants.
    let (other, _) = app.another_tenant().await;
    let bot = app.create_bot(other).await;
    upload(&app, other, bot, "c.txt", &paragraphs(60)).await;
    app.eventually("the other tenant's text is embedded", async || {
        (embedder.passages().len() == 2 * embedded).then_some(())
    })
    .await;
    app.stop_workers().await;
    app.end().await;
}

/// A lookup reads every known chunk of its text until one has a vector.
#[tokio::test]
async fn equal_chunks_are_looked_up_once() {
    let app = start_app(&TestEmbedder::default()).await;
    for _ in 0..2 {
        let bot = app.create_bot(app.tenant).await;
        upload(&app, app.tenant, bot, "a.txt", &"a ".repeat(200_000)).await;
        app.step(Kind::Upload).await.unwrap();
        app.step(Kind::Chunk).await.unwrap();
    }
    let chunks = app.count_of("select count(*) / 2 from chunk").await;
    assert!(chunks > 100, "{chunks}");
    assert!(app.count_of("select count(distinct hash) from chunk").await < 5);
    let scans = "select coalesce(sum(idx_scan), 0)::bigint from pg_stat_user_indexes \
                 where relname like 'chunk_vector%' and indexrelname like '%pkey'";
    let lookups = app
        .eventually("Postgres counts the scans", async || {
            let scans = app.count_of(scans).await;
            (scans >= chunks).then_some(scans)
        })
        .await;
    assert!(lookups < 20 * chunks, "{lookups} lookups for {chunks} equal chunks");
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn duplicate_content_in_a_bot_is_one_source() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    let (first, again) = tokio::join!(
        upload(&app, app.tenant, bot, "a.txt", "The same words."),
        upload(&app, app.tenant, bot, "other name.txt", "The same words."),
    );
    assert_eq!(first, again);
    assert_eq!(app.waiting(Kind::Upload).await.len(), 1);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_file_without_text_fails_with_a_reason_and_can_be_retried() {
    let mut app = start_app(&TestEmbedder::default()).await;
    app.start_workers();
    let bot = app.create_bot(app.tenant).await.to_string();
    let noise: Vec<u8> = (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes, code) in [("empty.md", vec![], "empty"), ("noise.md", noise, "unsupported_type")] {
        for _ in 0..2 {
            let source = app.http.upload(&bot, name, bytes.clone()).await.id().parse().unwrap();
            let settled = app.settled(source).await;
            assert_eq!((&settled["status"], &settled["error"]["code"]), (&"failed".into(), &code.into()));
        }
    }
    assert_eq!(app.count(Kind::Upload, State::Failed).await, 4);
    app.end().await;
}
