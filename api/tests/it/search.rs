//! `POST /knowledge/search`.

use parlance_core::platform::config::LocalOrNamed;
use parlance_testing::sqlx::{self, AssertSqlSafe, Row};
use parlance_testing::{
    Answer, Builder, TestApp, TestEmbedder, recorded_request_id, recorded_statements, reranker_in_folder,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::run_jobs;

const RETURNS: &str = "# Returns\n\nGoods may be returned within thirty days of purchase.\n";
const SHIPPING: &str = "# Shipping\n\nParcels leave the warehouse every day at noon.\n";

/// Creates a bot with two files. Returns the ids of the bot and the files.
async fn with_two_files(app: &TestApp) -> (String, String, String) {
    let bot = app.create_bot(app.tenant).await.to_string();
    let returns = app.http.upload(&bot, "returns.md", RETURNS).await.id();
    let shipping = app.http.upload(&bot, "shipping.md", SHIPPING).await.id();
    run_jobs(app).await;
    (bot, returns, shipping)
}

/// The source names of the results.
fn names(response: &Answer) -> Vec<&str> {
    let results = response.data(200)["results"].as_array().unwrap();
    results.iter().map(|passage| passage["source_name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_search_mode_uses_its_own_ranking() {
    let app = Builder::default().start().await;
    let (bot, returns, _) = with_two_files(&app).await;
    let query = "When may goods be returned?";
    let hybrid = app.http.post("/knowledge/search", json!({"bot_id": bot, "query": query})).await;
    assert_eq!(hybrid.data(200)["mode"], "hybrid");
    assert_eq!(names(&hybrid)[0], "returns.md");
    let best = &hybrid.data(200)["results"][0];
    assert_eq!(
        (&best["source_id"], &best["vector_rank"], &best["text_rank"]),
        (&json!(returns), &json!(1), &json!(1))
    );
    assert!((best["score"].as_f64().unwrap() - 2.0 / 2.0).abs() < 1e-6, "{best}");
    // The span locates the passage in the source's content.
    let source = app.http.get(&format!("/knowledge/sources/{returns}")).await;
    let content: Vec<char> = source.data(200)["source"]["content"].as_str().unwrap().chars().collect();
    let offset = |field: &str| usize::try_from(best[field].as_i64().unwrap()).unwrap();
    let span: String = content[offset("start")..offset("end")].iter().collect();
    assert_eq!(best["content"], span);

    let search = async |mode: &str, query: &str| {
        let body = json!({"bot_id": bot, "query": query, "mode": mode});
        app.http.post("/knowledge/search", body).await
    };
    let by_text = search("text", query).await;
    assert_eq!(names(&by_text), ["returns.md"]);
    let best = &by_text.data(200)["results"][0];
    assert_eq!((&best["vector_score"], &best["vector_rank"]), (&Value::Null, &Value::Null));
    assert_eq!(search("text", "nothing of the kind").await.data(200)["results"], json!([]));
    // Vector search ranks every passage.
    let by_vector = search("vector", "nothing of the kind").await;
    assert_eq!(names(&by_vector).len(), 2);
    assert_eq!(by_vector.data(200)["results"][0]["text_rank"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn search_respects_source_ids_and_top_k() {
    let app = Builder::default().start().await;
    let (bot, returns, shipping) = with_two_files(&app).await;
    let search = async |fields: Value| {
        let mut body = json!({"bot_id": bot, "query": "When may goods be returned?", "mode": "vector"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        app.http.post("/knowledge/search", body).await
    };
    assert_eq!(names(&search(json!({"source_ids": [shipping]})).await), ["shipping.md"]);
    assert_eq!(names(&search(json!({"source_ids": [shipping, returns]})).await).len(), 2);
    assert_eq!(names(&search(json!({"top_k": 1})).await), ["returns.md"]);
    // An unknown source finds nothing.
    let unknown = uuid::Uuid::now_v7().to_string();
    assert!(names(&search(json!({"source_ids": [unknown]})).await).is_empty());
    // A deleted source is not found.
    app.http.delete(&format!("/knowledge/sources/{returns}")).await.data(200);
    assert_eq!(names(&search(json!({})).await), ["shipping.md"]);
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn text_search_works_while_the_embedding_model_is_down() {
    let embedder = TestEmbedder::default();
    let app = Builder::default().embedder(embedder.clone()).start().await;
    let (bot, ..) = with_two_files(&app).await;
    embedder.fail_questions();
    let body = |mode: &str| json!({"bot_id": bot, "query": "warehouse", "mode": mode});
    let by_text = app.http.post("/knowledge/search", body("text")).await;
    assert_eq!(names(&by_text), ["shipping.md"]);
    assert_eq!(app.http.post("/knowledge/search", body("hybrid")).await.error(503), "unavailable");
    app.end().await;
}

/// Starts the application with a reranker that scores passages by the number of occurrences of a word.
async fn with_reranker(word: &str, output: &str) -> (TestApp, impl Drop) {
    let folder = reranker_in_folder(word, output);
    let model = LocalOrNamed::Local(folder.path().to_owned());
    let app = Builder::default().configure(|config| config.rerank.model = Some(model)).start().await;
    (app, folder)
}

#[tokio::test]
async fn a_reranker_decides_the_final_order_of_hybrid_search() {
    let (app, _folder) = with_reranker("day", "logits").await;
    let (bot, _, _) = with_two_files(&app).await;
    let query = "When may goods be returned?";
    let search = async |mode: &str, top_k: usize| {
        let body = json!({"bot_id": bot, "query": query, "mode": mode, "top_k": top_k});
        app.http.post("/knowledge/search", body).await
    };
    let reranked = search("hybrid", 5).await;
    assert_eq!(names(&reranked), ["shipping.md", "returns.md"]);
    let results = &reranked.data(200)["results"];
    // The logits are 1 and 0.
    let score = |index: usize| results[index]["rerank_score"].as_f64().unwrap();
    assert!((score(0) - 0.731).abs() < 1e-3 && (score(1) - 0.5).abs() < 1e-6, "{results}");
    assert_eq!(results[1]["vector_rank"], 1);
    // `top_k` applies after reranking.
    assert_eq!(names(&search("hybrid", 1).await), ["shipping.md"]);
    let by_vector = search("vector", 5).await;
    assert_eq!(names(&by_vector), ["returns.md", "shipping.md"]);
    assert_eq!(by_vector.data(200)["results"][0]["rerank_score"], Value::Null);

    // An answer uses the reranked passages; its trace shows them.
    let sent = app.http.post("/conversations/s1/messages", json!({"bot_id": bot, "message": query})).await;
    let answer = sent.data(200)["bot_response"]["id"].as_str().unwrap().to_owned();
    let trace = app.http.get(&format!("/conversations/s1/messages/{answer}/trace")).await;
    let best = &trace.data(200)["candidates"][0];
    assert_eq!((&best["source_name"], &best["passage"]), (&json!("shipping.md"), &json!(1)));
    assert!(best["rerank_score"].as_f64().unwrap() > 0.7, "{best}");
    app.end().await;
}

#[tokio::test]
async fn a_failing_reranker_leaves_the_order_unchanged() {
    let (app, _folder) = with_reranker("day", "something_else").await;
    let (bot, _, _) = with_two_files(&app).await;
    let query = "When may goods be returned?";
    let response = app.http.post("/knowledge/search", json!({"bot_id": bot, "query": query})).await;
    assert_eq!(names(&response)[0], "returns.md");
    assert_eq!(response.data(200)["results"][0]["rerank_score"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn vectors_of_worded_passages_are_looked_up_by_key() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let (bot, ..) = with_two_files(&app).await;
    let id = recorded_request_id();
    let request = app.http.request(Method::POST, "/knowledge/search").header("X-Request-Id", &id);
    Answer::send(request.json(&json!({"bot_id": bot, "query": "returned goods"}))).await.data(200);
    let statements = recorded_statements(&id);
    let search = statements.iter().find(|statement| statement.contains("nearest_chunks")).unwrap();
    let mut db = app.ctx.db().begin(app.tenant).await.unwrap();
    // Otherwise the planner reads tables this small sequentially.
    sqlx::query("set local enable_seqscan = off").execute(&mut **db).await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("explain (generic_plan) {search}")))
        .fetch_all(&mut **db)
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let lookups = plan.iter().filter(|line| line.contains("Index Cond: ((chunk_id = ranked.id)")).count();
    assert!(lookups > 1, "{}", plan.join("\n"));
    drop(db);
    app.end().await;
}
