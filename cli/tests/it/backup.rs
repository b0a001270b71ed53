//! Backup of a running system and restore into a new one, as documented.

use std::path::Path;
use std::process::Command;

use parlance_embedded::default_cache_dir;
use parlance_embedded::parts::Parts;
use reqwest::Method;
use serde_json::json;

use crate::fleet::{Fleet, bot};
use crate::process::{ready, stdout};

/// A Postgres client program connected to a fleet's database.
fn postgres(program: &str, fleet: &Fleet) -> Command {
    let mut command = Command::new(Parts::new(&default_cache_dir()).postgres_bin().unwrap().join(program));
    command.arg(fleet.servers.database_url().unwrap());
    command
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_backup_of_a_running_system_continues_its_jobs() {
    let fleet = Fleet::prepare().await;
    let http = fleet.tenant("Backed up");
    let api = fleet.start_api().await;
    let worker = fleet.start(&["worker"]);
    let bot = bot(&http).await;
    let ingested = http
        .upload(&bot, "returns.md", "# Returns\n\nGoods may be returned within thirty days.\n")
        .await
        .id();
    ready(&http, &ingested).await;
    // The dump sees waiting jobs and possibly a running one.
    let text =
        |i| format!("# Rule {i}\n\n{}", format!("Whoever asks about matter {i} is told so. ").repeat(200));
    let mut waiting = Vec::new();
    for i in 0..6 {
        waiting.push(http.upload(&bot, &format!("rule-{i}.md"), text(i)).await.id());
    }
    let dump = tempfile::NamedTempFile::new().unwrap();
    stdout(postgres("pg_dump", &fleet).args(["--no-owner", "--no-comments", "--file"]).arg(dump.path()));
    let restored = Fleet::empty().await;
    copy_folder(fleet.files(), restored.files());
    worker.kill();
    api.kill();
    drop(fleet);

    let role = "create role parlance_tenant nologin; grant parlance_tenant to current_user";
    stdout(postgres("psql", &restored).args(["--quiet", "--set", "ON_ERROR_STOP=1", "--command", role]));
    stdout(
        postgres("psql", &restored).args(["--quiet", "--set", "ON_ERROR_STOP=1", "--file"]).arg(dump.path()),
    );
    // The restored schema is already up to date.
    stdout(&mut restored.role(&["migrate"]));
    // Existing API keys work.
    let http = restored.client(http.key());
    let _api = restored.start_api().await;
    let _worker = restored.start(&["worker"]);
    for source in waiting.iter().chain([&ingested]) {
        assert_eq!(ready(&http, source).await["status"], "ready");
    }
    let file = http.request(Method::GET, &format!("/knowledge/sources/{ingested}/file"));
    assert!(file.send().await.unwrap().text().await.unwrap().contains("thirty days"));
    let message = json!({"bot_id": bot, "message": "Within how many days may goods be returned?"});
    let answer = http.post("/conversations/s/messages", message).await;
    let answer = &answer.data(200)["bot_response"];
    assert_eq!(
        (&answer["answered"], &answer["sources"][0]["source_id"]),
        (&json!(true), &json!(ingested)),
        "{answer}"
    );
}
