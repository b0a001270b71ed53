//! How bots are searched: the indexes of large ones, and the change from one embedding model to another.

use std::sync::Arc;

use parlance_core::ids::{BotId, SourceId};
use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::{self, index, reembed};
use parlance_core::providers::embed::Embedder;
use parlance_core::{Context, Providers};
use parlance_testing::{Builder, TestApp, TestEmbedder, real_embedder};
use parlance_workers::runner::Runner;
use serde_json::json;

use crate::{paragraphs, upload};

/// Chunks from which a bot is large, in these tests.
const LARGE: u32 = 40;

async fn stage() -> TestApp {
    let configured = Builder::default().configure(|config| config.index.from_chunks = LARGE);
    configured.embedder(TestEmbedder::default()).start().await
}

/// Does all jobs there are.
async fn work(stage: &TestApp) {
    for kind in Kind::ALL {
        while stage.step(kind).await.is_some() {}
    }
}

async fn know(stage: &TestApp, bot: BotId, rules: usize) -> SourceId {
    let source = upload(stage, stage.tenant, bot, "rules.txt", &paragraphs(rules)).await;
    work(stage).await;
    source
}

/// The texts that a bot finds, best first.
async fn found(stage: &TestApp, bot: BotId, mode: &str, query: &str) -> Vec<String> {
    let body = json!({"bot_id": bot.to_string(), "query": query, "mode": mode, "top_k": 10});
    let answer = stage.http.post("/knowledge/search", body).await;
    let hits = answer.data(200)["results"].as_array().unwrap().clone();
    hits.iter().map(|hit| hit["content"].as_str().unwrap().to_owned()).collect()
}

async fn indexes(stage: &TestApp, bot: BotId) -> i64 {
    let name = bot.uuid().simple();
    let query = format!(
        "select count(*) from pg_index where indisvalid and indexrelid::regclass::text like '%{name}%'"
    );
    stage.count_of(&query).await
}

#[tokio::test]
async fn a_bot_that_grows_large_finds_the_same_by_indexes_of_its_own() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    let source = know(&stage, bot, 700).await;
    let queries = ["matter 7", "What is told to whoever asks about matter 431?"];
    let mut before = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            before.push(found(&stage, bot, mode, query).await);
        }
    }
    assert!(before.iter().all(|texts| texts.len() == 10), "{before:?}");

    index::look_for_sizes(&stage.ctx).await.unwrap();
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 1, "one job a bot");
    work(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 0, "they fit now");

    let mut after = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            after.push(found(&stage, bot, mode, query).await);
        }
    }
    assert_eq!(before, after);
    let used = "select count(*) from pg_stat_user_indexes where indexrelname like 'chunk_vector_%' and idx_scan > 0 \
                and indexrelname not in ('chunk_vector_pkey', 'chunk_vector_bot_idx', 'chunk_vector_source_idx')";
    stage
        .eventually("the statistics say that the graph was walked", async || {
            (stage.count_of(used).await > 0).then_some(())
        })
        .await;

    knowledge::delete(&stage.ctx, stage.tenant, source).await.unwrap();
    assert_eq!(found(&stage, bot, "vector", "matter 7").await.len(), 0);
    work(&stage).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    work(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 0, "it is small again");
    stage.end().await;
}

#[tokio::test]
async fn a_build_ends_with_its_worker_and_is_begun_anew_by_the_next() {
    let mut stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    know(&stage, bot, 700).await;
    // Whoever writes is waited for by a build that searches and writes go on beside.
    let mut writer = stage.ctx.db().platform().begin().await.unwrap();
    sqlx::query("lock table chunk_vector in row exclusive mode").execute(&mut *writer).await.unwrap();
    index::look_for_sizes(&stage.ctx).await.unwrap();
    stage.start_workers();
    let building = "select count(*) from pg_stat_progress_create_index";
    stage
        .eventually("the build waits for the writer", async || {
            (stage.count_of(building).await > 0).then_some(())
        })
        .await;
    stage.stop_workers().await;
    stage
        .eventually("the build is given up", async || (stage.count_of(building).await == 0).then_some(()))
        .await;
    assert_eq!((stage.waiting(Kind::Index).await.len(), indexes(&stage, bot).await), (1, 0));

    writer.rollback().await.unwrap();
    work(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_bot_leaves_no_index() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    know(&stage, bot, 700).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    work(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    stage.http.delete(&format!("/bots/{bot}")).await.data(200);
    work(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 0);
    stage.end().await;
}

#[tokio::test]
async fn a_large_bot_that_speaks_another_language_has_its_words_counted_anew() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    know(&stage, bot, 700).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    work(&stage).await;
    stage.http.put(&format!("/bots/{bot}"), json!({"language": "de"})).await.data(200);
    work(&stage).await;
    assert_eq!(found(&stage, bot, "text", "Rule 77").await.len(), 10);
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 1);
    work(&stage).await;
    assert_eq!(found(&stage, bot, "text", "Rule 77").await.len(), 10);
    stage.end().await;
}

/// Another process on the same database, with another model; it answers with the one before it, or does not.
async fn changed_over(stage: &TestApp, before: Option<Arc<dyn Embedder>>) -> Context {
    let providers =
        Providers { embedder: real_embedder().await, embedder_before: before, ..Providers::absent() };
    Context::new(stage.ctx.config().clone(), providers).unwrap()
}

async fn best(ctx: &Context, stage: &TestApp, bot: BotId, mode: &str) -> Option<String> {
    let raw = knowledge::search::RawSearch {
        bot_id: Some(bot.to_string()),
        query: Some("Rule 5: whoever asks about matter 5 is told answer 5, and no other answer.".into()),
        mode: Some(mode.into()),
        ..Default::default()
    };
    let request = knowledge::search::SearchRequest::parse(raw).unwrap();
    let found = knowledge::search::search(ctx, stage.tenant, &request).await.unwrap();
    found.hits.into_iter().next().map(|hit| hit.content)
}

#[tokio::test]
async fn a_change_of_model_re_embeds_and_then_switches_with_answers_all_the_while() {
    let old = TestEmbedder::default();
    let stage = Builder::default().embedder(old.clone()).start().await;
    let bot = stage.create_bot(stage.tenant).await;
    know(&stage, bot, 100).await;
    let next = changed_over(&stage, Some(Arc::new(old))).await;
    let forgetful = changed_over(&stage, None).await;
    let models = "select count(distinct model) from chunk_vector";

    let known = best(&stage.ctx, &stage, bot, "vector").await;
    assert!(known.is_some());
    assert_eq!(best(&next, &stage, bot, "vector").await, known, "by the model before, until all is embedded");
    assert!(best(&forgetful, &stage, bot, "hybrid").await.is_some(), "by words at least");

    reembed::look_for_old_models(&next).await.unwrap();
    reembed::look_for_old_models(&next).await.unwrap();
    let waiting = stage.waiting(Kind::Reembed).await;
    assert_eq!(waiting.len(), 1, "one job a bot");
    let runner = Runner::new(next.clone(), parlance_core::ids::WorkerId::fresh());
    assert!(runner.run(waiting[0]).await);
    assert_eq!(stage.count(Kind::Reembed, State::Succeeded).await, 1);
    assert_eq!(stage.count_of(models).await, 2, "the old vectors are removed after the switch");
    assert!(best(&next, &stage, bot, "vector").await.is_some());
    work(&stage).await;
    assert_eq!(stage.count_of(models).await, 1);
    assert!(best(&next, &stage, bot, "vector").await.is_some());
    reembed::look_for_old_models(&next).await.unwrap();
    assert_eq!(stage.waiting(Kind::Reembed).await.len(), 0, "nothing is left to do");
    stage.end().await;
}

#[tokio::test]
async fn a_worker_with_another_model_leaves_a_re_embedding_to_those_that_have_it() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    know(&stage, bot, 100).await;
    let next = changed_over(&stage, None).await;
    reembed::look_for_old_models(&next).await.unwrap();
    let job = stage.waiting(Kind::Reembed).await[0];
    assert!(stage.run(job).await, "it is taken");
    assert_eq!(stage.count(Kind::Reembed, State::Queued).await, 1, "and given back");
    assert_eq!(stage.count_of("select count(distinct model) from chunk_vector").await, 1);
    stage.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_version_whose_batches_two_models_made_is_completed_by_one() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    let source = upload(&stage, stage.tenant, bot, "rules.txt", &paragraphs(1_200)).await;
    stage.step(Kind::Upload).await.unwrap();
    stage.step(Kind::Chunk).await.unwrap();
    stage.step(Kind::Embed).await.unwrap();
    let next = changed_over(&stage, None).await;
    let runner = Runner::new(next.clone(), parlance_core::ids::WorkerId::fresh());
    while let Some(job) = stage.waiting(Kind::Embed).await.into_iter().next() {
        assert!(runner.run(job).await);
    }
    assert_eq!(stage.settled(source).await["status"], "ready");
    let lacking = format!(
        "select count(*) from chunk where not exists (select 1 from chunk_vector \
         where chunk_id = chunk.id and model = '{}')",
        next.embedder().id()
    );
    assert_eq!(stage.count_of(&lacking).await, 0);
    stage.end().await;
}
