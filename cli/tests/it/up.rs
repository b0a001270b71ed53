//! `parlance up`: first start, restart, kill and graceful shutdown.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::process::{Up, eventually, output, parlance, ready};

const SHOP: &str = "# Returns\n\nYou can return any product within 30 days of delivery. Keep the receipt.\n\n# Hours\n\nOur shop is open from 9 to 18 on weekdays.\n";

#[tokio::test(flavor = "multi_thread")]
async fn up_gives_a_cited_answer_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    for file in ["up.json", "api_key"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let bot = up.bot().await;
    let source = up.http.upload(&bot, "shop.md", SHOP).await.id();
    ready(&up.http, &source).await;

    let ask = async |up: &Up, session: &str, question: &str| {
        let answer = up
            .http
            .post(&format!("/conversations/{session}/messages"), json!({"bot_id": bot, "message": question}))
            .await;
        answer.data(200)["bot_response"].clone()
    };
    let answer = ask(&up, "one", "How long do I have to return a product?").await;
    assert_eq!(answer["answered"], true, "{answer}");
    let text = answer["message"].as_str().unwrap();
    assert!(text.contains("within 30 days of delivery. [1]"), "{text}");
    let cited = &answer["sources"][0];
    assert_eq!((&cited["source_id"], &cited["heading"]), (&json!(source), &json!("Returns")));
    let (start, end) = (cited["start"].as_u64().unwrap() as usize, cited["end"].as_u64().unwrap() as usize);
    let at_span: String = SHOP.chars().skip(start).take(end - start).collect();
    assert_eq!(at_span, cited["snippet"].as_str().unwrap());

    let unknown = ask(&up, "one", "Who won the chess championship?").await;
    assert_eq!((&unknown["answered"], &unknown["sources"]), (&json!(false), &json!([])));

    let key = up.file["api_key"].clone();
    assert!(up.process.terminate().success());
    assert!(!folder.path().join("up.json").exists());

    let up = Up::start(folder.path(), &["--no-demo"]).await;
    assert_eq!(up.file["api_key"], key);
    let again = ask(&up, "two", "When is the shop open?").await;
    assert!(again["message"].as_str().unwrap().contains("9 to 18"), "{again}");
    let conversation = up.http.get("/conversations/one").await;
    assert_eq!(conversation.data(200)["messages"].as_array().unwrap().len(), 4);
    assert!(up.process.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_up_resumes_ingestion() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let bot = up.bot().await;
    let long: String = (0..3000)
        .map(|i| format!("Rule {i} says that matter {} is settled by office {}.\n\n", i * 7, i % 90))
        .collect();
    let source = up.http.upload(&bot, "rules.md", long).await.id();
    eventually("part of the source is embedded", async || {
        let answer = up.http.get(&format!("/knowledge/sources/{source}")).await;
        let done = answer.data(200)["source"]["progress"]["done"].as_i64()?;
        (done > 0).then_some(())
    })
    .await;
    up.process.kill();

    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let source = ready(&up.http, &source).await;
    let progress = &source["progress"];
    assert_eq!((&progress["done"], &progress["percent"]), (&progress["total"], &json!(100)));
    assert!(up.process.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_bot_answers_questions_about_parlance() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]).await;
    let answer = eventually("the demo bot answers", async || {
        let answer = up
            .http
            .post("/conversations/demo/messages", json!({"message": "How do I add more workers?"}))
            .await;
        let response = answer.data(200)["bot_response"].clone();
        (response["answered"] == true).then_some(response)
    })
    .await;
    assert!(answer["message"].as_str().unwrap().contains("worker"), "{answer}");
    let bots = up.http.get("/bots").await;
    assert_eq!(bots.data(200).as_array().unwrap().len(), 1);
    assert!(up.process.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn graceful_shutdown_answers_open_requests() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let bot = up.bot().await;
    let source = up.http.upload(&bot, "shop.md", SHOP).await.id();
    ready(&up.http, &source).await;
    let mut requests = tokio::task::JoinSet::new();
    for i in 0..20 {
        let (http, bot) = (up.http.clone(), bot.clone());
        let body = json!({"bot_id": bot, "message": "When is the shop open?"});
        requests.spawn(async move { http.post(&format!("/conversations/s{i}/messages"), body).await });
    }
    // Give the requests time to start.
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    let process = up.process;
    let shutdown = tokio::task::spawn_blocking(|| process.terminate());
    while let Some(answer) = requests.join_next().await {
        answer.unwrap().data(200);
    }
    assert!(shutdown.await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn second_up_on_the_same_folder_or_port_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let refused = |arguments: &[&str]| {
        let output = output(parlance().arg("up").args(arguments));
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let dir = folder.path().to_str().unwrap();
    let pid = up.file["pid"].to_string();
    let error = refused(&["--port", "0", "--data-dir", dir]);
    assert!(error.contains(&pid), "{error}");
    let port = up.file["url"].as_str().unwrap().rsplit(':').next().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let error = refused(&["--port", port, "--data-dir", elsewhere.path().to_str().unwrap()]);
    assert!(error.contains(&format!("port {port} is taken")) && error.contains("--port"), "{error}");
    assert!(up.process.terminate().success());
}
