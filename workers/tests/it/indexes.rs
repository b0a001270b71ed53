//! Search indexes of large bots, and migration between embedding models.

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

/// Minimum number of chunks of a large bot in these tests.
const LARGE: u32 = 40;

async fn stage() -> TestApp {
    let configured = Builder::default().configure(|config| config.index.from_chunks = LARGE);
    configured.embedder(TestEmbedder::default()).start().await
}

/// Runs all waiting jobs.
async fn run_all_jobs(stage: &TestApp) {
    for kind in Kind::ALL {
        while stage.step(kind).await.is_some() {}
    }
}

async fn add_rules(stage: &TestApp, bot: BotId, rules: usize) -> SourceId {
    let source = upload(stage, stage.tenant, bot, "rules.txt", &paragraphs(rules)).await;
    run_all_jobs(stage).await;
    source
}

/// Search hits of a bot, best first.
async fn search(stage: &TestApp, bot: BotId, mode: &str, query: &str) -> Vec<String> {
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
async fn an_index_of_a_large_bot_keeps_search_results() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    let source = add_rules(&stage, bot, 700).await;
    let queries = ["matter 7", "What is told to whoever asks about matter 431?"];
    let mut before = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            before.push(search(&stage, bot, mode, query).await);
        }
    }
    assert!(before.iter().all(|texts| texts.len() == 10), "{before:?}");

    index::look_for_sizes(&stage.ctx).await.unwrap();
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 1, "one job a bot");
    run_all_jobs(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 0, "the indexes fit the size");

    let mut after = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            after.push(search(&stage, bot, mode, query).await);
        }
    }
    assert_eq!(before, after);
    let used = "select count(*) from pg_stat_user_indexes where indexrelname like 'chunk_vector_%' and idx_scan > 0 \
                and indexrelname not in ('chunk_vector_pkey', 'chunk_vector_bot_idx', 'chunk_vector_source_idx')";
    stage
        .eventually("the statistics show use of the vector index", async || {
            (stage.count_of(used).await > 0).then_some(())
        })
        .await;

    knowledge::delete(&stage.ctx, stage.tenant, source).await.unwrap();
    assert_eq!(search(&stage, bot, "vector", "matter 7").await.len(), 0);
    run_all_jobs(&stage).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    run_all_jobs(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 0, "the bot is small again");
    stage.end().await;
}

#[tokio::test]
async fn an_index_build_restarts_after_its_worker_stops() {
    let mut stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    add_rules(&stage, bot, 700).await;
    // A concurrent index build waits for open writers.
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
        .eventually("the build is aborted", async || (stage.count_of(building).await == 0).then_some(()))
        .await;
    assert_eq!((stage.waiting(Kind::Index).await.len(), indexes(&stage, bot).await), (1, 0));

    writer.rollback().await.unwrap();
    run_all_jobs(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_bots_indexes_are_dropped() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    add_rules(&stage, bot, 700).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    run_all_jobs(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 2);
    stage.http.delete(&format!("/bots/{bot}")).await.data(200);
    run_all_jobs(&stage).await;
    assert_eq!(indexes(&stage, bot).await, 0);
    stage.end().await;
}

#[tokio::test]
async fn a_language_change_of_a_large_bot_recounts_its_words() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    add_rules(&stage, bot, 700).await;
    index::look_for_sizes(&stage.ctx).await.unwrap();
    run_all_jobs(&stage).await;
    stage.http.put(&format!("/bots/{bot}"), json!({"language": "de"})).await.data(200);
    run_all_jobs(&stage).await;
    assert_eq!(search(&stage, bot, "text", "Rule 77").await.len(), 10);
    index::look_for_sizes(&stage.ctx).await.unwrap();
    assert_eq!(stage.waiting(Kind::Index).await.len(), 1);
    run_all_jobs(&stage).await;
    assert_eq!(search(&stage, bot, "text", "Rule 77").await.len(), 10);
    stage.end().await;
}

/// The context of another process on the same database with a new model, and optionally the previous one.
async fn with_new_model(stage: &TestApp, before: Option<Arc<dyn Embedder>>) -> Context {
    let providers =
        Providers { embedder: real_embedder().await, embedder_before: before, ..Providers::absent() };
    Context::new(stage.ctx.config().clone(), providers).unwrap()
}

async fn best_hit(ctx: &Context, stage: &TestApp, bot: BotId, mode: &str) -> Option<String> {
    let request = knowledge::search::SearchRequest {
        bot,
        query: "Rule 5: whoever asks about matter 5 is told answer 5, and no other answer.".parse().unwrap(),
        top_k: knowledge::search::TopK::default(),
        mode: mode.parse().unwrap(),
        sources: None,
    };
    let found = knowledge::search::search(ctx, stage.tenant, &request).await.unwrap();
    found.hits.into_iter().next().map(|hit| hit.content)
}

#[tokio::test]
async fn a_model_change_re_embeds_and_switches_without_downtime() {
    let old = TestEmbedder::default();
    let stage = Builder::default().embedder(old.clone()).start().await;
    let bot = stage.create_bot(stage.tenant).await;
    add_rules(&stage, bot, 100).await;
    let next = with_new_model(&stage, Some(Arc::new(old))).await;
    let without_old_model = with_new_model(&stage, None).await;
    let models = "select count(distinct model) from chunk_vector";

    let known = best_hit(&stage.ctx, &stage, bot, "vector").await;
    assert!(known.is_some());
    assert_eq!(
        best_hit(&next, &stage, bot, "vector").await,
        known,
        "the previous model answers until all is embedded"
    );
    assert!(
        best_hit(&without_old_model, &stage, bot, "hybrid").await.is_some(),
        "full-text search still works"
    );

    reembed::look_for_old_models(&next).await.unwrap();
    reembed::look_for_old_models(&next).await.unwrap();
    let waiting = stage.waiting(Kind::Reembed).await;
    assert_eq!(waiting.len(), 1, "one job a bot");
    let runner = Runner::new(next.clone(), parlance_core::ids::WorkerId::fresh());
    assert!(runner.run(waiting[0]).await);
    assert_eq!(stage.count(Kind::Reembed, State::Succeeded).await, 1);
    assert_eq!(stage.count_of(models).await, 2, "the old vectors are removed after the switch");
    assert!(best_hit(&next, &stage, bot, "vector").await.is_some());
    run_all_jobs(&stage).await;
    assert_eq!(stage.count_of(models).await, 1);
    assert!(best_hit(&next, &stage, bot, "vector").await.is_some());
    reembed::look_for_old_models(&next).await.unwrap();
    assert_eq!(stage.waiting(Kind::Reembed).await.len(), 0, "nothing is left to do");
    stage.end().await;
}

#[tokio::test]
async fn a_worker_without_the_model_releases_a_reembed_job() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    add_rules(&stage, bot, 100).await;
    let next = with_new_model(&stage, None).await;
    reembed::look_for_old_models(&next).await.unwrap();
    let job = stage.waiting(Kind::Reembed).await[0];
    assert!(stage.run(job).await, "the job is claimed");
    assert_eq!(stage.count(Kind::Reembed, State::Queued).await, 1, "and released");
    assert_eq!(stage.count_of("select count(distinct model) from chunk_vector").await, 1);
    stage.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_version_embedded_by_two_models_is_completed_by_one() {
    let stage = stage().await;
    let bot = stage.create_bot(stage.tenant).await;
    let source = upload(&stage, stage.tenant, bot, "rules.txt", &paragraphs(1_200)).await;
    stage.step(Kind::Upload).await.unwrap();
    stage.step(Kind::Chunk).await.unwrap();
    stage.step(Kind::Embed).await.unwrap();
    let next = with_new_model(&stage, None).await;
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
