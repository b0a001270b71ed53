//! The roles apart, as in production: an API and workers, one of which is killed.

use std::net::TcpListener;
use std::process::Command;

use parlance_embedded::model::Precision;
use parlance_embedded::parts::Parts;
use parlance_embedded::{Servers, default_cache_dir};
use parlance_testing::Client;
use serde_json::json;

use crate::process::{Process, eventually, parlance, ready, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_loses_nothing() {
    let servers = Servers::ephemeral(&default_cache_dir()).await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let parts = Parts::new(&default_cache_dir());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let role = |arguments: &[&str]| -> Command {
        let mut command = parlance();
        command.args(arguments);
        command
            .env("DATABASE_URL", servers.database_url().unwrap())
            .env("REDIS_URL", servers.redis_url().unwrap());
        command.env("STORAGE_URL", format!("file://{}", files.path().display()));
        command.env("ORT_DYLIB_PATH", parts.onnxruntime().unwrap());
        command.env("EMBEDDING_MODEL_DIR", parts.model(Precision::Int8).unwrap());
        command.env("BIND", format!("127.0.0.1:{port}"));
        command
    };
    said(&mut role(&["migrate"]));
    let made = said(&mut role(&["tenant", "create", "--name", "Fleet", "--plan", "professional"]));
    let key = made.lines().find_map(|line| line.strip_prefix("api key")).unwrap().trim();
    let _api = Process::spawn(&mut role(&["api"]));
    let _readers = Process::spawn(&mut role(&["worker", "--queues", "upload,chunk"]));
    let doomed = Process::spawn(&mut role(&["worker", "--queues", "embed"]));
    eventually("the API answers", async || std::net::TcpStream::connect(("127.0.0.1", port)).ok()).await;

    let http = Client::new(&format!("http://127.0.0.1:{port}"), Some(key));
    let bot = http.post("/bots", json!({"name": "Bot", "channel_type": "api"})).await.id();
    let text: String = (0..1500)
        .map(|i| format!("Rule {i} says that matter {} is settled by office {}.\n\n", i * 7, i % 90))
        .collect();
    let source = http.upload(&bot, "rules.txt", text).await.id();
    eventually("the doomed worker is at it", async || {
        let done =
            http.get(&format!("/knowledge/sources/{source}")).await.data(200)["source"]["progress"]["done"]
                .as_i64()?;
        (done > 0).then_some(())
    })
    .await;
    doomed.kill();
    let heir = Process::spawn(&mut role(&["worker", "--queues", "embed", "--concurrency", "1"]));
    let settled = ready(&http, &source).await;
    assert_eq!(settled["progress"]["done"], settled["progress"]["total"]);
    assert!(heir.terminate().success());
    servers.stop().await.unwrap();
}
