//! Operator commands next to a running `up`.

use parlance_core::ids::TenantId;
use serde_json::json;

use crate::process::{Up, output, parlance, ready, stdout};

/// Value of an output line `name  value`.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    line[name.len()..].trim()
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_creates_tenants_and_keys_and_revokes_keys() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let run = |arguments: &[&str]| stdout(parlance().arg("--data-dir").arg(folder.path()).args(arguments));

    let created = run(&["tenant", "create", "--name", "Acme GmbH", "--plan", "starter"]);
    let tenant = value(&created, "tenant");
    assert!(tenant.parse::<TenantId>().is_ok());
    let http = up.http.with_key(Some(value(&created, "api key")));
    let info = http.get("/tenant/info").await;
    assert_eq!((&info.data(200)["name"], &info.data(200)["plan"]), (&json!("Acme GmbH"), &json!("starter")));
    assert!(run(&["tenant", "list"]).contains("Acme GmbH"));

    let second = run(&["key", "create", "--tenant", tenant, "--name", "readers", "--scopes", "read"]);
    let reader = up.http.with_key(Some(value(&second, "api key")));
    reader.get("/bots").await.data(200);
    reader.post("/bots", json!({"name": "B", "channel_type": "api"})).await.error(403);
    let listed = run(&["key", "list", "--tenant", tenant]);
    assert!(listed.contains("readers") && !listed.contains(value(&second, "api key")));
    run(&["key", "revoke", "--tenant", tenant, value(&second, "key ")]);
    assert_eq!(reader.get("/bots").await.error(401), "invalid_api_key");
    assert!(!run(&["key", "list", "--tenant", tenant]).contains("readers"));

    run(&["tenant", "set-plan", tenant, "--plan", "enterprise"]);
    assert_eq!(http.get("/tenant/usage").await.data(200)["utilization"]["bots"], "0/unlimited");
    run(&["tenant", "deactivate", tenant]);
    assert_eq!(http.get("/bots").await.error(401), "invalid_api_key");
    run(&["tenant", "activate", tenant]);
    http.get("/bots").await.data(200);

    let report = stdout(parlance().arg("doctor").arg("--data-dir").arg(folder.path()));
    for part in ["postgres", "schema", "clock", "redis", "model", "reader", "workers", "jobs", "dead"] {
        assert!(report.contains(&format!("ok    {part} ")) && !report.contains("BAD"), "{part}: {report}");
    }
    assert!(up.process.terminate().success());
}

#[test]
fn invalid_setting_is_reported_with_an_example() {
    let output = output(parlance().arg("migrate").env("BIND", "everywhere"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("BIND") && error.contains("example: BIND=0.0.0.0:8080"), "{error}");
}

#[test]
fn doctor_reports_problems_and_fixes() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = parlance();
    command.arg("doctor").arg("--data-dir").arg(folder.path());
    // Nothing listens on the discard port.
    command.env("DATABASE_URL", "postgres://x:y@127.0.0.1:9/z").env("REDIS_URL", "redis://127.0.0.1:9");
    let output = output(&mut command);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("BAD   postgres")
            && text.contains("BAD   redis")
            && text.contains("check DATABASE_URL"),
        "{text}"
    );
}

#[test]
fn openapi_description_is_printed() {
    let text = stdout(parlance().arg("openapi"));
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(description["info"]["title"], "Parlance");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_tenant_leaves_nothing_and_others_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--no-demo"]).await;
    let run = |arguments: &[&str]| output(parlance().arg("--data-dir").arg(folder.path()).args(arguments));
    let ingest = async |http: &parlance_testing::Client| {
        let bot = http.post("/bots", json!({"name": "B", "channel_type": "api"})).await.id();
        let source =
            http.upload(&bot, "a.md", "# Returns\n\nGoods may be returned within thirty days.\n").await.id();
        ready(http, &source).await;
        let message = json!({"bot_id": bot, "message": "Who won the chess championship?"});
        http.post("/conversations/s/messages", message).await.data(200);
        source
    };
    let created = run(&["tenant", "create", "--name", "Gone GmbH", "--plan", "starter"]);
    let created = String::from_utf8(created.stdout).unwrap();
    let tenant = value(&created, "tenant");
    let gone = up.http.with_key(Some(value(&created, "api key")));
    ingest(&gone).await;
    let kept = ingest(&up.http).await;
    let files = folder.path().join("files");
    assert!(files.join(tenant).exists());

    let mistaken = run(&["tenant", "delete", tenant, "--name", "Gone"]);
    assert!(!mistaken.status.success());
    gone.get("/bots").await.data(200);

    let deleted = run(&["tenant", "delete", tenant, "--name", "Gone GmbH"]);
    let message = String::from_utf8(deleted.stdout).unwrap();
    assert!(deleted.status.success() && message.contains("Nothing of Gone GmbH remains"), "{message}");
    assert_eq!(gone.get("/bots").await.error(401), "invalid_api_key");
    let left = std::fs::read_dir(files.join(tenant)).map_or(0, |sources| {
        sources.map(|source| std::fs::read_dir(source.unwrap().path()).unwrap().count()).sum()
    });
    assert_eq!(left, 0, "files are left");
    assert!(!run(&["tenant", "delete", tenant, "--name", "Gone GmbH"]).status.success());

    let query = json!({"bot_id": up.http.get("/bots").await.data(200)[0]["id"], "query": "thirty days"});
    let found = up.http.post("/knowledge/search", query).await;
    assert_eq!(found.data(200)["results"][0]["source_id"], json!(kept));
    assert!(up.process.terminate().success());
}
