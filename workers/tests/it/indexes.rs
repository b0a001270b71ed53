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

async fn start_app() -> TestApp {
    let configured = Builder::default().configure(|config| config.index.from_chunks = LARGE);
    configured.embedder(TestEmbedder::default()).start().await
}

/// Runs all waiting jobs.
async fn run_all_jobs(app: &TestApp) {
    for kind in Kind::ALL {
        while app.step(kind).await.is_some() {}
    }
}

async fn add_rules(app: &TestApp, bot: BotId, rules: usize) -> SourceId {
    let source = upload(app, app.tenant, bot, "rules.txt", &paragraphs(rules)).await;
    run_all_jobs(app).await;
    source
}

/// Search hits of a bot, best first.
async fn search(app: &TestApp, bot: BotId, mode: &str, query: &str) -> Vec<String> {
    let body = json!({"bot_id": bot.to_string(), "query": query, "mode": mode, "top_k": 10});
    let answer = app.http.post("/knowledge/search", body).await;
    let hits = answer.data(200)["results"].as_array().unwrap().clone();
    hits.iter().map(|hit| hit["content"].as_str().unwrap().to_owned()).collect()
}

async fn indexes(app: &TestApp, bot: BotId) -> i64 {
    let name = bot.uuid().simple();
    let query = format!(
        "select count(*) from pg_index where indisvalid and indexrelid::regclass::text like '%{name}%'"
    );
    app.count_of(&query).await
}

#[tokio::test]
async fn an_index_of_a_large_bot_keeps_search_results() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    let source = add_rules(&app, bot, 700).await;
    let queries = ["matter 7", "What is told to whoever asks about matter 431?"];
    let mut before = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            before.push(search(&app, bot, mode, query).await);
        }
    }
    assert!(before.iter().all(|texts| texts.len() == 10), "{before:?}");

    index::look_for_sizes(&app.ctx).await.unwrap();
    index::look_for_sizes(&app.ctx).await.unwrap();
    assert_eq!(app.waiting(Kind::Index).await.len(), 1, "one job a bot");
    run_all_jobs(&app).await;
    assert_eq!(indexes(&app, bot).await, 2);
    index::look_for_sizes(&app.ctx).await.unwrap();
    assert_eq!(app.waiting(Kind::Index).await.len(), 0, "the indexes fit the size");

    let mut after = Vec::new();
    for query in queries {
        for mode in ["vector", "text"] {
            after.push(search(&app, bot, mode, query).await);
        }
    }
    assert_eq!(before, after);
    let used =
        "select count(*) from pg_stat_user_indexes where indexrelname like 'bot_graph_%' and idx_scan > 0";
    app.eventually("the statistics show use of the vector index", async || {
        (app.count_of(used).await > 0).then_some(())
    })
    .await;

    knowledge::delete(&app.ctx, app.tenant, source).await.unwrap();
    assert_eq!(search(&app, bot, "vector", "matter 7").await.len(), 0);
    run_all_jobs(&app).await;
    index::look_for_sizes(&app.ctx).await.unwrap();
    run_all_jobs(&app).await;
    assert_eq!(indexes(&app, bot).await, 0, "the bot is small again");
    app.end().await;
}

#[tokio::test]
async fn an_index_build_restarts_after_its_worker_stops() {
    let mut app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 700).await;
    // A concurrent index build waits for open writers.
    let mut writer = app.ctx.db().platform().begin().await.unwrap();
    sqlx::query("lock table chunk_vector in row exclusive mode").execute(&mut *writer).await.unwrap();
    index::look_for_sizes(&app.ctx).await.unwrap();
    app.start_workers();
    let building = "select count(*) from pg_stat_progress_create_index";
    app.eventually("the build waits for the writer", async || {
        (app.count_of(building).await > 0).then_some(())
    })
    .await;
    app.stop_workers().await;
    app.eventually("the build is aborted", async || (app.count_of(building).await == 0).then_some(())).await;
    assert_eq!((app.waiting(Kind::Index).await.len(), indexes(&app, bot).await), (1, 0));

    writer.rollback().await.unwrap();
    run_all_jobs(&app).await;
    assert_eq!(indexes(&app, bot).await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_deleted_bots_indexes_are_dropped() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 700).await;
    index::look_for_sizes(&app.ctx).await.unwrap();
    run_all_jobs(&app).await;
    assert_eq!(indexes(&app, bot).await, 2);
    app.http.delete(&format!("/bots/{bot}")).await.data(200);
    run_all_jobs(&app).await;
    assert_eq!(indexes(&app, bot).await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_language_change_of_a_large_bot_recounts_its_words() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 700).await;
    index::look_for_sizes(&app.ctx).await.unwrap();
    run_all_jobs(&app).await;
    app.http.put(&format!("/bots/{bot}"), json!({"language": "de"})).await.data(200);
    run_all_jobs(&app).await;
    assert_eq!(search(&app, bot, "text", "Rule 77").await.len(), 10);
    index::look_for_sizes(&app.ctx).await.unwrap();
    assert_eq!(app.waiting(Kind::Index).await.len(), 1);
    run_all_jobs(&app).await;
    assert_eq!(search(&app, bot, "text", "Rule 77").await.len(), 10);
    app.end().await;
}

/// The context of another process on the same database with a new model, and optionally the previous one.
async fn with_new_model(app: &TestApp, before: Option<Arc<dyn Embedder>>) -> Context {
    let providers =
        Providers { embedder: real_embedder().await, embedder_before: before, ..Providers::absent() };
    Context::new(app.ctx.config().clone(), providers).unwrap()
}

async fn best_hit(ctx: &Context, app: &TestApp, bot: BotId, mode: &str) -> Option<String> {
    let request = knowledge::search::SearchRequest {
        bot,
        query: "Rule 5: whoever asks about matter 5 is told answer 5, and no other answer.".parse().unwrap(),
        top_k: knowledge::search::TopK::default(),
        mode: mode.parse().unwrap(),
        sources: None,
    };
    let found = knowledge::search::search(ctx, app.tenant, &request).await.unwrap();
    found.hits.into_iter().next().map(|hit| hit.content)
}

#[tokio::test]
async fn a_model_change_re_embeds_and_switches_without_downtime() {
    let old = TestEmbedder::default();
    let app = Builder::default().embedder(old.clone()).start().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 100).await;
    let next = with_new_model(&app, Some(Arc::new(old))).await;
    let without_old_model = with_new_model(&app, None).await;
    let models = "select count(distinct model) from chunk_vector";

    let known = best_hit(&app.ctx, &app, bot, "vector").await;
    assert!(known.is_some());
    assert_eq!(
        best_hit(&next, &app, bot, "vector").await,
        known,
        "the previous model answers until all is embedded"
    );
    assert!(
        best_hit(&without_old_model, &app, bot, "hybrid").await.is_some(),
        "full-text search still works"
    );

    reembed::look_for_old_models(&next).await.unwrap();
    reembed::look_for_old_models(&next).await.unwrap();
    let waiting = app.waiting(Kind::Reembed).await;
    assert_eq!(waiting.len(), 1, "one job a bot");
    let runner = Runner::new(next.clone(), parlance_core::ids::WorkerId::fresh());
    assert!(runner.run(waiting[0]).await);
    assert_eq!(app.count(Kind::Reembed, State::Succeeded).await, 1);
    assert_eq!(app.count_of(models).await, 2, "the old vectors are removed after the switch");
    assert!(best_hit(&next, &app, bot, "vector").await.is_some());
    run_all_jobs(&app).await;
    assert_eq!(app.count_of(models).await, 1);
    assert!(best_hit(&next, &app, bot, "vector").await.is_some());
    reembed::look_for_old_models(&next).await.unwrap();
    assert_eq!(app.waiting(Kind::Reembed).await.len(), 0, "nothing is left to do");
    app.end().await;
}

#[tokio::test]
async fn a_worker_without_the_model_releases_a_reembed_job() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 100).await;
    let next = with_new_model(&app, None).await;
    reembed::look_for_old_models(&next).await.unwrap();
    let job = app.waiting(Kind::Reembed).await[0];
    assert!(app.run(job).await, "the job is claimed");
    assert_eq!(app.count(Kind::Reembed, State::Queued).await, 1, "and released");
    assert_eq!(app.count_of("select count(distinct model) from chunk_vector").await, 1);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_version_embedded_by_two_models_is_completed_by_one() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "rules.txt", &paragraphs(1_200)).await;
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    app.step(Kind::Embed).await.unwrap();
    let next = with_new_model(&app, None).await;
    let runner = Runner::new(next.clone(), parlance_core::ids::WorkerId::fresh());
    while let Some(job) = app.waiting(Kind::Embed).await.into_iter().next() {
        assert!(runner.run(job).await);
    }
    assert_eq!(app.settled(source).await["status"], "ready");
    let lacking = format!(
        "select count(*) from chunk where not exists (select 1 from chunk_vector \
         where chunk_id = chunk.id and model = '{}')",
        next.embedder().id()
    );
    assert_eq!(app.count_of(&lacking).await, 0);
    app.end().await;
}
