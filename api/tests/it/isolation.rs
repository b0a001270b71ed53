//! Tenant isolation: another tenant's resources get the same responses as nonexistent ones. The requests are
//! generated from the specification: each operation, and each place of an id in it.

use std::collections::BTreeSet;

use parlance_testing::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Fixture, QUESTION};
use crate::rows::rows;
use crate::spec::operations;
use crate::{run_jobs, start_app};
use resources::{Part, Resources, id_places, nonexistent};
use responses::{read_all, send, without_ids_and_times};

mod resources;
mod responses;

/// Operations that open a missing session.
const OPENING: [&str; 2] = ["sendMessage", "openConversation"];

/// The ids of a tenant's rows.
async fn ids(app: &TestApp) -> BTreeSet<String> {
    let rows = rows(app, app.tenant).await;
    let id = |row: &String| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().map(str::to_owned);
    rows.values().flatten().filter_map(id).collect()
}

#[tokio::test]
async fn another_tenants_resources_look_nonexistent_and_stay_intact() {
    let app = start_app().await;
    let (_, other) = app.another_tenant().await;
    let (theirs, own) = (Resources::create(&app, &app.http).await, Fixture::create(&other).await);
    let (rows_before, reads_before) =
        (rows(&app, app.tenant).await, read_all(&app.http, &theirs.fixture).await);
    let ids = ids(&app).await;
    for (operation, response) in &reads_before {
        assert_eq!(response.status, 200, "{operation} does not find its resource: {response:?}");
    }
    let (mut cases, mut failures) = (0, Vec::new());
    for operation in operations() {
        for place in id_places(&operation, &own) {
            for (variant, others) in theirs.variants(&place.names[0]) {
                let missing = nonexistent(&others);
                let request = async |target: &Fixture| {
                    let ids: Vec<String> = place.names.iter().map(|name| target.id(name)).collect();
                    send(&other, &place.request(&operation, &own, target), &ids).await
                };
                let (response, of_missing) = (request(&others).await, request(&missing).await);
                let case =
                    format!("{} with {:?} in the {:?}, {variant}", operation.id, place.names, place.part);
                if without_ids_and_times(&response) != without_ids_and_times(&of_missing) {
                    failures.push(format!("{case}\n    {response:?}\n    {of_missing:?}"));
                }
                if let Some(id) = ids.iter().find(|id| response.body.contains(*id)) {
                    failures.push(format!("{case} reveals {id}\n    {response:?}"));
                }
                if OPENING.contains(&&*operation.id) && place.names == ["session_id"] {
                    // The request opened a session of that name for the other tenant.
                    other.delete(&format!("/conversations/{}", others.id("session_id"))).await.data(200);
                } else if place.part != Part::Query && response.status != 404 {
                    failures.push(format!("{case} must not be found\n    {response:?}"));
                }
                cases += 1;
            }
        }
    }
    // The other tenant's own reads.
    for (operation, response) in read_all(&other, &own).await {
        if let Some(id) = ids.iter().find(|id| response.body.contains(*id)) {
            failures.push(format!("{operation} reveals {id}\n    {response:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {cases} cases failed:\n{}", failures.len(), failures.join("\n"));
    assert!(cases > 40, "{cases}");
    let (rows_after, reads_after) =
        (rows(&app, app.tenant).await, read_all(&app.http, &theirs.fixture).await);
    for (table, rows) in &rows_before {
        assert_eq!(rows, &rows_after[table], "{table}");
    }
    for (operation, response) in &reads_before {
        assert_eq!(response, &reads_after[operation], "{operation}");
    }
    eprintln!("isolation: {cases} cases");
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn tenants_share_no_session_names_content_or_idempotency_keys() {
    let app = start_app().await;
    let (_, other) = app.another_tenant().await;
    let theirs = Fixture::create(&app.http).await;
    run_jobs(&app).await;
    let path = format!("/conversations/{}", theirs.id("session_id"));
    let before = app.http.get(&path).await.data(200).clone();

    let body = json!({"name": "Mine", "channel_type": "webchat"});
    let mut bots = Vec::new();
    for http in [&app.http, &other] {
        let request = http.request(Method::POST, "/bots").header("Idempotency-Key", "same").json(&body);
        let created = Answer::send(request).await;
        assert_eq!(created.headers.get("Idempotency-Replayed"), None);
        bots.push(created.id());
    }
    assert_ne!(bots[0], bots[1]);

    // One tenant's knowledge is neither cited for the other nor a duplicate there.
    let sent = other.post(&format!("{path}/messages"), json!({"message": QUESTION})).await;
    let answer = &sent.data(200)["bot_response"];
    assert_eq!((&answer["answered"], &answer["sources"]), (&json!(false), &json!([])));
    let source = other.upload(&bots[1], "returns.md", "# Returns\n\nWithin thirty days.\n").await;
    assert_eq!(
        (source.data(201)["duplicate"] == true, source.id() == theirs.id("source_id")),
        (false, false)
    );
    assert_eq!(
        app.http.get(&format!("/knowledge/sources/{}", source.id())).await.error(404),
        "source_not_found"
    );

    let own = other.get(&path).await.data(200).clone();
    assert_eq!((&own["session"]["bot_id"], own["messages"].as_array().unwrap().len()), (&json!(bots[1]), 2));
    other.patch(&path, json!({"status": "ended", "user_name": "Eve"})).await.data(200);
    assert_eq!(&before, app.http.get(&path).await.data(200));
    other.delete(&path).await.data(200);
    assert_eq!(&before, app.http.get(&path).await.data(200));
    run_jobs(&app).await;
    app.end().await;
}
