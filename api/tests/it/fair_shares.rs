//! Fair shares of the processor: one tenant's requests do not make another's wait.

use parlance_testing::{Builder, TestEmbedder};
use serde_json::json;

#[tokio::test]
async fn a_question_passes_another_tenants_searches() {
    let embedder = TestEmbedder::default();
    let app = Builder::default().embedder(embedder.clone()).start().await;
    let bot = app.create_bot(app.tenant).await;
    let (other, others) = app.another_tenant().await;
    let other_bot = app.create_bot(other).await;
    let question = "How long does delivery to France take?";
    let ask = async |session: &str| {
        let body = json!({"bot_id": other_bot, "message": question});
        others.post(&format!("/conversations/{session}/messages"), body).await.data(200);
    };
    // The first answer calibrates the model.
    ask("first").await;
    let before = embedder.questions().len();

    embedder.hold_questions();
    let searches: Vec<_> = (0..6)
        .map(|number| {
            let query = format!("{number} {}", "word ".repeat(1_500));
            let body = json!({"bot_id": bot, "query": query, "mode": "vector"});
            let http = app.http.clone();
            tokio::spawn(async move { http.post("/knowledge/search", body).await.data(200).clone() })
        })
        .collect();
    let waiting = async |count: usize| {
        let probe = async || (embedder.waiting_questions() == count).then_some(());
        app.eventually("the searches wait", probe).await;
    };
    waiting(5).await;
    let release = async {
        waiting(6).await;
        embedder.release();
    };
    tokio::join!(ask("second"), release);
    for search in searches {
        search.await.unwrap();
    }
    let embedded = embedder.questions().split_off(before);
    assert_eq!(embedded.len(), 7);
    assert_eq!(embedded[1], question, "only the search in progress is before the question");
    // The query is cut to the words that the model reads.
    assert!(embedded.iter().all(|text| text.split_whitespace().count() <= 512));
    app.end().await;
}
